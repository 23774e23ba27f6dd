//! The clock: an actix actor that grants the shards windows of simulated time.
//!
//! Time is conservative. The clock waits until all shards have done their window, finds the earliest event anywhere,
//! and grants a window from there that is as wide as the network's shortest delay: nothing sent within it can arrive
//! within it. A shard without events in the window is left alone, and one that is the only one with events in it goes on
//! to the next windows by itself for a while, until others have something to do.
//!
//! Where the watcher wants snapshots, one is taken between two windows, at the first quiet moment behind a milestone.
//!
//! Between windows the clock hands what was observed to the [`Watcher`]. Windows depend only on the events, so the watcher
//! sees the same whatever the shards.

use super::{
    Host, RuntimeError, Watcher,
    audience::{Audience, Report, asked, who_waits},
    event::Moment,
    shard::{Grant, Shard, WindowDone},
    snapshot::{Part, Save, Schedule, Snapshot},
};
use actix::prelude::*;
use microgrid_actor::Protocol;
use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(super) struct Clock<P: Protocol, W> {
    shards: Arc<[Addr<Shard<P>>]>,
    /// Each shard's earliest event.
    next: Vec<Moment>,
    lookahead: Duration,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    /// How many shards have not done their part of the current window yet.
    outstanding: usize,
    /// Earliest events that shards sent to each other in the current window.
    announced: Vec<(usize, Moment)>,
    /// What the shard that has done several windows alone has to tell of all but the last.
    earlier: Vec<Report<P>>,
    last: Report<P>,
    /// The latest moment at which a message arrives that has been sent.
    in_flight: Moment,
    /// When snapshots are taken, if any are.
    schedule: Option<Schedule>,
}

impl<P: Protocol, W: Watcher<P> + 'static> Clock<P, W> {
    pub(super) fn new(
        shards: Arc<[Addr<Shard<P>>]>,
        host: &Host,
        audience: Audience<W>,
        schedule: Option<Schedule>,
    ) -> Self {
        Self {
            next: vec![Moment::default(); shards.len()],
            shards,
            lookahead: host.network.lookahead(),
            interrupted: Arc::clone(&host.interrupted),
            audience,
            outstanding: 0,
            announced: Vec::new(),
            earlier: Vec::new(),
            last: Report::default(),
            in_flight: Moment::default(),
            schedule,
        }
    }

    /// All shards have done their window: accounts for it, then has a snapshot taken or grants the next.
    fn turn(&mut self, context: &mut Context<Self>) {
        for (shard, moment) in self.announced.drain(..) {
            self.next[shard] = self.next[shard].min(moment);
        }
        let mut earlier = self.earlier.drain(..);
        let shown = earlier.try_for_each(|mut report| self.audience.show(&mut report));
        drop(earlier);
        if let Err(error) = shown.and_then(|()| self.audience.show(&mut self.last)) {
            return self.audience.end(Err(error));
        }
        let (interrupted, progress) = (self.interrupted.load(Ordering::Relaxed), self.audience.last_progress);
        let ends = self.schedule.as_mut().map_or(interrupted, |schedule| schedule.look(progress, interrupted));
        if ends {
            return self.audience.end(Err(RuntimeError::Interrupted));
        }
        let earliest = self.earliest();
        match &mut self.schedule {
            Some(schedule) if schedule.is_now(earliest, self.in_flight) => {
                schedule.begin();
                self.save(context);
            }
            _ => self.go_on(context),
        }
    }

    fn earliest(&self) -> Moment {
        self.next.iter().min().copied().unwrap_or(Moment::NEVER)
    }

    /// Asks the shards for what a snapshot is made of, has it kept if all can give it, and goes on.
    fn save(&self, context: &mut Context<Self>) {
        let shards = self.shards.iter().map(|shard| shard.clone().recipient()).collect();
        let parts = asked(shards, || Save::<P>(PhantomData));
        context.spawn(parts.into_actor(self).map(|parts, clock, context| match parts {
            Ok(parts) => clock.saved(parts.into_iter().collect(), context),
            Err(error) => clock.audience.end(Err(error)),
        }));
    }

    fn saved(&mut self, parts: Option<Vec<Part<P>>>, context: &mut Context<Self>) {
        let schedule = self.schedule.as_mut().expect("nobody asks for snapshots but by the schedule");
        let Some(parts) = parts else {
            schedule.failed(self.in_flight);
            return self.go_on(context);
        };
        let kept = self.audience.keep(Snapshot::bytes_of(parts, self.audience.last_progress));
        let ends = schedule.taken();
        match kept {
            Ok(()) if ends => self.audience.end(Err(RuntimeError::Interrupted)),
            Ok(()) => self.go_on(context),
            Err(error) => self.audience.end(Err(error)),
        }
    }

    /// Grants the next window, unless there is none, or none that leads anywhere.
    fn go_on(&mut self, context: &mut Context<Self>) {
        let earliest = Some(self.earliest()).filter(|earliest| *earliest != Moment::NEVER);
        match earliest {
            Some(earliest) if !self.audience.has_stalled(earliest.time) => {
                self.grant(earliest.window_end(self.lookahead));
            }
            _ => {
                let shards = self.shards.iter().map(|shard| shard.clone().recipient()).collect();
                let stalled_at = earliest.map(|earliest| earliest.time);
                context.spawn(who_waits(shards).into_actor(self).map(move |waiting, clock, _| {
                    clock.audience.give_up::<P>(waiting, stalled_at);
                }));
            }
        }
    }

    fn grant(&mut self, bound: Moment) {
        let is_due = |(_, next): &(usize, &Moment)| **next < bound;
        let due = || self.next.iter().enumerate().filter(is_due);
        self.outstanding = due().count();
        let alone_before = if self.outstanding == 1 {
            let others = self.next.iter().filter(|next| **next >= bound).min();
            self.audience.stalls_at().min(*others.unwrap_or(&Moment::NEVER))
        } else {
            bound
        };
        let to_quiet = self.schedule.as_ref().is_some_and(|schedule| schedule.is_due);
        due().for_each(|(shard, _)| self.shards[shard].do_send(Grant { bound, alone_before, to_quiet }));
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
        self.next[done.shard] = done.next;
        self.announced.extend(done.sent);
        self.earlier.extend(done.earlier);
        self.last.add(done.last);
        self.in_flight = self.in_flight.max(done.in_flight);
        self.outstanding -= 1;
        if self.outstanding == 0 {
            self.turn(context);
        }
    }
}
