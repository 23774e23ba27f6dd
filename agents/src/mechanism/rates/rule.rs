//! What a local kWh costs by supply and demand.

use crate::{
    market::{mechanism::Mechanism, pricing::PriceBand},
    units::Energy,
};

/// The price of local trade [CNY/kWh]; `None` where nobody offers or nobody wants anything.
pub(super) fn price(mechanism: Mechanism, supply: Energy, demand: Energy, band: PriceBand) -> Option<f64> {
    if supply == Energy::ZERO || demand == Energy::ZERO {
        return None;
    }
    let PriceBand { floor, ceiling } = band;
    Some(match mechanism {
        Mechanism::MidMarketRate => band.middle(),
        Mechanism::BillSharing => 0.0,
        _ if supply >= demand => floor,
        _ => {
            let ratio = supply.value() / demand.value();
            (floor * ceiling / ((ceiling - floor) * ratio + floor)).clamp(floor, ceiling)
        }
    })
}
