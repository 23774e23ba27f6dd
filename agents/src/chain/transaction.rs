//! A transaction: a call, carried out against the world state as it was, to be validated when its turn comes.
//!
//! On the chain it is an [`Envelope`] of JSON text; what became of it, its code, stands beside that.

use super::{
    call::Proposal,
    fact::Key,
    identity::{Known, Party, Signature},
    merkle::AuditPath,
    refusal::Refusal,
};
use crate::{json, time::Time};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The transaction that wrote a fact: its block's number in the fact's channel, and its position in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u64, pub u32);

/// A transaction as it stands in a block, as JSON text. What was signed, and the facts written, keep their text as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// When it reached the ledger.
    pub submitted: Time,
    /// A [`Proposal`].
    pub proposal: Box<RawValue>,
    /// Its maker's signature over the text of the proposal, where there is one.
    pub signature: Option<Signature>,
    /// Who else stands for it: participants for their bills, the grid for its invoice, peers for its outcome.
    pub endorsements: Vec<Endorsement>,
    /// The facts it rests on, in the order in which they were read.
    pub reads: Vec<Read>,
    /// What the contract made of it.
    pub outcome: Outcome,
}

impl Envelope {
    /// The text that stands in the block.
    pub fn to_json(&self) -> String {
        // A settlement has as many bills as pairs: their text is not to grow by being copied to and fro.
        let parts = match &self.outcome {
            Outcome::Writes(writes) => writes.iter().map(|Write(_, fact)| fact.get().len() + 32).sum(),
            Outcome::Refused(_) => 0,
        };
        let mut text = Vec::with_capacity(self.proposal.get().len() + parts + 256 * (1 + self.endorsements.len()));
        serde_json::to_writer(&mut text, self).expect("every envelope has a JSON text");
        String::from_utf8(text).expect("JSON is text")
    }

    /// What a peer signs to endorse it: the call, and what it came to when that peer carried it out.
    pub fn execution(&self) -> String {
        #[derive(Serialize)]
        struct Execution<'a> {
            proposal: &'a RawValue,
            reads: &'a [Read],
            outcome: &'a Outcome,
        }
        let Self { proposal, reads, outcome, .. } = self;
        serde_json::to_string(&Execution { proposal, reads, outcome }).expect("every execution has a JSON text")
    }

    /// Reads the proposal; an error if its text is none.
    pub fn proposal(&self) -> Result<Proposal, serde_json::Error> {
        serde_json::from_str(self.proposal.get())
    }
}

/// Somebody's signature for its part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Who.
    pub by: Party,
    /// Over a text that follows from the transaction: [`BillsOf`](super::call::BillsOf), or
    /// [`InvoiceTo`](super::call::InvoiceTo) or its [block](super::call::InvoiceBlock), or by a peer its
    /// [execution](Envelope::execution); `None` where nothing is signed.
    pub signature: Option<Signature>,
    /// How the root that is signed follows from the invoice, where it stands among others.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub path: Option<AuditPath>,
    /// Whether the signature is known to hold. It stands on no chain.
    #[serde(skip)]
    pub(crate) known: Known,
}

impl Endorsement {
    /// By this signature, over the text as it is.
    pub fn new(by: Party, signature: Option<Signature>) -> Self {
        Self { by, signature, path: None, known: Known::default() }
    }
}

/// A key, and the version of the fact that was read there; `None` where there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read(pub Key, pub Option<Version>);

/// A key, and the fact that is to stand there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write(pub Key, #[serde(with = "json::raw")] pub Box<RawValue>);

/// What the contract made of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// It carried it out, and would write this.
    #[serde(rename = "writes")]
    Writes(Vec<Write>),
    /// It refused it.
    #[serde(rename = "refused")]
    Refused(Refusal),
}
