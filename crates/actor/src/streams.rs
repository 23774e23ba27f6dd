//! Named random streams, all derived from the run's seed.
//!
//! Each (actor, purpose) has a stream of its own, so that what one draws never shifts what another draws: two runs that
//! differ only in the network share the population, and behaviour as long as everybody has drawn as often (common random
//! numbers).
//!
//! The derivation, so that others can repeat it: the 32-byte key of a ChaCha8 generator is the seed as 8 little-endian
//! bytes followed by zeros; its stream number is `purpose * 2^32 + actor`; its first 32 bytes seed a
//! `Xoshiro256PlusPlus`, which makes the draws. Where an actor draws anew in each period, such as a market's slot, whatever
//! it has drawn before, the 32 bytes behind the first `32 period` ones seed the generator of that period. Where nothing links
//! the days of a run, the day is the period of streams that otherwise go through the run; its first is period 0, which is the
//! stream without periods.

use crate::ActorId;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator behind every draw: small, fast, and the same on every machine.
pub type Stream = rand_xoshiro::Xoshiro256PlusPlus;

/// For an actor's own decisions; its host hands it this stream.
pub const BEHAVIOUR: u32 = 1;
/// For the fate of the messages that an actor sends.
pub const NETWORK: u32 = 2;

/// The stream of `actor` for `purpose` in the run with this seed.
pub fn stream(seed: u64, actor: ActorId, purpose: impl Into<u32>) -> Stream {
    stream_of_period(seed, actor, purpose, 0)
}

/// The stream of `actor` for `purpose` in one period of the run with this seed; periods count from 1, or
/// from 0 where a run consists of nothing else.
pub fn stream_of_period(seed: u64, actor: ActorId, purpose: impl Into<u32>, period: u32) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut chacha = ChaCha8Rng::from_seed(key);
    chacha.set_stream(u64::from(purpose.into()) << 32 | u64::from(actor.0));
    chacha.set_word_pos(8 * u128::from(period));
    let mut state = [0; 32];
    chacha.fill_bytes(&mut state);
    Stream::from_seed(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_actor_and_purpose_and_repeat_exactly() {
        let first = |seed, actor, purpose: u32| stream(seed, ActorId(actor), purpose).next_u64();
        let reference = first(2023, 5, BEHAVIOUR);
        assert_eq!(reference, first(2023, 5, BEHAVIOUR));
        assert_ne!(reference, first(2024, 5, BEHAVIOUR));
        assert_ne!(reference, first(2023, 6, BEHAVIOUR));
        assert_ne!(reference, first(2023, 5, NETWORK));
        let of_period = |period| stream_of_period(2023, ActorId(5), BEHAVIOUR, period).next_u64();
        assert_eq!(of_period(0), reference);
        assert!(of_period(1) != reference && of_period(1) != of_period(2));
    }
}
