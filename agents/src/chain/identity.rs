//! Who is who on the chain: names, ed25519 keys, signatures.
//!
//! Every actor's secret key is derived from the case's seed, so that runs repeat byte by byte. Whoever knows the seed
//! knows all keys, and the seed stands in the [genesis](super::genesis): this is fit for simulation only.
//!
//! Where nobody keeps the chain, nobody can ever check a signature on it, and making and checking them would be most of
//! the work of a small community's slot. There a digest of key, chain and what is said [stands in](Signature::StandIn): as
//! long as a signature, checked at the same places with the same answers, but anybody could make it, without any text.

use super::{
    hash::{Digest, bytes, write_hex},
    signable::Signable,
};
use crate::{
    debug_as_display,
    ids::ActorId,
    json::as_text,
    saved::to_bytes,
    streams::{Purpose, stream},
};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey, verify_batch};
use rand::Rng;
use rayon::prelude::*;
use serde::Serialize;
use std::{
    error::Error,
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

/// Somebody on the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The ledger itself: the orderer, and its only peer where there are no others.
    Ledger,
    /// The utility grid.
    Grid,
    /// The prosumer with this number in the scenario's files.
    Prosumer(u32),
    /// The peer with this number, from 1.
    Peer(u32),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Grid => f.write_str("grid"),
            Self::Prosumer(number) => write!(f, "prosumer {number}"),
            Self::Peer(number) => write!(f, "peer {number}"),
        }
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |of: &str| text.strip_prefix(of).and_then(|number| number.parse().ok());
        let (prosumer, peer) = (|| number("prosumer ").map(Self::Prosumer), || number("peer ").map(Self::Peer));
        match text {
            "ledger" => Ok(Self::Ledger),
            "grid" => Ok(Self::Grid),
            _ => prosumer().or_else(peer).ok_or_else(|| format!("{text} is nobody")),
        }
    }
}

/// A public key, as hexadecimal text on the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PublicKey {
    /// One of ed25519. What is read from text is always one.
    Ed25519(VerifyingKey),
    /// What stands in for one where nobody keeps the chain.
    StandIn(Digest),
}

impl PublicKey {
    /// What is as long as a signature, and says no more than whose it is.
    pub(crate) fn name(&self) -> Signature {
        Signature::StandIn(Digest(*self.bytes()))
    }

    fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Ed25519(key) => key.as_bytes(),
            Self::StandIn(digest) => &digest.0,
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.bytes())
    }
}

impl FromStr for PublicKey {
    type Err = Box<dyn Error>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Ed25519(VerifyingKey::from_bytes(&bytes(text)?)?))
    }
}

/// A signature, as hexadecimal text of 64 bytes on the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// A signature by ed25519. What is read from text is always one.
    Ed25519(ed25519_dalek::Signature),
    /// What stands in for one where nobody keeps the chain; as text, the digest twice.
    StandIn(Digest),
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(signature) => write_hex(f, &signature.to_bytes()),
            Self::StandIn(digest) => write!(f, "{digest}{digest}"),
        }
    }
}

impl FromStr for Signature {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        bytes(text).map(|bytes| Self::Ed25519(ed25519_dalek::Signature::from_bytes(&bytes)))
    }
}

debug_as_display!(Party, PublicKey, Signature);
as_text!(Party, PublicKey);
as_text!(Signature, plain: Plain);

/// A signature in formats that are no text: both of its halves, or what stands in for it.
type Plain = Result<[[u8; 32]; 2], Digest>;

impl From<Signature> for Plain {
    fn from(signature: Signature) -> Self {
        match signature {
            Signature::Ed25519(signature) => Ok([*signature.r_bytes(), *signature.s_bytes()]),
            Signature::StandIn(digest) => Err(digest),
        }
    }
}

impl From<Plain> for Signature {
    fn from(plain: Plain) -> Self {
        let of = |[r, s]: [[u8; 32]; 2]| Self::Ed25519(ed25519_dalek::Signature::from_components(r, s));
        plain.map_or_else(Self::StandIn, of)
    }
}

/// An actor's secret key in one run.
#[derive(Clone)]
pub enum SecretKey {
    /// One of ed25519.
    Ed25519(Box<SigningKey>),
    /// What stands in for one where nobody keeps the chain: its public key, from which everything follows.
    StandIn(Digest),
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret of {:?}", self.public())
    }
}

impl SecretKey {
    /// The key of `actor` in runs with this seed: the first 32 bytes of its stream for [`Purpose::Key`].
    pub fn derive(seed: u64, actor: ActorId) -> Self {
        Self::Ed25519(Box::new(SigningKey::from_bytes(&secret(seed, actor))))
    }

