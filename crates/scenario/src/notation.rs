//! How scenarios are written: the one place that reads and writes RON.

use super::{
    edits::Edits,
    error::{Mistake, ScenarioError, did_you_mean, most_like},
    mend::{COLON, COMMENT, is_stepped, kind_of_text, look_alike, looks_alike, mend, mend_sign, ranged},
    outline::Outline,
    pairs::{first, too_deep, unpaired},
    schema::{PopulationSource, Scenario, Synthetic},
    text::TextFile,
};
use ron::{
    Error, Options,
    error::{Position, SpannedError},
    extensions::Extensions,
    ser::PrettyConfig,
};
use std::{iter, ops::Range};

/// In a longer text, and in the place of a longer value, nothing is tried that might have been meant [bytes].
const LONGEST_TRIED: (usize, usize) = (200_000, 1_000);

/// What is said of a file that begins as no scenario does.
const BEGINS: &str = "a scenario is written in RON, as docs/scenario.md tells, and begins so: \
                      Scenario(name: \"mine\", population: Synthetic(count: 100))";

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
    match Outline::of(&file.text).repeated_key() {
        Some((path, span)) => {
            let problem = format!("{path}: given twice");
            Err(ScenarioError::NotAllowed(file.report(problem, span, "found again here".to_owned(), [])))
        }
        None => Ok(scenario),
    }
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
    let mut ends = iter::successors(Some(path), |path| path.get(1..)?.find(['.', '[']).map(|at| &path[at + 1..]));
    let found = ends.find_map(|end| Some((end, outline.find(end).0)).filter(|_| outline.find(end).1));
    found.unwrap_or(("", 0..text.len()))
}

/// Whether a variant is wanted where there is none, and not another value.
pub(super) fn wants_name(error: &Error) -> bool {
    matches!(error, Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_))
}

/// Whether a value is a text or a number.
fn is_bare(value: &str) -> bool {
    value.starts_with(|c: char| c == '"' || c.is_ascii_digit() || "+-.".contains(c))
}

fn is_duration(text: &str) -> bool {
    humantime::parse_duration(text.trim_matches('"')).is_ok()
}

