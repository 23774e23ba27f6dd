//! The baseline without a local market, section 7.

use super::slot::{position, slot_facts, slot_terms};
use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{self, Balance},
        storage::StorageLimits,
    },
    units::Energy,
};
use microgrid_scenario::{Case, schema::Storage};

/// How `slot`, counted from 1, would come out for every prosumer, in the order of the population, if each had only the
/// grid: no ledger (`mu = 0`), no trades, no storage.
///
/// # Panics
/// If the case has no such slot.
pub fn peer_to_grid(case: &Case, slot: Slot) -> Vec<Balance> {
    balances(case, slot, |_| None)
}

/// The same with everybody's storage used for itself, which holds `contents` at the start of the slot. At the end it
/// holds what the balances say: the next slot's contents. Without storages this is [`peer_to_grid`].
///
/// # Panics
/// If the case has no such slot.
pub fn peer_to_grid_with_storage(case: &Case, slot: Slot, contents: &[Energy]) -> Vec<Balance> {
    let limits = case.scenario.storage.as_ref().map(Storage::limits);
    balances(case, slot, |position| Some((limits?, contents[position])))
}

fn balances(case: &Case, slot: Slot, storage: impl Fn(usize) -> Option<(StorageLimits, Energy)>) -> Vec<Balance> {
    let terms = slot_terms(case, slot);
    let without_ledger = case.population.prosumers.iter().map(|member| member.profile[position(slot)].preference_pv);
    let facts = slot_facts(case, slot);
    let each = facts.iter().zip(without_ledger).enumerate();
    each.map(|(position, (facts, preference))| {
        let storage = storage(position);
        let storage = storage.as_ref().map(|(limits, content)| (limits, *content));
        balance::peer_to_grid(facts, preference, storage, &terms)
    })
    .collect()
}
