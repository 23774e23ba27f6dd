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

/// Price step `b_j` where buyers know only some sellers; scaled: `k alpha / sum_i z_ij` for a seller that `held` so much
/// of all shares. Infinite for one in which nobody holds a share: it has nothing to lose.
pub fn local_price_step_size(size: StepSize, alpha: f64, held: f64) -> f64 {
    match size {
        StepSize::Fixed(b) => b,
        // Sums that are kept up to date may fall short of zero.
        StepSize::Scaled(k) => k * alpha / held.max(0.0),
    }
}

/// How much each period by which the loop is too old weighs on a price step: `DelayAware` divides it by
/// `1 + L Q S_j / S`, for one of `sellers` Q with this `share` `S_j / S` of all surplus.
///
/// The demand of a small seller answers little to its price, so that its steps are small to the market as they are; made
/// smaller still, they would take more time than there is.
pub fn age_burden(share: f64, sellers: usize) -> f64 {
    share * sellers as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    #[test]
    fn excess_demand_raises_the_price_and_excess_supply_lowers_it() {
        assert!((next_price(0.6, 0.1, 0.5, BAND, 0.1) - 0.65).abs() < 1e-12);
        assert!((next_price(0.6, -0.1, 0.5, BAND, 0.1) - 0.55).abs() < 1e-12);
        assert_eq!(next_price(0.6, 0.0, 0.5, BAND, 0.1), 0.6);
    }

    #[test]
    fn a_price_moves_no_further_than_its_ramp() {
        assert!((next_price(0.6, 10.0, 0.5, BAND, 0.1) - 0.66).abs() < 1e-12);
        assert!((next_price(0.6, -10.0, 0.5, BAND, 0.1) - 0.54).abs() < 1e-12);
    }

    #[test]
    fn a_price_stays_between_the_tariffs() {
        assert_eq!(next_price(0.46, -10.0, 0.5, BAND, 0.1), 0.45);
        assert_eq!(next_price(0.84, 10.0, 0.5, BAND, 0.1), 0.85);
        assert!(BAND.contains(0.45) && BAND.contains(0.85) && !BAND.contains(0.86) && !BAND.contains(f64::NAN));
    }

    #[test]
    fn a_scaled_step_follows_the_numbers_of_buyers_and_sellers() {
        assert_eq!(price_step_size(StepSize::Fixed(0.1), 0.4, 3, 2), 0.1);
        assert!((price_step_size(StepSize::Scaled(0.5), 0.4, 3, 2) - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_seller_earns_on_what_it_can_deliver() {
        assert!((seller_welfare(3.1, 1.94, 0.4, 0.7, 1.728, 5.0) - 5.3016).abs() < 1e-12);
        assert!((seller_welfare(3.1, 1.94, 0.4, 0.7, 1.728, 1.0) - 4.792).abs() < 1e-12);
    }
}
