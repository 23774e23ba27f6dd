//! How sellers lead: welfare and the price rule, equations (16) to (18).

use super::{replicator::StepSize, utility::utility};

/// The prices a seller may ask [CNY/kWh]: from the feed-in tariff to the grid's tariff of the slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceBand {
    /// `p_min`, the feed-in tariff.
    pub floor: f64,
    /// `p_max`, the grid's tariff.
    pub ceiling: f64,
}

impl PriceBand {
    /// Whether `price` lies within the band.
    pub fn contains(&self, price: f64) -> bool {
        (self.floor..=self.ceiling).contains(&price)
    }
}

/// Welfare of a seller `W = U(X, w) + p min(S, E)` (16) [CNY].
///
/// `load`, `surplus` and `demand` in kWh, `preference` and `price` in CNY/kWh.
pub fn seller_welfare(load: f64, preference: f64, alpha: f64, price: f64, surplus: f64, demand: f64) -> f64 {
    utility(load, preference, alpha) + price * surplus.min(demand)
}

/// The price after one step of excess-demand pricing (17), within band and ramp (18) [CNY/kWh].
///
/// `excess` is `E_j - S_j` [kWh], `step` is `b`, `ramp` is `delta`, the largest relative move.
pub fn next_price(price: f64, excess: f64, step: f64, band: PriceBand, ramp: f64) -> f64 {
    let reach = ramp * price.abs();
    let lowest = band.floor.max(price - reach);
    let highest = band.ceiling.min(price + reach);
    (price + step * excess).max(lowest).min(highest)
}

/// Price step `b`; scaled: `k alpha Q / R` for `sellers` Q and `buyers` R.
pub fn price_step_size(size: StepSize, alpha: f64, sellers: usize, buyers: u32) -> f64 {
    match size {
        StepSize::Fixed(b) => b,
        StepSize::Scaled(k) => k * alpha * sellers as f64 / f64::from(buyers),
    }
}
