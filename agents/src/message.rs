//! The vocabulary: every message, with who sends it to whom, and until when it is repeated.
//!
//! Every message names its slot, except `Recover` of one who does not know it, and receiving one twice does no harm. Posts
//! of the game carry a version: only a newer one replaces an older. All others are answered the same way each time.

pub use crate::chain::submission::Submission;

use crate::{
    chain::{
        fact::{Bill, Game, Number},
        hash::Digest,
        identity::Signature,
        refusal::{Refusal, Validity},
        submission::{Execution, Sealed},
        transaction::Endorsement,
    },
    ids::{ProsumerId, Slot},
    market::{aggregate::Aggregate, part::Part, settlement::Trade, trades::Trades},
    parcel,
    statement::{Dispute, Invoice, Post, Tariff},
    time::Time,
    units::Energy,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Anything one actor may say to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// Anybody → ledger: a call of the contract. Posts are not repeated, but replaced by the next; of the others
    /// `PublishTariff` is until `SlotOpened`, `Register` until `Registered`, `RecordEnergy` until `MeterRecorded`.
    Submit(Arc<Submission>),
    /// Participant → ledger: a post that needs no signature and becomes no transaction. Replaced by the next.
    Post(Post),
    /// Ledger → all: a slot has begun. Repeated until `Register` or `RecordEnergy`.
    SlotOpened(SlotOpened),
    /// Ledger → prosumer: whether its registration counts.
    Registered(Slot, Validity),
    /// Ledger → participants: who is in the market, and the common first choice. Repeated until the first post.
    MarketOpened(#[serde(with = "parcel::shared")] Arc<MarketOpened>),
    /// Ledger → participants: the market after a block. Replaced by the next.
    MarketState(#[serde(with = "parcel::shared")] Arc<MarketState>),
    /// Ledger → participants: what a mechanism that clears by a rule has announced, or how its book stands. Replaced by the
    /// next; repeated to those that have not answered, until the first post.
    Notice(Arc<Notice>),
    /// Ledger → both sides of an execution: what the receiver has traded in this slot in all, and at which price last
    /// [CNY/kWh]. Replaced by the next.
    Executed(Slot, Energy, f64),
    /// Ledger → both sides of a trade: the receiver's trades, for it to check. Repeated until `BillEndorsed`.
    BillProposed(Arc<BillProposed>),
    /// Participant → ledger: whether its trades are what it computes itself.
    BillEndorsed(Slot, Verdict),
    /// Ledger → participants: the receiver's final trades. Repeated until `RecordEnergy`.
    Settled(Slot, Box<Trades>),
    /// Prosumer → grid: what is left over or missing. Repeated until `Invoice`.
    Exchange(Box<Exchange>),
    /// Grid → prosumer: what that costs or earns, with the grid's endorsement.
    Invoice(Box<(Invoice, Endorsement)>),
    /// Ledger → prosumer: its meter reading is on the ledger.
    MeterRecorded(Slot),
    /// Ledger → whoever submitted it: a call of this slot was refused. Nobody waits for it.
    Refused(Slot, Refusal),
    /// Prosumer → ledger: I have lost my memory; where do I stand? The number tells this question from earlier ones.
    /// Repeated until `Standing`.
    Recover(u64),
    /// Ledger → prosumer: where it stands, in answer to the question of this number.
    Standing(u64, Box<Standing>),
    /// Prosumer → ledger: are you there? Repeated until `Attending`.
    Attend,
    /// Ledger → prosumer: I am.
    Attending,
    /// Peer → ledger, for a client or in answer to the ledger: what it has made of a call.
    Endorsed(Box<Execution>),
    /// Peer → ledger: what the posts of its clients come to. Replaced by the next.
    Part(Box<Part>),
    /// Ledger → peers: the game of a slot is over. Repeated until answered. Peer → ledger: so I have handed in the last posts
    /// of my clients.
    GameOver(Slot),
    /// Ledger → peer, of a client: it has gone to another peer. Prosumer → peer: I have, in answer to whatever comes from a peer
    /// that it has left.
    Left,
    /// Peer → ledger: what its clients say, and how far its chains have come.
    HandedIn(Box<HandedIn>),
    /// Ledger → peer: blocks, and what it is to tell its clients. Blocks are repeated until the peer has them.
    Delivered(Box<Delivered>),
}

// Most of the traffic: whatever is larger goes behind a pointer.
const _: () = assert!(size_of::<Message>() <= 32);

/// Where a prosumer stands, as far as the ledger knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// It has nothing more to do in this slot, or the slot is over; 0 before the first.
    Done(Slot),
    /// This slot has begun, and it takes no part in a market of it, or not yet.
    Open(SlotOpened),
    /// It takes part in this slot's market; its last post, if it has made one, and the market as it was shown last, if the
    /// game is still on.
    Playing(SlotOpened, #[serde(with = "parcel::shared")] Arc<MarketOpened>, Option<Post>, Option<Shown>),
    /// This slot is settled, and these are its trades.
    Settled(SlotOpened, #[serde(with = "parcel::shared")] Arc<MarketOpened>, Trades),
}

/// What the clients of a peer say, handed in by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandedIn {
    /// Its number among all that this peer hands in: what comes twice counts once.
    pub number: u64,
    /// How many blocks it has.
    pub blocks: u64,
    /// What the last of them has come to.
    pub outcome: Digest,
    /// Whether it lacks blocks, and asks for them.
    pub lacks: bool,
    /// What is said, by whom; by the peer itself where nobody is named.
    pub said: Vec<(Option<ProsumerId>, Message)>,
}

/// What the ledger delivers to a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// Its number among all that this peer is delivered: what comes twice counts once.
    pub number: u64,
    /// Blocks that follow each other.
    pub sealed: Vec<Arc<Sealed>>,
    /// How many blocks there are: whoever has fewer passes nothing on until it has them.
    pub blocks: u64,
    /// What it is to pass on, to whom; to all whom it concerns where nobody is named.
    pub told: Vec<(Option<ProsumerId>, Message)>,
}

/// A slot has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotOpened {
    /// Its tariffs.
    #[serde(with = "parcel::shared")]
    pub tariff: Arc<Tariff>,
    /// Whether the local market is open in this slot.
    pub market_open: bool,
}

