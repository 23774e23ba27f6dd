//! Clearing sealed orders together, at one price.

use crate::{
    mechanism::pro_rata::pro_rata,
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
    Some(Clearing { price, volume, bought: fills(&bids, bid, volume), sold: fills(&asks, ask, volume) })
}

/// A step of one side.
#[derive(Clone, Copy, Debug)]
struct Rung {
    /// How willing it is, then whose.
    order: u128,
    limit: f64,
    energy: Energy,
}

impl Rung {
    fn rank(&self) -> u128 {
        self.order >> 32
    }

    fn party(&self) -> u32 {
        self.order as u32
    }
}

/// The steps of one side, most willing first, then by position.
fn ladder(steps: &[(u32, Step)], side: Side) -> Vec<Rung> {
    let rung = |&(party, step): &(u32, Step)| {
        let Step { energy, limit } = step;
        Rung { order: step.rank(side).then(party), limit, energy }
    };
    let mut ladder: Vec<Rung> = steps.iter().map(rung).collect();
    ladder.sort_unstable_by_key(|rung| rung.order);
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

/// What each party of a side trades, where its steps up to the rank of the `last` trade this `volume`.
fn fills(ladder: &[Rung], last: Rung, volume: Energy) -> Vec<(u32, Energy)> {
    let (better, others) = ladder.split_at(ladder.partition_point(|rung| rung.rank() < last.rank()));
    let marginal = &others[..others.partition_point(|rung| rung.rank() == last.rank())];
    let left = volume - better.iter().map(|rung| rung.energy).sum();
    let parts = pro_rata(left, marginal.iter().map(|rung| rung.energy));
    let amounts = better.iter().map(|rung| rung.energy).chain(parts);
    let rungs = || better.iter().chain(marginal);
    let positions = rungs().map(|rung| rung.party() as usize + 1).max().unwrap_or(0);
    let mut filled = vec![Energy::ZERO; positions];
    rungs().zip(amounts).for_each(|(rung, amount)| filled[rung.party() as usize] += amount);
    (0..).zip(filled).filter(|(_, energy)| *energy > Energy::ZERO).collect()
}
