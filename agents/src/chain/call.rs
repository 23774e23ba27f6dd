//! What one may ask of the contract, and the texts that are signed: a [`Proposal`] by its maker, [`BillsOf`] and
//! [`InvoiceTo`] by those who endorse them.

use super::{
    fact::{Bill, Clearing, Fact, Game, Number},
    genesis::{Genesis, Signatures},
    hash::Digest,
    identity::Party,
    signable::Signable,
};
use crate::{
    ids::{ChannelName, Slot},
    json::signed_as_json,
    statement::{Choice, Dispute, Invoice, MeterReading, Orders, Outcome, Post, Quote, Registration, Tariff},
    units::Energy,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::{borrow::Cow, sync::Arc};

/// A call of the contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Call {
    /// The main chain begins: block 0 of the trade channel.
    Genesis(Arc<Genesis>),
    /// A side chain begins: block 0 of the other channels names the [genesis](Genesis::id) of the main chain.
    Anchor(Digest),
    /// The grid publishes the tariffs of a slot.
    PublishTariff(Arc<Tariff>),
    /// A prosumer registers for a slot.
    Register(Slot, Registration),
    /// The ledger opens the game of a slot.
    OpenGame(Slot, Arc<Game>),
    /// A seller posts its price.
    PostQuote(Quote),
    /// A buyer posts its choice.
    PostChoice(Arc<Choice>),
    /// The ledger closes the game of a slot.
    CloseGame(Slot, Outcome),
    /// The ledger settles a slot.
    Settle(Arc<Settlement>),
    /// The ledger gives a settlement up that too few peers have endorsed: whatever was traded falls back to the grid.
    Void(Slot),
    /// A prosumer records its energy of a slot, with the grid's invoice where it exchanged any with the grid.
    RecordEnergy(Slot, Box<MeterReading>, Option<Invoice>),
    /// A participant posts its orders.
    PostOrders(Arc<Orders>),
    /// The ledger announces a price of a slot, or executes what has cleared.
    Clear(Slot, Arc<Clearing>),
}

const _: () = assert!(size_of::<Call>() <= 88);

/// What becomes final in a slot, and why the rest does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Which slot.
    pub slot: Slot,
    /// Buyer, seller and energy of each trade that both endorse.
    pub trades: Vec<(Number, Number, Energy)>,
    /// Who found its bills to be wrong, and what is wrong with them.
    pub disputes: Vec<(Number, Dispute)>,
    /// Who did not answer in time, or not with its own signature.
    pub silent: Vec<Number>,
}

impl Call {
    /// The channel on which it belongs, the slot of which it tells, and whether it forms a block of its own.
    fn place(&self) -> (Option<ChannelName>, Option<Slot>, bool) {
        use ChannelName::{Energy, Information, Trade};
        match self {
            Self::Genesis(_) => (Some(Trade), None, true),
            Self::Anchor(_) => (None, None, true),
            Self::PublishTariff(tariff) => (Some(Trade), Some(tariff.slot), true),
            Self::Register(slot, _) => (Some(Trade), Some(*slot), false),
            Self::OpenGame(slot, _) | Self::CloseGame(slot, _) | Self::Clear(slot, _) => {
                (Some(Information), Some(*slot), true)
            }
            Self::PostQuote(quote) => (Some(Information), Some(quote.slot), false),
            Self::PostChoice(choice) => (Some(Information), Some(choice.slot), false),
            Self::PostOrders(orders) => (Some(Information), Some(orders.slot), false),
            Self::Settle(settlement) => (Some(Trade), Some(settlement.slot), true),
            Self::Void(slot) => (Some(Trade), Some(*slot), true),
            Self::RecordEnergy(slot, ..) => (Some(Energy), Some(*slot), false),
        }
    }

    /// The channel on which the call belongs; those that begin a chain stand on each its own.
    pub fn channel(&self) -> Option<ChannelName> {
        self.place().0
    }

