//! A slot of a case, in the terms of the market's equations.

use crate::scenario::{Case, population::SlotProfile, schema::Preferences};
use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{SlotFacts, SlotTerms},
        utility::photovoltaic_preference,
    },
};

/// Position of `slot` in the lists of a case.
pub(super) fn position(slot: Slot) -> usize {
    slot as usize - 1
}

/// The rules of `slot`, counted from 1.
///
/// # Panics
/// If the case has no such slot.
pub fn slot_terms(case: &Case, slot: Slot) -> SlotTerms {
    let (market, preferences) = (&case.scenario.market, &case.scenario.preferences);
    SlotTerms {
        feed_in_tariff: market.feed_in_tariff,
        grid_tariff: case.grid_tariffs[position(slot)],
        alpha: preferences.alpha,
        demand: preferences.demand,
        hours: market.hours(),
    }
}

/// What every prosumer brings to `slot`, counted from 1, in the order of the population; preferences by (5).
///
/// # Panics
/// If the case has no such slot.
pub fn slot_facts(case: &Case, slot: Slot) -> Vec<SlotFacts> {
    let preferences = &case.scenario.preferences;
    case.population.prosumers.iter().map(|member| facts(&member.profile[position(slot)], preferences)).collect()
}

/// What one prosumer brings to a slot; its preference for local energy by (5).
pub fn facts(profile: &SlotProfile, preferences: &Preferences) -> SlotFacts {
    SlotFacts {
        generation: profile.generation,
        load: profile.load,
        preference_pv: photovoltaic_preference(profile.preference_pv, preferences.eta, preferences.mu),
        preference_grid: profile.preference_grid,
    }
}
