//! Named random streams, all derived from the run's seed.
//!
//! Each (actor, purpose) has a stream of its own, so that what one draws never shifts what another draws: two runs that
//! differ only in the network share the population, and behaviour as long as everybody has drawn as often (common random
//! numbers).
//!
//! The derivation, so that others can repeat it: the 32-byte key of a ChaCha8 generator is the seed as 8 little-endian
//! bytes followed by zeros; its stream number is `purpose * 2^32 + actor`; its first 32 bytes seed a
//! `Xoshiro256PlusPlus`, which makes the draws. Where an actor draws anew for each slot, whatever it has drawn before,
//! the 32 bytes behind the first `32 slot` ones seed the generator of that slot.

use crate::ids::{ActorId, Slot};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator behind every draw: small, fast, and the same on every machine.
pub type Stream = rand_xoshiro::Xoshiro256PlusPlus;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An actor's own decisions, such as its first price.
    Behaviour = 1,
    /// Fate of the messages an actor sends.
    Network = 2,
    /// Making a synthetic prosumer.
    Population = 3,
    /// An actor's secret key.
    Key = 4,
    /// When an actor acts.
    Activation = 5,
    /// Which part of a mixed population a prosumer belongs to.
    Mix = 6,
    /// Which groups of the network a prosumer belongs to.
    Group = 7,
    /// Which sellers a buyer knows in a slot.
    Acquaintance = 8,
}

/// The stream of `actor` for `purpose` in the run with this seed.
pub fn stream(seed: u64, actor: ActorId, purpose: Purpose) -> Stream {
    slot_stream(seed, actor, purpose, 0)
}

/// The stream of `actor` for `purpose` in one slot of the run with this seed; slots count from 1.
pub fn slot_stream(seed: u64, actor: ActorId, purpose: Purpose, slot: Slot) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut chacha = ChaCha8Rng::from_seed(key);
    chacha.set_stream((purpose as u64) << 32 | u64::from(actor.0));
    chacha.set_word_pos(8 * u128::from(slot));
    let mut state = [0; 32];
    chacha.fill_bytes(&mut state);
    Stream::from_seed(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_actor_and_purpose_and_repeat_exactly() {
        let first = |seed, actor, purpose| stream(seed, ActorId(actor), purpose).next_u64();
        let reference = first(2023, 5, Purpose::Behaviour);
        assert_eq!(reference, first(2023, 5, Purpose::Behaviour));
        assert_ne!(reference, first(2024, 5, Purpose::Behaviour));
        assert_ne!(reference, first(2023, 6, Purpose::Behaviour));
        assert_ne!(reference, first(2023, 5, Purpose::Network));
        let of_slot = |slot| slot_stream(2023, ActorId(5), Purpose::Behaviour, slot).next_u64();
        assert_eq!(of_slot(0), reference);
        assert!(of_slot(1) != reference && of_slot(1) != of_slot(2));
    }
}
