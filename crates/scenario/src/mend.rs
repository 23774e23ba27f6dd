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
    ("a whole number has neither point nor exponent", |text| whole(unquoted(text))),
    ("what rounding leaves in the place of 0 is 0", rounded_off),
    ("a duration is a number with its unit, in quotes", duration),
    ("`Some` is left out here", |text| within(text, "Some(", ')').map(str::to_owned)),
    ("`Some` is left out here", |text| within(text, "Some(", ')').map(|held| format!("({held})"))),
    ("text stands in straight double quotes", |text| Some(quoted(text))),
    ("yes is `true` and no is `false`", truth),
    ("nothing is `None`", |text| NOTHING.contains(&lower(text).as_str()).then(|| "None".to_owned())),
    ("a struct has round brackets, and its names no quotes", |text| {
        let named = named(within(text, "{", '}').or_else(|| within(text, "[", ']'))?, str::to_owned);
        Some(format!("({named})"))
    }),
    ("a list has square brackets", |text| {
        Some(format!("[{}]", within(text, "(", ')').unwrap_or(text))).filter(|_| !text.contains(".."))
    }),
    ("a colon stands between a name and its value", |text| Some(text.replace(" = ", ": ").replace('=', ": "))),
    ("a map has curly brackets, and its keys quotes", |text| {
        let named = named(within(text, "(", ')').or_else(|| within(text, "{", '}'))?, quoted);
        Some(format!("{{{named}}}"))
    }),
];

/// What stands for nothing elsewhere.
const NOTHING: &[&str] = &[
    "", "-", "--", "–", "—", ".", "..", "none", "null", "nil", "na", "n/a", "nan", "<na>", "nat", "missing", "empty",
    "?",
];

/// How `text` would have to be written to fit, and by which rule.
pub(super) fn mend(text: &str, mut fits: impl FnMut(&str) -> bool) -> Option<String> {
    let text = text.trim();
    RULES.iter().find_map(|(rule, write)| {
        let meant = write(text).filter(|meant| meant != text && fits(meant))?;
        Some(format!("{rule}: write {meant}"))
    })
}

/// What to write in the place of the sign with which `text` begins, if RON has another.
pub(super) fn mend_sign(text: &str) -> Option<&'static str> {
    const SIGNS: &[(&[&str], &str)] = &[
        (&["#", "--"], "a comment begins with `//`"),
        (&["="], "a colon stands between a name and its value"),
        (&[";"], "a comma stands between values"),
        (&["“", "”", "„", "'", "‘", "’", "`"], "text stands in straight double quotes"),
    ];
    SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| text.starts_with(sign))).map(|(_, mend)| *mend)
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
    mend(text, fits)
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

fn lower(text: &str) -> String {
    unquoted(text).to_lowercase()
}

/// The text without quotes of any kind.
fn unquoted(text: &str) -> &str {
    text.trim_matches(|c| "\"'`“”„‟‘’‚«»".contains(c)).trim()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", unquoted(text))
}

/// A number with a point and nothing else between its digits. Of commas and points the last is the decimal sign, unless it
/// is there more than once, or is a comma that three digits follow; what parts groups of three digits is left out.
fn plain(text: &str) -> Option<String> {
    let text = text.trim().replace(['−', '–'], "-");
    let decimal = text.rfind([',', '.']).filter(|&at| {
        let (sign, behind) = (&text[at..=at], &text[at + 1..]);
        let groups = sign == "," && behind.len() == 3 && !text.starts_with("0,");
        text.matches(sign).count() == 1 && !groups
    });
    let (front, behind) = decimal.map_or((&*text, ""), |at| (&text[..at], &text[at + 1..]));
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

/// The number that a text with a comma would be elsewhere.
pub(super) fn decimal(text: &str) -> Option<String> {
    plain(text).filter(|_| text.contains(','))
}

fn percentage(text: &str) -> Option<String> {
    let number = plain(unquoted(text).strip_suffix('%')?)?;
    // Exact, where a quotient would be rounded.
    format!("{number}e-2").parse().ok().map(|share: f64| share.to_string())
}

/// A number with letters or signs of a currency before or behind it.
fn without_unit(text: &str) -> Option<String> {
    let is_unit = |c: char| !c.is_ascii_digit() && !"+-−.,%".contains(c);
    let bare = unquoted(text).trim_start_matches(is_unit);
    let end = bare.find(|c: char| c.is_alphabetic() || "€$¥£".contains(c)).unwrap_or(bare.len());
    let is_unit = !bare[end..].contains(|c: char| c.is_ascii_digit() || "+-".contains(c));
    plain(&bare[..end]).filter(|_| is_unit)
}

fn power_of_ten(text: &str) -> Option<String> {
    let text: String = unquoted(text).chars().filter(|c| !c.is_whitespace()).collect();
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

fn whole(text: &str) -> Option<String> {
    // With three digits behind the point, nobody knows whether it parts thousands.
    let is_clear = |number: &String| number.split_once('.').is_none_or(|(_, behind)| behind.len() != 3);
    let number: f64 = plain(text).filter(is_clear)?.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e15).then(|| number.to_string())
}

fn rounded_off(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok()?;
    (number != 0.0 && number.abs() < 1e-9).then(|| "0".to_owned())
}

/// A duration with other units, or none.
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
    // Without a unit, milliseconds are as likely as any.
    let bare = || plain(&text).map(|number| format!("{number}ms"));
    seconds.map(shown).or_else(iso).or_else(bare).map(|duration| format!("\"{duration}\""))
}

fn truth(text: &str) -> Option<String> {
    match lower(text).as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some("true".to_owned()),
        "false" | "no" | "off" | "0" | "f" | "n" => Some("false".to_owned()),
        _ => None,
    }
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
        for (text, meant) in [("1.0", "1"), ("1e3", "1000"), ("\"7\"", "7"), ("2.50e1", "25"), ("1.234.567", "1234567")]
        {
            let said = mend(text, |meant| meant.parse::<u32>().is_ok()).unwrap_or_default();
            assert!(said.ends_with(&format!(": write {meant}")), "{text}: {said}");
        }
        assert_eq!(mend("1.000", |meant| meant.parse::<u32>().is_ok()), None);
    }

    #[test]
    fn durations_are_read_with_other_units_or_none() {
        for (text, meant) in [
            ("10", "10ms"),
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