    /// What stands in for it where the chain is not [kept](Signature).
    pub fn stand_in_for(seed: u64, actor: ActorId) -> Self {
        Self::StandIn(Digest::of([&secret(seed, actor)[..]]))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Ed25519(key) => PublicKey::Ed25519(key.verifying_key()),
            Self::StandIn(digest) => PublicKey::StandIn(*digest),
        }
    }

    /// Whether its chain is kept.
    pub fn is_of_kept_chain(&self) -> bool {
        matches!(self, Self::Ed25519(_))
    }

    /// Signs a text for one chain.
    pub fn sign(&self, chain: Digest, text: &str) -> Signature {
        match self {
            Self::Ed25519(key) => Signature::Ed25519(key.sign(&signed(chain, text).0)),
            Self::StandIn(_) => Signature::StandIn(stand_in(self.public(), chain, text.as_bytes())),
        }
    }

    /// What stands in for a signature under this.
    pub(super) fn stand_in(&self, chain: Digest, what: &impl Serialize) -> Signature {
        Signature::StandIn(stand_in(self.public(), chain, &to_bytes(what)))
    }

    /// Signs a statement for one chain: its text, or what stands in for that.
    pub fn sign_statement(&self, chain: Digest, statement: &impl Signable) -> Signature {
        match self {
            Self::Ed25519(_) => self.sign(chain, &statement.text()),
            Self::StandIn(_) => self.stand_in(chain, statement),
        }
    }
}

fn secret(seed: u64, actor: ActorId) -> [u8; 32] {
    let mut secret = [0; 32];
    stream(seed, actor, Purpose::Key).fill_bytes(&mut secret);
    secret
}

/// What stands in for a signature over something: of everybody's key another.
fn stand_in(key: PublicKey, chain: Digest, what: &[u8]) -> Digest {
    Digest::of([&key.bytes()[..], &chain.0, what])
}

impl Signature {
    /// Whether it is that of `key` under a statement, on this chain, by the strict rules of ed25519.
    pub fn is_under(self, statement: &impl Signable, key: PublicKey, chain: Digest) -> bool {
        match self {
            Self::Ed25519(_) => Claim { key, text: &statement.text(), signature: self }.holds(chain),
            Self::StandIn(_) => self.stands_in_for(statement, key, chain),
        }
    }

    /// Whether it stands in for that of `key` under this.
    pub(super) fn stands_in_for(self, what: &impl Serialize, key: PublicKey, chain: Digest) -> bool {
        self == Self::StandIn(stand_in(key, chain, &to_bytes(what)))
    }
}

/// What is signed: the digest of the chain's identifier, so that a signature is worth nothing on another chain, and the
/// text. Ed25519 goes through all that it signs twice, by a slower hash, and a text may be a thousand bills long.
fn signed(chain: Digest, text: &str) -> Digest {
    Digest::of([&chain.0, text.as_bytes()])
}

/// A text that is said to be signed with a key.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
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
        match self.signature {
            Signature::Ed25519(_) => self.signed(chain).is_some_and(|signed| signed.holds()),
            Signature::StandIn(digest) => digest == stand_in(self.key, chain, self.text.as_bytes()),
        }
    }

    /// What the signature is to be over, without the text; `None` of what only stands in for one.
    pub(crate) fn signed(&self, chain: Digest) -> Option<Signed> {
        let Self { key: PublicKey::Ed25519(key), text, signature: Signature::Ed25519(signature) } = *self else {
            return None;
        };
        Some(Signed { key, digest: signed(chain, text), signature })
    }
}

/// A digest that is said to be signed with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    key: VerifyingKey,
    digest: Digest,
    signature: ed25519_dalek::Signature,
}

impl Signed {
    /// Whether it is, by the strict rules and by itself.
    pub(crate) fn holds(&self) -> bool {
        self.key.verify_strict(&self.digest.0, &self.signature).is_ok()
    }
}

/// What one claim was found to be, for all who are shown it with the same object: so many check it, and it takes the time of
/// one. Whoever finds it to hold notes the whole of it, so nothing else can pass for it, whoever shares the object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Option<Arc<OnceLock<Signed>>>);

