//! The world state of all channels, and what the contract sees of it while it carries out a call.

use crate::{
    chain::{
        fact::{Fact, Key},
        transaction::{Read, Version},
    },
    contract::Stub,
    ids::Slot,
    json,
};
use rustc_hash::FxHashMap;

/// What is known, one key a fact. Of slots that are over only what still answers late calls is kept: their tariffs,
/// that their game is over and that they are settled. Everything else is on disk for whoever watches the ledger; a call
/// that would read it does not get as far as the contract.
#[derive(Debug, Default)]
pub(super) struct WorldState {
    /// Behind a pointer: a large table is half empty, and is moved as it grows.
    facts: FxHashMap<Key, Box<(Fact, Version)>>,
    /// The last slot that is over.
    pub(super) closed: Slot,
}

impl WorldState {
    /// The fact under a key.
    pub(super) fn fact(&self, key: Key) -> Option<&Fact> {
        self.facts.get(&key).map(|known| &known.0)
    }

    /// Whether the version under each key is still the one that was read.
    pub(super) fn is_current(&self, reads: &[Read]) -> bool {
        reads.iter().all(|Read(key, version)| self.facts.get(key).map(|now| now.1) == *version)
    }

    /// Lets a valid transaction write a fact.
    pub(super) fn apply(&mut self, key: Key, fact: &Fact, version: Version) {
        // Nothing ever reads a bill back, and there are as many as pairs.
        if !matches!(key, Key::Bill(..)) {
            self.facts.insert(key, Box::new((fact.clone(), version)));
        }
    }

    /// A slot is over, and all before it: forgets what has no more use.
    pub(super) fn close(&mut self, slot: Slot) {
        let closed = std::mem::replace(&mut self.closed, slot)..slot;
        if closed.is_empty() {
            return;
        }
        let answers_late_calls = |key: &Key| matches!(key, Key::Tariff(_) | Key::Closing(_) | Key::Settlement(_));
        self.facts.retain(|key, _| key.slot() > slot || answers_late_calls(key));
    }
}

/// Carries out a call against the state without changing it, and notes what it reads and would write.
#[derive(Debug)]
pub(super) struct Simulation<'a> {
    state: &'a WorldState,
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<(Key, Fact)>,
    /// Length of the facts that nobody needs, as they stand among the others in the text of a transaction [bytes]; `None`
    /// where that text is made, so that all are needed.
    pub(super) unkept: Option<u64>,
}

impl<'a> Simulation<'a> {
    /// On chains that are kept, or are not.
    pub(super) fn of(state: &'a WorldState, keeps_chains: bool) -> Self {
        Self { state, reads: Vec::new(), writes: Vec::new(), unkept: (!keeps_chains).then_some(0) }
    }
}

impl Stub for Simulation<'_> {
    fn read(&mut self, key: Key) -> Option<Fact> {
        let known = self.state.facts.get(&key);
        self.reads.push(Read(key, known.map(|known| known.1)));
        known.map(|known| known.0.clone())
    }

    fn write(&mut self, key: Key, fact: Fact) {
        // Nothing ever reads a bill back, and there are as many as pairs.
        match &mut self.unkept {
            Some(length) if matches!(key, Key::Bill(..)) => *length += json::length(&(key, fact)) + 1,
            _ => self.writes.push((key, fact)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Money;

    #[test]
    fn a_read_is_current_until_somebody_writes_there() {
        let mut state = WorldState::default();
        let mut simulation = Simulation::of(&state, true);
        assert_eq!(simulation.read(Key::Fees(1)), None);
        let nothing = simulation.reads;
        assert!(state.is_current(&nothing));
        state.apply(Key::Fees(1), &Fact::Fees(Money(1)), Version(3, 0));
        assert!(!state.is_current(&nothing));

        let mut simulation = Simulation::of(&state, true);
        assert_eq!(simulation.read(Key::Fees(1)), Some(Fact::Fees(Money(1))));
        simulation.write(Key::Fees(1), Fact::Fees(Money(2)));
        let something = simulation.reads;
        assert_eq!(something, [Read(Key::Fees(1), Some(Version(3, 0)))]);
        assert!(state.is_current(&something), "a simulation changes nothing");
        state.apply(Key::Fees(1), &Fact::Fees(Money(1)), Version(4, 0));
        assert!(!state.is_current(&something), "the same value under a new version is another fact");
    }
}
