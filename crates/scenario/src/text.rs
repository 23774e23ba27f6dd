//! The text files a scenario consists of.

use super::{
    error::{Place, Report, ScenarioError},
    files,
    kinds::kind_of_file,
};
use std::{borrow::Cow, ops::Range, path::Path, sync::Arc};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Largest file of a scenario [bytes].
pub(super) const LARGEST_SCENARIO: u64 = 16 << 20;
/// Largest data file [bytes]: a day of a million prosumers has some 1.6e9.
pub const LARGEST_DATA: u64 = 2 << 30;

/// A file with its text.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Its path as it was given; `None` for an argument of the command line.
    pub path: Option<String>,
    /// What it holds, without a byte order mark, and composed.
    pub text: Arc<str>,
}

impl TextFile {
    /// Reads the file at `path` of at most so many bytes, or says in words why there is none. Fails if its bytes are no
    /// text.
    pub fn read(path: &Path, most: u64) -> Result<Result<Self, String>, ScenarioError> {
        match files::read(path, most) {
            Ok(bytes) => Self::of(path.display().to_string(), bytes).map(Ok),
            Err(error) => Ok(Err(files::in_words(&error))),
        }
    }

    /// What these bytes hold, of a file that is called so. Fails if they are no text.
    pub fn of(shown: String, bytes: Vec<u8>) -> Result<Self, ScenarioError> {
        if let Some(kind) = kind_of_file(&bytes) {
            let problem = format!("{shown} is {kind}");
            return Err(ScenarioError::Unreadable(Box::new(Report { problem, place: None, notes: Vec::new() })));
        }
        let text = String::from_utf8(bytes).map_err(|error| (error.utf8_error().valid_up_to(), error.into_bytes()));
        let text = text.and_then(|text| match text.find('\0') {
            None => Ok(text),
            Some(at) => Err((at, text.into_bytes())),
        });
        match text {
            Ok(text) => {
                Ok(Self { path: Some(shown), text: composed(text.strip_prefix('\u{feff}').unwrap_or(&text)).into() })
            }
            Err((at, bytes)) => {
                let found = format!("found byte 0x{:02X}", bytes[at]);
                // Up to the bad byte both are the same, and there the lossy text has some character.
                let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
                let span = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
                let (problem, mend) = match bytes[at] {
                    0 => ("the file has a NUL, which no text has", "take it out; if there are many, save it as UTF-8"),
                    _ => ("the file is not UTF-8 text", "save it as UTF-8"),
                };
                let file = Self { path: Some(shown), text };
                Err(ScenarioError::Unreadable(file.report(problem.to_owned(), span, found, [mend.to_owned()])))
            }
        }
    }

    /// A report of a problem at `span` [bytes].
    pub fn report(
        &self,
        problem: String,
        span: Range<usize>,
        found: String,
        notes: impl IntoIterator<Item = String>,
    ) -> Box<Report> {
        let place = Place { file: self.path.clone(), text: self.text.clone(), span, found };
        Box::new(Report { problem, place: Some(place), notes: notes.into_iter().collect() })
    }

    /// The line that begins at byte `start`.
    pub fn line(&self, start: usize) -> Range<usize> {
        line_at(&self.text, start)
    }

    /// Where cell `n` stands of the row of a table that begins at byte `start`, with this letter between cells.
    pub fn cell(&self, start: usize, n: usize, separator: char) -> Range<usize> {
        let line = self.line(start);
        let mut quoted = false;
        let between = |letter: char| {
            quoted ^= letter == '"';
            letter == separator && !quoted
        };
        let cell = self.text[line.clone()].split(between).nth(n).unwrap_or_default().trim();
        if cell.is_empty() && n == 0 {
            return line.start..line.start;
        }
        // Its place is the difference of its address and that of the text.
        let start = cell.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + cell.len()
    }
}

/// The text with letters and their accents as one sign each (NFC), as most programs write them: names that look alike are
/// the same.
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// The line that begins at byte `start`.
pub(super) fn line_at(text: &str, start: usize) -> Range<usize> {
    let line = text[start..].lines().next().unwrap_or_default();
    start..start + line.len()
}
