//! What was meant by a text that cannot be read: what people write who know it otherwise, each with how it is written here.

use std::time::Duration;

/// A rule of how something is written, with what writes by it that which breaks it.
type Rule = (&'static str, fn(&str) -> Option<String>);

/// All rules, tried in this order.
const RULES: &[Rule] = &[
    ("a duration stands in quotes", |text| Some(quoted(text)).filter(|_| humantime::parse_duration(text).is_ok())),
    ("numbers and names have no quotes", |text| Some(unquoted(text).to_owned())),
    ("a number has a point, and nothing else between its digits", |text| plain(unquoted(text))),
    ("a share is a part of 1", percentage),
    ("a number stands alone, without a unit", without_unit),
    ("a power of ten is written with an `e`", power_of_ten),
    ("a number is not calculated", quotient),
    ("a whole number has neither point nor exponent", |text| whole(text, f64::floor)),
    ("a whole number has neither point nor exponent", |text| whole(text, f64::ceil)),
    ("a whole number has neither point nor exponent", |text| plain(&unquoted(text).replace('.', ","))),
    ("text stands in straight double quotes", |text| Some(quoted(text))),
    ("a duration is a number with its unit, in quotes", duration),
    // Nobody knows which unit was meant.
    ("a duration is a number with its unit, in quotes", |text| Some(format!("\"{}s\"", plain(unquoted(text))?))),
    ("a duration is a number with its unit, in quotes", |text| Some(format!("\"{}ms\"", plain(unquoted(text))?))),
    ("this cannot be negative", |text| unquoted(text).strip_prefix('-').and_then(plain)),
    ("this cannot be negative", |text| unquoted(text).strip_prefix('-').and_then(duration)),
    ("this cannot be negative", |text| Some(format!("\"{}s\"", unquoted(text).strip_prefix('-').and_then(plain)?))),
    ("a variant stands without its type", |text| text.split_once("::").map(|(_, variant)| variant.to_owned())),
    ("empty brackets are left out", |text| text.strip_suffix("()").map(str::to_owned)),
    ("what is alone in its brackets has no name", |text| {
        let (variant, held) = within(text, "", ')')?.split_once('(')?;
        let (_, value) = held.split_once(':').filter(|_| !variant.is_empty() && !held.contains([',', '(']))?;
        Some(format!("{variant}({})", value.trim()))
    }),
    ("`Some` is left out here", |text| in_some(text).map(str::to_owned)),
    ("`Some` is left out here", |text| in_some(text).map(|held| format!("({held})"))),
    ("a range is a list of all its values", |text| ranged(text).map(|values| format!("[{values}]"))),
    ("several values have commas between them", apart),
    ("yes is `true` and no is `false`", truth),
    ("nothing is `None`", |text| NOTHING.contains(&lower(text).as_str()).then(|| "None".to_owned())),
    ("a struct has round brackets, and its names no quotes", |text| {
        let named = named(within(text, "{", '}').or_else(|| within(text, "[", ']'))?, str::to_owned);
        Some(format!("({named})"))
    }),
    ("a list has square brackets", |text| {
        let text = if text.contains(',') { unquoted(text) } else { text };
        Some(format!("[{}]", within(text, "(", ')').unwrap_or(text))).filter(|_| !text.contains(".."))
    }),
    ("a list has square brackets", |text| {
        let (name, values) = within(text, "", ')')?.split_once('(').filter(|(name, _)| !name.is_empty())?;
        Some(format!("{name}([{values}])"))
    }),
    ("a list has square brackets, and each struct in it round ones", |text| {
        let held = within(text, "[", ']').or_else(|| within(text, "(", ')'))?;
        Some(format!("[({held})]")).filter(|_| held.contains(':'))
    }),
    ("first and last stand in round brackets", |text| ends(text).map(|[first, last]| format!("({first}, {last})"))),
    ("first and last stand in round brackets", |text| {
        let number = text.trim_matches(['(', '[', ')', ']']);
        number.parse::<u32>().ok().map(|number| format!("({number}, {number})"))
    }),
    ("a single value has no brackets", |text| {
        let value = within(text, "[", ']').or_else(|| within(text, "(", ')'))?;
        Some(value.to_owned()).filter(|_| !value.contains([':', ',']))
    }),
    (COLON, |text| Some(text.replace(" = ", ": ").replace('=', ": "))),
    ("a map has curly brackets, and its keys quotes", |text| {
        let named = named(within(text, "(", ')').or_else(|| within(text, "{", '}'))?, quoted);
        Some(format!("{{{named}}}"))
    }),
];

/// What stands for nothing elsewhere.
const NOTHING: &[&str] = &[
    "", "-", "--", "–", "—", ".", "..", "none", "null", "nil", "na", "n/a", "nan", "<na>", "nat", "missing", "empty",
    "?", "false", "no", "off",
];

/// How `text` would have to be written to fit, and by which rule: in all ways that it has.
pub(super) fn mend(text: &str, mut fits: impl FnMut(&str) -> bool) -> Option<String> {
    let text = text.trim();
    let typed = typed(text);
    if typed != text && fits(&typed) {
        return Some(format!("some sign only looks like one of the keyboard: write {typed}"));
    }
    let mut written = |write: fn(&str) -> Option<String>| write(&typed).filter(|meant| meant != text && fits(meant));
    let (rule, first) = RULES.iter().find_map(|(rule, write)| Some((rule, written(*write)?)))?;
    let mut meant = vec![first];
    for (_, write) in RULES.iter().filter(|(other, _)| other == rule) {
        meant.extend(written(*write).filter(|more| !meant.contains(more)));
    }
    Some(format!("{rule}: write {}", meant.join(" or ")))
}

/// The text with the signs of the keyboard that are meant by others.
fn typed(text: &str) -> String {
    text.chars().flat_map(|sign| keyed(sign).unwrap_or(Some(sign))).collect()
}

/// The sign of the keyboard, if there is one, that is meant by another which looks like it, or like nothing.
fn keyed(sign: char) -> Option<Option<char>> {
    match sign {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(Some(' ')),
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Some(None),
        sign if sign.is_control() && !sign.is_whitespace() => Some(None),
        '−' | '\u{2010}'..='\u{2015}' => Some(Some('-')),
        '∶' | '꞉' => Some(Some(':')),
        '\u{37e}' => Some(Some(';')),
        '·' | '٫' => Some(Some('.')),
        '、' | '،' => Some(Some(',')),
        // ASCII in full width, in its order.
        '！'..='～' => Some(char::from_u32(u32::from(sign) - 0xFEE0)),
        _ => None,
    }
}

/// What is wrong with a sign that only looks like one of the keyboard, and what to do.
pub(super) fn look_alike(sign: char) -> Option<(String, String)> {
    let code = format!("U+{:04X}", u32::from(sign));
    Some(match keyed(sign)? {
        Some(' ') => (format!("this blank is none of the keyboard, but {code}"), "write a plain one".to_owned()),
        Some(meant) => (format!("this is not the `{meant}` of the keyboard, but {code}"), format!("write `{meant}`")),
        None => (format!("a sign that cannot be seen stands here, {code}"), "take it out".to_owned()),
    })
}

/// What parts a name and its value.
pub(super) const COLON: &str = "a colon stands between a name and its value";

/// How a comment is written.
pub(super) const COMMENT: &str = "a comment begins with `//`";

/// What to write in the place of the sign with which `text` begins, if RON has another.
pub(super) fn mend_sign(text: &str) -> Option<&'static str> {
    const SIGNS: &[(&[&str], &str)] = &[
        (&["#", "--", "<!--", "REM "], COMMENT),
        (&["="], COLON),
        (&[";"], "a comma stands between values"),
        (&["“", "”", "„", "'", "‘", "’", "`"], "text stands in straight double quotes"),
    ];
    SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| text.starts_with(sign))).map(|(_, mend)| *mend)
}

