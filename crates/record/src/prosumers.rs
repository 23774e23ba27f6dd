//! `prosumers.csv`: every prosumer's slot.

use super::{number::Number, table::table};
use microgrid_agents::{
    ids::Slot,
    market::{balance::Balance, role::Role},
    observation::ProsumerSlot,
};

table! {
    /// A prosumer's slot.
    ProsumerRow in "prosumers" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// Number of the prosumer.
        prosumer: u32,
        /// Its role.
        role: Role,
        /// Generated [kWh].
        pv_kwh: Number,
        /// What it wanted to consume [kWh].
        load_kwh: Number,
        /// Bought from other prosumers [kWh].
        bought_kwh: Number,
        /// Sold to other prosumers [kWh].
        sold_kwh: Number,
        /// Put into its storage, measured outside [kWh].
        charged_kwh: Number,
        /// Taken from its storage, measured outside [kWh].
        discharged_kwh: Number,
        /// Content of its storage at the end [kWh].
        soc_kwh: Number,
        /// Bought from the grid [kWh].
        grid_import_kwh: Number,
        /// Fed into the grid [kWh].
        grid_export_kwh: Number,
        /// Paid to prosumers and to the grid [CNY].
        paid_cny: Number,
        /// Earned from prosumers and from the grid [CNY].
        earned_cny: Number,
        /// Paid to the operator [CNY].
        fee_cny: Number,
        /// Welfare [CNY].
        welfare_cny: Option<Number>,
        /// Welfare it would have without a local market [CNY].
        p2g_welfare_cny: Option<Number>,
        /// Consumed [kWh].
        consumed_kwh: Number,
        /// Welfare it would have with its storage and without a local market [CNY].
        p2g_storage_welfare_cny: Option<Number>,
    }
}

/// The row of the prosumer with this `number`, beside its slot without a local market, without and with its storage.
pub(super) fn row(case: u32, number: u32, done: &ProsumerSlot, peer_to_grid: &Balance, alone: &Balance) -> ProsumerRow {
    ProsumerRow {
        case,
        slot: done.slot,
        prosumer: number,
        role: done.role,
        pv_kwh: done.generation.into(),
        load_kwh: done.load.into(),
        bought_kwh: done.bought.into(),
        sold_kwh: done.sold.into(),
        charged_kwh: done.charged.into(),
        discharged_kwh: done.discharged.into(),
        soc_kwh: done.content.into(),
        grid_import_kwh: done.grid_import.into(),
        grid_export_kwh: done.grid_export.into(),
        paid_cny: done.paid.into(),
        earned_cny: done.earned.into(),
        fee_cny: done.fee.into(),
        welfare_cny: Number::new(done.welfare),
        p2g_welfare_cny: Number::new(peer_to_grid.welfare),
        consumed_kwh: done.consumed.into(),
        p2g_storage_welfare_cny: Number::new(alone.welfare),
    }
}
