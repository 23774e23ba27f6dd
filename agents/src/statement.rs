//! What the market's actors state, whether it travels in a message or stands on a chain: tariffs, registrations, quotes,
//! choices, orders, outcomes, disputes, invoices and meter readings.

use crate::{
    ids::Slot,
    json,
    market::{aggregate::Posted, demand::Buyer, pricing::PriceBand, sums::total},
    time::Time,
    units::{Energy, Money, Total},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Tariffs of a slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What it pays for more and asks for less than was registered; the tariffs where there is nothing else.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub imbalance: Option<Rates>,
    /// Those of the groups with tariffs of their own, in the order of the genesis; `None` without any.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub groups: Option<Arc<[Rates]>>,
}

/// What the grid pays and asks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// What the grid pays for energy [CNY/kWh].
    #[serde(with = "json::number")]
    pub feed_in: f64,
    /// What the grid asks for energy [CNY/kWh].
    #[serde(with = "json::number")]
    pub grid: f64,
}

impl Tariff {
    /// The same for everybody.
    pub fn new(slot: Slot, feed_in: f64, grid: f64) -> Self {
        Self { slot, feed_in, grid, imbalance: None, groups: None }
    }

    /// The prices that sellers may ask, where local trades cost their buyer a `local_fee` [CNY/kWh]: whatever group a
    /// prosumer is in, the grid is no better.
    pub fn band(&self, local_fee: f64) -> PriceBand {
        let Rates { feed_in, grid } = self.best();
        PriceBand::between(feed_in, grid, local_fee)
    }

    /// The most that the grid pays anybody, and the least that it asks anybody.
    pub fn best(&self) -> Rates {
        let groups = self.groups.iter().flat_map(|groups| groups.iter());
        let own = Rates { feed_in: self.feed_in, grid: self.grid };
        groups.fold(own, |best, of| Rates { feed_in: best.feed_in.max(of.feed_in), grid: best.grid.min(of.grid) })
    }

    /// Those of a member of the group at this place, or of none.
    pub fn rates(&self, group: Option<usize>) -> Rates {
        let of_group = group.and_then(|place| self.groups.as_ref()?.get(place).copied());
        of_group.unwrap_or(Rates { feed_in: self.feed_in, grid: self.grid })
    }

    /// What the grid pays for more, and asks for less, than a member of this group has registered.
    pub fn imbalance_rates(&self, group: Option<usize>) -> Rates {
        self.imbalance.unwrap_or_else(|| self.rates(group))
    }

    /// The grid's bill for what a member of this group has exchanged with it, if anything was; `None` if no money can pay
    /// for it.
    pub fn due(&self, group: Option<usize>, reading: &MeterReading) -> Option<Option<Invoice>> {
        let &MeterReading { imported, exported, short, long, .. } = reading;
        let (rates, beside) = (self.rates(group), self.imbalance_rates(group));
        let sum = |one: Money, other: Money| (Total::from(one) + other).amount();
        let charge = sum(imported.priced(rates.grid)?, short.priced(beside.grid)?)?;
        let credit = sum(exported.priced(rates.feed_in)?, long.priced(beside.feed_in)?)?;
        let exchanged = [imported, exported, short, long].iter().any(|amount| !amount.is_zero());
        Some(exchanged.then_some(Invoice { slot: self.slot, charge, credit }))
    }

    /// All its prices.
    pub fn prices(&self) -> impl Iterator<Item = f64> {
        let own = Rates { feed_in: self.feed_in, grid: self.grid };
        let groups = self.groups.iter().flat_map(|groups| groups.iter().copied());
        [own].into_iter().chain(self.imbalance).chain(groups).flat_map(|rates| [rates.feed_in, rates.grid])
    }
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
    /// What it brings as a buyer, if it is one.
    pub(crate) fn as_buyer(&self) -> Option<Buyer> {
        if let Self::Buyer(buyer) = self { Some(*buyer) } else { None }
    }

    /// What it has to sell, if it is a seller.
    pub(crate) fn surplus(&self) -> Option<Energy> {
        if let Self::Seller(surplus) = self { Some(*surplus) } else { None }
    }

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

/// What a participant posts in a game: of each one's posts only the newest counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Post {
    /// A seller's price.
    Quote(Arc<Quote>),
    /// A buyer's choice.
    Choice(Arc<Choice>),
    /// A participant's orders.
    Orders(Arc<Orders>),
}

