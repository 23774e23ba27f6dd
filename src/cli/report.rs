//! `sim report RUN`: the report and the figures of a run, made anew.

use super::{error::CliError, print};
use crate::{record::Run, report};
use std::path::Path;

/// Makes the report of a run from its folder, says where it is, and opens it if that is asked for.
pub(super) fn report(run: &Path, open: bool) -> Result<(), CliError> {
    let mut run = Run::open(run).map_err(CliError::bad_input)?;
    let path = report::write(&mut run).map_err(CliError::failed)?;
    print(&format!("{}\n", path.display()))?;
    if open {
        let failed = |error| CliError::failed(format!("the report is made, but nothing could open it: {error}"));
        open::that_detached(&path).map_err(failed)?;
    }
    Ok(())
}
