//! Auctions, written a second time: curves and what is left of them, clearing at one price, and the book of a continuous
//! double auction.

use super::super::{super::desk::ensure, rates::rule::pro_rata};
use microgrid_agents::{
    chain::{fact::Number, refusal::Refusal},
    statement::{OrderSide as Side, Step},
    time::Time,
    units::Energy,
};
use std::collections::{BTreeMap, VecDeque};

/// A limit as it sorts: ascending, zero without a sign.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit(f64);

impl Eq for Limit {}

impl PartialOrd for Limit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Limit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.0.total_cmp(&other.0) }
    }
}

/// What is wrong with a curve between these prices, of which there is no more than `most`.
pub(super) fn check(side: Side, steps: &[Step], band: (f64, f64), most: Energy) -> Result<(), Refusal> {
    let too_much = if side == Side::Sell { Refusal::MoreThanSurplus } else { Refusal::InvalidPurchases };
    ensure(!steps.iter().any(|step| !step.limit.is_finite()), Refusal::NotFinite)?;
    ensure(!steps.iter().any(|step| step.limit < band.0 || step.limit > band.1), Refusal::PriceOutOfBand)?;
    let in_order = |pair: &[Step]| match side {
        Side::Buy => pair[0].limit >= pair[1].limit,
        Side::Sell => pair[0].limit <= pair[1].limit,
    };
    ensure(steps.windows(2).all(in_order), Refusal::PriceOutOfBand)?;
    let amounts = steps.iter().map(|step| i128::from(step.energy.0));
    ensure(amounts.clone().all(|units| units >= 1) && amounts.sum::<i128>() <= most.0.into(), too_much)
}

/// What is left of a curve of which so much [1e-6 kWh] is traded: of each step what lies beyond that.
pub(super) fn left(steps: &[Step], traded: i128) -> Vec<Step> {
    let mut end = 0;
    let beyond = |step: &Step| {
        end += i128::from(step.energy.0);
        let units = i128::from(step.energy.0).min(end - traded).max(0);
        Step { energy: Energy(units as i64), ..*step }
    };
    steps.iter().map(beyond).filter(|step| step.energy > Energy::ZERO).collect()
}

/// What comes of a clearing: its price [CNY/kWh], and what each buys and sells [1e-6 kWh], if anything.
#[derive(Debug, PartialEq)]
pub(super) struct Cleared {
    pub(super) price: f64,
    pub(super) bought: Vec<(Number, i128)>,
    pub(super) sold: Vec<(Number, i128)>,
}

/// The steps of a side by limit; at each limit by number.
type Levels = BTreeMap<Limit, BTreeMap<Number, i128>>;

/// Clears what is left of everybody's curves at the middle of all prices at which demand meets supply: from the lowest
/// above which no more is wanted than is offered at it, to the highest below which no more is offered than is wanted at
/// it.
pub(super) fn clear(bids: &[(Number, Step)], asks: &[(Number, Step)]) -> Option<Cleared> {
    let (bids, asks) = (levels(bids), levels(asks));
    let size = |level: Option<&BTreeMap<Number, i128>>| level.map_or(0, |level| level.values().sum::<i128>());
    let prices: Vec<Limit> = {
        let mut both: Vec<Limit> = bids.keys().chain(asks.keys()).copied().collect();
        both.sort_unstable();
        both.dedup();
        both
    };
    // At a price, demand and supply with and without what has it as its limit.
    let (mut above, mut below) = (bids.values().map(|level| size(Some(level))).sum::<i128>(), 0);
    let (mut volume, mut lowest, mut highest) = (0, None, None);
    for price in prices {
        let (demand, supply) = (above, below + size(asks.get(&price)));
        above -= size(bids.get(&price));
        volume = volume.max(demand.min(supply));
        if above <= supply && lowest.is_none() {
            lowest = Some(price.0);
        }
        if below <= demand {
            highest = Some(price.0);
        }
        below = supply;
    }
    if volume == 0 {
        return None;
    }
    let price = (lowest? + highest?) / 2.0;
    Some(Cleared { price, bought: filled(bids.values().rev(), volume), sold: filled(asks.values(), volume) })
}

fn levels(steps: &[(Number, Step)]) -> Levels {
    let mut levels = Levels::new();
    for &(number, step) in steps {
        *levels.entry(Limit(step.limit)).or_default().entry(number).or_default() += i128::from(step.energy.0);
    }
    levels
}

/// Fills one level after the other up to a volume; of the last, what is left is divided.
fn filled<'a>(levels: impl Iterator<Item = &'a BTreeMap<Number, i128>>, volume: i128) -> Vec<(Number, i128)> {
    let (mut filled, mut left) = (BTreeMap::<Number, i128>::new(), volume);
    for level in levels {
        let wanted: Vec<i128> = level.values().copied().collect();
        let amounts = pro_rata(left.min(wanted.iter().sum()), &wanted);
        for (&number, amount) in level.keys().zip(amounts) {
            *filled.entry(number).or_default() += amount;
            left -= amount;
        }
    }
    filled.into_iter().filter(|(_, units)| *units > 0).collect()
}

