//! The runtime on one thread: actors that do nothing but pass messages on.

use super::counted;
use crate::ring::{self, DELAY, Link, MESSAGE};
use microgrid_agents::{
    actor::{Actor, Context, Wake},
    ids::ActorId,
    message::Message,
    observation::Observed,
};
use microgrid_sim::runtime::{self, RuntimeError, Shards, Traffic, WatchError, Watcher, network::Delay};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Each passes on what it receives to the next, over a random delay, until so many messages were sent.
pub(super) fn ring(actors: u32, messages: u64) {
    run(ring::ring(actors), DELAY, messages);
}

/// One tells everybody, everybody answers, and so on for so many rounds: the traffic of a market.
pub(super) fn broadcasts(listeners: u32, rounds: u64) {
    let hub = Hub { listeners: (1..=listeners).map(ActorId).collect(), missing: 0 };
    let mut actors: Vec<Box<dyn Actor>> = vec![Box::new(hub)];
    actors.extend((0..listeners).map(|_| Box::new(Link { to: ActorId(0), starts: false }) as Box<dyn Actor>));
    run(actors, Delay::Constant(Duration::from_millis(10)), 2 * rounds * u64::from(listeners));
}

fn run(actors: Vec<Box<dyn Actor>>, delay: Delay, messages: u64) {
    let enough = Arc::new(AtomicBool::new(false));
    let host = ring::host(delay, Shards::Fixed(1), &enough);
    let mut run = Some((actors, Counter { left: messages, enough }));
    counted(&mut || {
        let Some((actors, counter)) = run.take() else { return };
        let (_, result) = runtime::run(actors, &host, counter);
        assert!(matches!(result, Err(RuntimeError::Interrupted)), "the counter ends the run: {result:?}");
    });
}

/// Ends the run when so many messages were sent.
struct Counter {
    left: u64,
    enough: Arc<AtomicBool>,
}

impl Watcher for Counter {
    fn window(&mut self, _: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.left = self.left.saturating_sub(traffic.sent);
        self.enough.store(self.left == 0, Ordering::Relaxed);
        Ok(())
    }
}

/// Tells everybody, again and again, as soon as all have answered.
#[derive(Debug)]
struct Hub {
    listeners: Arc<[ActorId]>,
    /// So many have not answered yet.
    missing: usize,
}

impl Actor for Hub {
    fn start(&mut self, context: &mut Context<'_>) {
        self.missing = self.listeners.len();
        context.broadcast(&self.listeners, MESSAGE);
    }

    fn receive(&mut self, _: ActorId, _: Message, context: &mut Context<'_>) {
        self.missing -= 1;
        if self.missing == 0 {
            self.start(context);
        }
    }

    fn wake(&mut self, _: Wake, _: &mut Context<'_>) {}

    fn name(&self) -> String {
        "hub".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}
