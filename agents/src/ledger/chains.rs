//! The three chains: carries out calls, validates them in their final order, and seals blocks.

use super::state::{Simulation, WorldState};
use crate::{
    chain::{
        block::{Block, Checkpoint, Head, Header, Recorded, SignedCheckpoint, commit_hash, data_hash},
        call::{Call, InvoiceTo, Proposal},
        fact::{Fact, Key},
        hash::Digest,
        identity::{Claim, Party, Signature, verify},
        refusal::{Refusal, Validity},
        transaction::{Endorsement, Envelope, Outcome, Read, Version, Write},
    },
    contract::Contract,
    ids::{ActorId, ChannelName, LEDGER, Slot},
    json,
    member::Member,
    message::Submission,
    statement::Post,
    time::Time,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// A submission that the contract has carried out, or refused, and that waits for its place in a block.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) sent: Sent,
    reads: Vec<Read>,
    result: Result<Vec<(Key, Fact)>, Refusal>,
}

impl Pending {
    /// What stands in its block, like an [`Envelope`], without any text of its parts.
    fn envelope(&self) -> impl Serialize + '_ {
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

        let Submission { proposal, signature, endorsements } = &*self.sent.submission;
        let outcome = match &self.result {
            Ok(facts) => Carried::Writes(facts),
            Err(refusal) => Carried::Refused(*refusal),
        };
        Unwritten {
            submitted: self.sent.at,
            proposal,
            signature: *signature,
            endorsements,
            reads: &self.reads,
            outcome,
        }
    }
}

/// A submission that has reached the ledger.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// By whom, who is told what becomes of it.
    pub(super) from: ActorId,
    pub(super) submission: Arc<Submission>,
    pub(super) at: Time,
}

impl Sent {
    pub(super) fn call(&self) -> &Call {
        &self.submission.proposal.call
    }

    pub(super) fn creator(&self) -> Party {
        self.submission.proposal.creator
    }

    pub(super) fn channel(&self) -> ChannelName {
        self.call().channel().unwrap_or(ChannelName::Trade)
    }

    /// The post that it is, if it is one.
    pub(super) fn received(self) -> Option<Received> {
        let (post, submission) = (self.call().post()?, Some(Arc::clone(&self.submission)));
        Some(Received { from: self.from, post, submission, at: self.at })
    }

    /// Version of a post of the game; 0 of anything else.
    pub(super) fn version(&self) -> u32 {
        self.call().post().map_or(0, |post| post.version())
    }

    /// Whether `other` is the same submission by the same sender.
    pub(super) fn is_repeated_by(&self, other: &Self) -> bool {
        let same = || Arc::ptr_eq(&self.submission, &other.submission) || self.submission == other.submission;
        self.from == other.from && self.creator() == other.creator() && same()
    }
}

/// A post that has reached the ledger.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Who sent it, and is told what becomes of it.
    pub(super) from: ActorId,
    pub(super) post: Post,
    /// As it was submitted, if it came with a signature or was to be a transaction; else its sender has made it.
    pub(super) submission: Option<Arc<Submission>>,
    pub(super) at: Time,
}

/// The three chains and the state that they add up to.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) ledger: Member,
    pub(super) contract: Contract,
    pub(super) state: WorldState,
    pub(super) links: Links,
}

/// Where the chains end: what the next block of each is linked to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Links {
    /// The newest block of each channel.
    heads: [Head; 3],
    /// How many blocks there are on all three.
    blocks: u64,
}

impl Chains {
    pub(super) fn new(ledger: Member) -> Self {
        let contract = Contract::new(Arc::clone(&ledger.genesis));
        let (header_hash, commit_hash) = (Digest::default(), Digest::default());
        let heads = ChannelName::ALL.map(|channel| Head { channel, blocks: 0, header_hash, commit_hash });
        Self { ledger, contract, state: WorldState::default(), links: Links { heads, blocks: 0 } }
    }