/// A trade in the book: who buys of whom, how much, at which price [CNY/kWh].
pub(super) type Execution = (Number, Number, Energy, f64);

/// The book of a continuous double auction: a queue for each limit of each side. What has been replaced or has expired
/// stays in its queue until its turn comes.
#[derive(Debug, Default)]
pub(super) struct Book {
    bids: BTreeMap<Limit, VecDeque<Waiting>>,
    asks: BTreeMap<Limit, VecDeque<Waiting>>,
    orders: BTreeMap<(Side, Number), Order>,
}

/// A step in a queue, by the so-maniest order of its party.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: Number,
    order: u64,
    until: Time,
    units: i128,
}

/// What is known of a party on its side: how many orders it has entered, and what it has traded.
#[derive(Clone, Copy, Debug, Default)]
struct Order {
    count: u64,
    traded: i128,
}

impl Book {
    /// An order comes, and takes the place of its party's last.
    pub(super) fn enter(
        &mut self,
        number: Number,
        side: Side,
        steps: &[Step],
        until: Time,
        now: Time,
    ) -> Vec<Execution> {
        let own = self.orders.entry((side, number)).or_default();
        own.count += 1;
        let Order { count: order, traded } = *own;
        let mut executions = Vec::new();
        for Step { energy, limit } in left(steps, traded) {
            let mut units = i128::from(energy.0);
            while now <= until && units > 0 {
                let Some((price, other, most)) = self.first(opposite(side), now) else { break };
                if (side == Side::Buy && price > limit) || (side == Side::Sell && price < limit) {
                    break;
                }
                let energy = units.min(most);
                units -= energy;
                self.trade((side, number), energy);
                self.trade((opposite(side), other), energy);
                self.shorten(opposite(side), price, energy);
                let energy = Energy(i64::try_from(energy).unwrap_or(i64::MAX));
                let (buyer, seller) = if side == Side::Buy { (number, other) } else { (other, number) };
                executions.push((buyer, seller, energy, price));
            }
            if units > 0 {
                self.queues(side).entry(Limit(limit)).or_default().push_back(Waiting { number, order, until, units });
            }
        }
        executions
    }

    fn queues(&mut self, side: Side) -> &mut BTreeMap<Limit, VecDeque<Waiting>> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The limit, the number and the units of the first in turn on a side; those who are out of date leave.
    fn first(&mut self, side: Side, now: Time) -> Option<(f64, Number, i128)> {
        loop {
            let queues = match side {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            };
            let mut best = if side == Side::Buy { queues.last_entry()? } else { queues.first_entry()? };
            let limit = best.key().0;
            match best.get().front() {
                None => drop(best.remove()),
                Some(&Waiting { number, order, until, units }) => {
                    let current = self.orders.get(&(side, number)).is_some_and(|last| last.count == order);
                    if current && now <= until && units > 0 {
                        return Some((limit, number, units));
                    }
                    best.get_mut().pop_front();
                }
            }
        }
    }

    fn shorten(&mut self, side: Side, limit: f64, units: i128) {
        if let Some(first) = self.queues(side).get_mut(&Limit(limit)).and_then(VecDeque::front_mut) {
            first.units -= units;
        }
    }

    fn trade(&mut self, party: (Side, Number), units: i128) {
        self.orders.entry(party).or_default().traded += units;
    }
}

fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Buy, Sell};
    use microgrid_agents::{
        market::pricing::PriceBand,
        mechanism::{
            auction::{book, clearing},
            orders,
        },
    };
    use proptest::{collection::vec, prelude::*};

    fn step(units: i64, limit: f64) -> Step {
        Step { energy: Energy(units), limit }
    }

    #[test]
    fn demand_meets_supply_at_a_middle_price() {
        // 7 units trade: of the bids at 0.75 only the first, 7 - 5 = 2, as the next is at 0.5; of the asks at 0.5 all.
        let bids = [(1, step(2, 1.0)), (1, step(2, 0.75)), (4, step(3, 0.875)), (4, step(4, 0.5))];
        let asks = [(2, step(1, 0.25)), (2, step(5, 0.75)), (3, step(6, 0.5))];
        let expected = Cleared { price: 0.625, bought: vec![(1, 4), (4, 3)], sold: vec![(2, 1), (3, 6)] };
        assert_eq!(clear(&bids, &asks), Some(expected));
        assert_eq!(clear(&bids[3..], &asks[1..2]), None);
    }

    #[test]
    fn the_book_keeps_price_time_and_what_has_been_traded() {
        let mut book = Book::default();
        let mut enter = |number, side, steps: &[Step], until| book.enter(number, side, steps, Time(until), Time(5));
        assert_eq!(enter(1, Sell, &[step(4, 0.5)], 6), []);
        assert_eq!(enter(2, Sell, &[step(4, 0.5), step(2, 0.6)], 6), []);
        assert_eq!(enter(3, Sell, &[step(4, 0.4)], 4), [], "it comes too late");
        assert_eq!(enter(7, Buy, &[step(5, 0.5)], 6), [(7, 1, Energy(4), 0.5), (7, 2, Energy(1), 0.5)]);
        assert_eq!(enter(2, Sell, &[step(3, 0.7)], 6), [], "1 is sold, 2 are left");
        assert_eq!(enter(7, Buy, &[step(9, 0.8)], 6), [(7, 2, Energy(2), 0.7)]);
    }

    /// Steps of either side: whose, units and eighths of a limit.
    fn side() -> impl Strategy<Value = Vec<(u32, i64, u8)>> {
        vec((0..6_u32, prop_oneof![1..5_i64, 1..2_000_000_i64], 0..=8_u8), 0..14)
    }

    proptest! {
        #[test]
        fn the_market_clears_alike(bids in side(), asks in side(), unit in prop_oneof![Just(0.125), 0.05..0.2]) {
            let of = |factor: u32, side: &[(u32, i64, u8)]| -> Vec<(u32, Step)> {
                side.iter().map(|&(who, units, part)| (factor * who, step(units, unit * f64::from(part)))).collect()
            };
            let numbered = |fills: Vec<(u32, Energy)>| -> Vec<(Number, i128)> {
                fills.into_iter().map(|(party, energy)| (7 * party, energy.0.into())).collect()
            };
            let theirs = clearing::clear(&of(1, &bids), &of(1, &asks));
            let theirs = theirs.map(|found| {
                let volume = found.volume.0.into();
                (volume, Cleared { price: found.price, bought: numbered(found.bought), sold: numbered(found.sold) })
            });
            let ours = clear(&of(7, &bids), &of(7, &asks));
            let ours = ours.map(|found| (found.bought.iter().map(|bought| bought.1).sum::<i128>(), found));
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn the_market_trades_alike_in_a_book(
            entries in vec((0..5_u32, any::<bool>(), vec((1..9_i64, 0..=8_u8), 0..4), 0..12_u64, 0..3_u64), 0..60),
        ) {
            let (mut ours, mut theirs, mut now) = (Book::default(), book::Book::default(), 0);
            for (party, sells, steps, lasts, pause) in entries {
                now += pause;
                let side = if sells { Sell } else { Buy };
                let mut curve: Vec<Step> =
                    steps.iter().map(|&(units, part)| step(units, f64::from(part) / 8.0)).collect();
                curve.sort_by(|a, b| if sells { a.limit.total_cmp(&b.limit) } else { b.limit.total_cmp(&a.limit) });
                let until = Time(now + lasts);
                let executions = theirs.enter(party, side, &curve, until, Time(now)).into_iter();
                let numbered = |book::Execution { buyer, seller, energy, price }| (7 * buyer, 7 * seller, energy, price);
                let executions: Vec<Execution> = executions.map(numbered).collect();
                prop_assert_eq!(ours.enter(7 * party, side, &curve, until, Time(now)), executions);
            }
        }

        #[test]
        fn the_contract_refuses_the_same_curves(
            sells: bool, most in 0..20_i64,
            steps in vec((-1..9_i64, prop_oneof![20 => 0.3..1.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]), 0..4),
            sorted in prop_oneof![4 => Just(true), 1 => Just(false)],
        ) {
            let side = if sells { Sell } else { Buy };
            let mut steps: Vec<Step> = steps.into_iter().map(|(units, limit)| step(units, limit)).collect();
            if sorted {
                steps.sort_by(|a, b| if sells { a.limit.total_cmp(&b.limit) } else { b.limit.total_cmp(&a.limit) });
            }
            let band = PriceBand { floor: 0.35, ceiling: 0.95 };
            let theirs = orders::check(side, &steps, band, Energy(most));
            prop_assert_eq!(check(side, &steps, (band.floor, band.ceiling), Energy(most)), theirs);
        }

        #[test]
        fn the_same_is_left_of_a_curve(steps in vec(1..9_i64, 0..6), traded in 0..40_i64) {
            let curve: Vec<Step> = (0..).zip(steps).map(|(k, units)| step(units, f64::from(k))).collect();
            prop_assert_eq!(left(&curve, traded.into()), orders::rest(&curve, Energy(traded)).collect::<Vec<_>>());
        }
    }
}
