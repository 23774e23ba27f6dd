//! Orders: curves of energy and limits that participants post, what is left of them once something has been traded, and
//! what the contract holds them to.

use crate::{
    chain::refusal::{Refusal, Validity, ensure},
    market::pricing::PriceBand,
    statement::{OrderSide as Side, Step},
    units::{Energy, Total},
};

impl Step {
    /// Where it stands among the steps of its side: the lower, the more willing.
    pub(crate) fn rank(&self, side: Side) -> Rank {
        // Zero has no sign here; below it, the bits of a larger magnitude come first.
        let bits = (self.limit + 0.0).to_bits();
        let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        Rank(if side == Side::Sell { ascending } else { !ascending })
    }
}

/// How willing a step is among those of its side, as a key that sorts: the lower, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u64);

impl Rank {
    /// The same for steps of the parties at these positions, who come in this order where ranks are equal: one number,
    /// since many of them are sorted.
    pub(crate) fn then(self, position: u32) -> u128 {
        u128::from(self.0) << 32 | u128::from(position)
    }
}

/// What the energies of these steps add up to.
pub fn total(steps: &[Step]) -> Total<Energy> {
    steps.iter().map(|step| step.energy).sum()
}

/// What is left of a curve of which so much has been `traded`, most willing first.
pub fn rest(steps: &[Step], traded: Energy) -> impl Iterator<Item = Step> {
    let mut gone = traded;
    steps.iter().filter_map(move |step| {
        let taken = gone.min(step.energy);
        gone -= taken;
        (taken < step.energy).then_some(Step { energy: step.energy - taken, ..*step })
    })
}

/// Holds a curve to the rules: limits are numbers within the `band` and go from the most willing on, energies are
/// positive and come to no more than `most` in all. A curve without steps is one: it cancels.
pub fn check(side: Side, steps: &[Step], band: PriceBand, most: Energy) -> Validity {
    let amounts = match side {
        Side::Buy => Refusal::InvalidPurchases,
        Side::Sell => Refusal::MoreThanSurplus,
    };
    ensure(steps.iter().all(|step| step.limit.is_finite()), Refusal::NotFinite)?;
    ensure(steps.iter().all(|step| band.contains(step.limit)), Refusal::PriceOutOfBand)?;
    ensure(steps.is_sorted_by_key(|step| step.rank(side)), Refusal::PriceOutOfBand)?;
    ensure(steps.iter().all(|step| step.energy > Energy::ZERO), amounts)?;
    ensure(total(steps) <= most.into(), amounts)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    /// Steps of so many units at these limits.
    pub(crate) fn steps<const N: usize>(steps: [(i64, f64); N]) -> Vec<Step> {
        steps.into_iter().map(|(units, limit)| Step { energy: Energy(units), limit }).collect()
    }

    #[test]
    fn what_is_traded_counts_against_the_most_willing_steps() {
        let curve = steps([(5, 0.8), (3, 0.7), (4, 0.6)]);
        let left = |traded| rest(&curve, Energy(traded)).collect::<Vec<_>>();
        assert_eq!(left(0), curve);
        assert_eq!(left(2), steps([(3, 0.8), (3, 0.7), (4, 0.6)]), "5 - 2 = 3 of the first");
        assert_eq!(left(5), steps([(3, 0.7), (4, 0.6)]), "just the first is gone");
        assert_eq!(left(9), steps([(3, 0.6)]), "5 + 3 are gone, and 1 of the last");
        assert_eq!(left(12), []);
        assert_eq!(left(99), [], "a curve below what has been traded has nothing left");
    }

    #[test]
    fn a_curve_keeps_to_the_band_to_its_order_and_to_what_there_is() {
        let sell = |curve: &[Step]| check(Side::Sell, curve, BAND, Energy(10));
        let buy = |curve: &[Step]| check(Side::Buy, curve, BAND, Energy(10));
        assert_eq!(sell(&steps([(6, 0.45), (4, 0.85)])), Ok(()));
        assert_eq!(buy(&steps([(6, 0.85), (4, 0.45)])), Ok(()));
        assert_eq!(buy(&steps([(1, 0.6), (1, 0.6)])), Ok(()), "limits may be the same");
        assert_eq!((sell(&[]), buy(&[])), (Ok(()), Ok(())), "no steps cancel");
        for limit in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(sell(&steps([(1, limit)])), Err(Refusal::NotFinite));
        }
        for limit in [0.449, 0.851, -0.5] {
            assert_eq!(buy(&steps([(1, limit)])), Err(Refusal::PriceOutOfBand));
        }
        assert_eq!(sell(&steps([(1, 0.6), (1, 0.5)])), Err(Refusal::PriceOutOfBand), "asks ascend");
        assert_eq!(buy(&steps([(1, 0.5), (1, 0.6)])), Err(Refusal::PriceOutOfBand), "bids descend");
        assert_eq!(sell(&steps([(6, 0.5), (5, 0.5)])), Err(Refusal::MoreThanSurplus), "6 + 5 > 10");
        assert_eq!(buy(&steps([(6, 0.5), (5, 0.5)])), Err(Refusal::InvalidPurchases));
        for units in [0, -1, i64::MIN] {
            assert_eq!(sell(&steps([(units, 0.5)])), Err(Refusal::MoreThanSurplus));
            assert_eq!(buy(&steps([(units, 0.5)])), Err(Refusal::InvalidPurchases));
        }
        assert_eq!(sell(&steps([(i64::MAX, 0.5), (i64::MAX, 0.5)])), Err(Refusal::MoreThanSurplus), "no overflow");
    }

    #[test]
    fn ranks_sort_as_limits_do() {
        let limits = [-1.5, -0.25, 0.0, 5e-324, 0.25, 1.5];
        let ranks = |side| limits.map(|limit| Step { energy: Energy(1), limit }.rank(side));
        assert!(ranks(Side::Sell).is_sorted_by(|a, b| a < b) && ranks(Side::Buy).is_sorted_by(|a, b| a > b));
        let zeros = [0.0, -0.0].map(|limit| Step { energy: Energy(1), limit }.rank(Side::Buy));
        assert_eq!(zeros[0], zeros[1]);
    }

    #[test]
    fn a_step_reads_back_from_the_chain() {
        let step = Step { energy: Energy(1_500_000), limit: 0.1 + 0.2 };
        let text = serde_json::to_string(&step).unwrap();
        assert_eq!(text, r#"{"energy":1500000,"limit":0.30000000000000004}"#);
        assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), step);
    }
}
