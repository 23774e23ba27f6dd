//! `ledger.db`: the chains themselves.

use super::error::RecordError;
use microgrid_agents::observation::Observation;
use microgrid_ledger::{schema, store::Store};
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// A run's `ledger.db` being written.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    store: Store,
}

impl LedgerFile {
    /// Creates it in a run's folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        match Store::create(&path) {
            Ok(store) => Ok(Self { path, store }),
            Err(source) => Err(RecordError::Database { path, source }),
        }
    }

    /// Opens the one in a run's folder to go on behind its first `cases` cases; what it has of others is removed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn reopen(folder: &Path, cases: u32) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        match Store::reopen(&path, cases) {
            Ok(store) => Ok(Self { path, store }),
            Err(source) => Err(RecordError::Database { path, source }),
        }
    }

    /// Takes in all that the ledger in another `folder` holds.
    ///
    /// # Errors
    /// If that cannot be read, or this cannot be written.
    pub(super) fn append_from(&mut self, folder: &Path) -> Result<(), RecordError> {
        let appended = self.store.append_from(&folder.join(schema::FILE));
        appended.map_err(|source| RecordError::Database { path: self.path.clone(), source })
    }

    /// Writes a block or, at a checkpoint, brings all blocks so far to disk; other observations change nothing.
    ///
    /// That they are on disk is announced in the log, and only once it is so.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn add(&mut self, case: u32, what: &Observation) -> Result<(), RecordError> {
        let written = match what {
            Observation::Sealed(block) => self.store.insert(case, block),
            Observation::Checkpoint(signed) => self.store.commit(case, signed).inspect(|()| {
                let [trade, information, energy] = signed.checkpoint.heads.map(|head| head.blocks);
                let slot_closed = signed.checkpoint.closed;
                tracing::debug!(target: "ledger", case, slot_closed, trade, information, energy, "commit on disk");
            }),
            _ => return Ok(()),
        };
        written.map_err(|source| RecordError::Database { path: self.path.clone(), source })
    }

    /// Ends the writing. The file stands alone then, unless somebody else has it open.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn close(self) -> Result<(), RecordError> {
        match self.store.close() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                tracing::warn!(path = %self.path.display(), "somebody reads the ledger: part of it stays in files beside it");
                Ok(())
            }
            closed => closed.map_err(|source| RecordError::Database { path: self.path, source }),
        }
    }
}
