//! What people look at: figures and one page, made from a run's folder and from nothing else.
//!
//! A chart is made once, from tables, and drawn twice: on paper (SVG and PNG, in `figures/`) and on the page
//! (`report.html`), where it can be hovered over and zoomed into.

// Hidden: the tests look at what is drawn, and from what.
#[doc(hidden)]
pub mod chart;
#[doc(hidden)]
pub mod charts;
#[doc(hidden)]
pub mod data;
#[doc(hidden)]
#[cfg(feature = "figures")]
pub mod figures;
#[doc(hidden)]
pub mod page;

mod moments;

// Hidden: `sim` prints numbers and knobs as the report does.
#[doc(hidden)]
pub mod format;

use data::Data;
use microgrid_record::{RecordError, Run, caught};
use std::path::PathBuf;

/// Makes what people look at from the tables of a run, in its folder, in place of what was there: the figures, and the
/// page, whose path it returns. Where figures cannot be drawn, there is the page all the same.
///
/// # Errors
/// If a table that the run keeps cannot be read, a chart cannot be drawn, or a file cannot be written.
pub fn write(run: &mut Run) -> Result<PathBuf, RecordError> {
    let page = run.folder().join(page::FILE);
    let made = caught(|| {
        let data = Data::read(run)?;
        #[cfg(feature = "figures")]
        let drawn = figures::write(run, &data);
        #[cfg(not(feature = "figures"))]
        let drawn = Ok(());
        let page = page::write(run, &data)?;
        drawn.map(|()| page)
    });
    made.unwrap_or_else(|why| Err(RecordError::content(&page)(format!("it cannot be made: {why}"))))
}
