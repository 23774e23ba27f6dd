//! Games: they open, take posts, and close.

use super::super::{
    desk::{Decision, Desk},
    mechanism,
};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Clearing, Closing, Fact, Game, Key},
        identity::Party,
        refusal::Refusal,
    },
    ids::Slot,
    statement::Outcome,
};
use std::sync::Arc;

impl Desk<'_> {
    pub(super) fn open_game(&mut self, slot: Slot, game: &Arc<Game>) -> Decision {
        self.must_be(Party::Ledger)?;
        self.market_opens(slot)?;
        self.must_be_there(Key::Tariff(slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Game(slot), Refusal::AlreadyRecorded)?;
        Ok(vec![(Key::Game(slot), Fact::Game(Arc::clone(game)))])
    }

    pub(super) fn close_game(&mut self, slot: Slot, outcome: Outcome) -> Decision {
        self.must_be(Party::Ledger)?;
        self.must_be_there(Key::Game(slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Closing(slot), Refusal::AlreadyRecorded)?;
        Ok(vec![(Key::Closing(slot), Fact::Closing(Closing { outcome }))])
    }

    /// Clearings come one after the other in a game that goes on, and are what its mechanism allows.
    pub(super) fn clear(&mut self, slot: Slot, clearing: &Arc<Clearing>) -> Decision {
        self.must_be(Party::Ledger)?;
        self.must_be_vacant(Key::Closing(slot), Refusal::MarketClosed)?;
        let game = self.game(slot).ok_or(Refusal::MarketClosed)?;
        match clearing.number {
            0 => return Err(Refusal::OldVersion),
            1 => {}
            number => self.must_be_there(Key::Clearing(slot, number - 1), Refusal::OldVersion)?,
        }
        let key = Key::Clearing(slot, clearing.number);
        self.must_be_vacant(key, Refusal::AlreadyRecorded)?;
        mechanism::clear(self, game, slot, clearing)?;
        Ok(vec![(key, Fact::Clearing(Arc::clone(clearing)))])
    }

    /// A post counts by what it says, in a game that goes on.
    pub(super) fn post(&mut self, slot: Slot, post: &Call) -> Decision {
        let number = self.prosumer()?;
        self.must_be_vacant(Key::Closing(slot), Refusal::MarketClosed)?;
        let game = self.game(slot).ok_or(Refusal::MarketClosed)?;
        mechanism::post(self, game, number, post)
    }
}
