//! Why a text is no scenario, shown at its place with the mend.

use super::{
    Wrong, attempt, full_path, goes_on,
    hints::{LONGEST_TRIED, expected_value, hints, told, variant_meant},
    part_of_line,
};
use crate::{
    edits::Edits,
    error::{Mistake, Report, ScenarioError},
    kinds::kind_of_text,
    mend::mend,
    outline::Outline,
    pairs::{first, first_beside_open, unpaired},
    schema::FIRST_AND_LAST,
    signs::{COLON, COMMENT, bracket_alike, look_alike, mend_sign, quote_alike, typed},
    text::TextFile,
};
use ron::Error;
use std::{iter, ops::Range};

/// What is said of a file that begins as no scenario does.
const BEGINS: &str = "a scenario is written in RON, as docs/scenario.md tells, and begins so: \
                      Scenario(name: \"mine\", population: Synthetic(count: 100))";

/// What is wrong with the scenario in `file`, as it was read with these edits.
pub(super) fn malformed(file: &TextFile, edits: &Edits, wrong: &Wrong) -> ScenarioError {
    let reading = Reading { file, edits, wrong, outline: Outline::of(&file.text) };
    ScenarioError::Malformed(
        of_another_kind(file).or_else(|| unpaired_or_alike(file, reading.at())).unwrap_or_else(|| reading.report()),
    )
}

/// What is wrong with a text that is meant as no scenario.
fn of_another_kind(file: &TextFile) -> Option<Box<Report>> {
    let text = &file.text;
    let first_line = 0..text.find(['\r', '\n']).unwrap_or(text.len());
    let (problem, mend) = if text.strip_prefix("#!").is_some_and(|rest| !rest.trim_start().starts_with('[')) {
        ("no scenario begins with what runs it".to_owned(), "take this line out")
    } else {
        (format!("this is no scenario, but {}", kind_of_text(text)?), BEGINS)
    };
    Some(file.report(problem, first_line.clone(), found(text, &first_line), [mend.to_owned()]))
}

/// What is wrong with a bracket or a quote that has no other, or with the first sign that only looks like one of the keyboard
/// up to the end of the line in which reading has ended.
fn unpaired_or_alike(file: &TextFile, at: usize) -> Option<Box<Report>> {
    let text = &file.text;
    let sign = |(at, (problem, mend)): (usize, (String, String))| {
        let span = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
        let found = format!("found {}", &text[span.clone()]);
        file.report(problem, span, found, [mend])
    };
    if text.contains(|sign| quote_alike(sign).is_some())
        && let Some(quote) = first_beside_open(text, quote_alike)
    {
        return Some(sign(quote));
    }
    if let Some(bracket) = unpaired(text) {
        // The other one may be there, but in another form.
        return Some(match first(text, bracket_alike) {
            Some(alike) => sign(alike),
            None => file.report(bracket.problem, bracket.span, "this one".to_owned(), [bracket.mend]),
        });
    }
    // What could not be read may be the first on one of the next lines.
    let begin = at + text[at..].len() - text[at..].trim_start().len();
    let line_end = text[begin..].find('\n').map_or(text.len(), |end| begin + end);
    let (at, (problem, mend)) = first(&text[..line_end], look_alike)?;
    // What turns the direction of writing, and what turns it back, come together.
    let part = &text[part_of_line(text, at)];
    let is_alone = part.chars().filter(|sign| look_alike(*sign).is_some()).count() < 2;
    let mend = if is_alone { mend } else { format!("{mend}, and all like it: write {}", typed(part)) };
    Some(sign((at, (problem, mend))))
}

/// A text that cannot be read, and why.
struct Reading<'a> {
    file: &'a TextFile,
    edits: &'a Edits,
    wrong: &'a Wrong,
    outline: Outline<'a>,
}

