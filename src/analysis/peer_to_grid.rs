//! The baseline without a local market, section 7.

use super::slot::{position, slot_facts, slot_terms};
use crate::scenario::Case;
use microgrid_agents::{
    ids::Slot,
    market::balance::{self, Balance},
};

/// How `slot`, counted from 1, would come out for every prosumer, in the order of the population, if each had only the
/// grid: no ledger (`mu = 0`), no trades, no storage.
///
/// # Panics
/// If the case has no such slot.
pub fn peer_to_grid(case: &Case, slot: Slot) -> Vec<Balance> {
    let terms = slot_terms(case, slot);
    let without_ledger = case.population.prosumers.iter().map(|member| member.profile[position(slot)].preference_pv);
    slot_facts(case, slot)
        .iter()
        .zip(without_ledger)
        .map(|(facts, preference)| balance::peer_to_grid(facts, preference, &terms))
        .collect()
}
