//! Why nothing was imported.

use microgrid_agents::debug_as_display;
use microgrid_scenario::{Report, ScenarioError};
use std::{io, path::PathBuf};

/// Why nothing was imported.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// What was given cannot be imported; shows the place, what was found and the mend.
    #[error("{0}")]
    Input(#[from] ScenarioError),
    /// What came of it cannot be written.
    #[error("cannot write to {path}: {source}")]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

debug_as_display!(ImportError);

/// A mistake in what was asked for, which has no place in a file.
pub(crate) fn refused(problem: impl Into<String>, notes: impl IntoIterator<Item = String>) -> ScenarioError {
    ScenarioError::Argument(Report::unplaced(problem, notes))
}
