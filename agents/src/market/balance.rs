//! A prosumer's slot after the market: storage, grid and welfare of model section 7.
//!
//! One function serves three purposes: what a prosumer really does, what it would do without a market (P2G), and what
//! it would do at the closed-form equilibrium.

use super::{
    demand::{Buyer, Demand},
    pricing::PriceBand,
    role::Role,
    storage::StorageLimits,
    utility::utility,
};
use crate::{
    statement::Rates,
    units::{Energy, Money},
};
use serde::{Deserialize, Serialize};

/// What a prosumer brings to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotFacts {
    /// Generation `P`.
    pub generation: Energy,
    /// Consumption it would like, `X`.
    pub load: Energy,
    /// Preference for local energy `w_pv` (5) [CNY/kWh].
    pub preference_pv: f64,
    /// Preference for grid energy `w_grid` [CNY/kWh].
    pub preference_grid: f64,
}

impl SlotFacts {
    /// Buyer, seller or neither (1).
    pub fn role(&self) -> Role {
        Role::of(self.generation, self.load)
    }

    /// Need of a buyer `N = X - P` (2); zero for others.
    pub fn need(&self) -> Energy {
        (self.load - self.generation).or_zero()
    }

    /// Surplus of a seller `S = P - X` (3); zero for others.
    pub fn surplus(&self) -> Energy {
        (self.generation - self.load).or_zero()
    }

    /// What a buyer with these data registers.
    pub fn as_buyer(&self) -> Buyer {
        Buyer { need: self.need().value(), generation: self.generation.value(), preference: self.preference_pv }
    }
}

/// What a meter reads of a prosumer's own in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metered {
    /// Generation.
    pub generation: Energy,
    /// Consumption it would like.
    pub load: Energy,
}

impl Metered {
    /// What was foreseen.
    pub fn of(facts: &SlotFacts) -> Self {
        Self { generation: facts.generation, load: facts.load }
    }
}

/// The rules that are the same for everybody in a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotTerms {
    /// What the grid pays, `p_min` [CNY/kWh].
    pub feed_in_tariff: f64,
    /// What the grid asks, `p_t` [CNY/kWh].
    pub grid_tariff: f64,
    /// What the buyer of local energy pays to the operator [CNY/kWh].
    pub local_fee: f64,
    /// Curvature of utility in this slot, `alpha / h` (4) [CNY/kWh²].
    pub alpha: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Length of the slot `h` [h].
    pub hours: f64,
}

impl SlotTerms {
    /// The prices that sellers may ask.
    pub fn band(&self) -> PriceBand {
        PriceBand::between(self.feed_in_tariff, self.grid_tariff, self.local_fee)
    }
}

/// What a prosumer's trades with other prosumers add up to in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Bought from sellers [1e-6 kWh].
    pub bought: Energy,
    /// Sold to buyers [1e-6 kWh].
    pub sold: Energy,
    /// Paid to sellers [1e-6 CNY].
    pub paid: Money,
    /// Earned from buyers [1e-6 CNY].
    pub earned: Money,
    /// Paid to the operator [1e-6 CNY].
    pub fee: Money,
}

/// How a prosumer's slot came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// Put into the storage, measured outside it.
    pub charged: Energy,
    /// Taken from the storage, measured outside it.
    pub discharged: Energy,
    /// Content of the storage at the end.
    pub content: Energy,
    /// Bought from the grid.
    pub grid_import: Energy,
    /// Fed into the grid.
    pub grid_export: Energy,
    /// Drawn from the grid because there was less than foreseen, or more was needed; not in `grid_import`.
    pub short: Energy,
    /// Fed into the grid because there was more than foreseen, or less was needed; not in `grid_export`.
    pub long: Energy,
    /// Paid to the grid.
    pub grid_paid: Money,
    /// Earned from the grid.
    pub grid_earned: Money,
    /// Energy really consumed.
    pub consumed: Energy,
    /// Welfare over the slot (section 7) [CNY].
    pub welfare: f64,
}

impl Balance {
    /// What crosses its meter from the grid in all: of what is bought and fed in, foreseen or not, only the difference.
    pub fn drawn(&self) -> Energy {
        (self.grid_import + self.short - self.grid_export - self.long).max(Energy::ZERO)
    }

    /// What crosses its meter into the grid in all.
    pub fn fed_in(&self) -> Energy {
        (self.grid_export + self.long - self.grid_import - self.short).max(Energy::ZERO)
    }
}

/// What a storage can do and what is in it, where there is one.
type Stored<'a> = Option<(&'a StorageLimits, Energy)>;

