//! What the ledger keeps of a market that clears: its clearings, what pairs have traded by them, and what it has shown.

use super::{Opening, cleared::Executed};
use crate::{
    chain::fact::{Clearing, Execution},
    market::settlement::Trade,
    message::{MarketOpened, Message, Notice, Shown},
    observation::Observation,
    time::Time,
    units::{Energy, Total},
};
use std::{collections::BTreeMap, sync::Arc};

/// An amount as large as a sum; the largest that there is, if that is too large for one.
pub(super) fn most(sum: Total<Energy>) -> Energy {
    sum.amount().unwrap_or(Energy(i64::MAX))
}

/// What was traded: buyer and seller by position, energy, and price [CNY/kWh].
pub(super) type Match = (u32, u32, Energy, f64);

/// What the ledger keeps of a market that clears.
#[derive(Debug)]
pub(crate) struct Pool {
    market: Arc<MarketOpened>,
    local_fee: f64,
    /// How many clearings there were.
    pub(super) clearings: u32,
    pairs: BTreeMap<(u32, u32), Executed>,
    /// What each participant has traded, sellers first.
    pub(super) traded: Vec<Energy>,
    /// What was cleared last, as it is to be shown.
    price: Option<f64>,
    supply: Energy,
    demand: Energy,
    executed: Energy,
    shown: Option<Arc<Notice>>,
}

impl Pool {
    pub(super) fn new(opening: &Opening<'_>) -> Self {
        let Opening { market, genesis, .. } = *opening;
        Self {
            local_fee: genesis.rules.local_fee(),
            clearings: 0,
            pairs: BTreeMap::new(),
            traded: vec![Energy::ZERO; market.sellers.len() + market.buyers.len()],
            price: None,
            supply: Energy::ZERO,
            demand: Energy::ZERO,
            executed: Energy::ZERO,
            shown: None,
            market: Arc::clone(market),
        }
    }

    /// Clears: at this common price, if there is one, so much was offered and asked for, and this changes hands.
    pub(super) fn clear(
        &mut self,
        price: Option<f64>,
        (supply, demand): (Energy, Energy),
        matches: &[Match],
    ) -> Arc<Clearing> {
        self.clearings += 1;
        (self.supply, self.demand) = (supply, demand);
        self.price = price.or(matches.last().map(|last| last.3)).or(self.price);
        let game = Arc::clone(&self.market.game);
        let mut executions = Vec::with_capacity(matches.len());
        for &(buyer, seller, energy, price) in matches {
            self.pairs.entry((buyer, seller)).or_default().add(energy, price);
            self.traded[seller as usize] += energy;
            self.traded[game.sellers.len() + buyer as usize] += energy;
            self.executed += energy;
            executions.push(Execution(game.buyers[buyer as usize], game.sellers[seller as usize], energy, price));
        }
        Arc::new(Clearing { number: self.clearings, price, supply, demand, executions })
    }

    /// The market as it stands, with the best limits of what waits; `None` if that was shown already.
    pub(super) fn show(&mut self, (bid, ask): (Option<f64>, Option<f64>), now: Time) -> Option<(Message, Observation)> {
        let &mut Self { price, supply, demand, executed: traded, .. } = self;
        let number = self.shown.as_ref().map_or(1, |shown| shown.number + 1);
        let notice = Notice { slot: self.market.slot, number, time: now, price, bid, ask, supply, demand, traded };
        let is_news = match &self.shown {
            Some(shown) => Notice { number, time: now, ..**shown } != notice,
            None => self.clearings > 0 || bid.is_some() || ask.is_some(),
        };
        is_news.then(|| {
            let notice = Arc::new(notice);
            self.shown = Some(Arc::clone(&notice));
            (Message::Notice(Arc::clone(&notice)), Observation::Noticed(notice))
        })
    }

    pub(super) fn shown(&self) -> Option<Shown> {
        self.shown.clone().map(Shown::Notice)
    }

    /// What pairs have traded, each at its mean price, by buyer, then seller.
    pub(super) fn trades(&self) -> Vec<Trade> {
        let trade = |(&(buyer, seller), executed): (&(u32, u32), &Executed)| {
            Trade::new(buyer, seller, executed.energy.value(), executed.energy, executed.price(), self.local_fee)
        };
        self.pairs.iter().map(trade).collect()
    }
}
