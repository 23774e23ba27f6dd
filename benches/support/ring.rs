//! Actors that do nothing but pass messages on, and the runtime to host them.

use microgrid_agents::{
    actor::{Actor, Context, Wake},
    ids::ActorId,
    message::Message,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    network::{Delay, Network, Quality},
    runtime::{Host, Shards},
};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// Whatever takes no time to make.
pub(crate) const MESSAGE: Message = Message::MeterRecorded(1);

/// A message takes 1 to 101 ms of simulated time, drawn anew each time: the lookahead is a millisecond.
pub(crate) const DELAY: Delay = Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(101) };

/// Sends on what it receives, to always the same.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) to: ActorId,
    /// How often it does.
    pub(crate) left: u64,
    /// Whether it sends something at the start.
    pub(crate) starts: bool,
}

/// So many actors of which each sends a message to the next at the start, and sends on so many that it receives.
pub(crate) fn ring(actors: u32, each: u64) -> Vec<Box<dyn Actor<MarketProtocol>>> {
    let link = |n| {
        Box::new(Link { to: ActorId((n + 1) % actors), left: each, starts: true }) as Box<dyn Actor<MarketProtocol>>
    };
    (0..actors).map(link).collect()
}

/// Where such actors live, until it is `enough`.
pub(crate) fn host(delay: Delay, shards: Shards, enough: &Arc<AtomicBool>) -> Host {
    Host {
        seed: 2023,
        network: Network::uniform(Quality::delayed(delay)),
        shards,
        stall_after: Duration::from_secs(1 << 40),
        interrupted: Arc::clone(enough),
        homes: None,
    }
}

impl Actor<MarketProtocol> for Link {
    fn start(&mut self, context: &mut Context<'_>) {
        if self.starts {
            context.send(self.to, MESSAGE);
        }
    }

    fn receive(&mut self, _: ActorId, message: Message, context: &mut Context<'_>) {
        if self.left > 0 {
            self.left -= 1;
            context.send(self.to, message);
        }
    }

    fn wake(&mut self, _: Wake, _: &mut Context<'_>) {}

    fn name(&self) -> String {
        "link".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}
