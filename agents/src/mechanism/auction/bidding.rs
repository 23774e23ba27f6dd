//! By which rule participants of an auction make their orders.

use super::valuation::Valuation;
use crate::{
    market::pricing::PriceBand,
    mechanism::orders::rest,
    statement::{OrderSide as Side, Step},
    streams::Stream,
    units::Energy,
};
use dyn_clone::DynClone;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// By which rule a participant makes its orders.
///
/// What `PricingRule` says of memory and randomness holds here too. The ledger's contract holds whatever the rule says:
/// a curve out of order, out of the band or beyond what there is is refused, and the last that counted stays in force.
pub trait Bidder: DynClone + Debug + Send + Sync {
    /// The curve that is to take the place of the last one, of what the participant would trade in the slot in all;
    /// `None` where that may stay. Asked once an act.
    fn bid(&mut self, bidding: &Bidding<'_>, random: &mut Stream) -> Option<Vec<Step>>;

    /// Whether it will have nothing else to say in this slot, once it has said what it was asked for just now. It is not
    /// asked again then, unless its orders were lost.
    fn is_done(&self, _bidding: &Bidding<'_>) -> bool {
        false
    }
}

dyn_clone::clone_trait_object!(Bidder);

/// What a participant has to go by when it makes an order.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bidding<'a> {
    /// What it has to trade for.
    pub valuation: Valuation,
    /// Between which prices limits may lie.
    pub band: PriceBand,
    /// How much of the time from the opening to the gate is over, in [0, 1].
    pub elapsed: f64,
    /// What it has traded in the slot.
    pub traded: Energy,
    /// The highest limit of what waits to be bought [CNY/kWh], where the ledger shows it.
    pub bid: Option<f64>,
    /// The lowest limit of what waits to be sold [CNY/kWh], where the ledger shows it.
    pub ask: Option<f64>,
    /// The price of the last trades that were shown [CNY/kWh].
    pub price: Option<f64>,
    /// The curve that it has posted last, if it has.
    pub last: Option<&'a [Step]>,
}

impl Bidding<'_> {
    /// On which side it trades.
    pub fn side(&self) -> Side {
        self.valuation.side()
    }

    /// The same for whoever keeps it: without the last curve.
    pub fn without_last(&self) -> Bidding<'static> {
        let Self { valuation, band, elapsed, traded, bid, ask, price, last: _ } = *self;
        Bidding { valuation, band, elapsed, traded, bid, ask, price, last: None }
    }

    /// The truthful curve, in so many steps where energy is worth less than it costs at the grid.
    pub fn truth(&self, steps: u32) -> Vec<Step> {
        self.valuation.curve(self.band, steps)
    }

    /// The truthful curve with limits that have gone this `part` of the way from the tariff that is best for the
    /// participant to its own limits.
    pub fn shaded(&self, steps: u32, part: f64) -> Vec<Step> {
        let PriceBand { floor, ceiling } = self.band;
        let from = if self.side() == Side::Buy { floor } else { ceiling };
        let mut curve = self.truth(steps);
        for Step { limit: own, .. } in &mut curve {
            // Rounding does not take it beyond either.
            *own = (from + part * (*own - from)).max(own.min(from)).min(own.max(from));
        }
        curve
    }

    /// Unless it says what the last one said, or nothing of it is left to trade.
    fn unless_vain(&self, curve: Vec<Step>) -> Option<Vec<Step>> {
        let vain = rest(&curve, self.traded).next().is_none() || self.last == Some(&curve);
        (!vain).then_some(curve)
    }
}

/// Into how many steps a curve is cut where nobody says.
pub const STEPS: u32 = 10;

/// By which rule participants make their orders, of those that a scenario can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BiddingStrategy {
    /// What is true, once.
    Truthful {
        /// Into how many steps a buyer's curve is cut.
        steps: u32,
    },
    /// Zero intelligence, but never at a loss (Gode & Sunder 1993): whenever it acts, limits that are drawn between the
    /// tariff that is best for it and its own limits, all of them the same part of the way, so that each is uniform and
    /// they keep their order.
    ZeroIntelligence,
    /// From the tariff that is best for it to its own limits, as the time from the opening to the gate goes by, by
    /// hundredths of it.
    Ramp,
}

