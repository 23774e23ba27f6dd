//! How sellers lead: welfare and the price rule, equations (16) to (18).

use super::{step::StepSize, utility::utility};

/// Tariffs that are no further apart are the same [CNY/kWh]: a thousandth of the smallest that a scenario can tell apart.
const ONE_PRICE: f64 = 1e-9;

/// Where no purchase answers to price, a whole step at a relative excess demand of one takes a price so far: this part of
/// what energy is worth beyond it, but at least this part of the band's width.
const OF_WORTH: f64 = 0.25;
const OF_WIDTH: f64 = 0.3;

/// The prices a seller may ask [CNY/kWh]: from the feed-in tariff to the grid's tariff of the slot, less what the buyer
/// pays to the operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceBand {
    /// `p_min`, the feed-in tariff.
    pub floor: f64,
    /// `p_max`, the grid's tariff less the service fee: no local kWh costs a buyer more than one of the grid's.
    pub ceiling: f64,
}

impl PriceBand {
    /// The band between the tariffs of a slot, where local trades cost their buyer a `local_fee` [CNY/kWh]. A fee of all
    /// that lies between them leaves one price, also where a difference of decimal numbers misses it by its last digit.
    pub fn between(feed_in: f64, grid: f64, local_fee: f64) -> Self {
        let ceiling = grid - local_fee;
        Self { floor: feed_in, ceiling: if (ceiling - feed_in).abs() < ONE_PRICE { feed_in } else { ceiling } }
    }

    /// Whether the fee leaves any price at which a local kWh serves both sides.
    pub fn has_room(&self) -> bool {
        self.floor <= self.ceiling
    }

    /// Half-way between its ends [CNY/kWh].
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.floor, self.ceiling)
    }

    /// How far the tariffs are apart [CNY/kWh].
    pub fn width(&self) -> f64 {
        (self.ceiling - self.floor).max(0.0)
    }

    /// How far one step may take a price (18) [CNY/kWh]: `delta` of the price, or of the band's width if that is more,
    /// so that a price of 0 can be left and reached.
    pub fn reach(&self, price: f64, ramp: f64) -> f64 {
        ramp * price.abs().max(self.width())
    }

    /// The step of size `Scaled(1)` of a seller with this `surplus` [CNY/kWh²] where no purchase answers to price and
    /// energy is worth so much beyond its price to those who choose it: [`left`](super::aggregate::Aggregate::left)
    /// [CNY/kWh].
    ///
    /// There a price moves only shares, and what brings these back is that net utility falls where a seller is short, by
    /// what energy is worth beyond its price. A price that moves as if it moved purchases would swing for ever where energy
    /// is plenty, and crawl where it is scarce.
    pub fn blind_step(&self, left: f64, surplus: f64) -> f64 {
        let width = self.width();
        (OF_WORTH * left).max(OF_WIDTH * width).min(width) / surplus
    }

    /// Whether a tariff keeps `price` from answering to this `excess` of demand [kWh].
    pub fn binds(&self, price: f64, excess: f64) -> bool {
        (excess >= 0.0 && price >= self.ceiling) || (excess <= 0.0 && price <= self.floor)
    }

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
/// `excess` is `E_j - S_j` [kWh], `step` is `b`, `ramp` is `delta`, the largest relative move: see
/// [`PriceBand::reach`].
pub fn next_price(price: f64, excess: f64, step: f64, band: PriceBand, ramp: f64) -> f64 {
    let reach = band.reach(price, ramp);
    let lowest = band.floor.max(price - reach);
    let highest = band.ceiling.min(price + reach);
    (price + step * excess).max(lowest).min(highest)
}

/// Price step `b_j`; scaled: `k alpha S / (R S_j)` for a seller with this `share` `S_j / S` of all surplus, among
/// `buyers` R; where buyers know only some sellers, `k alpha / max(sum_i z_ij, R S_j / S)` for one that `held` so much
/// of all shares; and `k` times the [`blind`](PriceBand::blind_step) step where there is one. So a scaled step answers
/// to *relative* excess demand: a small seller's demand answers little to its price, as few look for it, and its price
/// has to move as far as everybody's.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn price_step_size(
    size: StepSize,
    alpha: f64,
    share: f64,
    buyers: u32,
    held: Option<f64>,
    blind: Option<f64>,
) -> f64 {
    let look_for_it = f64::from(buyers) * share;
    match size {
        StepSize::Fixed(b) => b,
        StepSize::Scaled(k) => match blind {
            Some(blind) => k * blind,
            None => k * alpha / held.map_or(look_for_it, |held| held.max(look_for_it)),
        },
    }
}

