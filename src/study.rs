//! All cases of a plan, one after the other, recorded.

use crate::{
    record::{RecordError, Recorder},
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher},
    scenario::{Plan, population::Population},
    simulation::simulate,
};
use microgrid_agents::{
    ids::Slot,
    message::Tariff,
    observation::{Observation, Observed, Refused},
};
use std::sync::{Arc, atomic::AtomicBool};

/// How to run a study.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the actors are spread; chosen by their number if `None`.
    pub shards: Option<Shards>,
    /// Set from outside to end the study early.
    pub interrupted: Arc<AtomicBool>,
}

/// How far a study has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The case under way, from 1.
    pub case: u32,
    /// Number of cases.
    pub cases: u32,
    /// The slot that has just been closed, from 1; zero at the start of a case.
    pub slot: Slot,
    /// Number of slots.
    pub slots: Slot,
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

/// Runs all cases of a plan and records them; gives the recorder back with the outcome, so that it can be finished
/// either way. `progress` is called after every slot.
pub fn run(
    plan: &Plan,
    recorder: Recorder,
    options: &Options,
    progress: impl FnMut(Progress) + Send + Unpin + 'static,
) -> (Recorder, Result<(), StudyError>) {
    let at = Progress { case: 0, cases: plan.case_count(), slot: 0, slots: 0 };
    let mut reporter = Reporter { recorder, progress, at, population: Arc::default() };
    for case in plan.cases() {
        reporter.at = Progress { case: case.number, slot: 0, slots: case.scenario.market.slots, ..reporter.at };
        reporter.population = Arc::clone(&case.population);
        (reporter.progress)(reporter.at);
        tracing::info!(case = case.number, seed = case.seed, knobs = ?case.knobs, "case begins");
        reporter.recorder.begin_case(&case);
        let (finished, result) = simulate(&case, options.shards, &options.interrupted, reporter);
        reporter = finished;
        let result = result.map_err(|source| match source {
            RuntimeError::Interrupted => StudyError::Interrupted,
            source => StudyError::Case { case: case.number, source },
        });
        if let Err(error) = result.and_then(|()| Ok(reporter.recorder.end_case()?)) {
            return (reporter.recorder, Err(error));
        }
    }
    (reporter.recorder, Ok(()))
}

/// Records, and tells how far it has come.
struct Reporter<P> {
    recorder: Recorder,
    progress: P,
    at: Progress,
    /// Who takes part in the case under way.
    population: Arc<Population>,
}

impl<P: FnMut(Progress) + Send + Unpin> Watcher for Reporter<P> {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let closed = observed.iter().rev().find_map(|observed| match observed.what {
            Observation::SlotClosed(slot) => Some(slot),
            _ => None,
        });
        observed.iter().for_each(|observed| log(self.at.case, &self.population, observed));
        self.recorder.window(observed, traffic)?;
        if let Some(slot) = closed {
            self.at.slot = slot;
            (self.progress)(self.at);
        }
        Ok(())
    }
}

/// Tells whoever reads the log what happens in a case.
fn log(case: u32, population: &Population, Observed { time, what, .. }: &Observed) {
    match what {
        Observation::SlotOpened(opened) => {
            let Tariff { slot, feed_in, grid } = opened.tariff;
            tracing::debug!(case, slot, %time, feed_in, grid, market_open = opened.market_open, "slot opened");
        }
        Observation::MarketOpened(market) => {
            let (sellers, buyers) = (market.sellers.len(), market.buyers.len());
            tracing::debug!(case, slot = market.slot, %time, sellers, buyers, "market opened");
        }
        Observation::GameOver(game) => {
            tracing::info!(case, slot = game.slot, %time, outcome = ?game.outcome, rounds = game.rounds, "game over");
        }
        Observation::Refused(Refused { slot, from, refusal, channel, on_chain }) => {
            let prosumer = from.prosumer().map(|from| population.prosumers[from.index()].number);
            let channel = channel.name();
            tracing::debug!(case, slot, %time, prosumer, channel, on_chain, %refusal, "refused");
        }
        Observation::SlotClosed(slot) => tracing::debug!(case, slot, %time, "slot closed"),
        Observation::Committed(commit) => {
            tracing::trace!(case, slot = commit.state.slot, %time, number = commit.state.number, "market shown");
        }
        Observation::Sealed(block) => {
            let (channel, number) = (block.header.channel.name(), block.header.number);
            tracing::trace!(case, %time, channel, number, transactions = block.transactions.len(), "block committed");
        }
        _ => {}
    }
}
