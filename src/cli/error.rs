//! Why the command ends without success.

use crate::{
    framework::{SimulationError, quoted},
    ledger::{position::Position, reader::ReadError, verify::VerifyError},
    record::RecordError,
    scenario::{ScenarioError, schema::Record},
    study::StudyError,
};
use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Why the command ends without success.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The scenario is not valid. Its message stands by itself.
    #[error("{0}")]
    Scenario(#[from] ScenarioError),
    /// There is no such run, or it cannot be read.
    #[error("error: {0}")]
    BadRun(RecordError),
    /// The run has no results of this case; those of the cases up to `last` it has.
    #[error("error: the run has no results of case {case}; {}", up_to(*last))]
    NoCase { case: u32, last: u32 },
    /// The run has no such slot.
    #[error("error: the run has no results of slot {0}")]
    NoSlot(u32),
    /// The scenario's market is not open in this slot.
    #[error("error: the market is open in slots {first} to {last}, not in slot {slot}")]
    NotOpen { slot: u32, first: u32, last: u32 },
    /// There is no folder to list.
    #[error("error: cannot list {}: {source}", folder.display())]
    NoFolder { folder: PathBuf, source: io::Error },
    /// Manual pages cannot be written.
    #[error("error: cannot write to {}: {source}", folder.display())]
    NotWritten { folder: PathBuf, source: io::Error },
    /// There is no ledger where one was looked for.
    #[error("error: there is no ledger.db in {}, nor in the run to which its `latest` links", .0.display())]
    NoLedger(PathBuf),
    /// The run keeps no ledger.
    #[error("error: {} keeps no ledger: its scenario has `record: {record:?}`", run.display())]
    LedgerNotRecorded { run: PathBuf, record: Record },
    /// The ledger has no such case, channel or block.
    #[error("error: the ledger has no {0}")]
    NotOnLedger(Position),
    /// The ledger cannot be read.
    #[error("error: {place}: {0}", place = .0.place())]
    Ledger(#[from] ReadError),
    /// The ledger does not verify.
    #[error("error: {0}")]
    Unverified(VerifyError),
    /// The results cannot be written.
    #[error("error: {0}")]
    Record(#[from] RecordError),
    /// No browser can be started.
    #[error("error: cannot open {}: {source}", path.display())]
    Browser { path: PathBuf, source: io::Error },
    /// The study ended early.
    #[error("error: {error}\nwhat was done before is in {}{}", folder.display(), resume(error, folder))]
    Study { error: StudyError, folder: PathBuf },
    /// The study cannot be run.
    #[error("error: {0}")]
    Simulation(SimulationError),
    /// Ctrl-C cannot be caught.
    #[error("error: cannot watch for interruption: {0}")]
    Signal(#[from] ctrlc::Error),
    /// Standard output cannot be written.
    #[error("error: cannot print: {0}")]
    Output(io::Error),
}

/// How to go on, where that can help: a case that fails would do so again.
fn resume(error: &StudyError, folder: &Path) -> String {
    match error {
        StudyError::Case { .. } => String::new(),
        StudyError::Interrupted | StudyError::Record(_) => {
            let folder = quoted(&folder.display().to_string());
            format!("\n`sim resume {folder}` finishes it")
        }
    }
}

fn up_to(last: u32) -> String {
    match last {
        0 => "it has none at all".to_owned(),
        1 => "it has those of case 1".to_owned(),
        last => format!("it has those of cases 1 to {last}"),
    }
}

impl From<SimulationError> for CliError {
    fn from(error: SimulationError) -> Self {
        match error {
            SimulationError::Scenario(error) => Self::Scenario(error),
            SimulationError::Record(
                error @ (RecordError::OtherVersion { .. } | RecordError::OtherScenario(_) | RecordError::UnderWay(_)),
            ) => Self::BadRun(error),
            SimulationError::Record(error) => Self::Record(error),
            SimulationError::Ended { error, folder } => Self::Study { error, folder },
            other => Self::Simulation(other),
        }
    }
}

impl CliError {
    /// 2 for bad input, 1 for anything else.
    pub(super) fn exit_code(&self) -> ExitCode {
        let bad_input = matches!(
            self,
            Self::Scenario(_)
                | Self::BadRun(_)
                | Self::NoCase { .. }
                | Self::NoSlot(_)
                | Self::NotOpen { .. }
                | Self::NoFolder { .. }
                | Self::NoLedger(_)
                | Self::LedgerNotRecorded { .. }
                | Self::NotOnLedger(_)
                | Self::Ledger(ReadError::Open { .. } | ReadError::Blank(_))
                | Self::Unverified(VerifyError::Open(_))
        );
        if bad_input { ExitCode::from(2) } else { ExitCode::FAILURE }
    }
}
