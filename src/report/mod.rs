//! What people look at: figures and one page, made from a run's folder and from nothing else.
//!
//! | where | what |
//! |---|---|
//! | [`data`] | the run's tables, read once and thinned to what can be seen |
//! | [`chart`] | what is drawn, whatever draws it |
//! | [`charts`] | the charts of a study, of a case's day and of a slot |
//! | [`page`] | `report.html` |
//!
//! A chart is made once, from tables, and drawn twice: on paper (SVG and PNG, in `figures/`) and on the page
//! (`report.html`), where it can be hovered over and zoomed into.

pub mod chart;
pub mod charts;
pub mod data;
pub mod page;

use crate::record::{RecordError, Run};
use std::{fs, io, path::PathBuf};

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run's tables cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The report cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Makes the report of a run from its folder: `report.html`, whose path is returned, and `figures/`.
///
/// # Errors
/// If the run's tables cannot be read, or the report cannot be written.
pub fn write(run: &mut Run) -> Result<PathBuf, ReportError> {
    let data = data::Data::read(run)?;
    let html = page::page(run, &data, &[])?;
    let path = run.folder().join(page::FILE);
    fs::write(&path, html).map_err(|source| ReportError::Write { path: path.clone(), source })?;
    run.add_file(page::FILE)?;
    Ok(path)
}
