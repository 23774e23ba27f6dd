//! What the posts of some participants of a slot's game come to: all that whoever puts them together with those of the others
//! needs to know of them.

use super::aggregate::Sums;
use crate::{ids::Slot, time::Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the posts of a peer's clients come to. Whole each time, so that the next one makes up for one that is lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Of which slot.
    pub slot: Slot,
    /// Counts the parts of the slot that this peer has made, from 1.
    pub number: u64,
    /// So many posts have counted.
    pub posts: u64,
    pub(crate) sums: Arc<Sums>,
    /// Positions of the sellers that have quoted, ascending, with their prices.
    pub(crate) prices: Vec<(u32, f64)>,
    /// Those of them whose quotes have come since the part before, and whether choices have.
    pub(crate) quoted: Vec<u32>,
    pub(crate) chosen: bool,
    pub(crate) ages: Ages,
    /// Since when all are at rest, and the date of the oldest news that any of them has answered last; `None` if somebody moves.
    pub(crate) calm: Option<(Time, Time)>,
    /// Dates of the prices that choices in force have answered, ascending, with how many have; or only the oldest, where
    /// nobody asks for more.
    pub(crate) answered: Vec<(Time, u32)>,
}

/// When the newest quotes and choices reached the ledger, and how old the news of these choices was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ages {
    pub(crate) quotes_sent: MeanAge,
    pub(crate) choices_sent: MeanAge,
    pub(crate) news: MeanAge,
}

impl Ages {
    /// Those of several parts together.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { quotes_sent, choices_sent, news } = self;
        quotes_sent.add(&other.quotes_sent);
        choices_sent.add(&other.choices_sent);
        news.add(&other.news);
    }
}

/// A mean of whole numbers [ns] that come and go; exact but for the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MeanAge {
    count: u64,
    sum: u128,
}

impl MeanAge {
    pub(crate) fn enter(&mut self, number: u64) {
        self.count += 1;
        self.sum += u128::from(number);
    }

    pub(crate) fn leave(&mut self, number: u64) {
        self.count -= 1;
        self.sum -= u128::from(number);
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    /// The mean, rounded down; zero of none.
    pub(crate) fn mean(&self) -> u64 {
        (self.sum / u128::from(self.count.max(1))) as u64
    }

    /// How long before `moment` they are in the mean, rounded down; zero of none. None of them is later.
    pub(crate) fn mean_before(&self, moment: u64) -> u64 {
        let before = (u128::from(moment) * u128::from(self.count)).saturating_sub(self.sum);
        (before / u128::from(self.count.max(1))) as u64
    }
}
