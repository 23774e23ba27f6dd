//! `sim SCENARIO`: runs a study and prints what came out.

use super::{
    args::{HowToRun, Input, RunOptions},
    error::CliError,
    print, progress, summary,
};
use crate::{
    record::{Recorder, Run, Status},
    report,
    scenario::{self, Plan},
    study::{self, Options, StudyError},
};
use std::{
    path::Path,
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
    let recorder = Recorder::create_as(arguments.format, &arguments.out, &plan, started, command_line())?;
    play(&plan, recorder, &arguments.how, interrupted, clock)
}

/// Runs what `recorder` does not have yet of a plan, from `clock` on, and prints what came out.
pub(super) fn play(
    plan: &Plan,
    recorder: Recorder,
    how: &HowToRun,
    interrupted: Arc<AtomicBool>,
    clock: Instant,
) -> Result<(), CliError> {
    let folder = recorder.folder().to_owned();
    tracing::info!(folder = %folder.display(), cases = plan.case_count(), done = recorder.done(), "the study begins");
    let options = Options { shards: how.shards, jobs: how.jobs, interrupted };
    let visible = !how.quiet && how.verbose == 0;
    let (recorder, result) = study::run(plan, recorder, &options, progress::on_stderr(visible, clock));
    let status = result.as_ref().map_or_else(status, |()| Status::Finished);
    let finished = recorder.finish(status, clock.elapsed());
    let ended = result.as_ref().err().is_none_or(|error| matches!(error, StudyError::Interrupted));
    if ended && finished.is_ok() && !how.no_report {
        report(&folder);
    }
    if let Err(error) = result {
        if let Err(error) = finished {
            tracing::warn!(%error, "the manifest does not tell how the run ended");
        }
        return Err(CliError::Study { error, folder });
    }
    finished?;
    tell(&folder, how)
}

/// Makes the report of a run that has ended. Its results are on disk: whatever goes wrong here is no failure of the run.
fn report(folder: &Path) {
    let written = Run::open(folder).and_then(|mut run| report::write(&mut run));
    if let Err(error) = written {
        tracing::warn!(%error, "the report was not made");
    }
}

/// Prints what came out of a finished run or, if nothing but that is wanted, where it is.
pub(super) fn tell(folder: &Path, how: &HowToRun) -> Result<(), CliError> {
    if how.quiet {
        return print(&format!("{}\n", folder.display()));
    }
    print(&summary::summary(&Run::open(folder)?, None)?)
}

#[expect(clippy::disallowed_methods, reason = "the command line measures the run's wall time")]
pub(super) fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

fn command_line() -> String {
    let arguments = std::env::args_os().map(|argument| quoted(&argument.display().to_string()));
    arguments.collect::<Vec<_>>().join(" ")
}

/// An argument as a shell takes it: in quotes, unless it has only letters, digits and signs that no shell looks at.
pub(super) fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// The flag that Ctrl-C sets. A second Ctrl-C ends the program at once.
pub(super) fn watch_for_interruption() -> Result<Arc<AtomicBool>, CliError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_quoted_arguments_as_they_were_given() {
        for plain in ["scenarios/day.ron", "--set", "delay=1ms,2ms", "mu=0.5"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my day.ron"), "'my day.ron'");
        assert_eq!(quoted("price_step=Fixed(0.1)"), "'price_step=Fixed(0.1)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
