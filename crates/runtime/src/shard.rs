//! A shard: an actix actor that hosts some of our actors with their event queue.
//!
//! Within a granted window it handles its actors' events in order, keeps what they send to each other, and passes on
//! what they send elsewhere as one batch a receiving shard. No message passes through the clock. As long as it is alone,
//! it goes on to the windows that the clock would grant it next.

use super::{
    Failure,
    event::Moment,
    post::Batch,
    spin::Spin,
    window::{self, Grant, Report, Stop, WhoWaits, WindowDone},
    worker::Worker,
};
use actix::prelude::*;
use microgrid_actor::Protocol;
use std::{sync::Arc, time::Duration};

/// A shard.
pub(super) struct Shard<P: Protocol> {
    worker: Worker<P>,
    /// The network's shortest delay.
    lookahead: Duration,
    /// Everything before this moment has been handled.
    handled: Moment,
    spin: Spin,
    links: Option<Links<P>>,
    /// What there is to tell of windows before the last one.
    earlier: Vec<Report<P>>,
    /// What went wrong since the last window.
    failure: Option<Failure>,
}

/// How a shard reaches the others.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(super) struct Links<P: Protocol> {
    pub(super) shards: Arc<[Addr<Shard<P>>]>,
    pub(super) clock: Recipient<WindowDone<P>>,
}

impl<P: Protocol> Shard<P> {
    /// So many windows are handled at most before the clock hears of it, so that a run can be interrupted.
    const WINDOWS: usize = 64;

    /// Once so many events have been handled, what there is to tell waits no longer.
    const EVENTS: usize = 2048;

    /// The shard with this worker, on a network with this shortest delay.
    pub(super) fn new(worker: Worker<P>, lookahead: Duration, spin: Spin) -> Self {
        Self { worker, lookahead, handled: Moment::default(), spin, links: None, earlier: Vec::new(), failure: None }
    }

    /// Handles the window before `bound` and, as long as it is alone and has nothing for others, those after it.
    ///
    /// # Errors
    /// If an actor does what it must not, or panics.
    fn handle_windows(&mut self, Grant { mut bound, alone_before }: Grant) -> Result<(), Failure> {
        let mut events = 0;
        for _ in 0..Self::WINDOWS {
            self.handled = bound;
            events += self.worker.handle_before(bound, |due| due)?;
            self.worker.nothing_before(bound)?;
            let Some(next) = self.worker.next() else { break };
            bound = window::bound(next, self.lookahead);
            if bound > alone_before || self.worker.has_outgoing() {
                break;
            }
            if self.worker.has_observed() {
                if events >= Self::EVENTS || self.worker.has_checkpoint() {
                    break;
                }
                let report = self.report();
                self.earlier.push(report);
            }
        }
        Ok(())
    }

    /// What its actors have reported since the last time.
    fn report(&mut self) -> Report<P> {
        let (observed, traffic) = self.worker.take_reports();
        Report { observed, traffic }
    }

    /// Sends the batches on their way; returns the earliest moment in each.
    fn pass_on(&mut self, shards: &[Addr<Self>]) -> Vec<(usize, Moment)> {
        let batches = self.worker.take_outgoing().into_iter();
        let sent = batches.map(|(shard, batch)| {
            let earliest = batch.earliest;
            shards[shard].do_send(batch);
            (shard, earliest)
        });
        sent.collect()
    }
}

impl<P: Protocol> Actor for Shard<P> {
    type Context = Context<Self>;
}

impl<P: Protocol> Handler<Links<P>> for Shard<P> {
    type Result = ();

    fn handle(&mut self, links: Links<P>, _: &mut Self::Context) {
        self.links = Some(links);
    }
}

impl<P: Protocol> Handler<Batch<P>> for Shard<P> {
    type Result = ();

    fn handle(&mut self, batch: Batch<P>, _: &mut Self::Context) {
        // The clock grants a window only when nothing can arrive in it any more; this holds it to that.
        if batch.earliest < self.handled
            && let Some(late) = batch.events.iter().find(|event| event.moment() < self.handled)
        {
            self.failure = Some(Failure::OutOfOrder { to: late.to, time: late.time });
        }
        self.worker.receive(batch);
    }
}

impl<P: Protocol> Handler<Grant> for Shard<P> {
    type Result = ();

    fn handle(&mut self, grant: Grant, _: &mut Self::Context) {
        let outcome = self.handle_windows(grant);
        let Links { shards, clock } = self.links.clone().expect("links come before the first grant");
        let sent = self.pass_on(&shards);
        clock.do_send(WindowDone {
            shard: self.worker.number(),
            next: self.worker.next(),
            sent,
            earlier: std::mem::take(&mut self.earlier),
            last: self.report(),
            failure: outcome.err().or_else(|| self.failure.take()),
        });
        self.spin.keep();
    }
}

impl<P: Protocol> Handler<WhoWaits> for Shard<P> {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.worker.waiting())
    }
}

impl<P: Protocol> Handler<Stop> for Shard<P> {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        self.links = None;
        context.stop();
    }
}
