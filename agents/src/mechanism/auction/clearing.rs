//! Clearing sealed orders together, at one price.

use crate::{
    mechanism::{orders::Rank, pro_rata::pro_rata},
    statement::{OrderSide as Side, Step},
    units::Energy,
};

#[cfg(test)]
mod tests;

/// What comes of bids and asks that are cleared together.
#[derive(Clone, Debug, PartialEq)]
pub struct Clearing {
    /// The price of all trades [CNY/kWh].
    pub price: f64,
    /// What is traded in all.
    pub volume: Energy,
    /// What each buyer gets, by position; nobody who gets nothing.
    pub bought: Vec<(u32, Energy)>,
    /// What each seller sells, likewise.
    pub sold: Vec<(u32, Energy)>,
}

/// Clears `bids` and `asks`, each with its party's position, in any order; `None` where no bid meets an ask.
///
/// As much is traded as can be, by the most willing of both sides. The price is the middle of all that leave it so: from
/// the higher of the last ask that trades and the best bid that does not, to the lower of the last bid that trades and
/// the best ask that does not, where a step that trades in part does both. What is traded at the limit of a side's last
/// step is divided pro rata among the steps with that limit, by position.
pub fn clear(bids: &[(u32, Step)], asks: &[(u32, Step)]) -> Option<Clearing> {
    let (bids, asks) = (ladder(bids, Side::Buy), ladder(asks, Side::Sell));
    let (mut highest, mut lowest) = (Climb::of(&bids), Climb::of(&asks));
    let mut volume = Energy::ZERO;
    while let (Some(bid), Some(ask)) = (highest.next(), lowest.next())
        && bid.limit >= ask.limit
    {
        let energy = bid.energy.min(ask.energy);
        highest.take(energy);
        lowest.take(energy);
        volume += energy;
    }
    let (bid, ask) = (highest.last?, lowest.last?);
    let from = highest.next().map_or(ask.limit, |rejected| rejected.limit.max(ask.limit));
    let to = lowest.next().map_or(bid.limit, |rejected| rejected.limit.min(bid.limit));
    let price = (from + to) / 2.0;
    Some(Clearing { price, volume, bought: fills(&bids, bid.rank, volume), sold: fills(&asks, ask.rank, volume) })
}

/// A step of one side, and whose it is.
#[derive(Clone, Copy, Debug)]
struct Rung {
    rank: Rank,
    party: u32,
    limit: f64,
    energy: Energy,
}

/// The steps of one side, most willing first, then by position.
fn ladder(steps: &[(u32, Step)], side: Side) -> Vec<Rung> {
    let rung =
        |&(party, step): &(u32, Step)| Rung { rank: step.rank(side), party, limit: step.limit, energy: step.energy };
    let mut ladder: Vec<Rung> = steps.iter().map(rung).collect();
    ladder.sort_unstable_by_key(|rung| (rung.rank, rung.party));
    ladder
}

/// How far a side's steps are used up.
#[derive(Clone, Copy, Debug)]
struct Climb<'a> {
    left: &'a [Rung],
    /// So much of the first that is left.
    used: Energy,
    /// The last that has traded.
    last: Option<Rung>,
}

impl<'a> Climb<'a> {
    fn of(left: &'a [Rung]) -> Self {
        Self { left, used: Energy::ZERO, last: None }
    }

    /// What is left of the step at hand.
    fn next(&self) -> Option<Rung> {
        self.left.first().map(|rung| Rung { energy: rung.energy - self.used, ..*rung })
    }

    fn take(&mut self, energy: Energy) {
        self.last = self.left.first().copied();
        self.used += energy;
        if self.next().is_some_and(|rung| rung.energy == Energy::ZERO) {
            (self.left, self.used) = (&self.left[1..], Energy::ZERO);
        }
    }
}

/// What each party of a side trades, where its steps up to those of the `margin` trade this `volume`.
fn fills(ladder: &[Rung], margin: Rank, volume: Energy) -> Vec<(u32, Energy)> {
    let (better, others) = ladder.split_at(ladder.partition_point(|rung| rung.rank < margin));
    let marginal = &others[..others.partition_point(|rung| rung.rank == margin)];
    let left = volume - better.iter().map(|rung| rung.energy).sum();
    let whole = better.iter().map(|rung| (rung.party, rung.energy));
    let parts = pro_rata(left, marginal.iter().map(|rung| rung.energy));
    let mut fills: Vec<(u32, Energy)> = whole.chain(marginal.iter().map(|rung| rung.party).zip(parts)).collect();
    fills.sort_unstable_by_key(|(party, _)| *party);
    fills.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    fills.retain(|(_, energy)| *energy > Energy::ZERO);
    fills
}
