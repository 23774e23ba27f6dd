//! The contract: what the transactions of the market mean, whatever ledger runs it.
//!
//! It reads and writes facts through a [`Stub`], and refuses by name what breaks the rules of the [`Genesis`]. It knows
//! no message passing, channel, block or signature: who made a call, and who endorses it, is for the ledger to check. What
//! posts have to be, and what trades follow from them, is for the mechanism to say.

mod energy;
mod game;
mod registration;
mod settlement;

pub use crate::chain::stub::Stub;

use crate::chain::{
    call::{Call, Settlement},
    fact::Number,
    genesis::Genesis,
    identity::Party,
    refusal::{Refusal, Validity},
};
use std::sync::Arc;

/// The market's rules at work: carries out calls against the facts of a ledger.
#[derive(Clone, Debug)]
pub struct Contract {
    genesis: Arc<Genesis>,
}

impl Contract {
    /// The contract under what everybody has agreed on.
    pub fn new(genesis: Arc<Genesis>) -> Self {
        Self { genesis }
    }

    /// Carries out a call of `creator`, who is taken to be who it says, or tells the first rule that the call breaks.
    ///
    /// The same call against the same facts reads and writes the same keys in the same order. Everything is checked
    /// before the first write.
    pub fn execute(&self, creator: Party, call: &Call, stub: &mut impl Stub) -> Validity {
        match call {
            Call::Genesis(_) | Call::Anchor(_) => Err(Refusal::AlreadyRecorded),
            Call::PublishTariff(_) if creator != Party::Grid => Err(Refusal::NotAParticipant),
            Call::OpenGame(..) | Call::CloseGame(..) | Call::Clear(..) | Call::Void(_) if creator != Party::Ledger => {
                Err(Refusal::NotAParticipant)
            }
            Call::PublishTariff(tariff) => self.publish_tariff(Arc::clone(tariff), stub),
            Call::Register(slot, registration) => self.register(prosumer(creator)?, *slot, *registration, stub),
            Call::OpenGame(slot, game) => self.open_game(*slot, game, stub),
            Call::PostQuote(_) | Call::PostChoice(_) | Call::PostOrders(_) => {
                call.post().map_or(Ok(()), |post| self.post(prosumer(creator)?, &post, stub))
            }
            Call::Clear(slot, clearing) => self.clear(*slot, clearing, stub),
            Call::CloseGame(slot, outcome) => Self::close_game(*slot, *outcome, stub),
            Call::Settle(settlement) => self.settle(settlement, stub),
            Call::Void(slot) => self.settle(&Settlement { slot: *slot, ..Settlement::default() }, stub),
            Call::RecordEnergy(slot, reading, invoice) => {
                self.record_energy(prosumer(creator)?, *slot, **reading, *invoice, stub)
            }
        }
    }
}

/// The prosumer's number, where one made the call.
fn prosumer(creator: Party) -> Result<Number, Refusal> {
    match creator {
        Party::Prosumer(number) => Ok(number),
        Party::Ledger | Party::Grid | Party::Peer(_) => Err(Refusal::NotAParticipant),
    }
}
