//! All cases of a plan, recorded in a run's folder or in memory: one after the other, or several at a time on as many
//! threads.

mod in_memory;
mod reporter;
mod side_by_side;

pub use in_memory::in_memory;

use crate::{
    record::{RecordError, Recorder},
    runtime::{RuntimeError, Shards},
    scenario::{
        LastPopulation, Plan,
        schema::{Clock, Scenario},
    },
    simulation::simulate,
};
use microgrid_agents::ledger::Durability;
use reporter::Reporter;
use std::{
    num::NonZero,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

/// How to run a study.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the actors of a case are spread; chosen by their number if `None`.
    pub shards: Option<Shards>,
    /// How many cases run at a time; chosen by [`suitable_jobs`] if `None`. Changes how long a study takes, never its
    /// results.
    pub jobs: Option<NonZero<usize>>,
    /// Set from outside to end the study early.
    pub interrupted: Arc<AtomicBool>,
}

/// How far a study has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many cases are complete.
    pub cases_done: u32,
    /// Number of cases.
    pub cases: u32,
    /// How many slots have been closed, in all cases together.
    pub slots_done: u64,
    /// Number of slots of all cases.
    pub slots: u64,
    /// How many of the closed slots a resumed study had from before, so that they say nothing about its speed.
    pub slots_kept: u64,
}

/// What has been done since progress was last told.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    cases: u32,
    slots: u64,
    /// Slots of these that were there before.
    kept: u64,
}

impl Done {
    /// A case has been completed whose slots were told one by one.
    const CASE: Self = Self { cases: 1, slots: 0, kept: 0 };

    /// So many slots have been closed.
    fn slots(slots: u64) -> Self {
        Self { slots, ..Self::default() }
    }

    /// So many cases of so many slots each were there before.
    fn kept(cases: u32, slots: u32) -> Self {
        let slots = u64::from(cases) * u64::from(slots);
        Self { cases, slots, kept: slots }
    }
}

/// Why a study ended early.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Somebody asked for it.
    #[error("interrupted")]
    Interrupted,
    /// A case could not be run to its end.
    #[error("case {case}: {source}")]
    Case {
        /// Which case.
        case: u32,
        /// Why.
        source: RuntimeError,
    },
    /// Results could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl StudyError {
    fn of(case: u32, source: RuntimeError) -> Self {
        match source {
            RuntimeError::Interrupted => Self::Interrupted,
            source => Self::Case { case, source },
        }
    }
}

/// How many cases of a plan are best run at a time: one a core, but one after the other where there are no more than
/// two, where a case itself takes several threads, where every block waits for the disk, and by the wall clock.
pub fn suitable_jobs(plan: &Plan, shards: Option<Shards>) -> NonZero<usize> {
    let Scenario { ledger, clock, .. } = &plan.scenario;
    let (_, largest) = plan.population_sizes();
    // Beside the prosumers there are the ledger and the grid.
    let shards = shards.unwrap_or_else(|| Shards::beside_others(largest + 2));
    let alone = shards.threads(largest + 2) > 1 || ledger.durability == Durability::Block || *clock != Clock::Virtual;
    if plan.case_count() <= 2 || alone {
        return NonZero::<usize>::MIN;
    }
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Runs all cases of a plan that the recorder does not have yet, and records them; gives the recorder back with the
/// outcome, so that it can be finished either way. `progress` is called at the start and after every slot.
pub fn run(
    plan: &Plan,
    recorder: Recorder,
    options: &Options,
    mut progress: impl FnMut(Progress) + Send + Unpin + 'static,
) -> (Recorder, Result<(), StudyError>) {
    let (cases, slots) = (plan.case_count(), plan.scenario.market.slots);
    let mut at =
        Progress { cases_done: 0, cases, slots_done: 0, slots: u64::from(cases) * u64::from(slots), slots_kept: 0 };
    let mut tell = move |done: Done| {
        at.cases_done += done.cases;
        at.slots_done += done.slots;
        at.slots_kept += done.kept;
        progress(at);
    };
    tell(Done::kept(recorder.done(), slots));
    let jobs = options.jobs.unwrap_or_else(|| suitable_jobs(plan, options.shards)).get();
    if jobs.min(cases as usize) <= 1 {
        one_by_one(plan, recorder, options, tell)
    } else {
        side_by_side::run(plan, recorder, options, jobs, tell)
    }
}

/// Runs the cases one after the other, each straight into the run's tables.
fn one_by_one(
    plan: &Plan,
    mut recorder: Recorder,
    options: &Options,
    mut tell: impl FnMut(Done) + Send + Unpin + 'static,
) -> (Recorder, Result<(), StudyError>) {
    let drawn = LastPopulation::default();
    while recorder.done() < plan.case_count() {
        match recorder.take_in() {
            Ok(false) => {}
            Ok(true) => {
                tell(Done::kept(1, plan.scenario.market.slots));
                continue;
            }
            Err(error) => return (recorder, Err(error.into())),
        }
        let case = plan.case(recorder.done() + 1, &drawn);
        recorder.begin_case(&case);
        let (reporter, result) =
            simulate(&case, options.shards, &options.interrupted, Reporter::new(&case, recorder, tell));
        (recorder, tell) = reporter.into_parts();
        let result = result.map_err(|source| StudyError::of(case.number, source));
        if let Err(error) = result.and_then(|()| Ok(recorder.end_case()?)) {
            return (recorder, Err(error));
        }
        tell(Done::CASE);
    }
    (recorder, Ok(()))
}
