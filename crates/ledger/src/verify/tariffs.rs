//! What tariffs leave for local trade.

use microgrid_agents::statement::{Rates, Tariff};

/// Up to this difference tariffs are the same [CNY/kWh].
const SAME_TARIFF: f64 = 1e-9;

/// The highest price at which a local kWh costs its buyer no more than one of the grid's [CNY/kWh]: the feed-in tariff
/// where the two are the same but for the last digits of a difference.
pub(super) fn highest_price(tariff: &Tariff, local_fee: f64) -> f64 {
    let least = lowest_price(tariff);
    let cheapest = groups(tariff).map(|rates| rates.grid).fold(tariff.grid, f64::min);
    let most = cheapest - local_fee;
    if most > least + SAME_TARIFF || most < least - SAME_TARIFF { most } else { least }
}

/// The lowest price at which a local kWh earns its seller no less than one fed in, whatever its group [CNY/kWh].
pub(super) fn lowest_price(tariff: &Tariff) -> f64 {
    groups(tariff).map(|rates| rates.feed_in).fold(tariff.feed_in, f64::max)
}

fn groups(tariff: &Tariff) -> impl Iterator<Item = &Rates> {
    tariff.groups.iter().flat_map(|groups| groups.iter())
}
