//! `sim SCENARIO`: runs a study and prints what came out.

use super::{
    args::{Input, RunOptions},
    error::CliError,
    print, progress, summary,
};
use crate::{
    record::{Recorder, Run, Status},
    scenario,
    study::{self, Options, StudyError},
};
use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Instant, SystemTime},
};

/// Runs the study; its results are on disk before anything is printed.
pub(super) fn run(input: &Input, arguments: &RunOptions) -> Result<(), CliError> {
    let (clock, started) = now();
    let plan = scenario::load(&input.scenario, &input.overrides())?;
    let interrupted = watch_for_interruption()?;
    let recorder = Recorder::create(&arguments.out, &plan, started, command_line())?;
    let folder = recorder.folder().to_owned();
    tracing::info!(folder = %folder.display(), cases = plan.case_count(), "the study begins");
    let options = Options { shards: arguments.shards, interrupted };
    let visible = !arguments.quiet && arguments.verbose == 0;
    let (recorder, result) = study::run(&plan, recorder, &options, progress::on_stderr(visible, clock));
    let status = result.as_ref().map_or_else(status, |()| Status::Finished);
    recorder.finish(status, clock.elapsed())?;
    if let Err(error) = result {
        return Err(CliError::Study { error, folder });
    }
    if arguments.quiet {
        return print(&format!("{}\n", folder.display()));
    }
    print(&summary::summary(&Run::open(&folder)?, None)?)
}

#[expect(clippy::disallowed_methods, reason = "the command line measures the run's wall time")]
fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

fn command_line() -> String {
    std::env::args_os().map(|argument| argument.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// The flag that Ctrl-C sets. A second Ctrl-C ends the program at once.
fn watch_for_interruption() -> Result<Arc<AtomicBool>, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            process::exit(1);
        }
    })?;
    Ok(interrupted)
}

fn status(error: &StudyError) -> Status {
    match error {
        StudyError::Interrupted => Status::Interrupted,
        other => Status::Failed(other.to_string()),
    }
}
