//! A shard: an actix actor that hosts some of our actors with their event queue.
//!
//! Within a granted window it handles its actors' events in order, keeps what they send to each other, and passes on
//! what they send elsewhere as one batch a receiving shard. No message passes through the clock.

use super::{
    Failure, Traffic, Waiting,
    event::{Event, EventQueue, Key, Moment, What},
    network::Network,
    window::{Grant, WhoWaits, WindowDone},
};
use actix::prelude::*;
use microgrid_agents::{
    actor::{self, Context as AgentContext, Effect},
    ids::ActorId,
    observation::Observed,
    streams::{Purpose, Stream, stream},
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Which shard hosts which actor: dealt out in turn. The first actor, which in a market is the ledger and talks to
/// everybody, so shares a thread with the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    pub(super) actors: usize,
    pub(super) shards: usize,
}

impl Deal {
    fn shard(self, actor: ActorId) -> usize {
        actor.0 as usize % self.shards
    }

    fn place(self, actor: ActorId) -> usize {
        actor.0 as usize / self.shards
    }
}

/// One of our actors with all that belongs to it alone.
#[derive(Debug)]
struct Hosted {
    id: ActorId,
    actor: Box<dyn actor::Actor>,
    behaviour: Stream,
    network: Stream,
    sequence: u64,
}

/// A shard.
pub(super) struct Shard {
    number: usize,
    seed: u64,
    deal: Deal,
    network: Network,
    hosted: Vec<Hosted>,
    queue: EventQueue,
    /// Everything before this moment has been handled.
    handled: Moment,
    links: Option<Links>,
    effects: Vec<Effect>,
    outgoing: BTreeMap<usize, Vec<Event>>,
    observed: Vec<Observed>,
    traffic: Traffic,
    /// What went wrong since the last window.
    failure: Option<Failure>,
}

/// How a shard reaches the others.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(super) struct Links {
    pub(super) shards: Arc<[Addr<Shard>]>,
    pub(super) clock: Recipient<WindowDone>,
}

/// Shard → shard: events for actors hosted there.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Batch(Vec<Event>);

/// Runtime → shard: the run is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;

impl Shard {
    /// A shard with its share of the actors, given in order of their addresses.
    pub(super) fn new(
        number: usize,
        seed: u64,
        deal: Deal,
        network: Network,
        actors: Vec<(ActorId, Box<dyn actor::Actor>)>,
    ) -> Self {
        let mut queue = EventQueue::default();
        let host = |(id, actor): (ActorId, Box<dyn actor::Actor>)| {
            queue.push(Event { key: Key::new(seed, Moment::default(), id, 0), to: id, what: What::Start });
            let behaviour = stream(seed, id, Purpose::Behaviour);
            let network = stream(seed, id, Purpose::Network);
            Hosted { id, actor, behaviour, network, sequence: 1 }
        };
        let hosted = actors.into_iter().map(host).collect();
        Self {
            number,
            seed,
            deal,
            network,
            hosted,
            queue,
            handled: Moment::default(),
            links: None,
            effects: Vec::new(),
            outgoing: BTreeMap::new(),
            observed: Vec::new(),
            traffic: Traffic::default(),
            failure: None,
        }
    }

    /// More zero-delay hops than this within one instant lead nowhere.
    const MOST_WAVES: u32 = 1_000_000;

    fn handle_until(&mut self, bound: Moment) -> Result<(), Failure> {
        while let Some(event) = self.queue.pop_before(bound) {
            self.handle_event(event)?;
        }
        self.handled = bound;
        Ok(())
    }

    /// Lets an actor handle one event, and carries out what it asks for.
    fn handle_event(&mut self, event: Event) -> Result<(), Failure> {
        let Event { key, to, what } = event;
        let Hosted { id, actor, behaviour, network, sequence } = &mut self.hosted[self.deal.place(to)];
        let now = key.moment;
        if now.wave > Self::MOST_WAVES {
            return Err(Failure::Livelock { actor: *id, time: now.time });
        }
        let mut context = AgentContext::new(now.time, *id, behaviour, &mut self.effects);
        match what {
            What::Start => actor.start(&mut context),
            What::Message(message) => actor.receive(key.sender, message, &mut context),
            What::Wake(wake) => actor.wake(wake, &mut context),
        }
        for effect in self.effects.drain(..) {
            let (delay, to, what) = match effect {
                Effect::Observe(what) => {
                    self.observed.push(Observed { time: now.time, actor: *id, what });
                    continue;
                }
                Effect::Wake(delay, wake) => (Some(delay), *id, What::Wake(wake)),
                Effect::Send(to, message) => {
                    self.traffic.sent += 1;
                    (self.network.carry(network), to, What::Message(message))
                }
            };
            *sequence += 1;
            let Some(delay) = delay else {
                self.traffic.lost += 1;
                continue;
            };
            if to.0 as usize >= self.deal.actors {
                return Err(Failure::NoRecipient { from: *id, to });
            }
            let wave = if delay.is_zero() { now.wave + 1 } else { 0 };
            let moment = Moment { time: now.time + delay, wave };
            let event = Event { key: Key::new(self.seed, moment, *id, *sequence), to, what };
            match self.deal.shard(to) {
                here if here == self.number => self.queue.push(event),
                there => self.outgoing.entry(there).or_default().push(event),
            }
        }
        Ok(())
    }

    /// Sends the batches on their way; returns the earliest moment in each.
    fn pass_on(&mut self, shards: &[Addr<Self>]) -> Vec<(usize, Moment)> {
        let batches = std::mem::take(&mut self.outgoing);
        batches
            .into_iter()
            .map(|(shard, events)| {
                let earliest = events.iter().map(|event| event.key.moment).min();
                shards[shard].do_send(Batch(events));
                (shard, earliest.expect("a batch is made for its first event"))
            })
            .collect()
    }
}

impl Actor for Shard {
    type Context = Context<Self>;
}

impl Handler<Links> for Shard {
    type Result = ();

    fn handle(&mut self, links: Links, _: &mut Self::Context) {
        self.links = Some(links);
    }
}

impl Handler<Batch> for Shard {
    type Result = ();

    fn handle(&mut self, Batch(events): Batch, _: &mut Self::Context) {
        for event in events {
            // The clock grants a window only when nothing can arrive in it any more; this holds it to that.
            if event.key.moment < self.handled {
                self.failure = Some(Failure::OutOfOrder { to: event.to, time: event.key.moment.time });
            }
            self.queue.push(event);
        }
    }
}

impl Handler<Grant> for Shard {
    type Result = ();

    fn handle(&mut self, Grant(bound): Grant, _: &mut Self::Context) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.handle_until(bound)));
        let failure = match outcome {
            Ok(Ok(())) => self.failure.take(),
            Ok(Err(failure)) => Some(failure),
            Err(panic) => Some(Failure::panicked(panic.as_ref())),
        };
        let Links { shards, clock } = self.links.clone().expect("links come before the first grant");
        let sent = self.pass_on(&shards);
        clock.do_send(WindowDone {
            shard: self.number,
            next: self.queue.next(),
            sent,
            observed: std::mem::take(&mut self.observed),
            traffic: std::mem::take(&mut self.traffic),
            failure,
        });
    }
}

impl Handler<WhoWaits> for Shard {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        let waiting = self.hosted.iter().filter_map(|Hosted { id, actor, .. }| {
            Some(Waiting { who: *id, name: actor.name(), what: actor.waiting_for()? })
        });
        MessageResult(waiting.collect())
    }
}

impl Handler<Stop> for Shard {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        self.links = None;
        context.stop();
    }
}
