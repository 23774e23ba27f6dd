//! Rates, written a second time: the price of local trade, and who trades with whom.

use microgrid_agents::{chain::fact::Number, units::Energy};
use std::collections::BTreeMap;

/// What each of a side is for, by its number.
pub(super) type Amounts = BTreeMap<Number, Energy>;

/// What a market is before it has a price: supply and demand [1e-6 kWh], and the lowest and the highest price [CNY/kWh].
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) supply: i128,
    pub(super) demand: i128,
    pub(super) band: (f64, f64),
}

impl Facts {
    #[cfg(test)]
    pub(super) fn of(supply: &Amounts, demand: &Amounts, band: (f64, f64)) -> Self {
        Self { supply: sum(supply), demand: sum(demand), band }
    }

    /// Half-way between the tariffs.
    pub(super) fn mid_market_rate(self) -> Option<f64> {
        self.is_traded().then(|| (self.band.0 + self.band.1) / 2.0)
    }

    /// Nothing.
    pub(super) fn bill_sharing(self) -> Option<f64> {
        self.is_traded().then_some(0.0)
    }

    /// The lowest price where supply is as large as demand, or that price is nothing; else by the ratio of both, to the
    /// last bit as the rule has it.
    pub(super) fn supply_demand_ratio(self) -> Option<f64> {
        if !self.is_traded() {
            return None;
        }
        let (lowest, highest) = self.band;
        let [supply, demand] = [self.supply, self.demand].map(|units| units as f64 / 1e6);
        if supply >= demand || lowest <= 0.0 {
            return Some(lowest);
        }
        let price = lowest * highest / ((highest - lowest) * (supply / demand) + lowest);
        Some(if price < lowest { lowest } else { price.min(highest) })
    }

    fn is_traded(self) -> bool {
        self.supply > 0 && self.demand > 0
    }
}

/// What each buyer gets of each seller where all of the scarcer side is traded in proportion.
pub(super) fn pool(supply: &Amounts, demand: &Amounts) -> BTreeMap<(Number, Number), Energy> {
    let traded = sum(supply).min(sum(demand));
    let [sold, bought] = [supply, demand].map(|side| {
        let amounts: Vec<i128> = side.values().map(|amount| i128::from(amount.0)).collect();
        side.keys().copied().zip(pro_rata(traded, &amounts)).collect::<Vec<_>>()
    });
    pair(&bought, &sold)
}

fn sum(amounts: &Amounts) -> i128 {
    amounts.values().map(|amount| i128::from(amount.0)).sum()
}

/// Divides `total` among `parts`: each gets what the running total rounded down gains by it.
pub(in crate::verify::mechanism) fn pro_rata(total: i128, parts: &[i128]) -> Vec<i128> {
    let all: i128 = parts.iter().sum();
    let (mut upto, mut before) = (0, 0);
    let amount = |part: &i128| {
        upto += part;
        let due = part_of(total, upto, all);
        due - std::mem::replace(&mut before, due)
    };
    parts.iter().map(amount).collect()
}

/// `total * part / all` rounded down, by long multiplication: the product itself may have more than 128 bits.
fn part_of(total: i128, part: i128, all: i128) -> i128 {
    if all == 0 {
        return 0;
    }
    let (mut quotient, mut remainder) = (0, 0);
    for bit in (0..128 - total.leading_zeros()).rev() {
        remainder = 2 * remainder + if total >> bit & 1 == 1 { part } else { 0 };
        quotient = 2 * quotient + remainder / all;
        remainder %= all;
    }
    quotient
}

