//! Who is who on the chain: names, ed25519 keys, signatures.
//!
//! Every actor's secret key is derived from the case's seed, so that runs repeat byte by byte. Whoever knows the seed
//! knows all keys, and the seed stands in the [genesis](super::genesis): this is fit for simulation only.

use super::hash::Digest;
use crate::{
    ids::ActorId,
    streams::{Purpose, stream},
};
use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, edwards::CompressedEdwardsY,
    traits::VartimeMultiscalarMul,
};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest as _, Sha512};
use std::{fmt, iter::once, str::FromStr};

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
        Signature(self.0.sign(&signed(chain, text)))
    }
}

/// What is signed: the chain's identifier, so that a signature is worth nothing on another chain, and the text.
fn signed(chain: Digest, text: &str) -> Vec<u8> {
    [&chain.0, text.as_bytes()].concat()
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

/// Which of these claims are true, on one chain.
///
/// All are checked together first, which takes about half as long as one by one; where that fails, each by itself. By
/// itself a claim is just as true as among others, whoever checks it with which others.
pub fn verify(chain: Digest, claims: &[Claim<'_>]) -> Vec<bool> {
    let equations: Vec<Option<Equation>> = claims.iter().map(|claim| Equation::of(chain, claim)).collect();
    if claims.len() >= WORTH_A_BATCH {
        let all: Option<Vec<&Equation>> = equations.iter().map(Option::as_ref).collect();
        if all.is_some_and(|all| Equation::all_hold(&all)) {
            return vec![true; claims.len()];
        }
    }
    equations.iter().map(|equation| equation.as_ref().is_some_and(Equation::holds)).collect()
}

/// From this many signatures on, checking them together is faster.
const WORTH_A_BATCH: usize = 4;

/// What a signature must satisfy: `8 s B = 8 R + 8 k A`, as RFC 8032 (5.1.7) has it.
///
/// Without the factor 8 a point of small order that the signer has hidden in `R` is found alone, but among others only
/// with luck: then whoever checks a signature together with other ones than the ledger did may come to another result.
#[derive(Debug)]
struct Equation {
    /// `s`, the second half of the signature.
    response: Scalar,
    /// `R`, the first half.
    commitment: EdwardsPoint,
    /// `k`, a hash of all but the response.
    challenge: Scalar,
    /// `A`, the public key.
    key: EdwardsPoint,
}

impl Equation {
    /// The equation of a claim; `None` if its key or its signature is none.
    fn of(chain: Digest, Claim { key, text, signature }: &Claim<'_>) -> Option<Self> {
        let (commitment, response) = (signature.0.r_bytes(), signature.0.s_bytes());
        if key.0.is_weak() {
            return None;
        }
        Some(Self {
            response: Scalar::from_canonical_bytes(*response).into_option()?,
            commitment: CompressedEdwardsY(*commitment).decompress()?,
            challenge: challenge(commitment, key, &signed(chain, text)),
            key: key.0.to_edwards(),
        })
    }

    fn holds(&self) -> bool {
        let answered = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.challenge, &-self.key, &self.response);
        (answered - self.commitment).is_small_order()
    }

    /// Whether all hold: whether their sum does, each with a weight of 128 bits that follows from them all, so that
    /// nobody can choose two errors to cancel each other.
    fn all_hold(equations: &[&Self]) -> bool {
        let mut all = Sha512::new();
        for Self { response, challenge, .. } in equations {
            all.update(challenge.as_bytes());
            all.update(response.as_bytes());
        }
        let weight = |number: u64| {
            let hash: [u8; 64] = all.clone().chain_update(number.to_le_bytes()).finalize().into();
            Scalar::from(u128::from_le_bytes(*hash.first_chunk().expect("a hash has 64 bytes")))
        };
        let weights: Vec<Scalar> = (0..).take(equations.len()).map(weight).collect();
        let weighted = || equations.iter().zip(&weights);
        let responses: Scalar = weighted().map(|(equation, weight)| equation.response * weight).sum();
        let challenges = weighted().map(|(equation, weight)| equation.challenge * weight);
        let commitments = equations.iter().map(|equation| equation.commitment);
        let keys = equations.iter().map(|equation| equation.key);
        EdwardsPoint::vartime_multiscalar_mul(
            once(-responses).chain(weights.iter().copied()).chain(challenges),
            once(ED25519_BASEPOINT_POINT).chain(commitments).chain(keys),
        )
        .is_small_order()
    }
}

/// `SHA-512(R | A | message)` as a scalar: what the signature answers.
fn challenge(commitment: &[u8; 32], key: &PublicKey, message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(commitment).chain_update(key.0.as_bytes()).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;

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
        let holds = |key: &SecretKey, chain, text| verify(chain, &[Claim { key: key.public(), text, signature }])[0];
        assert!(holds(&mine, CHAIN, "bill"));
        assert!(!holds(&other, CHAIN, "bill"));
        assert!(!holds(&mine, CHAIN, "Bill"));
        assert!(!holds(&mine, Digest([8; 32]), "bill"));
    }

    #[test]
    fn a_forgery_among_many_is_found_and_the_others_stand() {
        let keys: Vec<SecretKey> = (2..12).map(|actor| SecretKey::derive(1, ActorId(actor))).collect();
        let mut claims: Vec<Claim<'_>> = keys
            .iter()
            .map(|key| Claim { key: key.public(), text: "reading", signature: key.sign(CHAIN, "reading") })
            .collect();
        assert_eq!(verify(CHAIN, &claims), [true; 10]);
        claims[6].signature = claims[5].signature;
        let expected: Vec<bool> = (0..10).map(|n| n != 6).collect();
        assert_eq!(verify(CHAIN, &claims), expected);
        assert!(verify(CHAIN, &[]).is_empty());
    }

    /// A signature whose maker has hidden a point of small order in it: some ways to check it see that, others do not.
    fn hidden(key: &SecretKey, text: &str, point: EdwardsPoint) -> Signature {
        let secret = Scalar::from(12_345_u64);
        let commitment = (EdwardsPoint::mul_base(&secret) + point).compress().to_bytes();
        let public = key.public();
        let challenge = challenge(&commitment, &public, &signed(CHAIN, text));
        let response = secret + challenge * key.0.to_scalar();
        Signature(ed25519_dalek::Signature::from_components(commitment, response.to_bytes()))
    }

    #[test]
    fn a_signature_counts_by_itself_just_as_it_does_among_others() {
        let honest = SecretKey::derive(1, ActorId(2));
        let signature = honest.sign(CHAIN, "reading");
        let honest = Claim { key: honest.public(), text: "reading", signature };
        let strange = SecretKey::derive(1, ActorId(3));
        for point in EIGHT_TORSION {
            for text in ["bill", "reading", "choice", "quote"] {
                let signature = hidden(&strange, text, point);
                let claim = Claim { key: strange.public(), text, signature };
                let alone = verify(CHAIN, &[claim])[0];
                for others in 0..12 {
                    let mut claims = vec![honest; others];
                    claims.push(claim);
                    assert_eq!(verify(CHAIN, &claims)[others], alone, "{text} among {others}");
                }
            }
        }
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
