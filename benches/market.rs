//! What one round of the market costs: the actors with all their messages beside the plain iteration of the same market.
//!
//! A round is one act of every seller and, half a period later, one of every buyer, with the ledger between them. What is
//! timed begins some rounds into the game and ends before it does: making actors, registration and settlement do not
//! count. `cargo bench --bench market`; the ratio of `actors` and `plain` is what messages, ledger and runtime add.

#[path = "support/mod.rs"]
mod support;

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use microgrid_agents::{
    ids::ProsumerId,
    market::{
        balance::SlotFacts, choice_set::ChoiceSet, demand::Buyer, replicator::Fitness, role::Role, step::StepSize,
    },
    observation::{Observation, Observed},
    streams::{Purpose, slot_stream},
};

use microgrid_sim::{
    analysis::{
        reference::{Iteration, Market},
        slot::{slot_facts, slot_terms},
    },
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher},
    scenario::Case,
    simulation::simulate,
};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use support::{SEED, noon};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds that are played before the time is taken.
const ROUNDS_BEFORE: u64 = 5;

/// A market that goes on for 330,000 rounds, rest or not, with a ledger of so many peers.
fn endless(prosumers: u32, choice_set: ChoiceSet, peers: u32) -> Case {
    let sections = format!(
        "learning: (choice_set: {choice_set:?}, tolerance: 1e-300, patience: 1000000),
        activation: LockStep(period: \"10ms\"),
        network: (delay: Constant(\"1ms\")),
        ledger: (peers: {peers}, block: (timeout: \"1ms\"), posts: Last),"
    );
    noon(prosumers, &sections)
}

/// Takes the time of so many rounds, then ends the run.
struct StopWatch {
    rounds: u64,
    seen: u64,
    begun: Option<Instant>,
    taken: Option<Duration>,
    enough: Arc<AtomicBool>,
}

impl Watcher<microgrid_sim::agents::actor::MarketProtocol> for StopWatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for observed in observed.drain(..) {
            // The market is shown twice a round: after the quotes and after the choices.
            if !matches!(observed.what, Observation::Committed(commit) if commit.choices) {
                continue;
            }
            self.seen += 1;
            if self.seen == ROUNDS_BEFORE {
                self.begun = Some(Instant::now());
            }
            if self.seen == ROUNDS_BEFORE + self.rounds {
                self.taken = self.begun.map(|begun| begun.elapsed());
                self.enough.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// How long so many rounds of the actors take.
fn play(case: &Case, shards: Option<Shards>, rounds: u64) -> Duration {
    let enough = Arc::new(AtomicBool::new(false));
    let watch = StopWatch { rounds, seen: 0, begun: None, taken: None, enough: Arc::clone(&enough) };
    let (watch, result) = simulate(case, shards, &enough, watch);
    assert!(matches!(result, Err(RuntimeError::Interrupted)), "the watch ends the run: {result:?}");
    watch.taken.expect("the watch has stopped")
}

/// Measures the same market both ways.
fn compare(criterion: &mut Criterion, name: &str, prosumers: u32, choice_set: ChoiceSet) {
    let case = endless(prosumers, choice_set, 1);
    let (buyers, surplus) = sides(&case);
    let known = acquaintances(&case, choice_set, surplus.len());
    let terms = slot_terms(&case, 1);
    let market = Market {
        buyers: &buyers,
        surplus: &surplus,
        known: known.as_deref(),
        band: terms.band(),
        local_fee: terms.local_fee,
        alpha: terms.alpha,
        demand: terms.demand,
        fitness: if known.is_some() { Fitness::Private } else { Fitness::Public },
        replicator_step: StepSize::Scaled(0.3),
        price_step: StepSize::Scaled(0.5),
        ramp: 0.1,
    };
    let sellers = surplus.len();
    let prices: Vec<f64> = (0..sellers).map(|j| 0.5 + 0.5 * j as f64 / sellers as f64).collect();
    let mut iteration = Iteration::new(market, &prices, &vec![1.0 / sellers as f64; sellers]);

    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    group.bench_function(BenchmarkId::new("plain", prosumers), |bencher| {
        bencher.iter(|| black_box(iteration.next()));
    });
    let two = endless(prosumers, choice_set, 2);
    let one_shard = Some(Shards::Fixed(1));
    for (name, case, shards) in [
        ("actors", &case, None),
        ("actors, one shard", &case, one_shard),
        ("actors, two peers", &two, None),
        ("actors, two peers, one shard", &two, one_shard),
    ] {
        group.bench_function(BenchmarkId::new(name, prosumers), |bencher| {
            bencher.iter_custom(|rounds| play(case, shards, rounds));
        });
    }
    group.finish();
}

/// The buyers and the surplus of each seller [kWh] in the noon slot, each in order of their number.
fn sides(case: &Case) -> (Vec<Buyer>, Vec<f64>) {
    let facts = slot_facts(case, 1);
    let with = |role| facts.iter().filter(move |facts| facts.role() == role);
    (
        with(Role::Buyer).map(SlotFacts::as_buyer).collect(),
        with(Role::Seller).map(|facts| facts.surplus().value()).collect(),
    )
}

/// Whom each buyer knows, as it draws them itself; `None` if all.
fn acquaintances(case: &Case, choice_set: ChoiceSet, sellers: usize) -> Option<Vec<Arc<[u32]>>> {
    let everybody = (0..).map(ProsumerId).zip(slot_facts(case, 1));
    let buyers = everybody.filter(|(_, facts)| facts.role() == Role::Buyer);
    let draw = |id: ProsumerId| choice_set.draw(sellers, &mut slot_stream(SEED, id.actor(), Purpose::Acquaintance, 1));
    buyers.map(|(id, _)| draw(id)).collect()
}

fn rounds(criterion: &mut Criterion) {
    for prosumers in [10, 100, 500, 1_000] {
        compare(criterion, "round of all pairs", prosumers, ChoiceSet::All);
    }
    compare(criterion, "round of 16 known", 10_000, ChoiceSet::Sample(16));
}

criterion_group!(benches, rounds);
criterion_main!(benches);
