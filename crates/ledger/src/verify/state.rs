//! The world state as the replay has it.

use microgrid_agents::{
    chain::{
        fact::{Fact, Key, Number},
        hash::Digest,
        refusal::Refusal,
        transaction::{Read, Version},
    },
    ids::Slot,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What the contract makes of a call.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) reads: Vec<Read>,
    /// What it writes, in this order; nothing if it refuses.
    pub(super) writes: Vec<Written>,
    pub(super) refusal: Option<Refusal>,
}

/// A fact with its text, and under which key it is written.
pub(super) type Written = (Key, Box<RawValue>, Fact);

/// The world state of all three channels.
#[derive(Debug, Default)]
pub(super) struct State {
    facts: BTreeMap<Key, Known>,
    /// How many meter readings each slot has.
    meters: BTreeMap<Slot, usize>,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) version: Version,
    pub(super) digest: Digest,
    /// Its content, as long as the contract may want it.
    pub(super) fact: Option<Fact>,
}

impl State {
    pub(super) fn get(&self, key: Key) -> Option<&Known> {
        self.facts.get(&key)
    }

    pub(super) fn fact(&self, key: Key) -> Option<&Fact> {
        self.facts.get(&key)?.fact.as_ref()
    }

    /// The first of these reads that no longer is what stands there.
    pub(super) fn stale(&self, reads: &[Read]) -> Option<Key> {
        let is_stale = |Read(key, version): &&Read| self.facts.get(key).map(|known| known.version) != *version;
        reads.iter().find(is_stale).map(|Read(key, _)| *key)
    }

    /// Writes what the contract writes, by the transaction at `version`.
    pub(super) fn apply(&mut self, execution: Execution, version: Version) {
        for (key, text, fact) in execution.writes {
            let kept = match key {
                Key::Bill(..)
                | Key::Fees(_)
                | Key::GridFees(_)
                | Key::Settlement(_)
                | Key::Meter(..)
                | Key::Invoice(..) => None,
                _ => Some(fact),
            };
            let known = Known { version, digest: Digest::of([text.get()]), fact: kept };
            self.facts.insert(key, known);
            match key {
                Key::Meter(slot, _) => *self.meters.entry(slot).or_default() += 1,
                Key::Settlement(slot) => self.forget_game(slot),
                _ => {}
            }
        }
    }

    /// Of a settled slot, nobody asks for the content of its game any more: choices are most of what a chain holds.
    fn forget_game(&mut self, slot: Slot) {
        let all = (Number::MIN, Number::MAX);
        let kinds = [
            (Key::Register(slot, all.0), Key::Register(slot, all.1)),
            (Key::Game(slot), Key::Game(slot)),
            (Key::Quote(slot, all.0), Key::Quote(slot, all.1)),
            (Key::Choice(slot, all.0), Key::Choice(slot, all.1)),
            (Key::Orders(slot, all.0), Key::Orders(slot, all.1)),
            (Key::Clearing(slot, all.0), Key::Clearing(slot, all.1)),
        ];
        for (first, last) in kinds {
            self.facts.range_mut(first..=last).for_each(|(_, known)| known.fact = None);
        }
    }

    pub(super) fn meters(&self, slot: Slot) -> usize {
        self.meters.get(&slot).copied().unwrap_or(0)
    }

    pub(super) fn metered_slots(&self) -> impl Iterator<Item = Slot> {
        self.meters.keys().copied()
    }

    /// The facts registered for a slot, by prosumer.
    pub(super) fn registrations(&self, slot: Slot) -> impl Iterator<Item = (Number, &Fact)> {
        let of_slot = Key::Register(slot, Number::MIN)..=Key::Register(slot, Number::MAX);
        self.facts.range(of_slot).filter_map(|(key, known)| match key {
            Key::Register(_, number) => Some((*number, known.fact.as_ref()?)),
            _ => None,
        })
    }

    /// Takes a fact out of the state, to compare it with the table.
    pub(super) fn take(&mut self, key: Key) -> Option<Known> {
        self.facts.remove(&key)
    }

    pub(super) fn first_key(&self) -> Option<Key> {
        self.facts.keys().next().copied()
    }
}
