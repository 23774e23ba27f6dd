//! How steps adapt during the game.

mod halving;
mod loop_age;
mod predictive;

pub(super) use predictive::expected_demand;

use crate::{
    market::{replicator::AGE_BURDEN, step::StepSize},
    message::MarketState,
    time::Time,
};
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
    /// They are as large as that age allows, whatever the scenario's steps are, and sellers answer the demand that they
    /// expect at their last price.
    Predictive,
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
    /// The scaled size that takes the place of the rules' own, if any does.
    scaled: Option<f64>,
}

impl Stride {
    const WHOLE: Self = Self { part: 1.0, rests_by: 1.0, scaled: None };

    /// What a step of this size comes to.
    pub(super) fn of(&self, size: StepSize) -> StepSize {
        self.scaled.map_or_else(|| size.times(self.part), StepSize::Scaled)
    }
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stepping {
    /// A buyer.
    Buyer,
    /// A seller, on whose step the age of the loop weighs so much, see
    /// [`age_burden`](crate::market::pricing::age_burden).
    Seller(f64),
}

impl Steps {
    /// A market state has arrived `after` so long.
    pub(super) fn arrived(&mut self, after: Duration) {
        self.loop_age.arrived(after);
    }

    /// How far it goes when it acts `now` on these `news`; `period` is the participant's own.
    pub(super) fn stride(
        &mut self,
        adaptation: Adaptation,
        who: Stepping,
        news: Option<&MarketState>,
        now: Time,
        period: Duration,
    ) -> Stride {
        match (adaptation, news) {
            (Adaptation::HalveOnOscillation, _) => {
                let part = self.halving.part();
                Stride { part, rests_by: part, ..Stride::WHOLE }
            }
            (Adaptation::DelayAware, Some(news)) => {
                let burden = match who {
                    Stepping::Buyer => AGE_BURDEN,
                    Stepping::Seller(burden) => burden,
                };
                Stride { part: 1.0 / (1.0 + burden * self.excess(news, now, period)), ..Stride::WHOLE }
            }
            (Adaptation::Predictive, Some(news)) => match who {
                Stepping::Buyer => {
                    let size = predictive::buyers_step(self.excess(news, now, period));
                    Stride { part: size / predictive::buyers_step(0.0), scaled: Some(size), ..Stride::WHOLE }
                }
                Stepping::Seller(_) => Stride { scaled: Some(1.0), ..Stride::WHOLE },
            },
            _ => Stride::WHOLE,
        }
    }

    /// Age of the loop in excess of one `period`, in periods, as far as it has been measured when it acts `now` on these
    /// `news`.
    pub(super) fn excess(&mut self, news: &MarketState, now: Time, period: Duration) -> f64 {
        self.loop_age.acts(news, now);
        self.loop_age.excess(period)
    }

    /// Takes note of what its steps have led to: its price, or the share of a seller.
    pub(super) fn note(&mut self, value: f64, tolerance: f64) {
        self.halving.note(value, tolerance);
    }
}
