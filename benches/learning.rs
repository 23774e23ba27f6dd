//! How soon random markets find their price, and whether what they call an equilibrium is one.
//!
//! `cargo bench --bench learning -- --learning "(adaptation: DelayAware)" --delay 1,3` plays three hundred markets with
//! the actors in lock-step, and prints after how many rounds all prices stay within 1e-3 CNY/kWh of what clears the
//! market. `--outcomes` lets markets run to their end instead, each with a way to learn, an activation and a network of
//! its own, and lists those that end in an equilibrium that is none. Everything is drawn from fixed seeds: the same
//! command prints the same table.

#[path = "support/markets.rs"]
mod markets;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use markets::{Clearing, Kind, PERIOD, RandomMarket, SEED, hop, lock_step, network, rounds, summary};
use microgrid_agents::{
    ids::ActorId,
    market::demand::Demand,
    message::MarketOpened,
    observation::{GameOver, Observation, Observed},
    streams::{Purpose, stream},
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    runtime::{Shards, Traffic, WatchError, Watcher},
    simulation::simulate,
};
use rand::{RngExt, seq::IndexedRandom};
use rayon::prelude::*;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How soon random markets find their price.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many markets
    #[arg(long, default_value_t = 300)]
    markets: u32,
    /// Number of the first one
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// How participants learn, as in a scenario: "(adaptation: DelayAware)"; may be given several times
    #[arg(long)]
    learning: Vec<String>,
    /// How old information is when it gets from one actor to another, two messages and a block later [periods]
    #[arg(long, value_delimiter = ',', default_values_t = [0.0])]
    delay: Vec<f64>,
    /// Delays are those of a single message
    #[arg(long)]
    per_message: bool,
    /// A market that takes more rounds is unsettled; with --outcomes, so many periods after it has begun the gate closes
    #[arg(long)]
    rounds: Option<u32>,
    /// Play each market to its end, with an activation and a network of its own, and look at what ends in equilibrium
    #[arg(long)]
    outcomes: bool,
    /// Write a line for each market to this file
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Write the markets' scenarios into this folder, play none
    #[arg(long)]
    write: Option<PathBuf>,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.markets
    }

    /// The ways to learn, or these where none is given.
    fn learning_or(&self, usual: &[&str]) -> Vec<String> {
        if self.learning.is_empty() { usual.iter().map(ToString::to_string).collect() } else { self.learning.clone() }
    }

    /// How long a message takes. All is a little early, so that nothing arrives just as it is acted on.
    fn hop(&self, delay: f64) -> Duration {
        const EARLY: f64 = 0.02;
        if self.per_message {
            PERIOD.mul_f64((delay - EARLY / 2.0).max(0.0)).max(hop(0.0))
        } else {
            hop(delay - EARLY.min(delay))
        }
    }
}

/// A market and how many rounds it took.
#[derive(Clone, Debug, Serialize)]
struct Played {
    learning: String,
    /// [periods]
    delay: f64,
    market: u32,
    buyers: usize,
    sellers: usize,
    /// Largest surplus over the smallest.
    spread: f64,
    demand: Demand,
    kind: Kind,
    hourly: bool,
    /// The highest price that clears the market [CNY/kWh].
    price: f64,
    /// Empty if unsettled.
    rounds: Option<u32>,
}

impl Played {
    fn new(market: &RandomMarket, learning: &str, delay: f64, rounds: Option<u32>) -> Self {
        let largest = market.surplus().fold(0.0, f64::max);
        Self {
            learning: learning.to_owned(),
            delay,
            market: market.number,
            buyers: market.buyers(),
            sellers: market.sellers(),
            spread: largest / market.surplus().fold(f64::INFINITY, f64::min),
            demand: market.demand,
            kind: market.kind(),
            hourly: market.is_hourly(),
            price: market.clearing_of_all().highest,
            rounds,
        }
    }
}

