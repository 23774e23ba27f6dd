//! What can go wrong with the results of a run.

use microgrid_agents::ids::Slot;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What can go wrong with the results of a run.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it did not work.
        source: io::Error,
    },
    /// A CSV file cannot be read or written.
    #[error("table {}: {source}", path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: csv::Error,
    },
    /// A database cannot be written.
    #[error("database {}: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The columns of a CSV file are not those of the table.
    #[error("table {}: its header is not that of this table", .0.display())]
    Header(PathBuf),
    /// A JSON file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// There is no run where one was looked for.
    #[error("{} is neither a run's folder nor a folder whose `latest` links to one", .0.display())]
    NoRun(PathBuf),
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

impl RecordError {
    /// Makes an error of an [`io::Error`] met while trying `action` with `path`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
