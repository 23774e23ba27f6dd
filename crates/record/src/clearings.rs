//! `clearings.csv`: what mechanisms that clear by a rule of their own have announced and executed.

use super::recorded::{ClosedSlot, Number, Record, Recorded, Slot, table};
use microgrid_agents::{
    chain::fact::{Clearing, Execution},
    time::Time,
    units::{Energy, Total},
};
use std::time::Duration;

table! {
    /// What was announced or executed at once.
    ClearingRow in "clearings" of (closed: &ClosedSlot<'_>, time: Time, clearing: &Clearing) {
        /// Number of the case.
        case: u32 = closed.case.number,
        /// Which slot.
        slot: Slot = closed.slot,
        /// Counts the clearings of the slot from 1.
        number: u32 = clearing.number,
        /// When it was put on the chain, since the start of the run.
        time_s: Number ["s"] = Duration::from_nanos(time.0).into(),
        /// The price that was announced, or that of all executions if it is one.
        price_cny_per_kwh: Option<Number> ["CNY/kWh"] = clearing.price.and_then(Number::new),
        /// What was offered when it cleared.
        supply_kwh: Number ["kWh"] = clearing.supply.into(),
        /// What was asked for.
        demand_kwh: Number ["kWh"] = clearing.demand.into(),
        /// In how many executions energy changed hands.
        executions: u32 = clearing.executions.len() as u32,
        /// How much of it.
        traded_kwh: Number ["kWh"] =
            clearing.executions.iter().map(|&Execution(_, _, energy, _)| energy).sum::<Total<Energy>>().into(),
        /// When the slot begins, where slots have dates.
        time: Option<String> = closed.time(),
    }
}

impl Recorded for ClearingRow {
    const KEPT: Record = Record::Full;
    type Tally = ();

    /// In the order in which they came about; none of a slot whose mechanism does not clear.
    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        closed.observed.clearings.iter().map(|(time, clearing)| Self::row(closed, *time, clearing))
    }
}
