//! What a buyer wants at a price: equations (6) and (7).

use super::utility::utility;
use crate::json::number;
use serde::{Deserialize, Serialize};

/// Whether a buyer's demand answers freely to price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Demand {
    /// The maximiser of welfare (7), which may exceed the need: the article's demand.
    #[default]
    Elastic,
    /// The maximiser of welfare, but never more than the need.
    Firm,
}

/// What a buyer is to the market: what it registers for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// Need `N_i` (2) [kWh].
    #[serde(with = "number")]
    pub need: f64,
    /// Own generation `P_i` [kWh].
    #[serde(with = "number")]
    pub generation: f64,
    /// Preference for local energy `w_i` (5) [CNY/kWh].
    #[serde(with = "number")]
    pub preference: f64,
}

impl Buyer {
    /// Welfare `W = U(x + P, w) - p x` of buying `x` [kWh] at `price` [CNY/kWh] (6) [CNY].
    pub fn welfare(&self, x: f64, price: f64, alpha: f64) -> f64 {
        utility(x + self.generation, self.preference, alpha) - price * x
    }

    /// The buyer as it answers to prices on top of which it pays a `local_fee` [CNY/kWh].
    pub fn charged(self, local_fee: f64) -> Self {
        Self { preference: self.preference - local_fee, ..self }
    }

    /// Optimal purchase `X*` where a kWh costs `price` [CNY/kWh] (7) [kWh]; zero at an infinite price, which stands for
    /// no offer.
    pub fn optimal_purchase(&self, price: f64, alpha: f64, demand: Demand) -> f64 {
        let free = ((self.preference - price) / alpha - self.generation).max(0.0);
        match demand {
            Demand::Elastic => free,
            Demand::Firm => free.min(self.need),
        }
    }

    /// Whether an optimal purchase `x` [kWh] is interior, so that it answers to a small change of price.
    pub fn answers_to_price(&self, x: f64, demand: Demand) -> bool {
        x > 0.0 && (demand == Demand::Elastic || x < self.need)
    }

    /// Optimal purchases `X*` (7) [kWh] at each of these prices [CNY/kWh], and the sum of the `shares` whose purchase
    /// answers to price. All three lists are of the same length.
    pub fn answer(&self, shares: &[f64], prices: &[f64], alpha: f64, demand: Demand, purchases: &mut [f64]) -> f64 {
        let want = |share: f64, price: f64, purchase: &mut f64| {
            *purchase = self.optimal_purchase(price, alpha, demand);
            if self.answers_to_price(*purchase, demand) { share } else { 0.0 }
        };
        let ((shares, rest), (prices, prices_rest)) = (shares.as_chunks::<4>(), prices.as_chunks::<4>());
        let (purchases, purchases_rest) = purchases.as_chunks_mut::<4>();
        let mut lanes = [0.0; 4];
        for ((shares, prices), purchases) in shares.iter().zip(prices).zip(purchases) {
            for lane in 0..4 {
                lanes[lane] += want(shares[lane], prices[lane], &mut purchases[lane]);
            }
        }
        let rest = rest.iter().zip(prices_rest).zip(purchases_rest);
        let rest: f64 = rest.map(|((&share, &price), purchase)| want(share, price, purchase)).sum();
        (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
    }

    /// Welfare from own generation alone, `C = w P - (alpha / 2) P²` of (11) [CNY].
    pub fn constant(&self, alpha: f64) -> f64 {
        self.preference * self.generation - alpha / 2.0 * self.generation * self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUYER: Buyer = Buyer { need: 1.2, generation: 1.75, preference: 2.04 };

    #[test]
    fn demand_is_what_is_left_of_satiation_at_the_price() {
        assert!((BUYER.optimal_purchase(0.7, 0.4, Demand::Elastic) - 1.6).abs() < 1e-12);
        assert_eq!(BUYER.optimal_purchase(0.7, 0.4, Demand::Firm), 1.2);
        assert!((BUYER.optimal_purchase(1.0, 0.4, Demand::Firm) - 0.85).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_wanted_from_the_choke_price_on() {
        let choke = 2.04 - 0.4 * 1.75;
        for price in [choke + 1e-9, 2.04, 100.0, f64::INFINITY] {
            assert_eq!(BUYER.optimal_purchase(price, 0.4, Demand::Elastic), 0.0);
        }
        assert!(BUYER.optimal_purchase(choke - 1e-3, 0.4, Demand::Elastic) > 0.0);
    }

    #[test]
    fn only_interior_purchases_answer_to_price() {
        assert!(!BUYER.answers_to_price(0.0, Demand::Elastic));
        assert!(BUYER.answers_to_price(1.6, Demand::Elastic));
        assert!(BUYER.answers_to_price(0.85, Demand::Firm));
        assert!(!BUYER.answers_to_price(1.2, Demand::Firm));
    }

    #[test]
    fn welfare_counts_own_generation_and_payment() {
        assert!((BUYER.welfare(1.6, 0.7, 0.4) - 3.4695).abs() < 1e-12);
        assert!((BUYER.welfare(0.0, 0.7, 0.4) - BUYER.constant(0.4)).abs() < 1e-12);
        assert!((BUYER.constant(0.4) - 2.9575).abs() < 1e-12);
    }
}
