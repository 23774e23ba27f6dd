//! Collects what the shards report, shows it to the watcher every so often, and knows when the run is over.

use super::{
    super::{
        Failure, RuntimeError, Traffic, Watcher,
        audience::{Audience, who_waits},
    },
    clock::WallClock,
    shard::{FreeShard, Report},
};
use actix::prelude::*;
use microgrid_actor::{Observed, Protocol};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often the watcher is shown what has been observed since.
const PAUSE: Duration = Duration::from_millis(50);

/// The collector.
pub(super) struct Collector<P: Protocol, W> {
    shards: Arc<[Addr<FreeShard<P>>]>,
    clock: WallClock,
    last_milestone: u32,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    observed: Vec<Observed<P::Observation>>,
    traffic: Traffic,
    failure: Option<Failure>,
    /// Whether the last milestone has been reached.
    is_over: bool,
}

impl<P: Protocol, W: Watcher<P> + 'static> Collector<P, W> {
    pub(super) fn new(
        shards: Arc<[Addr<FreeShard<P>>]>,
        clock: WallClock,
        last_milestone: u32,
        interrupted: Arc<AtomicBool>,
        audience: Audience<W>,
    ) -> Self {
        Self {
            shards,
            clock,
            last_milestone,
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
                    Ok(waiting) => RuntimeError::Stalled { now, milestone: P::MILESTONE, since, waiting },
                }));
            }));
        }
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Actor for Collector<P, W> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(PAUSE, Self::look);
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Handler<Report<P>> for Collector<P, W> {
    type Result = ();

    fn handle(&mut self, report: Report<P>, context: &mut Self::Context) {
        let last = |observed: &Observed<P::Observation>| P::milestone(&observed.what) == Some(self.last_milestone);
        self.is_over |= report.observed.iter().any(last);
        self.observed.extend(report.observed);
        self.traffic += report.traffic;
        self.failure = self.failure.take().or(report.failure);
        if self.is_over || self.failure.is_some() {
            self.look(context);
        }
    }
}
