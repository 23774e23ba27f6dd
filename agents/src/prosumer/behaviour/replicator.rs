//! Replicator dynamics (15).

use super::{ChoiceRule, Lesson};
use crate::{market::replicator::replicator_step, streams::Stream};

/// What is worth more than the mean grows (15): what buyers do unless the scenario or a rule of their own says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Replicator;

impl ChoiceRule for Replicator {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, _: &mut Stream) -> f64 {
        replicator_step(shares, lesson.fitness, lesson.step)
    }
}
