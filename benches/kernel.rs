//! What the runtime costs: nanoseconds per event of a ring of actors that do nothing but pass messages on.
//!
//! Each actor sends one message to the next at the start, and sends on what it receives; so as many messages are under
//! way as there are actors. A message takes 1 to 101 ms of simulated time, drawn anew each time: the lookahead is a
//! millisecond, and an actor receives about twenty messages a second. With more than one shard, neighbours never live in
//! the same one: every message crosses.
//!
//! What is timed begins when every message has made some hops and ends some millions of events later; making and
//! dropping the actors does not count. `cargo bench --bench kernel`.

#[path = "support/ring.rs"]
mod ring;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use microgrid_agents::observation::Observed;
use microgrid_sim::{
    agents::actor::MarketProtocol,
    runtime::{self, RuntimeError, Shards, Traffic, WatchError, Watcher},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Hops that every message makes before the time is taken.
const HOPS_BEFORE: u64 = 3;

/// Takes the time between two counts of messages sent, then ends the run.
struct StopWatch {
    from: u64,
    to: u64,
    sent: u64,
    begun: Option<(u64, Instant)>,
    /// Messages, and how long they took.
    taken: Option<(u64, Duration)>,
    enough: Arc<AtomicBool>,
}

impl Watcher<MarketProtocol> for StopWatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
    fn window(&mut self, _: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.sent += traffic.sent;
        match self.begun {
            None if self.sent >= self.from => self.begun = Some((self.sent, Instant::now())),
            Some((before, begun)) if self.sent >= self.to && self.taken.is_none() => {
                self.taken = Some((self.sent - before, begun.elapsed()));
                self.enough.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Lets so many events happen among so many actors; tells how long that took.
fn time(actors: u32, shards: Shards, events: u64) -> Duration {
    let enough = Arc::new(AtomicBool::new(false));
    let host = ring::host(ring::DELAY, shards, &enough);
    let from = HOPS_BEFORE * u64::from(actors);
    let watch = StopWatch { from, to: from + events, sent: 0, begun: None, taken: None, enough };
    let (watch, result) = runtime::run(ring::ring(actors, u64::MAX), &host, watch);
    assert!(matches!(result, Err(RuntimeError::Interrupted)), "the watch ends the run: {result:?}");
    let (sent, taken) = watch.taken.expect("the watch has stopped");
    taken.mul_f64(events as f64 / sent as f64)
}

fn rings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    let all = [100, 1_000, 10_000, 100_000, 1_000_000];
    let of_each: [(&str, Shards, &[u32]); 3] = [
        ("1 shard", Shards::Fixed(1), &all),
        ("2 shards", Shards::Fixed(2), &all),
        ("per actor", Shards::PerActor, &all[..2]),
    ];
    for (name, shards, sizes) in of_each {
        for &actors in sizes {
            let events = u64::from(actors).clamp(1_000_000, 4_000_000);
            group.throughput(Throughput::Elements(events));
            group.bench_with_input(BenchmarkId::new(name, actors), &actors, |bencher, &actors| {
                bencher.iter_custom(|runs| (0..runs).map(|_| time(actors, shards, events)).sum());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, rings);
criterion_main!(benches);