impl Known {
    /// Nothing yet, for all who get a clone of it.
    pub(super) fn shared() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether a claim holds on this chain, by the strict rules; not of what only stands in for a signature.
    pub(super) fn holds(&self, claim: Claim<'_>, chain: Digest) -> bool {
        let Some(signed) = claim.signed(chain) else { return false };
        let known = self.0.as_deref();
        let holds = known.is_some_and(|known| known.get() == Some(&signed)) || signed.holds();
        if let Some(known) = known.filter(|_| holds) {
            // Somebody else may have found out just now, or about another claim before.
            let _ = known.set(signed);
        }
        holds
    }
}

/// What is known of something is no part of it.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

/// Which of these claims are true, on one chain. They are checked in groups of up to [`GROUP`], on as many threads as
/// there are. Those of a group are checked together first, which takes about half as long as one by one; where that
/// fails, each by itself. Together the rules are a little less strict: a signer can make a signature of its own that
/// holds among others but not by itself. So whoever is to come to the same result must check the same claims in the
/// same order: those of a block, or of a settlement.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn verify(chain: Digest, claims: &[Claim<'_>]) -> Vec<bool> {
    let signed: Option<Vec<Signed>> = claims.iter().map(|claim| claim.signed(chain)).collect();
    match signed {
        Some(signed) => verify_signed(&signed),
        None => claims.iter().map(|claim| claim.holds(chain)).collect(),
    }
}

/// The same of claims whose texts are not at hand any more.
pub(crate) fn verify_signed(signed: &[Signed]) -> Vec<bool> {
    match signed.len() {
        ..=GROUP => verify_group(signed),
        _ => signed.par_chunks(GROUP).flat_map_iter(verify_group).collect(),
    }
}

fn verify_group(group: &[Signed]) -> Vec<bool> {
    if group.len() >= WORTH_A_BATCH {
        let messages: Vec<&[u8]> = group.iter().map(|signed| &signed.digest.0[..]).collect();
        let signatures: Vec<_> = group.iter().map(|signed| signed.signature).collect();
        let keys: Vec<_> = group.iter().map(|signed| signed.key).collect();
        if verify_batch(&messages, &signatures, &keys).is_ok() {
            return vec![true; group.len()];
        }
    }
    group.iter().map(Signed::holds).collect()
}

/// So many signatures are checked together: half of a usual block's.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub const GROUP: usize = 250;

/// From this many signatures on, checking them together is faster.
const WORTH_A_BATCH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GRID;

    const CHAIN: Digest = Digest([7; 32]);

    #[test]
    fn parties_read_back_by_their_names() {
        for party in [Party::Ledger, Party::Grid, Party::Prosumer(42)] {
            assert_eq!(party.to_string().parse(), Ok(party));
        }
        assert!("prosumer".parse::<Party>().is_err());
    }

    #[test]
    fn a_signature_and_what_stands_in_for_one_hold_for_their_key_text_and_chain_only() {
        for kept in [true, false] {
            let key = |actor| match kept {
                true => SecretKey::derive(1, ActorId(actor)),
                false => SecretKey::stand_in_for(1, ActorId(actor)),
            };
            let (mine, other) = (key(2), key(3));
            let signature = mine.sign(CHAIN, "bill");
            assert_eq!(matches!(signature, Signature::Ed25519(_)), kept);
            let holds = |key: &SecretKey, chain, text| Claim { key: key.public(), text, signature }.holds(chain);
            assert!(holds(&mine, CHAIN, "bill"));
            assert!(!holds(&other, CHAIN, "bill"));
            assert!(!holds(&mine, CHAIN, "Bill"));
            assert!(!holds(&mine, Digest([8; 32]), "bill"));
        }
    }

    #[test]
    fn what_stands_in_for_a_signature_is_none_for_whoever_reads_it() {
        let key = SecretKey::stand_in_for(1, ActorId(2));
        let signature = key.sign(CHAIN, "bill");
        let read: Signature = serde_json::from_str(&serde_json::to_string(&signature).unwrap()).unwrap();
        let claim = |signature| Claim { key: key.public(), text: "bill", signature };
        assert_eq!(verify(CHAIN, &[claim(signature), claim(read)]), [true, false]);
        assert_eq!(verify(CHAIN, &[claim(signature); 9]), [true; 9]);
        assert_eq!(verify(CHAIN, &[claim(read); 9]), [false; 9]);
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
        let key = SecretKey::derive(2023, GRID);
        let text = serde_json::to_string(&(key.public(), key.sign(CHAIN, ""))).unwrap();
        let (public, signature): (PublicKey, Signature) = serde_json::from_str(&text).unwrap();
        assert_eq!((public, signature), (key.public(), key.sign(CHAIN, "")));
        assert_ne!(key.public(), SecretKey::derive(2024, GRID).public());
    }
}
