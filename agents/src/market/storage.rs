//! A prosumer's storage: model section 7, step 1. Never traded; charges unsold surplus, discharges to unmet need.

use crate::units::Energy;
use serde::{Deserialize, Serialize};

/// What a storage can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageLimits {
    /// Largest content [kWh].
    pub capacity: f64,
    /// Largest charging and discharging power, measured outside [kW].
    pub power: f64,
    /// Efficiency each way, in (0, 1].
    pub efficiency: f64,
}

impl StorageLimits {
    /// Charges what it can of `offered` within a slot of `hours`; returns (taken from outside, content after).
    ///
    /// Taking `c` stores `efficiency * c`, rounded down to a whole unit.
    pub fn charge(&self, content: Energy, offered: Energy, hours: f64) -> (Energy, Energy) {
        let room = (Energy::at_most(self.capacity) - content).or_zero();
        let taken = offered
            .or_zero()
            .min(Energy::at_most(self.power * hours))
            .min(Energy::at_most(room.value() / self.efficiency));
        (taken, content + Energy::at_most(taken.value() * self.efficiency).min(room))
    }

    /// Discharges what it can of `wanted` within a slot of `hours`; returns (delivered outside, content after).
    ///
    /// Delivering `d` draws `d / efficiency`, rounded up to a whole unit.
    pub fn discharge(&self, content: Energy, wanted: Energy, hours: f64) -> (Energy, Energy) {
        let delivered = wanted
            .or_zero()
            .min(Energy::at_most(self.power * hours))
            .min(Energy::at_most(content.value() * self.efficiency));
        let drawn = -Energy::at_most(-delivered.value() / self.efficiency);
        (delivered, (content - drawn).or_zero())
    }
}
