//! Orders that meet as they arrive: the continuous double auction.

pub(crate) use super::{law::Law, player::Player};

use super::book::{Book, Execution};
use crate::{
    chain::fact::Clearing,
    mechanism::{
        Floor, Opening,
        pool::{Match, Pool, most},
    },
    message::Message,
    observation::Observation,
    statement::{OrderSide, Outcome, Post},
    time::Time,
    units::{Energy, Total},
};
use std::sync::Arc;

/// The ledger's side of a continuous double auction.
#[derive(Debug)]
pub(crate) struct Board {
    sellers: usize,
    book: Book,
    /// What has met and does not stand on the chain yet.
    met: Vec<Match>,
    /// What each participant's last orders come to, sellers first; and all of either side.
    posted: Vec<Total<Energy>>,
    offered: Total<Energy>,
    wanted: Total<Energy>,
    pool: Pool,
}

impl Floor for Board {
    fn open(opening: Opening<'_>) -> Self {
        let (sellers, buyers) = (opening.surplus.len(), opening.buyers.len());
        Self {
            pool: Pool::new(&opening),
            sellers,
            book: Book::default(),
            met: Vec::new(),
            posted: vec![Total::default(); sellers + buyers],
            offered: Total::default(),
            wanted: Total::default(),
        }
    }

    /// In the order in which they came to count: the first of them meets the others' resting orders.
    fn enter(&mut self, participant: usize, post: &Post, _: Time, _: Option<Time>, now: Time) {
        let Post::Orders(orders) = post else { return };
        let all = orders.most();
        let before = std::mem::replace(&mut self.posted[participant], all);
        let side = if orders.side == OrderSide::Sell { &mut self.offered } else { &mut self.wanted };
        *side = *side + all - before;
        let position = participant.checked_sub(self.sellers).unwrap_or(participant) as u32;
        let executions = self.book.enter(position, orders.side, &orders.steps, orders.until, now);
        let matched = |Execution { buyer, seller, energy, price }| (buyer, seller, energy, price);
        self.met.extend(executions.into_iter().map(matched));
    }

    fn clear(&mut self, _: Time) -> Option<Arc<Clearing>> {
        if self.met.is_empty() {
            return None;
        }
        let met = std::mem::take(&mut self.met);
        Some(self.pool.clear(None, (most(self.offered), most(self.wanted)), &met))
    }

    fn close(&mut self, _: Time) -> (Option<Arc<Clearing>>, Outcome) {
        (None, Outcome::Cleared)
    }

    fn show(&mut self, _: u32, now: Time) -> Option<(Message, Observation)> {
        self.book.expire(now);
        self.pool.show((self.book.best(OrderSide::Buy), self.book.best(OrderSide::Sell)), now)
    }

    fn pool(&self) -> Option<&Pool> {
        Some(&self.pool)
    }
}
