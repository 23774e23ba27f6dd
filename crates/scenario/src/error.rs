//! What is wrong with a scenario, shown where it is wrong.

use super::mend::rounded_off;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use microgrid_agents::debug_as_display;
use std::{fmt, ops::Range, sync::Arc};

/// Why a scenario cannot be run. Each displays as plain text that shows the place, what was found and what is allowed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A file cannot be read, or holds no text.
    #[error("{0}")]
    Unreadable(Box<Report>),
    /// The scenario is not RON, or not a scenario: unknown or missing field, wrong type.
    #[error("{0}")]
    Malformed(Box<Report>),
    /// A field's value is not allowed, by itself or beside other fields.
    #[error("{0}")]
    NotAllowed(Box<Report>),
    /// Profiles or tariffs have a mistake.
    #[error("{0}")]
    Data(Box<Report>),
    /// An argument of the command line has a mistake.
    #[error("{0}")]
    Argument(Box<Report>),
}

impl ScenarioError {
    pub(super) fn report(&self) -> &Report {
        let (Self::Unreadable(report)
        | Self::Malformed(report)
        | Self::NotAllowed(report)
        | Self::Data(report)
        | Self::Argument(report)) = self;
        report
    }

    /// Where the mistake stands, if it stands in a text.
    pub fn place(&self) -> Option<Position<'_>> {
        self.report().place.as_ref().map(Place::position)
    }

    /// The same with another note behind its own.
    #[doc(hidden)]
    pub fn noted(mut self, note: &str) -> Self {
        let (Self::Unreadable(report)
        | Self::Malformed(report)
        | Self::NotAllowed(report)
        | Self::Data(report)
        | Self::Argument(report)) = &mut self;
        report.notes.push(note.to_owned());
        self
    }
}

/// What is wrong with a value, or with the name of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    /// The value's path, such as `market.open`; empty if it is no value of its own.
    pub(super) path: String,
    pub(super) problem: String,
    /// What stands there, where that is not to be seen.
    pub(super) found: String,
    /// What is allowed, and hints.
    pub(super) notes: Vec<String>,
    /// Whether there is no such part to have a value.
    pub(super) is_of_name: bool,
    /// Where it stands in the text of the value, if not all of it is meant [bytes].
    pub(super) part: Option<Box<Range<usize>>>,
}

impl Mistake {
    pub(super) fn new(problem: impl Into<String>, notes: impl Into<Vec<String>>) -> Self {
        let (path, found) = (String::new(), String::new());
        Self { path, problem: problem.into(), found, notes: notes.into(), is_of_name: false, part: None }
    }

    /// Puts hints before the notes that are there.
    pub(super) fn add(&mut self, hints: Vec<String>) {
        self.notes.splice(0..0, hints);
    }

    pub(super) fn of_name(problem: String, notes: impl Into<Vec<String>>) -> Self {
        Self { is_of_name: true, ..Self::new(problem, notes) }
    }

    /// A value that is not allowed.
    pub(super) fn value(path: &str, problem: &str, found: impl fmt::Display, allowed: impl fmt::Display) -> Self {
        let (found, allowed) = (found.to_string(), allowed.to_string());
        let may_be_zero = allowed.starts_with("from 0 ") || allowed.starts_with("0,");
        let mend = may_be_zero.then(|| rounded_off(&found)).flatten();
        let notes: Vec<_> = mend.into_iter().chain([format!("allowed: {allowed}")]).collect();
        Self { path: path.into(), found, ..Self::new(problem, notes) }
    }
}

impl From<Mistake> for Vec<Mistake> {
    fn from(mistake: Mistake) -> Self {
        vec![mistake]
    }
}

/// A mistake with its place.
#[derive(Clone)]
pub struct Report {
    /// What is wrong, in one line that starts with the field's path or column where there is one.
    pub(super) problem: String,
    /// Where, if it has a place in a text.
    pub(super) place: Option<Place>,
    /// What is allowed instead, and hints; one line each.
    pub(super) notes: Vec<String>,
}

/// A place in a text.
#[derive(Clone)]
pub(super) struct Place {
    /// Path of the file as it was given; `None` for the command line.
    pub(super) file: Option<String>,
    pub(super) text: Arc<str>,
    pub(super) span: Range<usize>,
    pub(super) found: String,
}

/// Where in a text a mistake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// The file as it was given; `None` for an argument of the command line.
    pub file: Option<&'a str>,
    /// Its line, from 1.
    pub line: usize,
    /// The letter of this line with which it begins, from 1.
    pub column: usize,
}