/// What is wrong with the first sign of a text that only looks like one of the keyboard, and what to do.
pub(super) fn looks_alike(text: &str) -> Option<String> {
    text.chars().find_map(look_alike).map(|(problem, mend)| format!("{problem}: {mend}"))
}

/// What a cell of a table that is no number seems to be meant as, if `fits` takes it.
pub(super) fn mend_cell(text: &str, fits: impl FnMut(&str) -> bool) -> Option<String> {
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
    mend(text, fits).filter(|_| !text.starts_with(['-', '−']))
}

/// What a file is that holds no text, by how it begins.
pub(super) fn kind_of_file(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a ZIP archive, as XLSX and ODS files are: save the table as CSV"),
        (b"\xd0\xcf\x11\xe0", "a file of an office program: save the table as CSV"),
        (b"\x1f\x8b", "compressed by gzip: unpack it first"),
        (b"BZh", "compressed by bzip2: unpack it first"),
        (b"\xfd7zXZ", "compressed by xz: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first"),
        (b"PAR1", "a Parquet file: save the table as CSV"),
        (b"SQLite format 3", "a SQLite database: save the table as CSV"),
        (b"%PDF", "a PDF file"),
        (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
        (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
    ];
    KINDS.iter().find(|(begins, _)| bytes.starts_with(begins)).map(|(_, kind)| *kind)
}

/// What a text that begins as no scenario does is, if it is known.
pub(super) fn kind_of_text(text: &str) -> Option<&'static str> {
    let is_remark = |line: &&str| line.trim().is_empty() || line.starts_with('#') && !line.starts_with("#![");
    let text = text.lines().find(|line| !is_remark(line))?.trim_start();
    let word = text.trim_start_matches(|c: char| c.is_alphanumeric() || "_-\"".contains(c));
    let has_name = word.len() < text.len();
    Some(match word.trim_start() {
        _ if text.starts_with('{') || text.starts_with("[{") => "JSON",
        _ if text.starts_with('<') && !text.starts_with("<<") => "XML",
        _ if ["---", "- ", "%YAML"].iter().any(|begins| text.starts_with(begins)) => "YAML",
        // Not of RON without its outermost brackets.
        _ if text.trim_end().ends_with([',', ')', '(']) => return None,
        _ if text.starts_with('[') && text[1..].starts_with(|c: char| c.is_alphanumeric() || c == '[') => "TOML",
        rest if has_name && rest.starts_with(':') => "YAML",
        rest if has_name && rest.starts_with('=') => "TOML",
        rest if has_name && rest.starts_with([',', ';', '\t']) => "a table",
        _ => return None,
    })
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

/// A number with a point and nothing else between its digits. Of commas and points the last is the decimal sign, unless it
/// is there more than once, or is a comma that three digits follow; what parts groups of three digits is left out.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let decimal = text.rfind([',', '.']).filter(|&at| {
        let (sign, behind) = (&text[at..=at], &text[at + 1..]);
        let groups = sign == "," && behind.len() == 3 && !text.starts_with("0,");
        text.matches(sign).count() == 1 && !groups
    });
    let (front, behind) = decimal.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    let mut groups = front.split(|c: char| c.is_whitespace() || ",.'’_".contains(c));
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let number = format!("{first}{}{}{behind}", rest.concat(), if decimal.is_some() { "." } else { "" });
    let fine = rest.iter().all(|group| group.len() == 3) && number.contains(|c: char| c.is_ascii_digit());
    (fine && number.parse::<f64>().is_ok()).then_some(number)
}

