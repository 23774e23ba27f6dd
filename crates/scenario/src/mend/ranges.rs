//! Several values, and ranges of values, as people elsewhere write them.

use super::{unquoted, within};
use crate::notation::split;

/// The values that stand in `text` in brackets or between other signs than commas, if each `fits`.
pub(crate) fn several(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let held = [("[", ']'), ("(", ')'), ("{", '}')].iter().find_map(|(open, close)| within(text, open, *close));
    let values = split(held.unwrap_or(text), &[',', ';', ' ']);
    let values: Vec<&str> = values.into_iter().filter(|value| !value.is_empty()).collect();
    let fine = values.len() > 1 && values.iter().all(|value| fits(value));
    fine.then(|| values.join(",")).filter(|values| values != text)
}

/// Numbers or names with blanks between them, or numbers with semicolons, with commas instead.
pub(super) fn apart(text: &str) -> Option<String> {
    let values: Vec<&str> = text.split([' ', ';']).filter(|value| !value.is_empty()).collect();
    let is_name = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.contains(';');
    let fine = values.len() > 1 && values.iter().all(|value| value.parse::<f64>().is_ok() || is_name(value));
    fine.then(|| values.join(", "))
}

/// The first and the last of two or three numbers, between whatever signs and words of a range, in their brackets.
pub(crate) fn pair(text: &str) -> Option<String> {
    bounds(text).map(|([first, last], _)| format!("({first}, {last})"))
}

/// The first and the last, with how many numbers there are.
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
pub(crate) fn ranged(text: &str) -> Option<String> {
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
pub(crate) fn is_stepped(text: &str) -> bool {
    bounds(text).is_some_and(|(_, count)| count == 3) && text.contains(['.', ':', '('])
}
