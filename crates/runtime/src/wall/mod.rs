//! Wall-clock time: the same actors, running free on several threads with real timers.
//!
//! Each shard holds the queue of what is due at its actors, and one timer for the earliest. Messages go from shard to
//! shard as they are sent, with the time at which the simulated network lets them arrive. Nobody grants time: who is
//! quick is early. So a run depends on the machine, and no two are the same.
//!
//! | where | what |
//! |---|---|
//! | `clock` | simulated time by the machine's clock |
//! | `shard` | an actix actor that runs a worker by that clock |
//! | `collector` | an actix actor that shows the watcher what was observed |
//!
//! A shard hands what its actors have observed to the collector before it passes on the messages that follow from it. So
//! the watcher sees causes before effects, as in virtual time.

mod clock;
mod collector;
mod shard;

use super::{Ending, Host, Watcher, audience::Audience, join, threads, window::Stop, workers};
use actix::prelude::*;
use clock::WallClock;
use collector::Collector;
use microgrid_actor::{Actor as Agent, Protocol};
use shard::{Begin, FreeShard};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How a run by the machine's clock goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Simulated seconds per second.
    pub speed: f64,
    /// The run is over when this milestone is reached.
    pub last_milestone: u32,
}

/// Runs `actors` by the machine's clock until the last milestone is reached; the position of an actor is its address. Gives the
/// watcher back with the outcome.
pub fn run<P: Protocol, W: Watcher<P> + 'static>(
    actors: Vec<Box<dyn Agent<P>>>,
    host: &Host,
    pace: Pace,
    watcher: W,
) -> Ending<W> {
    System::new().block_on(async {
        let workers = workers(actors, host);
        let arbiters: Vec<Arbiter> = (0..threads(workers.len())).map(|_| Arbiter::new()).collect();
        let shards = workers.into_iter().enumerate().map(|(number, worker)| {
            let arbiter = &arbiters[number % arbiters.len()];
            FreeShard::start_in_arbiter(&arbiter.handle(), |_| FreeShard::new(worker))
        });
        let shards: Arc<[Addr<FreeShard<P>>]> = shards.collect();
        let (ending, ended) = oneshot::channel();
        let audience = Audience::new(watcher, host.stall_after, ending);
        let clock = WallClock::start(pace.speed);
        let interrupted = Arc::clone(&host.interrupted);
        let collector = Collector::new(Arc::clone(&shards), clock, pace.last_milestone, interrupted, audience);
        let collector = Collector::create(|context| {
            for shard in shards.iter() {
                let collector = context.address().recipient();
                shard.do_send(Begin { shards: Arc::clone(&shards), collector, clock });
            }
            collector
        });
        let ending = ended.await.expect("the collector ends every run before it stops");
        for shard in shards.iter() {
            shard.do_send(Stop);
        }
        drop(collector);
        join(arbiters);
        ending
    })
}
