//! The market's protocol: what its actors say to each other, to themselves, and to whoever watches.

use crate::{
    ids::{ChannelName, Slot},
    message::Message,
    observation::Observation,
};
pub use microgrid_actor::Actor;
use microgrid_actor::Protocol;
use serde::{Deserialize, Serialize};

/// The market's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketProtocol;

impl Protocol for MarketProtocol {
    type Message = Message;
    type Wake = Wake;
    type Observation = Observation;

    const MILESTONE: &'static str = "slot has closed";

    fn milestone(observation: &Observation) -> Option<u32> {
        if let Observation::SlotClosed(slot) = observation { Some(*slot) } else { None }
    }

    fn is_checkpoint(observation: &Observation) -> bool {
        matches!(observation, Observation::Checkpoint(_))
    }
}

/// What the host hands to one of the market's actors for the length of one call.
pub type Context<'a> = microgrid_actor::Context<'a, MarketProtocol>;

/// Something that one of the market's actors wants done.
pub type Effect = microgrid_actor::Effect<MarketProtocol>;

/// Where an actor is that has got to this slot, if any.
pub(crate) fn in_slot(slot: Slot) -> Option<String> {
    (slot > 0).then(|| format!("in slot {slot}"))
}

/// Why an actor wanted to be woken. Wake-ups cannot be cancelled: an actor ignores those that no longer matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wake {
    /// A new slot begins.
    SlotBegins(u32),
    /// Time to act in the market game of this slot.
    Act(u32),
    /// Time to ask again for what has not been acknowledged; the number tells which question it was.
    Retry(u64),
    /// Time to see whether the ledger has been heard of.
    Watch,
    /// The oldest transaction of a ledger channel has waited long enough; the number tells in which batch.
    CutBlock(ChannelName, u64),
    /// The oldest post that does not become a transaction has waited long enough; the number tells in which batch.
    TakePosts(u64),
    /// What this instant's blocks have changed in the game of this slot is complete: time to show it.
    Publish(u32),
    /// Registration for this slot ends, even if somebody is missing.
    RegistrationCloses(u32),
    /// The market of this slot closes, whether it has settled down or not.
    GateCloses(u32),
    /// Bills of this slot that were not endorsed by now are void.
    BillsExpire(u32),
    /// Last posts of this slot's game that peers have not handed in by now are void.
    PostsExpire(u32),
    /// Time to repeat blocks to peers that have not said that they have them.
    Redeliver,
    /// A settlement of this slot that too few peers have endorsed by now is void.
    SettlementExpires(u32),
    /// What the clients of a peer have said in this instant is complete: time to hand it in.
    HandIn,
    /// What falls due at the grid in this instant is complete: time to sign it and send invoices.
    SendInvoices,
}
