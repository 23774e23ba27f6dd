//! Random markets of one slot, what clears them, and how many rounds the actors take to get there.
//!
//! What clears a market is found by bisection on total demand, written anew here: it shares nothing with
//! `analysis::equilibrium` but the model.

use microgrid_agents::{
    ids::ActorId,
    market::{demand::Demand, mechanism::Mechanism, pricing::PriceBand},
    observation::{Observation, Observed},
    streams::{Purpose, Stream, stream},
    time::Time,
    units::Energy,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher},
    scenario::{
        self, Case, Overrides,
        population::{Member, Population, SlotProfile},
    },
    simulation::simulate,
};
use rand::{
    RngExt,
    seq::{IndexedRandom, SliceRandom},
};
use rand_distr::{Distribution, LogNormal};
use serde::Serialize;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Seed of all random markets.
pub(crate) const SEED: u64 = 2026;

/// From one act to the next: short enough for thousands of rounds in a quarter of an hour.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

/// Of the ledger's blocks.
const TIMEOUT: Duration = Duration::from_millis(1);

/// Prices this close to a clearing price are there [CNY/kWh].
pub(crate) const CLOSE: f64 = 1e-3;

/// A relative difference of demand and supply that is rounding.
const ROUNDING: f64 = 1e-9;

/// A market of one slot.
#[derive(Clone, Debug)]
pub(crate) struct RandomMarket {
    /// Its number, from which it is drawn.
    pub(crate) number: u32,
    pub(crate) demand: Demand,
    /// Length of the slot [min].
    minutes: u32,
    /// Curvature of utility [CNY/kWh²], in a slot of an hour.
    alpha: f64,
    eta: f64,
    mu: f64,
    band: PriceBand,
    /// In the order of their number, from 1.
    prosumers: Vec<Prosumer>,
}

/// Who takes part.
#[derive(Clone, Copy, Debug)]
struct Prosumer {
    generation: Energy,
    load: Energy,
    /// The price from which on it buys nothing, with no generation of its own: `w_pv` [CNY/kWh].
    preference: f64,
}

/// Where the clearing price is meant to lie.
#[derive(Clone, Copy, Debug)]
enum Aim {
    Inside,
    Floor,
    Ceiling,
    NearFloor,
    NearCeiling,
    Anywhere,
}

/// The prices that clear a market: one, or an interval where a firm need equals the supply [CNY/kWh].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clearing {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl Clearing {
    /// How far a price is off [CNY/kWh].
    pub(crate) fn distance(&self, price: f64) -> f64 {
        (self.lowest - price).max(price - self.highest).max(0.0)
    }
}

impl RandomMarket {
    /// The market of this number: always the same one.
    ///
    /// Most are a slot of an hour at the usual tariffs. Every fourth or so has tariffs, a slot length, a curvature or
    /// a trust of its own, and some buyers whom most prices are too high.
    pub(crate) fn draw(number: u32) -> Self {
        let mut random = stream(SEED, ActorId(number), Purpose::Population);
        let random = &mut random;
        let participants = random.random_range(4_f64.ln()..81_f64.ln()).exp() as usize;
        let sellers = match random.random_bool(1.0 / 12.0) {
            true => 1,
            false => participants - (part(random, participants, 0.25..0.75)).clamp(1, participants - 2),
        };
        let demand = if random.random_bool(1.0 / 3.0) { Demand::Firm } else { Demand::Elastic };
        let usual = |random: &mut Stream| random.random_bool(0.75);
        let minutes = if usual(random) { 60 } else { one_of(random, &[15, 30, 120]) };
        let alpha = if usual(random) { 0.4 } else { rounded(10_f64.powf(random.random_range(-1.0..0.2))) };
        let trust =
            if usual(random) { (0.2, 1.0) } else { (random.random_range(0.0..1.0), random.random_range(0.0..1.0)) };
        let band = match usual(random) {
            true => PriceBand { floor: 0.45, ceiling: rounded(random.random_range(0.7..1.1)) },
            false => {
                let floor = one_of(random, &[0.0, 0.1, 0.3, 1.0]);
                PriceBand { floor, ceiling: rounded(floor + random.random_range(0.1..1.0)) }
            }
        };
        let hours = f64::from(minutes) / 60.0;
        let choosy = random.random_bool(0.25);
        let buyer = |random: &mut Stream| buyer(random, band, alpha, hours, choosy);
        let mut prosumers: Vec<Prosumer> = (sellers..participants).map(|_| buyer(random)).collect();
        let market = Self { number, demand, minutes, alpha, eta: trust.0, mu: trust.1, band, prosumers: Vec::new() };
        for surplus in market.surpluses(random, &prosumers, sellers) {
            let load =
                if usual(random) { Energy::nearest(hours * random.random_range(0.0..3.0)) } else { Energy::ZERO };
            prosumers.push(Prosumer { generation: load + surplus, load, preference: 2.0 });
        }
        prosumers.shuffle(random);
        Self { prosumers, ..market }
    }

