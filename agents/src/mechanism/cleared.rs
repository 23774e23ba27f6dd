//! Trades that stand on the chain as clearings: what a pair's executions add up to, and the law by which they are settled.

use super::Lawful;
use crate::{
    chain::{
        fact::{Clearing, Execution, Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity, ensure},
        stub::Stub,
    },
    ids::Slot,
    market::role::Role,
    statement::{OrderSide, Orders, Post, Tariff},
    units::{Energy, Total},
};
use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

/// What one pair's executions of a slot add up to: one bill, at their mean price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    pub(crate) energy: Energy,
    /// Sum of energy times price, in the order of the executions [1e-6 CNY].
    value: f64,
    lowest: f64,
    highest: f64,
}

impl Default for Executed {
    fn default() -> Self {
        Self { energy: Energy::ZERO, value: 0.0, lowest: f64::INFINITY, highest: f64::NEG_INFINITY }
    }
}

impl Executed {
    pub(crate) fn add(&mut self, energy: Energy, price: f64) {
        self.energy += energy;
        self.value += energy.0 as f64 * price;
        self.lowest = self.lowest.min(price);
        self.highest = self.highest.max(price);
    }

    /// Mean price by energy [CNY/kWh]; where there is only one price, that one to the last bit.
    pub(crate) fn price(&self) -> f64 {
        (self.value / self.energy.0 as f64).clamp(self.lowest, self.highest)
    }
}

/// What differs from one mechanism to the other in what posts and clearings are held to.
pub(crate) trait Rule {
    /// Whether who is on this side has anything to post.
    fn posts(_: &Genesis, _: OrderSide) -> bool {
        true
    }

    /// What the orders of a participant are held to, that they are its newest apart.
    fn orders(genesis: &Genesis, number: Number, orders: &Orders, stub: &mut impl Stub) -> Validity;

    /// The ledger clears; that buyers buy, sellers sell, and prices are allowed, has been seen to.
    fn clear(genesis: &Genesis, game: &Game, tariff: &Tariff, clearing: &Clearing, stub: &mut impl Stub) -> Validity;
}

/// The law of mechanisms that clear: trades are what was executed.
#[derive(Debug)]
pub(crate) struct Cleared<R> {
    game: Arc<Game>,
    pairs: BTreeMap<(Number, Number), Executed>,
    buyer: Number,
    rule: PhantomData<R>,
}

impl<R: Rule + std::fmt::Debug> Lawful for Cleared<R> {
    fn post(
        genesis: &Genesis,
        _: &Game,
        (number, role): (Number, Role),
        post: &Post,
        stub: &mut impl Stub,
    ) -> Validity {
        let Post::Orders(orders) = post else { return Err(Refusal::NotAParticipant) };
        let Orders { slot, version, side, .. } = **orders;
        let needed = match side {
            OrderSide::Buy => Role::Buyer,
            OrderSide::Sell => Role::Seller,
        };
        ensure(R::posts(genesis, side) && role == needed, Refusal::NotAParticipant)?;
        let last: Option<Arc<Orders>> = stub.find(Key::Orders(slot, number));
        ensure(version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
        R::orders(genesis, number, orders, stub)?;
        stub.write(Key::Orders(slot, number), Fact::Orders(Arc::clone(orders)));
        Ok(())
    }

    fn clear(genesis: &Genesis, game: &Game, slot: Slot, clearing: &Clearing, stub: &mut impl Stub) -> Validity {
        let tariff: Arc<Tariff> = stub.find(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
        let rules = &genesis.rules;
        let prices = rules.mechanism.prices(tariff.band(rules.local_fee()));
        for &Execution(buyer, seller, energy, price) in &clearing.executions {
            let both = game.buyers.binary_search(&buyer).is_ok() && game.sellers.binary_search(&seller).is_ok();
            ensure(both, Refusal::NotAParticipant)?;
            ensure(energy > Energy::ZERO, Refusal::InvalidPurchases)?;
            ensure(prices.contains(price), Refusal::PriceOutOfBand)?;
            ensure(clearing.price.is_none_or(|common| common == price), Refusal::PriceOutOfBand)?;
        }
        R::clear(genesis, game, &tariff, clearing, stub)
    }

    fn of(game: &Arc<Game>, slot: Slot, stub: &mut impl Stub) -> Self {
        let mut pairs: BTreeMap<_, Executed> = BTreeMap::new();
        let clearings = (1..).map_while(|number| stub.find::<Arc<Clearing>>(Key::Clearing(slot, number)));
        for clearing in clearings {
            for &Execution(buyer, seller, energy, price) in &clearing.executions {
                pairs.entry((buyer, seller)).or_default().add(energy, price);
            }
        }
        Self { game: Arc::clone(game), pairs, buyer: 0, rule: PhantomData }
    }

    fn read_seller(&mut self, _: Slot, _: usize, _: Number, _: &mut impl Stub) -> Validity {
        Ok(())
    }

    fn read_buyer(&mut self, _: Slot, number: Number, _: &mut impl Stub) -> Validity {
        self.buyer = number;
        Ok(())
    }

    fn price(&self, seller: usize, energy: Energy, _: Total<Energy>) -> Result<f64, Refusal> {
        let pair = (self.buyer, self.game.sellers[seller]);
        let executed = self.pairs.get(&pair).ok_or(Refusal::NotAParticipant)?;
        ensure(energy == executed.energy, Refusal::MoreThanSurplus)?;
        Ok(executed.price())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_s_price_is_the_mean_of_its_executions_and_a_single_one_stays_to_the_last_bit() {
        let executed = |parts: &[(i64, f64)]| {
            let mut sum = Executed::default();
            parts.iter().for_each(|&(energy, price)| sum.add(Energy(energy), price));
            sum.price()
        };
        for price in [0.1, 0.45, 0.617_283_94, 0.85] {
            assert_eq!(executed(&[(3, price)]), price);
            assert_eq!(executed(&[(3, price), (7, price)]), price);
        }
        // (1 × 0.5 + 3 × 0.7) / 4
        assert!((executed(&[(1_000_000, 0.5), (3_000_000, 0.7)]) - 0.65).abs() < 1e-12);
    }
}