impl Default for BiddingStrategy {
    fn default() -> Self {
        Self::Truthful { steps: STEPS }
    }
}

impl Bidder for BiddingStrategy {
    fn bid(&mut self, bidding: &Bidding<'_>, random: &mut Stream) -> Option<Vec<Step>> {
        let curve = match *self {
            Self::Truthful { .. } if bidding.last.is_some() => return None,
            Self::Truthful { steps } => bidding.truth(steps),
            Self::ZeroIntelligence => bidding.shaded(STEPS, random.random::<f64>()),
            // In a hundred steps: who acts often does not say something new each time.
            Self::Ramp => bidding.shaded(STEPS, (100.0 * bidding.elapsed).floor() / 100.0),
        };
        bidding.unless_vain(curve)
    }

    fn is_done(&self, bidding: &Bidding<'_>) -> bool {
        matches!(self, Self::Truthful { .. }) || rest(&bidding.truth(1), bidding.traded).next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::ActorId,
        market::demand::{Buyer, Demand},
        mechanism::orders::{check, total},
        streams::{Purpose, stream},
    };
    use BiddingStrategy::{Ramp, Truthful, ZeroIntelligence};
    use proptest::prelude::*;

    const BAND: PriceBand = PriceBand { floor: 0.4, ceiling: 0.8 };

