//! Pairwise proportional imitation.

use super::Lesson;
use crate::{
    market::{
        imitation::imitation_step,
        replicator::{largest_change, replicator_step},
    },
    streams::Stream,
};

/// One step; returns the largest change of a share.
///
/// Whoever happens to meet nobody better is not at rest for that: the step that it expected counts as well.
pub(super) fn learn(shares: &mut [f64], lesson: &Lesson<'_>, random: &mut Stream) -> f64 {
    let before = shares.to_vec();
    imitation_step(shares, &lesson.others.shares(), lesson.fitness, lesson.step, random);
    let expected = replicator_step(&mut before.clone(), lesson.fitness, lesson.step);
    largest_change(&before, shares).max(expected)
}