    /// What so many sellers have to offer to these buyers.
    fn surpluses(&self, random: &mut Stream, buyers: &[Prosumer], sellers: usize) -> Vec<Energy> {
        let PriceBand { floor, ceiling } = self.band;
        let aims = [Aim::Inside, Aim::Floor, Aim::Ceiling, Aim::NearFloor, Aim::NearCeiling, Aim::Anywhere];
        let aim = *aims.choose_weighted(random, |aim| if matches!(aim, Aim::Inside) { 5 } else { 1 }).expect("weights");
        let inner = floor + (ceiling - floor) * random.random_range(0.1..0.9);
        let at = |price| self.total_demand(buyers.iter(), price);
        let little = 10_f64.powf(random.random_range(-3.0..-1.0));
        let plenty = random.random_range(1.01..2.0);
        let supply = match aim {
            Aim::Inside => at(inner),
            Aim::Floor => at(floor) * plenty,
            Aim::Ceiling => at(ceiling) / plenty,
            Aim::NearFloor => at(floor) * (1.0 + one_of(random, &[little, -little])),
            Aim::NearCeiling => at(ceiling) * (1.0 + one_of(random, &[little, -little])),
            Aim::Anywhere => at(inner) * random.random_range(0.5..1.6),
        };
        let supply = if supply > 0.0 { supply } else { f64::from(self.minutes) / 60.0 };
        let weights = weights(random, sellers);
        let total: f64 = weights.iter().sum();
        let surplus = |weight: &f64| Energy::nearest(weight / total * supply).max(Energy(1));
        let mut surpluses: Vec<Energy> = weights.iter().map(surplus).collect();
        // A supply that misses the firm need of all by no more than rounding would leave them the last unit to fight for.
        let need: Energy = buyers.iter().map(|buyer| buyer.load - buyer.generation).sum();
        let missing = need - surpluses.iter().copied().sum();
        let largest = surpluses.iter_mut().max().expect("there is a seller");
        if self.demand == Demand::Firm && missing.0.unsigned_abs() <= 2 * sellers as u64 && (*largest + missing).0 > 0 {
            *largest += missing;
        }
        surpluses
    }