/// The market of a slot, as it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketOpened {
    /// Which slot.
    pub slot: Slot,
    /// Who plays, by the numbers of the scenario, as it stands on the chain.
    #[serde(with = "parcel::shared")]
    pub game: Arc<Game>,
    /// Sellers in order of their number; a seller's position here is its index everywhere in the slot.
    pub sellers: Vec<ProsumerId>,
    /// Their surplus `S_j` [kWh].
    pub surplus: Vec<f64>,
    /// The sum of these [kWh].
    pub total_surplus: f64,
    /// Buyers in order of their number; a buyer's position here is its index everywhere in the slot.
    pub buyers: Vec<ProsumerId>,
}

impl MarketOpened {
    /// Buyer, seller and bill of each of these trades in which any energy changes hands, named as on the chain.
    pub fn bills<'a>(
        &'a self,
        trades: impl Iterator<Item = &'a Trade> + 'a,
    ) -> impl Iterator<Item = (Number, Number, Bill)> + 'a {
        trades.filter(|trade| trade.energy > Energy::ZERO).map(move |trade| {
            let &Trade { energy, price, payment, fee, .. } = trade;
            let Game { sellers, buyers, .. } = &*self.game;
            (buyers[trade.buyer as usize], sellers[trade.seller as usize], Bill { energy, price, payment, fee })
        })
    }
}

/// What the ledger shows of a slot's market to all who take part in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// Prices, and what choices add up to.
    State(#[serde(with = "parcel::shared")] Arc<MarketState>),
    /// What was announced, or how the book stands.
    Notice(Arc<Notice>),
}

impl From<Shown> for Message {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::State(state) => Self::MarketState(state),
            Shown::Notice(notice) => Self::Notice(notice),
        }
    }
}

/// What a mechanism that clears by a rule shows of a slot's market.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Which slot.
    pub slot: Slot,
    /// Counts the notices of the slot from 1; one with a higher number is newer.
    pub number: u64,
    /// When it was shown.
    pub time: Time,
    /// The price that was announced, or that of the last execution [CNY/kWh].
    pub price: Option<f64>,
    /// The highest limit of what waits to be bought [CNY/kWh], where orders are open to all.
    pub bid: Option<f64>,
    /// The lowest limit of what waits to be sold [CNY/kWh], where orders are open to all.
    pub ask: Option<f64>,
    /// What was offered when the price came about.
    pub supply: Energy,
    /// What was asked for.
    pub demand: Energy,
    /// What has been traded so far.
    pub traded: Energy,
}

/// The market after the quotes and choices of an instant: one snapshot, shared by all who receive it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketState {
    /// Which slot.
    pub slot: Slot,
    /// Counts the states of the slot from 1; a state with a higher number is newer.
    pub number: u64,
    /// When it was shown.
    pub time: Time,
    /// When a quote was last committed: the date of the prices.
    pub quotes_time: Time,
    /// When a choice was last committed: the date of what the choices add up to.
    pub choices_time: Time,
    /// Date of the oldest prices that any choice in force answered; the start of the run while somebody has made none.
    pub oldest_answered: Time,
    /// Mean age, at that time, of the prices that those choices answered, counted from when the ledger received them; zero
    /// before the first.
    pub news_age: Duration,
    /// Prices, one a seller [CNY/kWh]; infinite for a seller that has not quoted yet.
    pub prices: Vec<f64>,
    /// What the choices add up to, as of the last block that held a choice; `None` before the first.
    #[serde(with = "parcel::shared_if_any")]
    pub aggregate: Option<Arc<Aggregate>>,
}

/// A participant's bills of a slot, proposed to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BillProposed {
    /// Which slot.
    pub slot: Slot,
    /// Its market, for those who have not heard of its opening.
    #[serde(with = "parcel::shared")]
    pub market: Arc<MarketOpened>,
    /// Its trades.
    pub trades: Trades,
    /// Version of its own post on which they rest; 0 if it has posted nothing.
    pub version: u32,
}

/// What a participant finds when it checks its bills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It comes to the same result, and signs it, where anything is signed.
    Endorsed(Option<Box<Signature>>),
    /// It does not, for this reason.
    Disputed(Dispute),
}

/// A prosumer's exchange with the grid in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Which slot.
    pub slot: Slot,
    /// Bought from the grid, as it could be foreseen.
    pub import: Energy,
    /// Fed into the grid, as it could be foreseen.
    pub export: Energy,
    /// Drawn from the grid beside it.
    pub short: Energy,
    /// Fed into the grid beside it.
    pub long: Energy,
}
