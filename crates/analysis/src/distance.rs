//! How far a market is from its equilibrium, section 9.

use super::equilibrium::Equilibrium;
use microgrid_agents::market::{
    aggregate::{Aggregate, private_net_utility},
    demand::Buyer,
    pricing::PriceBand,
    replicator::mean_fitness,
    settlement::Trade,
};

/// A seller with a smaller share counts as not chosen.
const CHOSEN: f64 = 1e-6;

/// Distances of a market from rest, all zero at the equilibrium.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Largest distance of a price from those that clear the market [CNY/kWh].
    pub price_gap: f64,
    /// Mean distance of a price from them, weighted by surplus [CNY/kWh].
    pub price_gap_weighted: f64,
    /// Largest excess of demand or supply over a seller that its price could still answer, relative to mean surplus.
    pub imbalance: f64,
    /// Largest difference of a chosen seller's net utility from the mean (14), relative to the mean without the
    /// constant; `None` where that mean is not positive.
    pub ess_residual: Option<f64>,
}

/// How far `prices` [CNY/kWh] and the choices in `aggregate` are from `equilibrium`.
///
/// `surplus` [kWh] and `prices` list the sellers; a seller without a price (infinite) has no gap. A price at the floor
/// cannot fall and one at the ceiling cannot rise: there, too little and too much demand are no imbalance.
pub fn distance(
    prices: &[f64],
    aggregate: &Aggregate,
    surplus: &[f64],
    band: PriceBand,
    equilibrium: &Equilibrium,
) -> Distance {
    let gaps = || {
        let quoted = prices.iter().zip(surplus).filter(|(price, _)| price.is_finite());
        quoted.map(|(price, surplus)| (gap(*price, equilibrium.lowest, equilibrium.price), surplus))
    };
    let quoted: f64 = gaps().map(|(_, surplus)| surplus).sum();
    Distance {
        price_gap: gaps().map(|(gap, _)| gap).fold(0.0, f64::max),
        price_gap_weighted: gaps().map(|(gap, surplus)| gap * surplus).sum::<f64>() / quoted,
        imbalance: imbalance(prices, &aggregate.demand, surplus, band),
        ess_residual: ess_residual(aggregate),
    }
}

/// Distance of a price from the `lowest` and the `highest` that clear the market, zero in between [CNY/kWh].
pub fn gap(price: f64, lowest: f64, highest: f64) -> f64 {
    (lowest - price).max(price - highest).max(0.0)
}

fn imbalance(prices: &[f64], demand: &[f64], surplus: &[f64], band: PriceBand) -> f64 {
    let (sellers, mean) = (prices.iter().zip(demand).zip(surplus), mean(surplus));
    sellers.map(|((&price, &demand), &surplus)| imbalance_of(price, demand, surplus, band, mean)).fold(0.0, f64::max)
}

/// Excess of demand or supply at one seller that its price could still answer, relative to `mean_surplus`: its part of
/// [`Distance::imbalance`]. `demand`, `surplus` and `mean_surplus` in kWh, `price` in CNY/kWh.
pub fn imbalance_of(price: f64, demand: f64, surplus: f64, band: PriceBand, mean_surplus: f64) -> f64 {
    let excess = demand - surplus;
    let answerable = (excess > 0.0 && price < band.ceiling) || (excess < 0.0 && price > band.floor);
    if answerable { excess.abs() / mean_surplus } else { 0.0 }
}

/// Mean of the surpluses [kWh].
pub fn mean(surplus: &[f64]) -> f64 {
    surplus.iter().sum::<f64>() / surplus.len() as f64
}

fn ess_residual(aggregate: &Aggregate) -> Option<f64> {
    let mean = mean_fitness(&aggregate.mean_share, &aggregate.net_utility);
    let without_constant = mean - aggregate.constant;
    let chosen = aggregate.mean_share.iter().zip(&aggregate.net_utility).filter(|(share, _)| **share > CHOSEN);
    let largest = chosen.map(|(_, xi)| (xi - mean).abs()).fold(0.0, f64::max);
    (without_constant > 0.0).then(|| largest / without_constant)
}

