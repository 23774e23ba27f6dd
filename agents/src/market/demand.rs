//! What a buyer wants at a price: equations (6) and (7).

use super::utility::utility;
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buyer {
    /// Need `N_i` (2) [kWh].
    pub need: f64,
    /// Own generation `P_i` [kWh].
    pub generation: f64,
    /// Preference for local energy `w_i` (5) [CNY/kWh].
    pub preference: f64,
}

impl Buyer {
    /// Welfare `W = U(x + P, w) - p x` of buying `x` [kWh] at `price` [CNY/kWh] (6) [CNY].
    pub fn welfare(&self, x: f64, price: f64, alpha: f64) -> f64 {
        utility(x + self.generation, self.preference, alpha) - price * x
    }

    /// Optimal purchase `X*` at `price` [CNY/kWh] (7) [kWh]; zero at an infinite price, which stands for no offer.
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

    /// Welfare from own generation alone, `C = w P - (alpha / 2) P²` of (11) [CNY].
    pub fn constant(&self, alpha: f64) -> f64 {
        self.preference * self.generation - alpha / 2.0 * self.generation * self.generation
    }
}
