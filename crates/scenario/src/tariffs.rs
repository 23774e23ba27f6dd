//! What the grid asks and pays in each slot.

use indexmap::IndexMap;
use microgrid_agents::{
    grid,
    ids::Slot,
    statement::{Rates, Tariff},
};
use std::sync::Arc;

/// What the grid asks and pays in each slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariffs {
    /// What it asks everybody [CNY/kWh].
    pub grid: Arc<[f64]>,
    /// What it pays everybody [CNY/kWh].
    pub feed_in: Arc<[f64]>,
    /// What it asks and pays for what meters read beside what was registered; `None`: the tariffs.
    pub imbalance: Option<SlotRates>,
    /// What it asks and pays the members of groups that have tariffs of their own, by the groups' names.
    pub groups: IndexMap<String, SlotRates>,
    /// What a kWh of its energy emits [g/kWh]; `None` where the scenario does not say.
    pub co2: Option<Arc<[f64]>>,
}

/// What the grid asks and pays, one value a slot [CNY/kWh].
#[derive(Clone, Debug, PartialEq)]
pub struct SlotRates {
    /// What it asks.
    pub grid: Arc<[f64]>,
    /// What it pays.
    pub feed_in: Arc<[f64]>,
}

impl SlotRates {
    fn at(&self, slot: Slot) -> Rates {
        let place = slot as usize - 1;
        Rates { feed_in: self.feed_in[place], grid: self.grid[place] }
    }
}

impl Tariffs {
    /// Those of the members of a group, or of none.
    pub fn of_group(&self, group: Option<&str>) -> SlotRates {
        let own = group.and_then(|group| self.groups.get(group)).cloned();
        own.unwrap_or_else(|| SlotRates { grid: Arc::clone(&self.grid), feed_in: Arc::clone(&self.feed_in) })
    }

    /// The place of a group with tariffs of its own.
    pub fn place(&self, group: Option<&str>) -> Option<usize> {
        group.and_then(|group| self.groups.get_index_of(group))
    }

    /// As the grid publishes those of a slot.
    pub fn tariff(&self, slot: Slot) -> Tariff {
        let place = slot as usize - 1;
        let groups = || self.groups.values().map(|rates| rates.at(slot)).collect();
        Tariff {
            slot,
            feed_in: self.feed_in[place],
            grid: self.grid[place],
            imbalance: self.imbalance.as_ref().map(|rates| rates.at(slot)),
            groups: (!self.groups.is_empty()).then(groups),
        }
    }
}

impl grid::Tariffs for Tariffs {
    fn of(&self, slot: Slot) -> Tariff {
        self.tariff(slot)
    }
}