/// The values that stand in `text` in brackets or between other signs than commas.
pub(super) fn several(text: &str) -> Option<String> {
    let inner = text.trim_matches(['[', ']', '(', ')', '{', '}']);
    let values: Vec<&str> = inner.split([',', ';', ' ']).filter(|value| !value.is_empty()).collect();
    let fine = values.len() > 1 && values.iter().all(|value| value.parse::<f64>().is_ok());
    fine.then(|| values.join(",")).filter(|values| values != text)
}

/// Numbers or names with blanks between them, or numbers with semicolons, with commas instead.
fn apart(text: &str) -> Option<String> {
    let values: Vec<&str> = text.split([' ', ';']).filter(|value| !value.is_empty()).collect();
    let is_name = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.contains(';');
    let fine = values.len() > 1 && values.iter().all(|value| value.parse::<f64>().is_ok() || is_name(value));
    fine.then(|| values.join(", "))
}

/// The first and the last of two or three numbers, between whatever signs and words of a range.
fn ends(text: &str) -> Option<[&str; 2]> {
    bounds(text).map(|(ends, _)| ends)
}

/// The same, with how many numbers there are.
fn bounds(text: &str) -> Option<([&str; 2], usize)> {
    const WORDS: &[&str] = &["from", "to", "until", "through", "first", "last", "step", "range", "arange", "linspace"];
    let text = unquoted(text);
    let is_known = text.split(|c: char| !c.is_alphabetic()).all(|word| word.is_empty() || WORDS.contains(&word));
    let parts = text.split("..").flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '.'));
    let numbers: Vec<&str> = parts.filter(|part| part.parse::<f64>().is_ok()).collect();
    let is_stepped = (text.contains(':') || text.contains("..")) && !text.contains(char::is_alphabetic);
    let last = if is_stepped { numbers.last() } else { numbers.get(1) };
    let fine = is_known && numbers.len() < 4 && !text.starts_with('-');
    Some(([*numbers.first()?, *last?], numbers.len())).filter(|_| fine)
}

