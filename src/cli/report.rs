//! `sim report RUN`: the report and the figures of a run, made anew.

use super::{args::ReportArguments, error::CliError, print};
use crate::{record::Run, report};

/// Makes the report of a run from its folder, says where it is, and opens it if that is asked for.
pub(super) fn report(arguments: &ReportArguments) -> Result<(), CliError> {
    let mut run = Run::open(&arguments.run).map_err(CliError::BadRun)?;
    let path = report::write(&mut run)?;
    print(&format!("{}\n", path.display()))?;
    if arguments.open {
        open::that_detached(&path).map_err(|source| CliError::Browser { path, source })?;
    }
    Ok(())
}
