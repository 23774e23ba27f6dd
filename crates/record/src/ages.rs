//! `ages.csv`: how old the news was on which sellers and buyers decided.

use super::{
    number::Number,
    recorded::{ClosedSlot, Recorded},
    table::table,
};
use microgrid_agents::ids::Slot;
use microgrid_scenario::schema::Record;
use std::time::Duration;

table! {
    /// Decisions of a slot on news of about the same age.
    AgeRow in "ages" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// Least age that counts here.
        from_s: Number ["s"],
        /// All ages that count here are below it; 0 where none but 0 counts.
        to_s: Number ["s"],
        /// How many decisions were made on news so old.
        decisions: u64,
    }
}

impl Recorded for AgeRow {
    const KEPT: Record = Record::Slots;
    type Tally = ();

    /// By age; none for ages on which nobody decided.
    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let (case, slot) = (closed.case.number, closed.slot);
        let seconds = |nanos| Number::from(Duration::from_nanos(nanos));
        let row =
            move |((from, to), decisions)| Self { case, slot, from_s: seconds(from), to_s: seconds(to), decisions };
        closed.observed.ages.histogram().into_iter().map(row)
    }
}
