//! The ledger's side of a market whose price comes by a rule.

use super::rule::Rate;
use crate::{
    chain::fact::Clearing,
    market::{demand::Demand, mechanism::Mechanism, pricing::PriceBand},
    mechanism::{
        Floor, Opening,
        pairing::pair,
        pool::{Match, Pool, most},
        pro_rata,
    },
    message::Message,
    observation::Observation,
    statement::{Outcome, Post},
    time::Time,
    units::Energy,
};
use std::sync::Arc;

/// The board of a market whose price comes by a rule.
#[derive(Debug)]
pub(crate) struct Board {
    mechanism: Mechanism,
    band: PriceBand,
    is_elastic: bool,
    surplus: Vec<Energy>,
    /// What each buyer wants, as far as it has said so.
    wanted: Vec<Option<Energy>>,
    /// How many have not.
    missing: usize,
    is_over: bool,
    pool: Pool,
}

impl Floor for Board {
    fn open(opening: Opening<'_>) -> Self {
        let pool = Pool::new(&opening);
        let Opening { buyers, surplus, band, genesis, .. } = opening;
        let is_elastic = genesis.rules.demand == Demand::Elastic;
        let need = |need: f64| (!is_elastic).then(|| Energy::at_most(need));
        let wanted: Vec<_> = buyers.iter().map(|buyer| need(buyer.need)).collect();
        Self {
            mechanism: genesis.rules.mechanism,
            band,
            is_elastic,
            surplus,
            missing: if is_elastic { wanted.len() } else { 0 },
            wanted,
            is_over: false,
            pool,
        }
    }

    fn enter(&mut self, participant: usize, post: &Post, _: Time, _: Option<Time>, _: Time) {
        let (Post::Orders(answer), Some(buyer)) = (post, participant.checked_sub(self.surplus.len())) else {
            return;
        };
        let before = self.wanted[buyer].replace(most(answer.most()));
        self.missing -= usize::from(before.is_none());
    }

    /// Sellers have said all by registering.
    fn awaits(&self, participant: usize) -> bool {
        self.is_elastic && participant >= self.surplus.len()
    }

    fn clear(&mut self, _: Time) -> Option<Arc<Clearing>> {
        if self.is_over {
            return None;
        }
        if self.is_elastic && self.pool.clearings == 0 {
            let supply = most(self.surplus.iter().copied().sum());
            return Some(self.pool.clear(Some(self.band.middle()), (supply, Energy::ZERO), &[]));
        }
        (self.missing == 0).then(|| self.share_out())
    }

    fn close(&mut self, _: Time) -> (Option<Arc<Clearing>>, Outcome) {
        // Who has not answered by now buys nothing.
        (Some(self.share_out()), Outcome::Cleared)
    }

    fn show(&mut self, _: u32, now: Time) -> Option<(Message, Observation)> {
        self.pool.show((None, None), now)
    }

    fn pool(&self) -> Option<&Pool> {
        Some(&self.pool)
    }

    fn ended(&self) -> Option<Outcome> {
        self.is_over.then_some(Outcome::Cleared)
    }
}

impl Board {
    /// The price that supply and demand make, and who gets how much at it.
    fn share_out(&mut self) -> Arc<Clearing> {
        self.is_over = true;
        let wanted: Vec<Energy> = self.wanted.iter().map(|wanted| wanted.unwrap_or(Energy::ZERO)).collect();
        let (supply, demand) = (most(self.surplus.iter().copied().sum()), most(wanted.iter().copied().sum()));
        let price = Rate::of(self.mechanism).price(supply, demand, self.band);
        let mut matches: Vec<Match> = Vec::new();
        if let Some(price) = price {
            let [bought, sold] = pro_rata::both(&wanted, &self.surplus);
            let pairs = pair((0..).zip(bought), (0..).zip(sold)).into_iter();
            matches.extend(pairs.map(|(buyer, seller, energy)| (buyer, seller, energy, price)));
        }
        self.pool.clear(price, (supply, demand), &matches)
    }
}
