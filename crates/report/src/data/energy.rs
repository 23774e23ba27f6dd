//! Where energy came from and what was stored, slot by slot, from `prosumers.csv`.

use microgrid_agents::ids::Slot;
use microgrid_record::ProsumerRow;

/// What all prosumers together did in a slot [kWh].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// Which slot.
    pub slot: Slot,
    /// Consumed of their own generation, at once.
    pub own: f64,
    /// Bought from other prosumers.
    pub bought: f64,
    /// Taken from their storages.
    pub discharged: f64,
    /// Bought from the grid.
    pub imported: f64,
    /// Put into their storages.
    pub charged: f64,
    /// Fed into the grid.
    pub exported: f64,
    /// Content of their storages at the end.
    pub stored: f64,
}

impl Energy {
    pub(super) fn add(&mut self, row: &ProsumerRow) {
        let (charged, exported) = (row.charged_kwh.value(), row.grid_export_kwh.value());
        self.own += row.pv_kwh.value() - row.sold_kwh.value() - charged - exported;
        self.bought += row.bought_kwh.value();
        self.discharged += row.discharged_kwh.value();
        self.imported += row.grid_import_kwh.value();
        self.charged += charged;
        self.exported += exported;
        self.stored += row.soc_kwh.value();
    }
}
