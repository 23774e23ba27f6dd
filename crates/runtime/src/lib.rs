//! Hosts actors on actix and carries their messages through a simulated network, in virtual or in wall-clock time.
//!
//! What the actors say is their [`Protocol`]'s; no market is known here.
//!
//! In virtual time, results are the same bytes whatever the shards, the threads and the machine's load; the ordering contract
//! from which that follows stands in `docs/architecture.md`.
//!
//! An actor lives in a `shard`, whose `worker` hands it the events of each window; what it asks for makes new ones (`hosted`),
//! which go into the shard's `queue` or to another's (`post`). In virtual time the `clock` grants the windows, and may have
//! a `snapshot` taken between two; in wall-clock time ([`wall`]) shards run free. Several processes do without a clock ([`ranks`]).

mod audience;
mod bulletins;
mod clock;
mod event;
#[cfg(any(test, feature = "fixtures"))]
#[doc(hidden)]
pub mod fixtures;
mod hosted;
mod panics;
mod post;
mod queue;
pub mod ranks;
mod shard;
mod snapshot;
mod spin;
#[cfg(test)]
mod toy;
pub mod wall;
mod worker;

use actix::prelude::*;
use audience::Audience;
use clock::Clock;
use hosted::HostedActors;
use microgrid_actor::{Actor as Agent, ActorId, Observed, Protocol, Time, debug_as_display, saved::Unreadable};
use microgrid_network::{Network, TooSoon};
use post::{Dealt, Placement};
use serde::{Deserialize, Serialize};
use shard::{Links, Shard};
use snapshot::{Schedule, Snapshot};
use spin::Spin;
use std::{
    ops::AddAssign,
    str::FromStr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::oneshot;
use worker::Worker;

// Hidden: whoever runs cases, reads files of others or draws ends with an error too.
#[doc(hidden)]
pub use panics::caught;

/// Whatever keeps a watcher from taking what it is given.
pub type WatchError = Box<dyn std::error::Error + Send + Sync>;

/// Receives what the actors report, window by window, in an order that does not depend on the shards.
pub trait Watcher<P: Protocol>: Send + Unpin {
    /// What was observed in one window of simulated time, in the order (time, actor, sequence), and what became of
    /// messages since the last call. Windows in which nothing was observed need no call of their own.
    ///
    /// # Errors
    /// An error ends the run.
    fn window(&mut self, observed: &mut Vec<Observed<P::Observation>>, traffic: Traffic) -> Result<(), WatchError>;

    /// How long a run in virtual time goes on at least between two snapshots, by the machine's clock; longer where they take
    /// long, but behind each milestone where this is zero. `None` if none is wanted. Asked once, before the run begins.
    fn snapshots_every(&self) -> Option<Duration> {
        None
    }

    /// Keeps a snapshot: what the run has come to when it had shown all that it has shown so far.
    ///
    /// # Errors
    /// An error ends the run.
    fn keep(&mut self, _snapshot: Vec<u8>) -> Result<(), WatchError> {
        Ok(())
    }

    /// The snapshot from which a run in virtual time goes on, if it does not begin. Asked once, before anything is shown.
    fn resumes_from(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// So many were sent.
    pub sent: u64,
    /// So many never arrived: lost on the way, or sent to somebody who was down.
    pub lost: u64,
    /// So many arrived twice.
    pub duplicated: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.sent += more.sent;
        self.lost += more.lost;
        self.duplicated += more.duplicated;
    }
}

/// How the actors are spread over actix actors and threads. Changes how long a run takes, never its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shards {
    /// One actix actor for each of our actors, all on one thread: for small populations.
    PerActor,
    /// One shard per core, each on its own thread: for large ones.
    PerCore,
    /// This many shards, on as many threads or cores, whichever are fewer.
    Fixed(usize),
}

impl Shards {
    /// From this many actors on that all act at the same moments, a window holds enough work to share it.
    const TOGETHER: usize = 250;

    /// From this many actors on, a window holds enough work to share it however they act.
    const LARGE: usize = 20_000;

    /// What suits this many actors that have the machine to themselves; whether they act `together`, at the same moments
    /// and with messages that all take equally long.
    pub fn suited_to(actors: usize, together: bool) -> Self {
        let many = if together { Self::TOGETHER } else { Self::LARGE };
        if actors >= many { Self::PerCore } else { Self::beside_others(actors) }
    }

    /// What suits this many actors beside other runs: one thread, unless they are very many.
    pub fn beside_others(actors: usize) -> Self {
        if actors < Self::LARGE { Self::Fixed(1) } else { Self::PerCore }
    }

