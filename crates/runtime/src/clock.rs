//! The clock: an actix actor that grants the shards windows of simulated time.
//!
//! Time is conservative. The clock waits until all shards have done their window, finds the earliest event anywhere,
//! and grants a window from there that is as wide as the network's shortest delay: nothing sent within it can arrive
//! within it. Where a message can take no time at all, the window is one wave of one instant. A shard without events in
//! the window is left alone, and one that is the only one with events in it goes on to the next windows by itself for a
//! while, until others have something to do. The clock takes no decision of the market.
//!
//! Between windows the clock hands what was observed to the [`Watcher`], in the order (time, actor, sequence), and with it
//! what became of messages since it did so last. Windows depend only on the events, so the watcher sees the same whatever
//! the shards.

use super::{
    Failure, RuntimeError, Traffic, Watcher,
    agenda::Agenda,
    audience::{Audience, who_waits},
    event::Moment,
    shard::Shard,
    window::{self, Grant, Report, WindowDone},
};
use actix::prelude::*;
use microgrid_actor::{Observed, Protocol, Time};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The clock.
pub(super) struct Clock<P: Protocol, W> {
    shards: Arc<[Addr<Shard<P>>]>,
    /// Each shard's earliest event.
    agenda: Agenda,
    lookahead: Duration,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    /// Shards with something to do in the current window.
    due: Vec<usize>,
    /// How many of these have not done it yet.
    outstanding: usize,
    /// Earliest events that shards sent to each other in the current window.
    announced: Vec<(usize, Moment)>,
    /// What the shard that has done several windows alone has to tell of all but the last.
    earlier: Vec<Report<P>>,
    observed: Vec<Observed<P::Observation>>,
    traffic: Traffic,
    failure: Option<Failure>,
}

impl<P: Protocol, W: Watcher<P> + 'static> Clock<P, W> {
    pub(super) fn new(
        shards: Arc<[Addr<Shard<P>>]>,
        lookahead: Duration,
        interrupted: Arc<AtomicBool>,
        audience: Audience<W>,
    ) -> Self {
        Self {
            agenda: Agenda::new(shards.len()),
            shards,
            lookahead,
            interrupted,
            audience,
            due: Vec::new(),
            outstanding: 0,
            announced: Vec::new(),
            earlier: Vec::new(),
            observed: Vec::new(),
            traffic: Traffic::default(),
            failure: None,
        }
    }

    /// All shards have done their window: accounts for it, then grants the next.
    fn turn(&mut self, context: &mut Context<Self>) {
        for (shard, moment) in self.announced.drain(..) {
            self.agenda.add(shard, moment);
        }
        if let Err(error) = self.report() {
            return self.audience.end(Err(error));
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return self.audience.end(Err(RuntimeError::Interrupted));
        }
        match self.agenda.earliest() {
            None => self.ask_who_waits(None, context),
            Some(moment) if self.audience.has_stalled(moment.time) => {
                self.ask_who_waits(Some(moment.time), context);
            }
            Some(moment) => self.grant(moment),
        }
    }

    fn grant(&mut self, earliest: Moment) {
        let bound = window::bound(earliest, self.lookahead);
        self.due.clear();
        self.agenda.for_each_before(bound, |shard| self.due.push(shard));
        self.outstanding = self.due.len();
        let alone_before = match self.due[..] {
            [alone] => self.agenda.earliest_but(alone).min(self.audience.stalls_at()),
            _ => bound,
        };
        for &shard in &self.due {
            self.shards[shard].do_send(Grant { bound, alone_before });
        }
    }

    /// Passes on what the windows have brought.
    fn report(&mut self) -> Result<(), RuntimeError> {
        if let Some(failure) = self.failure.take() {
            return Err(RuntimeError::Failed(failure));
        }
        for Report { mut observed, traffic } in self.earlier.drain(..) {
            self.audience.show(&mut observed, traffic)?;
        }
        self.audience.show(&mut self.observed, std::mem::take(&mut self.traffic))
    }

    /// Nothing more will happen, or nothing that leads anywhere: the run is over if nobody waits for anything.
    fn ask_who_waits(&self, stalled_at: Option<Time>, context: &mut Context<Self>) {
        let shards = Arc::clone(&self.shards);
        let ask = async move { who_waits(&shards).await };
        let since = self.audience.last_progress();
        context.spawn(ask.into_actor(self).map(move |waiting, clock, _| {
            clock.audience.end(match (waiting, stalled_at) {
                (Err(failure), _) => Err(RuntimeError::Failed(failure)),
                (Ok(waiting), None) if waiting.is_empty() => Ok(()),
                (Ok(waiting), None) => Err(RuntimeError::Deadlock { since, waiting }),
                (Ok(waiting), Some(now)) => Err(RuntimeError::Stalled { now, milestone: P::MILESTONE, since, waiting }),
            });
        }));
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Actor for Clock<P, W> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.turn(context);
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Handler<WindowDone<P>> for Clock<P, W> {
    type Result = ();

    fn handle(&mut self, done: WindowDone<P>, context: &mut Self::Context) {
        self.agenda.set(done.shard, done.next);
        self.announced.extend(done.sent);
        self.earlier.extend(done.earlier);
        self.observed.extend(done.last.observed);
        self.traffic += done.last.traffic;
        self.failure = self.failure.take().or(done.failure);
        self.outstanding -= 1;
        if self.outstanding == 0 {
            self.turn(context);
        }
    }
}
