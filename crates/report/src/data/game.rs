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

/// The quantities of a seller, in the order of the arrays below: its price [CNY/kWh], the mean of the buyers' shares weighted
/// by their demand, the demand it meets [kWh], and its net utility [CNY].
const QUANTITIES: [fn(&ConvergenceRow) -> Option<Number>; 4] =
    [|row| row.price_cny_per_kwh, |row| row.share, |row| row.demand_kwh, |row| row.net_utility];

/// Which of them is the price.
pub const PRICE: usize = 0;
const DEMAND: usize = 2;

/// What a seller went through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seller {
    /// Its number.
    pub number: u32,
    /// The path of each quantity.
    pub paths: [Path; 4],
}

/// What many sellers went through.
#[derive(Clone, Debug, PartialEq)]
pub struct Others {
    /// How many they are.
    pub count: usize,
    /// The range of each quantity.
    pub ranges: [Range; 4],
}

/// A game being read, row by row in order of time.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When the slot begins, since the start of the run [s].
    begin: f64,
    most_points: usize,
    /// Of the last row that was read, when it was [s] and how many messages were sent, lost and doubled until then.
    last: Option<(f64, [f64; 3])>,
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
        for (path, of) in seller.paths.iter_mut().zip(QUANTITIES) {
            path.extend(of(row).map(|value| (time, value.value())));
        }
        if self.last.is_some_and(|last| last.0 != time) {
            self.end_instant();
        }
        let now = [row.price_gap, row.imbalance].map(|value| value.map_or(f64::NAN, Number::value));
        self.now.insert(row.seller, now.into());
        let counts = [row.messages, row.lost_messages, row.duplicated_messages].map(|count| count as f64);
        self.last = Some((time, counts));
    }

    /// Notes how the game stands after the last row of an instant, which stands for it.
    fn end_instant(&mut self) {
        let Some((time, [sent, lost, duplicated])) = self.last else { return };
        let largest = |of: fn(&(f64, f64)) -> f64| self.now.values().map(of).fold(f64::NAN, f64::max);
        let values = [largest(|now| now.0), largest(|now| now.1), sent, lost, duplicated];
        self.paths.iter_mut().zip(values).for_each(|(path, value)| path.push((time, value)));
    }

    pub(super) fn end(mut self) -> Game {
        self.end_instant();
        let Self { rows, most_points, sellers, paths, .. } = self;
        let mut sellers: Vec<Seller> = sellers.into_values().collect();
        let demand = |seller: &Seller| seller.paths[DEMAND].last().map_or(0.0, |last| last.1);
        if sellers.len() > MOST_SELLERS {
            sellers.sort_by(|a, b| demand(b).total_cmp(&demand(a)));
        }
        let others = sellers.split_off(sellers.len().min(MOST_SELLERS));
        sellers.sort_by_key(|seller| seller.number);
        let range = |quantity: usize| {
            let points: Vec<_> = others.iter().flat_map(|seller| &seller.paths[quantity]).copied().collect();
            band(&points, PIECES)
        };
        let others = (!others.is_empty()).then(|| Others { count: others.len(), ranges: [0, 1, 2, 3].map(range) });
        let thin = |path| thinned(path, most_points);
        let thin_seller = |seller: Seller| Seller { number: seller.number, paths: seller.paths.map(thin) };
        let sellers = sellers.into_iter().map(thin_seller).collect();
        let defined = |path: Path| thin(path.into_iter().filter(|point| point.1.is_finite()).collect());
        let [price_gap, imbalance, messages, lost, duplicated] = paths.map(defined);
        Game { rows, most_points, sellers, others, price_gap, imbalance, messages, lost, duplicated }
    }
}
