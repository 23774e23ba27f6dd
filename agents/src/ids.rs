//! Who is who: addresses of actors, numbers of prosumers and slots, names of the ledger's channels.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Address of an actor within one simulation.
///
/// The ledger is 0, the grid 1, and prosumer `n` (counted from 0) is `2 + n`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub u32);

impl ActorId {
    /// The ledger.
    pub const LEDGER: Self = Self(0);
    /// The utility grid.
    pub const GRID: Self = Self(1);
    /// How many actors there are besides the prosumers.
    pub const OTHERS: u32 = 2;

    /// The prosumer behind this address, or `None` for the grid and the ledger.
    pub fn prosumer(self) -> Option<ProsumerId> {
        self.0.checked_sub(Self::OTHERS).map(ProsumerId)
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LEDGER => f.write_str("ledger"),
            Self::GRID => f.write_str("grid"),
            Self(address) => write!(f, "actor {address}"),
        }
    }
}

/// A prosumer by its position in the population, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProsumerId(pub u32);

impl ProsumerId {
    /// Position in the population, to index a list of prosumers.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Where this prosumer receives messages.
    pub fn actor(self) -> ActorId {
        ActorId(self.0 + ActorId::OTHERS)
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
