//! When deferrable energy is used: a prosumer plans each day before it begins, by a rule of its own, from what it foresees.
//!
//! What is planned depends on nothing that happens in a market, so whoever asks for the same day gets the same plan.

mod at_once;
mod low_tariff;
mod surplus;

use crate::units::Energy;
use serde::{Deserialize, Serialize};

/// By which rule deferrable energy is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timing {
    /// As soon as it can be.
    AtOnce,
    /// Where the grid asks least for it.
    LowTariff,
    /// Where it costs least, own surplus being worth what the grid pays for it.
    #[default]
    Surplus,
}

/// Energy to be used within some slots that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// How much, all in all.
    pub energy: Energy,
    /// The most in each slot.
    pub most: Vec<Energy>,
}

/// What is foreseen of each of these slots.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// What the grid asks for energy [CNY/kWh].
    pub grid_tariff: &'a [f64],
    /// What the grid pays for energy [CNY/kWh].
    pub feed_in_tariff: &'a [f64],
    /// What is generated beyond all else that is used.
    pub surplus: &'a [Energy],
}

impl Timing {
    /// How much is used in each slot. Where not all of it can be, every slot has its most.
    pub fn plan(self, task: &Task, outlook: Outlook<'_>) -> Vec<Energy> {
        match self {
            Self::AtOnce => at_once::plan(task),
            Self::LowTariff => low_tariff::plan(task, outlook),
            Self::Surplus => surplus::plan(task, outlook),
        }
    }
}

/// Room for energy in a slot, at a price.
#[derive(Clone, Copy, Debug)]
struct Room {
    slot: usize,
    most: Energy,
    price: f64,
}

impl Task {
    /// Fills the cheapest rooms first, of those that cost the same the earliest.
    fn fill(&self, mut rooms: Vec<Room>) -> Vec<Energy> {
        rooms.sort_by(|one, other| one.price.total_cmp(&other.price).then(one.slot.cmp(&other.slot)));
        let (mut plan, mut left) = (vec![Energy::ZERO; self.most.len()], self.energy);
        for Room { slot, most, .. } in rooms {
            let used = left.min(most).or_zero();
            plan[slot] += used;
            left -= used;
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTLOOK: Outlook<'_> = Outlook {
        grid_tariff: &[0.4, 0.3, 0.2, 0.2],
        feed_in_tariff: &[0.1, 0.1, 0.1, 0.25],
        surplus: &[Energy(1), Energy(5), Energy(-3), Energy(9)],
    };

    fn plan(timing: Timing, energy: i64) -> [i64; 4] {
        let task = Task { energy: Energy(energy), most: vec![Energy(4); 4] };
        let plan = timing.plan(&task, OUTLOOK);
        [0, 1, 2, 3].map(|slot| plan[slot].0)
    }

    #[test]
    fn each_rule_fills_what_it_prefers_and_uses_all_that_is_to_be_used() {
        assert_eq!(plan(Timing::AtOnce, 6), [4, 2, 0, 0]);
        assert_eq!(plan(Timing::LowTariff, 6), [0, 0, 4, 2]);
        // Own surplus of 0.1 first, then the grid's energy of 0.2; own surplus of 0.25 is dearer than that.
        assert_eq!(plan(Timing::Surplus, 6), [1, 4, 1, 0]);
        assert_eq!(plan(Timing::Surplus, 12), [1, 4, 4, 3]);
        for timing in [Timing::AtOnce, Timing::LowTariff, Timing::Surplus] {
            assert_eq!((plan(timing, 0), plan(timing, 99)), ([0; 4], [4; 4]));
        }
    }
}
