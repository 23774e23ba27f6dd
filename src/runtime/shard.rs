//! A shard: an actix actor that hosts some of our actors with their event queue.
//!
//! Within a granted window it handles its actors' events in order, keeps what they send to each other, and passes on
//! what they send elsewhere as one batch a receiving shard. No message passes through the clock.

use super::{
    Failure,
    event::{Event, Moment},
    station::Station,
    window::{Grant, Stop, WhoWaits, WindowDone},
};
use actix::prelude::*;
use std::sync::Arc;

/// A shard.
pub(super) struct Shard {
    station: Station,
    /// Everything before this moment has been handled.
    handled: Moment,
    links: Option<Links>,
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

impl Shard {
    pub(super) fn new(station: Station) -> Self {
        Self { station, handled: Moment::default(), links: None, failure: None }
    }

    /// Sends the batches on their way; returns the earliest moment in each.
    fn pass_on(&mut self, shards: &[Addr<Self>]) -> Vec<(usize, Moment)> {
        let batches = self.station.take_outgoing();
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
            self.station.push(event);
        }
    }
}

impl Handler<Grant> for Shard {
    type Result = ();

    fn handle(&mut self, Grant(bound): Grant, _: &mut Self::Context) {
        let outcome = self.station.handle_until(bound, |due| due);
        self.handled = bound;
        let Links { shards, clock } = self.links.clone().expect("links come before the first grant");
        let sent = self.pass_on(&shards);
        let (observed, traffic) = self.station.take_reports();
        clock.do_send(WindowDone {
            shard: self.station.number(),
            next: self.station.next(),
            sent,
            observed,
            traffic,
            failure: outcome.err().or_else(|| self.failure.take()),
        });
    }
}

impl Handler<WhoWaits> for Shard {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.station.waiting())
    }
}

impl Handler<Stop> for Shard {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        self.links = None;
        context.stop();
    }
}