/// What a line of the table is of.
type Part = (&'static str, fn(&Played) -> bool);

const PARTS: [Part; 13] = [
    ("all", |_| true),
    ("one price", |played| played.kind != Kind::Range),
    ("price between the tariffs", |played| played.kind == Kind::Interior),
    ("price at the floor", |played| played.kind == Kind::Floor),
    ("price at the ceiling", |played| played.kind == Kind::Ceiling),
    ("a range of prices", |played| played.kind == Kind::Range),
    ("elastic", |played| played.demand == Demand::Elastic),
    ("firm", |played| played.demand == Demand::Firm),
    ("one seller", |played| played.sellers == 1),
    ("one or two buyers", |played| played.buyers <= 2),
    ("surpluses 1 : 10 or closer", |played| played.spread <= 10.0),
    ("surpluses 1 : 1000 or wider", |played| played.spread >= 1000.0),
    ("slots of other than an hour", |played| !played.hourly),
];

/// Plays all markets with each way to learn and each delay; prints a table for each.
fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let most = arguments.rounds.unwrap_or(3_000);
    let mut csv = arguments.csv.as_ref().map(csv::Writer::from_path).transpose()?;
    for learning in arguments.learning_or(&["()"]) {
        for &delay in &arguments.delay {
            let hop = arguments.hop(delay);
            let play = |number| {
                let market = RandomMarket::draw(number);
                Played::new(&market, &learning, delay, rounds(&market, &learning, hop, most))
            };
            let played: Vec<Played> = arguments.numbers().into_par_iter().map(play).collect();
            let each = if arguments.per_message { "a message" } else { "from actor to actor" };
            println!("learning: {learning}, delay {delay} periods {each} (a message takes {hop:?} of {PERIOD:?})");
            println!("{}\n", table_of(&played, most));
            if let Some(csv) = &mut csv {
                played.iter().try_for_each(|played| csv.serialize(played))?;
            }
        }
    }
    csv.map_or(Ok(()), |mut csv| csv.flush())?;
    Ok(())
}

