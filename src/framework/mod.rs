//! The simulator as a library: a scenario, own rules in the place of some of its own, and what comes of it.
//!
//! ```text
//! SimulationBuilder ──build──▶ Simulation ──run────────▶ Results   rows in memory
//!  a scenario, knobs,                     └─run_into───▶ Run       a run's folder
//!  own rules, an observer
//! ```
//!
//! A [`Simulation`] does the same whenever it is run, in whichever of the two ways, on however many shards and however
//! many cases at a time, as long as its own rules draw all that is random from the stream that they are given.

mod builder;

pub use builder::SimulationBuilder;

use crate::{
    record::{CaseRows, Format, RecordError, Recorder, Run, Status},
    scenario::{Plan, ScenarioError},
    study::{self, Options, StudyError},
};
use std::{
    path::Path,
    time::{Instant, SystemTime},
};

/// A study that has been checked and can be run: a scenario with its own rules. See [`SimulationBuilder`].
#[derive(Clone, Debug)]
pub struct Simulation {
    plan: Plan,
    options: Options,
    format: Format,
}

/// What a simulation came to, case by case.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The cases in the order of their numbers: one for each combination of varied knobs and replicate.
    pub cases: Vec<CaseRows>,
}

/// Why there are no results.
#[derive(Debug, thiserror::Error)]
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
    /// A run's folder could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Simulation {
    /// A builder without a scenario yet.
    pub fn builder() -> SimulationBuilder {
        SimulationBuilder::default()
    }

    /// The scenario with all that belongs to it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs all cases and returns their rows.
    ///
    /// # Errors
    /// If a case cannot be run to its end.
    pub fn run(&self) -> Result<Results, SimulationError> {
        Ok(Results { cases: study::in_memory(&self.plan, &self.options)? })
    }

    /// Runs all cases and writes a new run's folder `root/<scenario name>/<start time>-seed<seed>/`, as the `sim` command
    /// does.
    ///
    /// # Errors
    /// If a case cannot be run to its end, or a file cannot be written. The folder then holds what came before.
    #[expect(clippy::disallowed_methods, reason = "a run's manifest tells when it started and how long it took")]
    pub fn run_into(&self, root: impl AsRef<Path>) -> Result<Run, SimulationError> {
        let (started, clock) = (SystemTime::now(), Instant::now());
        let command = std::env::args_os().map(|part| part.display().to_string()).collect::<Vec<_>>().join(" ");
        let recorder = Recorder::create_as(self.format, root.as_ref(), &self.plan, started, command)?;
        let (recorder, result) = study::run(&self.plan, recorder, &self.options, |_| {});
        let status = match &result {
            Ok(()) => Status::Finished,
            Err(StudyError::Interrupted) => Status::Interrupted,
            Err(other) => Status::Failed(other.to_string()),
        };
        let folder = recorder.finish(status, clock.elapsed());
        result?;
        Ok(Run::open(&folder?)?)
    }
}
