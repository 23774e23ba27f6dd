//! The vocabulary: every message, with who sends it to whom.
//!
//! | message | from → to | repeated until |
//! |---|---|---|
//! | [`Submit`](Message::Submit): `PublishTariff` | grid → ledger | `SlotOpened` |
//! | [`SlotOpened`](Message::SlotOpened) | ledger → all | `Register` or `RecordEnergy` |
//! | [`Submit`](Message::Submit): `Register` | prosumer → ledger | `Registered` |
//! | [`Registered`](Message::Registered) | ledger → prosumer | acknowledges |
//! | [`MarketOpened`](Message::MarketOpened) | ledger → participants | the first post |
//! | [`Submit`](Message::Submit): `PostQuote` | seller → ledger | replaced by the next |
//! | [`Submit`](Message::Submit): `PostChoice` | buyer → ledger | replaced by the next |
//! | [`MarketState`](Message::MarketState) | ledger → participants | replaced by the next |
//! | [`BillProposed`](Message::BillProposed) | ledger → both sides of a trade | `BillEndorsed` |
//! | [`BillEndorsed`](Message::BillEndorsed) | buyer, seller → ledger | acknowledges |
//! | [`Settled`](Message::Settled) | ledger → participants | `RecordEnergy` |
//! | [`Exchange`](Message::Exchange) | prosumer → grid | `Invoice` |
//! | [`Invoice`](Message::Invoice) | grid → prosumer | acknowledges |
//! | [`Submit`](Message::Submit): `RecordEnergy` | prosumer → ledger | `MeterRecorded` |
//! | [`MeterRecorded`](Message::MeterRecorded) | ledger → prosumer | acknowledges |
//! | [`Refused`](Message::Refused) | ledger → whoever submitted | nobody waits for it |
//! | [`Recover`](Message::Recover) | prosumer → ledger | `Standing` |
//! | [`Standing`](Message::Standing) | ledger → prosumer | acknowledges |
//!
//! Whatever is to stand on a chain travels as a [`Submission`]: a [`Call`](crate::chain::call::Call) of the contract
//! with its maker's name and, where the policies ask for it, its signature.
//!
//! Every message names its slot, except `Recover` of one who does not know it, and receiving one twice does no harm. Posts of the game carry a version: only a newer
//! one replaces an older. All others are answered the same way each time.

use crate::{
    chain::{
        call::Proposal,
        fact::{Bill, Number},
        genesis::Genesis,
        identity::Signature,
        json,
        refusal::{Refusal, Validity},
        transaction::Endorsement,
    },
    ids::{ProsumerId, Slot},
    market::{
        aggregate::{Aggregate, Posted},
        demand::Buyer,
        pricing::PriceBand,
        settlement::Trade,
        sums::total,
        trades::Trades,
    },
    time::Time,
    units::{Energy, Money},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Anything one actor may say to another.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Anybody → ledger: a call of the contract.
    Submit(Arc<Submission>),
    /// Ledger → all: a slot has begun.
    SlotOpened(SlotOpened),
    /// Ledger → prosumer: whether its registration counts.
    Registered(Slot, Validity),
    /// Ledger → participants: who is in the market, and the common first choice.
    MarketOpened(Arc<MarketOpened>),
    /// Ledger → participants: the market after a block.
    MarketState(Arc<MarketState>),
    /// Ledger → both sides of a trade: the receiver's trades, for it to check.
    BillProposed(Arc<BillProposed>),
    /// Participant → ledger: whether its trades are what it computes itself.
    BillEndorsed(Slot, Verdict),
    /// Ledger → participants: the receiver's final trades.
    Settled(Slot, Box<Trades>),
    /// Prosumer → grid: what is left over or missing.
    Exchange(Exchange),
    /// Grid → prosumer: what that costs or earns, with the grid's endorsement.
    Invoice(Box<(Invoice, Endorsement)>),
    /// Ledger → prosumer: its meter reading is on the ledger.
    MeterRecorded(Slot),
    /// Ledger → whoever submitted it: a call of this slot was refused.
    Refused(Slot, Refusal),
    /// Prosumer → ledger: I have lost my memory; where do I stand? The number tells this question from earlier ones.
    Recover(u64),
    /// Ledger → prosumer: where it stands, in answer to the question of this number.
    Standing(u64, Box<Standing>),
}

/// Where a prosumer stands, as far as the ledger knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It has nothing more to do in this slot, or the slot is over; 0 before the first.
    Done(Slot),
    /// This slot has begun, and it takes no part in a market of it, or not yet.
    Open(SlotOpened),
    /// It takes part in this slot's market.
    Playing(SlotOpened, Arc<MarketOpened>, LastPost),
    /// This slot is settled, and these are its trades.
    Settled(SlotOpened, Arc<MarketOpened>, Trades),
}

/// What a participant has posted last, as far as the ledger knows.
#[derive(Clone, Debug, PartialEq)]
pub enum LastPost {
    /// Nothing.
    None,
    /// This price.
    Quote(Quote),
    /// This choice; with the market as it was shown last, if the game is still on.
    Choice(Arc<Choice>, Option<Arc<MarketState>>),
}

/// A call of the contract, on its way to the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The call and who makes it.
    pub proposal: Proposal,
    /// Its maker's signature, where one is needed.
    pub signature: Option<Signature>,
    /// Who else stands for it.
    pub endorsements: Vec<Endorsement>,
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

impl Tariff {
    /// The prices that sellers may ask, where local trades cost their buyer a `service_fee` [CNY/kWh].
    pub fn band(&self, service_fee: f64) -> PriceBand {
        PriceBand::between(self.feed_in, self.grid, service_fee)
    }
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

impl Registration {
    /// The largest surplus that may be registered, 10^9 kWh: up to it, 64-bit floats hold every unit.
    pub const MOST_SURPLUS: Energy = Energy(1_000_000_000_000_000);