/// Whether the text with these edits can be read beyond this place.
fn goes_on(file: &TextFile, edits: &Edits, place: usize) -> Result<(), Error> {
    match read(&edits.of(&file.text)) {
        Err(wrong) if edits.original(wrong.span.start) <= place => Err(wrong.code),
        _ => Ok(()),
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

/// What this error at a path means in a `text` that has a single value, in the place of which others may be tried.
pub(super) fn mistake(path: &str, error: &Error, text: &str, attempt: impl Fn(&str) -> Result<(), Error>) -> Mistake {
    let mut mistake = told(path, error);
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
    let piece = pieces(text).find_map(|part| mend(&text[part.clone()], |meant| with(&part, meant).is_ok()));
    let (_, part) = within(text, &mistake.path);
    let mut mends = match piece {
        Some(piece) => vec![piece],
        None => hints(&text[part.clone()], error, |meant| with(&part, meant)),
    };
    if mends.is_empty() && text.len() <= LONGEST_TRIED.1 {
        mends.extend(mend(text, |meant| attempt(meant).is_ok()));
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

/// How else a value might have to be written, as trying tells.
fn hints(value: &str, error: &Error, attempt: impl Fn(&str) -> Result<(), Error>) -> Vec<String> {
    if value.len() > LONGEST_TRIED.1 {
        return Vec::new();
    }
    // A struct is read as a list too, which nobody means.
    let wants_struct = match error {
        Error::InvalidValueForType { expected, .. } => expected.starts_with("struct "),
        error => matches!(error, Error::ExpectedNamedStructLike(_)),
    };
    let is_list = |text: &str| text.starts_with('[') || text.starts_with('(') && !text.contains(':');
    if let Some(mend) = mend(value, |text| !(wants_struct && is_list(text)) && attempt(text).is_ok()) {
        return vec![mend];
    }
    // Of a name that nothing has, the reader tells which there are.
    let (names, meant): (&[_], Vec<String>) = match error {
        Error::NoSuchEnumVariant { expected, found, .. } if found == value && is_bare(value) => {
            (&[], expected.iter().filter_map(|variant| held_by(variant, value, &attempt)).collect())
        }
        _ if wants_struct => {
            let fields = fields("(nothing: 0)", &attempt);
            let named = fields.iter().flat_map(|field| [format!("{field}: {value}"), format!("({field}: {value})")]);
            (fields, named.filter(|text| attempt(text).is_ok()).take(1).collect())
        }
        Error::ExpectedStructLike => {
            let fields = fields(&format!("{value}(nothing: 0)"), &attempt);
            let all = fields.iter().map(|field| format!("{field}: ...")).collect::<Vec<_>>().join(", ");
            (fields, (1..3).contains(&fields.len()).then(|| format!("{value}({all})")).into_iter().collect())
        }
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) => match attempt(&format!("Nothing({value})")) {
            Err(Error::NoSuchEnumVariant { expected, .. }) => {
                let held = expected.iter().filter_map(|variant| held_by(variant, value, &attempt));
                let quoted = || most_like(value.strip_prefix('"')?.strip_suffix('"')?, expected.iter().copied());
                let quoted = iter::once_with(quoted).flatten().map(str::to_owned);
                (expected, held.chain(quoted).collect())
            }
            _ => {
                let fields = fields(&format!("nothing: {value}"), &attempt);
                let named = fields.iter().filter(|_| !value.is_empty()).map(|field| format!("{field}: {value}"));
                (fields, named.filter(|text| attempt(text).is_ok()).take(1).collect())
            }
        },
        _ => return Vec::new(),
    };
    // Where there is a constant, it may stand there bare.
    let constant = || attempt(&format!("Constant({value})")).err().and_then(|error| expected_value(&error));
    let bare = names.contains(&"Constant").then(constant).flatten();
    let names = bare.into_iter().chain(Some(names.join(", ")).filter(|names| !names.is_empty())).collect::<Vec<_>>();
    let did_you_mean = (!meant.is_empty()).then(|| format!("did you mean `{}`?", meant.join("` or `")));
    let allowed = (!names.is_empty()).then(|| format!("allowed: {}", names.join("; or ")));
    did_you_mean.into_iter().chain(allowed).collect()
}

/// A variant with this value in its brackets, by itself, as text or as the first field that may have it, if that can be read.
fn held_by(variant: &str, value: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> Option<String> {
    let bare = value.strip_prefix('(').and_then(|value| value.strip_suffix(')')).unwrap_or(value);
    let is_word = value.starts_with(char::is_alphabetic) && !value.contains('(');
    let text = is_word.then(|| format!("\"{value}\""));
    let fields = fields(&format!("{variant}(nothing: {value})"), attempt);
    let named = fields.iter().map(|field| format!("{field}: {value}"));
    let held = [bare.to_owned()].into_iter().chain(text).chain(named).chain([format!("[{bare}]")]);
    held.map(|held| format!("{variant}({held})")).find(|text| attempt(text).is_ok())
}

/// The fields that there are in the place of one that is not.
fn fields(text: &str, attempt: &dyn Fn(&str) -> Result<(), Error>) -> &'static [&'static str] {
    match attempt(text) {
        Err(Error::NoSuchStructField { expected, .. }) => expected,
        _ => &[],
    }
}

fn told(path: &str, error: &Error) -> Mistake {
    let mut notes = Vec::new();
    let problem = match error {
        Error::NoSuchStructField { found, expected, .. } => {
            notes = alternatives(found, expected, elsewhere);
            format!("there is no field `{found}`")
        }
        Error::NoSuchEnumVariant { found, expected, .. } => {
            notes = alternatives(found, expected, |_| None);
            format!("there is no variant `{found}`")
        }
        Error::MissingStructField { field, .. } => format!("the field `{field}` is missing"),
        Error::DuplicateStructField { field, .. } => format!("the field `{field}` is given twice"),
        Error::ExpectedMapColon => "expected a colon behind the name".to_owned(),
        Error::ExceededRecursionLimit => TOO_DEEP.to_owned(),
        error => expected_value(error)
            .map_or_else(|| sentence(&error.to_string()), |expected| format!("expected {expected}")),
    };
    Mistake { path: path.trim_end_matches('?').trim_end_matches('.').to_owned(), ..Mistake::new(problem, notes) }
}

/// What is wrong with the scenario in `file`, as it was read with these edits.
fn malformed(file: &TextFile, edits: &Edits, wrong: &Wrong) -> ScenarioError {
    let (text, outline) = (&file.text, Outline::of(&file.text));
    let first_line = 0..text.find(['\r', '\n']).unwrap_or(text.len());
    if text.strip_prefix("#!").is_some_and(|rest| !rest.trim_start().starts_with('[')) {
        let (problem, mend) = ("no scenario begins with what runs it".to_owned(), "take this line out".to_owned());
        return ScenarioError::Malformed(file.report(problem, first_line.clone(), found(text, &first_line), [mend]));
    }
    if let Some(kind) = kind_of_text(text) {
        let (problem, mend) = (format!("this is no scenario, but {kind}"), BEGINS.to_owned());
        return ScenarioError::Malformed(file.report(problem, first_line.clone(), found(text, &first_line), [mend]));
    }
    if let Some(bracket) = unpaired(text) {
        let (found, mends) = ("this one".to_owned(), [bracket.mend]);
        return ScenarioError::Malformed(file.report(bracket.problem, bracket.span, found, mends));
    }
    let mut mistake = told(&wrong.path, &wrong.code);
    let at = edits.original(wrong.span.start);
    let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    if let Some((at, (problem, mend))) = first(&text[..line_end], look_alike) {
        let span = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
        let found = format!("found {}", &text[span.clone()]);
        return ScenarioError::Malformed(file.report(problem, span, found, [mend]));
    }
    let mut span = at..edits.original(wrong.span.end).max(at);
    let (at_path, is_there) = outline.find(&mistake.path);
    let is_name =
        matches!(wrong.code, Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_)) && at_path.start < at;
    let mut value = None;
    match &wrong.code {
        // Where a whole number is wanted, `5.5` is read up to the point.
        Error::ExpectedComma => match outline.word_around(at) {
            Some(word) => {
                (span, mistake.path) = word;
                mistake.problem = unread(&text[span.clone()]).to_owned();
                value = Some(span.clone());
            }
            None => "expected a comma or a closing bracket".clone_into(&mut mistake.problem),
        },
        Error::TrailingCharacters => {
            let rest = &text[span.start..];
            span.start += rest.len() - rest.trim_start().len();
            span.end = span.start;
            "the scenario has ended before this".clone_into(&mut mistake.problem);
            mistake.notes.push("take it out, or put it within the brackets of the scenario".to_owned());
        }
        _ if is_name => "expected the name of a field".clone_into(&mut mistake.problem),
        Error::MissingStructField { .. } | Error::Message(_) => span = at_path,
        code if expected_value(code).is_some() => {
            span = at_path.clone();
            value = is_there.then_some(at_path);
        }
        _ => {}
    }
    // What is varied may be whatever RON can be, so that reading it proves nothing of brackets and texts.
    let is_varied = wrong.path.starts_with("vary.");
    let proves = |meant: &str| match meant.chars().next() {
        Some('(') => meant.contains(':'),
        Some('"') => is_duration(meant),
        _ => true,
    };
    let attempt = |part: &Range<usize>, meant: &str| match is_varied && !proves(meant) {
        true => Err(Error::Eof),
        false => attempt(file, edits, part, meant),
    };
    let hints = |part: Range<usize>| hints(&text[part.clone()], &wrong.code, |meant| attempt(&part, meant));
    // What stands behind a value belongs to it where nothing parts them, as a unit does.
    let rest = |value: &Range<usize>| value.start..with_numbers(text, part_of_line(text, value.start).end, &wrong.code);
    let with_rest =
        value.as_ref().map(rest).filter(|longer| value.as_ref().is_some_and(|value| value.end < longer.end));
    let mut mends = with_rest.into_iter().chain(value).map(hints).find(|mends| !mends.is_empty()).unwrap_or_default();
    // Where an attribute is expected, its sign has been read.
    let sign = if wrong.code == Error::ExpectedAttribute { "#" } else { text[at..].trim_start() };
    // What parts digits belongs to their number.
    let sign =
        if text[..at].ends_with(|c: char| c.is_ascii_digit()) { sign.trim_start_matches(['\'', '’']) } else { sign };
    let ends = wrong.code == Error::TrailingCharacters;
    if mends.is_empty() && wrong.code == Error::ExpectedMapColon {
        mends.push(COLON.to_owned());
    }
    if let (true, Some(sign)) = (mends.is_empty(), mend_sign(sign).filter(|sign| !ends || *sign == COMMENT)) {
        mends.push(sign.to_owned());
    }
    if wrong.path.len() <= 1
        && matches!(wrong.code, Error::ExpectedNamedStructLike(_) | Error::ExpectedDifferentStructName { .. })
    {
        "expected a scenario".clone_into(&mut mistake.problem);
        mends = vec![BEGINS.to_owned()];
    }
    if text[span.end..].trim_start().starts_with('{') {
        mends.insert(0, "a struct has round brackets, `(` and `)`".to_owned());
    }
    if text[span.end..].starts_with("::") {
        mends = vec!["a variant stands without its type: leave out what is before it, and `::`".to_owned()];
    }
    let mends_nothing = ends
        || matches!(
            wrong.code,
            Error::DuplicateStructField { .. }
                | Error::MissingStructField { .. }
                | Error::ExceededRecursionLimit
                | Error::Message(_)
        );
    if mends.is_empty() && !mends_nothing {
        // What stands around a value may be meant otherwise as a whole.
        let around = iter::successors(Some(&*mistake.path), |path| Some(&path[..path.rfind(['.', '['])?])).take(3);
        let around = around.map(|path| outline.find(path)).filter(|(part, there)| *there && part.start < at);
        let around = around.map(|(part, _)| part).filter(|part| part.start > 0 && part.len() <= LONGEST_TRIED.1);
        let mut mended = around.map(|part| mend(&text[part.clone()], |meant| attempt(&part, meant).is_ok()));
        mends.extend(mended.find_map(|mend| mend));
    }
    if mends.is_empty() && wrong.code == Error::ExpectedComma {
        let behind = outline.end_before(at)..outline.end_before(at);
        let mut more = edits.clone();
        if more.add(behind.clone(), ",".to_owned()) && goes_on(file, &more, part_of_line(text, at).end).is_ok() {
            span = behind;
            mends.push("put a comma here".to_owned());
        }
    }
    if mends.is_empty() && !mends_nothing {
        let part = part_of_line(text, at);
        mends = hints(part.clone());
        let within =
            text[part.clone()].split_once('.').filter(|(whole, _)| is_name && whole.starts_with(char::is_alphabetic));
        let within =
            within.map(|(whole, part)| format!("a part stands within the whole: write {whole}: ({part}: ...)"));
        mends.splice(0..0, within);
        span = if is_name && !part.is_empty() { part } else { span };
    }
    if mends.is_empty() && matches!(wrong.code, Error::UnexpectedChar(_)) && text[at..].starts_with('/') {
        mends.push(COMMENT.to_owned());
    }
    mistake.add(mends);
    let found = found(text, &span);
    let Mistake { path, problem, notes, .. } = mistake;
    let problem = if path.is_empty() { problem } else { format!("{path}: {problem}") };
    ScenarioError::Malformed(file.report(problem, span, found, notes))
}

/// Where what stands in a line ends, with numbers behind commas if several values were expected.
fn with_numbers(text: &str, end: usize, error: &Error) -> usize {
    let next = |&end: &usize| {
        let rest = text[end..].strip_prefix(',')?;
        let number = rest.trim_start().find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let behind = end + 1 + rest.len() - rest.trim_start().len() + number;
        (number > 0 && text[behind..].starts_with([',', ')', '}'])).then_some(behind)
    };
    let expects_several = matches!(error, Error::ExpectedStructLike | Error::ExpectedArray);
    iter::successors(Some(end), |end| expects_several.then(|| next(end)).flatten()).last().unwrap_or(end)
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

/// What should have stood at the path, if the text there is RON but of the wrong type.
fn expected_value(code: &Error) -> Option<String> {
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

/// What is wrong with a word of which only the beginning, a number, could be read.
fn unread(word: &str) -> &'static str {
    if word.parse::<f64>().is_ok() { "expected a whole number" } else { "expected a number, or text in quotes" }
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

fn found(text: &str, span: &Range<usize>) -> String {
    match text[span.clone()].lines().next() {
        Some(line) if !line.trim().is_empty() => format!("found {}", line.trim_end()),
        _ => match text[span.start..].chars().next() {
            Some(next) if next != '\n' && next.is_whitespace() => "nothing here".to_owned(),
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
