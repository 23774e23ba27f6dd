//! The way of new events: into the queue of the shard, or on their way to another.

use super::{
    event::{Broadcast, Event, Key, Moment, What},
    queue::EventQueue,
};
use actix::Message;
use microgrid_actor::{ActorId, Protocol};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

/// Which shard hosts which actor: dealt out in turn. The first actor, which in a
/// market is the ledger and talks to everybody, so shares a thread with the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    pub(super) actors: usize,
    pub(super) shards: usize,
}

impl Placement {
    /// Where it lives.
    pub(super) fn shard(self, actor: ActorId) -> usize {
        (actor.0 % self.shards as u32) as usize
    }

    /// Its position there.
    pub(super) fn place(self, actor: ActorId) -> u32 {
        actor.0 / self.shards as u32
    }

    /// Who has this position in this shard.
    pub(super) fn actor(self, shard: usize, place: u32) -> ActorId {
        ActorId(place * self.shards as u32 + shard as u32)
    }
}

/// Events of a shard that are still to be handled, here or elsewhere.
#[derive(Debug)]
pub(super) struct Post<P: Protocol> {
    seed: u64,
    number: usize,
    placement: Placement,
    queue: EventQueue<P>,
    /// Where the window under way ends.
    bound: Moment,
    /// Who is handling its events.
    busy: Option<ActorId>,
    /// What whoever is busy has caused to itself within the window.
    soon: BinaryHeap<Reverse<Soon<P>>>,
    outgoing: BTreeMap<usize, Batch<P>>,
    /// Empty batches' memory.
    spare: Vec<Vec<Event<P>>>,
}

/// Shard → shard: events for actors hosted there.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Batch<P: Protocol> {
    /// The earliest moment among them.
    pub(super) earliest: Moment,
    /// At least one event.
    pub(super) events: Vec<Event<P>>,
}

/// An event with its key, and compared by it alone.
#[derive(Debug)]
struct Soon<P: Protocol>(Key, Event<P>);

impl<P: Protocol> PartialEq for Soon<P> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<P: Protocol> Eq for Soon<P> {}

impl<P: Protocol> PartialOrd for Soon<P> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: Protocol> Ord for Soon<P> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<P: Protocol> Post<P> {
    /// So many batches' memory is kept for those to come.
    const SPARE: usize = 4;

    /// A broadcast travels as one event a shard if that spares at least this many.
    const WORTHWHILE: usize = 32;

    /// The post of the shard with this number, for windows of about this width.
    pub(super) fn new(seed: u64, number: usize, placement: Placement, window: Duration) -> Self {
        Self {
            seed,
            number,
            placement,
            queue: EventQueue::new(window),
            bound: Moment::default(),
            busy: None,
            soon: BinaryHeap::new(),
            outgoing: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// Begins a window: takes what is to be handled before `bound`.
    pub(super) fn begin(&mut self, bound: Moment, taken: &mut Vec<Event<P>>) {
        self.bound = bound;
        self.busy = None;
        self.queue.take_before(bound, taken);
    }

    /// From now on it is this actor that handles its events.
    pub(super) fn is_busy(&mut self, actor: ActorId) {
        self.busy = Some(actor);
    }

    /// Who that is; `None` before the first of a window.
    pub(super) fn busy(&self) -> Option<ActorId> {
        self.busy
    }

    /// Takes in a new event.
    #[inline]
    pub(super) fn push(&mut self, event: Event<P>) {
        if self.busy == Some(event.to) && event.moment() < self.bound {
            self.soon.push(Reverse(Soon(event.key(self.seed), event)));
            return;
        }
        match self.placement.shard(event.to) {
            here if here == self.number => self.queue.push(event),
            there => self.send(there, event),
        }
    }

    /// Takes in an event for an actor of this shard, from outside.
    pub(super) fn receive(&mut self, event: Event<P>) {
        self.queue.push(event);
    }

    /// Whether a broadcast to so many is better sent as one event a shard than as one a receiver: where each shard has
    /// so many of them that it may well look for them itself.
    pub(super) fn is_worthwhile(&self, receivers: usize) -> bool {
        receivers >= Self::WORTHWHILE * self.placement.shards
    }

    /// Takes in a broadcast, whose first receiver's event would be like `first`, at all shards.
    pub(super) fn broadcast(&mut self, first: &Event<P>, broadcast: &Broadcast<P>) {
        for shard in 0..self.placement.shards {
            let event = Event { what: What::Broadcast(Box::new(broadcast.clone())), ..*first };
            if shard == self.number {
                self.queue.push(event);
            } else {
                self.send(shard, event);
            }
        }
    }

    fn send(&mut self, shard: usize, event: Event<P>) {
        let moment = event.moment();
        let new = || Batch { earliest: moment, events: self.spare.pop().unwrap_or_default() };
        let batch = self.outgoing.entry(shard).or_insert_with(new);
        batch.earliest = batch.earliest.min(moment);
        batch.events.push(event);
    }

    /// What whoever is busy has caused to itself within the window, the earliest first, up to `key` if that is given.
    pub(super) fn soon(&mut self, key: Option<&Key>) -> Option<Event<P>> {
        let Reverse(Soon(earliest, _)) = self.soon.peek()?;
        if key.is_some_and(|key| key < earliest) {
            return None;
        }
        self.soon.pop().map(|Reverse(Soon(_, event))| event)
    }

    /// The moment of the earliest event here.
    pub(super) fn next(&self) -> Option<Moment> {
        self.queue.next()
    }

    /// Whether anything is to be passed on.
    pub(super) fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Takes what is to be passed on: for each other shard that gets something, its number and its events.
    pub(super) fn take_outgoing(&mut self) -> BTreeMap<usize, Batch<P>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Keeps an empty batch's memory for one to come.
    pub(super) fn reuse(&mut self, events: Vec<Event<P>>) {
        if self.spare.len() < Self::SPARE {
            self.spare.push(events);
        }
    }
}
