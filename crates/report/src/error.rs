//! What can go wrong when a report is made.

use microgrid_record::RecordError;
use std::{io, path::PathBuf};

/// What can go wrong when a report is made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A table of the run cannot be read, or its manifest cannot be written.
    #[error(transparent)]
    Run(#[from] RecordError),
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
}
