//! The game of a slot: opened, played by posts, closed.

use super::{Contract, Stub};
use crate::{
    chain::{
        fact::{Clearing, Closing, Fact, Game, Key, Number},
        refusal::{Refusal, Validity, ensure},
    },
    ids::Slot,
    market::role::Role,
    mechanism::{Lawful, under},
    statement::{Outcome, Post},
};
use std::sync::Arc;

impl Contract {
    pub(super) fn open_game(&self, slot: Slot, game: &Arc<Game>, stub: &mut impl Stub) -> Validity {
        ensure(self.genesis.market_opens(slot), Refusal::MarketClosed)?;
        ensure(stub.has(Key::Tariff(slot)), Refusal::MarketClosed)?;
        ensure(!stub.has(Key::Game(slot)), Refusal::AlreadyRecorded)?;
        stub.write(Key::Game(slot), Fact::Game(game.clone()));
        Ok(())
    }

    /// A prosumer posts what it offers or asks for, by the rules of the mechanism.
    pub(crate) fn post(&self, number: Number, post: &Post, stub: &mut impl Stub) -> Validity {
        let slot = post.slot();
        ensure(!stub.has(Key::Closing(slot)), Refusal::MarketClosed)?;
        let game: Arc<Game> = stub.find(Key::Game(slot)).ok_or(Refusal::MarketClosed)?;
        let takes_part = |side: &[Number]| side.binary_search(&number).is_ok();
        let role = match (takes_part(&game.sellers), takes_part(&game.buyers)) {
            (true, _) => Role::Seller,
            (_, true) => Role::Buyer,
            _ => Role::Idle,
        };
        self.post_of(number, role, &game, post, stub)
    }

    /// The same of one who has this part in a game that is on.
    #[inline]
    pub(crate) fn post_of(
        &self,
        number: Number,
        role: Role,
        game: &Game,
        post: &Post,
        stub: &mut impl Stub,
    ) -> Validity {
        under!(self.genesis.rules.mechanism, Law => Law::post(&self.genesis, game, (number, role), post, stub))
    }

    /// The ledger announces a price, or executes what has cleared, in the order of the numbers.
    pub(super) fn clear(&self, slot: Slot, clearing: &Arc<Clearing>, stub: &mut impl Stub) -> Validity {
        ensure(!stub.has(Key::Closing(slot)), Refusal::MarketClosed)?;
        let game: Arc<Game> = stub.find(Key::Game(slot)).ok_or(Refusal::MarketClosed)?;
        let number = clearing.number;
        let follows = number == 1 || number > 1 && stub.has(Key::Clearing(slot, number - 1));
        ensure(follows, Refusal::OldVersion)?;
        ensure(!stub.has(Key::Clearing(slot, number)), Refusal::AlreadyRecorded)?;
        under!(self.genesis.rules.mechanism, Law => Law::clear(&self.genesis, &game, slot, clearing, stub))?;
        stub.write(Key::Clearing(slot, number), Fact::Clearing(Arc::clone(clearing)));
        Ok(())
    }

    pub(super) fn close_game(slot: Slot, outcome: Outcome, stub: &mut impl Stub) -> Validity {
        ensure(stub.has(Key::Game(slot)), Refusal::MarketClosed)?;
        ensure(!stub.has(Key::Closing(slot)), Refusal::AlreadyRecorded)?;
        stub.write(Key::Closing(slot), Fact::Closing(Closing { outcome }));
        Ok(())
    }
}
