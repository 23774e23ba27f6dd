//! How steps adapt during the game.

mod halving;
mod loop_age;

use crate::{
    market::{replicator::AGE_BURDEN, step::StepSize},
    mechanism::Moment,
    message::MarketState,
};
use halving::Halving;
use loop_age::LoopAge;
use serde::{Deserialize, Serialize};

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
pub(in crate::mechanism) struct Steps {
    pub(in crate::mechanism::two_level) halving: Halving,
    pub(in crate::mechanism::two_level) loop_age: LoopAge,
}

/// How far a participant goes, of a whole step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::mechanism) struct Stride {
    /// The part of the step that it takes, in (0, 1].
    pub(in crate::mechanism) part: f64,
    /// The part of the step against which its change is held when it comes to rest. A step that has been halved again
    /// and again moves nothing any more, wherever it is: there, the whole step counts.
    pub(in crate::mechanism) rests_by: f64,
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
pub(in crate::mechanism) enum Stepping {
    /// A buyer.
    Buyer,
    /// A seller, on whose step the age of the loop weighs so much, see
    /// [`age_burden`](crate::market::pricing::age_burden).
    Seller(f64),
    /// A buyer or seller each of whom reckons with the other's step, on which the age of the loop weighs so much: to
    /// predict is for the one what it is for the other, and no step is larger than the whole.
    Party(f64),
}

impl Steps {
    /// How far it goes when it acts on these `news`.
    pub(in crate::mechanism) fn stride(
        &mut self,
        who: Stepping,
        news: Option<&MarketState>,
        moment: &Moment<'_>,
    ) -> Stride {
        match (moment.habits.adaptation, news) {
            (Adaptation::HalveOnOscillation, _) => {
                let part = self.halving.part;
                Stride { part, rests_by: part, ..Stride::WHOLE }
            }
            (Adaptation::DelayAware, Some(news)) => {
                let burden = match who {
                    Stepping::Buyer => AGE_BURDEN,
                    Stepping::Seller(burden) | Stepping::Party(burden) => burden,
                };
                self.shortened(burden, news, moment)
            }
            (Adaptation::Predictive, Some(news)) => match who {
                Stepping::Buyer => {
                    let size = buyers_step(self.excess(news, moment));
                    Stride { part: size / buyers_step(0.0), scaled: Some(size), ..Stride::WHOLE }
                }
                Stepping::Seller(_) => Stride { scaled: Some(1.0), ..Stride::WHOLE },
                Stepping::Party(burden) => self.shortened(burden, news, moment),
            },
            _ => Stride::WHOLE,
        }
    }

    /// A step on which the age of the loop weighs so much.
    fn shortened(&mut self, burden: f64, news: &MarketState, moment: &Moment<'_>) -> Stride {
        Stride { part: 1.0 / (1.0 + burden * self.excess(news, moment)), ..Stride::WHOLE }
    }

    /// Age of the loop in excess of one of its periods, in periods, as far as it has been measured.
    pub(super) fn excess(&mut self, news: &MarketState, moment: &Moment<'_>) -> f64 {
        self.loop_age.acts(news, moment.now);
        self.loop_age.excess(moment.interval)
    }
}

/// Size of the buyers' scaled step where the loop is older than one period by `excess` periods: `n^n / (n + 1)^(n + 1)`
/// with `n = 1 + L`, the largest with which an integrator that hears of itself `n` periods late does not overshoot.
fn buyers_step(excess: f64) -> f64 {
    let n = 1.0 + excess;
    (n / (n + 1.0)).powf(n) / (n + 1.0)
}

/// The demand that a seller may expect at its last price [kWh] (Smith predictor). `demand` [kWh] is what it hears of,
/// which answered a mean price of `answered` [CNY/kWh]; `last` is the price that is on its way since. Of all buyers
/// `responsive` shares answer to its price, each with a slope of one over `alpha`.
pub(super) fn expected_demand(demand: f64, answered: f64, last: f64, responsive: f64, alpha: f64) -> f64 {
    (demand + responsive / alpha * (answered - last)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_delay_a_quarter_is_the_step_that_does_not_overshoot() {
        assert_eq!(buyers_step(0.0), 0.25);
        assert!((buyers_step(1.0) - 4.0 / 27.0).abs() < 1e-12);
        // z(u+1) = z(u) - k z(u-n) goes by the roots of r^(n+1) - r^n + k: with this k they meet on the real line.
        for n in 1..=8_i32 {
            let k = buyers_step(f64::from(n) - 1.0);
            let at = |root: f64| root.powi(n + 1) - root.powi(n) + k;
            let meeting = f64::from(n) / f64::from(n + 1);
            assert!(at(meeting).abs() < 1e-15, "{n}");
            assert!((1..1000).all(|i| at(f64::from(i) / 1000.0) > -1e-15), "{n}: a larger step has no real root");
        }
    }

    #[test]
    fn what_is_asked_for_already_is_not_asked_for_again() {
        // A price raised by 0.1 since, at which two buyers will want 0.5 kWh less in all.
        assert!((expected_demand(2.0, 0.6, 0.7, 2.0, 0.4) - 1.5).abs() < 1e-12);
        assert_eq!(expected_demand(2.0, 0.7, 0.7, 2.0, 0.4), 2.0);
        assert_eq!(expected_demand(0.1, 0.6, 0.9, 2.0, 0.4), 0.0);
    }
}