    fn count(self, actors: usize) -> usize {
        let wanted = match self {
            Self::PerActor => actors,
            Self::PerCore => cores(),
            Self::Fixed(count) => count,
        };
        wanted.clamp(1, actors.max(1))
    }

    /// On how many threads these shards of so many actors live.
    pub fn threads(self, actors: usize) -> usize {
        if self == Self::PerActor { 1 } else { threads(self.count(actors)) }
    }
}

impl FromStr for Shards {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "per-actor" => Ok(Self::PerActor),
            "per-core" => Ok(Self::PerCore),
            number => match number.parse() {
                Ok(count) if count > 0 => Ok(Self::Fixed(count)),
                _ => Err("expected per-actor, per-core or a number from 1".into()),
            },
        }
    }
}

/// Where and how a run takes place.
#[derive(Clone, Debug)]
pub struct Host {
    /// Seed of the run.
    pub seed: u64,
    /// How messages travel.
    pub network: Network,
    /// How the actors are spread.
    pub shards: Shards,
    /// A run in which no milestone is reached for this long has stalled.
    pub stall_after: Duration,
    /// Set from outside to end the run early.
    pub interrupted: Arc<AtomicBool>,
    /// The number of each actor's home, if they have any: those of one home live in one shard.
    pub homes: Option<Arc<[u32]>>,
}

impl Host {
    /// The first of so many shards, to which so many actors are dealt out.
    fn placement(&self, stretch: Stretch, shards: usize, actors: usize) -> Placement {
        let dealt = self.homes.as_ref().map(|homes| Arc::new(Dealt::new(homes, shards)));
        Placement { seed: self.seed, stretch, number: 0, shards, actors, dealt }
    }
}

/// Which part of a run takes place: the whole, or one of several that nothing links. Time is that of the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// When it begins.
    pub begins: Time,
    /// Its number, from 0: the period of its streams, so that no two parts draw the same.
    pub number: u32,
}

/// What can go wrong in a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// Nothing more can happen, yet somebody waits: a message is missing that nobody repeats. Fatal.
    #[error("deadlock after {since}: nothing more can happen, but {}", list(waiting))]
    Deadlock {
        /// When a milestone was last reached.
        since: Time,
        /// Who waits for what.
        waiting: Vec<Waiting>,
    },
    /// Time passes, but no milestone is reached: messages are repeated in vain. Fatal.
    #[error("stalled at {now}: no {milestone} since {since}; {}", list(waiting))]
    Stalled {
        /// When the run was given up.
        now: Time,
        /// What a milestone is, as in "slot has closed".
        milestone: &'static str,
        /// When one was last reached.
        since: Time,
        /// Who waits for what.
        waiting: Vec<Waiting>,
    },
    /// An actor did what it must not. Fatal, and a bug.
    #[error(transparent)]
    Failed(Failure),
    /// The watcher could not take what it was given. Fatal.
    #[error("cannot record the run: {0}")]
    Watcher(WatchError),
    /// Somebody asked for the run to end.
    #[error("interrupted")]
    Interrupted,
    /// The snapshot from which the run was to go on is not one of such a run; nothing has happened. Fatal.
    #[error("cannot go on from the snapshot: {0}")]
    Snapshot(Unreadable),
}

/// What must not happen to an actor, or be done by one.
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Failure {
    /// Send to an address at which nobody lives.
    #[error("{from:?} sent a message to {to:?}, who does not exist")]
    NoRecipient {
        /// The sender.
        from: ActorId,
        /// The address.
        to: ActorId,
    },
    /// Receive an event after its window had been handled: the clock granted too much.
    #[error("a message for {to:?} arrived after its time, {time}")]
    OutOfOrder {
        /// The receiver.
        to: ActorId,
        /// When it should have arrived.
        time: Time,
    },
    /// Send a message that an own rule of the network has arrive sooner than it says that any does.
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    /// Go on for ever within one instant, by messages or wake-ups that take no time.
    #[error("{actor:?} is caught in an endless exchange without delay at {time}")]
    Livelock {
        /// One of those involved.
        actor: ActorId,
        /// The instant.
        time: Time,
    },
    /// Find out what must not be.
    #[error("{who} has stopped the run at {time}: {why}")]
    Halted {
        /// Who.
        who: String,
        /// When.
        time: Time,
        /// Why.
        why: String,
    },
    /// Panic.
    #[error("{who} panicked{}: {why}", whereabouts.iter().map(|place| format!(" {place}")).collect::<String>())]
    Panicked {
        /// Who.
        who: String,
        /// Where it had got to, as in "in slot 17", if it says so.
        whereabouts: Option<String>,
        /// Why, and where in the source.
        why: String,
    },
}

