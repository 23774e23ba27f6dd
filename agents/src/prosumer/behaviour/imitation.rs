//! Pairwise proportional imitation.

use super::{ChoiceRule, Lesson};
use crate::{
    market::{
        imitation::imitation_step,
        replicator::{largest_change, replicator_step},
    },
    streams::Stream,
};

/// Meets somebody else's choice, and follows it by as much as it is better.
///
/// Whoever happens to meet nobody better is not at rest for that: the step that it expected counts as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Imitation;

impl ChoiceRule for Imitation {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, random: &mut Stream) -> f64 {
        let before = shares.to_vec();
        imitation_step(shares, &lesson.mean_shares(), lesson.fitness, lesson.step, random);
        let expected = replicator_step(&mut before.clone(), lesson.fitness, lesson.step);
        largest_change(&before, shares).max(expected)
    }
}
