//! The charts of a study, of a case's day and of a slot, in the order in which they are best read.
//!
//! A chart for which there are no data does not exist.

mod day;
mod flows;
mod heat;
mod label;
mod slot;
mod sweep;
mod welfare;

#[cfg(feature = "figures")]
pub(crate) use label::of_case;

use super::{chart::Chart, data::Data};
use microgrid_agents::ids::Slot;

/// The charts of the study as a whole.
pub fn study(data: &Data) -> Vec<Chart> {
    let welfare = welfare::of_study(data);
    welfare.chain(heat::charts(data)).chain(sweep::charts(data)).chain(welfare::utility(data)).collect()
}

/// The charts of a case's day; none if there is no such case.
pub fn case(data: &Data, case: u32) -> Vec<Chart> {
    data.case(case).map_or_else(Vec::new, |case| day::charts(data, case))
}

/// The charts of a slot of a case; none if there is no such slot, or it had no market, or the run does not keep its path.
pub fn slot(data: &Data, case: u32, slot: Slot) -> Vec<Chart> {
    data.case(case).map_or_else(Vec::new, |case| slot::charts(case, slot))
}
