//! What the ledger keeps from one slot to the next: all that it is saved with when a run is to go on later.

use super::{Ledger, Phase, Unpublished, chains::Links};
use crate::{
    ids::{ChannelName, Slot},
    saved::{Unreadable, from_bytes, to_bytes},
};
use serde::{Deserialize, Serialize};

/// The ledger between two slots. Of its world state nothing is needed: a call reads only what stands there of its own slot, and
/// none of a slot that is over is under way. Tariffs, registrations and readings are those of one slot too.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    slot: Slot,
    links: Links,
    /// Numbers of the batches that are filled next: of each channel, and of posts.
    batches: ([u64; 3], u64),
    unpublished: Unpublished,
    repeats: u64,
    /// The place of each prosumer's peer.
    homes: Vec<u32>,
}

impl Ledger {
    /// `None` where a slot is open, or something waits for its block.
    pub(super) fn saved(&self) -> Option<Vec<u8>> {
        // All by name, so that whoever adds something says whether it stays from slot to slot.
        let Self {
            rules: _,
            chains,
            replicas,
            queues,
            posts,
            slot,
            opened: _,
            gate_closes: _,
            next_tariff,
            registrations: _,
            readings: _,
            taker: _,
            phase,
            closing: _,
            unpublished,
            repeats,
        } = self;
        let nothing_waits =
            replicas.have_all() && queues.iter().all(|queue| queue.waiting.is_empty()) && posts.waiting.is_empty();
        let between_slots = matches!(phase, Phase::BetweenSlots) && next_tariff.is_none();
        (between_slots && nothing_waits).then(|| {
            to_bytes(&Saved {
                slot: *slot,
                links: chains.links,
                batches: (ChannelName::ALL.map(|channel| queues[channel as usize].batch), posts.batch),
                unpublished: *unpublished,
                repeats: *repeats,
                homes: replicas.homes().to_vec(),
            })
        })
    }

    pub(super) fn restored(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        let Saved { slot, links, batches, unpublished, repeats, homes } = from_bytes(saved)?;
        if slot > *self.rules.slots.end() {
            return Err(Unreadable(format!("it has no slot {slot}")));
        }
        if homes.len() != self.rules.homes.len() {
            return Err(Unreadable("it has other peers".to_owned()));
        }
        (self.slot, self.opened, self.phase) = (slot, None, Phase::BetweenSlots);
        (self.chains.links, self.unpublished, self.repeats) = (links, unpublished, repeats);
        self.queues.iter_mut().zip(batches.0).for_each(|(queue, batch)| queue.batch = batch);
        self.posts.batch = batches.1;
        self.replicas.restore(homes, self.chains.blocks());
        self.chains.state.closed = slot;
        Ok(())
    }
}
