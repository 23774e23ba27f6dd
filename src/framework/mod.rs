//! The simulator as a library: a scenario, own rules in the place of some of its own, and what comes of it.
//!
//! ```text
//! SimulationBuilder ──build──▶ Simulation ──run────────▶ Results   rows in memory
//!  a scenario, knobs,                     ├─run_into───▶ Run       a run's folder
//!  own rules, who watches                 └─resume─────▶ Run       what a run still lacks
//! ```
//!
//! A [`Simulation`] does the same whenever it is run, in whichever way, on however many shards and however many cases at a
//! time, as long as its own rules draw all that is random from the stream that they are given. The `sim` command runs
//! scenarios through it too.

mod builder;

pub use crate::{
    record::Results,
    study::{Progress, StudyError},
};
pub use builder::SimulationBuilder;

use crate::{
    record::{CaseStore, Format, MemoryRecorder, RecordError, Recorder, Run, Status},
    scenario::{Plan, ScenarioError},
    study::{self, Options},
};
use microgrid_agents::debug_as_display;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

/// A study that has been checked and can be run: a scenario with its own rules. See [`SimulationBuilder`].
#[derive(Clone, Debug)]
pub struct Simulation {
    plan: Plan,
    options: Options,
    format: Format,
    listener: Option<Listener>,
}

/// Who is told how far a simulation has come.
#[derive(Clone)]
struct Listener(Arc<Mutex<dyn FnMut(Progress) + Send>>);

/// Why there are no results.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// No scenario was given.
    #[error("there is no scenario: give the builder a file, a text or a scenario made in code")]
    NoScenario,
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A rule was given for somebody who does not take part.
    #[error("there is no prosumer {0} to have a rule of its own")]
    NoProsumer(u32),
    /// A case could not be run to its end.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A run ended early, and has kept what was done before.
    #[error("{error}; what was done before is in {}", folder.display())]
    Ended {
        /// Why.
        error: StudyError,
        /// The run's folder.
        folder: PathBuf,
    },
    /// A run's folder could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

debug_as_display!(SimulationError);

impl Simulation {
    /// A builder without a scenario yet.
    pub fn builder() -> SimulationBuilder {
        SimulationBuilder::default()
    }

    /// The scenario with all that belongs to it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many cases there are: combinations of the varied knobs times replicates.
    pub fn case_count(&self) -> u32 {
        self.plan.case_count()
    }

    /// Runs all cases and returns their rows, with what `summary.csv` and `paired.csv` of the same run would say.
    ///
    /// # Errors
    /// If a case cannot be run to its end: the first one that fails.
    pub fn run(&self) -> Result<Results, SimulationError> {
        let (recorder, result) = self.play(MemoryRecorder::new(&self.plan));
        result?;
        Ok(recorder.finish()?)
    }

    /// Runs all cases and writes a new run's folder `root/<scenario name>/<start time>-seed<seed>/`.
    ///
    /// # Errors
    /// If a case cannot be run to its end, or a file cannot be written.
    pub fn run_into(&self, root: impl AsRef<Path>) -> Result<Run, SimulationError> {
        let (clock, started) = now();
        let command = std::env::args_os().map(|argument| quoted(&argument.display().to_string()));
        let command = command.collect::<Vec<_>>().join(" ");
        self.record(Recorder::create_as(self.format, root.as_ref(), &self.plan, started, command)?, clock)
    }

    /// Runs what the run in this folder still lacks, which this simulation has begun, or another of the same scenario, in
    /// the format of the run. One that is finished is left as it is.
    ///
    /// # Errors
    /// If the run is under way, or was made by another version, from another scenario or with own rules, which are in no
    /// file; if a case cannot be run to its end, or a file cannot be written.
    pub fn resume(&self, folder: impl AsRef<Path>) -> Result<Run, SimulationError> {
        let (clock, _) = now();
        let run = Run::open(folder.as_ref())?;
        match run.manifest().status {
            Status::Finished => Ok(run),
            _ => self.record(Recorder::resume(&run, &self.plan)?, clock),
        }
    }

    fn record(&self, recorder: Recorder, clock: Instant) -> Result<Run, SimulationError> {
        let folder = recorder.folder.clone();
        tracing::info!(folder = %folder.display(), cases = self.case_count(), done = recorder.done, "the study begins");
        let (recorder, result) = self.play(recorder);
        let status = match &result {
            Ok(()) => Status::Finished,
            Err(StudyError::Interrupted) => Status::Interrupted,
            Err(other) => Status::Failed(other.to_string()),
        };
        let finished = recorder.finish(status, clock.elapsed());
        if let Err(error) = result {
            if let Err(error) = finished {
                tracing::warn!(%error, "the manifest does not tell how the run ended");
            }
            return Err(SimulationError::Ended { error, folder });
        }
        Ok(Run::open(&finished?)?)
    }

    fn play<S: CaseStore>(&self, store: S) -> (S, Result<(), StudyError>) {
        let listener = self.listener.clone();
        study::run(&self.plan, store, &self.options, move |progress| {
            if let Some(Listener(tell)) = &listener {
                tell.lock().unwrap_or_else(PoisonError::into_inner)(progress);
            }
        })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

#[expect(clippy::disallowed_methods, reason = "a run's manifest tells when it started and how long it took")]
fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

/// An argument as a shell takes it: in quotes, unless it has only letters, digits and signs that no shell looks at.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
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
