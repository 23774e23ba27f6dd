//! How scenarios are written: the one place that reads and writes RON.

mod hints;
mod malformed;

use super::{
    edits::Edits,
    error::ScenarioError,
    outline::{Misnamed, Outline},
    pairs::too_deep,
    schema::Scenario,
    text::TextFile,
};
use hints::LONGEST_TRIED;
use malformed::malformed;
use ron::{
    Error, Options,
    error::{Position, SpannedError},
    extensions::Extensions,
    ser::PrettyConfig,
};
use std::{iter, ops::Range};

pub(super) use hints::mistake;

/// What is said of brackets in too many others.
pub(super) const TOO_DEEP: &str = "brackets are nested too deeply";

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

/// Why a text is no scenario: the path and the place, which is a byte of the text that was read.
struct Wrong {
    path: String,
    code: Error,
    span: Range<usize>,
}

fn read(text: &str) -> Result<Scenario, Wrong> {
    let wrong = |path: String, SpannedError { code, span }: SpannedError| {
        let [start, end] = [&span.start, &span.end].map(|position| offset(text, position));
        Wrong { path, code, span: start..end }
    };
    let start = ron::Deserializer::from_str_with_options(text, &options());
    let mut deserializer = start.map_err(|error| wrong(String::new(), error))?;
    let scenario = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        wrong(path, deserializer.span_error(error.into_inner()))
    })?;
    deserializer.end().map_err(|error| wrong(String::new(), deserializer.span_error(error)))?;
    Ok(scenario)
}

/// Reads the scenario in `file`; its values are not checked. A bare value stands for the constant that it would be in the
/// brackets of `Constant`, where there is such a variant.
pub(super) fn scenario(file: &TextFile) -> Result<Scenario, ScenarioError> {
    if let Some(at) = too_deep(&file.text) {
        let report = file.report(TOO_DEEP.to_owned(), at..at + 1, "this one".to_owned(), []);
        return Err(ScenarioError::Malformed(report));
    }
    let mut constants = Edits::default();
    let scenario = loop {
        let wrong = match read(&constants.of(&file.text)) {
            Ok(scenario) => break scenario,
            Err(wrong) => wrong,
        };
        let mut more = constants.clone();
        let end = wants_name(&wrong.code).then(|| add_constants(&file.text, &wrong.path, &mut more));
        match end.flatten() {
            Some(end) if goes_on(file, &more, end).is_ok() => constants = more,
            _ => return Err(malformed(file, &constants, &wrong)),
        }
    };
    if let Some((path, span)) = Outline::of(&file.text).repeated_key() {
        let problem = format!("{path}: given twice");
        return Err(ScenarioError::NotAllowed(file.report(problem, span, "found again here".to_owned(), [])));
    }
    match misnamed(&file.text, &scenario, "") {
        Some(Misnamed { path, span, problem, mend }) => {
            let found = format!("found {}", &file.text[span.clone()]);
            Err(ScenarioError::Malformed(file.report(format!("{path}: {problem}"), span, found, [mend])))
        }
        None => Ok(scenario),
    }
}

/// A name or a bracket in a text that is not that of what was read of it, which the scenario has at this path.
pub(super) fn misnamed(text: &str, scenario: &Scenario, path: &str) -> Option<Misnamed> {
    let full = PrettyConfig::new().struct_names(true);
    let full = ron::ser::to_string_pretty(scenario, full).expect("every scenario can be written as RON");
    Outline::of(text).misnamed(&Outline::of(&full), path)
}

/// Puts the bare value at a path, and those like it, into the brackets of `Constant`. Tells where the value ends, if there
/// is one.
fn add_constants(text: &str, path: &str, constants: &mut Edits) -> Option<usize> {
    let outline = Outline::of(text);
    let mut add = |span: Range<usize>| {
        let value = &text[span.clone()];
        is_bare(value) && constants.add(span, format!("Constant({value})"))
    };
    let (span, is_there) = outline.find(path);
    if !is_there || !add(span.clone()) {
        return None;
    }
    // Other entries of a list may be written like this one.
    if let Some((list, entry)) = path.split_once('[') {
        let of_entry = entry.split_once(']').map_or("", |(_, of_entry)| of_entry);
        outline.in_entries(list, of_entry).for_each(|span| _ = add(span));
    }
    Some(span.end)
}