    /// The first block of a channel: the genesis itself on the main chain, its identifier on the others.
    pub(super) fn begin(&mut self, channel: ChannelName, now: Time) -> Block {
        let call = match channel {
            ChannelName::Trade => Call::Genesis(Arc::clone(&self.ledger.genesis)),
            _ => Call::Anchor(self.ledger.chain),
        };
        let sent = Sent { from: LEDGER, submission: self.ledger.submission(call, Vec::new()), at: now };
        self.seal(channel, vec![Pending { sent, reads: Vec::new(), result: Ok(Vec::new()) }], now).0
    }

    /// Carries out a call that has reached the ledger, without changing anything yet.
    pub(super) fn execute(&self, sent: Sent) -> Pending {
        let mut simulation = Simulation::of(&self.state);
        let validity = self.contract.execute(sent.creator(), sent.call(), &mut simulation);
        let Simulation { reads, writes, .. } = simulation;
        Pending { sent, reads, result: validity.map(|()| writes) }
    }

    /// Validates transactions in this order and makes them the next block of a channel; tells what became of each.
    pub(super) fn seal(
        &mut self,
        channel: ChannelName,
        transactions: Vec<Pending>,
        time: Time,
    ) -> (Block, Vec<(Sent, Validity)>) {
        let number = self.links.heads[channel as usize].blocks;
        let texts = self.ledger.keeps_chains();
        let proposal = |pending: &Pending| texts.then(|| pending.sent.submission.proposal.to_json());
        let proposals: Vec<_> = transactions.iter().map(proposal).collect();
        let seals = self.check_seals(transactions.iter().map(|pending| &pending.sent), &proposals);
        let (mut recorded, mut ordered) = (Vec::new(), Vec::new());
        for (position, ((pending, proposal), seals)) in (0..).zip(transactions.into_iter().zip(proposals).zip(seals)) {
            let validity = self.validate(&pending, seals);
            let submitted = pending.sent.at;
            let (envelope, length, writes) = match proposal {
                Some(proposal) => self.put_down(&pending, proposal),
                None => (String::new(), json::length(&pending.envelope()), Vec::new()),
            };
            let Pending { sent, result, .. } = pending;
            if let (Ok(()), Ok(facts)) = (validity, result) {
                facts.into_iter().for_each(|(key, fact)| self.state.apply(key, fact, Version(number, position)));
            }
            let writes = if validity.is_ok() { writes } else { Vec::new() };
            recorded.push(Recorded { submitted, envelope, length, validity, writes });
            ordered.push((sent, validity));
        }
        (self.link(channel, recorded, time), ordered)
    }

    /// The text of a transaction with its length, and those of the facts that it would write.
    fn put_down(&self, pending: &Pending, proposal: Box<RawValue>) -> (String, u64, Vec<Write>) {
        let texts = |facts: &[(Key, Fact)]| facts.iter().map(|(key, fact)| Write(*key, fact.to_json())).collect();
        let outcome = match &pending.result {
            Ok(facts) => Outcome::Writes(texts(facts)),
            Err(refusal) => Outcome::Refused(*refusal),
        };
        let Submission { signature, endorsements, .. } = &*pending.sent.submission;
        let (submitted, signature, endorsements) = (pending.sent.at, *signature, endorsements.clone());
        let envelope = Envelope { submitted, proposal, signature, endorsements, reads: pending.reads.clone(), outcome };
        let text = envelope.to_json();
        let writes = if let Outcome::Writes(writes) = envelope.outcome { writes } else { Vec::new() };
        let length = text.len() as u64;
        (text, length, writes)
    }

    /// Whether a transaction counts, at its turn.
    fn validate(&self, pending: &Pending, seals: Seals) -> Validity {
        if !seals.signed {
            return Err(Refusal::BadSignature);
        }
        let current = self.state.is_current(&pending.reads);
        match pending.result {
            Err(refusal) => Err(if current { refusal } else { Refusal::StaleRead }),
            Ok(_) if !seals.endorsed => Err(Refusal::PolicyUnmet),
            Ok(_) if !current => Err(Refusal::StaleRead),
            Ok(_) => Ok(()),
        }
    }

