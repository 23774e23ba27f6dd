//! By which rule buyers move their shares, one file each. What they are compared by, and how large a step is, they
//! share.

mod best_response;
mod imitation;
mod replicator;

use crate::{
    market::{
        exploration::explore,
        replicator::{StepSize, largest_change},
    },
    streams::Stream,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// By which rule buyers move their shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Behaviour {
    /// Replicator dynamics (15): what is worth more than the mean grows.
    #[default]
    Replicator,
    /// Smoothed best response (logit): towards what is worth most, the more surely the smaller the noise.
    BestResponse {
        /// How little differences count, in units of the market's own scale.
        noise: f64,
    },
    /// Pairwise proportional imitation: meets somebody else's choice, and follows it by as much as it is better.
    Imitation,
}

/// What a buyer has to go by when it moves its shares.
#[derive(Debug)]
pub(super) struct Lesson<'a> {
    /// What each seller is worth [CNY].
    pub(super) fitness: &'a [f64],
    /// What the others choose.
    pub(super) others: Others<'a>,
    /// How large the step is to be.
    pub(super) size: StepSize,
    /// The replicator step `a` of this size [1/CNY].
    pub(super) step: f64,
    /// The replicator step of size `Scaled(1)`: one over the market's own scale of fitness [1/CNY], zero while nothing
    /// is served and so nothing can be compared.
    pub(super) unit: f64,
}

/// What the others choose, as far as one knows the sellers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others<'a> {
    /// Mean shares of all buyers, one a seller.
    pub(super) all: &'a [f64],
    /// Positions of the sellers that one knows; `None` if all.
    pub(super) known: Option<&'a [u32]>,
}

impl<'a> Others<'a> {
    /// Their mean shares of the sellers that one knows.
    pub(super) fn shares(&self) -> Cow<'a, [f64]> {
        match self.known {
            None => Cow::Borrowed(self.all),
            Some(known) => known.iter().map(|&seller| self.all[seller as usize]).collect(),
        }
    }
}

impl Behaviour {
    /// Moves `shares` by one step of this rule, and then spreads the part `exploration` of them evenly; returns the
    /// largest change of a share, as it counts for rest.
    pub(super) fn learn(self, shares: &mut [f64], lesson: &Lesson<'_>, exploration: f64, random: &mut Stream) -> f64 {
        let before = (exploration > 0.0).then(|| shares.to_vec());
        let change = match self {
            Self::Replicator => replicator::learn(shares, lesson),
            Self::BestResponse { noise } => best_response::learn(shares, lesson, noise),
            Self::Imitation => imitation::learn(shares, lesson, random),
        };
        let Some(before) = before else { return change };
        explore(shares, exploration);
        largest_change(&before, shares)
    }
}