/// Lays what is bought and what is sold end to end: two trade what their stretches have in common.
pub(in crate::verify::mechanism) fn pair(
    bought: &[(Number, i128)],
    sold: &[(Number, i128)],
) -> BTreeMap<(Number, Number), Energy> {
    let stretches = |side: &[(Number, i128)]| {
        let mut end = 0;
        let stretch = |&(number, amount): &(Number, i128)| {
            end += amount;
            (number, end - amount, end)
        };
        side.iter().map(stretch).filter(|(_, from, to)| from < to).collect::<Vec<_>>()
    };
    let (bought, sold) = (stretches(bought), stretches(sold));
    let mut pairs = BTreeMap::new();
    for (buyer, from, to) in bought {
        let first = sold.partition_point(|&(_, _, end)| end <= from);
        for &(seller, start, end) in sold[first..].iter().take_while(|&&(_, start, _)| start < to) {
            let common = to.min(end) - from.max(start);
            pairs.insert((buyer, seller), Energy(i64::try_from(common).unwrap_or(i64::MAX)));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::{
        market::pricing::PriceBand,
        mechanism::{pairing, pro_rata as theirs, rates::rule::Rate},
    };
    use proptest::{collection::vec, prelude::*};

    fn amounts(first: Number, units: &[i64]) -> Amounts {
        (0..).zip(units).map(|(place, &units)| (first + 3 * place, Energy(units))).collect()
    }

    #[test]
    fn a_pool_is_divided_and_paired() {
        // 5 of 8 units wanted: 5 * 2/8 = 1.25 up to the first buyer. Buyer 4 has the first unit of seller 2, buyer 7 the
        // other, and all of seller 5.
        let pairs = pool(&amounts(2, &[2, 3]), &amounts(4, &[2, 6]));
        assert_eq!(pairs, BTreeMap::from([((4, 2), Energy(1)), ((7, 2), Energy(1)), ((7, 5), Energy(3))]));
        assert!(pool(&amounts(2, &[]), &amounts(4, &[2, 6])).is_empty());
    }

    #[test]
    fn prices_follow_from_supply_and_demand() {
        let facts = |supply, demand| Facts { supply, demand, band: (0.4, 0.8) };
        assert_eq!(facts(3, 5).bill_sharing(), Some(0.0));
        assert!((facts(3, 5).mid_market_rate().unwrap() - 0.6).abs() < 1e-15);
        // 0.32 / (0.4 * 3/5 + 0.4).
        assert!((facts(3, 5).supply_demand_ratio().unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(facts(5, 5).supply_demand_ratio(), Some(0.4));
        let none = facts(5, 0);
        assert_eq!([none.bill_sharing(), none.mid_market_rate(), none.supply_demand_ratio()], [None; 3]);
    }

    #[test]
    fn products_of_more_than_128_bits_are_divided_exactly() {
        let most = i128::from(i64::MAX);
        assert_eq!(part_of(most, most << 40, most << 41), most / 2);
        assert_eq!(part_of(most, most << 41, most << 41), most);
    }

    fn side() -> impl Strategy<Value = Vec<i64>> {
        vec(prop_oneof![0..4_i64, 0..9_000_000_i64, 0..1_000_000_000_000_000_i64], 0..15)
    }

    proptest! {
        #[test]
        fn the_market_has_the_same_price(
            supply in side(), demand in side(), floor in prop_oneof![Just(0.0), 0.0..0.5], width in 0.0..0.5,
        ) {
            let band = PriceBand { floor, ceiling: floor + width };
            let [s, d] = [&supply, &demand].map(|side| side.iter().copied().map(Energy).sum::<Energy>());
            let facts = Facts::of(&amounts(0, &supply), &amounts(0, &demand), (floor, floor + width));
            prop_assert_eq!(facts.mid_market_rate(), Rate::MidMarketRate.price(s, d, band));
            prop_assert_eq!(facts.bill_sharing(), Rate::BillSharing.price(s, d, band));
            prop_assert_eq!(facts.supply_demand_ratio(), Rate::SupplyDemandRatio.price(s, d, band));
        }

        #[test]
        fn the_market_is_divided_and_paired_alike(supply in side(), demand in side()) {
            let energies = |side: &[i64]| side.iter().copied().map(Energy).collect::<Vec<_>>();
            let [bought, sold] = theirs::both(&energies(&demand), &energies(&supply));
            let numbered = |(buyer, seller, energy): (u32, u32, Energy)| ((50 + 3 * buyer, 3 * seller), energy);
            let pairs = pairing::pair((0..).zip(bought), (0..).zip(sold)).into_iter().map(numbered);
            prop_assert_eq!(pool(&amounts(0, &supply), &amounts(50, &demand)), pairs.collect::<BTreeMap<_, _>>());
        }
    }
}
