//! The way of new events: into the queue of the shard, or on their way to another.

use super::{
    Stretch,
    event::{Broadcast, Event, Key, Moment, What},
    queue::EventQueue,
};
use actix::Message;
use microgrid_actor::{ActorId, Protocol};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A shard among all of a run. Actors, or their homes if they have any, are dealt out to them in turn, so the first actor,
/// which in a market is the ledger and talks to everybody, shares a thread with the clock.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    /// Of the run.
    pub(super) seed: u64,
    /// Which part of the run takes place.
    pub(super) stretch: Stretch,
    /// Of the shard, from 0.
    pub(super) number: usize,
    pub(super) shards: usize,
    pub(super) actors: usize,
    /// Who lives where, if actors have homes.
    pub(super) dealt: Option<Arc<Dealt>>,
}

/// Actors that are dealt out by their homes.
#[derive(Debug)]
pub(super) struct Dealt {
    /// Each actor's shard, and its place there.
    at: Vec<(u32, u32)>,
    /// Who lives in each shard, in the order of their addresses.
    residents: Vec<Vec<ActorId>>,
}

impl Dealt {
    pub(super) fn new(homes: &[u32], shards: usize) -> Self {
        let mut residents = vec![Vec::new(); shards];
        let at = (0..).map(ActorId).zip(homes).map(|(actor, home)| {
            let shard = *home as usize % shards;
            let place = residents[shard].len() as u32;
            residents[shard].push(actor);
            (shard as u32, place)
        });
        Self { at: at.collect(), residents }
    }
}

impl Placement {
    /// In which shard an actor lives.
    #[inline]
    pub(super) fn shard(&self, actor: ActorId) -> usize {
        match &self.dealt {
            None => (actor.0 % self.shards as u32) as usize,
            Some(dealt) => dealt.at[actor.0 as usize].0 as usize,
        }
    }

    #[inline]
    pub(super) fn place(&self, actor: ActorId) -> u32 {
        match &self.dealt {
            None => actor.0 / self.shards as u32,
            Some(dealt) => dealt.at[actor.0 as usize].1,
        }
    }

    /// Who has this position in this shard.
    pub(super) fn actor(&self, place: u32) -> ActorId {
        match &self.dealt {
            None => ActorId(place * self.shards as u32 + self.number as u32),
            Some(dealt) => dealt.residents[self.number][place as usize],
        }
    }
}

/// Events of a shard that are still to be handled, here or elsewhere.
#[derive(Debug)]
pub(super) struct Post<P: Protocol> {
    placement: Placement,
    pub(super) queue: EventQueue<P>,
    /// The latest moment at which a message arrives that was sent from here.
    pub(super) in_flight: Moment,
    /// Where the window under way ends.
    bound: Moment,
    /// Who is handling its events; `None` before the first of a window.
    pub(super) busy: Option<ActorId>,
    /// What whoever is busy has caused to itself within the window, the earliest last.
    soon: Vec<(Key, Event<P>)>,
    /// What is to be passed on, by the shard that gets it.
    pub(super) outgoing: BTreeMap<usize, Batch<P>>,
    spare: Vec<Vec<Event<P>>>,
}

/// Shard → shard: events for actors hosted there.
#[derive(Debug, Message, Serialize, Deserialize)]
#[serde(bound = "")]
#[rtype(result = "()")]
pub(super) struct Batch<P: Protocol> {
    /// The earliest moment among them.
    pub(super) earliest: Moment,
    /// At least one event.
    pub(super) events: Vec<Event<P>>,
}

impl<P: Protocol> Post<P> {
    /// So many batches' memory is kept for those to come.
    const SPARE: usize = 4;

    /// A broadcast travels as one event a shard if that spares at least this many.
    const WORTHWHILE: usize = 32;

    /// The post of a shard, for windows of about this width.
    pub(super) fn new(placement: Placement, window: Duration) -> Self {
        let (in_flight, bound, busy, soon, outgoing, spare) = Default::default();
        Self { placement, queue: EventQueue::new(window), in_flight, bound, busy, soon, outgoing, spare }
    }

    /// Begins a window: takes what is to be handled before `bound`.
    pub(super) fn begin(&mut self, bound: Moment, taken: &mut Vec<Event<P>>) {
        self.bound = bound;
        self.busy = None;
        self.queue.take_before(bound, taken);
    }

    /// Takes in a message.
    #[inline]
    pub(super) fn send(&mut self, event: Event<P>) {
        self.in_flight = self.in_flight.max(event.moment());
        self.push(event);
    }

    #[inline]
    pub(super) fn push(&mut self, event: Event<P>) {
        if self.busy == Some(event.to) && event.moment() < self.bound {
            let key = event.key(self.placement.seed);
            let place = self.soon.partition_point(|(other, _)| *other > key);
            return self.soon.insert(place, (key, event));
        }
        self.deliver(self.placement.shard(event.to), event);
    }

    /// Whether a broadcast to so many is better sent as one event a shard than as one a receiver: where each shard has
    /// so many of them that it may well look for them itself.
    pub(super) fn is_worthwhile(&self, receivers: usize) -> bool {
        receivers >= Self::WORTHWHILE * self.placement.shards
    }

    /// Takes in a broadcast, whose first receiver's event would be like `first`, at all shards.
    pub(super) fn broadcast(&mut self, first: &Event<P>, broadcast: &Broadcast<P>) {
        self.in_flight = self.in_flight.max(first.moment());
        for shard in 0..self.placement.shards {
            self.deliver(shard, Event { what: What::Broadcast(Box::new(broadcast.clone())), ..*first });
        }
    }

    /// Inlined, since every message goes this way.
    #[inline(always)]
    fn deliver(&mut self, shard: usize, event: Event<P>) {
        if shard == self.placement.number { self.queue.push(event) } else { self.pass_on(shard, event) }
    }

    fn pass_on(&mut self, shard: usize, event: Event<P>) {
        let moment = event.moment();
        let new = || Batch { earliest: moment, events: self.spare.pop().unwrap_or_default() };
        let batch = self.outgoing.entry(shard).or_insert_with(new);
        batch.earliest = batch.earliest.min(moment);
        batch.events.push(event);
    }

    /// Whether whoever is busy has caused something to itself within the window.
    pub(super) fn has_soon(&self) -> bool {
        !self.soon.is_empty()
    }

    /// What whoever is busy has caused to itself within the window, the earliest first, up to `key` if that is given.
    pub(super) fn soon(&mut self, key: Option<&Key>) -> Option<Event<P>> {
        self.soon.pop_if(|(earliest, _)| key.is_none_or(|key| *key >= *earliest)).map(|(_, event)| event)
    }

    /// Adds the events of a batch from another shard, and keeps its memory for one to come.
    pub(super) fn receive(&mut self, mut batch: Batch<P>) {
        batch.events.drain(..).for_each(|event| self.queue.push(event));
        if self.spare.len() < Self::SPARE {
            self.spare.push(batch.events);
        }
    }
}
