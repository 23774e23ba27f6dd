//! A call on its way into a block: submitted, carried out, put in order.

use super::{
    block::Header,
    call::{Call, Proposal},
    fact::{Fact, Key},
    hash::Digest,
    identity::{Party, Signature},
    refusal::{Refusal, Validity},
    transaction::{Endorsement, Envelope, Outcome, Read, Write},
};
use crate::{
    ids::{ActorId, ChannelName, Slot},
    json,
    time::Time,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// A call of the contract, on its way to the ledger: whatever is to stand on a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The call and who makes it.
    pub proposal: Proposal,
    /// Its maker's signature, where one is needed.
    pub signature: Option<Signature>,
    /// Who else stands for it.
    pub endorsements: Vec<Endorsement>,
}

impl Submission {
    /// A call that needs no signature.
    pub(crate) fn unsigned(creator: Party, call: Call) -> Arc<Self> {
        let (proposal, signature, endorsements) = (Proposal { creator, call }, None, Vec::new());
        Arc::new(Self { proposal, signature, endorsements })
    }
}

/// A submission that has reached the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    /// By whom, who is told what becomes of it.
    pub(crate) from: ActorId,
    pub(crate) submission: Arc<Submission>,
    pub(crate) at: Time,
}

impl Sent {
    pub(crate) fn call(&self) -> &Call {
        &self.submission.proposal.call
    }

    pub(crate) fn creator(&self) -> Party {
        self.submission.proposal.creator
    }

    pub(crate) fn channel(&self) -> ChannelName {
        self.call().channel().unwrap_or(ChannelName::Trade)
    }

    /// Version of a post of the game; 0 of anything else.
    pub(crate) fn version(&self) -> u32 {
        self.call().post().map_or(0, |post| post.version())
    }
}

/// What the contract made of a submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    pub(crate) submission: Arc<Submission>,
    pub(crate) reads: Vec<Read>,
    #[serde(with = "result")]
    pub(crate) result: Result<Vec<(Key, Fact)>, Refusal>,
    /// Length of what it would write and nobody needs, as it would stand among the rest [bytes].
    pub(crate) unkept: u64,
    /// Which peers have carried it out, and stand for that.
    pub(crate) endorsements: Vec<Endorsement>,
}

impl Execution {
    /// The same with the texts of its parts, given that of the proposal, for a call that came `submitted`.
    pub(crate) fn envelope(&self, proposal: Box<RawValue>, submitted: Time) -> Envelope {
        let texts = |facts: &[(Key, Fact)]| facts.iter().map(|(key, fact)| Write(*key, fact.to_json())).collect();
        let outcome = match &self.result {
            Ok(facts) => Outcome::Writes(texts(facts)),
            Err(refusal) => Outcome::Refused(*refusal),
        };
        let (signature, reads) = (self.submission.signature, self.reads.clone());
        Envelope { submitted, proposal, signature, endorsements: self.all_endorsements(), reads, outcome }
    }

    fn all_endorsements(&self) -> Vec<Endorsement> {
        [&self.submission.endorsements[..], &self.endorsements].concat()
    }

    /// Length of that as JSON text, without any text of its parts [bytes].
    pub(crate) fn length(&self, submitted: Time) -> u64 {
        #[derive(Serialize)]
        struct Unwritten<'a> {
            submitted: Time,
            proposal: &'a Proposal,
            signature: Option<Signature>,
            endorsements: &'a [Endorsement],
            reads: &'a [Read],
            outcome: Carried<'a>,
        }

        #[derive(Serialize)]
        enum Carried<'a> {
            #[serde(rename = "writes")]
            Writes(&'a [(Key, Fact)]),
            #[serde(rename = "refused")]
            Refused(Refusal),
        }

        let Submission { proposal, signature, endorsements } = &*self.submission;
        let outcome = match &self.result {
            Ok(facts) => Carried::Writes(facts),
            Err(refusal) => Carried::Refused(*refusal),
        };
        let (all, reads, signature) =
            (self.endorsements.first().map(|_| self.all_endorsements()), &self.reads[..], *signature);
        let endorsements = all.as_ref().unwrap_or(endorsements);
        self.unkept + json::length(&Unwritten { submitted, proposal, signature, endorsements, reads, outcome })
    }
}

/// A result on its way to another process.
mod result {
    use super::{Fact, Key, Refusal};
    use crate::chain::fact::Tagged;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Written<T> = Result<Vec<(Key, T)>, Refusal>;

    pub(super) fn serialize<S: Serializer>(result: &Written<Fact>, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |facts: &Vec<(Key, Fact)>| facts.iter().map(|(key, fact)| (*key, Tagged::from(fact))).collect();
        let tagged: Written<Tagged> = result.as_ref().map(tagged).map_err(|refusal| *refusal);
        tagged.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Written<Fact>, D::Error> {
        let tagged: Written<Tagged> = Deserialize::deserialize(deserializer)?;
        Ok(tagged.map(|facts| facts.into_iter().map(|(key, fact)| (key, fact.into())).collect()))
    }
}

/// A submission that the contract has carried out, or refused, and that waits for its place in a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// By whom it was submitted, who is told what becomes of it.
    pub(crate) from: ActorId,
    pub(crate) at: Time,
    pub(crate) execution: Execution,
}

impl Pending {
    /// Whether this is the same submission by the same sender.
    pub(crate) fn is_repeated_by(&self, other: &Sent) -> bool {
        let (mine, its) = (&self.execution.submission, &other.submission);
        let same = || Arc::ptr_eq(mine, its) || mine == its;
        self.from == other.from && mine.proposal.creator == other.creator() && same()
    }

    /// Length of its envelope as JSON text [bytes].
    pub(crate) fn length(&self) -> u64 {
        self.execution.length(self.at)
    }

    pub(crate) fn sent(&self) -> Sent {
        Sent { from: self.from, submission: Arc::clone(&self.execution.submission), at: self.at }
    }
}

/// A block on its way from the orderer to the peers, each of which validates it for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    pub(crate) header: Header,
    pub(crate) transactions: Vec<Pending>,
    /// What the orderer has found it to come to.
    pub(crate) outcome: Digest,
    /// The last slot that was closed before it was cut.
    pub(crate) closed: Slot,
}

impl Sealed {
    /// What tells apart two results of a block: where the chain is kept its commit hash, otherwise a digest of its codes.
    pub(crate) fn outcome(commit_hash: Option<Digest>, codes: impl Iterator<Item = Validity>) -> Digest {
        commit_hash.unwrap_or_else(|| Digest::of(codes.map(super::refusal::code)))
    }
}
