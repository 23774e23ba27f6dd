//! Wall-clock time: the same actors, running free on several threads with real timers.
//!
//! Each shard holds the queue of what is due at its actors, and one timer for the earliest. Messages go from shard to
//! shard as they are sent, with the time at which the simulated network lets them arrive. Nobody grants time: who is
//! quick is early. So a run depends on the machine, and no two are the same.
//!
//! A shard hands what its actors have observed to the collector before it passes on the messages that follow from it. So
//! the watcher sees causes before effects, as in virtual time.

use super::{
    Ending, Host, RuntimeError, Stretch, Watcher,
    audience::{Audience, Report, WhoWaits, who_waits},
    event::Moment,
    join,
    post::Batch,
    threads,
    worker::Worker,
    workers,
};
use actix::prelude::*;
use microgrid_actor::{Actor as Agent, Observed, Protocol, Time};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How a run by the machine's clock goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Simulated seconds per second.
    pub speed: f64,
    /// The run is over when this milestone is reached.
    pub last_milestone: u32,
}

/// Runs `actors` by the machine's clock until the last milestone is reached; the position of an actor is its address. Gives the
/// watcher back with the outcome.
pub fn run<P: Protocol, W: Watcher<P> + 'static>(
    actors: Vec<Box<dyn Agent<P>>>,
    host: &Host,
    pace: Pace,
    watcher: W,
) -> Ending<W> {
    System::new().block_on(async {
        let arbiters = (0..threads(host.shards.count(actors.len()))).map(|_| Arbiter::new());
        let arbiters: Vec<Arbiter> = arbiters.collect();
        let shards =
            workers(actors, host, Stretch::default(), None).zip(arbiters.iter().cycle()).map(|(worker, arbiter)| {
                FreeShard::start_in_arbiter(&arbiter.handle(), |_| FreeShard { worker, links: None, timer: None })
            });
        let shards: Arc<[Addr<FreeShard<P>>]> = shards.collect();
        let (ending, ended) = oneshot::channel();
        let clock = WallClock::start(pace.speed);
        let collector = Collector {
            shards: Arc::clone(&shards),
            clock,
            last_milestone: pace.last_milestone,
            interrupted: Arc::clone(&host.interrupted),
            audience: Audience::new(watcher, host.stall_after, Time::ZERO, ending),
            report: Report::default(),
            is_over: false,
        }
        .start();
        for shard in shards.iter() {
            shard.do_send(Begin { shards: Arc::clone(&shards), collector: collector.clone().recipient(), clock });
        }
        let ending = ended.await.expect("the collector ends every run before it stops");
        join(arbiters);
        ending
    })
}

/// Tells simulated time: what has passed since the start, times the speed.
#[derive(Clone, Copy, Debug)]
struct WallClock {
    start: Instant,
    /// Simulated seconds per second.
    speed: f64,
}

impl WallClock {
    /// A clock that starts now, at time zero.
    #[expect(clippy::disallowed_methods, reason = "this is the wall clock")]
    fn start(speed: f64) -> Self {
        Self { start: Instant::now(), speed }
    }

    /// What time it is. Never goes back, on whichever thread it is asked.
    fn now(&self) -> Time {
        self.at(self.start.elapsed())
    }

    /// How long, by the machine's clock, until it is `moment`; zero if that has passed.
    fn until(&self, moment: Time) -> Duration {
        (moment - self.now()).div_f64(self.speed)
    }

    /// What time it is when so much has passed.
    fn at(&self, elapsed: Duration) -> Time {
        Time((elapsed.as_secs_f64() * self.speed * 1e9) as u64)
    }
}

/// Collects what the shards report, shows it to the watcher every so often, and knows when the run is over.
struct Collector<P: Protocol, W> {
    shards: Arc<[Addr<FreeShard<P>>]>,
    clock: WallClock,
    last_milestone: u32,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    report: Report<P>,
    /// Whether the last milestone has been reached.
    is_over: bool,
}

impl<P: Protocol, W: Watcher<P> + 'static> Collector<P, W> {
    /// How often the watcher is shown what has been observed since.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Shows the watcher what there is, and ends the run if it is over in one way or another.
    fn look(&mut self, context: &mut Context<Self>) {
        if self.audience.is_gone() {
            return;
        }
        let now = self.clock.now();
        if let Err(error) = self.audience.show(&mut self.report) {
            self.audience.end(Err(error));
        } else if self.is_over {
            self.audience.end(Ok(()));
        } else if self.interrupted.load(Ordering::Relaxed) {
            self.audience.end(Err(RuntimeError::Interrupted));
        } else if self.audience.has_stalled(now) {
            let shards = self.shards.iter().map(|shard| shard.clone().recipient()).collect();
            context.spawn(who_waits(shards).into_actor(self).map(move |waiting, collector, _| {
                collector.audience.give_up::<P>(waiting, Some(now));
            }));
        }
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Actor for Collector<P, W> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(Self::PAUSE, Self::look);
    }
}

impl<P: Protocol, W: Watcher<P> + 'static> Handler<Report<P>> for Collector<P, W> {
    type Result = ();

    fn handle(&mut self, report: Report<P>, context: &mut Self::Context) {
        let last = |observed: &Observed<P::Observation>| P::milestone(&observed.what) == Some(self.last_milestone);
        self.is_over |= report.observed.iter().any(last);
        self.report.add(report);
        if self.is_over || self.report.failure.is_some() {
            self.look(context);
        }
    }
}

/// A shard that runs free: an actix actor that handles what is due by the machine's clock.
struct FreeShard<P: Protocol> {
    worker: Worker<P>,
    /// `None` before the beginning, and after a failure.
    links: Option<Begin<P>>,
    /// The timer for the earliest event, and when that is.
    timer: Option<(Time, SpawnHandle)>,
}

/// Runtime → shard: the run begins; how to reach the others, and what time it is.
#[derive(Message, Clone)]
#[rtype(result = "()")]
struct Begin<P: Protocol> {
    shards: Arc<[Addr<FreeShard<P>>]>,
    collector: Recipient<Report<P>>,
    clock: WallClock,
}

impl<P: Protocol> FreeShard<P> {
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
        if outcome.is_err() {
            self.links = None;
        }
        let actors = &mut self.worker.actors;
        // Before anybody can hear of it.
        collector.do_send(Report { failure: outcome.err(), ..std::mem::take(&mut actors.report) });
        for (shard, batch) in std::mem::take(&mut actors.post.outgoing) {
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
        self.worker.actors.post.receive(batch);
        // Somebody quick may have sent something before this shard has heard that the run begins.
        if let Some(Begin { clock, .. }) = self.links {
            self.set_timer(clock, context);
        }
    }
}

impl<P: Protocol> Handler<WhoWaits> for FreeShard<P> {
    type Result = MessageResult<WhoWaits>;

    fn handle(&mut self, _: WhoWaits, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.worker.actors.waiting())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_runs_at_its_speed_and_never_back() {
        let clock = WallClock::start(60.0);
        assert_eq!(clock.at(Duration::from_millis(1500)), Time(90_000_000_000));
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        assert!(clock.until(last + Duration::from_secs(60)) <= Duration::from_secs(1));
        assert_eq!(clock.until(Time::ZERO), Duration::ZERO);
    }
}
