//! What is traded once the game is over: equation (10) in whole units.

use crate::units::{Energy, Money, PER_WHOLE};

/// One buyer's purchase from one seller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// Position of the buyer among the slot's buyers.
    pub buyer: u32,
    /// Position of the seller among the slot's sellers.
    pub seller: u32,
    /// The buyer's optimal purchase `X*_ij` [kWh].
    pub optimal: f64,
    /// What is delivered, `x_ij` (10).
    pub energy: Energy,
    /// Price `p_j` [CNY/kWh].
    pub price: f64,
    /// What the buyer pays and the seller earns.
    pub payment: Money,
    /// What the buyer pays to the operator.
    pub fee: Money,
}

impl Trade {
    /// A trade of `energy` at `price` with an operator's `fee_rate` [CNY/kWh].
    pub fn new(buyer: u32, seller: u32, optimal: f64, energy: Energy, price: f64, fee_rate: f64) -> Self {
        Self { buyer, seller, optimal, energy, price, payment: energy.at_price(price), fee: energy.at_price(fee_rate) }
    }
}

/// Divides what a seller has among those who want some of it: `t_j z_ij X*_ij` (10) in whole units.
///
/// `wanted` is `z_ij X*_ij` [kWh], one a buyer. The parts add up to the total sold, which is all that is wanted or all
/// of the surplus, whichever is less. Each part is its real value rounded down or up: the units left by rounding down go
/// to the largest remainders, the earlier buyer first.
pub fn divide(surplus: Energy, wanted: &[f64]) -> Vec<Energy> {
    let total: f64 = wanted.iter().sum();
    if total <= 0.0 {
        return vec![Energy::ZERO; wanted.len()];
    }
    let sold = surplus.min(Energy::nearest(total));
    let units_per_kwh = (surplus.0 as f64 / total).min(PER_WHOLE);
    let exact: Vec<f64> = wanted.iter().map(|amount| amount * units_per_kwh).collect();
    let mut parts: Vec<i64> = exact.iter().map(|units| units.floor() as i64).collect();
    let missing = sold.0 - parts.iter().sum::<i64>();
    let mut by_remainder: Vec<usize> = (0..wanted.len()).filter(|&i| wanted[i] > 0.0).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    // Fewer units are missing than there are remainders, as long as rounding noise stays below half a unit (1e9 kWh).
    for &i in by_remainder.iter().take(missing.max(0) as usize) {
        parts[i] += 1;
    }
    parts.into_iter().map(Energy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_trades_come_out() {
        assert_eq!(divide(Energy(1_728_000), &[0.48 * 1.6, 0.48 * 2.0]), [Energy(768_000), Energy(960_000)]);
        assert_eq!(divide(Energy(504_000), &[0.14 * 1.6, 0.14 * 2.0]), [Energy(224_000), Energy(280_000)]);
        assert_eq!(divide(Energy(1_368_000), &[0.38 * 1.6, 0.38 * 2.0]), [Energy(608_000), Energy(760_000)]);
    }

    #[test]
    fn scarce_energy_is_rationed_to_the_last_unit() {
        assert_eq!(divide(Energy(1_000_000), &[2.0, 2.0, 2.0]), [Energy(333_334), Energy(333_333), Energy(333_333)]);
        assert_eq!(divide(Energy(10), &[1.0, 0.0, 3.0]), [Energy(3), Energy::ZERO, Energy(7)]);
    }

    #[test]
    fn plenty_serves_everybody_and_leaves_the_rest() {
        assert_eq!(divide(Energy(9_000_000), &[1.25, 0.75]), [Energy(1_250_000), Energy(750_000)]);
        assert_eq!(divide(Energy(9_000_000), &[0.0, 0.0]), [Energy::ZERO; 2]);
        assert_eq!(divide(Energy(9_000_000), &[]), []);
    }

    #[test]
    fn a_part_is_its_real_value_rounded_down_or_up() {
        assert_eq!(divide(Energy(9_000_000), &[101.1e-6, 0.7e-6, 0.69e-6]), [Energy(101), Energy(1), Energy::ZERO]);
    }

    #[test]
    fn a_trade_is_priced_per_kwh() {
        let trade = Trade::new(1, 0, 2.0, Energy(960_000), 0.7, 0.01);
        assert_eq!((trade.payment, trade.fee), (Money(672_000), Money(9_600)));
    }
}
