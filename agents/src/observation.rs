//! What actors report about themselves. Nothing in the simulation reads it back, so watching changes nothing.

use crate::{
    chain::{
        block::{Block, SignedCheckpoint},
        fact::Clearing,
        hash::Digest,
        refusal::Refusal,
    },
    ids::{ActorId, ChannelName, ProsumerId, Slot},
    market::{
        balance::{Account, Balance, Metered, SlotFacts},
        settlement::Trade,
    },
    message::{Exchange, MarketOpened, MarketState, Notice, SlotOpened},
    parcel,
    statement::{Invoice, Outcome},
    units::Money,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// One of the market's observations with its origin.
pub type Observed = microgrid_actor::Observed<Observation>;

/// Something worth knowing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Observation {
    /// Ledger: a slot has begun.
    SlotOpened(SlotOpened),
    /// Ledger: its market has opened.
    MarketOpened(#[serde(with = "parcel::shared")] Arc<MarketOpened>),
    /// Ledger: a block of the game was committed.
    Committed(Commit),
    /// Ledger: a mechanism that clears by a rule has shown how it stands.
    Noticed(Arc<Notice>),
    /// Ledger: this was announced or executed in a slot.
    Cleared(Slot, Arc<Clearing>),
    /// Prosumer: decided on its price or choice, on news of this age, so many times one after the other. Told when the age
    /// changes and when its game is over.
    Decided(Slot, Duration, u32),
    /// Ledger: the game of a slot is over. Sent for every slot in which the market was to open.
    GameOver(Arc<GameOver>),
    /// Ledger: these trades are final.
    Settled(Slot, Arc<Vec<Trade>>),
    /// Ledger: too few peers have endorsed the settlement of a slot, so that no trade of it is final.
    Voided(Slot),
    /// Ledger: refused what somebody sent.
    Refused(Refused),
    /// Ledger: a block was committed to its chain.
    Sealed(Arc<Block>),
    /// Peer: has validated so many blocks, the last of which has come to this.
    Replicated(u64, Digest),
    /// Ledger: all blocks so far stand, by the ledger's signature. Sent after the first blocks, when a slot closes and,
    /// if the rules ask for it, after every block.
    Checkpoint(Arc<SignedCheckpoint>),
    /// Grid: an exchange with a prosumer is booked.
    Exchanged(Exchange, Invoice),
    /// Prosumer: its slot is complete.
    ProsumerDone(Box<ProsumerSlot>),
    /// Ledger: everything of the slot is in; the run is over if it was the last.
    SlotClosed(Slot),
}

/// A committed block of the game.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Commit {
    /// The market after it.
    #[serde(with = "parcel::shared")]
    pub state: Arc<MarketState>,
    /// Whether the block held a choice, so that demands, shares and net utilities may have changed at every seller.
    pub choices: bool,
    /// How many posts count that are not on the chain.
    pub off_chain: u32,
    /// Indices of the sellers whose quote the block held, in ascending order.
    pub quoted: Vec<u32>,
}

/// What the ledger refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Of which slot it was to tell.
    pub slot: Slot,
    /// Who asked for it.
    pub from: ActorId,
    /// Why it was refused.
    pub refusal: Refusal,
    /// The channel on which it belongs.
    pub channel: ChannelName,
    /// Whether it stands on the chain nevertheless, with the refusal as its code.
    pub on_chain: bool,
}

/// The end of a slot's game.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GameOver {
    /// Which slot.
    pub slot: Slot,
    /// How it ended.
    pub outcome: Outcome,
    /// How many sellers and buyers were admitted: have registered in time.
    pub admitted: u32,
    /// Most choices that one buyer made.
    pub rounds: u32,
    /// From the opening of the market to rest; `None` if it did not come to rest.
    pub time_to_equilibrium: Option<Duration>,
    /// The market at the end, by quotes and choices; `None` if there were none.
    #[serde(with = "parcel::shared_if_any")]
    pub state: Option<Arc<MarketState>>,
}

/// A prosumer's slot, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProsumerSlot {
    /// Which slot.
    pub slot: Slot,
    /// Who.
    pub prosumer: ProsumerId,
    /// What it brought to the slot, as it had foreseen.
    pub facts: SlotFacts,
    /// What its meter has read of that.
    pub metered: Metered,
    /// What its trades with other prosumers add up to.
    pub trades: Account,
    /// How the slot came out, storage and grid included.
    pub balance: Balance,
    /// Where it turns to the ledger when it has read its meter: to the ledger, or to the peer whose client it is.
    pub desk: ActorId,
}

impl ProsumerSlot {
    /// Paid to prosumers and to the grid.
    pub fn paid(&self) -> Money {
        self.trades.paid + self.balance.grid_paid
    }

    /// Earned from prosumers and from the grid.
    pub fn earned(&self) -> Money {
        self.trades.earned + self.balance.grid_earned
    }
}
