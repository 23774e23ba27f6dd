//! Smoothed best response (logit).

use super::{ChoiceRule, Lesson};
use crate::{
    market::{best_response::best_response_step, replicator::largest_change},
    streams::Stream,
};

/// Towards what is worth most: each step goes the part of the way that its size says, whatever its units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BestResponse {
    /// How little differences count, in units of the market's own scale of fitness.
    pub(super) noise: f64,
}

impl ChoiceRule for BestResponse {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, _: &mut Stream) -> f64 {
        if lesson.unit <= 0.0 {
            return 0.0;
        }
        let before = shares.to_vec();
        best_response_step(shares, lesson.fitness, lesson.unit / self.noise, lesson.size.number().min(1.0));
        largest_change(&before, shares)
    }
}
