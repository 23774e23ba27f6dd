//! How steps adapt during the game.

mod halving;
mod loop_age;

use crate::{message::MarketState, time::Time};
use halving::Halving;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How steps adapt during the game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Adaptation {
    /// They stay as they are.
    #[default]
    None,
    /// They are halved whenever what they move swings too widely.
    HalveOnOscillation,
    /// They shrink with the age of the loop from one's own act back to oneself.
    DelayAware,
}

/// A participant's adaptation in the game of one slot.
#[derive(Debug, Default)]
pub(super) struct Steps {
    halving: Halving,
}

impl Steps {
    /// The part of its step that a participant takes now, in (0, 1].
    ///
    /// `burden` tells how much the age of the loop weighs on this kind of step, `interval` is the participant's own
    /// period.
    pub(super) fn part(
        &self,
        adaptation: Adaptation,
        burden: f64,
        news: Option<&MarketState>,
        now: Time,
        interval: Duration,
    ) -> f64 {
        match (adaptation, news) {
            (Adaptation::HalveOnOscillation, _) => self.halving.part(),
            (Adaptation::DelayAware, Some(news)) => 1.0 / (1.0 + burden * loop_age::excess(news, now, interval)),
            _ => 1.0,
        }
    }

    /// Takes note of what its steps have led to: its price, or the share of a seller.
    pub(super) fn note(&mut self, value: f64, tolerance: f64) {
        self.halving.note(value, tolerance);
    }
}