/// The same where buyers know only some sellers and compare what these are worth to themselves: the largest relative
/// difference that any of them finds from its own mean; `None` where nobody's mean is positive.
///
/// `trades` are all that a game ended in, by buyer; `buyer` tells of the buyer at a position what it registered, and
/// `served_share` of each seller which part of its demand it serves.
pub fn own_ess_residual(
    trades: &[Trade],
    buyer: impl Fn(u32) -> Buyer,
    served_share: &[f64],
    alpha: f64,
) -> Option<f64> {
    let of_one = |trades: &[Trade]| {
        let facts = buyer(trades[0].buyer);
        let chosen: Vec<(f64, f64)> = trades
            .iter()
            .map(|trade| {
                let served = served_share[trade.seller as usize];
                let worth = private_net_utility(&facts, trade.optimal, served, trade.price, alpha);
                (trade.energy.value() / (served * trade.optimal), worth)
            })
            .filter(|(share, _)| *share > CHOSEN)
            .collect();
        let held: f64 = chosen.iter().map(|(share, _)| share).sum();
        let mean = chosen.iter().map(|(share, worth)| share * worth).sum::<f64>() / held;
        (mean > 0.0).then(|| chosen.iter().map(|(_, worth)| (worth - mean).abs()).fold(0.0, f64::max) / mean)
    };
    trades.chunk_by(|a, b| a.buyer == b.buyer).filter_map(of_one).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equilibrium::Corner;
    use microgrid_agents::{market::demand::Demand, units::Energy};

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    fn equilibrium(price: f64, corner: Corner) -> Equilibrium {
        Equilibrium { price, lowest: price, corner, shares: vec![0.5; 2], purchases: vec![], sold: vec![] }
    }

    fn market(demand: [f64; 2], net_utility: [f64; 2]) -> Aggregate {
        let mean_share = vec![0.5; 2];
        let constant = 5.0;
        Aggregate {
            demand: demand.into(),
            net_utility: net_utility.map(|xi| xi + constant).into(),
            constant,
            mean_share,
            ..Aggregate::default()
        }
    }

    #[test]
    fn distances_are_relative_to_the_market() {
        let market = market([1.5, 2.5], [1.0, 3.0]);
        let found = distance(&[0.6, 0.75], &market, &[2.0, 2.0], BAND, &equilibrium(0.7, Corner::Interior));
        assert!((found.price_gap - 0.1).abs() < 1e-12);
        assert!((found.price_gap_weighted - 0.075).abs() < 1e-12);
        assert!((found.imbalance - 0.25).abs() < 1e-12);
        assert!((found.ess_residual.unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn where_a_range_of_prices_clears_the_market_only_what_is_outside_is_off() {
        let range = Equilibrium { lowest: 0.6, ..equilibrium(0.7, Corner::Interior) };
        assert_eq!([0.6, 0.65, 0.7].map(|price| gap(price, 0.6, 0.7)), [0.0; 3]);
        assert!((gap(0.5, 0.6, 0.7) - 0.1).abs() < 1e-12 && (gap(0.75, 0.6, 0.7) - 0.05).abs() < 1e-12);
        let market = market([1.5, 2.5], [1.0, 3.0]);
        let found = distance(&[0.65, 0.8], &market, &[3.0, 1.0], BAND, &range);
        assert!((found.price_gap - 0.1).abs() < 1e-12 && (found.price_gap_weighted - 0.025).abs() < 1e-12);
    }

    #[test]
    fn at_a_tariff_only_the_direction_that_can_move_the_price_counts() {
        let of = |price: f64, demand| {
            let [floor, ceiling] = [Corner::Floor, Corner::Ceiling].map(|corner| equilibrium(price, corner));
            let equilibrium = if price < 0.6 { floor } else { ceiling };
            distance(&[price; 2], &market(demand, [1.0; 2]), &[2.0; 2], BAND, &equilibrium).imbalance
        };
        assert_eq!(of(0.45, [1.0, 1.0]), 0.0);
        assert_eq!(of(0.45, [1.0, 3.0]), 0.5);
        assert_eq!(of(0.85, [3.0, 3.0]), 0.0);
        assert_eq!(of(0.85, [1.0, 3.0]), 0.5);
    }

    #[test]
    fn sellers_without_a_price_or_without_a_share_are_left_out() {
        let mut market = market([4.0, 0.0], [1.0, -7.0]);
        market.mean_share = vec![1.0, 0.0];
        let prices = [0.72, f64::INFINITY];
        let found = distance(&prices, &market, &[2.0, 2.0], BAND, &equilibrium(0.7, Corner::Interior));
        assert!((found.price_gap - 0.02).abs() < 1e-12);
        assert_eq!(found.ess_residual, Some(0.0));
    }

    #[test]
    fn where_nothing_is_gained_there_is_no_residual() {
        let nothing = Aggregate { mean_share: vec![0.0; 2], ..market([0.0; 2], [0.0; 2]) };
        let at = equilibrium(0.45, Corner::Floor);
        assert_eq!(distance(&[0.45; 2], &nothing, &[2.0; 2], BAND, &at).ess_residual, None);
        assert_eq!(distance(&[0.45; 2], &market([1.0; 2], [0.0; 2]), &[2.0; 2], BAND, &at).ess_residual, None);
    }

    #[test]
    fn a_buyer_by_itself_is_at_rest_where_what_it_buys_from_is_worth_the_same_to_it() {
        let facts = Buyer { need: 2.0, generation: 1.0, preference: 1.9 };
        let trade = |buyer, seller, price, energy: f64| {
            Trade::new(
                buyer,
                seller,
                facts.optimal_purchase(price, 0.4, Demand::Elastic),
                Energy::nearest(energy),
                price,
                0.0,
            )
        };
        let residual = |trades: &[Trade]| own_ess_residual(trades, |_| facts, &[1.0, 1.0, 0.5], 0.4);
        let at_rest = [trade(0, 0, 0.7, 1.0), trade(0, 1, 0.7, 1.0), trade(1, 1, 0.7, 2.0)];
        assert!(residual(&at_rest).unwrap() < 1e-12);
        // What is hardly chosen does not count.
        assert!(residual(&[trade(0, 0, 0.7, 2.0), trade(0, 1, 0.9, 1e-6)]).unwrap() < 1e-12);
        // At t = 1 a seller is worth alpha/2 X*²: 0.8 and 0.45 here, with shares of a half and of two thirds.
        let uneven = residual(&[trade(0, 0, 0.7, 1.0), trade(0, 1, 0.9, 1.0)]).unwrap();
        let mean = (0.5 * 0.8 + 2.0 / 3.0 * 0.45) / (0.5 + 2.0 / 3.0);
        assert!((uneven - (0.8 - mean) / mean).abs() < 1e-12, "{uneven}");
        assert_eq!(residual(&[]), None);
    }
}