    /// What these buyers want at a price [kWh], by (7).
    fn total_demand<'a>(&self, buyers: impl Iterator<Item = &'a Prosumer>, price: f64) -> f64 {
        let alpha = self.alpha / (f64::from(self.minutes) / 60.0);
        let wanted = |buyer: &Prosumer| {
            let wanted = ((buyer.preference - price) / alpha - buyer.generation.value()).max(0.0);
            let need = (buyer.load - buyer.generation).value();
            if self.demand == Demand::Firm { wanted.min(need) } else { wanted }
        };
        buyers.map(wanted).sum()
    }

    /// What clears the market of those at these positions; `None` without sellers or without buyers.
    pub(crate) fn clearing(&self, positions: impl Iterator<Item = usize>) -> Option<Clearing> {
        let (sellers, buyers): (Vec<&Prosumer>, Vec<&Prosumer>) =
            positions.map(|position| &self.prosumers[position]).partition(|prosumer| prosumer.sells());
        if sellers.is_empty() || buyers.is_empty() {
            return None;
        }
        let supply = sellers.iter().map(|seller| seller.surplus()).sum::<f64>();
        let demand = |price| self.total_demand(buyers.iter().copied(), price);
        let PriceBand { floor, ceiling } = self.band;
        Some(Clearing {
            lowest: first(floor, ceiling, |price| demand(price) <= supply * (1.0 + ROUNDING)),
            highest: first(floor, ceiling, |price| demand(price) < supply * (1.0 - ROUNDING)),
        })
    }

    /// What clears the market of all.
    pub(crate) fn clearing_of_all(&self) -> Clearing {
        self.clearing(0..self.prosumers.len()).expect("there are sellers and buyers")
    }

    /// The surplus of each seller [kWh], in the order of their number.
    pub(crate) fn surplus(&self) -> impl Iterator<Item = f64> {
        let sellers = self.prosumers.iter().filter(|prosumer| prosumer.sells());
        sellers.map(Prosumer::surplus)
    }

    pub(crate) fn sellers(&self) -> usize {
        self.surplus().count()
    }

    pub(crate) fn buyers(&self) -> usize {
        self.prosumers.len() - self.sellers()
    }

    /// Whether the slot is an hour long.
    pub(crate) fn is_hourly(&self) -> bool {
        self.minutes == 60
    }

    /// Whether the price can only be one of the tariffs, and which.
    pub(crate) fn kind(&self) -> Kind {
        let Clearing { lowest, highest } = self.clearing_of_all();
        match () {
            () if highest - lowest > 1e-6 => Kind::Range,
            () if highest == self.band.floor => Kind::Floor,
            () if lowest == self.band.ceiling => Kind::Ceiling,
            () => Kind::Interior,
        }
    }

    /// The scenario of this market, with further `sections` such as `learning: (...)`, and its profiles as CSV.
    pub(crate) fn scenario(&self, sections: &str, gate_closure: Duration) -> (String, String) {
        let Self { number, demand, minutes, alpha, eta, mu, band: PriceBand { floor, ceiling }, prosumers } = self;
        let text = format!(
            "Scenario(
    name: \"market-{number}\",
    seed: {seed},
    market: (slots: 1, slot_length: \"{minutes}min\", open: (1, 1), gate_closure: \"{gate}ms\",
             feed_in_tariff: {floor}, grid_tariff: Constant({ceiling})),
    population: Profiles(\"profiles.csv\"),
    preferences: (alpha: {alpha}, eta: {eta}, mu: {mu}, demand: {demand:?}),
    ledger: (posts: Last, block: (timeout: \"{timeout}ms\")),
    record: Slots,
    {sections}
)
",
            seed = SEED + u64::from(*number),
            gate = gate_closure.as_millis(),
            timeout = TIMEOUT.as_millis(),
        );
        let member = |(number, prosumer): (u32, &Prosumer)| {
            let &Prosumer { generation, load, preference } = prosumer;
            let preference_pv = preference / (1.0 + eta * mu);
            let profile = [SlotProfile { generation, load, preference_pv, preference_grid: 1.0 }];
            Member::new(number, profile)
        };
        let population = Population { prosumers: (1..).zip(prosumers).map(member).collect() };
        (text, population.to_csv())
    }

    /// Writes the scenario and its profiles into a folder; returns the scenario as it is read from there.
    pub(crate) fn written(&self, folder: &Path, sections: &str, gate_closure: Duration) -> Case {
        let (text, profiles) = self.scenario(sections, gate_closure);
        let path = folder.join("scenario.ron");
        std::fs::write(&path, text).expect("the scenario is written");
        std::fs::write(folder.join("profiles.csv"), profiles).expect("the profiles are written");
        let plan = scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
        plan.cases().next().expect("a plan has a case")
    }

    /// The same, with nothing left on disk.
    pub(crate) fn case(&self, sections: &str, gate_closure: Duration) -> Case {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.written(folder.path(), sections, gate_closure)
    }
}

impl Prosumer {
    fn sells(&self) -> bool {
        self.generation > self.load
    }

    /// What a seller has to sell [kWh].
    fn surplus(&self) -> f64 {
        (self.generation - self.load).value()
    }
}

/// Whether a tariff binds, or several prices clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Kind {
    Interior,
    Floor,
    Ceiling,
    Range,
}

/// A buyer with up to four fifths of its load from its own roof. Firm or at this price, it buys just what it needs; a
/// choosy market has some whom even the feed-in tariff is too high.
fn buyer(random: &mut Stream, band: PriceBand, alpha: f64, hours: f64, choosy: bool) -> Prosumer {
    let load = random.random_range(1.0..9.0);
    let generation = load * random.random_range(0.0..0.8);
    let width = band.ceiling - band.floor;
    let content = band.floor + width * random.random_range(0.2..1.2);
    let choke = match choosy && random.random_bool(1.0 / 3.0) {
        true => band.floor + width * random.random_range(-0.2..1.0),
        false => content + alpha * (load - generation),
    };
    let [load, generation] = [load, generation].map(|power| Energy::nearest(power * hours));
    let preference = (choke + alpha * generation.value() / hours).max(0.01);
    Prosumer { generation, load, preference }
}

/// What each seller has, in parts of no matter what: all alike, or over some orders of magnitude.
fn weights(random: &mut Stream, sellers: usize) -> Vec<f64> {
    let sigma = one_of(random, &[Some(0.3), Some(1.0), Some(2.0), None]);
    let weight = |random: &mut Stream| match sigma {
        Some(sigma) => LogNormal::new(0.0, sigma).expect("a finite spread").sample(random),
        None => 10_f64.powf(random.random_range(-3.5..0.0)),
    };
    let mut weights: Vec<f64> = (0..sellers).map(|_| weight(random)).collect();
    // Here and there somebody has next to nothing left to sell.
    if random.random_bool(0.05) {
        weights[0] *= 1e-5;
    }
    weights
}

