//! The one price of local trade, from what is for sale and what is wanted.

use crate::{
    market::{mechanism::Mechanism, pricing::PriceBand},
    units::{Energy, Total},
};

/// By which rule local trade is priced.
///
/// What both sides can trade goes at this price, in proportion; the rest goes to the grid or comes from it. On average
/// this comes to the rules' usual formulas for what a kWh costs and earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Half-way between the tariffs.
    MidMarketRate,
    /// Nothing: the community shares what it owes the grid, and what it gets, by energy. The only price that may lie
    /// outside the band.
    BillSharing,
    /// From the ceiling to the floor as supply rises from nothing to demand: with `r = S / D` and band `[f, c]`,
    /// `f c / ((c - f) r + f)`, and `f` from `r = 1` on.
    SupplyDemandRatio,
}

impl Rate {
    /// The rule of this mechanism, one of those that price by a rate.
    pub fn of(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::BillSharing => Self::BillSharing,
            Mechanism::SupplyDemandRatio => Self::SupplyDemandRatio,
            _ => Self::MidMarketRate,
        }
    }

    /// The price of local trade [CNY/kWh]; `None` where nothing is for sale or wanted.
    pub fn price(
        self,
        supply: impl Into<Total<Energy>>,
        demand: impl Into<Total<Energy>>,
        band: PriceBand,
    ) -> Option<f64> {
        let (supply, demand) = (supply.into().value(), demand.into().value());
        let PriceBand { floor, ceiling } = band;
        (supply > 0.0 && demand > 0.0).then(|| match self {
            Self::MidMarketRate => band.middle(),
            Self::BillSharing => 0.0,
            // A floor of 0 leaves no other price, whatever the ratio.
            Self::SupplyDemandRatio if supply >= demand || floor <= 0.0 => floor,
            Self::SupplyDemandRatio => {
                let ratio = supply / demand;
                (floor * ceiling / ((ceiling - floor) * ratio + floor)).max(floor).min(ceiling)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mechanism::{pairing::pair, pro_rata::both},
        units::Money,
    };
    use Rate::{BillSharing, MidMarketRate, SupplyDemandRatio};

    const BAND: PriceBand = PriceBand { floor: 0.4, ceiling: 0.8 };

    fn price(rate: Rate, supply: i64, demand: i64) -> Option<f64> {
        rate.price(Energy(supply), Energy(demand), BAND)
    }

    /// What two buyers pay and two sellers earn in all, grid included: 2/5 and 3/5 of the demand, 1/4 and 3/4 of the
    /// supply [kWh].
    fn bills(rate: Rate, supply: i64, demand: i64) -> ([Money; 2], [Money; 2]) {
        let part = |all: i64, part: i64, of: i64| Energy(all * 1_000_000 / of * part);
        let demand = [part(demand, 2, 5), part(demand, 3, 5)];
        let supply = [part(supply, 1, 4), part(supply, 3, 4)];
        let [bought, sold] = both(&demand, &supply);
        let total = |side: &[Energy; 2]| side[0] + side[1];
        let local = rate.price(total(&supply), total(&demand), BAND);
        let (mut pay, mut earn) = ([Money::ZERO; 2], [Money::ZERO; 2]);
        for (buyer, seller, energy) in pair((0..).zip(bought.iter().copied()), (0..).zip(sold.iter().copied())) {
            let payment = energy.at_price(local.expect("a price where there is a trade"));
            pay[buyer as usize] += payment;
            earn[seller as usize] += payment;
        }
        for one in 0..2 {
            pay[one] += (demand[one] - bought[one]).at_price(BAND.ceiling);
            earn[one] += (supply[one] - sold[one]).at_price(BAND.floor);
        }
        (pay, earn)
    }

    /// Money as thousandths of 1 CNY.
    fn thousandths(bills: ([Money; 2], [Money; 2])) -> [[f64; 2]; 2] {
        [bills.0, bills.1].map(|side| side.map(|money| money.0 as f64 / 1e3))
    }

    #[test]
    fn the_mid_market_rate_is_half_way_whatever_the_ratio() {
        for (supply, demand) in [(3, 5), (5, 5), (8, 5)] {
            assert!((price(MidMarketRate, supply, demand).unwrap() - 0.6).abs() < 1e-15);
        }
        // S < D, 4 of 10 kWh: buyers (0.6 * 4 + 0.8 * 6) / 10 = 0.72 for 4 and 6 kWh, sellers 0.6 for 1 and 3 kWh.
        assert_eq!(thousandths(bills(MidMarketRate, 4, 10)), [[2880.0, 4320.0], [600.0, 1800.0]]);
        // S = D, 20 kWh: all 0.6, for 8 and 12, 5 and 15 kWh.
        assert_eq!(thousandths(bills(MidMarketRate, 20, 20)), [[4800.0, 7200.0], [3000.0, 9000.0]]);
        // S > D, 20 and 10 kWh: buyers 0.6 for 4 and 6, sellers (0.6 * 10 + 0.4 * 10) / 20 = 0.5 for 5 and 15 kWh.
        assert_eq!(thousandths(bills(MidMarketRate, 20, 10)), [[2400.0, 3600.0], [2500.0, 7500.0]]);
    }

    #[test]
    fn bills_are_shared_by_energy() {
        for (supply, demand) in [(3, 5), (5, 5), (8, 5)] {
            assert_eq!(price(BillSharing, supply, demand), Some(0.0));
        }
        // S < D, 4 of 10 kWh: buyers 0.8 * 6 / 10 = 0.48 for 4 and 6 kWh, sellers nothing.
        assert_eq!(thousandths(bills(BillSharing, 4, 10)), [[1920.0, 2880.0], [0.0, 0.0]]);
        assert_eq!(thousandths(bills(BillSharing, 20, 20)), [[0.0; 2]; 2]);
        // S > D, 20 and 10 kWh: buyers nothing, sellers 0.4 * 10 / 20 = 0.2 for 5 and 15 kWh.
        assert_eq!(thousandths(bills(BillSharing, 20, 10)), [[0.0, 0.0], [1000.0, 3000.0]]);
    }

    #[test]
    fn the_price_falls_from_the_ceiling_to_the_floor_as_supply_rises_to_demand() {
        // r = 1/4: 0.32 / (0.4 / 4 + 0.4) = 0.64. r = 3/5: 0.32 / (0.24 + 0.4) = 0.5.
        assert!((price(SupplyDemandRatio, 1, 4).unwrap() - 0.64).abs() < 1e-15);
        assert!((price(SupplyDemandRatio, 3, 5).unwrap() - 0.5).abs() < 1e-15);
        assert!((price(SupplyDemandRatio, 1, 1_000_000_000).unwrap() - 0.8).abs() < 1e-8);
        assert_eq!(price(SupplyDemandRatio, 5, 5), Some(0.4));
        assert_eq!(price(SupplyDemandRatio, 8, 5), Some(0.4));
        // S < D, 12 of 20 kWh: buyers 0.5 * 0.6 + 0.8 * 0.4 = 0.62 for 8 and 12 kWh, sellers 0.5 for 3 and 9 kWh.
        assert_eq!(thousandths(bills(SupplyDemandRatio, 12, 20)), [[4960.0, 7440.0], [1500.0, 4500.0]]);
        // S >= D: all at 0.4.
        assert_eq!(thousandths(bills(SupplyDemandRatio, 20, 20)), [[3200.0, 4800.0], [2000.0, 6000.0]]);
        assert_eq!(thousandths(bills(SupplyDemandRatio, 20, 10)), [[1600.0, 2400.0], [2000.0, 6000.0]]);
    }

    #[test]
    fn where_nothing_can_be_traded_there_is_no_price_and_all_goes_by_the_tariffs() {
        for rate in [MidMarketRate, BillSharing, SupplyDemandRatio] {
            for (supply, demand) in [(0, 5), (5, 0), (0, 0)] {
                assert_eq!(price(rate, supply, demand), None);
            }
            // 4 and 6 kWh at 0.8; 5 and 15 kWh at 0.4.
            assert_eq!(thousandths(bills(rate, 0, 10)), [[3200.0, 4800.0], [0.0; 2]]);
            assert_eq!(thousandths(bills(rate, 20, 0)), [[0.0; 2], [2000.0, 6000.0]]);
        }
    }

    #[test]
    fn bands_at_nothing_and_without_width_have_a_price_within_them() {
        let one = |floor, ceiling, supply, demand| {
            SupplyDemandRatio.price(Energy(supply), Energy(demand), PriceBand { floor, ceiling })
        };
        assert_eq!(one(0.0, 0.8, 1, 1_000_000), Some(0.0));
        assert_eq!(one(0.0, 0.0, 1, 2), Some(0.0));
        for supply in 1..100 {
            assert_eq!(one(0.3, 0.3, supply, 70), Some(0.3));
            let price = one(0.1, 0.7, supply, 97).unwrap();
            assert!((0.1..=0.7).contains(&price));
        }
    }
}