debug_as_display!(RuntimeError, Failure);

/// Who waits for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiting {
    /// Who.
    pub who: ActorId,
    /// What it calls itself.
    pub name: String,
    /// For what.
    pub what: String,
}

fn list(waiting: &[Waiting]) -> String {
    let named = waiting.iter().take(6).map(|Waiting { name, what, .. }| format!("{name} waits for {what}"));
    let mut lines: Vec<String> = named.collect();
    if waiting.len() > lines.len() {
        lines.push(format!("and {} more wait", waiting.len() - lines.len()));
    }
    lines.join("; ")
}

/// How a run ended, and the watcher that saw it.
type Ending<W> = (W, Result<(), RuntimeError>);

/// Runs `actors` until nothing more happens, from their start or from where the watcher [resumes](Watcher::resumes_from);
/// the position of an actor is its address. Gives the watcher back with the outcome.
pub fn run<P: Protocol, W: Watcher<P> + 'static>(actors: Vec<Box<dyn Agent<P>>>, host: &Host, watcher: W) -> Ending<W> {
    run_stretch(actors, host, Stretch::default(), watcher)
}

/// The same for a part of a run.
pub fn run_stretch<P: Protocol, W: Watcher<P> + 'static>(
    mut actors: Vec<Box<dyn Agent<P>>>,
    host: &Host,
    stretch: Stretch,
    mut watcher: W,
) -> Ending<W> {
    let count = actors.len();
    let all = (0..).map(ActorId).zip(&mut actors);
    let left = watcher.resumes_from().map(|bytes| Snapshot::restore(&bytes, count, all));
    let left = match left.transpose() {
        Ok(left) => left,
        Err(why) => return (watcher, Err(RuntimeError::Snapshot(why))),
    };
    let last_progress = left.as_ref().map_or(stretch.begins, |left| left.last_progress);
    let schedule = watcher.snapshots_every().map(|every| Schedule::new(every, last_progress));
    System::new().block_on(async {
        let (lookahead, threads) = (host.network.lookahead(), host.shards.threads(actors.len()));
        // The first shard lives on the clock's thread; so do all if there is one for each actor. The others share as many
        // threads as there are other cores.
        let arbiters: Vec<Arbiter> = (1..threads).map(|_| Arbiter::new()).collect();
        let shards = workers(actors, host, stretch, left).enumerate().map(|(number, worker)| {
            let shard = Shard::new(worker, lookahead, Spin::among(threads));
            match number % threads {
                0 => shard.start(),
                other => Shard::start_in_arbiter(&arbiters[other - 1].handle(), |_| shard),
            }
        });
        let shards: Arc<[_]> = shards.collect();
        let (ending, ended) = oneshot::channel();
        let audience = Audience::new(watcher, host.stall_after, last_progress, ending);
        let clock = Clock::new(Arc::clone(&shards), host, audience, schedule).start();
        for shard in shards.iter() {
            shard.do_send(Links { shards: Arc::clone(&shards), clock: clock.clone().recipient() });
        }
        let ending = ended.await.expect("the clock ends every run before it stops");
        join(arbiters);
        ending
    })
}

/// Deals the actors out: as they are to start or, if they have taken up a snapshot, with all else that it holds of them.
fn workers<P: Protocol>(
    actors: Vec<Box<dyn Agent<P>>>,
    host: &Host,
    stretch: Stretch,
    left: Option<Snapshot<P>>,
) -> impl Iterator<Item = Worker<P>> {
    let placement = host.placement(stretch, host.shards.count(actors.len()), actors.len());
    let mut hands: Vec<Vec<Box<dyn Agent<P>>>> = (0..placement.shards).map(|_| Vec::new()).collect();
    for (id, actor) in (0..).map(ActorId).zip(actors) {
        hands[placement.shard(id)].push(actor);
    }
    let network = Arc::new(host.network.clone());
    hands.into_iter().enumerate().map(move |(number, hand)| {
        let placement = Placement { number, ..placement.clone() };
        let actors = HostedActors::new(placement.clone(), Arc::clone(&network), hand, left.as_ref());
        Worker::new(placement, actors)
    })
}

/// As many threads as shards or cores, whichever are fewer; but two shards run side by side on one core too.
fn threads(shards: usize) -> usize {
    shards.min(cores().max(2))
}

fn join(arbiters: Vec<Arbiter>) {
    for arbiter in arbiters {
        arbiter.stop();
        // A thread that could not be joined has nothing left to give.
        let _ = arbiter.join();
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
