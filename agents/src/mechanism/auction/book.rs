//! The book of a continuous double auction: orders meet as they arrive, and what does not trade at once rests.

use crate::{
    mechanism::orders::{Rank, rest},
    statement::{OrderSide as Side, Step},
    time::Time,
    units::Energy,
};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// A trade of two orders that have met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Execution {
    /// Position of the buyer.
    pub buyer: u32,
    /// Position of the seller.
    pub seller: u32,
    /// How much.
    pub energy: Energy,
    /// The limit of the order that rested [CNY/kWh].
    pub price: f64,
}

/// The order book of one slot: what rests on both sides, by price, then time.
#[derive(Debug, Default)]
pub struct Book {
    bids: Half,
    asks: Half,
    /// So many steps have come to rest.
    rested: u64,
    last_price: Option<f64>,
    volume: Energy,
}

impl Book {
    /// A party enters its curve, in the place of one that it has entered before, if it has: what has traded already
    /// counts, but not how long that one has rested. What is left trades with whatever it meets on the other side, best
    /// price first, then who came first; the rest of it rests until `until`, which is when it no longer trades.
    pub fn enter(&mut self, party: u32, side: Side, steps: &[Step], until: Time, now: Time) -> Vec<Execution> {
        self.expire(now);
        let (own, other) = match side {
            Side::Buy => (&mut self.bids, &mut self.asks),
            Side::Sell => (&mut self.asks, &mut self.bids),
        };
        own.withdraw(party);
        let mut executions = Vec::new();
        if until < now {
            return executions;
        }
        for mut step in rest(steps, own.traded(party)) {
            while step.energy > Energy::ZERO
                && let Some(best) = other.best()
                && meet(side, step.limit, best.step.limit)
            {
                let (energy, price) = (step.energy.min(best.step.energy), best.step.limit);
                let (buyer, seller) = if side == Side::Buy { (party, best.party) } else { (best.party, party) };
                executions.push(Execution { buyer, seller, energy, price });
                step.energy -= energy;
                own.count(party, energy);
                other.take(energy);
                self.volume += energy;
                self.last_price = Some(price);
            }
            if step.energy > Energy::ZERO {
                own.keep((step.rank(side), self.rested), Resting { party, step }, until);
                self.rested += 1;
            }
        }
        executions
    }

    /// Withdraws all orders that no longer trade `now`.
    pub fn expire(&mut self, now: Time) {
        self.bids.expire(now);
        self.asks.expire(now);
    }

    /// The best limit that rests on a side [CNY/kWh]; whether it has expired since the last order came, only
    /// [`expire`](Self::expire) tells.
    pub fn best(&self, side: Side) -> Option<f64> {
        self.half(side).best().map(|best| best.step.limit)
    }

    /// The price of the last trade [CNY/kWh].
    pub fn last_price(&self) -> Option<f64> {
        self.last_price
    }

    /// What has been traded in all.
    pub fn volume(&self) -> Energy {
        self.volume
    }

    /// What the party at this position has traded on its side.
    pub fn traded(&self, side: Side, party: u32) -> Energy {
        self.half(side).traded(party)
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
}

/// Whether an order of this side meets one that rests on the other.
fn meet(side: Side, limit: f64, resting: f64) -> bool {
    match side {
        Side::Buy => limit >= resting,
        Side::Sell => limit <= resting,
    }
}

/// Where a step rests: by price, then time.
type Place = (Rank, u64);

#[derive(Clone, Copy, Debug)]
struct Resting {
    party: u32,
    /// What is left of it.
    step: Step,
}

/// A party on its side of the book.
#[derive(Debug, Default)]
struct Standing {
    traded: Energy,
    /// Where its steps came to rest; some may be used up.
    places: Vec<Place>,
    until: Time,
}

/// One side of the book.
#[derive(Debug, Default)]
struct Half {
    resting: BTreeMap<Place, Resting>,
    parties: BTreeMap<u32, Standing>,
    /// When whose steps expire, of those who have rested some.
    ends: BTreeSet<(Time, u32)>,
}

impl Half {
    fn traded(&self, party: u32) -> Energy {
        self.parties.get(&party).map_or(Energy::ZERO, |standing| standing.traded)
    }

    fn count(&mut self, party: u32, energy: Energy) {
        self.parties.entry(party).or_default().traded += energy;
    }

    fn best(&self) -> Option<Resting> {
        self.resting.first_key_value().map(|(_, best)| *best)
    }

    /// The best trades so much of what is left of it.
    fn take(&mut self, energy: Energy) {
        let mut best = self.resting.first_entry().expect("what trades rests");
        best.get_mut().step.energy -= energy;
        let Resting { party, step } = *best.get();
        if step.energy == Energy::ZERO {
            best.remove();
        }
        self.count(party, energy);
    }

    /// A step comes to rest.
    fn keep(&mut self, place: Place, resting: Resting, until: Time) {
        let standing = self.parties.entry(resting.party).or_default();
        standing.places.push(place);
        standing.until = until;
        self.ends.insert((until, resting.party));
        self.resting.insert(place, resting);
    }

    /// Takes away whatever rests of a party.
    fn withdraw(&mut self, party: u32) {
        let Some(standing) = self.parties.get_mut(&party) else { return };
        self.ends.remove(&(standing.until, party));
        for place in standing.places.drain(..) {
            self.resting.remove(&place);
        }
    }

    fn expire(&mut self, now: Time) {
        while let Some(&(until, party)) = self.ends.first()
            && until < now
        {
            self.withdraw(party);
        }
    }
}
