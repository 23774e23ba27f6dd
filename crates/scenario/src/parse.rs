//! From RON text to a scenario, before its values are checked.

use super::{
    error::{ScenarioError, did_you_mean},
    locate::Outline,
    schema::Scenario,
    text_file::TextFile,
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
    let options = options();
    let start = ron::Deserializer::from_str_with_options(&file.text, &options);
    let mut deserializer = start.map_err(|error| malformed(file, "", &error))?;
    let scenario = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        malformed(file, &path, &deserializer.span_error(error.into_inner()))
    })?;
    deserializer.end().map_err(|error| malformed(file, "", &deserializer.span_error(error)))?;
    Ok(scenario)
}

fn malformed(file: &TextFile, path: &str, error: &SpannedError) -> ScenarioError {
    let outline = Outline::of(&file.text);
    let mut path = path.trim_end_matches('?').trim_end_matches('.').to_owned();
    let mut span = offset(&file.text, &error.span.start)..offset(&file.text, &error.span.end);
    let problem;
    let mut notes = Vec::new();
    match &error.code {
        Error::NoSuchStructField { found, expected, .. } => {
            problem = format!("there is no field `{found}`");
            notes = alternatives(found, expected);
        }
        Error::NoSuchEnumVariant { found, expected, .. } => {
            problem = format!("there is no variant `{found}`");
            notes = alternatives(found, expected);
        }
        Error::MissingStructField { field, .. } => {
            problem = format!("the field `{field}` is missing");
            span = outline.find(&path).0;
        }
        Error::DuplicateStructField { field, .. } => problem = format!("the field `{field}` is given twice"),
        code => match expected_value(code) {
            Some(expected) => {
                problem = format!("expected {expected}");
                span = outline.find(&path).0;
            }
            // Where a whole number is wanted, `5.5` is read up to the point.
            None if *code == Error::ExpectedComma => match outline.word_around(span.start) {
                Some(word) => {
                    (span, path) = word;
                    problem = unread(&file.text[span.clone()]);
                }
                None => problem = "expected a comma or a closing bracket".to_owned(),
            },
            None => problem = sentence(code),
        },
    }
    if error.code == Error::TrailingCharacters {
        let rest = &file.text[span.start..];
        span.start += rest.len() - rest.trim_start().len();
        span.end = span.start;
    }
    let found = found(&file.text, &span);
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

fn sentence(code: &Error) -> String {
    let text = code.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Turns a position by line and column into one by bytes.
fn offset(text: &str, position: &Position) -> usize {
    let line = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum::<usize>();
    let column = text[line..].chars().take(position.col - 1).map(char::len_utf8).sum::<usize>();
    line + column
}