    /// The largest turnover of a slot that may come of a registration [CNY]: what a surplus costs at the dearest price,
    /// grid tariff or fee (at least 1 CNY/kWh), times the number of prosumers. With it, whatever a slot's bills add up
    /// to fits into [`Money`] and [`Energy`], payments and fees together too.
    pub const MOST_TURNOVER: f64 = 4e12;

    /// The largest need or generation [kWh] and preference [CNY/kWh] that may be registered: with these, whatever the
    /// market adds up stays finite, so that nobody spoils the sums for the others.
    pub const MOST: f64 = 1e9;
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
    /// The sum of these [kWh].
    pub total_surplus: f64,
    /// Buyers in order of their number; a buyer's position here is its index everywhere in the slot.
    pub buyers: Vec<ProsumerId>,
    /// First choice `z(1)` of every buyer, one share a seller.
    pub first_choice: Vec<f64>,
    /// When the market closes, settled down or not.
    pub closes: Time,
}

impl MarketOpened {
    /// Buyer, seller and bill of each of these trades in which any energy changes hands, named as on the chain.
    pub fn bills<'a>(
        &'a self,
        genesis: &'a Genesis,
        trades: impl Iterator<Item = &'a Trade> + 'a,
    ) -> impl Iterator<Item = (Number, Number, Bill)> + 'a {
        let number = |id: ProsumerId| genesis.prosumers[id.index()].0;
        trades.filter(|trade| trade.energy > Energy::ZERO).map(move |trade| {
            let &Trade { energy, price, payment, fee, .. } = trade;
            let (buyer, seller) = (self.buyers[trade.buyer as usize], self.sellers[trade.seller as usize]);
            (number(buyer), number(seller), Bill { energy, price, payment, fee })
        })
    }
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
    /// Date of the oldest prices answered by the choices that made the demand which this price answers: of the oldest news
    /// in its lap. The start of the run if it answers none.
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
    /// Positions of the sellers that the buyer knows, ascending; `None` if it knows all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Arc<[u32]>>,
    /// Shares `z_ij`, one a seller that it knows.
    #[serde(with = "json::numbers")]
    pub shares: Vec<f64>,
    /// Optimal purchases `X*_ij` [kWh], one a seller that it knows.
    #[serde(with = "json::numbers")]
    pub purchases: Vec<f64>,
    /// Sum of the shares whose purchase is interior, that is, answers to price.
    #[serde(with = "json::number")]
    pub responsive: f64,
    /// Largest change since the last choice, of a share or of the price that a purchase answers, relative to the width of
    /// the price band; infinite until the first step by fitness.
    #[serde(with = "json::number")]
    pub change: f64,
    /// How many updates in a row, up to this one, have changed nothing by the tolerance or more.
    pub updates_at_rest: u32,
    /// Date of the oldest news in the lap that the choice answers: of its prices, or of the oldest prices answered by the
    /// choices that made its fitness.
    pub answers: Time,
    /// Date of the prices that the purchases answer.
    pub quotes: Time,
    /// Age of the prices that the choice answers.
    #[serde(with = "json::nanoseconds")]
    pub news_age: Duration,
}

impl Choice {
    /// The largest purchase that may be posted [kWh], for the same reason as [`Registration::MOST`]. The least curvature
    /// of utility and the greatest preference that a scenario may have leave it a factor of two in the longest slot.
    pub const MOST_PURCHASE: f64 = 1e12;

    /// What it says of the seller at this position: share and optimal purchase [kWh]; `None` if it says nothing.
    pub fn of(&self, seller: u32) -> Option<(f64, f64)> {
        let place = match &self.known {
            None => seller as usize,
            Some(known) => known.binary_search(&seller).ok()?,
        };
        Some((*self.shares.get(place)?, *self.purchases.get(place)?))
    }

    /// Position, share and optimal purchase [kWh] of each seller that it tells of, in the order of the sellers.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, f64, f64)> {
        let position = |place: usize| self.known.as_ref().map_or(place as u32, |known| known[place]);
        let both = self.shares.iter().zip(&self.purchases).enumerate();
        both.map(move |(place, (&share, &purchase))| (position(place), share, purchase))
    }

    /// What it wants in all, `sum_j z_ij X*_ij` [kWh], added up in the order of the sellers.
    pub fn wanted(&self) -> f64 {
        self.pairs().map(|(_, share, purchase)| share * purchase).sum()
    }

    /// The sum of its shares, added up in four parts: whoever checks it comes to the same last bit.
    pub fn sum_of_shares(&self) -> f64 {
        total(&self.shares)
    }

    /// As it enters the sums over all choices.
    pub fn posted<'a>(&'a self, buyer: &'a Buyer) -> Posted<'a> {
        let Self { known, shares, purchases, responsive, .. } = self;
        Posted { buyer, known: known.as_deref(), shares, purchases, responsive: *responsive }
    }
}

/// The market after the quotes and choices of an instant: one snapshot, shared by all who receive it.
#[derive(Clone, Debug, PartialEq)]
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
    pub aggregate: Option<Arc<Aggregate>>,
}

/// A participant's bills of a slot, proposed to it.
#[derive(Clone, Debug, PartialEq)]
pub struct BillProposed {
    /// Which slot.
    pub slot: Slot,
    /// Its trades.
    pub trades: Trades,
    /// Version of its own post on which they rest; 0 if it has posted nothing.
    pub version: u32,
}

/// What a participant finds when it checks its bills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It comes to the same result, and signs it.
    Endorsed(Box<Signature>),
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
    /// The price is not the one that the seller has quoted.
    NotMyPrice,
    /// More is delivered than the buyer has asked for.
    MoreThanAsked,
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
