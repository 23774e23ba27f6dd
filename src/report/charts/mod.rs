//! The charts of a study, of a case's day and of a slot, in the order in which they are best read.
//!
//! A chart for which there are no data does not exist.

use super::{chart::Chart, data::Data};
use microgrid_agents::ids::Slot;

/// The charts of the study as a whole.
pub fn study(_data: &Data) -> Vec<Chart> {
    Vec::new()
}

/// The charts of a case's day; none if there is no such case.
pub fn case(_data: &Data, _case: u32) -> Vec<Chart> {
    Vec::new()
}

/// The charts of a slot of a case; none if there is no such slot, or it had no market, or the run does not keep its path.
pub fn slot(_data: &Data, _case: u32, _slot: Slot) -> Vec<Chart> {
    Vec::new()
}
