//! What everybody agrees on before a chain begins: who is a member, with which key, under which rules.

use super::{
    fact::Number,
    hash::Digest,
    identity::{Party, PublicKey},
};
use crate::{
    ids::{ProsumerId, Slot},
    json,
    market::{choice_set::ChoiceSet, demand::Demand, mechanism::Mechanism, opening::OpenSlots},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What everybody agrees on before a chain begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Name of the scenario.
    pub scenario: String,
    /// Number of the case.
    pub case: u32,
    /// Seed of the case, from which all keys are derived.
    pub seed: u64,
    /// What the contract holds everybody to.
    pub rules: Rules,
    /// Who must sign what.
    pub policies: Policies,
    /// Public key of the ledger; `None`, like all others, where nothing is signed.
    pub ledger: Option<PublicKey>,
    /// Public key of the grid.
    pub grid: Option<PublicKey>,
    /// Public keys of the peers, in the order of their numbers; none where the ledger is its only peer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Option<PublicKey>>,
    /// Numbers of the prosumers in ascending order, with their public keys.
    pub prosumers: Vec<(Number, Option<PublicKey>)>,
    /// Who has tariffs of the grid of its own: the members of each such group, in ascending order of their numbers.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub tariff_groups: Vec<Vec<Number>>,
}

/// What the contract holds everybody to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Number of slots.
    pub slots: Slot,
    /// The slots in which the market opens.
    pub open: OpenSlots,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Operator's fee on local trades, paid by the buyer [CNY/kWh].
    pub service_fee: f64,
    /// The grid's fee on local trades, paid by the buyer too [CNY/kWh].
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub grid_fee: f64,
    /// Largest relative move of a price from one version of a quote to the next, delta of (18).
    pub ramp: f64,
    /// Which sellers a buyer's choice tells of.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub choice_set: ChoiceSet,
    /// Whether every post of the game is a transaction, or each participant's last one only.
    pub posts: Posts,
    /// At how many transactions a block is cut.
    pub max_transactions: u32,
    /// Or how long after its first transaction [ns].
    #[serde(with = "json::nanoseconds")]
    pub timeout: Duration,
    /// Whether blocks may be cut later than that: where the ledger crashes, or goes by a machine's clock.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub late_blocks: bool,
    /// By which mechanism trades come about.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub mechanism: Mechanism,
}

impl Rules {
    /// What a buyer pays for each local kWh on top of its price, to the operator and to the grid [CNY/kWh].
    pub fn local_fee(&self) -> f64 {
        self.service_fee + self.grid_fee
    }
}

/// Which posts of the game become transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Posts {
    /// Every one.
    Every,
    /// Each participant's last one, when the game closes; the others travel through the ledger as messages.
    Last,
}

impl Posts {
    /// With so many prosumers, where nobody says and the order of posts decides nothing: every one up to 100.
    pub fn usual(prosumers: usize) -> Self {
        if prosumers <= 100 { Self::Every } else { Self::Last }
    }
}

/// What is signed: which calls of prosumers, or nothing at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signatures {
    /// Registrations, bills and meter readings.
    #[default]
    Settlement,
    /// These, and quotes and choices too.
    Everything,
    /// Nothing, and nobody has a key: for studies of scale, of which nobody has to be convinced.
    Off,
}

/// Who must sign what.
///
/// What the ledger itself asks for carries no signature of its own: the ledger signs the heads of all chains instead,
/// see [`Checkpoint`](super::block::Checkpoint).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Which calls are signed by their makers.
    pub signatures: Signatures,
    /// Who must endorse a bill.
    pub bill: BillPolicy,
    /// Who must endorse an invoice.
    pub invoice: InvoicePolicy,
    /// How many peers must endorse a settlement.
    #[serde(default, skip_serializing_if = "PeerPolicy::is_any")]
    pub peers: PeerPolicy,
}

impl Policies {
    /// The policies of a ledger on which these things are signed, and any of whose peers endorses a settlement.
    pub fn new(signatures: Signatures) -> Self {
        let peers = PeerPolicy::default();
        Self { signatures, bill: BillPolicy::BuyerAndSeller, invoice: InvoicePolicy::Grid, peers }
    }
}

/// Who must endorse a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BillPolicy {
    /// Both sides, each with one signature over all its bills of the slot.
    BuyerAndSeller,
}

/// Who must endorse an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvoicePolicy {
    /// The grid.
    Grid,
}

/// How many peers must have carried out a settlement with the same result, and endorse it. Of any other call that peers carry
/// out, the one does to which it was submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerPolicy {
    /// One.
    #[default]
    Any,
    /// More than half.
    Majority,
    /// All.
    All,
    /// At least so many.
    AtLeast(u32),
}

impl PeerPolicy {
    fn is_any(&self) -> bool {
        *self == Self::Any
    }

    /// How many that are of so many peers.
    pub fn of(self, peers: usize) -> usize {
        match self {
            Self::Any => 1,
            Self::Majority => peers / 2 + 1,
            Self::All => peers,
            Self::AtLeast(count) => count as usize,
        }
    }
}

impl Genesis {
    /// The chain's identifier: the digest of the genesis' JSON text. Every signature covers it.
    pub fn id(&self) -> Digest {
        Digest::of([serde_json::to_vec(self).expect("a genesis has a JSON text")])
    }

    /// Whether anything is signed.
    pub fn has_signatures(&self) -> bool {
        self.policies.signatures != Signatures::Off
    }

    /// The public key of a member; `None` if there is no such member, or nothing is signed.
    pub fn key(&self, party: Party) -> Option<PublicKey> {
        match party {
            Party::Ledger => self.ledger,
            Party::Grid => self.grid,
            Party::Prosumer(_) => self.member(party).and_then(|id| self.prosumers[id.index()].1),
            Party::Peer(number) => *self.peers.get(number.checked_sub(1)? as usize)?,
        }
    }

    /// A prosumer's name; panics if there is no such prosumer.
    pub fn prosumer(&self, id: ProsumerId) -> Party {
        Party::Prosumer(self.prosumers[id.index()].0)
    }

    /// The prosumer with this name; `None` if there is no such prosumer.
    pub fn member(&self, party: Party) -> Option<ProsumerId> {
        let Party::Prosumer(number) = party else { return None };
        let place = self.prosumers.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(ProsumerId(place as u32))
    }

    /// The place of the group whose tariffs of the grid a prosumer has; `None` if they are everybody's.
    pub fn tariff_group(&self, number: Number) -> Option<usize> {
        self.tariff_groups.iter().position(|members| members.binary_search(&number).is_ok())
    }

    /// Whether the market is to open in this slot.
    pub fn market_opens(&self, slot: Slot) -> bool {
        self.rules.open.contains(slot)
    }
}
