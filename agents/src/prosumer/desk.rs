//! Where a prosumer turns to the ledger, and what becomes of that when nobody answers there.

use crate::{
    ids::{ActorId, LEDGER},
    time::Time,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The ledger's peers as prosumers know them who go to another when theirs does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peers {
    /// The address of the first; the others follow.
    pub first: ActorId,
    /// How many there are.
    pub count: u32,
    /// After how long a prosumer that hears nothing asks whether its peer is there.
    pub patience: Duration,
}

impl Peers {
    /// Whether this is the address of one.
    pub(super) fn has(&self, actor: ActorId) -> bool {
        (self.first.0..self.first.0 + self.count).contains(&actor.0)
    }
}

/// Where a prosumer turns to the ledger.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Desk {
    /// The ledger, or the peer whose client it is.
    pub(super) address: ActorId,
    /// When it has last heard from there.
    heard: Time,
    /// How often it has repeated itself since.
    unanswered: u32,
}

impl Desk {
    /// So many repeats without an answer, and a prosumer goes to the next peer.
    const MOST_UNANSWERED: u32 = 2;

    /// At this address: the ledger's, or a peer's.
    pub fn at(address: ActorId) -> Self {
        Self { address, heard: Time::ZERO, unanswered: 0 }
    }

    /// Where a message for this actor goes.
    pub(super) fn of(&self, actor: ActorId) -> ActorId {
        if actor == LEDGER { self.address } else { actor }
    }

    /// Something has come from there.
    pub(super) fn hear(&mut self, now: Time) {
        (self.heard, self.unanswered) = (now, 0);
    }

    /// Whether it has been silent for longer than this.
    pub(super) fn is_silent(&self, now: Time, longest: Duration) -> bool {
        now - self.heard > longest
    }

    /// A question to the ledger is repeated: after some times without any answer, to the next peer.
    pub(super) fn repeat(&mut self, peers: &Peers) {
        self.unanswered += 1;
        if self.unanswered >= Self::MOST_UNANSWERED {
            let next = (self.address.0 - peers.first.0 + 1) % peers.count;
            (self.address, self.unanswered) = (ActorId(peers.first.0 + next), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_answered_goes_round_all_peers() {
        let peers = Peers { first: ActorId(7), count: 3, patience: Duration::ZERO };
        let mut desk = Desk::at(ActorId(8));
        let mut address_after = |repeats: u32| {
            (0..repeats).for_each(|_| desk.repeat(&peers));
            desk.address.0
        };
        assert_eq!([1, 1, 2, 2, 2].map(&mut address_after), [8, 9, 7, 8, 9]);
        desk.repeat(&peers);
        desk.hear(Time(1));
        desk.repeat(&peers);
        assert_eq!(desk.address, ActorId(9), "an answer in between");
        assert_eq!([LEDGER, ActorId(1)].map(|actor| desk.of(actor)), [ActorId(9), ActorId(1)]);
    }
}
