//! What theory says about a slot: the closed-form equilibrium and the baseline without a local market.

use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{Balance, SlotFacts, SlotTerms},
        pricing::PriceBand,
        settlement::Trade,
    },
    message::{MarketOpened, MarketState},
    units::{Energy, Money, Total},
};
use microgrid_analysis::{
    distance::{Distance, distance, mean, own_ess_residual},
    equilibrium::{Equilibrium, balances_at},
    peer_to_grid::peer_to_grid,
    slot::{SlotMarket, slot_facts, slot_terms, terms_of_each},
};
use microgrid_scenario::{Case, schema::Storage};

/// Payments less earnings of all where nobody trades.
pub(super) fn net_cost(without: &[Balance]) -> Total<Money> {
    without.iter().map(|without| without.grid_paid - without.grid_earned).sum()
}

#[derive(Clone, Debug)]
pub(super) struct Theory {
    /// Everybody's slot without a local market and without storage.
    pub(super) peer_to_grid: Vec<Balance>,
    /// Everybody's slot without a local market, with its storage; `None` where that is the same.
    with_storage: Option<Vec<Balance>>,
    /// The equilibrium of those who were admitted to the market; `None` without one.
    pub(super) equilibrium: Option<Equilibrium>,
    /// Everybody's welfare at the equilibrium of all who would buy or sell [CNY]; `None` where the market was not to open,
    /// or one side is missing.
    pub(super) equilibrium_welfare: Option<f64>,
    facts: Vec<SlotFacts>,
    terms: SlotTerms,
}

/// Where the prices of a slot's market should go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// The lowest and the highest price that clears the market [CNY/kWh]; `None` without one.
    pub(super) prices: Option<(f64, f64)>,
    /// The tariffs between which prices may move.
    pub(super) band: PriceBand,
    /// Of the sellers [kWh].
    pub(super) mean_surplus: f64,
}

impl Target {
    pub(super) fn of(case: &Case, market: &MarketOpened) -> Self {
        let terms = slot_terms(case, market.slot);
        let at = SlotMarket::of_admitted(market, &slot_facts(case, market.slot), terms).equilibrium();
        let prices = at.map(|at| (at.lowest, at.price));
        Self { prices, band: terms.band(), mean_surplus: mean(&market.surplus) }
    }
}

impl Theory {
    /// What theory says about `slot`, where storages hold `contents` at its start, or would hold `alone` had there never
    /// been a local market, and there is such a market, or none where it was to be `open` or not.
    pub(super) fn of(
        case: &Case,
        slot: Slot,
        contents: &[Energy],
        alone: &[Energy],
        market: Option<&MarketOpened>,
        open: bool,
    ) -> Self {
        let terms = slot_terms(case, slot);
        let facts = slot_facts(case, slot);
        let market = market.map(|market| SlotMarket::of_admitted(market, &facts, terms));
        let equilibrium = market.as_ref().and_then(SlotMarket::equilibrium);
        let all = SlotMarket::of_all(&facts, terms);
        let equilibrium_welfare = all.equilibrium().filter(|_| open).map(|at| {
            let storages = (0..contents.len()).map(|place| case.storage(place).map(Storage::limits));
            let balances = balances_at(Some((&all, &at)), &facts, contents, terms_of_each(case, slot).zip(storages));
            balances.iter().map(|balance| balance.welfare).sum()
        });
        let with_storage = case.has_storages().then(|| peer_to_grid(case, slot, Some(alone)));
        let peer_to_grid = peer_to_grid(case, slot, None);
        Self { peer_to_grid, with_storage, equilibrium, equilibrium_welfare, facts, terms }
    }

    /// Everybody's slot without a local market, with its storage if it has one.
    pub(super) fn alone(&self) -> &[Balance] {
        self.with_storage.as_deref().unwrap_or(&self.peer_to_grid)
    }

    /// How far the game that ended in these `trades` ended from the equilibrium; `None` without a market, or where nobody
    /// made a choice.
    pub(super) fn distance(&self, market: &MarketOpened, end: &MarketState, trades: &[Trade]) -> Option<Distance> {
        let aggregate = end.aggregate.as_ref()?;
        let mut distance =
            distance(&end.prices, aggregate, &market.surplus, self.terms.band(), self.equilibrium.as_ref()?);
        if !aggregate.held.is_empty() {
            let facts = |position: u32| self.facts[market.buyers[position as usize].index()];
            let buyer = |position: u32| facts(position).as_buyer().charged(self.terms.local_fee);
            distance.ess_residual = own_ess_residual(trades, buyer, &aggregate.served_share, self.terms.alpha);
        }
        Some(distance)
    }
}
