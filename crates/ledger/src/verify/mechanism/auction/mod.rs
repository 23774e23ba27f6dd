//! Auctions: what orders are held to, and what follows from them, cleared together or as they arrive.

pub(super) mod matching;

use super::{
    super::{
        desk::{Decision, Desk, ensure},
        discrepancy::Checked,
        tariffs::{highest_price, lowest_price},
    },
    Venue,
    rates::rule::pair,
};
use matching::{Book, check, clear, left};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Clearing, Execution, Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::Refusal,
    },
    market::demand::Demand,
    statement::{OrderSide, Orders, Registration, Step},
    time::{Time, nanos},
    units::Energy,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The most that a buyer may ask for whose need is not firm [1e-6 kWh].
const MOST_DEMAND: Energy = Energy(1_000_000_000_000_000_000);

/// A participant posts orders on its side, between the tariffs, and for no more than it has, or needs.
pub(super) fn post(desk: &mut Desk<'_>, game: &Game, number: Number, post: &Call) -> Decision {
    let Call::PostOrders(orders) = post else { return Err(Refusal::NotAParticipant) };
    let slot = orders.slot;
    let (sells, buys) = (game.sellers.contains(&number), game.buyers.contains(&number));
    ensure(if orders.side == OrderSide::Sell { sells } else { buys }, Refusal::NotAParticipant)?;
    let before = desk.orders(slot, number).map_or(0, |orders| orders.version);
    ensure(before < orders.version, Refusal::OldVersion)?;
    let tariff = Arc::clone(desk.tariff(slot).ok_or(Refusal::MarketClosed)?);
    let is_firm = desk.genesis.rules.demand == Demand::Firm;
    let most = match desk.registration(slot, number) {
        Some(Registration::Seller(surplus)) => *surplus,
        Some(Registration::Buyer(buyer)) if is_firm => Energy::at_most(buyer.need),
        _ => MOST_DEMAND,
    };
    let band = (lowest_price(&tariff), highest_price(&tariff, desk.genesis.rules.local_fee()));
    check(orders.side, &orders.steps, band, most)?;
    Ok(vec![(Key::Orders(slot, number), Fact::Orders(Arc::clone(orders)))])
}

/// Sealed orders, cleared together.
#[derive(Debug)]
pub(super) struct Uniform {
    every: Option<Duration>,
    /// Whether it clears when it should, and no later.
    in_time: bool,
    opened: Time,
    closes: Time,
    /// When orders have come last, since it has cleared; when it has cleared last, or opened.
    posted: Option<Time>,
    cleared: Time,
    orders: BTreeMap<(OrderSide, Number), Arc<Orders>>,
    traded: BTreeMap<(OrderSide, Number), i128>,
    clearings: u32,
    is_over: bool,
}

impl Uniform {
    pub(super) fn open(genesis: &Genesis, game: &Game, every: Option<Duration>, opened: Time) -> Self {
        Self {
            every,
            in_time: !genesis.rules.late_blocks,
            opened,
            closes: game.closes,
            posted: None,
            cleared: opened,
            orders: BTreeMap::new(),
            traded: BTreeMap::new(),
            clearings: 0,
            is_over: false,
        }
    }

    /// Whether it may clear `now`.
    fn check_time(&self, now: Time) -> Checked<(), String> {
        if now >= self.closes {
            return Ok(());
        }
        let Some(every) = self.every else { return Err("orders are cleared once, as the gate closes".to_owned()) };
        let is_due = (now - self.opened).as_nanos().is_multiple_of(every.as_nanos()) && self.cleared < now;
        ensure_that(is_due || !self.in_time, || format!("orders are cleared at {} ns, when that is not due", now.0))
    }

    /// Whether orders that have met by the first clearing after they came, before `now`, were cleared then.
    fn check_missed(&self, now: Time) -> Checked<(), String> {
        let (Some(every), Some(posted), true) = (self.every, self.posted, self.in_time) else { return Ok(()) };
        // Orders that come in the instant of a clearing may come after it.
        let every = nanos(every).max(1);
        let due = Time(posted.0 + every - nanos(posted - self.opened) % every);
        if due >= now || due >= self.closes {
            return Ok(());
        }
        let met = clear(&self.side(OrderSide::Buy, due), &self.side(OrderSide::Sell, due)).is_some();
        ensure_that(!met, || format!("orders have met, and were not cleared at {} ns, when that was due", due.0))
    }

    /// What is left of all orders of a side that are good until `now`.
    fn side(&self, wanted: OrderSide, now: Time) -> Vec<(Number, Step)> {
        let mut steps = Vec::new();
        for ((side, number), orders) in &self.orders {
            if *side != wanted || orders.until < now {
                continue;
            }
            let traded = self.traded.get(&(*side, *number)).copied().unwrap_or(0);
            steps.extend(left(&orders.steps, traded).into_iter().map(|step| (*number, step)));
        }
        steps
    }
}

