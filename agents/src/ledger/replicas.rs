//! The peers as the orderer knows them: which blocks each has, what it is to tell its clients, and who is one of these.
//!
//! Without any the ledger is its only peer, and everybody's.

use super::{LedgerRules, arrived::Arrived};
use crate::{
    actor::{Context, Wake},
    chain::{hash::Digest, submission::Sealed},
    ids::{ActorId, ProsumerId, peer},
    message::{Delivered, HandedIn, Message},
    time::Time,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// All peers.
#[derive(Debug)]
pub(super) struct Replicas {
    peers: Vec<Replica>,
    /// The place of the peer by which each prosumer was last heard.
    homes: Vec<u32>,
    /// Newest blocks, down to the last that all have.
    kept: VecDeque<Arc<Sealed>>,
    /// How many blocks there are.
    pub(super) blocks: u64,
    /// After how long an unanswered message is repeated.
    retry_after: Duration,
    /// Once a run is over, a peer that is behind and does not answer is asked for so long: a slot. It is over before a run
    /// counts as stalled.
    patience: Duration,
    /// Since when peers have been asked though the run is over.
    over_since: Option<Time>,
    /// How often peers that are behind have been asked since anybody has said anything.
    asked: u32,
    /// Whether a wake-up to ask them is under way.
    asks_later: bool,
}

/// A peer.
#[derive(Debug)]
struct Replica {
    address: ActorId,
    /// So many blocks it has, as far as it has said.
    has: u64,
    /// So many it has been sent.
    sent: u64,
    /// Since when it has not answered what it was sent.
    silent_since: Option<Time>,
    /// The number of what it is delivered next.
    number: u64,
    /// What it has handed in.
    arrived: Arrived,
    told: Vec<(Option<ProsumerId>, Message)>,
}

impl Replicas {
    /// As many peers as there are, each prosumer the client of the one at its place in the rules' `homes`.
    pub(super) fn new(peers: usize, rules: &LedgerRules, prosumers: usize) -> Self {
        let replica = |n| Replica {
            address: peer(prosumers, n + 1),
            has: 0,
            sent: 0,
            silent_since: None,
            number: 0,
            arrived: Arrived::default(),
            told: Vec::new(),
        };
        let peers = (0..peers as u32).map(replica).collect();
        let (homes, kept) = (rules.homes.to_vec(), VecDeque::new());
        let (retry_after, patience) = (rules.retry_after, rules.slot_length);
        Self { peers, homes, kept, blocks: 0, retry_after, patience, over_since: None, asked: 0, asks_later: false }
    }

    pub(super) fn are_there(&self) -> bool {
        !self.peers.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.peers.len()
    }

    /// The place of the peer at this address.
    pub(super) fn place(&self, actor: ActorId) -> Option<usize> {
        let place = actor.0.checked_sub(self.peers.first()?.address.0)? as usize;
        (place < self.peers.len()).then_some(place)
    }

    /// Begins, and has the peers begin, with so many blocks that everybody has made for itself.
    pub(super) fn begin(&mut self, blocks: u64) {
        self.blocks = blocks;
        self.kept.clear();
        self.peers.iter_mut().for_each(|replica| (replica.has, replica.sent) = (blocks, blocks));
    }

    /// Tells somebody something, if it is a prosumer by its peer.
    pub(super) fn tell(&mut self, to: ActorId, message: Message, context: &mut Context<'_>) {
        match ProsumerId::of(to).and_then(|prosumer| Some((prosumer, *self.homes.get(prosumer.index())?))) {
            Some((prosumer, home)) => self.peers[home as usize].told.push((Some(prosumer), message)),
            None => context.send(to, message),
        }
    }

    /// Tells something to all whom it concerns: the `audience`.
    pub(super) fn tell_all(&mut self, audience: &Arc<[ActorId]>, message: Message, context: &mut Context<'_>) {
        if self.are_there() { self.tell_peers(&message) } else { context.broadcast(audience, message) }
    }

    /// The same of what changes only what they know.
    pub(super) fn announce(&mut self, audience: &Arc<[ActorId]>, message: Message, context: &mut Context<'_>) {
        if self.are_there() { self.tell_peers(&message) } else { context.announce(audience, message) }
    }

    /// Tells all peers something.
    pub(super) fn tell_peers(&mut self, message: &Message) {
        self.peers.iter_mut().for_each(|replica| replica.told.push((None, message.clone())));
    }

    /// Tells the peer at this place something.
    pub(super) fn tell_peer(&mut self, place: usize, message: Message) {
        self.peers[place].told.push((None, message));
    }

    /// There is a new block.
    pub(super) fn add(&mut self, sealed: Sealed) {
        self.blocks = sealed.header.position + 1;
        self.kept.push_back(Arc::new(sealed));
    }

    pub(super) fn homes(&self) -> &[u32] {
        &self.homes
    }

    /// Goes on with these clients of each peer.
    pub(super) fn restore(&mut self, homes: Vec<u32>, blocks: u64) {
        self.homes = homes;
        self.begin(blocks);
    }

    /// A prosumer was heard by this peer; gives the one that it has left, if it has.
    pub(super) fn heard_of(&mut self, prosumer: ProsumerId, place: usize) -> Option<usize> {
        let before = std::mem::replace(&mut self.homes[prosumer.index()], place as u32) as usize;
        if before == place {
            return None;
        }
        self.peers[before].told.push((Some(prosumer), Message::Left));
        Some(before)
    }

    /// Tells a peer which of its clients, by the scenario, are others' now.
    pub(super) fn tell_of_leavers(&mut self, place: usize, scenario: &[u32]) {
        let homes = (0..).map(ProsumerId).zip(scenario.iter().zip(&self.homes));
        let gone = homes.filter(|(_, (first, now))| **first as usize == place && first != now);
        self.peers[place].told.extend(gone.map(|(prosumer, _)| (Some(prosumer), Message::Left)));
    }

    /// Whether a peer has not answered for longer than this what it was sent.
    pub(super) fn is_silent(&self, place: usize, longest: Duration, now: Time) -> bool {
        self.peers[place].silent_since.is_some_and(|since| now - since > longest)
    }

    /// The places of peers of which none of these is a client.
    pub(super) fn without(&self, clients: impl Iterator<Item = ProsumerId>) -> Vec<usize> {
        let mut have = vec![false; self.peers.len()];
        clients.for_each(|client| have[self.homes[client.index()] as usize] = true);
        (0..).zip(have).filter(|(_, has)| !has).map(|(place, _)| place).collect()
    }

    /// Whether what this peer hands in has not come before.
    pub(super) fn is_first(&mut self, place: usize, number: u64) -> bool {
        self.peers[place].arrived.is_first(number)
    }

    /// Takes note of how far a peer has come.
    ///
    /// # Errors
    /// If it has come to something else than the orderer.
    pub(super) fn heard(&mut self, place: usize, handed: &HandedIn) -> Result<(), String> {
        let &HandedIn { blocks, outcome, lacks, .. } = handed;
        let first = self.blocks - self.kept.len() as u64;
        let last = blocks.checked_sub(first + 1).and_then(|place| self.kept.get(place as usize));
        if let Some(block) = last.filter(|block| block.outcome != outcome) {
            return Err(self.divergence(place, block, outcome));
        }
        self.asked = 0;
        let replica = &mut self.peers[place];
        replica.has = replica.has.max(blocks);
        replica.silent_since = None;
        if lacks {
            replica.sent = replica.has;
        }
        // The last that all have is kept, to be compared with what others say of it.
        let by_all = self.peers.iter().map(|replica| replica.has).min().unwrap_or(0);
        while self.kept.front().is_some_and(|block| block.header.position + 1 < by_all) {
            self.kept.pop_front();
        }
        Ok(())
    }

    fn divergence(&self, place: usize, block: &Sealed, outcome: Digest) -> String {
        let (number, channel) = (block.header.number, block.header.channel);
        let agree = |(n, replica): (usize, &Replica)| {
            (n != place && replica.has > block.header.position).then(|| format!("peer {}", n + 1))
        };
        let agreeing: Vec<String> = self.peers.iter().enumerate().filter_map(agree).collect();
        let others = if agreeing.is_empty() { String::new() } else { format!(", like {}", agreeing.join(", ")) };
        format!(
            "peer {} comes to another result of block {number} of channel {channel:?}: {outcome}, where the orderer{others} \
             comes to {}",
            place + 1,
            block.outcome
        )
    }

    /// Sends each peer what it has not been sent yet.
    pub(super) fn flush(&mut self, context: &mut Context<'_>) {
        let (blocks, first) = (self.blocks, self.blocks - self.kept.len() as u64);
        for replica in &mut self.peers {
            if replica.sent == blocks && replica.told.is_empty() {
                continue;
            }
            let sealed = self.kept.iter().skip(replica.sent.saturating_sub(first) as usize).cloned().collect();
            let told = std::mem::take(&mut replica.told);
            replica.deliver(sealed, blocks, told, context);
            replica.sent = blocks;
            replica.silent_since.get_or_insert(context.now());
        }
        if !self.asks_later && !self.have_all() {
            self.asks_later = true;
            // Ever more rarely, where nobody says anything.
            let after = self.retry_after.saturating_mul(2u32.saturating_pow(self.asked));
            context.wake_after(after.min(self.patience / 2), Wake::Redeliver);
        }
    }

    /// Whether all peers have all blocks.
    pub(super) fn have_all(&self) -> bool {
        self.peers.iter().all(|replica| replica.has == self.blocks)
    }

    /// Tells those who have not said that they have all blocks how many there are, so that they ask for what they lack; no
    /// more if the run `is_over` and nobody answers.
    pub(super) fn ask(&mut self, is_over: bool, context: &mut Context<'_>) {
        let since = if is_over { *self.over_since.get_or_insert(context.now()) } else { context.now() };
        self.asks_later = context.now() - since > self.patience;
        if self.asks_later {
            return;
        }
        self.asked += 1;
        for replica in self.peers.iter_mut().filter(|replica| replica.has < self.blocks) {
            replica.deliver(Vec::new(), self.blocks, Vec::new(), context);
        }
    }
}

impl Replica {
    fn deliver(
        &mut self,
        sealed: Vec<Arc<Sealed>>,
        blocks: u64,
        told: Vec<(Option<ProsumerId>, Message)>,
        context: &mut Context<'_>,
    ) {
        let delivered = Delivered { number: self.number, sealed, blocks, told };
        self.number += 1;
        context.send(self.address, Message::Delivered(Box::new(delivered)));
    }
}
