//! Collects what the shards report, shows it to the watcher every so often, and knows when the run is over.

use super::{
    super::{
        Failure, RuntimeError, Traffic, Watcher,
        audience::{Audience, who_waits},
    },
    clock::WallClock,
    shard::FreeShard,
};
use actix::prelude::*;
use microgrid_agents::{
    ids::Slot,
    observation::{Observation, Observed},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often the watcher is shown what has been observed since.
const PAUSE: Duration = Duration::from_millis(50);

/// Shard → collector: what has happened in one turn.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Report {
    pub(super) observed: Vec<Observed>,
    pub(super) traffic: Traffic,
    pub(super) failure: Option<Failure>,
}

/// The collector.
pub(super) struct Collector<W> {
    shards: Arc<[Addr<FreeShard>]>,
    clock: WallClock,
    last_slot: Slot,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    observed: Vec<Observed>,
    traffic: Traffic,
    failure: Option<Failure>,
    /// Whether the last slot has closed.
    is_over: bool,
}

impl<W: Watcher + 'static> Collector<W> {
    pub(super) fn new(
        shards: Arc<[Addr<FreeShard>]>,
        clock: WallClock,
        last_slot: Slot,
        interrupted: Arc<AtomicBool>,
        audience: Audience<W>,
    ) -> Self {
        Self {
            shards,
            clock,
            last_slot,
            interrupted,
            audience,
            observed: Vec::new(),
            traffic: Traffic::default(),
            failure: None,
            is_over: false,
        }
    }

    /// Shows the watcher what there is, and ends the run if it is over in one way or another.
    fn look(&mut self, context: &mut Context<Self>) {
        if self.audience.is_gone() {
            return;
        }
        if let Some(failure) = self.failure.take() {
            return self.audience.end(Err(RuntimeError::Failed(failure)));
        }
        if let Err(error) = self.audience.show(&mut self.observed, std::mem::take(&mut self.traffic)) {
            return self.audience.end(Err(error));
        }
        let now = self.clock.now();
        if self.is_over {
            self.audience.end(Ok(()));
        } else if self.interrupted.load(Ordering::Relaxed) {
            self.audience.end(Err(RuntimeError::Interrupted));
        } else if self.audience.has_stalled(now) {
            let (shards, since) = (Arc::clone(&self.shards), self.audience.last_progress());
            let ask = async move { who_waits(&shards).await };
            context.spawn(ask.into_actor(self).map(move |waiting, collector, _| {
                collector.audience.end(Err(match waiting {
                    Err(failure) => RuntimeError::Failed(failure),
                    Ok(waiting) => RuntimeError::Stalled { now, since, waiting },
                }));
            }));
        }
    }
}

impl<W: Watcher + 'static> Actor for Collector<W> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(PAUSE, Self::look);
    }
}

impl<W: Watcher + 'static> Handler<Report> for Collector<W> {
    type Result = ();

    fn handle(&mut self, report: Report, context: &mut Self::Context) {
        let last =
            |observed: &Observed| matches!(observed.what, Observation::SlotClosed(slot) if slot == self.last_slot);
        self.is_over |= report.observed.iter().any(last);
        self.observed.extend(report.observed);
        self.traffic += report.traffic;
        self.failure = self.failure.take().or(report.failure);
        if self.is_over || self.failure.is_some() {
            self.look(context);
        }
    }
}