/// How much each period by which the loop is too old weighs on a price step: `DelayAware` divides a step by
/// `1 + burden L`. A scaled step is relative to the seller's own demand, and weighs 1. A fixed one is the same for all,
/// and weighs `Q S_j / S` for one of `sellers` Q with this `share` `S_j / S` of all surplus.
pub(crate) fn age_burden(size: StepSize, share: f64, sellers: usize) -> f64 {
    match size {
        StepSize::Fixed(_) => share * sellers as f64,
        StepSize::Scaled(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::aggregate::Aggregate;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    #[test]
    fn excess_demand_raises_the_price_and_excess_supply_lowers_it() {
        assert!((next_price(0.6, 0.1, 0.5, BAND, 0.1) - 0.65).abs() < 1e-12);
        assert!((next_price(0.6, -0.1, 0.5, BAND, 0.1) - 0.55).abs() < 1e-12);
        assert_eq!(next_price(0.6, 0.0, 0.5, BAND, 0.1), 0.6);
    }

    #[test]
    fn a_price_of_nothing_can_be_left_and_reached() {
        let band = PriceBand { floor: 0.0, ceiling: 0.85 };
        assert!((next_price(0.0, 10.0, 0.5, band, 0.1) - 0.085).abs() < 1e-12);
        assert_eq!(next_price(0.08, -10.0, 0.5, band, 0.1), 0.0);
        assert_eq!(next_price(0.0, -10.0, 0.5, band, 0.1), 0.0);
    }

    #[test]
    fn what_the_buyer_pays_to_the_operator_lowers_the_ceiling() {
        assert_eq!(PriceBand::between(0.45, 0.85, 0.0), BAND);
        assert_eq!(PriceBand::between(0.25, 0.75, 0.25).ceiling, 0.5);
        assert!(BAND.has_room() && !PriceBand::between(0.45, 0.85, 0.5).has_room());
    }

    #[test]
    fn where_no_purchase_answers_a_price_goes_by_what_energy_is_worth_beyond_it() {
        let sums = Aggregate { left: vec![0.8, 0.0, 9.0], ..Aggregate::default() };
        let moves = [0, 1, 2].map(|seller| BAND.blind_step(sums.left[seller], 0.002) * 0.002);
        for (found, right) in moves.into_iter().zip([0.2, 0.12, 0.4]) {
            assert!((found - right).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn a_fee_of_all_that_lies_between_the_tariffs_leaves_one_price() {
        for (feed_in, grid, fee) in [(0.45, 0.85, 0.4), (0.25, 0.75, 0.5), (0.1, 0.3, 0.2), (0.35, 0.85, 0.5)] {
            let band = PriceBand::between(feed_in, grid, fee);
            assert!(band.has_room() && band.width() == 0.0, "{feed_in}");
            assert!(!PriceBand::between(feed_in, grid, fee + 1e-6).has_room());
            assert!(PriceBand::between(feed_in, grid, fee - 1e-6).width() > 9e-7);
        }
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
    fn a_scaled_step_answers_to_relative_excess_demand() {
        let step = |size, held, blind| price_step_size(size, 0.4, 0.25, 2, held, blind);
        assert_eq!(step(StepSize::Fixed(0.1), None, Some(9.0)), 0.1);
        assert!((step(StepSize::Scaled(0.5), None, None) - 0.4).abs() < 1e-12);
        assert!((step(StepSize::Scaled(0.5), None, Some(2.0)) - 1.0).abs() < 1e-12);
        let local = |held| step(StepSize::Scaled(0.5), Some(held), None);
        assert!((local(0.8) - 0.25).abs() < 1e-12, "by the shares that answer to it");
        assert!((local(0.1) - 0.4).abs() < 1e-12, "no further than that of its part of all surplus");
        assert_eq!(local(-1e-18), local(0.0));
    }

    #[test]
    fn a_seller_earns_on_what_it_can_deliver() {
        assert!((seller_welfare(3.1, 1.94, 0.4, 0.7, 1.728, 5.0) - 5.3016).abs() < 1e-12);
        assert!((seller_welfare(3.1, 1.94, 0.4, 0.7, 1.728, 1.0) - 4.792).abs() < 1e-12);
    }
}