/// The values of a range: all, if they are few whole numbers, or else the first and the last.
pub(super) fn ranged(text: &str) -> Option<String> {
    let bare = unquoted(text);
    let is_range = bare.contains("..") || bare.contains(['-', ':', '…']) || bare.contains(char::is_alphabetic);
    // With a step, nobody knows which of three numbers it is.
    let ([first, last], _) = bounds(text).filter(|(_, count)| is_range && *count == 2)?;
    let few = first.parse::<u32>().ok().zip(last.parse::<u32>().ok());
    let few = few.filter(|(first, last)| first < last && last - first < 10);
    Some(match few {
        Some((first, last)) => (first..=last).map(|value| value.to_string()).collect::<Vec<_>>().join(", "),
        None => format!("{first}, {last}"),
    })
}

/// Whether a text is a range with a step.
pub(super) fn is_stepped(text: &str) -> bool {
    bounds(text).is_some_and(|(_, count)| count == 3) && text.contains(['.', ':', '('])
}

/// The number that a text with a comma would be elsewhere.
pub(super) fn decimal(text: &str) -> Option<String> {
    plain(&typed(text)).filter(|_| text.contains(','))
}

fn percentage(text: &str) -> Option<String> {
    let number = plain(unquoted(text).strip_suffix('%')?)?;
    // Exact, where a quotient would be rounded.
    format!("{number}e-2").parse().ok().map(|share: f64| share.to_string())
}

/// Units that are no unit's own: without them, a number would be another.
const SCALED: &[&str] =
    &["w", "wh", "mw", "mwh", "gw", "gwh", "c", "ct", "cent", "cents", "k", "m", "g", "thousand", "million", "mio"];

/// A number with letters or signs of a currency before or behind it.
fn without_unit(text: &str) -> Option<String> {
    let letters = unquoted(text).to_lowercase();
    let unit = letters.split('/').next()?.trim_matches(|c: char| !c.is_alphabetic());
    if SCALED.contains(&unit) {
        return None;
    }
    let is_unit = |c: char| !c.is_ascii_digit() && !"+-.,%".contains(c);
    let bare = unquoted(text).trim_start_matches(is_unit);
    let end = bare.find(|c: char| c.is_alphabetic() || "€$¥£".contains(c)).unwrap_or(bare.len());
    let is_unit = !bare[end..].contains(|c: char| c.is_ascii_digit() || "+-".contains(c));
    plain(&bare[..end]).filter(|_| is_unit)
}

