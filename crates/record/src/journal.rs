//! `progress.json`: how far a run has come, so that it can be resumed where it was ended.

use super::{error::RecordError, folder};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

/// Name of the file in the folder of a run that is not finished.
pub(super) const FILE: &str = "progress.json";

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The results of so many cases, from the first on, are in the run's tables.
    pub(super) cases: u32,
    /// How long each growing file is up to there [bytes].
    pub(super) lengths: BTreeMap<String, u64>,
}

impl Journal {
    /// Reads the journal of the run in `folder`.
    ///
    /// # Errors
    /// If there is none that can be read.
    pub(super) fn read(folder: &Path) -> Result<Self, RecordError> {
        folder::read_json(&folder.join(FILE))
    }

    /// Writes the journal into `folder`, in place of an older one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<(), RecordError> {
        folder::write_json(&folder.join(FILE), self)
    }

    /// Removes the journal of a run that is finished.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn remove(folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(FILE);
        fs::remove_file(&path).map_err(RecordError::file("remove", &path))
    }

    /// How long `file` is up to there [bytes].
    pub(super) fn length(&self, file: &str) -> u64 {
        self.lengths.get(file).copied().unwrap_or_default()
    }
}
