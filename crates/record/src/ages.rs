//! `ages.csv`: how old the news was on which sellers and buyers decided.

use super::recorded::{ClosedSlot, Number, Record, Recorded, Slot, table};
use std::time::Duration;

table! {
    /// Decisions of a slot on news of about the same age.
    AgeRow in "ages" of (closed: &ClosedSlot<'_>, from: u64, to: u64, decisions: u64) {
        /// Number of the case.
        case: u32 = closed.case.number,
        /// Which slot.
        slot: Slot = closed.slot,
        /// Least age that counts here.
        from_s: Number ["s"] = Duration::from_nanos(from).into(),
        /// All ages that count here are below it; 0 where none but 0 counts.
        to_s: Number ["s"] = Duration::from_nanos(to).into(),
        /// How many decisions were made on news so old.
        decisions: u64 = decisions,
        /// When the slot begins, where slots have dates.
        time: Option<String> = closed.time(),
    }
}

impl Recorded for AgeRow {
    const KEPT: Record = Record::Slots;
    type Tally = ();

    /// By age; none for ages on which nobody decided.
    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let bins = closed.observed.ages.histogram().into_iter();
        bins.map(move |((from, to), decisions)| Self::row(closed, from, to, decisions))
    }
}