fn power_of_ten(text: &str) -> Option<String> {
    let text: String = unquoted(text).chars().filter(|c| !c.is_whitespace()).collect();
    if let Some((base, exponent)) = text.split_once(['d', 'D']) {
        return plain(&format!("{base}e{exponent}"));
    }
    let (base, exponent) = text.split_once("10^").or_else(|| text.split_once("10**"))?;
    let base = base.trim_end_matches(['*', '·', '×']);
    let sign = if base.is_empty() || base == "-" { "1" } else { "" };
    plain(&format!("{base}{sign}e{}", exponent.trim_matches(['(', ')'])))
}

fn quotient(text: &str) -> Option<String> {
    let (over, under) = unquoted(text).split_once('/')?;
    let [over, under] = [over, under].map(|part| plain(part).and_then(|number| number.parse::<f64>().ok()));
    over.zip(under)
        .map(|(over, under)| over / under)
        .filter(|number| number.is_finite())
        .map(|number| number.to_string())
}

fn whole(text: &str, rounded: fn(f64) -> f64) -> Option<String> {
    let number: f64 = plain(unquoted(text))?.parse().ok()?;
    (number.abs() < 1e15).then(|| rounded(number).to_string())
}

/// What to write instead of a number that is as good as 0.
pub(super) fn rounded_off(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok()?;
    (number != 0.0 && number.abs() < 1e-9).then(|| "what rounding leaves in the place of 0 is 0: write 0".to_owned())
}

/// A duration with other units.
fn duration(text: &str) -> Option<String> {
    let text = lower(text).replace(',', ".");
    let reads = |text: &str| humantime::parse_duration(text).is_ok();
    if reads(&text) {
        return Some(format!("\"{text}\""));
    }
    let clock: Option<Vec<u64>> = text.split(':').map(|part| part.parse::<u32>().ok().map(u64::from)).collect();
    let seconds = match clock.as_deref() {
        Some([hours, minutes]) => Some(hours * 3600 + minutes * 60),
        Some([hours, minutes, seconds]) => Some(hours * 3600 + minutes * 60 + seconds),
        _ => None,
    };
    let iso = || text.strip_prefix('p').map(|parts| parts.replace('t', "")).filter(|parts| reads(parts));
    let shown = |seconds| humantime::format_duration(Duration::from_secs(seconds)).to_string();
    seconds.map(shown).or_else(iso).map(|duration| format!("\"{duration}\""))
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
            ("$0.3", "0.3"),
            ("0,3 €/kWh", "0.3"),
            ("10^-6", "1e-6"),
            ("2.5*10^3", "2.5e3"),
            ("1.5D-3", "1.5e-3"),
            ("\u{ff15}\u{a0}kWh", "5"),
            ("3\u{200b}", "3"),
            ("(3)", "3"),
        ] {
            let number = |meant: &str| meant.parse::<f64>().is_ok();
            let said = mend(text, number).unwrap_or_default();
            assert!(said.ends_with(&format!(": write {meant}")), "{text}: {said}");
        }
        for text in ["much", "1.2.x", "kWh", "x,y", "10 kW 5", "0 0.5", "1,2,3", "0..1", "1:2"] {
            assert_eq!(mend(text, |meant| meant.parse::<f64>().is_ok()), None, "{text}");
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
            let said = mend(text, |meant| meant.parse::<u32>().is_ok()).unwrap_or_default();
            assert!(said.ends_with(&format!(": write {meant}")), "{text}: {said}");
        }
    }

    #[test]
    fn ranges_are_lists_and_pairs() {
        let said = |text: &str, begins: char| mend(text, |meant| meant.starts_with(begins)).unwrap_or_default();
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
            let said = mend(text, reads).unwrap_or_default();
            assert!(said.ends_with(&format!(": write \"{meant}\"")), "{text}: {said}");
        }
    }
}