impl Venue for Uniform {
    fn posted(&mut self, number: Number, orders: &Arc<Orders>, now: Time) -> Checked<(), String> {
        self.check_missed(now)?;
        self.posted = Some(now);
        self.orders.insert((orders.side, number), Arc::clone(orders));
        Ok(())
    }

    fn due(&mut self, now: Time) -> Checked<Clearing, String> {
        ensure_that(!self.is_over, || "orders are cleared after the gate has closed".to_owned())?;
        self.check_time(now)?;
        self.check_missed(now)?;
        (self.is_over, self.posted, self.cleared) = (now >= self.closes, None, now);
        self.clearings += 1;
        // However late that is, what was good as the gate closed counts.
        let good = now.min(self.closes);
        let (bids, asks) = (self.side(OrderSide::Buy, good), self.side(OrderSide::Sell, good));
        let [demand, supply] = [&bids, &asks].map(|side| {
            let units: i128 = side.iter().map(|(_, step)| i128::from(step.energy.0)).sum();
            Energy(i64::try_from(units).unwrap_or(i64::MAX))
        });
        let (mut price, mut executions) = (None, Vec::new());
        if let Some(cleared) = clear(&bids, &asks) {
            price = Some(cleared.price);
            for (side, fills) in [(OrderSide::Buy, &cleared.bought), (OrderSide::Sell, &cleared.sold)] {
                fills.iter().for_each(|(number, units)| *self.traded.entry((side, *number)).or_default() += units);
            }
            let pairs = pair(&cleared.bought, &cleared.sold).into_iter();
            executions.extend(pairs.map(|((buyer, seller), e)| Execution(buyer, seller, e, cleared.price)));
        }
        Ok(Clearing { number: self.clearings, price, supply, demand, executions })
    }

    fn close(&mut self, _: Time) -> Checked<(), String> {
        if self.is_over { Ok(()) } else { Err("the market closes before its orders are cleared".to_owned()) }
    }
}

/// Orders that meet as they arrive.
#[derive(Debug)]
pub(super) struct Continuous {
    /// Whether what has met stands on the chain before anything else counts at a later moment.
    at_once: bool,
    closes: Time,
    book: Book,
    /// What has met and does not stand on the chain yet, and since when.
    met: Vec<Execution>,
    since: Time,
    posted: BTreeMap<(OrderSide, Number), i128>,
    clearings: u32,
}

impl Continuous {
    pub(super) fn open(genesis: &Genesis, game: &Game) -> Self {
        let (at_once, book, posted) = (!genesis.rules.late_blocks, Book::default(), BTreeMap::new());
        Self { at_once, closes: game.closes, book, met: Vec::new(), since: Time::ZERO, posted, clearings: 0 }
    }

    fn is_late(&self, now: Time) -> Checked<(), String> {
        match self.met.first() {
            Some(Execution(buyer, seller, energy, price)) if self.at_once && self.since < now => Err(format!(
                "{energy} kWh that buyer {buyer} gets from seller {seller} at {price} CNY/kWh are not executed at once"
            )),
            _ => Ok(()),
        }
    }
}

impl Venue for Continuous {
    fn posted(&mut self, number: Number, orders: &Arc<Orders>, now: Time) -> Checked<(), String> {
        self.is_late(now)?;
        let units = orders.steps.iter().map(|step| i128::from(step.energy.0)).sum();
        self.posted.insert((orders.side, number), units);
        let met = self.book.enter(number, orders.side, &orders.steps, orders.until, now).into_iter();
        self.met.extend(met.map(|(buyer, seller, energy, price)| Execution(buyer, seller, energy, price)));
        self.since = now;
        Ok(())
    }

    fn due(&mut self, now: Time) -> Checked<Clearing, String> {
        self.is_late(now)?;
        if self.met.is_empty() {
            return Err("no orders have met".to_owned());
        }
        self.clearings += 1;
        let all = |wanted: OrderSide| {
            let of_side = self.posted.iter().filter(|((side, _), _)| *side == wanted);
            Energy(i64::try_from(of_side.map(|(_, units)| *units).sum::<i128>()).unwrap_or(i64::MAX))
        };
        let (supply, demand, executions) = (all(OrderSide::Sell), all(OrderSide::Buy), std::mem::take(&mut self.met));
        Ok(Clearing { number: self.clearings, price: None, supply, demand, executions })
    }

    fn close(&mut self, now: Time) -> Checked<(), String> {
        match self.met.len() {
            0 if now < self.closes => Err("the market closes before its gate".to_owned()),
            0 => Ok(()),
            count => Err(format!("the market closes with {count} executions that stand nowhere")),
        }
    }
}

fn ensure_that(holds: bool, what: impl FnOnce() -> String) -> Checked<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
