//! What can go wrong with the results of a run.

use super::SCENARIO;
use microgrid_agents::{debug_as_display, ids::Slot};
use microgrid_scenario::{files, schema::Record};
use std::{
    error::Error,
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

/// What can go wrong with the results of a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {}: {}", path.display(), files::in_words(source))]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it did not work.
        source: io::Error,
    },
    /// What a file holds cannot be read or written: it is not of the form that it should be.
    #[error("{}: {source}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file of a run is not as the run has written it.
    #[error("{}: {why}{}", path.display(), mend(path))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The columns of a table's file are not those of the table.
    #[error("table {}: its header is not that of this table{}", .0.display(), mend(.0))]
    Header(PathBuf),
    /// The last columns of the table are missing in its file, as in runs of older versions.
    #[error("table {}: it has no {}{}", path.display(), columns.join(", "), older(path))]
    Older {
        /// Which file.
        path: PathBuf,
        /// What it has not.
        columns: Vec<&'static str>,
    },
    /// A file is shorter than the run's progress says: it was changed by somebody else, or the machine went down.
    #[error("{} has lost what was in it: there should be {length} bytes", path.display())]
    Short {
        /// Which file.
        path: PathBuf,
        /// How long it should be at least [bytes].
        length: u64,
    },
    /// A file is not what the run's progress says: one of the two was changed by somebody else.
    #[error("{} is not what progress.json beside it says: {what}", path.display())]
    OutOfStep {
        /// Which file.
        path: PathBuf,
        /// What is not as it says.
        what: String,
    },
    /// The run keeps no such table.
    #[error("{} was not recorded: its scenario has `record: {record:?}`", path.display())]
    NotRecorded {
        /// The table as it would be.
        path: PathBuf,
        /// What the run's scenario says.
        record: Record,
    },
    /// The table is put together when the run ends, and the run has not ended by itself.
    #[error("{} is made when the run ends: finish it with `sim resume`", .0.display())]
    NotUnited(PathBuf),
    /// Somebody is writing the run.
    #[error("{} is still under way", .0.display())]
    UnderWay(PathBuf),
    /// The run was made by a program of another version.
    #[error(
        "the run was made by version {made_by} of the program and this is version {}: resume it with that one, or start \
         again with `sim {}`",
        env!("CARGO_PKG_VERSION"),
        scenario.display()
    )]
    OtherVersion {
        /// The version that made it.
        made_by: String,
        /// The run's scenario.
        scenario: PathBuf,
    },
    /// The run followed rules of the program that made it, which are in no file.
    #[error("{} was made by a program with rules of its own: only that program can make it again", .0.display())]
    OwnRules(PathBuf),
    /// The run's scenario is not the one that its manifest tells of.
    #[error("{} has changed since the run began: its cases are others", .0.display())]
    OtherScenario(PathBuf),
    /// There is no run where one was looked for.
    #[error("{} {why}", path.display())]
    NoRun {
        /// Where.
        path: PathBuf,
        /// What is there instead, and what may be meant.
        why: String,
    },
    /// The ledger closed a slot before a prosumer had reported on it: a fault of the simulation, which ends the run.
    #[error("slot {slot} was closed before prosumer {prosumer} was done with it")]
    Incomplete {
        /// Which slot.
        slot: Slot,
        /// Number of the prosumer.
        prosumer: u32,
    },
    /// The ledger closed a slot without a checkpoint that stands for its blocks: a fault of the simulation, which ends
    /// the run.
    #[error("slot {0} was closed without a checkpoint")]
    WithoutCheckpoint(Slot),
}

debug_as_display!(RecordError);

/// What to do about a file of a run that is not as it was written.
fn mend(path: &Path) -> String {
    format!("\nit is not as the run has written it: put back what was there{}", again(path))
}

fn older(path: &Path) -> String {
    format!("\nit is of an older version of the program: look at it with that one{}", again(path))
}

/// How the run of a file is made again, where that can be told.
fn again(path: &Path) -> String {
    let scenario = path.ancestors().skip(1).map(|folder| folder.join(SCENARIO)).find(|scenario| scenario.is_file());
    scenario.map_or_else(String::new, |scenario| format!(", or run again: `sim {}`", scenario.display()))
}

impl RecordError {
    /// Makes an error of what is wrong with a file that a run has written otherwise.
    pub(super) fn damaged<E: Display>(path: &Path) -> impl Fn(E) -> Self + use<E> {
        let path = path.to_owned();
        move |why| Self::Damaged { path: path.clone(), why: why.to_string() }
    }

    /// Makes an error of one met in the rows of the table at `path`: they are damaged, or cannot be had.
    pub(super) fn of_rows(path: &Path) -> impl Fn(csv::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| {
            let why = error.to_string();
            match error.into_kind() {
                csv::ErrorKind::Io(source) => Self::file("read", &path)(source),
                _ => Self::damaged(&path)(why),
            }
        }
    }

    /// Makes an error of one met in what the file at `path` holds.
    pub fn content<E: Into<Box<dyn Error + Send + Sync>>>(path: &Path) -> impl Fn(E) -> Self + use<E> {
        let path = path.to_owned();
        move |source| Self::Content { path: path.clone(), source: source.into() }
    }

    /// Makes an error of a file that is not `what` the run's progress says.
    pub(super) fn out_of_step(path: &Path, what: impl Into<String>) -> Self {
        Self::OutOfStep { path: path.to_owned(), what: what.into() }
    }

    /// Makes an error of an [`io::Error`] met while trying `action` with `path`.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
