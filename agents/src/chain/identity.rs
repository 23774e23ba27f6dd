//! Who is who on the chain: names, ed25519 keys, signatures.
//!
//! Every actor's secret key is derived from the case's seed, so that runs repeat byte by byte. Whoever knows the seed
//! knows all keys, and the seed stands in the [genesis](super::genesis): this is fit for simulation only.

use super::hash::Digest;
use crate::{
    ids::ActorId,
    streams::{Purpose, stream},
};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey, verify_batch};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// Somebody on the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The ledger itself: orderer and peer in one.
    Ledger,
    /// The utility grid.
    Grid,
    /// The prosumer with this number in the scenario's files.
    Prosumer(u32),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Grid => f.write_str("grid"),
            Self::Prosumer(number) => write!(f, "prosumer {number}"),
        }
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = || text.strip_prefix("prosumer ").and_then(|number| number.parse().ok());
        match text {
            "ledger" => Ok(Self::Ledger),
            "grid" => Ok(Self::Grid),
            _ => number().map(Self::Prosumer).ok_or_else(|| format!("{text} is nobody")),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A public key, as hexadecimal text on the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// An ed25519 signature, as hexadecimal text on the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub ed25519_dalek::Signature);

macro_rules! as_hex {
    ($name:ident, $length:literal, $from:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0.to_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut bytes = [0; $length];
                hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes).map_err(D::Error::custom)?;
                $from(bytes).map_err(D::Error::custom)
            }
        }
    };
}

as_hex!(PublicKey, 32, |bytes| VerifyingKey::from_bytes(&bytes).map(Self));
as_hex!(Signature, 64, |bytes| Ok::<_, &str>(Self(ed25519_dalek::Signature::from_bytes(&bytes))));

/// An actor's secret key in one run.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret of {:?}", self.public())
    }
}

impl SecretKey {
    /// The key of `actor` in runs with this seed: the first 32 bytes of its stream for [`Purpose::Key`].
    pub fn derive(seed: u64, actor: ActorId) -> Self {
        let mut secret = [0; 32];
        stream(seed, actor, Purpose::Key).fill_bytes(&mut secret);
        Self(SigningKey::from_bytes(&secret))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a text for one chain.
    pub fn sign(&self, chain: Digest, text: &str) -> Signature {
        Signature(self.0.sign(&signed(chain, text).0))
    }
}

/// What is signed: the digest of the chain's identifier, so that a signature is worth nothing on another chain, and the
/// text. Ed25519 goes through all that it signs twice, by a slower hash, and a text may be a thousand bills long.
fn signed(chain: Digest, text: &str) -> Digest {
    Digest::of([&chain.0, text.as_bytes()])
}

/// A text that is said to be signed with a key.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The signer's public key.
    pub key: PublicKey,
    /// What was signed.
    pub text: &'a str,
    /// The signature.
    pub signature: Signature,
}

impl Claim<'_> {
    /// Whether it is true on this chain, by the strict rules of ed25519.
    pub fn holds(&self, chain: Digest) -> bool {
        self.key.0.verify_strict(&signed(chain, self.text).0, &self.signature.0).is_ok()
    }
}

/// Which of these claims are true, on one chain.
///
/// They are checked in groups of up to [`GROUP`], on as many threads as there are. Those of a group are checked together
/// first, which takes about half as long as one by one; where that fails, each by itself. Together the rules are a little
/// less strict: a signer can make a signature of its own that holds among others but not by itself. So whoever is to come
/// to the same result must check the same claims in the same order: those of a block.
pub fn verify(chain: Digest, claims: &[Claim<'_>]) -> Vec<bool> {
    if claims.len() <= GROUP {
        return verify_group(chain, claims);
    }
    claims.par_chunks(GROUP).flat_map_iter(|group| verify_group(chain, group)).collect()
}

fn verify_group(chain: Digest, claims: &[Claim<'_>]) -> Vec<bool> {
    if claims.len() >= WORTH_A_BATCH {
        let messages: Vec<Digest> = claims.iter().map(|claim| signed(chain, claim.text)).collect();
        let messages: Vec<&[u8]> = messages.iter().map(|digest| &digest.0[..]).collect();
        let signatures: Vec<_> = claims.iter().map(|claim| claim.signature.0).collect();
        let keys: Vec<_> = claims.iter().map(|claim| claim.key.0).collect();
        if verify_batch(&messages, &signatures, &keys).is_ok() {
            return vec![true; claims.len()];
        }
    }
    claims.iter().map(|claim| claim.holds(chain)).collect()
}

/// So many signatures are checked together: half of a usual block's.
pub const GROUP: usize = 250;

/// From this many signatures on, checking them together is faster.
const WORTH_A_BATCH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: Digest = Digest([7; 32]);

    #[test]
    fn parties_read_back_by_their_names() {
        for party in [Party::Ledger, Party::Grid, Party::Prosumer(42)] {
            assert_eq!(party.to_string().parse(), Ok(party));
        }
        assert!("prosumer".parse::<Party>().is_err());
    }

    #[test]
    fn a_signature_holds_for_its_key_text_and_chain_only() {
        let (mine, other) = (SecretKey::derive(1, ActorId(2)), SecretKey::derive(1, ActorId(3)));
        let signature = mine.sign(CHAIN, "bill");
        let holds = |key: &SecretKey, chain, text| Claim { key: key.public(), text, signature }.holds(chain);
        assert!(holds(&mine, CHAIN, "bill"));
        assert!(!holds(&other, CHAIN, "bill"));
        assert!(!holds(&mine, CHAIN, "Bill"));
        assert!(!holds(&mine, Digest([8; 32]), "bill"));
    }

    #[test]
    fn a_forgery_among_many_is_found_and_the_others_stand() {
        // A few, and more than two groups.
        for count in [10, 2 * GROUP + 10] {
            let keys: Vec<SecretKey> = (0..count).map(|n| SecretKey::derive(1, ActorId(n as u32))).collect();
            let mut claims: Vec<Claim<'_>> = keys
                .iter()
                .map(|key| Claim { key: key.public(), text: "reading", signature: key.sign(CHAIN, "reading") })
                .collect();
            assert_eq!(verify(CHAIN, &claims), vec![true; count]);
            let forged = count - 4;
            claims[forged].signature = claims[5].signature;
            let expected: Vec<bool> = (0..count).map(|n| n != forged).collect();
            assert_eq!(verify(CHAIN, &claims), expected);
        }
        assert!(verify(CHAIN, &[]).is_empty());
    }

    #[test]
    fn keys_and_signatures_read_back_from_their_text() {
        let key = SecretKey::derive(2023, ActorId::GRID);
        let text = serde_json::to_string(&(key.public(), key.sign(CHAIN, ""))).unwrap();
        let (public, signature): (PublicKey, Signature) = serde_json::from_str(&text).unwrap();
        assert_eq!((public, signature), (key.public(), key.sign(CHAIN, "")));
        assert_ne!(key.public(), SecretKey::derive(2024, ActorId::GRID).public());
    }
}
