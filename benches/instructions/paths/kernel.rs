//! The runtime on one thread: actors that do nothing but pass messages on.

use super::counted;
use crate::ring::{self, DELAY, Link, MESSAGE};
use microgrid_agents::{
    actor::{Actor, Context, Wake},
    ids::ActorId,
    message::Message,
    observation::Observed,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    network::Delay,
    runtime::{self, Shards, Traffic, WatchError, Watcher},
};
use std::{sync::Arc, time::Duration};

/// Each passes on what it receives to the next, over a random delay, so often.
pub(super) fn ring(actors: u32, each: u64) {
    run(ring::ring(actors, each), DELAY);
}

/// One tells everybody, everybody answers, and so on for so many rounds: the traffic of a market.
pub(super) fn broadcasts(listeners: u32, rounds: u64) {
    let hub = Hub { listeners: (1..=listeners).map(ActorId).collect(), missing: 0, rounds };
    let mut actors: Vec<Box<dyn Actor<MarketProtocol>>> = vec![Box::new(hub)];
    let link = Link { to: ActorId(0), left: u64::MAX, starts: false };
    actors.extend((0..listeners).map(|_| Box::new(link.clone()) as Box<dyn Actor<MarketProtocol>>));
    run(actors, Delay::Constant(Duration::from_millis(10)));
}

fn run(actors: Vec<Box<dyn Actor<MarketProtocol>>>, delay: Delay) {
    let host = ring::host(delay, Shards::Fixed(1), &Arc::default());
    let mut run = Some(actors);
    counted(&mut || {
        let Some(actors) = run.take() else { return };
        let (_, result) = runtime::run(actors, &host, Nobody);
        assert!(result.is_ok(), "the run ends when nothing is under way any more: {result:?}");
    });
}

/// Watches nothing.
struct Nobody;

impl Watcher<MarketProtocol> for Nobody {
    fn window(&mut self, _: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        Ok(())
    }
}

/// Tells everybody, again and again, as soon as all have answered.
#[derive(Debug)]
struct Hub {
    listeners: Arc<[ActorId]>,
    /// So many have not answered yet.
    missing: usize,
    /// How often it does.
    rounds: u64,
}

impl Actor<MarketProtocol> for Hub {
    fn start(&mut self, context: &mut Context<'_>) {
        if self.rounds == 0 {
            return;
        }
        self.rounds -= 1;
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
