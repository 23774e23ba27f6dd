//! The runtime on one thread: actors that do nothing but pass messages on.

use super::{SEED, counted};
use microgrid_agents::{
    actor::{Actor, Context, Wake},
    ids::ActorId,
    message::Message,
    observation::Observed,
};
use microgrid_sim::runtime::{
    self, Host, RuntimeError, Shards, Traffic, WatchError, Watcher,
    network::{Delay, Network, Quality},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Whatever takes no time to make.
const MESSAGE: Message = Message::MeterRecorded(1);

/// Each passes on what it receives to the next, over a random delay, until so many messages were sent.
pub(super) fn ring(actors: u32, messages: u64) {
    let delay = Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(101) };
    let link = |n| Box::new(Link { to: ActorId((n + 1) % actors), starts: true }) as Box<dyn Actor>;
    run((0..actors).map(link).collect(), delay, messages);
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
    let host = Host {
        seed: SEED,
        network: Network::uniform(Quality::delayed(delay)),
        shards: Shards::Fixed(1),
        stall_after: Duration::from_secs(1 << 40),
        interrupted: Arc::clone(&enough),
    };
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

/// Sends on whatever it receives, to always the same.
#[derive(Debug)]
struct Link {
    to: ActorId,
    /// Whether it sends something at the start.
    starts: bool,
}

impl Actor for Link {
    fn start(&mut self, context: &mut Context<'_>) {
        if self.starts {
            context.send(self.to, MESSAGE);
        }
    }

    fn receive(&mut self, _: ActorId, message: Message, context: &mut Context<'_>) {
        context.send(self.to, message);
    }

    fn wake(&mut self, _: Wake, _: &mut Context<'_>) {}

    fn name(&self) -> String {
        "link".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
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
