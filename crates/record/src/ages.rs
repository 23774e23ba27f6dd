//! `ages.csv`: how old the news was on which sellers and buyers decided.

use super::{durations::Durations, number::Number, table::table};
use microgrid_agents::ids::Slot;
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

/// The slot's rows, by age; none for ages on which nobody decided.
pub(super) fn rows(case: u32, slot: Slot, ages: &Durations) -> impl Iterator<Item = AgeRow> {
    let seconds = |nanos| Number::from(Duration::from_nanos(nanos));
    let row = move |((from, to), decisions)| AgeRow { case, slot, from_s: seconds(from), to_s: seconds(to), decisions };
    ages.histogram().into_iter().map(row)
}
