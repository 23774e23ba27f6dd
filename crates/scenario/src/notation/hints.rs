//! What is wrong with a value that cannot be read, and how else it might have to be written, as trying tells.

use super::{TOO_DEEP, full_path, is_bare, part_of_line, within};
use crate::{
    error::{Mistake, did_you_mean, most_like},
    mend::{is_stepped, mend, ranged, several},
    pairs::unpaired,
    schema::{PopulationSource, Scenario, Synthetic},
    signs::looks_alike,
};
use ron::Error;
use std::{iter, ops::Range};

/// In a longer text, and in the place of a longer value, nothing is tried that might have been meant [bytes].
pub(super) const LONGEST_TRIED: (usize, usize) = (200_000, 1_000);

/// What this error at a path means in a `text` that has a single value, in the place of which others may be tried.
pub(crate) fn mistake(path: &str, error: &Error, text: &str, attempt: impl Fn(&str) -> Result<(), Error>) -> Mistake {
    let mut mistake = told(path, error);
    let attempt = |meant: &str| if text.len() <= LONGEST_TRIED.0 { attempt(meant) } else { Err(Error::Eof) };
    if let Some(bracket) = unpaired(text) {
        (mistake.problem, mistake.notes) =
            (bracket.problem, looks_alike(text).into_iter().chain([bracket.mend]).collect());
        return mistake;
    }
    match error {
        _ if text.is_empty() => "there is no value".clone_into(&mut mistake.problem),
        // Where a whole number is wanted, `5.5` is read up to the point.
        Error::TrailingCharacters if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            let whole = if text.parse::<f64>().is_ok() { "whole " } else { "" };
            mistake.problem = format!("expected a {whole}number");
        }
        _ => {}
    }
    let with =
        |part: &Range<usize>, meant: &str| attempt(&format!("{}{meant}{}", &text[..part.start], &text[part.end..]));
    let piece = pieces(text).find_map(|part| {
        let path = full_path(text, &part, &mistake.path);
        mend(&text[part.clone()], &path, |meant| with(&part, meant).is_ok()).map(|mend| (part, mend))
    });
    let (_, value) = within(text, &mistake.path);
    let name = || unknown_name(text, &value, error);
    let variant = || variant_meant(&text[value.clone()], error, |meant| with(&value, meant));
    let hints = || hints(text, &value, &mistake.path, error, |meant| with(&value, meant));
    let (part, mut mends) = match piece {
        Some((part, mend)) => (Some(part), vec![mend]),
        None => match variant() {
            Some(meant) => (name(), vec![meant]),
            None => match hints() {
                mends if mends.is_empty() => (name(), mends),
                mends => (Some(value.clone()), mends),
            },
        },
    };
    mistake.part = part.map(Box::new);
    if mends.is_empty() && text.len() <= LONGEST_TRIED.1 {
        let fits = |meant: &str| attempt(meant).is_ok();
        let values = || several(text, fits);
        let several = || Some(format!("several values have nothing but commas between them: write {}", values()?));
        mends.extend(mend(text, &mistake.path, fits).or_else(several));
    }
    if mends.is_empty() {
        let dots = text.trim_matches('.').is_empty() && !text.is_empty();
        let of_some = dots || is_stepped(text);
        let range = ranged(text).map(|values| format!(": write {values}")).or_else(|| of_some.then(String::new));
        mends.extend(range.map(|values| format!("a range is all its values, with commas between them{values}")));
        mends.extend(looks_alike(text));
    }
    mistake.add(mends);
    mistake
}

/// What stands between brackets, colons and commas of a text of a line, if it has any and is not long.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let first = Some(0).filter(|_| text.contains(['(', '[', '{']) && text.len() <= LONGEST_TRIED.1);
    let starts = iter::successors(first, |&at| text[at..].find(|c| "()[]{}:,".contains(c)).map(|end| at + end + 1));
    starts.map(|at| part_of_line(text, at)).filter(|part| !part.is_empty())
}

/// How else a part of a text, the value at a path, might have to be written, as trying tells.
pub(super) fn hints(
    text: &str,
    part: &Range<usize>,
    path: &str,
    error: &Error,
    attempt: impl Fn(&str) -> Result<(), Error>,
) -> Vec<String> {
    let value = &text[part.clone()];
    if value.len() > LONGEST_TRIED.1 {
        return Vec::new();
    }
    // A struct is read as a list too, which nobody means.
    let is_list = |text: &str| text.starts_with('[') || text.starts_with('(') && !text.contains(':');
    let fits = |text: &str| !(wants_struct(error) && is_list(text)) && attempt(text).is_ok();
    if let Some(mend) = mend(value, path, fits) {
        return vec![mend];
    }
    if matches!(error, Error::ExpectedDifferentStructName { .. } | Error::ExpectedStructLike) {
        return Vec::from_iter(of_struct(value, error, &attempt));
    }
    let (names, meant) = names_and_meant(text, part, error, &attempt);
    let did_you_mean = (!meant.is_empty()).then(|| format!("did you mean `{}`?", meant.join("` or `")));
    did_you_mean.into_iter().chain(allowed(names, value, &attempt)).collect()
}

