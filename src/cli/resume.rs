//! `sim resume RUN`: finishes a run that was ended early.

use super::{args::ResumeArguments, error::CliError, print, run};
use crate::{
    record::{RecordError, Recorder, Run, SCENARIO, Status},
    scenario::{self, Overrides},
};

/// Runs what the run still lacks; one that is finished is left as it is.
pub(super) fn resume(arguments: &ResumeArguments) -> Result<(), CliError> {
    let (clock, _) = run::now();
    let left = Run::open(&arguments.run).map_err(CliError::BadRun)?;
    if left.manifest().status == Status::Finished {
        let said = format!("{} is finished: there is nothing to resume\n", left.folder().display());
        return if arguments.how.quiet { run::tell(left.folder(), &arguments.how) } else { print(&said) };
    }
    let plan = scenario::load(&left.folder().join(SCENARIO), &Overrides::default())?;
    let interrupted = run::watch_for_interruption()?;
    let recorder = Recorder::resume(&left, &plan).map_err(|error| match error {
        RecordError::OtherVersion { .. } | RecordError::OtherScenario(_) | RecordError::UnderWay(_) => {
            CliError::BadRun(error)
        }
        other => CliError::Record(other),
    })?;
    run::play(&plan, recorder, &arguments.how, interrupted, clock)
}
