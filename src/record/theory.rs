//! What theory says about a slot: the closed-form equilibrium and the baseline without a local market.

use crate::{
    analysis::{
        distance::{Distance, distance, own_ess_residual},
        equilibrium::{Equilibrium, balances_at, closed_form},
        peer_to_grid::{peer_to_grid, peer_to_grid_with_storage},
        slot::{slot_facts, slot_terms},
    },
    scenario::{Case, schema::Storage},
};
use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{Balance, SlotFacts, SlotTerms},
        demand::Buyer,
        pricing::PriceBand,
        role::Role,
        settlement::Trade,
    },
    message::{MarketOpened, MarketState},
    units::Energy,
};

/// What theory says about a slot.
#[derive(Clone, Debug)]
pub(super) struct Theory {
    /// Everybody's slot without a local market and without storage.
    pub(super) peer_to_grid: Vec<Balance>,
    /// Everybody's slot without a local market, with its storage; `None` where that is the same.
    with_storage: Option<Vec<Balance>>,
    /// The equilibrium of all who would buy or sell; `None` without a market.
    pub(super) equilibrium: Option<Equilibrium>,
    /// Everybody's welfare at the equilibrium [CNY]; `None` without a market.
    pub(super) equilibrium_welfare: Option<f64>,
    facts: Vec<SlotFacts>,
    terms: SlotTerms,
    band: PriceBand,
}

/// Where the prices of a slot's market should go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Price of the closed-form equilibrium [CNY/kWh]; `None` without one.
    pub(super) price: Option<f64>,
    /// The tariffs between which prices may move.
    pub(super) band: PriceBand,
}

impl Target {
    /// Where the prices of `slot` should go.
    pub(super) fn of(case: &Case, slot: Slot) -> Self {
        let terms = slot_terms(case, slot);
        let band = band(&terms);
        Self { price: equilibrium(&slot_facts(case, slot), &terms, band).map(|at| at.price), band }
    }
}

impl Theory {
    /// What theory says about `slot`, where storages hold `contents` at its start, or would hold `alone` had there never
    /// been a local market, and the market is open or not.
    pub(super) fn of(case: &Case, slot: Slot, contents: &[Energy], alone: &[Energy], open: bool) -> Self {
        let terms = slot_terms(case, slot);
        let facts = slot_facts(case, slot);
        let band = band(&terms);
        let equilibrium = if open { equilibrium(&facts, &terms, band) } else { None };
        let equilibrium_welfare = equilibrium.as_ref().map(|at| {
            let storage = case.scenario.storage.as_ref().map(Storage::limits);
            let fee = case.scenario.market.service_fee;
            balances_at(Some(at), &facts, contents, storage.as_ref(), &terms, fee).iter().map(|b| b.welfare).sum()
        });
        let with_storage = case.scenario.storage.as_ref().map(|_| peer_to_grid_with_storage(case, slot, alone));
        let peer_to_grid = peer_to_grid(case, slot);
        Self { peer_to_grid, with_storage, equilibrium, equilibrium_welfare, facts, terms, band }
    }

    /// Everybody's slot without a local market, with its storage if it has one.
    pub(super) fn alone(&self) -> &[Balance] {
        self.with_storage.as_deref().unwrap_or(&self.peer_to_grid)
    }

    /// How far the game that ended in these `trades` ended from the equilibrium; `None` without a market, or where nobody
    /// made a choice.
    pub(super) fn distance(&self, market: &MarketOpened, end: &MarketState, trades: &[Trade]) -> Option<Distance> {
        let aggregate = end.aggregate.as_ref()?;
        let mut distance = distance(&end.prices, aggregate, &market.surplus, self.band, self.equilibrium.as_ref()?);
        if !aggregate.held.is_empty() {
            let buyer = |position: u32| self.facts[market.buyers[position as usize].index()].as_buyer();
            distance.ess_residual = own_ess_residual(trades, buyer, &aggregate.served_share, self.terms.alpha);
        }
        Some(distance)
    }
}

fn band(terms: &SlotTerms) -> PriceBand {
    PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff }
}

fn equilibrium(facts: &[SlotFacts], terms: &SlotTerms, band: PriceBand) -> Option<Equilibrium> {
    let with = |role| facts.iter().filter(move |facts| facts.role() == role);
    let buyers: Vec<Buyer> = with(Role::Buyer).map(SlotFacts::as_buyer).collect();
    let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
    closed_form(&buyers, &surplus, band, terms.alpha, terms.demand)
}
