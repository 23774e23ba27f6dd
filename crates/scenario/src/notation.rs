//! How scenarios are written: the one place that reads and writes RON.

use super::{
    error::{Mistake, ScenarioError, did_you_mean},
    outline::Outline,
    schema::Scenario,
    text::TextFile,
};
use ron::{
    Error, Options,
    error::{Position, SpannedError},
    extensions::Extensions,
    ser::PrettyConfig,
};
use std::ops::Range;

/// How scenarios are read and written: `Some` and the brackets of a variant's only struct may be left out.
pub(super) fn options() -> Options {
    Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Writes a scenario with every field.
pub(super) fn written(scenario: &Scenario) -> String {
    let config = PrettyConfig::new().struct_names(false).compact_arrays(true);
    let text = options().to_string_pretty(scenario, config).expect("every scenario can be written as RON");
    // RON writes a variant called `None` in its raw form, although it reads the plain one too. Line breaks are escaped
    // in strings, so that a whole line is none of their text.
    format!("Scenario{}\n", text.replace(": r#None,\n", ": None,\n"))
}

/// Reads the scenario in `file`; its values are not checked.
pub(super) fn scenario(file: &TextFile) -> Result<Scenario, ScenarioError> {
    let start = ron::Deserializer::from_str_with_options(&file.text, &options());
    let mut deserializer = start.map_err(|error| malformed(file, "", &error))?;
    let scenario = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        malformed(file, &path, &deserializer.span_error(error.into_inner()))
    })?;
    deserializer.end().map_err(|error| malformed(file, "", &deserializer.span_error(error)))?;
    match Outline::of(&file.text).repeated_key() {
        Some((path, span)) => {
            let problem = format!("{path}: given twice");
            Err(ScenarioError::NotAllowed(file.report(problem, span, "found again here".to_owned(), [])))
        }
        None => Ok(scenario),
    }
}

/// What this error at a path means in a `text` that has a single value.
pub(super) fn mistake(path: &str, error: &Error, text: &str) -> Mistake {
    let mut mistake = told(path, error);
    match error {
        _ if text.is_empty() => "there is no value".clone_into(&mut mistake.problem),
        // Where a whole number is wanted, `5.5` is read up to the point.
        Error::TrailingCharacters if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            let whole = if text.parse::<f64>().is_ok() { "whole " } else { "" };
            mistake.problem = format!("expected a {whole}number");
        }
        _ => {}
    }
    mistake
}

fn told(path: &str, error: &Error) -> Mistake {
    let mut notes = Vec::new();
    let problem = match error {
        Error::NoSuchStructField { found, expected, .. } => {
            notes = alternatives(found, expected);
            format!("there is no field `{found}`")
        }
        Error::NoSuchEnumVariant { found, expected, .. } => {
            notes = alternatives(found, expected);
            format!("there is no variant `{found}`")
        }
        Error::MissingStructField { field, .. } => format!("the field `{field}` is missing"),
        Error::DuplicateStructField { field, .. } => format!("the field `{field}` is given twice"),
        Error::ExceededRecursionLimit => "brackets are nested too deeply".to_owned(),
        error => expected_value(error)
            .map_or_else(|| sentence(&error.to_string()), |expected| format!("expected {expected}")),
    };
    Mistake { path: path.trim_end_matches('?').trim_end_matches('.').to_owned(), ..Mistake::new(problem, notes) }
}

fn malformed(file: &TextFile, path: &str, error: &SpannedError) -> ScenarioError {
    let (outline, mut mistake) = (Outline::of(&file.text), told(path, &error.code));
    let mut span = offset(&file.text, &error.span.start)..offset(&file.text, &error.span.end);
    match &error.code {
        // Where a whole number is wanted, `5.5` is read up to the point.
        Error::ExpectedComma => match outline.word_around(span.start) {
            Some(word) => {
                (span, mistake.path) = word;
                mistake.problem = unread(&file.text[span.clone()]);
            }
            None => "expected a comma or a closing bracket".clone_into(&mut mistake.problem),
        },
        Error::TrailingCharacters => {
            let rest = &file.text[span.start..];
            span.start += rest.len() - rest.trim_start().len();
            span.end = span.start;
        }
        code if expected_value(code).is_some()
            || matches!(code, Error::MissingStructField { .. } | Error::Message(_)) =>
        {
            span = outline.find(&mistake.path).0;
        }
        _ => {}
    }
    let found = found(&file.text, &span);
    let Mistake { path, problem, notes, .. } = mistake;
    let problem = if path.is_empty() { problem } else { format!("{path}: {problem}") };
    ScenarioError::Malformed(file.report(problem, span, found, notes))
}

/// What should have stood at the path, if the text there is RON but of the wrong type.
fn expected_value(code: &Error) -> Option<String> {
    Some(match code {
        Error::ExpectedInteger => "a whole number".to_owned(),
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
        Error::SuggestRawIdentifier(_) => "a name with its value in brackets, such as Scaled(0.3)".to_owned(),
        _ => return None,
    })
}

/// What is wrong with a word of which only the beginning, a number, could be read.
fn unread(word: &str) -> String {
    if word.parse::<f64>().is_ok() {
        "expected a whole number".to_owned()
    } else if humantime::parse_duration(word).is_ok() {
        format!("a duration is written in quotes: \"{word}\"")
    } else {
        "expected a number, or text in quotes".to_owned()
    }
}

fn alternatives(found: &str, expected: &[&str]) -> Vec<String> {
    let known = format!("allowed: {}", expected.join(", "));
    did_you_mean(found, expected.iter().copied()).into_iter().chain([known]).collect()
}

fn found(text: &str, span: &Range<usize>) -> String {
    match text[span.clone()].lines().next() {
        Some(line) if !line.trim().is_empty() => format!("found {}", line.trim_end()),
        _ => match text[span.start..].chars().next() {
            Some(next) if !next.is_control() => format!("found {next}"),
            Some(_) => "the line ends here".to_owned(),
            None => "the file ends here".to_owned(),
        },
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The values between commas that stand neither in brackets nor in quotes.
pub(super) fn split(values: &str) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_u32, false);
    let between = |letter: char| {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0 && !quoted
    };
    values.split(between).map(str::trim).collect()
}

fn offset(text: &str, position: &Position) -> usize {
    let line = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum::<usize>();
    let column = text[line..].chars().take(position.col - 1).map(char::len_utf8).sum::<usize>();
    line + column
}
