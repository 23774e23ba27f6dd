//! The contract: what the transactions of the market mean, whatever ledger runs it.
//!
//! It reads and writes facts through a [`Stub`], and refuses by name what breaks the rules of the
//! [`Genesis`]. It knows no message passing, channel, block or signature: who made a call, and who
//! endorses it, is for the ledger to check.
//!
//! | where | what |
//! |---|---|
//! | [`stub`] | all that the contract asks of a ledger |
//! | `registration` | tariffs, and who takes part in a slot |
//! | `game` | quotes and choices between opening and closing |
//! | `settlement` | bills, and the accounts they add up to |
//! | `energy` | meter readings and the grid's invoices |
//! | `queries` | balances and bills, read from the facts |

mod energy;
mod game;
mod queries;
mod registration;
mod settlement;
pub mod stub;

pub use stub::{Query, Stub};

use crate::chain::{
    call::Call,
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

    /// Carries out a call of `creator`, who is taken to be who it says.
    ///
    /// The same call against the same facts reads and writes the same keys in the same order. Everything is checked
    /// before the first write.
    ///
    /// # Errors
    /// The first rule that the call breaks; nothing has been written then.
    pub fn execute(&self, creator: Party, call: &Call, stub: &mut (impl Stub + ?Sized)) -> Validity {
        match call {
            Call::Genesis(_) | Call::Anchor(_) => Err(Refusal::AlreadyRecorded),
            Call::PublishTariff(tariff) => self.publish_tariff(creator, *tariff, stub),
            Call::Register(slot, registration) => self.register(creator, *slot, *registration, stub),
            Call::OpenGame(slot, game) => self.open_game(creator, *slot, game, stub),
            Call::PostQuote(quote) => self.post_quote(creator, *quote, stub),
            Call::PostChoice(choice) => self.post_choice(creator, choice, stub),
            Call::CloseGame(slot, outcome) => self.close_game(creator, *slot, *outcome, stub),
            Call::Settle(settlement) => self.settle(settlement, stub),
            Call::RecordEnergy(slot, reading, invoice) => self.record_energy(creator, *slot, *reading, *invoice, stub),
        }
    }
}

/// The refusal, unless `holds`.
fn ensure(holds: bool, refusal: Refusal) -> Validity {
    if holds { Ok(()) } else { Err(refusal) }
}

/// The prosumer's number, where one made the call.
fn prosumer(creator: Party) -> Result<Number, Refusal> {
    match creator {
        Party::Prosumer(number) => Ok(number),
        Party::Ledger | Party::Grid => Err(Refusal::NotAParticipant),
    }
}
