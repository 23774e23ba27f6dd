//! What watches a case: records it, tells how far it has come, and logs what happens.

use super::Done;
use crate::{
    runtime::{Traffic, WatchError, Watcher},
    scenario::{Case, Observer, population::Population},
};
use microgrid_agents::{
    actor::MarketProtocol,
    ids::ProsumerId,
    observation::{Observation, Observed, Refused},
    statement::Tariff,
};
use std::sync::Arc;

/// Shows a case to a `recorder`, and tells of cases and slots that are done.
pub(super) struct Reporter<R, T> {
    recorder: R,
    tell: T,
    case: u32,
    /// Who takes part in the case.
    population: Arc<Population>,
    /// Who else is shown what is observed.
    observer: Option<Observer>,
}

impl<R, T> Reporter<R, T> {
    pub(super) fn new(case: &Case, recorder: R, tell: T) -> Self {
        tracing::info!(case = case.number, seed = case.seed, knobs = ?case.knobs, "case begins");
        let (population, observer) = (Arc::clone(&case.population), case.custom.observer.clone());
        Self { recorder, tell, case: case.number, population, observer }
    }

    pub(super) fn into_parts(self) -> (R, T) {
        (self.recorder, self.tell)
    }
}

impl<R: Watcher<MarketProtocol>, T: FnMut(Done) + Send + Unpin> Watcher<MarketProtocol> for Reporter<R, T> {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let closed = observed.iter().filter(|observed| matches!(observed.what, Observation::SlotClosed(_))).count();
        observed.iter().for_each(|observed| log(self.case, &self.population, observed));
        if let Some(observer) = &self.observer {
            observed.iter().for_each(|observed| observer.show(self.case, observed));
        }
        self.recorder.window(observed, traffic)?;
        if closed > 0 {
            (self.tell)(Done::slots(closed as u64));
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
            let prosumer = ProsumerId::of(*from).map(|from| population.prosumers[from.index()].number);
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
