//! A slot of a case, in the terms of the market's equations.

use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{SlotFacts, SlotTerms},
        demand::Buyer,
        role::Role,
        utility::photovoltaic_preference,
    },
    message::MarketOpened,
    statement::Rates,
};
use microgrid_scenario::{Case, population::SlotProfile, schema::Preferences};

/// The rules of the market of `slot`, counted from 1: its prices lie where everybody does better than with the grid, whatever
/// tariffs each has. Panics if the case has no such slot.
pub fn slot_terms(case: &Case, slot: Slot) -> SlotTerms {
    let market = &case.scenario.market;
    let best = case.tariffs.tariff(slot).best();
    SlotTerms {
        feed_in_tariff: best.feed_in,
        grid_tariff: best.grid,
        local_fee: market.local_fee(),
        alpha: case.scenario.alpha_of_slot(),
        demand: case.scenario.preferences.demand,
        hours: market.hours(),
    }
}

/// The rules of `slot` for each prosumer, in the order of the population: those of the market, with its own tariffs.
pub fn terms_of_each(case: &Case, slot: Slot) -> impl Iterator<Item = SlotTerms> {
    let (terms, tariff) = (slot_terms(case, slot), case.tariffs.tariff(slot));
    case.population.prosumers.iter().map(move |member| {
        let Rates { feed_in, grid } = tariff.rates(case.tariffs.place(member.group.as_deref()));
        SlotTerms { feed_in_tariff: feed_in, grid_tariff: grid, ..terms }
    })
}

/// What every prosumer brings to `slot`, one of the case, as it is foreseen, in the order of the population; preferences by
/// (5).
pub fn slot_facts(case: &Case, slot: Slot) -> Vec<SlotFacts> {
    let preferences = &case.scenario.preferences;
    case.population.prosumers.iter().map(|member| facts(&member.profile.foreseen(slot), preferences)).collect()
}

/// Who buys and who sells in a slot, and what they bring.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotMarket {
    /// Positions of the sellers in the population, ascending.
    pub sellers: Vec<usize>,
    /// Positions of the buyers.
    pub buyers: Vec<usize>,
    /// Surplus of each seller [kWh].
    pub surplus: Vec<f64>,
    /// Each buyer as it answers to prices: its preference less what it pays to the operator.
    pub needs: Vec<Buyer>,
    /// The rules of the slot.
    pub terms: SlotTerms,
}

impl SlotMarket {
    /// The market of all who would take part, by the `facts` of everybody in the order of the population.
    pub fn of_all(facts: &[SlotFacts], terms: SlotTerms) -> Self {
        let with = |role| (0..facts.len()).filter(move |&place| facts[place].role() == role).collect();
        Self::between(with(Role::Seller), with(Role::Buyer), facts, terms)
    }

    /// The market of those who were admitted to it.
    pub fn of_admitted(opened: &MarketOpened, facts: &[SlotFacts], terms: SlotTerms) -> Self {
        let [sellers, buyers] =
            [&opened.sellers, &opened.buyers].map(|side| side.iter().map(|id| id.index()).collect());
        Self::between(sellers, buyers, facts, terms)
    }

    fn between(sellers: Vec<usize>, buyers: Vec<usize>, facts: &[SlotFacts], terms: SlotTerms) -> Self {
        let surplus = sellers.iter().map(|&place| facts[place].surplus().value()).collect();
        let needs = buyers.iter().map(|&place| facts[place].as_buyer().charged(terms.local_fee)).collect();
        Self { sellers, buyers, surplus, needs, terms }
    }
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