/// So many of a whole.
fn part(random: &mut Stream, whole: usize, range: std::ops::Range<f64>) -> usize {
    (whole as f64 * random.random_range(range)).round() as usize
}

fn one_of<T: Copy>(random: &mut Stream, list: &[T]) -> T {
    *list.choose(random).expect("something to choose from")
}

/// To three digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The lowest number of an interval from which on a condition holds; the upper end if it never does.
fn first(lower: f64, upper: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if holds(lower) {
        return lower;
    }
    let (mut low, mut high) = (lower, upper);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The network in which information takes `age` periods from one actor to another: two messages and a block's timeout.
/// Below a hundredth of a period a message takes no less.
pub(crate) fn hop(age: f64) -> Duration {
    (PERIOD.mul_f64(age).saturating_sub(TIMEOUT) / 2).max(PERIOD / 100)
}

/// A section of the scenario: a network with messages that take so long, up to a part more or less, and get lost.
pub(crate) fn network(hop: Duration, jitter: f64, loss: f64) -> String {
    format!("network: (delay: Constant(\"{}ns\"), jitter: {jitter}, loss: {loss}),", hop.as_nanos())
}

/// A section of the scenario: all sellers at whole periods, all buyers half a period later.
pub(crate) fn lock_step() -> String {
    format!("activation: LockStep(period: \"{}ms\"),", PERIOD.as_millis())
}

/// How many periods from the first quote on, up to `most`, it takes until all prices stay close to what clears the
/// market, in lock-step with this `learning` and with messages that take `hop`; `None` if it takes longer.
///
/// What lasts for 120 periods, and 10 more for each period by which information is older, is taken to stay.
pub(crate) fn rounds(market: &RandomMarket, learning: &str, hop: Duration, most: u32) -> Option<u32> {
    rounds_by(Mechanism::TwoLevelGame, market, learning, hop, most)
}

/// The same, where trades come about by this mechanism.
pub(crate) fn rounds_by(
    mechanism: Mechanism,
    market: &RandomMarket,
    learning: &str,
    hop: Duration,
    most: u32,
) -> Option<u32> {
    let stay = 120 * PERIOD + 10 * (2 * hop + TIMEOUT);
    let sections = format!("learning: {learning}, {} {}", lock_step(), network(hop, 0.0, 0.0));
    let mut case = market.case(&sections, (most + 20) * PERIOD + 20 * hop + stay);
    let scenario = Arc::make_mut(&mut case.scenario);
    scenario.market.mechanism = mechanism;
    // Nobody leaves early.
    scenario.learning.patience = 1_000_000;
    let enough = Arc::new(AtomicBool::new(false));
    let watch = Arrival {
        clearing: market.clearing_of_all(),
        stay,
        most: PERIOD * most,
        first: None,
        since: None,
        enough: Arc::clone(&enough),
    };
    let (watch, result) = simulate(&case, Some(Shards::Fixed(1)), &enough, watch);
    assert!(matches!(result, Err(RuntimeError::Interrupted)), "the watch ends market {}: {result:?}", market.number);
    let taken = watch.since? - watch.first?;
    let rounds = (taken.as_secs_f64() / PERIOD.as_secs_f64()).round() as u32;
    (rounds <= most).then_some(rounds)
}

/// Waits for all prices to stay close to what clears the market, then ends the run.
struct Arrival {
    clearing: Clearing,
    /// How long they have to.
    stay: Duration,
    /// How long to wait for them.
    most: Duration,
    /// When the first quotes counted.
    first: Option<Time>,
    /// Since when all prices have been close.
    since: Option<Time>,
    enough: Arc<AtomicBool>,
}

impl Watcher<MarketProtocol> for Arrival {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for Observed { time: now, what, .. } in observed.drain(..) {
            let Observation::Committed(commit) = what else { continue };
            if self.enough.load(Ordering::Relaxed) {
                continue;
            }
            let first = *self.first.get_or_insert(now);
            let close = commit.state.prices.iter().all(|&price| self.clearing.distance(price) <= CLOSE);
            self.since = if close { self.since.or(Some(now)) } else { None };
            let enough = match self.since {
                Some(since) => now - since > self.stay,
                None => now - first > self.most,
            };
            self.enough.store(enough, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Median and 90 % quantile of rounds, and how many of them are unsettled; these count as `most`.
pub(crate) fn summary(rounds: &[Option<u32>], most: u32) -> (u32, u32, usize) {
    let mut sorted: Vec<u32> = rounds.iter().map(|rounds| rounds.unwrap_or(most)).collect();
    sorted.sort_unstable();
    let quantile = |part: f64| sorted[((part * sorted.len() as f64).ceil() as usize).max(1) - 1];
    (quantile(0.5), quantile(0.9), rounds.iter().filter(|rounds| rounds.is_none()).count())
}