    fn bidding(valuation: Valuation) -> Bidding<'static> {
        Bidding {
            valuation,
            band: BAND,
            elapsed: 0.0,
            traded: Energy::ZERO,
            bid: None,
            ask: None,
            price: None,
            last: None,
        }
    }

    /// Buys 1 kWh at the ceiling and 2 at the floor, worth 0.6 on average beyond the first.
    fn buyer() -> Bidding<'static> {
        let buyer = Buyer { need: 9.0, generation: 1.0, preference: 1.6 };
        bidding(Valuation::Buyer { buyer, alpha: 0.4, demand: Demand::Elastic })
    }

    fn seller() -> Bidding<'static> {
        bidding(Valuation::Seller(Energy(5_000_000)))
    }

    fn random() -> Stream {
        stream(7, ActorId(3), Purpose::Behaviour)
    }

    fn limits(curve: &[Step]) -> Vec<f64> {
        curve.iter().map(|step| (step.limit * 1e9).round() / 1e9).collect()
    }

    #[test]
    fn who_is_truthful_says_so_once() {
        let mut rule: Box<dyn Bidder> = Box::new(Truthful { steps: 1 });
        let curve = rule.bid(&buyer(), &mut random()).unwrap();
        // (1.6 - 0.8) / 0.4 - 1 = 1 kWh at 0.8, (1.6 - 0.4) / 0.4 - 1 = 2 at 0.4; the middle, 1.5, is worth 1.6 - 0.4 * 2.5.
        assert_eq!((limits(&curve), total(&curve)), (vec![0.8, 0.6], Energy(2_000_000).into()));
        let again = Bidding { last: Some(&curve), elapsed: 0.5, ..buyer() };
        assert_eq!(rule.clone().bid(&again, &mut random()), None);
        assert_eq!(limits(&rule.bid(&seller(), &mut random()).unwrap()), [0.4]);
        assert_eq!(BiddingStrategy::default(), Truthful { steps: 10 });
    }

    #[test]
    fn a_ramp_goes_from_one_tariff_to_the_own_limits() {
        let at = |bidding: Bidding<'_>, elapsed| Ramp.bid(&Bidding { elapsed, ..bidding }, &mut random()).unwrap();
        // A seller's own limit is the floor: from 0.8 to 0.4.
        let asked = [0.0, 0.25, 1.0].map(|elapsed| limits(&at(seller(), elapsed)));
        assert_eq!(asked, [[0.8], [0.7], [0.4]]);
        // A buyer's are the ceiling for the first, and 0.78, 0.74, ... 0.42 in the ten steps down to the floor.
        assert!(limits(&at(buyer(), 0.0)).iter().all(|&limit| limit == 0.4));
        assert_eq!(limits(&at(buyer(), 0.5))[..3], [0.6, 0.59, 0.57]);
        assert_eq!(at(buyer(), 1.0), buyer().truth(STEPS), "to the last bit");
        let last = at(seller(), 0.25);
        let same = Bidding { elapsed: 0.25, last: Some(&last), ..seller() };
        assert_eq!(Ramp.bid(&same, &mut random()), None, "nothing has changed");
    }

    #[test]
    fn zero_intelligence_draws_limits_that_are_uniform_up_to_its_own() {
        let (mut random, draws) = (random(), 4000);
        let mut mean = |bidding: &Bidding<'_>, step: usize| {
            let mut draw = || ZeroIntelligence.bid(bidding, &mut random).unwrap()[step].limit;
            let drawn: Vec<f64> = (0..draws).map(|_| draw()).collect();
            let (lowest, highest) = drawn.iter().fold((1.0_f64, 0.0_f64), |(low, high), &x| (low.min(x), high.max(x)));
            (drawn.iter().sum::<f64>() / f64::from(draws), lowest, highest)
        };
        // Four standard deviations, (0.8 - 0.4) / sqrt(12) / sqrt(4000) each, are 0.0073.
        let near = |found: (f64, f64, f64), from: f64, to: f64| {
            (found.0 - (from + to) / 2.0).abs() < 0.0073
                && (from..from + 0.002).contains(&found.1)
                && (to - 0.002..to).contains(&found.2)
        };
        assert!(near(mean(&seller(), 0), 0.4, 0.8));
        assert!(near(mean(&buyer(), 0), 0.4, 0.8));
        assert!(near(mean(&buyer(), 6), 0.4, 0.58), "0.78 less five times 0.04");
    }

    #[test]
    fn who_has_traded_all_says_nothing_more() {
        for mut rule in [Truthful { steps: 3 }, ZeroIntelligence, Ramp] {
            let done = Bidding { traded: Energy(5_000_000), ..seller() };
            assert_eq!(rule.bid(&done, &mut random()), None);
            let nearly = Bidding { traded: Energy(4_999_999), ..seller() };
            assert_eq!(total(&rule.bid(&nearly, &mut random()).unwrap()), Energy(5_000_000).into());
            assert_eq!(rule.bid(&bidding(Valuation::Seller(Energy::ZERO)), &mut random()), None);
        }
    }

    proptest! {
        /// Nobody bids more or asks less than it is worth, at any moment, and the contract takes it.
        #[test]
        fn no_rule_trades_at_a_loss(
            elapsed in 0.0..=1.0, generation in 0.0..3.0, preference in 0.0..4.0, floor in 0.0..0.5, width in 0.0..0.5,
            sells: bool, rule in 0..3_usize, seed: u64,
        ) {
            let buyer = Buyer { need: 1.0, generation, preference };
            let valuation = match sells {
                true => Valuation::Seller(Energy(77)),
                false => Valuation::Buyer { buyer, alpha: 0.4, demand: Demand::Elastic },
            };
            let bidding = Bidding { valuation, band: PriceBand { floor, ceiling: floor + width }, elapsed, ..seller() };
            let mut rule = [Truthful { steps: STEPS }, ZeroIntelligence, Ramp][rule];
            let truth = bidding.truth(STEPS);
            let curve = rule.bid(&bidding, &mut stream(seed, ActorId(3), Purpose::Behaviour)).unwrap_or_default();
            prop_assert!(curve.is_empty() == truth.is_empty());
            prop_assert_eq!(check(bidding.side(), &curve, bidding.band, Energy(i64::MAX)), Ok(()));
            for (posted, own) in curve.iter().zip(&truth) {
                prop_assert_eq!(posted.energy, own.energy);
                let at_no_loss = if sells { posted.limit >= own.limit } else { posted.limit <= own.limit };
                prop_assert!(at_no_loss);
            }
        }
    }
}