/// Settles a prosumer's slot: storage first, then the grid, then welfare.
///
/// `storage` is what it can do and what is in it at the start, if there is one. Energy is conserved to the last unit:
/// generation + bought + discharged + import = consumed + sold + charged + export.
pub fn balance(facts: &SlotFacts, trades: &Account, storage: Stored<'_>, terms: &SlotTerms) -> Balance {
    match facts.role() {
        Role::Buyer => balance_buyer(facts, trades, storage, terms),
        Role::Seller | Role::Idle => balance_seller(facts, trades, storage, terms),
    }
}

fn balance_buyer(facts: &SlotFacts, trades: &Account, storage: Stored<'_>, terms: &SlotTerms) -> Balance {
    let unmet = (facts.need() - trades.bought).or_zero();
    let discharge = |(limits, content): (&StorageLimits, _)| limits.discharge(content, unmet, terms.hours);
    let (discharged, content) = storage.map(discharge).unwrap_or_default();
    let local = facts.generation + trades.bought + discharged;
    let remaining = unmet - discharged;
    let grid_import = match terms.demand {
        Demand::Firm => remaining,
        Demand::Elastic => {
            let wanted = (facts.preference_grid - terms.grid_tariff) / terms.alpha - local.value();
            remaining.min(Energy::nearest(wanted.max(0.0)))
        }
    };
    let grid_paid = grid_import.at_price(terms.grid_tariff);
    let consumed = local + grid_import;
    let from_grid = utility(consumed.value(), facts.preference_grid, terms.alpha)
        - utility(local.value(), facts.preference_grid, terms.alpha);
    let welfare = utility(local.value(), facts.preference_pv, terms.alpha) + from_grid
        - trades.paid.value()
        - trades.fee.value()
        - grid_paid.value();
    Balance { discharged, content, grid_import, grid_paid, consumed, welfare, ..Balance::default() }
}

fn balance_seller(facts: &SlotFacts, trades: &Account, storage: Stored<'_>, terms: &SlotTerms) -> Balance {
    let unsold = (facts.surplus() - trades.sold).or_zero();
    let charge = |(limits, content): (&StorageLimits, _)| limits.charge(content, unsold, terms.hours);
    let (charged, content) = storage.map(charge).unwrap_or_default();
    let grid_export = unsold - charged;
    let grid_earned = grid_export.at_price(terms.feed_in_tariff);
    let welfare =
        utility(facts.load.value(), facts.preference_pv, terms.alpha) + trades.earned.value() + grid_earned.value();
    Balance { charged, content, grid_export, grid_earned, consumed: facts.load, welfare, ..Balance::default() }
}

impl Balance {
    /// The same after the meter was read: what it has beside the `facts` that were foreseen is exchanged with the grid, more
    /// of it at `rates.feed_in`, and less at `rates.grid`. What is consumed otherwise than foreseen is worth what the last
    /// of it is: energy of the grid to a buyer, local energy to others.
    pub fn metered(self, facts: &SlotFacts, metered: Metered, alpha: f64, rates: Rates) -> Self {
        if metered == Metered::of(facts) {
            return self;
        }
        let consumed = (self.consumed + metered.load - facts.load).or_zero();
        let more = (metered.generation - facts.generation) - (consumed - self.consumed);
        let (short, long) = ((-more).or_zero(), more.or_zero());
        let (paid, earned) = (short.at_price(rates.grid), long.at_price(rates.feed_in));
        let preference = if facts.role() == Role::Buyer { facts.preference_grid } else { facts.preference_pv };
        let worth = |consumed: Energy| utility(consumed.value(), preference, alpha);
        Self {
            consumed,
            short,
            long,
            grid_paid: self.grid_paid + paid,
            grid_earned: self.grid_earned + earned,
            welfare: self.welfare + worth(consumed) - worth(self.consumed) - paid.value() + earned.value(),
            ..self
        }
    }
}

