//! The vocabulary: every message, with who sends it to whom.
//!
//! | message | from → to | repeated until |
//! |---|---|---|
//! | [`TariffPublished`](Message::TariffPublished) | grid → ledger | `SlotOpened` |
//! | [`SlotOpened`](Message::SlotOpened) | ledger → all | `Register` or `MeterReading` |
//! | [`Register`](Message::Register) | prosumer → ledger | `Registered` |
//! | [`Registered`](Message::Registered) | ledger → prosumer | acknowledges |
//! | [`MarketOpened`](Message::MarketOpened) | ledger → participants | the first `Quote` or `Choice` |
//! | [`Quote`](Message::Quote) | seller → ledger | replaced by the next |
//! | [`Choice`](Message::Choice) | buyer → ledger | replaced by the next |
//! | [`MarketState`](Message::MarketState) | ledger → participants | replaced by the next |
//! | [`BillProposed`](Message::BillProposed) | ledger → both sides of a trade | `BillEndorsed` |
//! | [`BillEndorsed`](Message::BillEndorsed) | buyer, seller → ledger | acknowledges |
//! | [`Settled`](Message::Settled) | ledger → participants | `MeterReading` |
//! | [`Exchange`](Message::Exchange) | prosumer → grid | `Invoice` |
//! | [`Invoice`](Message::Invoice) | grid → prosumer | acknowledges |
//! | [`MeterReading`](Message::MeterReading) | prosumer → ledger | `MeterRecorded` |
//! | [`MeterRecorded`](Message::MeterRecorded) | ledger → prosumer | acknowledges |
//!
//! Every message names its slot, and receiving one twice does no harm. Posts of the game carry a version: only a newer
//! one replaces an older. All others are answered the same way each time.

use crate::{
    chain::json,
    ids::{ProsumerId, Slot},
    market::{aggregate::Aggregate, demand::Buyer, settlement::Trade},
    time::Time,
    units::{Energy, Money},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Anything one actor may say to another.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Grid → ledger: the tariffs of a slot that begins.
    TariffPublished(Tariff),
    /// Ledger → all: a slot has begun.
    SlotOpened(SlotOpened),
    /// Prosumer → ledger: its role in the slot.
    Register(Slot, Registration),
    /// Ledger → prosumer: whether the registration was in time.
    Registered(Slot, Admission),
    /// Ledger → participants: who is in the market, and the common first choice.
    MarketOpened(Arc<MarketOpened>),
    /// Seller → ledger: its price.
    Quote(Quote),
    /// Buyer → ledger: how it divides itself over sellers.
    Choice(Arc<Choice>),
    /// Ledger → participants: the market after a block.
    MarketState(Arc<MarketState>),
    /// Ledger → both sides of a trade: the receiver's trades, for it to check.
    BillProposed(Slot, Arc<[Trade]>),
    /// Participant → ledger: whether its trades are what it computes itself.
    BillEndorsed(Slot, Verdict),
    /// Ledger → participants: the receiver's final trades.
    Settled(Slot, Arc<[Trade]>),
    /// Prosumer → grid: what is left over or missing.
    Exchange(Exchange),
    /// Grid → prosumer: what that costs or earns.
    Invoice(Invoice),
    /// Prosumer → ledger: what really happened.
    MeterReading(Slot, MeterReading),
    /// Ledger → prosumer: the reading is on the ledger.
    MeterRecorded(Slot),
}

/// Tariffs of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Which slot.
    pub slot: Slot,
    /// What the grid pays for energy [CNY/kWh].
    #[serde(with = "json::number")]
    pub feed_in: f64,
    /// What the grid asks for energy [CNY/kWh].
    #[serde(with = "json::number")]
    pub grid: f64,
}

/// A slot has begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotOpened {
    /// Its tariffs.
    pub tariff: Tariff,
    /// Whether the local market is open in this slot.
    pub market_open: bool,
}

/// What a prosumer registers for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Registration {
    /// It wants to buy.
    Buyer(Buyer),
    /// It has this surplus to sell.
    Seller(Energy),
    /// It stays out.
    Idle,
}

/// The ledger's answer to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It counts.
    Accepted,
    /// It came after registration had closed: the slot goes on without this prosumer.
    TooLate,
}

