//! Replicator dynamics (15).

use super::Lesson;
use crate::market::replicator::replicator_step;

/// One step; returns the largest change of a share.
pub(super) fn learn(shares: &mut [f64], lesson: &Lesson<'_>) -> f64 {
    replicator_step(shares, lesson.fitness, lesson.step)
}
