//! `prosumers.csv`: every prosumer's slot.

use super::{
    number::Number,
    recorded::{ClosedSlot, Recorded},
    table::table,
};
use microgrid_agents::{
    ids::Slot,
    market::{balance::Balance, role::Role},
    observation::ProsumerSlot,
};
use microgrid_scenario::schema::Record;

table! {
    /// A prosumer's slot.
    ProsumerRow in "prosumers" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// Number of the prosumer.
        prosumer: u32 => shown("prosumer"),
        /// Its role.
        role: Role => shown("role"),
        /// Generated.
        pv_kwh: Number ["kWh"] => rounded("generated", 3),
        /// What it wanted to consume.
        load_kwh: Number ["kWh"] => rounded("load", 3),
        /// Bought from other prosumers.
        bought_kwh: Number ["kWh"] => rounded("bought", 3),
        /// Sold to other prosumers.
        sold_kwh: Number ["kWh"] => rounded("sold", 3),
        /// Put into its storage, measured outside.
        charged_kwh: Number ["kWh"] => rounded("charged", 3),
        /// Taken from its storage, measured outside.
        discharged_kwh: Number ["kWh"] => rounded("discharged", 3),
        /// Content of its storage at the end.
        soc_kwh: Number ["kWh"] => rounded("stored", 3),
        /// Bought from the grid.
        grid_import_kwh: Number ["kWh"] => rounded("from the grid", 3),
        /// Fed into the grid.
        grid_export_kwh: Number ["kWh"] => rounded("into the grid", 3),
        /// Paid to prosumers and to the grid.
        paid_cny: Number ["CNY"] => rounded("paid", 3),
        /// Earned from prosumers and from the grid.
        earned_cny: Number ["CNY"] => rounded("earned", 3),
        /// Paid to the operator.
        fee_cny: Number ["CNY"],
        /// Welfare.
        welfare_cny: Option<Number> ["CNY"] => rounded("welfare", 3),
        /// Welfare it would have without a local market.
        p2g_welfare_cny: Option<Number> ["CNY"] => rounded("P2G welfare", 3),
        /// Consumed.
        consumed_kwh: Number ["kWh"] => rounded("consumed", 3).behind(1),
        /// Welfare it would have with its storage and without a local market.
        p2g_storage_welfare_cny: Option<Number> ["CNY"] => rounded("P2G with storage", 3),
    }
}

impl Recorded for ProsumerRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let case = closed.case;
        let members = case.population.prosumers.iter().zip(closed.observed.prosumers());
        let baselines = closed.theory.peer_to_grid.iter().zip(closed.theory.alone());
        let each = members.zip(baselines);
        each.map(|((member, done), (without, alone))| row(case.number, member.number, done, without, alone))
    }
}

/// The row of the prosumer with this `number`, beside its slot without a local market, without and with its storage.
fn row(case: u32, number: u32, done: &ProsumerSlot, peer_to_grid: &Balance, alone: &Balance) -> ProsumerRow {
    ProsumerRow {
        case,
        slot: done.slot,
        prosumer: number,
        role: done.facts.role(),
        pv_kwh: done.facts.generation.into(),
        load_kwh: done.facts.load.into(),
        bought_kwh: done.trades.bought.into(),
        sold_kwh: done.trades.sold.into(),
        charged_kwh: done.balance.charged.into(),
        discharged_kwh: done.balance.discharged.into(),
        soc_kwh: done.balance.content.into(),
        grid_import_kwh: done.balance.grid_import.into(),
        grid_export_kwh: done.balance.grid_export.into(),
        paid_cny: done.paid().into(),
        earned_cny: done.earned().into(),
        fee_cny: done.trades.fee.into(),
        welfare_cny: Number::new(done.balance.welfare),
        p2g_welfare_cny: Number::new(peer_to_grid.welfare),
        consumed_kwh: done.balance.consumed.into(),
        p2g_storage_welfare_cny: Number::new(alone.welfare),
    }
}