    /// Whether a submission is signed as the policies ask. By the strict rules, by itself: so it is among whichever
    /// others its block may bring it together with later.
    pub(super) fn is_signed(&self, sent: &Sent) -> bool {
        let genesis = &self.ledger.genesis;
        if !genesis.must_be_signed(sent.creator(), sent.call()) {
            return true;
        }
        let (Some(signature), Some(key)) = (sent.submission.signature, genesis.key(sent.creator())) else {
            return false;
        };
        signature.is_under(&sent.submission.proposal, key, self.ledger.chain)
    }

    /// Checks all signatures under these submissions, where there are texts together; `proposals` are these.
    fn check_seals<'a>(&self, sent: impl Iterator<Item = &'a Sent>, proposals: &[Option<Box<RawValue>>]) -> Vec<Seals> {
        let (genesis, chain) = (&self.ledger.genesis, self.ledger.chain);
        let mut seals = Vec::with_capacity(proposals.len());
        // Those of a block are checked together; `claimed` has whose they are.
        let (mut claims, mut claimed) = (Vec::new(), Vec::new());
        for (index, (sent, proposal)) in sent.zip(proposals).enumerate() {
            let (creator, call) = (sent.creator(), sent.call());
            let needed = genesis.must_be_signed(creator, call);
            let mut signed = !needed;
            if let (true, Some(signature), Some(key)) = (needed, sent.submission.signature, genesis.key(creator)) {
                match proposal {
                    Some(proposal) => {
                        claims.push(Claim { key, text: proposal.get(), signature });
                        claimed.push(index);
                    }
                    None => signed = signature.is_under(&sent.submission.proposal, key, chain),
                }
            }
            let endorsed = match call {
                // The ledger itself proposes only what both sides have endorsed.
                Call::Settle(_) => creator == Party::Ledger,
                Call::RecordEnergy(_, _, Some(invoice)) => {
                    let invoice = InvoiceTo { party: creator, invoice: *invoice };
                    let mut endorsements = sent.submission.endorsements.iter();
                    endorsements.any(|endorsement| genesis.is_endorsed(&invoice, endorsement, chain))
                }
                _ => true,
            };
            seals.push(Seals { signed, endorsed });
        }
        for (index, holds) in claimed.into_iter().zip(verify(chain, &claims)) {
            seals[index].signed = holds;
        }
        seals
    }

    /// Makes the next block of these. Where nobody keeps the chain it has no hashes: there are no texts that they were of.
    fn link(&mut self, channel: ChannelName, transactions: Vec<Recorded>, time: Time) -> Block {
        let kept = self.ledger.keeps_chains();
        let head = &mut self.links.heads[channel as usize];
        let before = |hash| (head.blocks > 0).then_some(hash);
        let header = Header {
            channel,
            number: head.blocks,
            previous_hash: before(head.header_hash),
            data_hash: match kept {
                true => data_hash(transactions.iter().map(|transaction| &transaction.envelope)),
                false => Digest::default(),
            },
            position: self.links.blocks,
            time,
        };
        let done = transactions.iter().map(|transaction| (transaction.validity, &transaction.writes[..]));
        let (header_hash, commit_hash) = match kept {
            true => (header.hash(), commit_hash(before(head.commit_hash), &header, done)),
            false => Default::default(),
        };
        self.links.blocks += 1;
        *head = Head { channel, blocks: head.blocks + 1, header_hash, commit_hash };
        Block { header, transactions, commit_hash }
    }

    /// How far the chains have come, signed, with `closed` the last slot that is over.
    pub(super) fn checkpoint(&self, closed: Slot) -> SignedCheckpoint {
        let checkpoint = Checkpoint { closed, heads: self.links.heads };
        let signature = self.ledger.sign(&checkpoint);
        SignedCheckpoint { checkpoint, signature }
    }
}

/// Which signatures under a submission hold.
#[derive(Clone, Copy, Debug)]
struct Seals {
    /// Its maker's, or none is needed.
    signed: bool,
    /// Those of everybody else whom the policies name.
    endorsed: bool,
}
