//! How messages travel, and what befalls them and their senders.

use super::brackets;
use indexmap::IndexMap;
use microgrid_network::{Delay, Memory};
use serde::{Deserialize, Serialize};
use std::time::Duration;

with_defaults! {
    /// How messages travel.
    pub struct Network {
        /// How long a message takes.
        pub delay: Delay = Delay::Constant(Duration::from_millis(10)),
        /// Largest relative deviation from that, in [0, 1]: each message takes its delay times a factor of its own, drawn
        /// evenly from 1 - jitter to 1 + jitter.
        pub jitter: f64 = 0.0,
        /// Probability that a message is lost, in [0, 1).
        pub loss: f64 = 0.0,
        /// Probability that a message that is not lost arrives twice, in [0, 1].
        pub duplication: f64 = 0.0,
        /// Named parts of the population, for links and conditions.
        pub groups: IndexMap<String, Members> = IndexMap::new(),
        /// Links that differ from the rest; of several that fit a message, each sets what it gives, the last one last.
        pub links: Vec<Link> = Vec::new(),
        /// What happens on the way, and when.
        pub conditions: Vec<Condition> = Vec::new(),
    }
}

/// Who belongs to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Members {
    /// These prosumers, by number.
    Prosumers(Vec<u32>),
    /// This part of all prosumers, in [0, 1]; who they are is drawn from the seed, and a larger part holds a smaller.
    Share(f64),
}

/// Actors that send or receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// All actors.
    Everybody,
    /// The ledger: its orderer and all its peers.
    Ledger,
    /// The ledger's orderer alone.
    Orderer,
    /// The peer with this number, from 1.
    Peer(u32),
    /// The utility grid.
    Grid,
    /// All prosumers.
    Prosumers,
    /// The prosumer with this number.
    Prosumer(u32),
    /// The group of this name.
    Group(String),
}

/// Links between two parties, and how they differ; what is not given is as for everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Senders.
    pub from: Who,
    /// Receivers.
    pub to: Who,
    /// Whether the way back is left as it is.
    #[serde(default)]
    pub one_way: bool,
    /// How long a message takes.
    pub delay: Option<Delay>,
    /// Largest relative deviation from that, in [0, 1].
    pub jitter: Option<f64>,
    /// Probability that a message is lost, in [0, 1).
    pub loss: Option<f64>,
    /// Probability that a message that is not lost arrives twice, in [0, 1].
    pub duplication: Option<f64>,
}

/// Something that happens on the simulated clock, once or again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// When it begins, counted from the start of the run.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// How long it lasts; to the end of the run if it is not given.
    #[serde(default, with = "humantime_serde")]
    pub lasting: Option<Duration>,
    /// After how long it happens again; once only if it is not given.
    #[serde(default, with = "humantime_serde")]
    pub every: Option<Duration>,
    /// What happens.
    pub what: Incident,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Incident {
    /// Nothing that is sent from one party to the other arrives, nor the other way. What is under way arrives.
    Partition {
        /// One party.
        from: Who,
        /// The other.
        to: Who,
        /// Whether the way back stays open.
        #[serde(default)]
        one_way: bool,
    },
    /// Links change.
    Link(#[serde(deserialize_with = "brackets::held")] Link),
    /// Actors stop: what is sent to them is lost, and they do nothing until they start again.
    Crash {
        /// Who.
        who: Who,
        /// What they still know when they start again.
        #[serde(default)]
        memory: Memory,
    },
}
