//! Smoothed best response (logit).

use super::Lesson;
use crate::market::{best_response::best_response_step, replicator::largest_change};

/// One step, which goes the part of the way that its size says, whatever its units; returns the largest change of a
/// share.
///
/// `noise` is in units of the market's own scale of fitness.
pub(super) fn learn(shares: &mut [f64], lesson: &Lesson<'_>, noise: f64) -> f64 {
    if lesson.unit <= 0.0 {
        return 0.0;
    }
    let before = shares.to_vec();
    best_response_step(shares, lesson.fitness, lesson.unit / noise, lesson.size.number().min(1.0));
    largest_change(&before, shares)
}
