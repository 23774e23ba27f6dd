//! What tariffs leave for local trade.

use microgrid_agents::statement::Tariff;

/// Up to this difference tariffs are the same [CNY/kWh].
const SAME_TARIFF: f64 = 1e-9;

/// The highest price at which a local kWh costs its buyer no more than one of the grid's [CNY/kWh]: the feed-in tariff
/// where the two are the same but for the last digits of a difference.
pub(super) fn highest_price(tariff: &Tariff, service_fee: f64) -> f64 {
    let most = tariff.grid - service_fee;
    if most > tariff.feed_in + SAME_TARIFF || most < tariff.feed_in - SAME_TARIFF { most } else { tariff.feed_in }
}
