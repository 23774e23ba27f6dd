//! Blocks, the hashes that chain them, and the checkpoints by which the ledger signs them.
//!
//! Header hash and data hash follow Hyperledger Fabric's formulas. The header hash chains what was asked for; the commit
//! hash chains what became of it.

use super::{
    hash::{Digest, Hasher},
    identity::Signature,
    refusal::{self, Validity},
    transaction::Write,
};
use crate::{
    ids::{ChannelName, Slot},
    time::Time,
};
use serde::{Deserialize, Serialize};

/// SHA-256 of the envelopes, one after the other.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn data_hash<Envelope: AsRef<[u8]>>(envelopes: impl IntoIterator<Item = Envelope>) -> Digest {
    Digest::of(envelopes)
}

/// SHA-256 of the DER encoding of `SEQUENCE { INTEGER number, OCTET STRING previous, OCTET STRING data }`; the first block
/// of a chain has no previous one, and an empty octet string.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn header_hash(number: u64, previous: Option<Digest>, data: Digest) -> Digest {
    // The shortest big-endian form whose first bit, the sign, is zero.
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|&&byte| byte == 0).count();
    let mut integer = bytes[zeros..].to_vec();
    if integer[0] >= 0x80 {
        integer.insert(0, 0);
    }
    let previous = previous.as_ref().map_or(&[][..], |digest| &digest.0);
    let mut content = Vec::with_capacity(80);
    for (tag, value) in [(0x02, &integer[..]), (0x04, previous), (0x04, &data.0)] {
        content.extend([tag, value.len() as u8]);
        content.extend(value);
    }
    Digest::of([&[0x30, content.len() as u8], &content[..]])
}

/// What a block is, besides its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Which chain it belongs to.
    pub channel: ChannelName,
    /// Position in its chain, from 0.
    pub number: u64,
    /// Header hash of the block before; `None` for the first.
    pub previous_hash: Option<Digest>,
    /// Hash of the envelopes.
    pub data_hash: Digest,
    /// Position among the blocks of all three channels, from 0, in the order in which they were committed.
    pub position: u64,
    /// When it was cut.
    pub time: Time,
}

impl Header {
    /// The block's header hash, to which the next block refers.
    pub fn hash(&self) -> Digest {
        header_hash(self.number, self.previous_hash, self.data_hash)
    }
}

/// A transaction in a block, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// When it reached the ledger.
    pub submitted: Time,
    /// Its [`Envelope`](super::transaction::Envelope) as JSON text; empty where nobody keeps the chain.
    pub envelope: String,
    /// Length of that text, also where it is not made [bytes].
    pub length: u64,
    /// Whether it counts.
    pub validity: Validity,
    /// What it has written: nothing, unless it counts and somebody keeps the chain.
    pub writes: Vec<Write>,
}

/// A block in its final form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub header: Header,
    /// Its transactions, in their final order.
    pub transactions: Vec<Recorded>,
    /// See [`commit_hash`].
    pub commit_hash: Digest,
}

impl Block {
    /// Length of the envelopes of all its transactions, as JSON text [bytes].
    pub fn bytes(&self) -> u64 {
        self.transactions.iter().map(|transaction| transaction.length).sum()
    }
}

/// The running hash over what a channel's blocks do to its state. SHA-256 over: the commit hash of the block before
/// (nothing for the first), the block's header hash, its position and its time as 8 big-endian bytes each, and for each
/// transaction a line `CODE`, followed by a line `KEY VALUE` for each fact it has written. Lines end in a line feed.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn commit_hash<'a>(
    previous: Option<Digest>,
    header: &Header,
    transactions: impl IntoIterator<Item = (Validity, &'a [Write])>,
) -> Digest {
    let mut hasher = Hasher::default();
    previous.iter().for_each(|digest| hasher.add(digest.0));
    hasher.add(header.hash().0);
    hasher.add(header.position.to_be_bytes());
    hasher.add(header.time.0.to_be_bytes());
    for (validity, writes) in transactions {
        hasher.add(refusal::code(validity));
        hasher.add("\n");
        for Write(key, fact) in writes {
            hasher.add(format!("{key} "));
            hasher.add(fact.get());
            hasher.add("\n");
        }
    }
    hasher.digest()
}

/// The newest block of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Which channel.
    pub channel: ChannelName,
    /// How many blocks it has.
    pub blocks: u64,
    /// Header hash of the last.
    pub header_hash: Digest,
    /// Commit hash of the last.
    pub commit_hash: Digest,
}

/// How far all three channels have come: signed by the ledger, which so stands for every block below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The last slot that is closed; 0 before the first.
    pub closed: Slot,
    /// The newest block of each channel, in the order of [`ChannelName::ALL`].
    pub heads: [Head; 3],
}

crate::json::signed_as_json!(Checkpoint);

/// A checkpoint with the ledger's signature over its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The signature; `None` where nothing is signed.
    pub signature: Option<Signature>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_encoded_as_der_has_it() {
        // SEQUENCE { INTEGER 128, OCTET STRING "", OCTET STRING 32 zero bytes }, encoded by hand.
        let by_hand = [&[0x30, 0x28, 0x02, 0x02, 0x00, 0x80, 0x04, 0x00, 0x04, 0x20][..], &[0; 32]].concat();
        assert_eq!(header_hash(128, None, Digest([0; 32])), Digest::of([by_hand]));
        let by_hand = [&[0x30, 0x27, 0x02, 0x01, 0x00, 0x04, 0x00, 0x04, 0x20][..], &[0; 32]].concat();
        assert_eq!(header_hash(0, None, Digest([0; 32])), Digest::of([by_hand]));
        let largest = [&[0x30, 0x2f, 0x02, 0x09, 0x00][..], &[0xff; 8], &[0x04, 0x00, 0x04, 0x20], &[0; 32]].concat();
        assert_eq!(header_hash(u64::MAX, None, Digest([0; 32])), Digest::of([largest]));
    }
}
