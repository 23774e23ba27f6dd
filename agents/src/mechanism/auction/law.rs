//! What the contract holds orders to.

use crate::{
    chain::{
        fact::{Clearing, Game, Key, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity},
        stub::Stub,
    },
    market::demand::Demand,
    mechanism::{
        cleared::{Cleared, Rule},
        orders::check,
    },
    statement::{Choice, Orders, Registration, Tariff},
    units::Energy,
};
use std::sync::Arc;

/// What is particular to auctions.
#[derive(Debug)]
pub(crate) struct AuctionRule;

pub(crate) type Law = Cleared<AuctionRule>;

impl Rule for AuctionRule {
    /// Sellers offer no more than their surplus, buyers with a firm need ask for no more than that, both between the
    /// tariffs.
    fn orders(genesis: &Genesis, number: Number, orders: &Orders, stub: &mut impl Stub) -> Validity {
        let Orders { slot, side, ref steps, .. } = *orders;
        let tariff: Arc<Tariff> = stub.find(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
        let most = match stub.find(Key::Register(slot, number)) {
            Some(Registration::Seller(surplus)) => surplus,
            Some(Registration::Buyer(buyer)) if genesis.rules.demand == Demand::Firm => Energy::at_most(buyer.need),
            _ => Energy::at_most(Choice::MOST_PURCHASE),
        };
        check(side, steps, tariff.band(genesis.rules.local_fee()), most)
    }

    /// Whether it follows from the orders is not decided here: whoever holds the chain matches them once more.
    fn clear(_: &Genesis, _: &Game, _: &Tariff, _: &Clearing, _: &mut impl Stub) -> Validity {
        Ok(())
    }
}