    /// The slot of which it is to tell; `None` of those that begin a chain.
    pub fn slot(&self) -> Option<Slot> {
        self.place().1
    }

    /// Whether it forms a block of its own: it begins a chain, or opens or closes what others take part in.
    pub fn stands_alone(&self) -> bool {
        self.place().2
    }

    /// Whether it is a participant's post: a quote, a choice or orders.
    pub fn is_post(&self) -> bool {
        matches!(self, Self::PostQuote(_) | Self::PostChoice(_) | Self::PostOrders(_))
    }

    /// The post that it makes; `None` of any other call.
    pub fn post(&self) -> Option<Post> {
        match self {
            Self::PostQuote(quote) => Some(Post::Quote(Arc::new(*quote))),
            Self::PostChoice(choice) => Some(Post::Choice(Arc::clone(choice))),
            Self::PostOrders(orders) => Some(Post::Orders(Arc::clone(orders))),
            _ => None,
        }
    }
}

impl From<Post> for Call {
    fn from(post: Post) -> Self {
        match post {
            Post::Quote(quote) => Self::PostQuote(*quote),
            Post::Choice(choice) => Self::PostChoice(choice),
            Post::Orders(orders) => Self::PostOrders(orders),
        }
    }
}

impl Post {
    /// What it puts on the chain.
    pub(crate) fn as_fact(&self) -> Fact {
        match self {
            Self::Quote(quote) => Fact::Quote(**quote),
            Self::Choice(choice) => Fact::Choice(Arc::clone(choice)),
            Self::Orders(orders) => Fact::Orders(Arc::clone(orders)),
        }
    }
}

/// A call and who makes it: what its maker signs, as JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Who makes the call.
    pub creator: Party,
    /// The call.
    pub call: Call,
}

impl Proposal {
    /// The text that is signed, and stands on the chain.
    pub fn to_json(&self) -> Box<RawValue> {
        to_raw_value(self).expect("every proposal has a JSON text")
    }
}

/// A participant's bills of a slot: what it signs to endorse them, as JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillsOf {
    /// Which slot.
    pub slot: Slot,
    /// Whose bills.
    pub party: Party,
    /// Buyer, seller and bill, in this order.
    pub bills: Vec<(Number, Number, Bill)>,
}

/// What the grid signs to endorse an invoice, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceTo {
    /// To whom.
    pub party: Party,
    /// The invoice.
    pub invoice: Invoice,
}

/// What the grid signs to endorse all invoices that fall due at one instant, where there are several, as JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceBlock {
    /// How many there are.
    pub invoices: u32,
    /// The root of the [Merkle tree](super::merkle) over them. A leaf is the chain's identifier and the text of an
    /// [`InvoiceTo`].
    pub root: Digest,
}

signed_as_json!(BillsOf, InvoiceTo, InvoiceBlock);

impl Signable for Proposal {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(String::from(Box::<str>::from(self.to_json())))
    }
}

impl Genesis {
    /// Whether a call needs the signature of its maker.
    pub fn must_be_signed(&self, creator: Party, call: &Call) -> bool {
        creator != Party::Ledger
            && match self.policies.signatures {
                Signatures::Everything => true,
                Signatures::Settlement => !call.is_post(),
                Signatures::Off => false,
            }
    }

    /// How many peers must endorse a call of `creator`: none where the ledger is its only peer, or carries it out alone.
    pub fn endorsers(&self, creator: Party, call: &Call) -> usize {
        match (creator, call) {
            _ if self.peers.is_empty() => 0,
            (_, Call::Settle(_)) => self.policies.peers.of(self.peers.len()),
            (Party::Prosumer(_), _) => 1,
            _ => 0,
        }
    }

    /// Whether posts need the signature of their maker.
    pub fn are_posts_signed(&self) -> bool {
        self.policies.signatures == Signatures::Everything
    }
}
