//! Where a call is carried out a second time: it keeps account of what is read.

use super::state::{Known, State};
use microgrid_agents::{
    chain::{
        fact::{Account, Clearing, Fact, Game, Key, Number},
        genesis::Genesis,
        identity::Party,
        refusal::Refusal,
        transaction::Read,
    },
    ids::Slot,
    statement::{Choice, Orders, Quote, Registration, Tariff},
};
use std::sync::Arc;

/// What a call writes, or why it is refused.
pub(super) type Decision = Result<Vec<(Key, Fact)>, Refusal>;

/// Where a call is carried out.
pub(super) struct Desk<'a> {
    pub(super) genesis: &'a Genesis,
    pub(super) state: &'a State,
    pub(super) creator: Party,
    pub(super) reads: Vec<Read>,
}

impl<'a> Desk<'a> {
    pub(super) fn prosumer(&self) -> Result<Number, Refusal> {
        match self.creator {
            Party::Prosumer(number) => Ok(number),
            _ => Err(Refusal::NotAParticipant),
        }
    }

    pub(super) fn must_be(&self, party: Party) -> Result<(), Refusal> {
        ensure(self.creator == party, Refusal::NotAParticipant)
    }

    pub(super) fn market_opens(&self, slot: Slot) -> Result<(), Refusal> {
        ensure(self.genesis.market_opens(slot), Refusal::MarketClosed)
    }

    pub(super) fn read(&mut self, key: Key) -> Option<&'a Known> {
        let known = self.state.get(key);
        self.reads.push(Read(key, known.map(|known| known.version)));
        known
    }

    pub(super) fn must_be_there(&mut self, key: Key, otherwise: Refusal) -> Result<(), Refusal> {
        ensure(self.read(key).is_some(), otherwise)
    }

    pub(super) fn must_be_vacant(&mut self, key: Key, otherwise: Refusal) -> Result<(), Refusal> {
        ensure(self.read(key).is_none(), otherwise)
    }
}

/// Reads what stands under a key of a kind, if it is what it should be.
macro_rules! read {
    ($($name:ident($($part:ident)?) -> $kind:ident($type:ty);)*) => {
        impl<'a> Desk<'a> {$(
            pub(super) fn $name(&mut self, slot: Slot $(, $part: Number)?) -> Option<&'a $type> {
                match self.read(Key::$kind(slot $(, $part)?))?.fact.as_ref()? {
                    Fact::$kind(fact) => Some(fact),
                    _ => None,
                }
            }
        )*}
    };
}

read! {
    tariff() -> Tariff(Arc<Tariff>);
    registration(number) -> Register(Registration);
    game() -> Game(Arc<Game>);
    quote(seller) -> Quote(Quote);
    choice(buyer) -> Choice(Arc<Choice>);
    orders(number) -> Orders(Arc<Orders>);
    clearing(number) -> Clearing(Arc<Clearing>);
    account(number) -> Account(Account);
}

pub(super) fn ensure(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}
