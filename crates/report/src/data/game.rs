//! How a slot's game went, seller by seller, from `convergence.csv`.

use super::thin::{band, thinned};
use microgrid_record::{ConvergenceRow, Number};
use std::collections::BTreeMap;

/// As many sellers are drawn one by one: those that meet most demand in the end. Their colors can still be told apart.
pub const MOST_SELLERS: usize = 8;

/// In how many pieces of time the range of all other sellers is told.
const PIECES: usize = 120;

/// A value over time: (s since the slot began, value).
pub type Path = Vec<(f64, f64)>;

/// A range of values over time: (s since the slot began, lowest, highest).
pub type Range = Vec<(f64, f64, f64)>;

/// How a slot's game went.
#[derive(Clone, Debug, PartialEq)]
pub struct Game {
    /// How many rows of `convergence.csv` it is made from.
    pub rows: u64,
    /// How many points a path has at most.
    pub most_points: usize,
    /// The sellers that are drawn one by one, by number.
    pub sellers: Vec<Seller>,
    /// The others, if there are any.
    pub others: Option<Others>,
    /// Largest distance of a seller's price from that of the closed form [CNY/kWh].
    pub price_gap: Path,
    /// Largest imbalance at a seller, in mean surpluses.
    pub imbalance: Path,
    /// Messages sent since the slot before was closed.
    pub messages: Path,
    /// Messages of these that never arrived.
    pub lost: Path,
    /// Messages of these that arrived twice.
    pub duplicated: Path,
}

/// One of the quantities of a seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Its price [CNY/kWh].
    Price,
    /// Mean of the buyers' shares, weighted by their demand.
    Share,
    /// Demand it meets [kWh].
    Demand,
    /// Its net utility [CNY].
    NetUtility,
}

impl Quantity {
    /// All of them, in the order of the arrays below.
    pub const ALL: [Self; 4] = [Self::Price, Self::Share, Self::Demand, Self::NetUtility];

    fn of(self, row: &ConvergenceRow) -> Option<f64> {
        let value = match self {
            Self::Price => row.price_cny_per_kwh,
            Self::Share => row.share,
            Self::Demand => row.demand_kwh,
            Self::NetUtility => row.net_utility,
        };
        value.map(Number::value)
    }
}

/// What a seller went through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seller {
    /// Its number.
    pub number: u32,
    paths: [Path; 4],
}

impl Seller {
    /// The path of a quantity.
    pub fn path(&self, quantity: Quantity) -> &Path {
        &self.paths[quantity as usize]
    }
}

/// What many sellers went through.
#[derive(Clone, Debug, PartialEq)]
pub struct Others {
    /// How many they are.
    pub count: usize,
    ranges: [Range; 4],
}

impl Others {
    /// The range of a quantity.
    pub fn range(&self, quantity: Quantity) -> &Range {
        &self.ranges[quantity as usize]
    }
}

/// The last row of an instant.
#[derive(Clone, Copy, Debug)]
struct Instant {
    /// Since the slot began [s].
    time: f64,
    /// Messages sent, lost and doubled until then.
    counts: [f64; 3],
}

/// A game being read, row by row in order of time.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When the slot begins, since the start of the run [s].
    begin: f64,
    most_points: usize,
    /// The last row that was read.
    last: Option<Instant>,
    rows: u64,
    sellers: BTreeMap<u32, Seller>,
    /// Distance and imbalance of each seller as they are now.
    now: BTreeMap<u32, (f64, f64)>,
    /// Largest distance, largest imbalance, and the counts of messages.
    paths: [Path; 5],
}

impl Reading {
    pub(super) fn new(begin: f64, most_points: usize) -> Self {
        Self { begin, most_points, ..Self::default() }
    }

    pub(super) fn add(&mut self, row: &ConvergenceRow) {
        let time = row.time_s.value() - self.begin;
        self.rows += 1;
        let seller = self.sellers.entry(row.seller).or_default();
        seller.number = row.seller;
        for quantity in Quantity::ALL {
            seller.paths[quantity as usize].extend(quantity.of(row).map(|value| (time, value)));
        }
        if self.last.is_some_and(|last| last.time != time) {
            self.end_instant();
        }
        let now = (row.price_gap.map_or(f64::NAN, Number::value), row.imbalance.map_or(f64::NAN, Number::value));
        self.now.insert(row.seller, now);
        let counts = [row.messages, row.lost_messages, row.duplicated_messages].map(|count| count as f64);
        self.last = Some(Instant { time, counts });
    }

    /// Notes how the game stands after the last row of an instant, which stands for it.
    fn end_instant(&mut self) {
        let Some(Instant { time, counts: [sent, lost, duplicated] }) = self.last else { return };
        let largest = |of: fn(&(f64, f64)) -> f64| self.now.values().map(of).fold(f64::NAN, f64::max);
        let values = [largest(|now| now.0), largest(|now| now.1), sent, lost, duplicated];
        self.paths.iter_mut().zip(values).for_each(|(path, value)| path.push((time, value)));
    }

    pub(super) fn end(mut self) -> Game {
        self.end_instant();
        let Self { rows, most_points, sellers, paths, .. } = self;
        let (drawn, others) = split(sellers);
        let thin = |path| thinned(path, most_points);
        let thin_seller = |seller: Seller| Seller { number: seller.number, paths: seller.paths.map(thin) };
        let defined = |path: Path| thin(path.into_iter().filter(|point| point.1.is_finite()).collect());
        let [price_gap, imbalance, messages, lost, duplicated] = paths.map(defined);
        let (sellers, others) = (drawn.into_iter().map(thin_seller).collect(), ranges(&others));
        Game { rows, most_points, sellers, others, price_gap, imbalance, messages, lost, duplicated }
    }
}

/// The sellers that meet most demand in the end, by number, and all others.
fn split(sellers: BTreeMap<u32, Seller>) -> (Vec<Seller>, Vec<Seller>) {
    let mut sellers: Vec<Seller> = sellers.into_values().collect();
    let demand = |seller: &Seller| seller.path(Quantity::Demand).last().map_or(0.0, |last| last.1);
    if sellers.len() > MOST_SELLERS {
        sellers.sort_by(|a, b| demand(b).total_cmp(&demand(a)));
    }
    let others = sellers.split_off(sellers.len().min(MOST_SELLERS));
    sellers.sort_by_key(|seller| seller.number);
    (sellers, others)
}

fn ranges(others: &[Seller]) -> Option<Others> {
    let range = |quantity: Quantity| {
        let points: Vec<_> = others.iter().flat_map(|seller| seller.path(quantity)).copied().collect();
        band(&points, PIECES)
    };
    (!others.is_empty()).then(|| Others { count: others.len(), ranges: Quantity::ALL.map(range) })
}
