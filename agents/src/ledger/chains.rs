//! The three chains: carries out calls, validates them in their final order, and seals blocks.

use super::state::{Simulation, WorldState};
use crate::{
    chain::{
        block::{Block, Checkpoint, Head, Header, Recorded, SignedCheckpoint, commit_hash, data_hash},
        call::{Call, InvoiceTo, Proposal},
        hash::Digest,
        identity::{Claim, Party, verify},
        refusal::{Refusal, Validity},
        submission::{Execution, Pending, Sealed, Sent, Submission},
        transaction::{Endorsement, Envelope, Outcome, Version},
    },
    contract::Contract,
    ids::{ActorId, ChannelName, LEDGER, Slot},
    member::Member,
    statement::Post,
    time::Time,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

impl Received {
    /// The post that was submitted, if it is one.
    pub(super) fn of(sent: Sent) -> Option<Self> {
        let Sent { from, submission, at } = sent;
        let post = submission.proposal.call.post()?;
        Some(Self { from, post, submission: Some(submission), at })
    }
}

/// The three chains and the state that they add up to.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) member: Member,
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
    pub(super) fn new(member: Member) -> Self {
        let contract = Contract::new(Arc::clone(&member.genesis));
        let (header_hash, commit_hash) = (Digest::default(), Digest::default());
        let heads = ChannelName::ALL.map(|channel| Head { channel, blocks: 0, header_hash, commit_hash });
        Self { member, contract, state: WorldState::default(), links: Links { heads, blocks: 0 } }
    }

    /// The first block of a channel: the genesis itself on the main chain, its identifier on the others.
    pub(super) fn begin(&mut self, channel: ChannelName, now: Time) -> Block {
        let call = match channel {
            ChannelName::Trade => Call::Genesis(Arc::clone(&self.member.genesis)),
            _ => Call::Anchor(self.member.chain),
        };
        let submission = Submission::unsigned(Party::Ledger, call);
        let (reads, result, endorsements) = (Vec::new(), Ok(Vec::new()), Vec::new());
        let execution = Execution { submission, reads, result, unkept: 0, endorsements };
        self.seal(channel, &[Pending { from: LEDGER, at: now, execution }], now).0
    }

    /// Carries out a call that has reached the ledger, without changing anything yet.
    pub(super) fn execute(&self, Sent { from, submission, at }: Sent) -> Pending {
        let mut simulation = Simulation::of(&self.state, self.member.keeps_chains());
        let Proposal { creator, call } = &submission.proposal;
        let validity = self.contract.execute(*creator, call, &mut simulation);
        let Simulation { reads, writes, unkept, .. } = simulation;
        let (result, unkept, endorsements) = (validity.map(|()| writes), unkept.unwrap_or_default(), Vec::new());
        Pending { from, at, execution: Execution { submission, reads, result, unkept, endorsements } }
    }

    /// Stands for what it has made of a call, as a peer.
    pub(super) fn endorse(&self, execution: &Execution) -> Endorsement {
        let signature = match self.member.keeps_chains() {
            true => {
                let proposal = execution.submission.proposal.to_json();
                self.member.sign_text(&execution.envelope(proposal, Time::ZERO).execution())
            }
            // Nobody can ever check it: who stands for it is known by where it came from.
            false => self.member.name_in_place_of_signature(),
        };
        Endorsement::new(self.member.party, signature)
    }

    /// Whether a peer stands for the same as has been made of a call here.
    pub(super) fn is_endorsed(&self, execution: &Execution, endorsement: &Endorsement) -> bool {
        let Member { genesis, chain, .. } = &self.member;
        match (endorsement.signature, genesis.key(endorsement.by)) {
            (Some(signature), Some(key)) if self.member.keeps_chains() => {
                let proposal = execution.submission.proposal.to_json();
                let text = execution.envelope(proposal, Time::ZERO).execution();
                Claim { key, text: &text, signature }.holds(*chain)
            }
            (signature, key) => signature == key.map(|key| key.name()),
        }
    }

    /// Validates transactions in this order and makes them the next block of a channel; tells what became of each.
    pub(super) fn seal(
        &mut self,
        channel: ChannelName,
        transactions: &[Pending],
        time: Time,
    ) -> (Block, Vec<Validity>) {
        let number = self.links.heads[channel as usize].blocks;
        let write = |pending: &Pending| {
            let execution = &pending.execution;
            let proposal = || execution.submission.proposal.to_json();
            self.member.keeps_chains().then(|| execution.envelope(proposal(), pending.at))
        };
        let envelopes: Vec<Option<Envelope>> = transactions.iter().map(write).collect();
        let seals = self.check_seals(transactions, &envelopes);
        // Whoever watches hears of the orderer's blocks only.
        let is_watched = self.member.party == Party::Ledger;
        // A few are over sooner than others are asked to help.
        let lengths: Vec<u64> = match is_watched && !self.member.keeps_chains() {
            true if transactions.len() >= 128 => transactions.par_iter().map(Pending::length).collect(),
            true => transactions.iter().map(Pending::length).collect(),
            false => Vec::new(),
        };
        let (mut recorded, mut codes) =
            (Vec::with_capacity(transactions.len()), Vec::with_capacity(transactions.len()));
        for (position, ((pending, envelope), seals)) in transactions.iter().zip(envelopes).zip(seals).enumerate() {
            let Pending { at: submitted, execution, .. } = pending;
            let (validity, submitted) = (self.validate(execution, seals), *submitted);
            let text = envelope.as_ref().map(Envelope::to_json);
            let length = match &text {
                Some(text) => text.len() as u64,
                None => lengths.get(position).copied().unwrap_or_default(),
            };
            let writes = match (validity, envelope) {
                (Ok(()), Some(Envelope { outcome: Outcome::Writes(writes), .. })) => writes,
                _ => Vec::new(),
            };
            if let (Ok(()), Ok(facts)) = (validity, &execution.result) {
                facts.iter().for_each(|(key, fact)| self.state.apply(*key, fact, Version(number, position as u32)));
            }
            recorded.push(Recorded { submitted, envelope: text.unwrap_or_default(), length, validity, writes });
            codes.push(validity);
        }
        (self.link(channel, recorded, time), codes)
    }

    /// What a block comes to, to be compared.
    pub(super) fn outcome(&self, block: &Block) -> Digest {
        let commit_hash = self.member.keeps_chains().then_some(block.commit_hash);
        Sealed::outcome(commit_hash, block.transactions.iter().map(|transaction| transaction.validity))
    }

    /// How many blocks there are on all three.
    pub(super) fn blocks(&self) -> u64 {
        self.links.blocks
    }

    /// Whether a transaction counts, at its turn.
    fn validate(&self, execution: &Execution, seals: Seals) -> Validity {
        if !seals.signed {
            return Err(Refusal::BadSignature);
        }
        let current = self.state.is_current(&execution.reads);
        match execution.result {
            Err(refusal) => Err(if current { refusal } else { Refusal::StaleRead }),
            Ok(_) if !seals.endorsed || seals.peers < seals.endorsers => Err(Refusal::PolicyUnmet),
            Ok(_) if !current => Err(Refusal::StaleRead),
            Ok(_) => Ok(()),
        }
    }

    /// Whether a submission is signed as the policies ask. By the strict rules, by itself: so it is among whichever
    /// others its block may bring it together with later.
    pub(super) fn is_signed(&self, sent: &Sent) -> bool {
        let genesis = &self.member.genesis;
        if !genesis.must_be_signed(sent.creator(), sent.call()) {
            return true;
        }
        let (Some(signature), Some(key)) = (sent.submission.signature, genesis.key(sent.creator())) else {
            return false;
        };
        signature.is_under(&sent.submission.proposal, key, self.member.chain)
    }

    /// Checks all signatures under these transactions, where there are texts together; `envelopes` are these.
    fn check_seals(&self, transactions: &[Pending], envelopes: &[Option<Envelope>]) -> Vec<Seals> {
        let (genesis, chain) = (&self.member.genesis, self.member.chain);
        let mut seals = Vec::with_capacity(transactions.len());
        // Those of a block are checked together; `claimed` has whose they are.
        let (mut claims, mut claimed) = (Vec::new(), Vec::new());
        let executions: Vec<String> = match genesis.peers.is_empty() {
            true => Vec::new(),
            false => envelopes.iter().flatten().map(Envelope::execution).collect(),
        };
        for (index, (pending, envelope)) in transactions.iter().zip(envelopes).enumerate() {
            let Execution { submission, endorsements, .. } = &pending.execution;
            let Proposal { creator, call } = &submission.proposal;
            let needed = genesis.must_be_signed(*creator, call);
            let mut signed = !needed;
            if let (true, Some(signature), Some(key)) = (needed, submission.signature, genesis.key(*creator)) {
                match envelope {
                    Some(envelope) => {
                        claims.push(Claim { key, text: envelope.proposal.get(), signature });
                        claimed.push((index, false));
                    }
                    None => signed = signature.is_under(&submission.proposal, key, chain),
                }
            }
            let endorsed = match call {
                // The ledger itself proposes only what both sides have endorsed.
                Call::Settle(_) => *creator == Party::Ledger,
                Call::RecordEnergy(_, _, Some(invoice)) => {
                    let invoice = InvoiceTo { party: *creator, invoice: *invoice };
                    let mut endorsements = submission.endorsements.iter();
                    endorsements.any(|endorsement| genesis.is_endorsed(&invoice, endorsement, chain))
                }
                _ => true,
            };
            let (endorsers, mut peers, mut last) = (genesis.endorsers(*creator, call), 0, None);
            let all = submission.endorsements.iter().chain(endorsements).filter(|_| endorsers > 0);
            for Endorsement { by, signature, .. } in all.filter(|one| matches!(one.by, Party::Peer(_))) {
                // Each peer counts once.
                if last.is_some_and(|last| last >= *by) {
                    continue;
                }
                last = Some(*by);
                match (signature, genesis.key(*by), executions.get(index)) {
                    (Some(signature), Some(key), Some(text)) => {
                        claims.push(Claim { key, text, signature: *signature });
                        claimed.push((index, true));
                    }
                    (Some(signature), Some(key), None) => peers += usize::from(*signature == key.name()),
                    (None, None, _) => peers += usize::from(!genesis.has_signatures()),
                    _ => {}
                }
            }
            seals.push(Seals { signed, endorsed, peers, endorsers });
        }
        for ((index, is_of_peer), holds) in claimed.into_iter().zip(verify(chain, &claims)) {
            match is_of_peer {
                false => seals[index].signed = holds,
                true => seals[index].peers += usize::from(holds),
            }
        }
        seals
    }

    /// Makes the next block of these. Where nobody keeps the chain it has no hashes: there are no texts that they were of.
    fn link(&mut self, channel: ChannelName, transactions: Vec<Recorded>, time: Time) -> Block {
        let kept = self.member.keeps_chains();
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
        let signature = self.member.sign(&checkpoint);
        SignedCheckpoint { checkpoint, signature }
    }
}

/// Which signatures under a submission hold.
#[derive(Clone, Copy, Debug)]
struct Seals {
    /// Its maker's, or none is needed.
    signed: bool,
    /// Those of the grid and of participants, where the policies name them.
    endorsed: bool,
    /// Those of so many peers.
    peers: usize,
    /// So many have to be there.
    endorsers: usize,
}
