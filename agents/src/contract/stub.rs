//! All that the contract asks of the ledger that runs it.

use crate::{
    chain::{
        fact::{Account, Fact, Game, Key, Number},
        transaction::Version,
    },
    ids::Slot,
    statement::{Choice, Quote, Registration, Tariff},
};
use std::sync::Arc;

/// The world state as one call sees it.
///
/// Under a key there is a fact of the key's kind, or none. In one call the contract reads a key at most once, writes a
/// key at most once, and reads all that it reads before it writes.
pub trait Stub {
    /// The fact under `key`; `None` if there is none. The ledger notes which version was read.
    fn read(&mut self, key: Key) -> Option<Fact>;

    /// Puts `fact` under `key`, in place of any that is there.
    fn write(&mut self, key: Key, fact: Fact);
}

/// The world state for those who only look.
pub trait Query {
    /// What can go wrong with looking.
    type Error;

    /// The fact under `key`; `None` if there is none.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn fact(&self, key: Key) -> Result<Option<Fact>, Self::Error>;

    /// All facts of a slot whose keys are of this [kind](Key::kind), ascending by key.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn facts(&self, kind: &str, slot: Slot) -> Result<Vec<(Key, Fact)>, Self::Error>;

    /// Every fact that has ever stood under `key`, with the transaction that wrote it, oldest first.
    ///
    /// # Errors
    /// If the chain cannot be read.
    fn history(&self, key: Key) -> Result<Vec<(Version, Fact)>, Self::Error>;
}

/// Declares reads of one kind of fact each.
macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident($($part:ident: $type:ty),+) -> $fact:ident($content:ty);)+) => {
        /// Reads that know what they find.
        pub(super) trait Reads: Stub {
            /// Whether there is a fact under `key`.
            fn has(&mut self, key: Key) -> bool {
                self.read(key).is_some()
            }

            $($(#[$doc])*
            fn $name(&mut self, $($part: $type),+) -> Option<$content> {
                match self.read(Key::$fact($($part),+)) {
                    Some(Fact::$fact(fact)) => Some(fact),
                    _ => None,
                }
            })+
        }
    };
}

reads! {
    /// The tariffs of a slot.
    tariff(slot: Slot) -> Tariff(Tariff);
    /// What a prosumer registered.
    registration(slot: Slot, number: Number) -> Register(Registration);
    /// What a participant's bills add up to.
    account(slot: Slot, number: Number) -> Account(Account);
    /// Who plays in a slot.
    game(slot: Slot) -> Game(Arc<Game>);
    /// A seller's last quote.
    quote(slot: Slot, seller: Number) -> Quote(Quote);
    /// A buyer's last choice.
    choice(slot: Slot, buyer: Number) -> Choice(Arc<Choice>);
}

impl<S: Stub + ?Sized> Reads for S {}
