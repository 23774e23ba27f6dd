//! The baseline without a local market, section 7.

use super::slot::{facts, terms_of_each};
use microgrid_agents::{
    ids::Slot,
    market::balance::{self, Balance},
    units::Energy,
};
use microgrid_scenario::{Case, schema::Storage};

/// How `slot`, counted from 1, would come out for every prosumer, in the order of the population, if each had only the
/// grid: no ledger (`mu = 0`), no trades, and its storage used for itself, if it has one. That holds `contents` at the start
/// of the slot, and what the balances say at its end; without `contents` there are no storages.
pub fn peer_to_grid(case: &Case, slot: Slot, contents: Option<&[Energy]>) -> Vec<Balance> {
    let preferences = &case.scenario.preferences;
    let each = case.population.prosumers.iter().zip(terms_of_each(case, slot)).enumerate();
    each.map(|(n, (member, terms))| {
        let profile = member.profile.slot(slot);
        let limits = case.storage(n).map(Storage::limits);
        let storage = limits.as_ref().zip(contents).map(|(limits, contents)| (limits, contents[n]));
        balance::peer_to_grid(&facts(&profile, preferences), profile.preference_pv, storage, &terms)
    })
    .collect()
}
