//! Time and memory from the first message to the settlement of one noon slot, for populations of any size.
//!
//! `cargo bench --bench scale -- 100 1000 10000 --shards 1,2 --csv scale.csv`. Each run is a process of its own, so that
//! its peak of memory is its own. Each buyer knows 16 sellers; nothing is recorded. A run whose books are not at zero to
//! the last millionth fails.

#[path = "support/mod.rs"]
mod support;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use microgrid_agents::{
    message::MarketOpened,
    observation::{GameOver, Observation, Observed},
    statement::Invoice,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    runtime::{Shards, Traffic, WatchError, Watcher},
    simulation::simulate,
};
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use support::noon;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time and memory of one noon slot.
#[derive(Debug, Parser)]
struct Arguments {
    /// Sizes of the population
    #[arg(default_values_t = [100, 1_000, 10_000, 100_000])]
    prosumers: Vec<u32>,
    /// Spread the actors so; by default what suits their number
    #[arg(long, value_delimiter = ',')]
    shards: Vec<Shards>,
    /// Write the table to this file too
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Run the one size here instead of in a process of its own, and print its row
    #[arg(long, hide = true)]
    alone: bool,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one run took.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    prosumers: u32,
    shards: String,
    buyers: usize,
    sellers: usize,
    outcome: String,
    rounds: u32,
    messages: u64,
    /// Trades that were settled.
    bills: u64,
    /// From the making of the actors to the end of the game [s].
    equilibrium_s: f64,
    /// From the making of the actors to the last meter reading [s].
    slot_s: f64,
    /// Of all threads together, from the start of the process [s]: on a busy machine the better measure.
    cpu_s: f64,
    us_per_prosumer: f64,
    us_per_prosumer_and_round: f64,
    messages_per_s: f64,
    peak_mib: f64,
    /// How well more shards are used, against the same population on one; empty without a run on one.
    efficiency: Option<f64>,
}

/// Sees when the game ends, and counts messages.
struct StopWatch {
    begun: Instant,
    messages: u64,
    market: Option<Arc<MarketOpened>>,
    game: Option<(Duration, Arc<GameOver>)>,
    bills: u64,
    /// What prosumers have paid, to each other and to the grid, less what they have earned and what the grid says that it
    /// has got from them [1e-6 CNY].
    books: i128,
}

