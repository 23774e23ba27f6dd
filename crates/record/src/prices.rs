//! At which prices a slot's energy changed hands: their mean, and how far participants are apart.

use super::number::Number;
use microgrid_agents::{
    market::settlement::Trade,
    units::{Energy, Total},
};

/// Price of some trades, weighted by energy [CNY/kWh].
#[derive(Clone, Copy, Debug)]
struct MeanPrice {
    value: f64,
    energy: Total<Energy>,
    least: f64,
    most: f64,
}

impl Default for MeanPrice {
    fn default() -> Self {
        Self { value: 0.0, energy: Total::default(), least: f64::INFINITY, most: f64::NEG_INFINITY }
    }
}

impl MeanPrice {
    fn add(&mut self, trade: &Trade) {
        if trade.energy > Energy::ZERO {
            self.value += trade.price * trade.energy.value();
            self.energy += trade.energy;
            (self.least, self.most) = (self.least.min(trade.price), self.most.max(trade.price));
        }
    }

    /// `None` without trades. Rounding takes it beyond none of them.
    fn value(&self) -> Option<f64> {
        (self.energy > Total::default()).then(|| (self.value / self.energy.value()).max(self.least).min(self.most))
    }
}

/// Mean price of the trades, weighted by energy [CNY/kWh]; `None` without trades.
pub(super) fn mean_price<'a>(trades: impl Iterator<Item = &'a Trade>) -> Option<Number> {
    let mut mean = MeanPrice::default();
    trades.for_each(|trade| mean.add(trade));
    mean.value().and_then(Number::new)
}

/// How far participants are apart [CNY/kWh]: the largest less the smallest mean price of a buyer, or the same of the
/// sellers where that is more; `None` without trades. Fees, which are the same for each kWh, are not in it.
pub(super) fn spread(trades: &[Trade]) -> Option<Number> {
    let apart = |side: fn(&Trade) -> u32| {
        let mut means: Vec<MeanPrice> = Vec::new();
        for trade in trades {
            let position = side(trade) as usize;
            if means.len() <= position {
                means.resize(position + 1, MeanPrice::default());
            }
            means[position].add(trade);
        }
        let prices = || means.iter().filter_map(MeanPrice::value);
        Some(prices().reduce(f64::max)? - prices().reduce(f64::min)?)
    };
    Number::new(apart(|trade| trade.buyer)?.max(apart(|trade| trade.seller)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn between(buyer: u32, seller: u32, price: f64, units: i64) -> Trade {
        Trade::new(buyer, seller, 1.0, Energy(units), price, 0.0)
    }

    fn trade(price: f64, units: i64) -> Trade {
        between(0, 0, price, units)
    }

    #[test]
    fn the_mean_price_is_weighted_by_energy() {
        let trades = [trade(0.5, 3_000_000), trade(0.7, 1_000_000), trade(0.9, 0)];
        assert!((mean_price(trades.iter()).unwrap().value() - 0.55).abs() < 1e-12);
        assert_eq!(mean_price([trade(0.9, 0)].iter()), None);
    }

    #[test]
    fn the_spread_is_between_means_of_participants_on_the_side_where_it_is_more() {
        // Buyers 0 and 2 pay (3 × 0.5 + 1 × 0.9) / 4 = 0.6 and 0.8, sellers 1 and 3 earn (3 × 0.5 + 4 × 0.8) / 7 = 0.6714
        // and 0.9; nobody gets nothing for it, at whatever price.
        let trades = [
            between(0, 1, 0.5, 3_000_000),
            between(0, 3, 0.9, 1_000_000),
            between(2, 1, 0.8, 4_000_000),
            between(1, 0, 7.0, 0),
        ];
        let spread = |trades: &[Trade]| spread(trades).map(Number::value);
        assert!((spread(&trades).unwrap() - (0.9 - 4.7 / 7.0)).abs() < 1e-12);
        let mirrored = trades.map(|trade| Trade { buyer: trade.seller, seller: trade.buyer, ..trade });
        assert_eq!(spread(&mirrored), spread(&trades));
        assert_eq!((spread(&trades[..2]), spread(&trades[..1])), (Some(0.4), Some(0.0)));
        assert_eq!((spread(&trades[3..]), spread(&[])), (None, None));
    }

    proptest! {
        #[test]
        fn where_all_trade_at_the_tariff_so_does_the_mean(tariff in 0.1..2.0, units in vec(1..9_000_000_i64, 1..50)) {
            let trades: Vec<Trade> = (0..).zip(units).map(|(n, units)| between(n % 7, n % 3, tariff, units)).collect();
            prop_assert_eq!(mean_price(trades.iter()).map(Number::value), Some(tariff));
            prop_assert_eq!(spread(&trades).map(Number::value), Some(0.0));
        }
    }
}
