//! What the contract holds orders to.

use crate::{
    chain::{
        call::Call,
        fact::{Clearing, Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity, ensure},
        stub::Stub,
    },
    market::demand::Demand,
    mechanism::{
        cleared::{Cleared, Rule},
        orders::check,
    },
    statement::{Choice, OrderSide, Orders, Registration, Tariff},
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
    fn post(genesis: &Genesis, game: &Game, number: Number, post: &Call, stub: &mut impl Stub) -> Validity {
        let Call::PostOrders(orders) = post else { return Err(Refusal::NotAParticipant) };
        let Orders { slot, version, side, ref steps, .. } = **orders;
        let role = match side {
            OrderSide::Buy => &game.buyers,
            OrderSide::Sell => &game.sellers,
        };
        ensure(role.binary_search(&number).is_ok(), Refusal::NotAParticipant)?;
        let last: Option<Arc<Orders>> = stub.find(Key::Orders(slot, number));
        ensure(version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
        let tariff: Tariff = stub.find(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
        let most = match stub.find(Key::Register(slot, number)) {
            Some(Registration::Seller(surplus)) => surplus,
            Some(Registration::Buyer(buyer)) if genesis.rules.demand == Demand::Firm => Energy::at_most(buyer.need),
            _ => Energy::at_most(Choice::MOST_PURCHASE),
        };
        check(side, steps, tariff.band(genesis.rules.service_fee), most)?;
        stub.write(Key::Orders(slot, number), Fact::Orders(Arc::clone(orders)));
        Ok(())
    }

    /// Whether it follows from the orders is not decided here: whoever holds the chain matches them once more.
    fn clear(_: &Genesis, _: &Game, _: Tariff, _: &Clearing, _: &mut impl Stub) -> Validity {
        Ok(())
    }
}
