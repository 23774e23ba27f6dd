//! Reads the text files a scenario consists of.

use super::error::{Place, Report, ScenarioError};
use std::{fs, io, ops::Range, path::Path, sync::Arc};

/// A file with its text.
#[derive(Clone, Debug)]
pub(super) struct TextFile {
    /// Its path as it was given.
    pub(super) path: String,
    /// What it holds, without a byte order mark.
    pub(super) text: Arc<str>,
}

/// Why a file has no text to offer.
pub(super) enum Unreadable {
    /// It cannot be opened, for this reason.
    NoFile(&'static str),
    /// It can be opened but not read.
    Broken(io::Error),
    /// Its bytes are no text; the error shows where.
    NoText(ScenarioError),
}

impl TextFile {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, Unreadable> {
        let shown = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            _ if path.is_dir() => Unreadable::NoFile("it is a folder"),
            io::ErrorKind::NotFound => Unreadable::NoFile("there is no such file"),
            io::ErrorKind::PermissionDenied => Unreadable::NoFile("reading it is not permitted"),
            _ => Unreadable::Broken(error),
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { path: shown, text: text.strip_prefix('\u{feff}').unwrap_or(&text).into() }),
            Err(error) => Err(Unreadable::NoText(not_utf8(shown, &error))),
        }
    }

    /// A report of a problem at `span` [bytes].
    pub(super) fn report(
        &self,
        problem: String,
        span: Range<usize>,
        found: String,
        notes: impl IntoIterator<Item = String>,
    ) -> Box<Report> {
        let place = Place { file: Some(self.path.clone()), text: self.text.clone(), span, found };
        Box::new(Report { problem, place: Some(place), notes: notes.into_iter().collect() })
    }
}

impl Unreadable {
    /// The reason in words, unless there is already an error that shows the place.
    pub(super) fn reason(self) -> Result<String, ScenarioError> {
        match self {
            Self::NoFile(reason) => Ok(reason.to_owned()),
            Self::Broken(error) => Ok(error.to_string()),
            Self::NoText(error) => Err(error),
        }
    }
}

fn not_utf8(path: String, error: &std::string::FromUtf8Error) -> ScenarioError {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes()[at];
    let text: Arc<str> = String::from_utf8_lossy(error.as_bytes()).into();
    // Up to the bad byte both are the same, and there the lossy text has a replacement character.
    let span = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
    let file = TextFile { path, text };
    let problem = "the file is not UTF-8 text".to_owned();
    ScenarioError::Unreadable(file.report(problem, span, format!("found byte 0x{byte:02X}"), []))
}