fn table_of(played: &[Played], most: u32) -> Table {
    let mut table = table(&["rounds", "markets", "median", "90 %", "unsettled", "[%]"]);
    for (name, of) in PARTS {
        let rounds: Vec<Option<u32>> = played.iter().filter(|played| of(played)).map(|played| played.rounds).collect();
        if rounds.is_empty() {
            continue;
        }
        let (median, quantile, unsettled) = summary(&rounds, most);
        let share = 100.0 * unsettled as f64 / rounds.len() as f64;
        let numbers = [rounds.len().to_string(), median.to_string(), quantile.to_string(), unsettled.to_string()];
        table.add_row([name.to_owned()].into_iter().chain(numbers).chain([format!("{share:.1}")]));
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// How a market ended, in which circumstances.
#[derive(Clone, Debug, Serialize)]
struct Ended {
    market: u32,
    buyers: usize,
    sellers: usize,
    /// Of those who wanted to take part.
    admitted: usize,
    learning: String,
    activation: String,
    /// Mean age of information from actor to actor [periods].
    delay: f64,
    jitter: f64,
    loss: f64,
    outcome: String,
    rounds: u32,
    /// Mean distance of the last prices from those that clear the market of the admitted, weighted by what each seller
    /// has to sell [CNY/kWh].
    off_by_surplus: Option<f64>,
    /// The same weighted by what each sells.
    off_by_trade: Option<f64>,
    /// The largest distance [CNY/kWh].
    off_at_most: Option<f64>,
}

impl Ended {
    /// Whether it is called an equilibrium and is none.
    fn is_false(&self) -> bool {
        let off = [self.off_by_surplus, self.off_by_trade];
        self.outcome == "Equilibrium" && off.iter().flatten().any(|&off| off > markets::CLOSE)
    }
}

/// Plays a market to its end, with an activation, a network and one of these ways to learn drawn for it.
fn play_out(number: u32, ways: &[String], most: u32) -> Ended {
    let market = RandomMarket::draw(number);
    let mut random = stream(SEED, ActorId(number), Purpose::Network);
    let learning = ways.choose(&mut random).expect("a way to learn").clone();
    let period = format!("period: \"{}ms\"", PERIOD.as_millis());
    let activations = [
        lock_step(),
        format!("activation: Independent({period}, jitter: 0.3),"),
        format!("activation: Poisson({period}),"),
        format!("activation: Reactive(min_interval: \"{}ms\"),", PERIOD.as_millis()),
    ];
    let activation = activations.choose(&mut random).expect("four activations").clone();
    let delay = if random.random_bool(0.2) { 0.0 } else { random.random_range(0.0..10.0) };
    let jitter = if random.random_bool(0.5) { 0.3 } else { 0.0 };
    let loss = if random.random_bool(0.4) { 0.0 } else { random.random_range(0.0..0.4) };
    let sections = format!("learning: {learning}, {activation} {}", network(hop(delay), jitter, loss));
    // Registration takes two messages, which may have to be repeated.
    let case = market.case(&sections, PERIOD * (most + 200));
    let enough = Arc::new(AtomicBool::new(false));
    let watch = End { market: None, game: None, enough: Arc::clone(&enough) };
    let (watch, _) = simulate(&case, Some(Shards::Fixed(1)), &enough, watch);
    let game = watch.game.expect("every game ends");
    let off = watch.market.as_ref().and_then(|opened| distances(&market, opened, &game));
    Ended {
        market: number,
        buyers: market.buyers(),
        sellers: market.sellers(),
        admitted: watch.market.as_ref().map_or(0, |opened| opened.sellers.len() + opened.buyers.len()),
        learning,
        activation,
        delay,
        jitter,
        loss,
        outcome: format!("{:?}", game.outcome),
        rounds: game.rounds,
        off_by_surplus: off.map(|off| off.0),
        off_by_trade: off.and_then(|off| off.1),
        off_at_most: off.map(|off| off.2),
    }
}

/// How far the last prices are from what clears the market of the admitted: by surplus, by trade and at most.
fn distances(market: &RandomMarket, opened: &MarketOpened, game: &GameOver) -> Option<(f64, Option<f64>, f64)> {
    let admitted = opened.sellers.iter().chain(&opened.buyers).map(|id| id.index());
    let clearing: Clearing = market.clearing(admitted)?;
    let state = game.state.as_ref()?;
    let demand = &state.aggregate.as_ref()?.demand;
    let off: Vec<f64> = state.prices.iter().map(|&price| clearing.distance(price)).collect();
    let mean = |weights: Vec<f64>| {
        let total: f64 = weights.iter().sum();
        (total > 0.0).then(|| weights.iter().zip(&off).map(|(weight, off)| weight * off).sum::<f64>() / total)
    };
    let sold = opened.surplus.iter().zip(demand).map(|(surplus, demand)| surplus.min(*demand)).collect();
    Some((mean(opened.surplus.clone())?, mean(sold), off.iter().copied().fold(0.0, f64::max)))
}

/// Waits for the end of the game, then ends the run.
struct End {
    market: Option<Arc<MarketOpened>>,
    game: Option<Arc<GameOver>>,
    enough: Arc<AtomicBool>,
}

impl Watcher<MarketProtocol> for End {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for observed in observed.drain(..) {
            match observed.what {
                Observation::MarketOpened(market) => self.market = Some(market),
                Observation::GameOver(game) => {
                    self.game = Some(game);
                    self.enough.store(true, Ordering::Relaxed);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Plays all markets to their end; prints how they ended, and the equilibria that are none.
fn outcomes(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let most = arguments.rounds.unwrap_or(2_000);
    let usual = ["None", "HalveOnOscillation", "DelayAware"].map(|name| format!("(adaptation: {name})"));
    let ways = arguments.learning_or(&usual.each_ref().map(String::as_str));
    let ended: Vec<Ended> = arguments.numbers().into_par_iter().map(|number| play_out(number, &ways, most)).collect();
    let mut counts = BTreeMap::<(&str, &str), BTreeMap<&str, usize>>::new();
    for ended in &ended {
        let kind = ended.activation.split(['(', ':']).nth(1).unwrap_or_default().trim();
        for of in [("", "all"), ("learning", ended.learning.as_str()), ("activation", kind)] {
            *counts.entry(of).or_default().entry(&ended.outcome).or_default() += 1;
        }
    }
    let names: Vec<&str> = counts[&("", "all")].keys().copied().collect();
    let mut shown = table(&[&["games"], &names[..]].concat());
    for ((_, name), counts) in &counts {
        let count = |outcome: &&str| counts.get(outcome).copied().unwrap_or(0).to_string();
        shown.add_row([(*name).to_owned()].into_iter().chain(names.iter().map(count)));
    }
    println!("{shown}\n");
    let false_ones: Vec<&Ended> = ended.iter().filter(|ended| ended.is_false()).collect();
    println!("{} are called an equilibrium with prices that are off by more than 1e-3 CNY/kWh", false_ones.len());
    for ended in false_ones {
        println!("{ended:#?}");
    }
    if let Some(path) = &arguments.csv {
        let mut csv = csv::Writer::from_path(path)?;
        ended.iter().try_for_each(|ended| csv.serialize(ended))?;
        csv.flush()?;
    }
    Ok(())
}

/// Writes the scenarios of all markets, as they are played with the first way to learn and the first delay.
fn write(arguments: &Arguments, folder: &Path) -> Result<(), Box<dyn Error>> {
    let learning = arguments.learning.first().map_or("()", String::as_str);
    let network = network(arguments.hop(arguments.delay.first().copied().unwrap_or(0.0)), 0.0, 0.0);
    let sections = format!("learning: {learning}, {} {network}", lock_step());
    for number in arguments.numbers() {
        let folder = folder.join(format!("market-{number}"));
        std::fs::create_dir_all(&folder)?;
        RandomMarket::draw(number).written(&folder, &sections, PERIOD * arguments.rounds.unwrap_or(3_000));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    match &arguments.write {
        Some(folder) => write(&arguments, folder),
        None if arguments.outcomes => outcomes(&arguments),
        None => measure(&arguments),
    }
}
