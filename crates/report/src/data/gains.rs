//! What each prosumer gained, beside how far it is from the ledger, from `prosumers.csv`.

use microgrid_agents::market::role::Role;
use microgrid_record::{Number, ProsumerRow};
use std::collections::BTreeMap;

/// What a prosumer gained over the slots in which it bought, or in which it sold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// What it was.
    pub role: Role,
    /// How long a message takes in the mean between it and the ledger, one way [s].
    pub delay: f64,
    /// Welfare over that of P2G [CNY].
    pub gain: f64,
}

#[derive(Debug, Default)]
pub(super) struct Gains(BTreeMap<(u32, Role), Gain>);

impl Gains {
    pub(super) fn add(&mut self, row: &ProsumerRow) {
        if let (Some(delay), Some(gain)) = (row.delay_s.map(Number::value), row.gain_cny.map(Number::value)) {
            let role = row.role;
            self.0.entry((row.prosumer, role)).or_insert(Gain { role, delay, gain: 0.0 }).gain += gain;
        }
    }

    /// All of them, by the numbers of the prosumers; none where all are as far from the ledger.
    pub(super) fn unequal(self) -> Vec<Gain> {
        let mut delays = self.0.values().map(|one| one.delay);
        let first = delays.next();
        if delays.all(|delay| Some(delay) == first) { Vec::new() } else { self.0.into_values().collect() }
    }
}
