//! A run's folder, read back.

use super::{
    error::RecordError,
    folder::{self, LATEST},
    key_figures::{self, KeyFigures},
    manifest::{CaseEntry, Manifest},
    slots::SlotRow,
    summary::{self, Summary},
    table::{self, Row},
};
use microgrid_agents::ids::Slot;
use std::path::{Path, PathBuf};

/// A run's folder, read back.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    manifest: Manifest,
}

impl Run {
    /// Opens the run in `path`, which is a run's folder or a scenario's, whose newest run it then is.
    ///
    /// # Errors
    /// If there is no run, or its manifest cannot be read.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let folder = [path.to_owned(), path.join(LATEST)]
            .into_iter()
            .find(|folder| Manifest::lies_in(folder))
            .ok_or_else(|| RecordError::NoRun(path.to_owned()))?;
        let manifest = Manifest::read(&folder)?;
        Ok(Self { folder, manifest })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was run, when, and how it ended.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The case with this number, if the study has it; whether it has results is told by `slots.csv`.
    pub fn case(&self, number: u32) -> Option<&CaseEntry> {
        self.manifest.cases.get(number.checked_sub(1)? as usize)
    }

    /// The key figures of the cases that are done.
    ///
    /// # Errors
    /// If `kpis.json` cannot be read.
    pub fn key_figures(&self) -> Result<Vec<KeyFigures>, RecordError> {
        folder::read_json(&self.folder.join(key_figures::FILE))
    }

    /// The case and slot that were written last; cases and slots before it are complete. `None` without any.
    ///
    /// # Errors
    /// If `slots.csv` cannot be read.
    pub fn last_slot(&self) -> Result<Option<(u32, Slot)>, RecordError> {
        self.rows::<SlotRow>()?.try_fold(None, |_, row| row.map(|row| Some((row.case, row.slot))))
    }

    /// The rows of a table, one after the other.
    ///
    /// # Errors
    /// If the run keeps no such table, or the file cannot be opened or has other columns; each row by itself if it is
    /// not of this table.
    pub fn rows<R: Row>(&self) -> Result<impl Iterator<Item = Result<R, RecordError>>, RecordError> {
        if !self.keeps(R::FILE) {
            return Err(RecordError::NotRecorded(self.folder.join(R::FILE)));
        }
        table::read(&self.folder)
    }

    /// Whether this file is one of the run's.
    pub fn keeps(&self, file: &str) -> bool {
        self.manifest.files.iter().any(|kept| kept == file)
    }

    /// What each combination of the varied knobs came to, one after the other, over the cases that are complete.
    ///
    /// # Errors
    /// If `slots.csv` cannot be read.
    pub fn summaries(&self) -> Result<impl Iterator<Item = Result<Summary, RecordError>>, RecordError> {
        let Manifest { replicates, slots, .. } = self.manifest;
        Ok(summary::summaries(self.rows()?, replicates, slots))
    }
}
