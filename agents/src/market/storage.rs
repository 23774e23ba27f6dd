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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: StorageLimits = StorageLimits { capacity: 10.0, power: 5.0, efficiency: 0.95 };

    #[test]
    fn charging_loses_by_efficiency() {
        assert_eq!(LIMITS.charge(Energy::ZERO, Energy(3_000_000), 1.0), (Energy(3_000_000), Energy(2_850_000)));
        assert_eq!(LIMITS.charge(Energy(1), Energy(1), 1.0), (Energy(1), Energy(1)), "0.95 units round down to none");
    }

    #[test]
    fn power_limits_both_directions_by_the_length_of_the_slot() {
        let plenty = Energy(8_000_000);
        assert_eq!(LIMITS.charge(Energy::ZERO, plenty, 1.0), (Energy(5_000_000), Energy(4_750_000)));
        assert_eq!(LIMITS.charge(Energy::ZERO, plenty, 0.5), (Energy(2_500_000), Energy(2_375_000)));
        assert_eq!(LIMITS.discharge(Energy(10_000_000), plenty, 0.5).0, Energy(2_500_000));
    }

    #[test]
    fn charging_stops_at_capacity() {
        let (taken, content) = LIMITS.charge(Energy(9_500_000), Energy(3_000_000), 1.0);
        assert_eq!((taken, content), (Energy(526_315), Energy(9_999_999)));
        assert_eq!(LIMITS.charge(Energy(10_000_000), Energy(1_000_000), 1.0), (Energy::ZERO, Energy(10_000_000)));
    }

    #[test]
    fn discharging_draws_more_than_it_delivers() {
        let (delivered, content) = LIMITS.discharge(Energy(2_850_000), Energy(1_000_000), 1.0);
        assert_eq!((delivered, content), (Energy(1_000_000), Energy(1_797_368)));
        assert_eq!(LIMITS.discharge(Energy(2_850_000), Energy(4_000_000), 1.0), (Energy(2_707_500), Energy::ZERO));
        assert_eq!(LIMITS.discharge(Energy::ZERO, Energy(4_000_000), 1.0), (Energy::ZERO, Energy::ZERO));
    }
}