impl Watcher<MarketProtocol> for StopWatch {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.messages += traffic.sent;
        for observed in observed.drain(..) {
            match observed.what {
                Observation::MarketOpened(market) => self.market = Some(market),
                Observation::GameOver(game) => self.game = Some((self.begun.elapsed(), game)),
                Observation::Settled(_, trades) => self.bills += trades.len() as u64,
                Observation::Exchanged(_, Invoice { charge, credit, .. }) => {
                    self.books -= i128::from(charge.0) - i128::from(credit.0);
                }
                Observation::ProsumerDone(done) => {
                    self.books += i128::from(done.paid().0) - i128::from(done.earned().0);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Runs one slot.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn run(prosumers: u32, shards: Option<Shards>) -> Result<Row, Box<dyn Error>> {
    let case = noon(prosumers, "learning: (choice_set: Sample(16)), ledger: (posts: Last),");
    let watch = StopWatch { begun: Instant::now(), messages: 0, market: None, game: None, bills: 0, books: 0 };
    let (watch, result) = simulate(&case, shards, &Arc::default(), watch);
    let slot_s = watch.begun.elapsed().as_secs_f64();
    result?;
    let (peak_mib, cpu_s) = (peak_mib()?, cpu_s()?);
    let market = watch.market.ok_or("there are no buyers or no sellers")?;
    if watch.books != 0 {
        return Err(format!("the books are open by {}e-6 CNY", watch.books).into());
    }
    let (to_rest, game) = watch.game.ok_or("the game has no end")?;
    let us_per_prosumer = slot_s * 1e6 / f64::from(prosumers);
    Ok(Row {
        prosumers,
        shards: shards.map_or("suited".into(), text),
        buyers: market.buyers.len(),
        sellers: market.sellers.len(),
        outcome: format!("{:?}", game.outcome),
        rounds: game.rounds,
        messages: watch.messages,
        bills: watch.bills,
        equilibrium_s: to_rest.as_secs_f64(),
        slot_s,
        cpu_s,
        us_per_prosumer,
        us_per_prosumer_and_round: us_per_prosumer / f64::from(game.rounds.max(1)),
        messages_per_s: watch.messages as f64 / slot_s,
        peak_mib,
        efficiency: None,
    })
}

/// The most memory that this process has had [MiB].
fn peak_mib() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak of memory is known")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// The processor time that this process has had [s].
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Behind the program's name, which may hold anything, stand the state and 10 numbers, then user and system time in
    // hundredths of a second.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no processor time is known")?;
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(ticks as f64 / 100.0)
}

/// Has a process of its own run one slot.
fn run_apart(prosumers: u32, shards: Option<Shards>) -> Result<Row, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--alone").arg(prosumers.to_string());
    if let Some(shards) = shards {
        command.arg("--shards").arg(text(shards));
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the run of {prosumers} prosumers failed: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// As it is written on the command line.
fn text(shards: Shards) -> String {
    match shards {
        Shards::PerActor => "per-actor".into(),
        Shards::PerCore => "per-core".into(),
        Shards::Fixed(count) => count.to_string(),
    }
}

/// Runs every size with every number of shards.
fn all(arguments: &Arguments) -> Result<Vec<Row>, Box<dyn Error>> {
    let spreads: Vec<Option<Shards>> = match &arguments.shards[..] {
        [] => vec![None],
        given => given.iter().copied().map(Some).collect(),
    };
    let mut rows: Vec<Row> = Vec::new();
    for &prosumers in &arguments.prosumers {
        for &shards in &spreads {
            let mut row = run_apart(prosumers, shards)?;
            let on_one = rows.iter().find(|row| row.prosumers == prosumers && row.shards == "1");
            if let (Some(on_one), Some(Shards::Fixed(count))) = (on_one, shards) {
                row.efficiency = Some(on_one.slot_s / (count as f64 * row.slot_s));
            }
            eprintln!("{prosumers} prosumers, shards {}: {:.2} s", row.shards, row.slot_s);
            rows.push(row);
        }
    }
    Ok(rows)
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "prosumers",
        "shards",
        "buyers",
        "sellers",
        "rounds",
        "outcome",
        "bills",
        "to rest [s]",
        "slot [s]",
        "cpu [s]",
        "us/prosumer",
        "us/prosumer/round",
        "messages/s",
        "peak [MiB]",
        "efficiency",
    ]);
    for row in rows {
        table.add_row([
            row.prosumers.to_string(),
            row.shards.clone(),
            row.buyers.to_string(),
            row.sellers.to_string(),
            row.rounds.to_string(),
            row.outcome.clone(),
            row.bills.to_string(),
            format!("{:.3}", row.equilibrium_s),
            format!("{:.3}", row.slot_s),
            format!("{:.2}", row.cpu_s),
            format!("{:.1}", row.us_per_prosumer),
            format!("{:.2}", row.us_per_prosumer_and_round),
            format!("{:.0}", row.messages_per_s),
            format!("{:.0}", row.peak_mib),
            row.efficiency.map_or(String::new(), |efficiency| format!("{efficiency:.2}")),
        ]);
    }
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.alone {
        let row = run(arguments.prosumers[0], arguments.shards.first().copied())?;
        println!("{}", serde_json::to_string(&row)?);
        return Ok(());
    }
    let rows = all(&arguments)?;
    println!("{}", table(&rows));
    if let Some(path) = &arguments.csv {
        let mut file = csv::Writer::from_path(path)?;
        rows.iter().try_for_each(|row| file.serialize(row))?;
        file.flush()?;
    }
    Ok(())
}
