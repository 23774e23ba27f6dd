//! What was meant by a text that cannot be read: what people write who know it otherwise, each with how it is written here.

mod fields;
mod numbers;
mod ranges;

use super::signs::{COLON, look_alike, straight, typed};
use fields::{is_share, is_unit, unit_of};
use numbers::{duration, percentage, plain, power_of_ten, quotient, whole, with_digits, without_unit};
use ranges::apart;

pub(super) use numbers::{decimal, rounded_off};
pub(super) use ranges::{is_stepped, pair, ranged, several};

/// A rule of how something is written, with what writes by it that which breaks it, at this path.
type Rule = (&'static str, Write);
type Write = fn(&str, &str) -> Option<String>;

/// All rules, tried in this order.
const RULES: &[Rule] = &[
    ("a duration stands in quotes", |text, _| Some(quoted(text)).filter(|_| humantime::parse_duration(text).is_ok())),
    ("numbers and names have no quotes", |text, _| Some(unquoted(text).to_owned())),
    ("a number has a point, and nothing else between its digits", |text, _| plain(unquoted(text))),
    ("a number has digits, and no letters that look like them", |text, _| with_digits(text)),
    ("a number has digits, and no letters that look like them", |text, _| plain(unquoted(&with_digits(text)?))),
    ("a number has digits, and no letters that look like them", |text, _| duration(&with_digits(text)?)),
    ("a number has digits, and no letters that look like them", |text, _| pair(&with_digits(text)?)),
    ("a share is a part of 1", percentage),
    ("a number stands alone, without a unit", without_unit),
    ("a value follows at once", |text, _| text.strip_prefix('=').map(|value| value.trim().to_owned())),
    ("a power of ten is written with an `e`", |text, _| power_of_ten(text)),
    ("a number is not calculated", |text, _| quotient(text)),
    ("text stands in straight double quotes", |text, _| Some(quoted(text))),
    ("text stands in straight double quotes", |text, _| Some(straight(text))),
    ("a duration is a number with its unit, in quotes", |text, _| duration(text)),
    // Nobody knows which unit was meant.
    ("a duration is a number with its unit, in quotes", |text, _| Some(format!("\"{}s\"", plain(unquoted(text))?))),
    ("a duration is a number with its unit, in quotes", |text, _| Some(format!("\"{}ms\"", plain(unquoted(text))?))),
    ("a whole number has neither point nor exponent", |text, _| whole(text, f64::floor)),
    ("a whole number has neither point nor exponent", |text, _| whole(text, f64::ceil)),
    ("a whole number has neither point nor exponent", |text, _| plain(&unquoted(text).replace('.', ","))),
    ("this cannot be negative", |text, _| unquoted(text).strip_prefix('-').and_then(plain)),
    ("this cannot be negative", |text, _| unquoted(text).strip_prefix('-').and_then(duration)),
    ("this cannot be negative", |text, _| Some(format!("\"{}s\"", unquoted(text).strip_prefix('-').and_then(plain)?))),
    ("a variant stands without its type", |text, _| text.split_once("::").map(|(_, variant)| variant.to_owned())),
    ("empty brackets are left out", |text, _| text.strip_suffix("()").map(str::to_owned)),
    ("what is alone in its brackets has no name", |text, _| {
        let (variant, held) = within(text, "", ')')?.split_once('(')?;
        let (_, value) = held.split_once(':').filter(|_| !variant.is_empty() && !held.contains([',', '(']))?;
        Some(format!("{variant}({})", value.trim()))
    }),
    ("`Some` is left out here", |text, _| in_some(text).map(str::to_owned)),
    ("`Some` is left out here", |text, _| in_some(text).map(|held| format!("({held})"))),
    ("a range is a list of all its values", |text, _| ranged(text).map(|values| format!("[{values}]"))),
    ("several values have commas between them", |text, _| apart(text)),
    ("yes is `true` and no is `false`", |text, _| truth(text)),
    ("nothing is `None`", |text, _| NOTHING.contains(&lower(text).as_str()).then(|| "None".to_owned())),
    ("a struct has round brackets, and its names no quotes", |text, _| {
        let named = named(within(text, "{", '}').or_else(|| within(text, "[", ']'))?, str::to_owned);
        Some(format!("({named})"))
    }),
    ("a struct has round brackets, and its names no quotes", |text, _| {
        let (name, held) = within(text, "", '}')?.split_once('{').filter(|(name, _)| !name.is_empty())?;
        Some(format!("{}({})", name.trim(), named(held, str::to_owned)))
    }),
    ("a list has square brackets", |text, _| {
        let text = if text.contains(',') { unquoted(text) } else { text };
        let held = within(text, "(", ')').or_else(|| within(text, "{", '}')).unwrap_or(text);
        Some(format!("[{held}]")).filter(|_| !text.contains(".."))
    }),
    ("a list has square brackets", |text, _| {
        let (name, values) = within(text, "", ')')?.split_once('(').filter(|(name, _)| !name.is_empty())?;
        Some(format!("{name}([{values}])"))
    }),
    ("a list has square brackets, and each struct in it round ones", |text, _| {
        let held = within(text, "[", ']').or_else(|| within(text, "(", ')'))?;
        Some(format!("[({held})]")).filter(|_| held.contains(':'))
    }),
    ("first and last stand in round brackets", |text, _| pair(text)),
    ("first and last stand in round brackets", |text, _| {
        let number = text.trim_matches(['(', '[', ')', ']']);
        number.parse::<u32>().ok().map(|number| format!("({number}, {number})"))
    }),
    ("a single value has no brackets", |text, _| {
        let value = [("[", ']'), ("(", ')'), ("{", '}')].iter().find_map(|(open, close)| within(text, open, *close))?;
        Some(value.to_owned()).filter(|_| !value.contains([':', ',']))
    }),
    (COLON, |text, _| Some(text.replace(" = ", ": ").replace('=', ": "))),
    ("a map has curly brackets, and its keys quotes", |text, _| {
        let named = named(within(text, "(", ')').or_else(|| within(text, "{", '}'))?, quoted);
        Some(format!("{{{named}}}"))
    }),
];

/// What stands for nothing elsewhere.
const NOTHING: &[&str] = &[
    "", "-", "--", "–", "—", ".", "..", "none", "null", "nil", "na", "n/a", "nan", "<na>", "nat", "missing", "empty",
    "?", "false", "no", "off",
];

/// How `text`, which stands at this path, would have to be written to fit, and by which rule: in all ways that it has.
pub(super) fn mend(text: &str, path: &str, mut fits: impl FnMut(&str) -> bool) -> Option<String> {
    let text = text.trim();
    let typed = typed(text);
    if typed != text && fits(&typed) {
        let (problem, _) = text.chars().find_map(look_alike)?;
        return Some(format!("{problem}: write {typed}"));
    }
    let mut written = |write: Write| write(&typed, path).filter(|meant| meant != text && fits(meant));
    let Some((rule, first)) = RULES.iter().find_map(|(rule, write)| Some((rule, written(*write)?))) else {
        return why_not(&typed, path, fits);
    };
    let mut meant = vec![first];
    for (_, write) in RULES.iter().filter(|(other, _)| other == rule) {
        meant.extend(written(*write).filter(|more| !meant.contains(more)));
    }
    Some(format!("{rule}: write {}", meant.join(" or ")))
}

/// Why a text has no other way of being written, though it can be told what it is.
fn why_not(text: &str, path: &str, mut fits: impl FnMut(&str) -> bool) -> Option<String> {
    let is_number = |text: &str| plain(text).is_some();
    let number = unquoted(text);
    if number.strip_suffix('%').is_some_and(is_number) && !path.is_empty() && !is_share(path) {
        return Some(
            "a percentage is a part of something, and nothing says of what: the amount itself is wanted".to_owned(),
        );
    }
    // What is varied may be any word as well, which tells nothing.
    let mut fits_alone = |meant: &str| fits(meant) && !fits("anything");
    if let Some((name, _)) = within(text, "", ')').and_then(|text| text.split_once('('))
        && !name.is_empty()
        && fits_alone(name)
    {
        return Some(format!("`{name}` has no fields: the name alone is wanted"));
    }
    let (number, _) = numbers::parts(text).filter(|(number, unit)| is_number(number) && is_unit(unit))?;
    match unit_of(path) {
        Some(own) => Some(format!("the unit is {own} and not written: the same amount in that is wanted")),
        None => fits_alone(&plain(number)?).then(|| "it has no unit: a number alone is wanted".to_owned()),
    }
}

/// What a cell of a table that is no number seems to be meant as, if `fits` takes it.
pub fn mend_cell(text: &str, column: &str, fits: impl FnMut(&str) -> bool) -> Option<String> {
    if text.contains('\n') {
        return Some("a quote that opens here is not closed in its row".to_owned());
    }
    if text.contains(char::is_control) {
        return Some("a cell has nothing but letters and digits that are seen: take the others out".to_owned());
    }
    // `#N/A`, `#DIV/0!`: what spreadsheets write who have no value.
    let is_error = text.strip_prefix('#').is_some_and(|name| name.starts_with(char::is_alphabetic));
    if is_error || NOTHING.contains(&lower(text).as_str()) {
        return Some("a value that is missing has to be filled in".to_owned());
    }
    // What is below zero may be meant for another column.
    mend(text, column, fits).filter(|_| !text.starts_with(['-', '−']))
}

fn lower(text: &str) -> String {
    unquoted(text).to_lowercase()
}

/// The text without quotes of any kind.
fn unquoted(text: &str) -> &str {
    text.trim_matches(|c| "\"'`“”„‟‘’‚«»″".contains(c)).trim()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", unquoted(text))
}

fn truth(text: &str) -> Option<String> {
    match lower(text).as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some("true".to_owned()),
        "false" | "no" | "off" | "0" | "f" | "n" => Some("false".to_owned()),
        _ => None,
    }
}

