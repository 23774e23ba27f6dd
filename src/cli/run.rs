//! `sim SCENARIO` runs a study, `sim resume RUN` finishes one that was ended early; both print what came out.

use super::{
    args::{Arguments, HowToRun, Input, Output, Place, Told},
    check,
    error::CliError,
    print, print_exactly, progress, signals, summary,
    text::in_currency,
};
use crate::{
    framework::{Simulation, SimulationBuilder, SimulationError, StudyError},
    ranks::Ranks,
    record::{Run, SCENARIO, Status},
    report,
};
use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

/// Runs the study or a part of it; its results are on disk before anything is printed.
pub(super) fn run(input: &Input, Arguments { output, how, .. }: &Arguments) -> Result<(), CliError> {
    run_and_tell(simulation(input, output, how, None)?, output, &how.told)
}

/// The study that is asked for, which several ranks may run together.
pub(super) fn simulation(
    input: &Input,
    Output { place: Place { name, .. }, format, part, .. }: &Output,
    how: &HowToRun,
    ranks: Option<&Ranks>,
) -> Result<Simulation, CliError> {
    let simulation = Simulation::builder().file(&input.scenario).overrides(input.overrides());
    let simulation = name.iter().fold(simulation, |simulation, name| simulation.set("name", name));
    let simulation = part.iter().fold(simulation, |simulation, part| simulation.part(*part));
    let simulation = ranks.cloned().into_iter().fold(simulation, SimulationBuilder::among);
    Ok(as_told(simulation, how)?.format(*format).build()?)
}

/// Runs it, and says what came of it.
pub(super) fn run_and_tell(
    simulation: Simulation,
    Output { place: Place { out, .. }, resume, .. }: &Output,
    told: &Told,
) -> Result<(), CliError> {
    check::warn(simulation.plan());
    let ended = if *resume { simulation.resume_or_run_into(out) } else { simulation.run_into(out) };
    // With it goes the bar that shows its progress.
    drop(simulation);
    conclude(ended, told)
}

/// Runs what the run still lacks; one that is finished is left as it is.
pub(super) fn resume(run: &Path, how: &HowToRun) -> Result<(), CliError> {
    let left = Run::open(run).map_err(CliError::bad_input)?;
    if left.manifest().status == Status::Finished {
        let folder = left.folder().display();
        let told = &how.told;
        let no_report = !told.no_report && !left.keeps(report::page::FILE);
        let report = if no_report { format!("; `sim report {folder}` makes its report") } else { String::new() };
        let said = format!("{folder} is finished: there is nothing to resume{report}\n");
        return if told.quiet { tell(&left, told) } else { print(&said) };
    }
    let simulation = Simulation::builder().file(left.folder().join(SCENARIO));
    let simulation = as_told(simulation, how)?.build()?;
    let ended = simulation.resume(left.folder());
    drop(simulation);
    conclude(ended, &how.told)
}

/// How cases run, who shows progress, and what ends them early.
fn as_told(mut simulation: SimulationBuilder, how: &HowToRun) -> Result<SimulationBuilder, CliError> {
    let interrupted = interrupted_by_signals()?;
    if let Some(shards) = how.shards {
        simulation = simulation.shards(shards);
    }
    if let Some(jobs) = how.jobs {
        simulation = simulation.jobs(jobs);
    }
    let visible = !how.told.quiet && how.told.verbose == 0;
    Ok(simulation.interrupt(interrupted).progress(progress::on_stderr(visible)))
}

/// What a signal sets that is to end the program.
pub(super) fn interrupted_by_signals() -> Result<Arc<AtomicBool>, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signals::watch(&interrupted)
        .map_err(|error| CliError::failed(format!("cannot watch for interruption: {error}")))?;
    Ok(interrupted)
}

/// Makes the report of a run, if it is to have one.
pub(super) fn draw(folder: &Path, told: &Told) {
    if !told.no_report
        && let Err(error) = Run::open(folder).and_then(|mut run| report::write(&mut run))
    {
        // The results are on disk: whatever goes wrong here is no failure of the run.
        tracing::warn!(%error, "the report was not made");
    }
}

/// Makes the report of a run that has ended, by a signal too, and prints what came out of one that is finished.
fn conclude(ended: Result<Run, SimulationError>, told: &Told) -> Result<(), CliError> {
    match ended {
        Ok(run) => {
            draw(run.folder(), told);
            tell(&run, told)
        }
        Err(SimulationError::Ended { error: error @ StudyError::Interrupted, folder }) => {
            let mut ended = CliError::from(SimulationError::Ended { error, folder: folder.clone() });
            if !told.no_report {
                ended.text += "\nthe report of what there is comes now; a second signal leaves it out";
            }
            // Before a second signal can end the drawing, and all that would be said behind it.
            ended.print();
            draw(&folder, told);
            Err(CliError { text: String::new(), ..ended })
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints what came out of a finished run or, if nothing but that is wanted, where it is.
pub(super) fn tell(run: &Run, told: &Told) -> Result<(), CliError> {
    if told.quiet {
        // For who goes on with it, letter by letter.
        return print_exactly(&format!("{}\n", run.folder().display())).map(drop);
    }
    // As the report, if there is one, has left it.
    let run = Run::open(run.folder()).map_err(CliError::failed)?;
    let text = summary::summary(&run, None).map_err(CliError::failed)?;
    print(&in_currency(&text, &run.manifest().currency))
}
