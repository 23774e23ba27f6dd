//! How steps adapt during the game.

mod halving;
mod loop_age;

use crate::{message::MarketState, time::Time};
use halving::Halving;
use loop_age::LoopAge;
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
    loop_age: LoopAge,
}

/// How far a participant goes, of a whole step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stride {
    /// The part of the step that it takes, in (0, 1].
    pub(super) part: f64,
    /// The part of the step against which its change is held when it comes to rest.
    ///
    /// A step that has been halved again and again moves nothing any more, wherever it is: there, the whole step
    /// counts.
    pub(super) rests_by: f64,
}

impl Stride {
    const WHOLE: Self = Self { part: 1.0, rests_by: 1.0 };
}

impl Steps {
    /// A market state has arrived `after` so long.
    pub(super) fn arrived(&mut self, after: Duration) {
        self.loop_age.arrived(after);
    }

    /// How far it goes when it acts `now` on these `news`.
    ///
    /// `burden` tells how much the age of the loop weighs on this kind of step, `period` is the participant's own.
    pub(super) fn stride(
        &mut self,
        adaptation: Adaptation,
        burden: f64,
        news: Option<&MarketState>,
        now: Time,
        period: Duration,
    ) -> Stride {
        match (adaptation, news) {
            (Adaptation::HalveOnOscillation, _) => {
                let part = self.halving.part();
                Stride { part, rests_by: part }
            }
            (Adaptation::DelayAware, Some(news)) => {
                self.loop_age.acts(news, now);
                Stride { part: 1.0 / (1.0 + burden * self.loop_age.excess(period)), ..Stride::WHOLE }
            }
            _ => Stride::WHOLE,
        }
    }

    /// Takes note of what its steps have led to: its price, or the share of a seller.
    pub(super) fn note(&mut self, value: f64, tolerance: f64) {
        self.halving.note(value, tolerance);
    }
}
