//! Sealed orders, cleared together at one price: as the gate closes, or every so often.

pub(crate) use super::{law::Law, player::Player};

use super::clearing::clear;
use crate::{
    chain::fact,
    market::mechanism::Mechanism,
    mechanism::{
        Floor, Opening,
        orders::rest,
        pairing::pair,
        pool::{Match, Pool, most},
    },
    message::Message,
    observation::Observation,
    statement::{Orders, Outcome, Post, Step},
    time::{Time, nanos},
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// The ledger's side of an auction at one price.
#[derive(Debug)]
pub(crate) struct Board {
    sellers: usize,
    /// From one clearing to the next, where there are several.
    every: Option<Duration>,
    due: Option<Time>,
    closes: Time,
    /// Last orders of each participant, sellers first.
    orders: Vec<Option<Arc<Orders>>>,
    pool: Pool,
}

impl Floor for Board {
    fn open(opening: Opening<'_>) -> Self {
        let (sellers, buyers) = (opening.surplus.len(), opening.buyers.len());
        let every = match opening.genesis.rules.mechanism {
            Mechanism::UniformPriceAuction { every } => every,
            _ => None,
        };
        Self {
            pool: Pool::new(&opening),
            sellers,
            every,
            due: None,
            closes: opening.market.game.closes,
            orders: vec![None; sellers + buyers],
        }
    }

    fn enter(&mut self, participant: usize, post: &Post, _: Time, _: Option<Time>, _: Time) {
        if let Post::Orders(orders) = post {
            self.orders[participant] = Some(Arc::clone(orders));
        }
    }

    fn clear(&mut self, now: Time) -> Option<Arc<fact::Clearing>> {
        let every = self.every?;
        let due = *self.due.get_or_insert(now + every);
        if now < due || now >= self.closes {
            return None;
        }
        // What was due while the ledger was down, is cleared once.
        let every = nanos(every);
        self.due = Some(Time(due.0 + (nanos(now - due) / every + 1) * every));
        let (price, amounts, matches) = self.matches(now);
        price.map(|_| self.pool.clear(price, amounts, &matches))
    }

    /// As the gate closes it is cleared anyway.
    fn clears_at(&self) -> Option<Time> {
        self.due.filter(|due| *due < self.closes)
    }

    fn close(&mut self, now: Time) -> (Option<Arc<fact::Clearing>>, Outcome) {
        // However late the ledger closes it, what was good as the gate closed is cleared.
        let (price, amounts, matches) = self.matches(now.min(self.closes));
        (Some(self.pool.clear(price, amounts, &matches)), Outcome::Cleared)
    }

    fn show(&mut self, _: u32, now: Time) -> Option<(Message, Observation)> {
        self.pool.show((None, None), now)
    }

    fn pool(&self) -> Option<&Pool> {
        Some(&self.pool)
    }
}

impl Board {
    /// The price of what is left of all orders that are good until `now`, how much is offered and asked for, and who gets
    /// how much from whom.
    fn matches(&self, now: Time) -> (Option<f64>, (Energy, Energy), Vec<Match>) {
        let (sellers, buyers) = self.orders.split_at(self.sellers);
        let (asks, bids) = (self.left(sellers, 0, now), self.left(buyers, self.sellers, now));
        let amounts = (total(&asks), total(&bids));
        let Some(cleared) = clear(&bids, &asks) else { return (None, amounts, Vec::new()) };
        let price = cleared.price;
        let pairs = pair(cleared.bought, cleared.sold).into_iter();
        let matches = pairs.map(|(buyer, seller, energy)| (buyer, seller, energy, price)).collect();
        (Some(price), amounts, matches)
    }

    /// What is left of the orders of one side, whose first participant has this number.
    fn left(&self, side: &[Option<Arc<Orders>>], first: usize, now: Time) -> Vec<(u32, Step)> {
        let mut left = Vec::new();
        for (position, orders) in side.iter().enumerate() {
            let Some(orders) = orders.as_ref().filter(|orders| now <= orders.until) else { continue };
            let traded = self.pool.traded[first + position];
            left.extend(rest(&orders.steps, traded).map(|step| (position as u32, step)));
        }
        left
    }
}

fn total(steps: &[(u32, Step)]) -> Energy {
    most(steps.iter().map(|(_, step)| step.energy).sum())
}