fn wants_struct(error: &Error) -> bool {
    match error {
        Error::InvalidValueForType { expected, .. } => expected.starts_with("struct "),
        error => matches!(error, Error::ExpectedNamedStructLike(_)),
    }
}

/// The names that may stand in the place of a part of a text, as the reader tells of one that nothing has, and what is
/// meant there.
fn names_and_meant(
    text: &str,
    part: &Range<usize>,
    error: &Error,
    attempt: &dyn Fn(&str) -> Result<(), Error>,
) -> (&'static [&'static str], Vec<String>) {
    let value = &text[part.clone()];
    let held = |variants: &'static [&str]| variants.iter().filter_map(|variant| held_by(variant, value, attempt));
    let named = |fields: &'static [&str]| {
        let (before, behind) = (text[..part.start].trim_end(), text[part.end..].trim_start());
        // Of several values nobody knows which field each is meant for.
        let is_alone = before.ends_with(':') || !before.ends_with(',') && !behind.starts_with(',');
        let named = fields.iter().flat_map(|field| [format!("{field}: {value}"), format!("({field}: {value})")]);
        let named = named.filter(|_| is_alone && !value.is_empty()).find(|text| attempt(text).is_ok());
        (fields, Vec::from_iter(named))
    };
    match error {
        Error::NoSuchEnumVariant { expected, found, .. } if found == value && is_bare(value) => {
            (&[], held(expected).collect())
        }
        _ if wants_struct(error) => named(fields("(nothing: 0)", attempt)),
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) => match attempt(&format!("Nothing({value})")) {
            Err(Error::NoSuchEnumVariant { expected, .. }) => {
                let quoted = || most_like(value.strip_prefix('"')?.strip_suffix('"')?, expected.iter().copied());
                let quoted = iter::once_with(quoted).flatten().map(str::to_owned);
                (expected, held(expected).chain(quoted).collect())
            }
            _ => named(fields(&format!("nothing: {value}"), attempt)),
        },
        _ => (&[], Vec::new()),
    }
}

