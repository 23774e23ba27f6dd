//! The contract, written a second time from its rules: what a call reads, and what it writes or why it is refused.

mod energy;
mod game;
mod settle;
mod trade;

pub(super) use game::highest_price;
pub(super) use settle::bill;

use super::state::{Execution, Known, State};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Account, Fact, Game, Key, Number},
        genesis::Genesis,
        identity::Party,
        refusal::Refusal,
        transaction::Read,
    },
    ids::Slot,
    statement::{Choice, Quote, Registration, Tariff},
};
use std::sync::Arc;

/// Carries out a call against the state as it is.
pub(super) fn execute(genesis: &Genesis, state: &State, creator: Party, call: &Call) -> Execution {
    let mut desk = Desk { genesis, state, creator, reads: Vec::new() };
    let (writes, refusal) = match desk.execute(call) {
        Ok(writes) => (writes, None),
        Err(refusal) => (Vec::new(), Some(refusal)),
    };
    let with_text = |(key, fact): (Key, Fact)| (key, fact.to_json(), fact);
    Execution { reads: desk.reads, writes: writes.into_iter().map(with_text).collect(), refusal }
}

/// What a call writes, or why it is refused.
type Decision = Result<Vec<(Key, Fact)>, Refusal>;

/// Where a call is carried out: it keeps account of what is read.
struct Desk<'a> {
    genesis: &'a Genesis,
    state: &'a State,
    creator: Party,
    reads: Vec<Read>,
}

impl<'a> Desk<'a> {
    fn execute(&mut self, call: &Call) -> Decision {
        match call {
            Call::Genesis(_) | Call::Anchor(_) => Err(Refusal::AlreadyRecorded),
            Call::PublishTariff(tariff) => self.publish_tariff(tariff),
            Call::Register(slot, registration) => self.register(*slot, registration),
            Call::OpenGame(slot, game) => self.open_game(*slot, game),
            Call::PostQuote(quote) => self.post_quote(quote),
            Call::PostChoice(choice) => self.post_choice(choice),
            Call::CloseGame(slot, outcome) => self.close_game(*slot, *outcome),
            Call::Settle(settlement) => self.settle(settlement),
            Call::RecordEnergy(slot, reading, invoice) => self.record_energy(*slot, reading, invoice.as_ref()),
        }
    }

    fn prosumer(&self) -> Result<Number, Refusal> {
        match self.creator {
            Party::Prosumer(number) => Ok(number),
            _ => Err(Refusal::NotAParticipant),
        }
    }

    fn must_be(&self, party: Party) -> Result<(), Refusal> {
        ensure(self.creator == party, Refusal::NotAParticipant)
    }

    fn market_opens(&self, slot: Slot) -> Result<(), Refusal> {
        ensure(self.genesis.market_opens(slot), Refusal::MarketClosed)
    }

    fn read(&mut self, key: Key) -> Option<&'a Known> {
        let known = self.state.get(key);
        self.reads.push(Read(key, known.map(|known| known.version)));
        known
    }

    fn must_be_there(&mut self, key: Key, otherwise: Refusal) -> Result<(), Refusal> {
        ensure(self.read(key).is_some(), otherwise)
    }

    fn must_be_vacant(&mut self, key: Key, otherwise: Refusal) -> Result<(), Refusal> {
        ensure(self.read(key).is_none(), otherwise)
    }
}

/// Reads what stands under a key of a kind, if it is what it should be.
macro_rules! read {
    ($($name:ident($($part:ident)?) -> $kind:ident($type:ty);)*) => {
        impl<'a> Desk<'a> {$(
            fn $name(&mut self, slot: Slot $(, $part: Number)?) -> Option<&'a $type> {
                match self.read(Key::$kind(slot $(, $part)?))?.fact.as_ref()? {
                    Fact::$kind(fact) => Some(fact),
                    _ => None,
                }
            }
        )*}
    };
}

read! {
    tariff() -> Tariff(Tariff);
    registration(number) -> Register(Registration);
    game() -> Game(Arc<Game>);
    quote(seller) -> Quote(Quote);
    choice(buyer) -> Choice(Arc<Choice>);
    account(number) -> Account(Account);
}

fn ensure(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}
