//! A shard that runs free: handles what is due by the machine's clock.

use super::{
    super::{
        Failure, Traffic,
        event::Moment,
        post::Batch,
        window::{Stop, WhoWaits},
        worker::Worker,
    },
    clock::WallClock,
};
use actix::prelude::*;
use microgrid_actor::{Observed, Protocol, Time};
use std::{sync::Arc, time::Duration};

/// A shard that runs free.
pub(super) struct FreeShard<P: Protocol> {
    worker: Worker<P>,
    /// `None` before the beginning, and after the end or a failure.
    links: Option<Begin<P>>,
    /// The timer for the earliest event, and when that is.
    timer: Option<(Time, SpawnHandle)>,
}

/// Runtime → shard: the run begins; how to reach the others, and what time it is.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(super) struct Begin<P: Protocol> {
    pub(super) shards: Arc<[Addr<FreeShard<P>>]>,
    pub(super) collector: Recipient<Report<P>>,
    pub(super) clock: WallClock,
}

/// Shard → collector: what has happened in one turn.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Report<P: Protocol> {
    pub(super) observed: Vec<Observed<P::Observation>>,
    pub(super) traffic: Traffic,
    pub(super) failure: Option<Failure>,
}

impl<P: Protocol> FreeShard<P> {
    pub(super) fn new(worker: Worker<P>) -> Self {
        Self { worker, links: None, timer: None }
    }

    /// Handles all that is due, reports, passes on what follows, and sets the timer for what is due next.
    fn turn(&mut self, context: &mut Context<Self>) {
        let Some(Begin { shards, collector, clock }) = self.links.clone() else { return };
        let now = clock.now();
        let just_after_now = Moment { time: now + Duration::from_nanos(1), wave: 0 };
        // Waves go on counting, so that an endless exchange without delay is noticed here too.
        let mut outcome = Ok(0);
        while outcome.is_ok() && self.worker.next().is_some_and(|next| next < just_after_now) {
            outcome = self.worker.handle_before(just_after_now, |due| Moment { time: now, wave: due.wave });
        }
        let (observed, traffic) = self.worker.take_reports();
        if outcome.is_err() {
            self.links = None;
        }
        // Before anybody can hear of it.
        collector.do_send(Report { observed, traffic, failure: outcome.err() });
        for (shard, batch) in self.worker.take_outgoing() {
            shards[shard].do_send(batch);
        }
        self.set_timer(clock, context);
    }

    fn set_timer(&mut self, clock: WallClock, context: &mut Context<Self>) {
        let next = self.worker.next().map(|moment| moment.time);
        if next == self.timer.map(|(time, _)| time) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            context.cancel_future(timer);
        }
        self.timer = next.map(|time| {
            let timer = context.run_later(clock.until(time), |shard, context| {
                shard.timer = None;
                shard.turn(context);
            });
            (time, timer)
        });
    }
}

impl<P: Protocol> Actor for FreeShard<P> {
    type Context = Context<Self>;
}

impl<P: Protocol> Handler<Begin<P>> for FreeShard<P> {
    type Result = ();

    fn handle(&mut self, begin: Begin<P>, context: &mut Self::Context) {
        self.links = Some(begin);
        self.turn(context);
    }
}

impl<P: Protocol> Handler<Batch<P>> for FreeShard<P> {
    type Result = ();

    fn handle(&mut self, batch: Batch<P>, context: &mut Self::Context) {
        self.worker.receive(batch);
        // Somebody quick may have sent something before this shard has heard that the run begins.
        if let Some(Begin { clock, .. }) = self.links {
            self.set_timer(clock, context);
        }
    }
}

impl<P: Protocol> Handler<WhoWaits> for FreeShard<P> {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.worker.waiting())
    }
}

impl<P: Protocol> Handler<Stop> for FreeShard<P> {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        self.links = None;
        context.stop();
    }
}
