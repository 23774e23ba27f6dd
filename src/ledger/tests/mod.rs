//! Ledgers made by hand, and what a verifier says of them when somebody has tampered with them.

pub(crate) mod chain;
pub(crate) mod day;
mod flips;
mod forgery;
mod tampering;

use super::verify::{Discrepancy, Report, VerifyError, verify};
use chain::{Chain, write};
use std::path::PathBuf;
use tempfile::TempDir;

/// A ledger in a temporary folder.
pub(crate) struct File {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

/// A file with these cases.
pub(crate) fn file(cases: &[Chain]) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    write(&path, cases);
    File { _folder: folder, path }
}

impl File {
    fn verify(&self) -> Result<Report, VerifyError> {
        verify(&self.path, &mut |_| {})
    }

    /// Carries out statements, without asking whether they make sense.
    fn tamper(self, sql: &str) -> Self {
        rusqlite::Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
        self
    }

    /// What is wrong with it, as the command prints it.
    fn complaint(&self) -> String {
        self.verify().expect_err("something is wrong").to_string()
    }
}

#[track_caller]
fn discrepancy(error: VerifyError) -> Discrepancy {
    match error {
        VerifyError::Discrepancy { discrepancy, .. } => *discrepancy,
        VerifyError::Open(error) => panic!("{error}"),
    }
}
