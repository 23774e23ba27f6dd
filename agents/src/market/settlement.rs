//! What is traded once the game is over: equation (10) in whole units.

use crate::units::{Energy, Money};

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
/// of the surplus, whichever is less; units left by rounding go to the largest remainders, the earlier buyer first.
pub fn divide(surplus: Energy, wanted: &[f64]) -> Vec<Energy> {
    let total: f64 = wanted.iter().sum();
    if total <= 0.0 {
        return vec![Energy::ZERO; wanted.len()];
    }
    let sold = surplus.min(Energy::nearest(total));
    let scale = sold.0 as f64 / total;
    let mut parts: Vec<i64> = wanted.iter().map(|amount| (amount * scale).floor() as i64).collect();
    let missing = sold.0 - parts.iter().sum::<i64>();
    let mut by_remainder: Vec<usize> = (0..wanted.len()).filter(|&i| wanted[i] > 0.0).collect();
    let remainder = |i: usize| wanted[i] * scale - (wanted[i] * scale).floor();
    by_remainder.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    // Rounding noise may leave more units missing than there are parts, or take one too many: go round as needed.
    let direction = missing.signum();
    for &i in by_remainder.iter().cycle().take(missing.unsigned_abs() as usize) {
        parts[i] += direction;
    }
    parts.into_iter().map(Energy).collect()
}