/// What stands in the brackets of `Some`, whatever its capitals.
fn in_some(text: &str) -> Option<&str> {
    text.get(..5).filter(|begins| begins.eq_ignore_ascii_case("some(")).and_then(|begins| within(text, begins, ')'))
}

/// What stands between these ends.
fn within<'a>(text: &'a str, begins: &str, ends: char) -> Option<&'a str> {
    text.strip_prefix(begins)?.strip_suffix(ends)
}

/// Values with their names, as they are `written`.
fn named(values: &str, written: fn(&str) -> String) -> String {
    let named = |value: &str| match value.split_once(':') {
        Some((name, value)) => format!("{}:{value}", written(unquoted(name.trim()))),
        None => value.to_owned(),
    };
    values.split(", ").map(named).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_elsewhere_write_them() {
        for (text, meant) in [
            ("0,45", "0.45"),
            ("1.234,5", "1234.5"),
            ("1,234.5", "1234.5"),
            ("1,234,567", "1234567"),
            ("0,001", "0.001"),
            ("1,000", "1000"),
            ("1 000", "1000"),
            ("1'000", "1000"),
            ("\"0,45\"", "0.45"),
            ("−3", "-3"),
            ("5%", "0.05"),
            ("\"1,1 %\"", "0.011"),
            ("0.3 CNY", "0.3"),
            ("3kWh", "3"),
            ("0,3 ¥/kWh", "0.3"),
            ("10^-6", "1e-6"),
            ("2.5*10^3", "2.5e3"),
            ("1.5D-3", "1.5e-3"),
            ("\u{ff15}\u{a0}kWh", "5"),
            ("3\u{200b}", "3"),
            ("(3)", "3"),
        ] {
            let number = |meant: &str| meant.parse::<f64>().is_ok();
            let path = match text {
                _ if text.contains('%') => "mu",
                _ if text.ends_with("kWh") && !text.contains('/') => "load_kwh",
                _ => "service_fee",
            };
            let said = mend(text, path, number).unwrap_or_default();
            assert!(said.ends_with(&format!(": write {meant}")), "{text}: {said}");
        }
        for text in ["much", "1.2.x", "kWh", "x,y", "10 kW 5", "0 0.5", "1,2,3", "0..1", "1:2"] {
            assert_eq!(mend(text, "load_kwh", |meant| meant.parse::<f64>().is_ok()), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_read_where_they_are_clear() {
        for (text, meant) in [
            ("1.0", "1"),
            ("1e3", "1000"),
            ("\"7\"", "7"),
            ("2.50e1", "25"),
            ("1.234.567", "1234567"),
            // Nobody knows whether the point parts thousands.
            ("1.000", "1 or 1000"),
            ("2.5", "2 or 3"),
            ("1e-3", "0 or 1"),
            ("-5", "5"),
        ] {
            let said = mend(text, "", |meant| meant.parse::<u32>().is_ok()).unwrap_or_default();
            assert!(said.ends_with(&format!(": write {meant}")), "{text}: {said}");
        }
    }

    #[test]
    fn ranges_are_lists_and_pairs() {
        let said = |text: &str, begins: char| mend(text, "", |meant| meant.starts_with(begins)).unwrap_or_default();
        for (text, pair) in [
            ("8..20", "(8, 20)"),
            ("8-20", "(8, 20)"),
            ("\"8 to 20\"", "(8, 20)"),
            ("8, 20", "(8, 20)"),
            ("12", "(12, 12)"),
        ] {
            assert!(
                said(text, '(').ends_with(&format!("first and last stand in round brackets: write {pair}")),
                "{text}"
            );
        }
        for (text, list) in [("0..1", "[0, 1]"), ("1-4", "[1, 2, 3, 4]"), ("[0.5, ..., 1]", "[0.5, 1]")] {
            assert_eq!(said(text, '['), format!("a range is a list of all its values: write {list}"), "{text}");
        }
        // Where there is a step, which of three numbers is it?
        for stepped in ["0:0.1:1", "range(0, 1, 0.1)"] {
            assert!(!said(stepped, '[').contains("all its values") && is_stepped(stepped), "{stepped}");
        }
        assert_eq!(said("1h-2h", '('), "");
    }

    #[test]
    fn durations_are_read_with_other_units_or_none() {
        for (text, meant) in [
            ("10", "10s\" or \"10ms"),
            ("-5s", "5s"),
            ("-5", "5s"),
            ("15 Min", "15 min"),
            ("0,5h", "0.5h"),
            ("1:30", "1h 30m"),
            ("PT1H30M", "1h30m"),
            ("10ms", "10ms"),
        ] {
            let reads = |text: &str| text.starts_with('"') && humantime::parse_duration(text.trim_matches('"')).is_ok();
            let said = mend(text, "", reads).unwrap_or_default();
            assert!(said.ends_with(&format!(": write \"{meant}\"")), "{text}: {said}");
        }
    }
}
