//! By which rule buyers move their shares. What sellers are compared by, and how large a step is, all rules share.

use crate::{
    chain::fact::Number,
    market::{
        aggregate::Aggregate,
        best_response::best_response_step,
        demand::Buyer,
        imitation::imitation_step,
        replicator::{largest_change, replicator_step},
        shares::{explore, mix, regrow},
        step::StepSize,
    },
    message::{MarketOpened, MarketState},
    statement::Choice,
    streams::Stream,
};
use dyn_clone::DynClone;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt::Debug};

/// By which rule a buyer moves its shares.
///
/// What [`PricingRule`](super::PricingRule) says of memory and randomness holds here too. The ledger's contract holds
/// whatever the rule says: shares that are no numbers, are below zero or do not sum to one are refused, and the buyer's
/// last choice that counted stays in force.
pub trait ChoiceRule: DynClone + Debug + Send + Sync {
    /// Moves `shares`, one a seller that the buyer knows; they come as the buyer posted them last, and their sum stays
    /// one. Asked once an act, as soon as there is something to learn from; until then the buyer keeps its first choice.
    ///
    /// Returns the largest change of a share as it counts for rest, see [`largest_change`]: the game can come to rest
    /// only if this falls below the tolerance.
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, random: &mut Stream) -> f64;
}

dyn_clone::clone_trait_object!(ChoiceRule);

/// What a buyer has to go by when it moves its shares.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Lesson<'a> {
    /// The market of the slot: who sells and buys.
    pub market: &'a MarketOpened,
    /// The market as it was last shown to the buyer.
    pub news: &'a MarketState,
    /// What the choices add up to in it.
    pub sums: &'a Aggregate,
    /// Positions of the sellers that the buyer knows, ascending; `None` if all.
    pub known: Option<&'a [u32]>,
    /// The buyer's need, generation and preference.
    pub buyer: &'a Buyer,
    /// Its last choice.
    pub last: &'a Choice,
    /// What each seller that it knows is worth [CNY], by the scenario's `fitness`.
    pub fitness: &'a [f64],
    /// How large the step is to be.
    pub size: StepSize,
    /// The replicator step `a` of this size [1/CNY].
    pub step: f64,
    /// The replicator step of size `Scaled(1)` where no tariff binds: one over the market's own scale of fitness [1/CNY],
    /// zero while nothing is served and so nothing can be compared.
    pub unit: f64,
}

impl<'a> Lesson<'a> {
    /// Who the sellers are that the buyer knows, by their numbers in the scenario, in the order of its shares.
    pub fn sellers(&self) -> impl Iterator<Item = Number> {
        let position = |place| self.known.map_or(place, |known| known[place] as usize);
        (0..self.last.shares.len()).map(move |place| self.market.game.sellers[position(place)])
    }

    /// Of a list with an entry for each seller of the market, those of the sellers that the buyer knows.
    pub fn at_known<'b>(&self, all: &'b [f64]) -> Cow<'b, [f64]> {
        match self.known {
            None => Cow::Borrowed(all),
            Some(known) => known.iter().map(|&seller| all[seller as usize]).collect(),
        }
    }

    /// Prices of the sellers that the buyer knows [CNY/kWh]; infinite for one that has not quoted yet.
    pub fn prices(&self) -> Cow<'a, [f64]> {
        self.at_known(&self.news.prices)
    }

    /// Mean shares, over all buyers, of the sellers that the buyer knows.
    pub fn mean_shares(&self) -> Cow<'a, [f64]> {
        self.at_known(&self.sums.mean_share)
    }
}

/// By which rule buyers move their shares, of those that a scenario can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Behaviour {
    /// Replicator dynamics (15): what is worth more than the mean grows.
    #[default]
    Replicator,
    /// Smoothed best response (logit): towards what is worth most, the more surely the smaller the noise. Each step goes the
    /// part of the way that its size says, whatever its units.
    BestResponse {
        /// How little differences count, in units of the market's own scale.
        noise: f64,
    },
    /// Pairwise proportional imitation: meets somebody else's choice, and follows it by as much as it is better. Whoever
    /// happens to meet nobody better is not at rest for that: the step that it expected counts as well.
    Imitation,
}

impl ChoiceRule for Behaviour {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, random: &mut Stream) -> f64 {
        match *self {
            Self::Replicator => replicator_step(shares, lesson.fitness, lesson.step),
            Self::BestResponse { .. } if lesson.unit <= 0.0 => 0.0,
            Self::BestResponse { noise } => {
                let before = shares.to_vec();
                best_response_step(shares, lesson.fitness, lesson.unit / noise, lesson.size.number().min(1.0));
                largest_change(&before, shares)
            }
            Self::Imitation => {
                let before = shares.to_vec();
                imitation_step(shares, &lesson.mean_shares(), lesson.fitness, lesson.step, random);
                let expected = replicator_step(&mut before.clone(), lesson.fitness, lesson.step);
                largest_change(&before, shares).max(expected)
            }
        }
    }
}

/// What a buyer does with its shares when it acts, beside what its rule says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// How large the step of its rule is to be.
    pub(super) size: StepSize,
    /// Part of the shares that is spread evenly.
    pub(super) exploration: f64,
    /// Part of the shares that goes towards the sellers' surpluses.
    pub(super) mixing: f64,
    /// How many times as far a share grows whose seller lacks demand.
    pub(super) regrowth: f64,
}

/// Moves `shares` by one step of this `rule` and by the rest of the `turn`; returns the largest change of a share, as it
/// counts for rest.
pub(super) fn learn<R: ChoiceRule + ?Sized>(
    rule: &mut R,
    shares: &mut [f64],
    lesson: &Lesson<'_>,
    turn: Turn,
    random: &mut Stream,
) -> f64 {
    let Turn { exploration, mixing, regrowth, .. } = turn;
    let before = (exploration > 0.0 || mixing > 0.0 || regrowth > 1.0).then(|| shares.to_vec());
    let change = rule.learn(shares, lesson, random);
    let Some(before) = before else { return change };
    if regrowth > 1.0 {
        let (demand, surplus) = (lesson.at_known(&lesson.sums.demand), lesson.at_known(&lesson.market.surplus));
        regrow(shares, &before, demand.iter().copied().zip(surplus.iter().copied()), regrowth);
    }
    if mixing > 0.0 {
        mix(shares, mixing, lesson.at_known(&lesson.market.surplus).iter().copied());
    }
    if exploration > 0.0 {
        explore(shares, exploration);
    }
    largest_change(&before, shares)
}