/// The slot without a local market (P2G): no ledger, no trades, and no storage but one that is given here. In place of the
/// facts' own preference stands `without_ledger`, `w_pv0` [CNY/kWh].
pub fn peer_to_grid(facts: &SlotFacts, without_ledger: f64, storage: Stored<'_>, terms: &SlotTerms) -> Balance {
    balance(&SlotFacts { preference_pv: without_ledger, ..*facts }, &Account::default(), storage, terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: SlotTerms = SlotTerms {
        feed_in_tariff: 0.45,
        grid_tariff: 0.85,
        local_fee: 0.0,
        alpha: 0.4,
        demand: Demand::Elastic,
        hours: 1.0,
    };
    const STORAGE: StorageLimits = StorageLimits { capacity: 10.0, power: 5.0, efficiency: 0.95 };

    fn facts(generation: f64, load: f64, preference_pv: f64) -> SlotFacts {
        let [generation, load] = [generation, load].map(Energy::nearest);
        SlotFacts { generation, load, preference_pv, preference_grid: 1.5 }
    }

    #[test]
    fn the_ratio_decides_the_role_and_the_difference_is_need_or_surplus() {
        let of = |generation, load| facts(generation, load, 2.0);
        assert_eq!(of(1.75, 2.55).role(), Role::Buyer);
        assert_eq!(of(4.828, 3.1).role(), Role::Seller);
        assert_eq!(of(0.1 + 0.2, 0.3).role(), Role::Idle);
        assert_eq!(of(0.5, 0.0).role(), Role::Seller);
        assert_eq!(of(0.0, 0.0).role(), Role::Idle);
        let (seller, buyer) = (of(4.828, 3.1), of(3.1, 4.828));
        assert_eq!((seller.surplus(), seller.need()), (Energy(1_728_000), Energy::ZERO));
        assert_eq!((buyer.surplus(), buyer.need()), (Energy::ZERO, Energy(1_728_000)));
    }

    #[test]
    fn a_buyer_with_enough_local_energy_leaves_the_grid_alone() {
        let bought = Energy::nearest(1.6);
        let trades = Account { bought, paid: bought.at_price(0.7), ..Account::default() };
        let result = balance(&facts(1.75, 3.3, 2.04), &trades, None, &TERMS);
        assert_eq!((result.grid_import, result.consumed), (Energy::ZERO, Energy::nearest(3.35)));
        assert!((result.welfare - 3.4695).abs() < 1e-12);
    }

    #[test]
    fn an_elastic_buyer_takes_from_the_grid_only_what_is_worth_its_tariff() {
        let result = balance(&facts(1.0, 3.0, 2.0), &Account::default(), None, &TERMS);
        assert_eq!(result.grid_import, Energy::nearest(0.625));
        assert_eq!(result.grid_paid, Money::nearest(0.53125));
        // U(1, 2.0) + U(1.625, 1.5) - U(1, 1.5) - 0.53125
        assert!((result.welfare - (1.8 + 1.909_375 - 1.3 - 0.531_25)).abs() < 1e-12);
    }

    #[test]
    fn a_firm_buyer_covers_all_of_its_need() {
        let terms = SlotTerms { demand: Demand::Firm, ..TERMS };
        let result = balance(&facts(1.0, 3.0, 2.0), &Account::default(), None, &terms);
        assert_eq!((result.grid_import, result.consumed), (Energy::nearest(2.0), Energy::nearest(3.0)));
    }

    #[test]
    fn a_buyer_discharges_before_it_imports_and_pays_its_fee() {
        let bought = Energy::nearest(0.5);
        let trades = Account { bought, fee: Money::nearest(0.005), ..Account::default() };
        let terms = SlotTerms { demand: Demand::Firm, ..TERMS };
        let result = balance(&facts(1.0, 3.0, 2.0), &trades, Some((&STORAGE, Energy::nearest(1.0))), &terms);
        assert_eq!((result.discharged, result.content), (Energy::nearest(0.95), Energy::ZERO));
        assert_eq!(result.grid_import, Energy::nearest(0.55));
        // U(2.45, 2.0) + U(3, 1.5) - U(2.45, 1.5) - 0.005 - 0.55 * 0.85
        assert!((result.welfare - (3.6995 + 2.7 - 2.4745 - 0.005 - 0.4675)).abs() < 1e-12);
    }

    #[test]
    fn a_seller_charges_what_it_did_not_sell_and_feeds_in_the_rest() {
        let sold = Energy::nearest(1.0);
        let trades = Account { sold, earned: sold.at_price(0.7), ..Account::default() };
        let result = balance(&facts(10.0, 3.0, 1.94), &trades, Some((&STORAGE, Energy::ZERO)), &TERMS);
        assert_eq!((result.charged, result.content), (Energy::nearest(5.0), Energy::nearest(4.75)));
        assert_eq!((result.grid_export, result.grid_earned), (Energy::nearest(1.0), Money::nearest(0.45)));
        assert!((result.welfare - (1.94 * 3.0 - 1.8 + 0.7 + 0.45)).abs() < 1e-12);
    }

    #[test]
    fn who_generates_just_what_it_needs_exchanges_nothing_and_keeps_its_storage() {
        let content = Energy::nearest(2.0);
        let result = balance(&facts(3.0, 3.0, 1.94), &Account::default(), Some((&STORAGE, content)), &TERMS);
        let welfare = utility(3.0, 1.94, 0.4);
        assert_eq!(result, Balance { consumed: Energy::nearest(3.0), content, welfare, ..Balance::default() });
    }

    #[test]
    fn without_a_market_local_energy_is_worth_what_it_is_without_a_ledger() {
        let with_ledger = facts(1.0, 3.0, 2.4);
        let without = balance(&facts(1.0, 3.0, 2.0), &Account::default(), None, &TERMS);
        assert_eq!(peer_to_grid(&with_ledger, 2.0, None, &TERMS), without);
    }
}