/// The text of a value with what stands bare at a path of the scenario, and what is like it, in the brackets of `Constant`.
pub(super) fn with_constants(text: &str, path: &str) -> Option<String> {
    let mut constants = Edits::default();
    add_constants(text, within(text, path).0, &mut constants).map(|_| constants.of(text))
}

/// The last steps of a path of the scenario, which are those within the text of a value, and the place of what is there.
fn within<'a>(text: &str, path: &'a str) -> (&'a str, Range<usize>) {
    let outline = Outline::of(text);
    let found = ends(path).find_map(|end| Some((end, outline.find(end).0)).filter(|_| outline.find(end).1));
    found.unwrap_or(("", 0..text.len()))
}

/// A path, and the same without more and more of its first steps.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(path), |path| path.get(1..)?.find(['.', '[']).map(|at| &path[at + 1..]))
}

/// The place, within the text of a value, of what is at a path of the scenario, or of the innermost around it that is there;
/// `None` if that is all of it.
pub(super) fn part_at(text: &str, path: &str) -> Option<Range<usize>> {
    let outline = Outline::of(text);
    let whole = outline.find("").0;
    ends(path).map(|end| outline.find(end).0).find(|span| *span != whole)
}

/// Whether a variant is wanted where there is none, and not another value.
pub(super) fn wants_name(error: &Error) -> bool {
    matches!(error, Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_))
}

/// Whether a value is a text or a number.
fn is_bare(value: &str) -> bool {
    value.starts_with(|c: char| c == '"' || c.is_ascii_digit() || "+-.".contains(c))
}

/// Whether the text with these edits can be read beyond this place.
fn goes_on(file: &TextFile, edits: &Edits, place: usize) -> Result<(), Error> {
    let text = edits.of(&file.text);
    match read(&text) {
        Err(wrong) if edits.original(wrong.span.start) <= place => Err(wrong.code),
        Ok(scenario) if misnamed(&text, &scenario, "").is_some() => Err(Error::Eof),
        _ => Ok(()),
    }
}

/// The path of a part of a text, with the name that stands before it, if one does.
fn full_path(text: &str, part: &Range<usize>, path: &str) -> String {
    let name = text[..part.start].trim_end().strip_suffix(':').map(str::trim_end);
    let name = name.and_then(|named| named.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next());
    match name.filter(|name| !name.is_empty() && !path.ends_with(name)) {
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    }
}

/// Whether the text with these edits can be read beyond this part of it, if `meant` stands in its place, bare or as a
/// constant.
fn attempt(file: &TextFile, edits: &Edits, part: &Range<usize>, meant: &str) -> Result<(), Error> {
    let with = |meant: String| {
        let mut edits = edits.clone();
        edits.leave(part);
        let is_free = file.text.len() <= LONGEST_TRIED.0 && edits.add(part.clone(), meant);
        if is_free { goes_on(file, &edits, part.end) } else { Err(Error::Eof) }
    };
    with(meant.to_owned()).or_else(|error| match error {
        error if wants_name(&error) && is_bare(meant) => with(format!("Constant({meant})")).map_err(|_| error),
        error => Err(error),
    })
}

/// What stands around byte `at` of a line between brackets, colons and commas, but for those between digits.
pub(super) fn part_of_line(text: &str, at: usize) -> Range<usize> {
    let is_digit = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_digit());
    let ends = |(at, sign): (usize, char)| {
        let [before, behind] = [text[..at].chars().next_back(), text[at + sign.len_utf8()..].chars().next()];
        "()[]{}\n".contains(sign) || ",:".contains(sign) && !(is_digit(before) && is_digit(behind))
    };
    let signs = || text.char_indices().filter(|sign| ends(*sign));
    let start = signs().take_while(|(end, _)| *end < at).last().map_or(0, |(end, _)| end + 1);
    let end = signs().find(|(end, _)| *end >= at).map_or(text.len(), |(end, _)| end);
    let part = &text[start..end];
    let start = start + part.len() - part.trim_start().len();
    start..start + part.trim().len()
}

/// The values between signs such as commas that stand neither in brackets nor in quotes.
pub(super) fn split<'a>(values: &'a str, signs: &[char]) -> Vec<&'a str> {
    let (mut depth, mut quoted) = (0_u32, false);
    let between = |letter: char| {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        signs.contains(&letter) && depth == 0 && !quoted
    };
    values.split(between).map(str::trim).collect()
}

fn offset(text: &str, position: &Position) -> usize {
    let line = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum::<usize>();
    let column = text[line..].chars().take(position.col - 1).map(char::len_utf8).sum::<usize>();
    line + column
}
