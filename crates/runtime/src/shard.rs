//! A shard: an actix actor that hosts some of our actors with their event queue.
//!
//! Within a granted window it handles its actors' events in order, keeps what they send to each other, and passes on
//! what they send elsewhere as one batch a receiving shard. No message passes through the clock. As long as it is alone,
//! it goes on to the windows that the clock would grant it next.

use super::{
    Failure, Waiting,
    audience::{Report, WhoWaits},
    event::Moment,
    panics::caught,
    post::Batch,
    snapshot::{Part, Save},
    spin::Spin,
    worker::Worker,
};
use actix::prelude::*;
use microgrid_actor::Protocol;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

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
}

/// Runtime → shard: how to reach the others.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(super) struct Links<P: Protocol> {
    pub(super) shards: Arc<[Addr<Shard<P>>]>,
    pub(super) clock: Recipient<WindowDone<P>>,
}

/// Clock → shard: handle everything before this moment.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Grant {
    pub(super) bound: Moment,
    /// Nobody else has anything to do before this moment: up to it, the shard may go on window by window until it has
    /// something for others.
    pub(super) alone_before: Moment,
    /// Whether it is to go no further than to where no message is on its way.
    pub(super) to_quiet: bool,
}

/// Shard → clock: what was granted is done.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WindowDone<P: Protocol> {
    pub(super) shard: usize,
    /// The shard's earliest event.
    pub(super) next: Moment,
    /// The latest moment at which a message arrives that one of its actors has sent.
    pub(super) in_flight: Moment,
    /// The earliest event sent to each other shard.
    pub(super) sent: Vec<(usize, Moment)>,
    /// What it has to tell of windows before the last one, that it has done alone.
    pub(super) earlier: Vec<Report<P>>,
    pub(super) last: Report<P>,
}

impl Grant {
    /// Nothing.
    pub(super) const NONE: Self = Self { bound: Moment::FIRST, alone_before: Moment::FIRST, to_quiet: false };
}

impl<P: Protocol> Shard<P> {
    /// So many windows are handled at most before the clock hears of it, so that a run can be interrupted.
    const WINDOWS: usize = 64;

    /// Once so many events have been handled, what there is to tell waits no longer.
    const EVENTS: usize = 2048;

    /// The shard with this worker, on a network with this shortest delay.
    pub(super) fn new(worker: Worker<P>, lookahead: Duration, spin: Spin) -> Self {
        Self { worker, lookahead, handled: Moment::default(), spin, links: None, earlier: Vec::new() }
    }

    /// Handles the window before `bound` and, as long as it is alone and has nothing for others, those after it.
    fn handle_windows(&mut self, Grant { mut bound, alone_before, to_quiet }: Grant) -> Result<(), Failure> {
        let mut events = 0;
        for _ in 0..Self::WINDOWS {
            self.handled = self.handled.max(bound);
            events += self.worker.handle_before(bound, |due| due)?;
            self.worker.nothing_before(bound)?;
            let Some(next) = self.worker.next() else { break };
            bound = next.window_end(self.lookahead);
            let actors = &mut self.worker.actors;
            let is_quiet = to_quiet && next > actors.post.in_flight;
            if bound > alone_before || is_quiet || !actors.post.outgoing.is_empty() {
                break;
            }
            if !actors.report.observed.is_empty() {
                if events >= Self::EVENTS || actors.report.is_urgent() {
                    break;
                }
                self.earlier.push(std::mem::take(&mut actors.report));
            }
        }
        Ok(())
    }

    /// Takes in what another shard has sent.
    pub(super) fn take_in(&mut self, batch: Batch<P>) {
        // The clock grants a window only when nothing can arrive in it any more; this holds it to that.
        if batch.earliest < self.handled
            && let Some(late) = batch.events.iter().find(|event| event.moment() < self.handled)
        {
            self.worker.actors.report.failure = Some(Failure::OutOfOrder { to: late.to, time: late.time });
        }
        self.worker.actors.post.receive(batch);
    }

    /// Does what is granted, and tells of it; what it has for others is still to be sent. Whatever happens, there is an answer.
    pub(super) fn work(&mut self, grant: Grant) -> (BTreeMap<usize, Batch<P>>, WindowDone<P>) {
        let number = self.worker.placement.number;
        let panicked = |why| Err(Failure::Panicked { who: format!("shard {number}"), whereabouts: None, why });
        let outcome = caught(|| self.handle_windows(grant)).unwrap_or_else(panicked);
        let actors = &mut self.worker.actors;
        actors.report.failure = outcome.err().or_else(|| actors.report.failure.take());
        let batches = std::mem::take(&mut actors.post.outgoing);
        let done = WindowDone {
            sent: batches.iter().map(|(shard, batch)| (*shard, batch.earliest)).collect(),
            earlier: std::mem::take(&mut self.earlier),
            last: std::mem::take(&mut actors.report),
            shard: number,
            in_flight: actors.post.in_flight,
            next: self.worker.next().unwrap_or(Moment::NEVER),
        };
        (batches, done)
    }

    /// What it has to save, at a quiet moment.
    pub(super) fn save(&mut self) -> Option<Part<P>> {
        self.worker.actors.save()
    }

    /// Who of its actors waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        self.worker.actors.waiting()
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
        self.take_in(batch);
    }
}

impl<P: Protocol> Handler<Grant> for Shard<P> {
    type Result = ();

    fn handle(&mut self, grant: Grant, _: &mut Self::Context) {
        let (batches, done) = self.work(grant);
        let Links { shards, clock } = self.links.as_ref().expect("links come before the first grant");
        batches.into_iter().for_each(|(shard, batch)| shards[shard].do_send(batch));
        clock.do_send(done);
        self.spin.keep();
    }
}

impl<P: Protocol> Handler<Save<P>> for Shard<P> {
    type Result = MessageResult<Save<P>>;

    fn handle(&mut self, _: Save<P>, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.save())
    }
}

impl<P: Protocol> Handler<WhoWaits> for Shard<P> {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.waiting())
    }
}
