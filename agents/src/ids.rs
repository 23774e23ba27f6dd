//! Who is who: addresses of actors, numbers of prosumers and slots, names of the ledger's channels.

pub use microgrid_actor::ActorId;
use serde::{Deserialize, Serialize};

/// The ledger's address.
pub const LEDGER: ActorId = ActorId(0);
/// The utility grid's address.
pub const GRID: ActorId = ActorId(1);
/// The first prosumer's address; the others follow.
pub const FIRST_PROSUMER: ActorId = ActorId(2);

/// The address of the peer with this number, from 1, among so many prosumers: behind all of them.
pub fn peer(prosumers: usize, number: u32) -> ActorId {
    ActorId(FIRST_PROSUMER.0 + prosumers as u32 + number - 1)
}

/// The number of the peer at this address, from 1, among so many prosumers; the ledger that is its only peer is the first.
pub fn peer_number(prosumers: usize, address: ActorId) -> u32 {
    address.0.checked_sub(peer(prosumers, 1).0).map_or(1, |place| place + 1)
}

/// A prosumer by its position in the population, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProsumerId(pub u32);

impl ProsumerId {
    /// The prosumer behind this address, or `None` for the grid and the ledger. A peer's is behind all of theirs.
    pub fn of(actor: ActorId) -> Option<Self> {
        actor.0.checked_sub(FIRST_PROSUMER.0).map(Self)
    }

    /// Position in the population, to index a list of prosumers.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Where this prosumer receives messages.
    pub fn actor(self) -> ActorId {
        ActorId(self.0 + FIRST_PROSUMER.0)
    }
}

/// A market period, counted from 1 as in the scenario's files.
pub type Slot = u32;

/// One of the ledger's three channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelName {
    /// Main chain: registrations and bills.
    Trade,
    /// Quotes and choices of the game.
    Information,
    /// Meter readings and the grid's invoices.
    Energy,
}

impl ChannelName {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Trade, Self::Information, Self::Energy];

    /// Its name, as it stands on the chain.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Information => "information",
            Self::Energy => "energy",
        }
    }
}
