//! What has been observed of a slot that is not closed yet.

use super::{amplitude::Amplitude, durations::Durations, number::Number, prices::spread, theory::Target};
use microgrid_agents::{
    chain::fact::Clearing,
    ids::{ProsumerId, Slot},
    market::settlement::Trade,
    message::MarketOpened,
    observation::{GameOver, Observation, ProsumerSlot},
    statement::Outcome,
    time::Time,
    units::{Money, Total},
};
use std::{cell::OnceCell, sync::Arc, time::Duration};

#[derive(Clone, Debug, Default)]
pub(super) struct SlotObservations {
    /// Who was in the market; `None` without a market.
    pub(super) market: Option<Arc<MarketOpened>>,
    /// Where its prices should go, once somebody has asked.
    pub(super) target: OnceCell<Target>,
    /// How its prices swing towards the end; `None` without a market.
    pub(super) amplitude: Option<Amplitude>,
    /// How old the news was at each decision.
    pub(super) ages: Durations,
    /// How the game ended; `None` if the market was not to open.
    pub(super) game: Option<Arc<GameOver>>,
    /// When its market opened, and when it ended.
    lasted: (Option<Time>, Option<Time>),
    /// What was announced and executed, and when.
    pub(super) clearings: Vec<(Time, Arc<Clearing>)>,
    /// Length of what was put on the chains [bytes].
    pub(super) bytes: u64,
    pub(super) trades: Option<Arc<Vec<Trade>>>,
    /// Whether too few peers endorsed their settlement.
    is_void: bool,
    /// The prosumers' slots, by their ids, up to the last that is done.
    prosumers: Vec<Option<Box<ProsumerSlot>>>,
    /// Whether the ledger has closed the slot.
    pub(super) closed: bool,
}

impl SlotObservations {
    pub(super) fn outcome(&self) -> Outcome {
        match self.game.as_ref().map_or(Outcome::NoMarket, |game| game.outcome) {
            Outcome::NoMarket => Outcome::NoMarket,
            _ if self.is_void => Outcome::Void,
            ended => ended,
        }
    }

    /// From the opening of the market to rest, if it ended in equilibrium and was settled.
    pub(super) fn time_to_equilibrium(&self) -> Option<Duration> {
        self.game.as_ref().filter(|_| self.outcome() == Outcome::Equilibrium)?.time_to_equilibrium
    }

    /// From the opening of the market to its end; `None` without one.
    pub(super) fn time_to_end(&self) -> Option<Duration> {
        self.lasted.0.zip(self.lasted.1).map(|(opened, ended)| ended - opened)
    }

    /// How far participants are apart in the prices of their trades [CNY/kWh].
    pub(super) fn price_spread(&self) -> Option<Number> {
        spread(self.settled())
    }

    /// Payments and fees less earnings of all prosumers.
    pub(super) fn net_cost(&self) -> Total<Money> {
        self.prosumers().map(|done| Total::from(done.paid()) + done.trades.fee - done.earned()).sum()
    }

    /// The final trades; none as long as they are not known.
    pub(super) fn settled(&self) -> &[Trade] {
        self.trades.as_deref().map_or(&[], Vec::as_slice)
    }

    /// The final trades, with buyer and seller.
    pub(super) fn trades(&self) -> impl Iterator<Item = (ProsumerId, ProsumerId, &Trade)> {
        let trades = self.settled();
        self.market.iter().flat_map(move |market| {
            let (buyers, sellers) = (&market.buyers, &market.sellers);
            trades.iter().map(|trade| (buyers[trade.buyer as usize], sellers[trade.seller as usize], trade))
        })
    }

    /// The slots of the prosumers that are done, in the order of the population.
    pub(super) fn prosumers(&self) -> impl Iterator<Item = &ProsumerSlot> {
        self.prosumers.iter().flatten().map(|done| &**done)
    }

    /// The first of so many prosumers that is not done.
    pub(super) fn missing(&self, prosumers: usize) -> Option<usize> {
        (0..prosumers).find(|&index| self.prosumers.get(index).is_none_or(Option::is_none))
    }

    /// Takes in an observation of this slot, made at `time`.
    pub(super) fn add(&mut self, time: Time, what: Observation) {
        match what {
            Observation::MarketOpened(market) => {
                self.amplitude = Some(Amplitude::new(time, market.game.closes));
                self.lasted.0 = Some(time);
                self.market = Some(market);
            }
            Observation::Committed(commit) => {
                if let Some(amplitude) = &mut self.amplitude {
                    amplitude.add(&commit);
                }
            }
            Observation::Decided(_, age, decisions) => self.ages.add(age, decisions),
            Observation::Cleared(_, clearing) => self.clearings.push((time, clearing)),
            Observation::GameOver(game) => {
                self.lasted.1 = Some(time);
                self.game = Some(game);
            }
            Observation::Settled(_, trades) => self.trades = Some(trades),
            Observation::Voided(_) => self.is_void = true,
            Observation::ProsumerDone(done) => {
                let index = done.prosumer.index();
                if self.prosumers.len() <= index {
                    self.prosumers.resize_with(index + 1, || None);
                }
                self.prosumers[index] = Some(done);
            }
            Observation::SlotClosed(_) => self.closed = true,
            // What has no slot.
            _ => {}
        }
    }
}

/// The slot of which an observation tells; `None` of one that is of no slot's table.
pub(super) fn slot_of(what: &Observation) -> Option<Slot> {
    match what {
        Observation::MarketOpened(market) => Some(market.slot),
        Observation::Committed(commit) => Some(commit.state.slot),
        Observation::GameOver(game) => Some(game.slot),
        Observation::ProsumerDone(done) => Some(done.slot),
        Observation::Decided(slot, ..)
        | Observation::Cleared(slot, _)
        | Observation::Settled(slot, _)
        | Observation::Voided(slot)
        | Observation::SlotClosed(slot) => Some(*slot),
        _ => None,
    }
}
