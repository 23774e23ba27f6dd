//! Numbers and durations as people elsewhere write them.

use super::{
    fields::{has_unit, is_share},
    lower, unquoted,
};
use crate::signs::typed;
use std::time::Duration;

/// A number with a point and nothing else between its digits. Of commas and points the last is the decimal sign, unless it
/// is there more than once, or is a comma that three digits follow; what parts groups of three digits is left out.
pub(super) fn plain(text: &str) -> Option<String> {
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

/// The number that a text with a comma would be elsewhere. Where it parts groups of digits, these may be numbers of their own
/// but those that begin with 0.
pub(crate) fn decimal(text: &str) -> Option<String> {
    plain(&typed(text)).filter(|number| text.contains(",0") || number.contains('.') && text.contains(','))
}

/// The text with digits in the place of letters that look like them and stand beside some.
pub(super) fn with_digits(text: &str) -> Option<String> {
    let is_digit = |c: char| c.is_ascii_digit() || "OolI|.,".contains(c);
    let (mut written, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let (other, from) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
        let (run, behind) = from.split_at(from.find(|c| !is_digit(c)).unwrap_or(from.len()));
        let is_number = run.contains(|c: char| c.is_ascii_digit());
        let number = || run.replace(['O', 'o'], "0").replace(['l', 'I', '|'], "1");
        written.extend([other, &if is_number { number() } else { run.to_owned() }]);
        rest = behind;
    }
    (written != text).then_some(written)
}

/// A percentage as a part of one, where the field at the path has such.
pub(super) fn percentage(text: &str, path: &str) -> Option<String> {
    let number = plain(unquoted(text).strip_suffix('%')?).filter(|_| is_share(path))?;
    // Exact, where a quotient would be rounded.
    format!("{number}e-2").parse().ok().map(|share: f64| share.to_string())
}

/// A number and what stands before or behind it as a unit.
pub(super) fn parts(text: &str) -> Option<(&str, &str)> {
    let text = unquoted(text);
    let begins = text.find(|c: char| c.is_ascii_digit() || "+-.".contains(c))?;
    let (before, number) = text.split_at(begins);
    let ends = number.find(|c: char| c.is_alphabetic() || "€$¥£%".contains(c)).unwrap_or(number.len());
    let (number, behind) = number.split_at(ends);
    let unit = if before.is_empty() { behind } else { before }.trim();
    let is_one = (before.is_empty() || behind.is_empty()) && !unit.is_empty();
    (is_one && unit.chars().all(|c| c.is_alphabetic() || " /€$¥£²".contains(c))).then_some((number, unit))
}

/// A number without its unit, which is that of the field at the path.
pub(super) fn without_unit(text: &str, path: &str) -> Option<String> {
    let (number, _) = parts(text).filter(|(_, unit)| has_unit(path, unit))?;
    plain(number)
}

pub(super) fn power_of_ten(text: &str) -> Option<String> {
    let text: String = unquoted(text).chars().filter(|c| !c.is_whitespace()).collect();
    if let Some((base, exponent)) = text.split_once(['d', 'D']) {
        return plain(&format!("{base}e{exponent}"));
    }
    let (base, exponent) = text.split_once("10^").or_else(|| text.split_once("10**"))?;
    let base = base.trim_end_matches(['*', '·', '×']);
    let sign = if base.is_empty() || base == "-" { "1" } else { "" };
    plain(&format!("{base}{sign}e{}", exponent.trim_matches(['(', ')'])))
}

pub(super) fn quotient(text: &str) -> Option<String> {
    let (over, under) = unquoted(text).split_once('/')?;
    let [over, under] = [over, under].map(|part| plain(part).and_then(|number| number.parse::<f64>().ok()));
    over.zip(under)
        .map(|(over, under)| over / under)
        .filter(|number| number.is_finite())
        .map(|number| number.to_string())
}

pub(super) fn whole(text: &str, rounded: fn(f64) -> f64) -> Option<String> {
    let number: f64 = plain(unquoted(text))?.parse().ok()?;
    (number.abs() < 1e15).then(|| rounded(number).to_string())
}

/// What to write instead of a number that is as good as 0.
pub(crate) fn rounded_off(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok()?;
    (number != 0.0 && number.abs() < 1e-9).then(|| "what rounding leaves in the place of 0 is 0: write 0".to_owned())
}

/// A duration with other units.
pub(super) fn duration(text: &str) -> Option<String> {
    // The Greek letter looks like the sign of a millionth.
    let text = lower(text).replace(',', ".").replace(['μ', 'µ'], "u");
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
