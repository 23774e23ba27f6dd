//! The world state as a call of the contract sees it.

use super::fact::{Fact, Key};

/// The world state as one call sees it.
///
/// Under a key there is a fact of the key's kind, or none. In one call the contract reads a key at most once, writes a
/// key at most once, and reads all that it reads before it writes.
pub trait Stub {
    /// The fact under `key`; `None` if there is none. The ledger notes which version was read.
    fn read(&mut self, key: Key) -> Option<Fact>;

    /// Puts `fact` under `key`, in place of any that is there.
    fn write(&mut self, key: Key, fact: Fact);

    /// Whether there is a fact under `key`.
    fn has(&mut self, key: Key) -> bool {
        self.read(key).is_some()
    }

    /// What the fact under `key` holds, which is of this type.
    fn find<Content: TryFrom<Fact>>(&mut self, key: Key) -> Option<Content> {
        self.read(key)?.try_into().ok()
    }
}
