//! The charts of a study, of a case's day and of a slot, in the order in which they are best read.
//!
//! | where | what |
//! |---|---|
//! | `utility` | what energy is worth |
//! | `welfare` | welfare of buyers, sellers and all, beside the day without a local market |
//! | `sweep`, `heat`, `measure` | what a study found against the knobs that it varied |
//! | `profiles`, `day` | a case's day |
//! | `flows` | who traded with whom |
//! | `game`, `asynchrony` | a slot's game, and what asynchrony did to it |
//! | `label` | what cases, slots and values of knobs are called |
//!
//! A chart for which there are no data does not exist.

mod asynchrony;
mod day;
mod flows;
mod game;
mod heat;
mod label;
mod measure;
mod profiles;
mod sweep;
mod utility;
mod welfare;

#[cfg(feature = "figures")]
pub(crate) use label::of_case;

use super::{chart::Chart, data::Data};
use microgrid_agents::ids::Slot;

/// The charts of the study as a whole.
pub fn study(data: &Data) -> Vec<Chart> {
    let welfare = welfare::of_study(data);
    welfare.chain(heat::charts(data)).chain(sweep::charts(data)).chain(utility::chart(data)).collect()
}

/// The charts of a case's day; none if there is no such case.
pub fn case(data: &Data, case: u32) -> Vec<Chart> {
    let Some(case) = data.case(case) else { return Vec::new() };
    let day = [day::energy, day::storage, welfare::of_day, flows::of_day].map(|chart| chart(case));
    let market = [day::settling, day::distance, day::messages].map(|chart| chart(case));
    let day = day::prices(data, case).into_iter().chain(day.into_iter().flatten());
    day.chain(profiles::charts(data, case)).chain(market.into_iter().flatten()).collect()
}

/// The charts of a slot of a case; none if there is no such slot, or it had no market, or the run does not keep its path.
pub fn slot(data: &Data, case: u32, slot: Slot) -> Vec<Chart> {
    let Some(case) = data.case(case) else { return Vec::new() };
    let more = [flows::of_slot, asynchrony::distance, asynchrony::ages, asynchrony::messages];
    game::charts(case, slot).into_iter().chain(more.into_iter().filter_map(|chart| chart(case, slot))).collect()
}
