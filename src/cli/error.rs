//! Why the command ends without success.

use super::{terminal::clean, text::red};
use crate::{
    framework::{SimulationError, quoted},
    ledger::{reader::ReadError, verify::VerifyError},
    record::RecordError,
    scenario::{ScenarioError, files},
    study::StudyError,
};
use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
    path::Path,
};

/// Why the command ends without success: what there is still to say of it, if anything, and the exit code.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) text: String,
    pub(super) exit_code: u8,
}

impl CliError {
    /// What the command was given is at fault: a scenario, or a run, case or slot that is not there.
    pub(super) fn bad_input(why: impl Display) -> Self {
        Self { text: format!("error: {why}"), exit_code: 2 }
    }

    pub(super) fn failed(why: impl Display) -> Self {
        Self { text: format!("error: {why}"), exit_code: 1 }
    }

    /// Something cannot be written into a folder: where that is none, the command was given a wrong one.
    pub(super) fn writing(folder: &Path, error: &io::Error) -> Self {
        let why = format!("cannot write to {}: {}", folder.display(), files::in_words(error));
        if is_in_the_way(error) { Self::bad_input(why) } else { Self::failed(why) }
    }

    /// Says on stderr what there is to say.
    pub(super) fn print(&self) {
        let text = clean(&self.text);
        let rest = text.strip_prefix("error:");
        let text = rest.map_or_else(|| text.clone(), |rest| red("error:") + rest);
        if !text.is_empty() {
            // Where the terminal has been closed there is nobody to read it, and the exit code stays the same.
            writeln!(anstream::stderr(), "{text}").unwrap_or_default();
        }
    }
}

/// Its message stands by itself.
impl From<ScenarioError> for CliError {
    fn from(error: ScenarioError) -> Self {
        Self { text: error.to_string(), ..Self::bad_input("") }
    }
}

impl From<SimulationError> for CliError {
    fn from(error: SimulationError) -> Self {
        match error {
            SimulationError::Scenario(error) => error.into(),
            SimulationError::Record(
                error @ (RecordError::OtherVersion { .. }
                | RecordError::OtherScenario(_)
                | RecordError::UnderWay(_)
                | RecordError::Damaged { .. }),
            ) => Self::bad_input(error),
            error @ (SimulationError::Part(_) | SimulationError::Merge(_)) => Self::bad_input(error),
            // Where there is a file there can be no folder of results.
            SimulationError::Record(RecordError::File { action: action @ "create", path, source })
                if is_in_the_way(&source) =>
            {
                Self::bad_input(RecordError::File { action, path, source })
            }
            SimulationError::Ended { error, folder } => {
                let resume = match error {
                    // It would fail so again.
                    StudyError::Case { .. } | StudyError::Panicked { .. } => String::new(),
                    _ => format!("\n`sim resume {}` finishes it", quoted(&folder.display().to_string())),
                };
                Self::failed(format!("{error}\nwhat was done before is in {}{resume}", folder.display()))
            }
            other => Self::failed(other),
        }
    }
}

fn is_in_the_way(error: &io::Error) -> bool {
    [ErrorKind::NotADirectory, ErrorKind::AlreadyExists].contains(&error.kind())
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        let text = format!("{}: {error}", error.place());
        match error {
            ReadError::Open { .. } | ReadError::NoFile(_) | ReadError::Blank(_) => Self::bad_input(text),
            _ => Self::failed(text),
        }
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Open(_) => Self::bad_input(error),
            _ => Self::failed(error),
        }
    }
}
