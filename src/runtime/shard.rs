//! A shard: an actix actor that hosts some of our actors with their event queue.
//!
//! Within a granted window it handles its actors' events in order, keeps what they send to each other, and passes on
//! what they send elsewhere as one batch a receiving shard. No message passes through the clock.

use super::{
    Failure,
    cast::{Cast, Deal},
    event::{Event, EventQueue, Moment},
    window::{Grant, WhoWaits, WindowDone},
};
use actix::prelude::*;
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// A shard.
pub(super) struct Shard {
    number: usize,
    deal: Deal,
    cast: Cast,
    queue: EventQueue,
    /// Everything before this moment has been handled.
    handled: Moment,
    links: Option<Links>,
    /// What follows from the event under way.
    next: Vec<Event>,
    outgoing: BTreeMap<usize, Vec<Event>>,
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
    /// A shard with its share of the actors.
    pub(super) fn new(number: usize, deal: Deal, cast: Cast) -> Self {
        let mut queue = EventQueue::default();
        cast.first_events().into_iter().for_each(|event| queue.push(event));
        Self {
            number,
            deal,
            cast,
            queue,
            handled: Moment::default(),
            links: None,
            next: Vec::new(),
            outgoing: BTreeMap::new(),
            failure: None,
        }
    }

    fn handle_until(&mut self, bound: Moment) -> Result<(), Failure> {
        while let Some(event) = self.queue.pop_before(bound) {
            let now = event.key.moment;
            self.cast.handle(event, now, &mut self.next)?;
            for event in self.next.drain(..) {
                match self.deal.shard(event.to) {
                    here if here == self.number => self.queue.push(event),
                    there => self.outgoing.entry(there).or_default().push(event),
                }
            }
        }
        self.handled = bound;
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
        let (observed, traffic) = self.cast.take_reports();
        clock.do_send(WindowDone { shard: self.number, next: self.queue.next(), sent, observed, traffic, failure });
    }
}

impl Handler<WhoWaits> for Shard {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.cast.waiting())
    }
}

impl Handler<Stop> for Shard {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        self.links = None;
        context.stop();
    }
}