/// The market of a slot, as it opens.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketOpened {
    /// Which slot.
    pub slot: Slot,
    /// Sellers in order of their number; a seller's position here is its index everywhere in the slot.
    pub sellers: Vec<ProsumerId>,
    /// Their surplus `S_j` [kWh].
    pub surplus: Vec<f64>,
    /// Buyers in order of their number; a buyer's position here is its index everywhere in the slot.
    pub buyers: Vec<ProsumerId>,
    /// First choice `z(1)` of every buyer, one share a seller.
    pub first_choice: Vec<f64>,
    /// When the market closes, settled down or not.
    pub closes: Time,
}

/// A seller's price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Which slot.
    pub slot: Slot,
    /// Counts the seller's quotes of the slot from 1.
    pub version: u32,
    /// Price `p_j` [CNY/kWh].
    #[serde(with = "json::number")]
    pub price: f64,
    /// How far the price has moved since the last quote [CNY/kWh]; infinite for the first.
    #[serde(with = "json::number")]
    pub change: f64,
    /// How many updates in a row, up to this one, have changed the price by less than the tolerance.
    pub updates_at_rest: u32,
    /// Date of the demand that the price answers; the start of the run if it answers none.
    pub answers: Time,
}

/// A buyer's choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Which slot.
    pub slot: Slot,
    /// Counts the buyer's choices of the slot from 1.
    pub version: u32,
    /// Shares `z_ij`, one a seller.
    #[serde(with = "json::numbers")]
    pub shares: Vec<f64>,
    /// Optimal purchases `X*_ij` [kWh], one a seller.
    #[serde(with = "json::numbers")]
    pub purchases: Vec<f64>,
    /// Sum of the shares whose purchase is interior, that is, answers to price.
    #[serde(with = "json::number")]
    pub responsive: f64,
    /// Largest change of a share since the last choice; infinite until the first step by fitness.
    #[serde(with = "json::number")]
    pub change: f64,
    /// How many updates in a row, up to this one, have changed every share by less than the tolerance.
    pub updates_at_rest: u32,
    /// Date of the older of the prices and the fitness that the choice answers.
    pub answers: Time,
    /// Age of the prices that the choice answers.
    #[serde(with = "json::nanoseconds")]
    pub news_age: Duration,
}

/// The market after the quotes and choices of an instant: one snapshot, shared by all who receive it.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketState {
    /// Which slot.
    pub slot: Slot,
    /// Number of the newest block of the information channel; a state of a higher one is newer.
    pub block: u64,
    /// When that block was cut.
    pub time: Time,
    /// When a quote was last committed: the date of the prices.
    pub quotes_time: Time,
    /// When a choice was last committed: the date of what the choices add up to.
    pub choices_time: Time,
    /// Prices, one a seller [CNY/kWh]; infinite for a seller that has not quoted yet.
    pub prices: Vec<f64>,
    /// What the choices add up to, as of the last block that held a choice; `None` before the first.
    pub aggregate: Option<Arc<Aggregate>>,
}

/// What a participant finds when it checks a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It comes to the same result.
    Endorsed,
    /// It does not, for this reason.
    Disputed(Dispute),
}

/// What is wrong with a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dispute {
    /// A trade names neither oneself as its buyer nor as its seller.
    NotMine,
    /// A payment or fee is not price times energy.
    WrongAmount,
    /// The price lies outside the tariffs.
    PriceOutOfBand,
    /// More is sold than there was surplus.
    MoreThanSurplus,
}

/// A prosumer's exchange with the grid in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Which slot.
    pub slot: Slot,
    /// Bought from the grid.
    pub import: Energy,
    /// Fed into the grid.
    pub export: Energy,
}

/// The grid's bill for an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// Which slot.
    pub slot: Slot,
    /// What the prosumer owes for its import.
    pub charge: Money,
    /// What it gets for its export.
    pub credit: Money,
}

/// A prosumer's energy of a slot, as its meter has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterReading {
    /// Generated.
    pub generated: Energy,
    /// Consumed.
    pub consumed: Energy,
    /// Put into the storage.
    pub charged: Energy,
    /// Taken from the storage.
    pub discharged: Energy,
    /// Drawn from the grid.
    pub imported: Energy,
    /// Fed into the grid.
    pub exported: Energy,
}