impl Post {
    /// Of which slot.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Quote(quote) => quote.slot,
            Self::Choice(choice) => choice.slot,
            Self::Orders(orders) => orders.slot,
        }
    }

    /// Reads a little of it, so many steps away in memory, so that it is at hand later.
    pub(crate) fn look(&self, depth: usize) -> usize {
        match (self, depth) {
            (Self::Choice(choice), 1) => choice.look(),
            _ => self.version() as usize,
        }
    }

    /// Counts its maker's posts of the slot from 1.
    pub fn version(&self) -> u32 {
        match self {
            Self::Quote(quote) => quote.version,
            Self::Choice(choice) => choice.version,
            Self::Orders(orders) => orders.version,
        }
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Which slot.
    pub slot: Slot,
    /// Counts the buyer's choices of the slot from 1.
    pub version: u32,
    /// Positions of the sellers that the buyer knows, ascending; `None` if it knows all.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
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

    /// Reads from its lists, so that they are at hand when they are gone through.
    pub(crate) fn look(&self) -> usize {
        let ends = |list: &[f64]| {
            let bits = |number: Option<&f64>| number.map_or(0, |number| number.to_bits() as usize);
            bits(list.first()) ^ bits(list.get(8))
        };
        ends(&self.shares) ^ ends(&self.purchases)
    }

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

/// On which side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderSide {
    /// It wants energy, at its limit or below.
    Buy,
    /// It gives energy, at its limit or above.
    Sell,
}

/// A step of a curve of supply or demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How much [1e-6 kWh].
    pub energy: Energy,
    /// The highest price at which it is bought, or the lowest at which it is sold [CNY/kWh].
    #[serde(with = "json::number")]
    pub limit: f64,
}

/// A participant's orders: what it would trade in a slot in all. What it has traded already counts first against its most
/// willing steps, so that a new version never trades anything twice, whatever is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Which slot.
    pub slot: Slot,
    /// Counts the participant's orders of the slot from 1; each takes the place of all before.
    pub version: u32,
    /// Whether it buys or sells.
    pub side: OrderSide,
    /// The most willing first: limits of a buyer fall, those of a seller rise. None cancels what is left.
    pub steps: Vec<Step>,
    /// Until when they count: what has not been traded before then is cancelled.
    pub until: Time,
}

impl Orders {
    /// All that it would trade, at whatever limit.
    pub fn most(&self) -> Total<Energy> {
        self.steps.iter().map(|step| step.energy).sum()
    }

    /// The limit of its least willing step [CNY/kWh]; `None` without steps.
    pub fn last_limit(&self) -> Option<f64> {
        self.steps.last().map(|step| step.limit)
    }
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
    /// Drawn from the grid because there was less than registered, or more was needed; not in `imported`.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub short: Energy,
    /// Fed into the grid because there was more than registered, or less was needed; not in `exported`.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub long: Energy,
}

/// How the game of a slot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everybody came to rest, and the article's stopping rules hold there: demand meets surplus as far as prices can
    /// answer to it, and what buyers choose is worth the same to them.
    Equilibrium,
    /// Everybody came to rest elsewhere: held by noise, by exploration, or by choice sets that cannot clear.
    Rest,
    /// The gate closed first.
    GateClosure,
    /// Trades came about by the mechanism's own rule, which looks for no equilibrium.
    Cleared,
    /// The market was closed, there were no buyers or no sellers among the admitted, or the fee left no room for a price.
    NoMarket,
    /// Too few peers of the ledger endorsed the settlement of its trades, so that none of them counts.
    Void,
}

impl Outcome {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Equilibrium, Self::Rest, Self::GateClosure, Self::Cleared, Self::NoMarket, Self::Void];

    /// Whether an equilibrium was looked for, found or not: what clears by a rule has missed none. Of what is void nothing came
    /// about, whatever was found.
    pub fn looked_for_equilibrium(self) -> bool {
        matches!(self, Self::Equilibrium | Self::Rest | Self::GateClosure | Self::Void)
    }
}
