//! The text files a scenario consists of.

use super::{
    error::{Place, Report, ScenarioError},
    mend::kind_of_file,
};
use std::{fs, io, ops::Range, path::Path, sync::Arc};

/// A file with its text.
#[derive(Clone, Debug)]
pub(super) struct TextFile {
    /// Its path as it was given; `None` for an argument of the command line.
    pub(super) path: Option<String>,
    /// What it holds, without a byte order mark.
    pub(super) text: Arc<str>,
}

impl TextFile {
    /// Reads the file at `path`, or says in words why there is none. Fails if its bytes are no text.
    pub(super) fn read(path: &Path) -> Result<Result<Self, String>, ScenarioError> {
        let shown = path.display().to_string();
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Ok(Err(match error.kind() {
                    _ if path.is_dir() => "it is a folder".to_owned(),
                    io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    io::ErrorKind::PermissionDenied => "reading it is not permitted".to_owned(),
                    _ => error.to_string(),
                }));
            }
        };
        if let Some(kind) = kind_of_file(&bytes) {
            let problem = format!("{shown} is {kind}");
            return Err(ScenarioError::Unreadable(Box::new(Report { problem, place: None, notes: Vec::new() })));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Ok(Self { path: Some(shown), text: text.strip_prefix('\u{feff}').unwrap_or(&text).into() })),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let found = format!("found byte 0x{:02X}", error.as_bytes()[at]);
                // Up to the bad byte both are the same, and there the lossy text has a replacement character.
                let span = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
                let file = Self { path: Some(shown), text: String::from_utf8_lossy(error.as_bytes()).into() };
                let problem = "the file is not UTF-8 text".to_owned();
                let mend = "save it as UTF-8".to_owned();
                Err(ScenarioError::Unreadable(file.report(problem, span, found, [mend])))
            }
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
        let place = Place { file: self.path.clone(), text: self.text.clone(), span, found };
        Box::new(Report { problem, place: Some(place), notes: notes.into_iter().collect() })
    }
}