/// What is allowed where there are these names; where `Constant` is one, it may be left out around its value.
fn allowed(names: &[&str], value: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> Option<String> {
    let constant = || attempt(&format!("Constant({value})")).err().and_then(|error| expected_value(&error));
    let bare = names.contains(&"Constant").then(constant).flatten();
    let all = bare.into_iter().chain((!names.is_empty()).then(|| names.join(", "))).collect::<Vec<_>>();
    (!all.is_empty()).then(|| format!("allowed: {}", all.join("; or ")))
}

/// Which name or which fields a struct is to have.
fn of_struct(value: &str, error: &Error, attempt: &dyn Fn(&str) -> Result<(), Error>) -> Option<String> {
    let Error::ExpectedDifferentStructName { expected, found } = error else {
        return fields_of(value, attempt);
    };
    let meant = format!("{expected}{}", value.strip_prefix(&**found)?);
    attempt(&meant).is_ok().then(|| format!("a struct has its own name, or none: write {meant}"))
}

/// Where the name stands that nothing has, in a value of a text.
fn unknown_name(text: &str, value: &Range<usize>, error: &Error) -> Option<Range<usize>> {
    let (found, start) = match error {
        Error::NoSuchEnumVariant { found, .. } => (found, None),
        // A field's name stands before its value.
        Error::NoSuchStructField { found, .. } => (found, text[..value.start].rfind(&**found)),
        _ => return None,
    };
    let start = start.or_else(|| Some(value.start + text[value.clone()].find(&**found)?))?;
    Some(start..start + found.len())
}

/// The variant that is meant by a name that none has, if a value may be that; otherwise what is missing behind it.
pub(super) fn variant_meant(value: &str, error: &Error, attempt: impl Fn(&str) -> Result<(), Error>) -> Option<String> {
    let Error::NoSuchEnumVariant { found, expected, .. } = error else { return None };
    let meant = most_like(found, expected.iter().copied()).filter(|_| !found.starts_with(['[', '(', '{']))?;
    let is_lone = !value.contains('(');
    match attempt(&value.replacen(&**found, meant, 1)) {
        Err(_) if is_lone => fields_of(meant, &attempt),
        _ => Some(format!("did you mean `{meant}`?")),
    }
}

/// What belongs behind the name of a variant that has fields.
fn fields_of(variant: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> Option<String> {
    let fields = fields(&format!("{variant}(nothing: 0)"), attempt).join(", ");
    let empty = format!("{variant}()");
    let note = match attempt(&empty) {
        Ok(()) => format!("`{variant}` has round brackets behind it, also without its fields, {fields}: write {empty}"),
        Err(_) => format!("`{variant}` has fields, which stand in round brackets behind it: {fields}"),
    };
    (!fields.is_empty()).then_some(note)
}

/// A variant with this value in its brackets, by itself, as text or as the first field that may have it, if that can be read.
fn held_by(variant: &str, value: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> Option<String> {
    let within = |open, close| value.strip_prefix(open)?.strip_suffix(close);
    let bare = within('(', ')').or_else(|| within('{', '}')).unwrap_or(value);
    let is_word = value.starts_with(char::is_alphabetic) && !value.contains('(');
    // What is no table's file is no path that anybody means.
    let is_path = !["Csv", "Profiles"].contains(&variant) || value.to_lowercase().ends_with(".csv");
    let text = (is_word && is_path).then(|| format!("\"{value}\""));
    let fields = fields(&format!("{variant}(nothing: {value})"), attempt);
    // A community is more than one of its tables.
    let named = fields.iter().filter(|_| variant != "Members").map(|field| format!("{field}: {value}"));
    let held =
        [bare.to_owned()].into_iter().chain(text).chain(named).chain(bare.contains(',').then(|| format!("[{bare}]")));
    held.map(|held| format!("{variant}({held})")).find(|text| attempt(text).is_ok())
}

/// The fields that there are in the place of one that is not.
fn fields(text: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> &'static [&'static str] {
    match attempt(text) {
        Err(Error::NoSuchStructField { expected, .. }) => expected,
        _ => &[],
    }
}

pub(super) fn told(path: &str, error: &Error) -> Mistake {
    let mut notes = Vec::new();
    let problem = match error {
        Error::NoSuchStructField { found, expected, .. } => {
            notes = alternatives(found, expected, elsewhere);
            format!("there is no field `{found}`")
        }
        Error::NoSuchEnumVariant { found, expected, .. } => {
            notes = vec![format!("allowed: {}", expected.join(", "))];
            format!("there is no variant `{found}`")
        }
        Error::MissingStructField { field, .. } => format!("the field `{field}` is missing"),
        Error::DuplicateStructField { field, .. } => format!("the field `{field}` is given twice"),
        Error::ExpectedMapColon => "expected a colon behind the name".to_owned(),
        Error::ExpectedComma => "expected a comma or a closing bracket".to_owned(),
        Error::TrailingCharacters => "there is more behind the value".to_owned(),
        Error::ExceededRecursionLimit => TOO_DEEP.to_owned(),
        error => expected_value(error)
            .map_or_else(|| sentence(&error.to_string()), |expected| format!("expected {expected}")),
    };
    Mistake { path: path.trim_end_matches('?').trim_end_matches('.').to_owned(), ..Mistake::new(problem, notes) }
}

/// What should have stood at the path, if the text there is RON but of the wrong type.
pub(super) fn expected_value(code: &Error) -> Option<String> {
    Some(match code {
        Error::ExpectedInteger | Error::InvalidIntegerDigit { .. } => "a whole number".to_owned(),
        Error::ExpectedBoolean => "true or false".to_owned(),
        Error::ExpectedRawValue => "a value".to_owned(),
        Error::IntegerOutOfBounds => "a whole number that is neither negative nor too large".to_owned(),
        Error::ExpectedFloat => "a number".to_owned(),
        Error::ExpectedString => "text in quotes, such as \"10ms\"".to_owned(),
        Error::ExpectedStringEnd => "a closing quote".to_owned(),
        Error::ExpectedArray => "a list in square brackets".to_owned(),
        Error::ExpectedMap => "a map in curly brackets".to_owned(),
        Error::ExpectedStructLike => "round brackets with its values".to_owned(),
        Error::InvalidValueForType { expected, .. } if expected == "a duration" => {
            "a duration such as \"1h\", \"55min\" or \"10ms\"".to_owned()
        }
        Error::InvalidValueForType { expected, .. } if expected.starts_with("struct ") => {
            format!("{}(...)", expected.trim_start_matches("struct "))
        }
        Error::InvalidValueForType { expected, .. } | Error::ExpectedDifferentLength { expected, .. } => {
            expected.clone()
        }
        Error::ExpectedNamedStructLike(name) => format!("{name}(...)"),
        Error::ExpectedDifferentStructName { expected, .. } => format!("{expected}(...)"),
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) => {
            "a name, perhaps with its value in brackets".to_owned()
        }
        _ => return None,
    })
}

fn alternatives(found: &str, expected: &[&str], otherwise: fn(&str) -> Option<String>) -> Vec<String> {
    let known = format!("allowed: {}", expected.join(", "));
    let hint = did_you_mean(found, expected.iter().copied()).or_else(|| otherwise(found));
    hint.into_iter().chain([known]).collect()
}

/// In which part of a scenario there is a field of this name.
fn elsewhere(name: &str) -> Option<String> {
    let usual = serde_json::to_value(Scenario::new("", PopulationSource::Synthetic(Synthetic::default()))).ok()?;
    let part = usual.as_object()?.iter().find(|(_, part)| part.get(name).is_some())?.0;
    Some(format!("`{name}` is a field of `{part}`"))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
