//! Where the ledger clears: what all such mechanisms hold a clearing to, and the bills that follow from clearings.

use super::{
    super::{
        bills::{Bills, bill},
        desk::{Desk, ensure},
        discrepancy::Checked,
        state::State,
        tariffs::{highest_price, lowest_price},
    },
    Terms,
};
use microgrid_agents::{
    chain::{
        fact::{Clearing, Execution, Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::Refusal,
    },
    ids::Slot,
    market::mechanism::Mechanism,
    statement::Tariff,
    units::Energy,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nobody chooses sellers.
pub(super) fn opens(game: &Game) -> Checked<(), String> {
    if game.first_choice.is_empty() { Ok(()) } else { Err("the game has a first choice, and no choices".to_owned()) }
}

/// The lowest and the highest price of local trade.
pub(super) fn allowed(genesis: &Genesis, tariff: &Tariff) -> (f64, f64) {
    match genesis.rules.mechanism {
        Mechanism::BillSharing => (0.0, 0.0),
        _ => (lowest_price(tariff), highest_price(tariff, genesis.rules.local_fee())),
    }
}

/// Whatever is executed: buyers of the game buy from its sellers, something, at a price that is allowed, and at the same one
/// if the clearing names it. Returns the slot's tariff.
pub(super) fn clear(desk: &mut Desk<'_>, game: &Game, slot: Slot, clearing: &Clearing) -> Result<Arc<Tariff>, Refusal> {
    let tariff = Arc::clone(desk.tariff(slot).ok_or(Refusal::MarketClosed)?);
    let (lowest, highest) = allowed(desk.genesis, &tariff);
    let is_allowed = |price: f64| lowest <= price && price <= highest;
    for Execution(buyer, seller, energy, price) in &clearing.executions {
        let known = game.buyers.contains(buyer) && game.sellers.contains(seller);
        ensure(known, Refusal::NotAParticipant)?;
        ensure(energy.0 > 0, Refusal::InvalidPurchases)?;
        ensure(is_allowed(*price) && clearing.price.unwrap_or(*price) == *price, Refusal::PriceOutOfBand)?;
    }
    Ok(tariff)
}

/// What pairs have traded by a slot's clearings: units, units times price, lowest and highest price.
#[derive(Debug, Default)]
struct Pairs(BTreeMap<(Number, Number), (i64, f64, f64, f64)>);

impl Pairs {
    fn enter(&mut self, clearing: &Clearing) {
        for &Execution(buyer, seller, energy, price) in &clearing.executions {
            let none = (0, 0.0, price, price);
            let (units, value, lowest, highest) = self.0.entry((buyer, seller)).or_insert(none);
            *units += energy.0;
            *value += energy.0 as f64 * price;
            (*lowest, *highest) = (lowest.min(price), highest.max(price));
        }
    }

    /// What a pair has traded, at the mean price.
    fn bill(&self, pair: (Number, Number)) -> Option<(Energy, f64)> {
        let &(units, value, lowest, highest) = self.0.get(&pair)?;
        Some((Energy(units), (value / units as f64).max(lowest).min(highest)))
    }
}

/// Trades are what was executed.
#[derive(Debug, Default)]
pub(super) struct Executed(Pairs);

impl Executed {
    pub(super) fn read(desk: &mut Desk<'_>, slot: Slot) -> Self {
        let mut pairs = Pairs::default();
        let mut number = 1;
        while let Some(clearing) = desk.clearing(slot, number) {
            pairs.enter(clearing);
            number += 1;
        }
        Self(pairs)
    }
}

impl Terms for Executed {
    fn read_seller(&mut self, _: &mut Desk<'_>, _: Slot, _: Number) -> Result<(), Refusal> {
        Ok(())
    }

    fn read_buyer(&mut self, _: &mut Desk<'_>, _: Slot, _: Number) -> Result<(), Refusal> {
        Ok(())
    }

    fn price(&mut self, buyer: Number, (seller, _): (Number, usize), energy: Energy) -> Result<f64, Refusal> {
        let (due, price) = self.0.bill((buyer, seller)).ok_or(Refusal::NotAParticipant)?;
        ensure(energy == due, Refusal::MoreThanSurplus).map(|()| price)
    }
}

/// The bills that follow from the clearings of a slot; none without a game.
pub(super) fn bills(genesis: &Genesis, state: &State, slot: Slot) -> Bills {
    let mut pairs = Pairs::default();
    let clearings = (1..).map_while(|number| match state.fact(Key::Clearing(slot, number)) {
        Some(Fact::Clearing(clearing)) => Some(clearing),
        _ => None,
    });
    clearings.for_each(|clearing| pairs.enter(clearing));
    let owed = |pair| {
        let (energy, price) = pairs.bill(pair)?;
        Some((pair, bill(energy, price, genesis.rules.local_fee())?))
    };
    Bills(pairs.0.keys().copied().filter_map(owed).collect())
}
