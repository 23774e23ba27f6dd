//! What the contract holds answers and announcements to, where a rule makes the price.

use super::rule::Rate;
use crate::{
    chain::{
        fact::{Clearing, Game, Key, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity, ensure},
        stub::Stub,
    },
    market::demand::Demand,
    mechanism::cleared::{Cleared, Rule},
    statement::{Choice, OrderSide, Orders, Tariff},
    units::Energy,
};
use std::sync::Arc;

/// What is particular to rates.
#[derive(Debug)]
pub(crate) struct RateRule;

pub(crate) type Law = Cleared<RateRule>;

impl Rule for RateRule {
    /// An elastic buyer answers what was announced.
    fn posts(genesis: &Genesis, side: OrderSide) -> bool {
        side == OrderSide::Buy && genesis.rules.demand == Demand::Elastic
    }

    fn orders(_: &Genesis, _: Number, answer: &Orders, stub: &mut impl Stub) -> Validity {
        let announced: Option<Arc<Clearing>> = stub.find(Key::Clearing(answer.slot, 1));
        let price = announced.and_then(|clearing| clearing.price).ok_or(Refusal::MarketClosed)?;
        ensure(answer.steps.iter().all(|step| step.limit == price), Refusal::PriceOutOfBand)?;
        let most = Energy::at_most(Choice::MOST_PURCHASE);
        let one = answer.steps.iter().all(|step| Energy::ZERO < step.energy && step.energy <= most);
        ensure(answer.steps.len() <= 1 && one, Refusal::InvalidPurchases)
    }

    /// The first is the announcement, where demand is elastic; the last has the price of what was offered and asked for.
    fn clear(genesis: &Genesis, _: &Game, tariff: &Tariff, clearing: &Clearing, _: &mut impl Stub) -> Validity {
        let band = tariff.band(genesis.rules.local_fee());
        let is_announcement = clearing.number == 1 && genesis.rules.demand == Demand::Elastic;
        let price = match is_announcement {
            true => Some(band.middle()),
            false => Rate::of(genesis.rules.mechanism).price(clearing.supply, clearing.demand, band),
        };
        ensure(clearing.price == price, Refusal::PriceOutOfBand)?;
        ensure(clearing.executions.is_empty() || !is_announcement && price.is_some(), Refusal::InvalidPurchases)
    }
}
