//! State as bytes, and back: what an actor keeps between milestones, and whatever else has to be the same to the bit when a
//! run goes on in another process.

use serde::{Serialize, de::DeserializeOwned};

/// Bytes that do not hold what they should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// A value as bytes. Numbers keep every bit, whatever they are.
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("what is saved knows its length, and memory takes all of it")
}

/// A value as bytes in this memory, in place of what it held.
pub fn to_bytes_in(value: &impl Serialize, mut memory: Vec<u8>) -> Vec<u8> {
    memory.clear();
    postcard::to_extend(value, memory).expect("what is sent knows its length, and memory takes all of it")
}

/// The value that became these bytes.
///
/// # Errors
/// If they hold no such value, or more than that.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Unreadable(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(Unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActorId, Stream, streams::stream};
    use rand::Rng;

    #[test]
    fn every_bit_comes_back() {
        let numbers = [0.1, -0.0, f64::INFINITY, f64::from_bits(0x7ff8_0000_dead_beef), f64::MIN_POSITIVE / 8.0];
        let (i, u) = (i128::MIN + 1, u128::MAX);
        let (back, ..): ([f64; 5], i128, u128) = from_bytes(&to_bytes(&(numbers, i, u))).unwrap();
        assert_eq!(back.map(f64::to_bits), numbers.map(f64::to_bits));
        let mut random = stream(7, ActorId(3), 1_u32);
        random.next_u64();
        let mut again: Stream = from_bytes(&to_bytes(&random)).unwrap();
        assert_eq!(again.next_u64(), random.next_u64());
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        let bytes = to_bytes(&(7_u64, "seven".to_owned()));
        for end in 0..bytes.len() {
            assert!(from_bytes::<(u64, String)>(&bytes[..end]).is_err());
        }
        assert!(from_bytes::<(u64, String)>(&[&bytes[..], &[0]].concat()).is_err());
    }
}
