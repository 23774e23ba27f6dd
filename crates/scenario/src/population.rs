//! Who takes part: for every prosumer and slot, generation, load and preferences.

use microgrid_agents::{ids::ProsumerId, units::Energy};
use std::sync::Arc;

/// Largest generation or load of a slot [kWh], in profiles and of synthetic prosumers.
pub(super) const LARGEST_ENERGY: f64 = 1e4;

/// Everybody's data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Population {
    /// The prosumers, in ascending order of their number.
    pub prosumers: Vec<Member>,
}

impl Population {
    /// The prosumer with this number, if there is one.
    pub fn position(&self, number: u32) -> Option<ProsumerId> {
        let position = self.prosumers.binary_search_by_key(&number, |member| member.number).ok()?;
        Some(ProsumerId(position as u32))
    }

    /// As the CSV file that a scenario's `Profiles` names.
    pub fn to_csv(&self) -> String {
        // With a point, so that no reader takes a column of whole values for one of whole numbers.
        let with_point = |number: String| if number.contains('.') { number } else { number + ".0" };
        let mut csv = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n".to_owned();
        for Member { number, profile } in &self.prosumers {
            for (slot, profile) in (1..).zip(profile.iter()) {
                let SlotProfile { generation, load, preference_pv, preference_grid } = profile;
                let numbers =
                    [generation.to_string(), load.to_string(), preference_pv.to_string(), preference_grid.to_string()];
                csv += &format!("{number},{slot},{}\n", numbers.map(with_point).join(","));
            }
        }
        csv
    }
}

/// One prosumer's data.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number in the scenario's files and in all results.
    pub number: u32,
    /// Its profile, one entry a slot.
    pub profile: Arc<[SlotProfile]>,
}

/// A prosumer's data of one slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotProfile {
    /// Generation `P` of the slot.
    pub generation: Energy,
    /// Consumption `X` it would like.
    pub load: Energy,
    /// Preference for photovoltaic energy without a ledger, `w_pv0` [CNY/kWh].
    pub preference_pv: f64,
    /// Preference for grid energy, `w_grid` [CNY/kWh].
    pub preference_grid: f64,
}
