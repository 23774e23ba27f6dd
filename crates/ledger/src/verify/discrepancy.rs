//! What is wrong with a ledger, in words, and where.

use super::report::Report;
use crate::{position::Position, reader::ReadError};
use microgrid_agents::{chain::identity::Party, debug_as_display};

/// Why a ledger does not verify.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no file that could be opened, or nothing in it.
    #[error(transparent)]
    Open(ReadError),
    /// Something is wrong with it.
    #[error("{place}: {what}")]
    Discrepancy {
        /// Where.
        place: Position,
        /// What.
        what: String,
        /// What was found to be right before.
        so_far: Box<Report>,
    },
}

debug_as_display!(VerifyError);

/// The first discrepancy, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Position,
    pub(super) what: String,
}

impl Position {
    /// What is wrong here.
    pub(super) fn wrong(self, what: impl Into<String>) -> Found {
        Found { place: self, what: what.into() }
    }
}

impl From<ReadError> for Found {
    fn from(error: ReadError) -> Self {
        error.place().wrong(error.to_string())
    }
}

impl From<rusqlite::Error> for Found {
    fn from(error: rusqlite::Error) -> Self {
        ReadError::from(error).into()
    }
}

/// Fine, or the first discrepancy; where the place is not known, what is wrong in words.
pub(super) type Checked<T = (), E = Found> = Result<T, E>;

/// Whose signature or endorsement does not hold.
pub(super) fn does_not_hold(what: &str, of: Option<Party>) -> String {
    match of {
        None => format!("its {what} does not hold"),
        Some(party) => format!("the {what} of {party} is missing or does not hold"),
    }
}