impl Reading<'_> {
    /// The byte at which reading has ended.
    fn at(&self) -> usize {
        self.edits.original(self.wrong.span.start)
    }

    fn text(&self) -> &str {
        &self.file.text
    }

    /// Whether the name of a field is expected.
    fn is_name(&self, mistake: &Mistake) -> bool {
        matches!(self.wrong.code, Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_))
            && self.outline.find(&mistake.path).0.start < self.at()
    }

    /// Whether no other way of writing what is there would be right.
    fn is_beyond_mending(&self) -> bool {
        matches!(
            self.wrong.code,
            Error::TrailingCharacters
                | Error::DuplicateStructField { .. }
                | Error::MissingStructField { .. }
                | Error::ExceededRecursionLimit
                | Error::Message(_)
        )
    }

    fn report(&self) -> Box<Report> {
        let mut mistake = told(&self.wrong.path, &self.wrong.code);
        let (mut span, value) = self.place(&mut mistake);
        let (mut mends, part) = self.of_value_or_sign(value, &mistake.path);
        span = part.unwrap_or(span);
        if self.wrong.path.len() <= 1
            && matches!(self.wrong.code, Error::ExpectedNamedStructLike(_) | Error::ExpectedDifferentStructName { .. })
        {
            "expected a scenario".clone_into(&mut mistake.problem);
            mends = vec![BEGINS.to_owned()];
        }
        let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let behind = &self.text()[span.start..];
        let is_named = word(behind) > 0 && behind[word(behind)..].trim_start().starts_with('{');
        if is_named && !mends.iter().any(|mend| mend.contains(": write ")) {
            mends.insert(0, "a struct has round brackets, `(` and `)`".to_owned());
        }
        if self.text()[span.end..].starts_with("::") {
            mends = vec!["a variant stands without its type: leave out what is before it, and `::`".to_owned()];
        }
        if mends.is_empty() {
            let (around, is_there) = self.outline.find(&mistake.path);
            let value = if is_there { around } else { span.clone() };
            let attempt = |meant: &str| self.attempt(&value, meant);
            mends.extend(variant_meant(&self.text()[value.clone()], &self.wrong.code, attempt));
        }
        if mends.is_empty() && !self.is_beyond_mending() {
            let around = self.of_what_is_around(&mistake.path);
            span = around.as_ref().map_or(span, |(part, _)| part.clone());
            mends.extend(around.map(|(_, mend)| mend));
        }
        if mends.is_empty()
            && let Some(place) = self.comma_left_out()
        {
            span = place;
            mends.push("put a comma here".to_owned());
        }
        if mends.is_empty() && !self.is_beyond_mending() {
            (mends, span) = self.of_part_of_line(span, &mistake);
        }
        if mends.is_empty()
            && matches!(self.wrong.code, Error::UnexpectedChar(_))
            && self.text()[self.at()..].starts_with('/')
        {
            mends.push(COMMENT.to_owned());
        }
        mistake.add(mends);
        let found = found(self.text(), &span);
        let Mistake { path, problem, notes, .. } = mistake;
        let problem = if path.is_empty() { problem } else { format!("{path}: {problem}") };
        self.file.report(problem, span, found, notes)
    }

    /// Where the mistake stands, which is told anew where the place says more, and the value that cannot be read.
    fn place(&self, mistake: &mut Mistake) -> (Range<usize>, Option<Range<usize>>) {
        let (at, text) = (self.at(), self.text());
        let span = at..self.edits.original(self.wrong.span.end).max(at);
        let (at_path, is_there) = self.outline.find(&mistake.path);
        match &self.wrong.code {
            // Where a whole number is wanted, `5.5` is read up to the point.
            Error::ExpectedComma => {
                if let Some((word, path)) = self.outline.word_around(at) {
                    (mistake.path, mistake.problem) = (path, unread(&text[word.clone()]).to_owned());
                    return (word.clone(), Some(word));
                }
            }
            Error::TrailingCharacters => {
                let rest = &text[at..];
                let begin = at + rest.len() - rest.trim_start().len();
                "the scenario has ended before this".clone_into(&mut mistake.problem);
                mistake.notes.push("take it out, or put it within the brackets of the scenario".to_owned());
                return (begin..begin, None);
            }
            _ if self.is_name(mistake) => "expected the name of a field".clone_into(&mut mistake.problem),
            Error::MissingStructField { .. } | Error::Message(_) => return (at_path, None),
            code if expected_value(code).is_some() => return (at_path.clone(), is_there.then_some(at_path)),
            _ => {}
        }
        (span, None)
    }

    /// Whether the text can be read beyond a part of it, if this stands in its place. What is varied may be whatever RON can
    /// be, so that reading it proves nothing of brackets and texts.
    fn attempt(&self, part: &Range<usize>, meant: &str) -> Result<(), Error> {
        let proves = match meant.chars().next() {
            Some('(') => meant.contains(':'),
            Some('"') => humantime::parse_duration(meant.trim_matches('"')).is_ok(),
            _ => true,
        };
        match self.wrong.path.starts_with("vary.") && !proves {
            true => Err(Error::Eof),
            false => attempt(self.file, self.edits, part, meant),
        }
    }

    fn hints(&self, part: Range<usize>, path: &str) -> Vec<String> {
        hints(self.text(), &part, &full_path(self.text(), &part, path), &self.wrong.code, |meant| {
            self.attempt(&part, meant)
        })
    }

    /// How else the value, or the sign at which reading has ended, is written; and what stands there, if it is more.
    fn of_value_or_sign(&self, value: Option<Range<usize>>, path: &str) -> (Vec<String>, Option<Range<usize>>) {
        let (at, text) = (self.at(), self.text());
        // What stands behind a value belongs to it where nothing parts them, as a unit does.
        let rest = |value: &Range<usize>| {
            value.start..with_numbers(text, part_of_line(text, value.start).end, &self.wrong.code)
        };
        let with_rest = value.as_ref().map(rest).filter(|longer| value.as_ref().is_some_and(|of| of.end < longer.end));
        let parts = with_rest.into_iter().chain(value);
        let of_value = parts.map(|part| (self.hints(part.clone(), path), part)).find(|(mends, _)| !mends.is_empty());
        if let Some((mends, part)) = of_value {
            return (mends, Some(part));
        }
        if self.wrong.code == Error::ExpectedMapColon {
            let part = part_of_line(text, at);
            let tried = if part.len() > LONGEST_TRIED.1 { "" } else { &text[part.clone()] };
            return match mend(tried, path, |meant| self.attempt(&part, meant).is_ok()) {
                Some(mend) => (vec![mend], Some(part)),
                None => (vec![COLON.to_owned()], None),
            };
        }
        // Where an attribute is expected, its sign has been read.
        let sign = if self.wrong.code == Error::ExpectedAttribute { "#" } else { text[at..].trim_start() };
        // What parts digits belongs to their number.
        let is_in_number = text[..at].ends_with(|c: char| c.is_ascii_digit());
        let sign = if is_in_number { sign.trim_start_matches(['\'', '’']) } else { sign };
        let ends = self.wrong.code == Error::TrailingCharacters;
        (mend_sign(sign).filter(|sign| !ends || *sign == COMMENT).map(str::to_owned).into_iter().collect(), None)
    }

    /// How what stands around the value at a path is written, which may be meant otherwise as a whole, and where.
    fn of_what_is_around(&self, path: &str) -> Option<(Range<usize>, String)> {
        let around = iter::successors(Some(path), |path| Some(&path[..path.rfind(['.', '['])?])).take(3);
        let around = around
            .map(|path| (path, self.outline.find(path)))
            .filter(|(_, (part, there))| *there && part.start <= self.at());
        let around = around.filter(|(_, (part, _))| part.start > 0 && part.len() <= LONGEST_TRIED.1);
        let mut mended = around.map(|(path, (part, _))| {
            let mend = mend(&self.text()[part.clone()], path, |meant| self.attempt(&part, meant).is_ok())?;
            Some((part, mend))
        });
        mended.find_map(|mend| mend)
    }

    /// Where a comma would let the text be read on, if that is all that is missing.
    fn comma_left_out(&self) -> Option<Range<usize>> {
        let at = self.at();
        let behind = self.outline.end_before(at)..self.outline.end_before(at);
        let mut more = self.edits.clone();
        let is_meant = self.wrong.code == Error::ExpectedComma
            // What is varied may be any word, as a unit would be.
            && !(self.wrong.path.starts_with("vary.") && self.text()[at..].starts_with(char::is_alphabetic))
            && more.add(behind.clone(), ",".to_owned())
            && goes_on(self.file, &more, part_of_line(self.text(), at).end).is_ok();
        is_meant.then_some(behind)
    }

    /// How the part of the line is written in which reading has ended, and where that stands.
    fn of_part_of_line(&self, span: Range<usize>, mistake: &Mistake) -> (Vec<String>, Range<usize>) {
        let part = part_of_line(self.text(), self.at());
        let is_name = self.is_name(mistake);
        let mends = self.hints(part.clone(), &mistake.path);
        if let Some((whole, meant)) = self.part_as_field(&part).filter(|_| is_name) {
            return (vec![format!("a part stands within the whole: write {meant}")], whole);
        }
        let tells = |mend: &String| mend.contains(": write ") || mend.ends_with(" wanted");
        let is_part = is_name || mends.iter().any(tells);
        (mends, if is_part && !part.is_empty() { part } else { span })
    }

    /// Where a path and its value stand in the place of a field, and the same as a field with what is within it:
    /// `preferences: (mu: 0.5)` for `preferences.mu: 0.5`.
    fn part_as_field(&self, path: &Range<usize>) -> Option<(Range<usize>, String)> {
        let text = self.text();
        let (whole, part) = text[path.clone()].split_once('.')?;
        let behind = text[path.end..].strip_prefix(':')?.trim_start();
        let begin = text.len() - behind.len();
        let value = Outline::of(behind).find("").0;
        let meant = format!("{whole}: ({part}: {})", &behind[value.clone()]);
        let span = path.start..begin + value.end;
        self.attempt(&span, &meant).is_ok().then_some((span, meant))
    }
}

/// Where what stands in a line ends, with numbers behind commas if several values were expected.
fn with_numbers(text: &str, end: usize, error: &Error) -> usize {
    let next = |&end: &usize| {
        let rest = text[end..].strip_prefix(',')?;
        let number = rest.trim_start().find(|c: char| !c.is_ascii_digit() && !".OolI".contains(c))?;
        let behind = end + 1 + rest.len() - rest.trim_start().len() + number;
        (number > 0 && text[behind..].starts_with([',', ')', '}'])).then_some(behind)
    };
    let expects_several = match error {
        Error::InvalidValueForType { expected, .. } => expected.starts_with(FIRST_AND_LAST),
        error => matches!(error, Error::ExpectedStructLike | Error::ExpectedArray),
    };
    iter::successors(Some(end), |end| expects_several.then(|| next(end)).flatten()).last().unwrap_or(end)
}

/// What is wrong with a word of which only the beginning, a number or a name, could be read.
fn unread(word: &str) -> &'static str {
    match word {
        _ if word.parse::<f64>().is_ok() => "expected a whole number",
        _ if word.starts_with(char::is_alphabetic) && word.ends_with(')') => "expected a name without brackets",
        _ => "expected a number, or text in quotes",
    }
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
