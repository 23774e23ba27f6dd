//! Truthful orders: up to which prices a trade serves whoever makes it.

use crate::{
    market::{
        demand::{Buyer, Demand},
        pricing::PriceBand,
    },
    statement::{OrderSide as Side, Step},
    units::Energy,
};

/// What a participant has to trade for, known to nobody else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Valuation {
    /// Its utility from what it buys.
    Buyer {
        /// Need, generation, and preference less what it pays to the operator.
        buyer: Buyer,
        /// Curvature of utility in the slot [CNY/kWh²].
        alpha: f64,
        /// Whether it may want more than its need.
        demand: Demand,
    },
    /// Its surplus, for which the grid pays the feed-in tariff.
    Seller(Energy),
}

impl Valuation {
    /// On which side it trades.
    pub fn side(&self) -> Side {
        match self {
            Self::Buyer { .. } => Side::Buy,
            Self::Seller(_) => Side::Sell,
        }
    }

    /// Its truthful curve. A seller asks the floor for all that it has. A buyer bids the ceiling for what it would buy
    /// there; from that to what it would buy at the floor, its bids are marginal utility (4), in this many `steps` of
    /// equal energy, each with what energy is worth in its middle.
    pub fn curve(&self, band: PriceBand, steps: u32) -> Vec<Step> {
        match *self {
            Self::Seller(surplus) => {
                Vec::from_iter((surplus > Energy::ZERO).then_some(Step { energy: surplus, limit: band.floor }))
            }
            Self::Buyer { buyer, alpha, demand } => bids(&buyer, alpha, demand, band, steps),
        }
    }
}

fn bids(buyer: &Buyer, alpha: f64, demand: Demand, band: PriceBand, steps: u32) -> Vec<Step> {
    let [first, all] = [band.ceiling, band.floor].map(|price| buyer.optimal_purchase(price, alpha, demand));
    let part = |step: f64| first + (all - first) * step / f64::from(steps);
    let worth = |x: f64| (buyer.preference - alpha * (x + buyer.generation)).max(band.floor).min(band.ceiling);
    let upto = |step: u32| if step == steps { all } else { part(step.into()).min(all) };
    let cut = (0..steps).map(|step| (upto(step + 1), worth(part(f64::from(step) + 0.5))));
    let mut before = Energy::ZERO;
    let step = |(upto, limit)| {
        let upto = Energy::at_most(upto);
        let energy = upto - std::mem::replace(&mut before, upto);
        Step { energy, limit }
    };
    let curve = std::iter::once((first, band.ceiling)).chain(cut).map(step);
    curve.filter(|step| step.energy > Energy::ZERO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::orders::{check, total};
    use proptest::prelude::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };
    const BUYER: Buyer = Buyer { need: 1.2, generation: 1.75, preference: 2.04 };

    /// Energy [1e-6 kWh] and limit, to a millionth, of what a buyer bids.
    fn curve(buyer: Buyer, demand: Demand, steps: u32) -> Vec<(i64, f64)> {
        let rounded = |step: &Step| (step.energy.0, (step.limit * 1e6).round() / 1e6);
        Valuation::Buyer { buyer, alpha: 0.4, demand }.curve(BAND, steps).iter().map(rounded).collect()
    }

    #[test]
    fn a_buyer_bids_its_marginal_utility() {
        // X*(0.85) = (2.04 - 0.85) / 0.4 - 1.75 = 1.225 and X*(0.45) = 2.225, so that four steps have 0.25 kWh each. The
        // first has its middle at 1.35 kWh, worth 2.04 - 0.4 (1.35 + 1.75) = 0.8; each further one 0.4 * 0.25 = 0.1 less.
        let expected = [(1_225_000, 0.85), (250_000, 0.8), (250_000, 0.7), (250_000, 0.6), (250_000, 0.5)];
        assert_eq!(curve(BUYER, Demand::Elastic, 4), expected);
    }

    #[test]
    fn a_firm_buyer_bids_for_no_more_than_its_need() {
        assert_eq!(curve(BUYER, Demand::Firm, 4), [(1_200_000, 0.85)], "1.2 kWh, which 1.225 at the ceiling exceed");
        // Need 1.475: 0.25 kWh beyond what it buys at the ceiling, in two steps, with middles at 1.2875 and 1.4125 kWh:
        // worth 2.04 - 0.4 * 3.0375 = 0.825 and 2.04 - 0.4 * 3.1625 = 0.775.
        let buyer = Buyer { need: 1.475, ..BUYER };
        assert_eq!(curve(buyer, Demand::Firm, 2), [(1_225_000, 0.85), (125_000, 0.825), (125_000, 0.775)]);
    }

    #[test]
    fn what_is_worth_less_than_the_tariffs_is_not_bid_for() {
        // Nothing at the ceiling, as the first kWh is worth 1.5 - 0.4 * 1.75 = 0.8; X*(0.45) = 0.875, whose middle 0.4375
        // is worth 0.8 - 0.175 = 0.625.
        assert_eq!(curve(Buyer { preference: 1.5, ..BUYER }, Demand::Elastic, 1), [(875_000, 0.625)]);
        assert_eq!(curve(Buyer { preference: 1.15, ..BUYER }, Demand::Elastic, 4), [], "the first is worth 0.45");
    }

    #[test]
    fn equal_steps_are_whole_units() {
        // X*(0.45) = (1.150_004 - 0.45) / 0.4 - 1.75 = 0.000_010: up to each third 3.33, 6.67 and 10 units.
        let bids = curve(Buyer { preference: 1.150_004, ..BUYER }, Demand::Elastic, 3);
        assert_eq!(bids.iter().map(|bid| bid.0).collect::<Vec<_>>(), [3, 3, 4]);
    }

    #[test]
    fn a_seller_asks_the_floor_for_all_that_it_has() {
        let asks = |units| Valuation::Seller(Energy(units)).curve(BAND, 10);
        assert_eq!(asks(1_728_000), [Step { energy: Energy(1_728_000), limit: 0.45 }]);
        assert_eq!(asks(0), []);
    }

    proptest! {
        #[test]
        fn the_contract_takes_what_is_true(
            need in 0.0..6.0, generation in 0.0..4.0, preference in 0.0..5.0, alpha in 0.01..2.0, steps in 1..20_u32,
            firm: bool, floor in 0.0..0.5, width in 0.0..0.5,
        ) {
            let buyer = Buyer { need, generation, preference };
            let demand = if firm { Demand::Firm } else { Demand::Elastic };
            let band = PriceBand { floor, ceiling: floor + width };
            let bids = Valuation::Buyer { buyer, alpha, demand }.curve(band, steps);
            let all = Energy::at_most(buyer.optimal_purchase(floor, alpha, demand));
            prop_assert_eq!(total(&bids), all.into());
            prop_assert!(!firm || all <= Energy::at_most(need));
            prop_assert_eq!(check(Side::Buy, &bids, band, all), Ok(()));
        }
    }
}