/// More of a line [bytes], or of what is said of it [letters], is no help to anybody, whatever a file holds.
const MOST_SHOWN: usize = 1000;

impl Report {
    /// What is wrong, of which there is no text to show.
    #[doc(hidden)]
    pub fn unplaced(problem: impl Into<String>, notes: impl IntoIterator<Item = String>) -> Box<Self> {
        Box::new(Self { problem: problem.into(), place: None, notes: notes.into_iter().collect() })
    }

    fn write(&self, level: Level<'static>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shortened = |text: &str| match text.char_indices().nth(MOST_SHOWN) {
            Some((end, _)) => format!("{} ...", &text[..end]),
            None => text.to_owned(),
        };
        let title = level.primary_title(shortened(&self.problem));
        let mut group = match &self.place {
            None => Group::with_title(title),
            Some(place) => {
                let (line, text, span) = place.shown();
                let underlined = AnnotationKind::Primary.span(span).label(shortened(&place.found));
                let snippet = Snippet::source(text)
                    .path(place.file.as_deref())
                    .line_start(line)
                    .line_numbering(place.file.is_some())
                    .annotation(underlined);
                title.element(snippet)
            }
        };
        for note in &self.notes {
            group = group.element(Level::NOTE.message(shortened(note)));
        }
        f.write_str(&Renderer::plain().render(&[group]))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(Level::ERROR, f)
    }
}

/// What is allowed, but hardly meant. Displays as plain text that shows the place, if it has one.
#[derive(Clone)]
pub struct Warning(Box<Report>);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(Level::WARNING, f)
    }
}

impl From<ScenarioError> for Warning {
    fn from(error: ScenarioError) -> Self {
        match error {
            ScenarioError::Unreadable(report)
            | ScenarioError::Malformed(report)
            | ScenarioError::NotAllowed(report)
            | ScenarioError::Data(report)
            | ScenarioError::Argument(report) => Self(report),
        }
    }
}

// The whole text of a file would be no help.
debug_as_display!(ScenarioError, Report, Warning);

impl Place {
    fn position(&self) -> Position<'_> {
        let before = &self.text[..self.span.start];
        let line = before.rsplit('\n').next().unwrap_or_default();
        let [line, column] = [before.matches('\n').count() + 1, line.chars().count() + 1];
        Position { file: self.file.as_deref(), line, column }
    }

    /// The line of the text in which the span begins, with its number, and what is on it of the span. What is far from
    /// the span is left out.
    fn shown(&self) -> (usize, String, Range<usize>) {
        // What is missing at the end of a file is so behind its last line.
        let is_end = self.span.start == self.text.len();
        let at = if is_end { self.text.trim_end_matches(['\r', '\n']).len() } else { self.span.start };
        let (before, after) = self.text.split_at(at);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let of_line = |from: &str, most: usize| from.lines().next().unwrap_or_default().floor_char_boundary(most);
        let underlined = after[..of_line(&after[..self.span.len()], MOST_SHOWN)].trim_end().len();
        let end = at + of_line(after, underlined + MOST_SHOWN);
        // Where a letter is left out stands another, so that columns are those of the text.
        let near = before.ceil_char_boundary(start.max(at.saturating_sub(MOST_SHOWN)));
        let mut line = ".".repeat(before[start..near].chars().count());
        let column = line.len() + at - near;
        line += &self.text[near..end];
        (1 + before.matches('\n').count(), line, column..column + underlined)
    }
}

/// A hint at the known name that looks most like `name`, if one does.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    most_like(name, known).map(|closest| format!("did you mean `{closest}`?"))
}

/// The known name that looks most like `name`, whatever its capitals, if one does: before all others one that has all words
/// of it, as `service_fee` has `fee`, or whose words it has. Nobody has mistyped what is longer than any name.
pub(super) fn most_like<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let has_words = |one: &str, of: &str| of.split('_').all(|word| one.split('_').any(|known| known == word));
    let name = name.to_lowercase();
    let likeness = |known: &'a str| {
        let lower = known.to_lowercase();
        let contained = has_words(&lower, &name) || has_words(&name, &lower);
        (contained, strsim::jaro_winkler(&name, &lower), known)
    };
    let likenesses = known.into_iter().filter(|_| name.len() <= 100).map(likeness);
    let (contained, likeness, closest) =
        likenesses.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))?;
    (contained || likeness > 0.8).then_some(closest)
}
