//! Several processes that run a simulation together.
//!
//! Each is a *rank*, and hosts one shard. They have no clock: after each window all meet, tell each other how far they are and
//! what they have for each other, and find the next window each by itself, from the same whole numbers. Rank 0 has the watcher.
//! It is sent what the others have observed, and says what follows from the machine: when a snapshot is taken, and when a run
//! ends before its time. It is asked only where that may be, so that most windows take one meeting.

use super::{
    Ending, Host, RuntimeError, Stretch, Waiting, Watcher,
    audience::{Audience, Report},
    event::Moment,
    hosted::HostedActors,
    post::{Batch, Placement},
    shard::{Grant, Shard, WindowDone},
    snapshot::{Part, Schedule, Snapshot},
    spin::Spin,
    worker::Worker,
};
use microgrid_actor::{
    Actor, ActorId, Protocol, Time,
    parcel::{Packer, Unpacker},
    saved::Unreadable,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// How a rank reaches the others.
pub trait Exchange: Send {
    /// Its number, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn ranks(&self) -> usize;

    /// Gives each of the others the bytes at its place, and takes in what each has given to this one, in place of what was there;
    /// a rank's own place means nothing. All ranks call it equally often.
    fn exchange(&mut self, outgoing: &mut [Vec<u8>], incoming: &mut [Vec<u8>]);

    /// Ends all ranks at once, with a message: one of them cannot go on, and the others would wait for it.
    fn abort(&mut self, why: &str) -> !;
}

/// The way to the other ranks for values.
pub struct Line<'a> {
    exchange: &'a mut dyn Exchange,
    packers: Vec<Packer>,
    unpackers: Vec<Unpacker>,
    /// Their memory is kept from one exchange to the next: of new memory each page has to be asked for.
    outgoing: Vec<Vec<u8>>,
    incoming: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line(rank {} of {})", self.rank(), self.ranks())
    }
}

impl<'a> Line<'a> {
    /// One on which nothing has been said.
    pub fn new(exchange: &'a mut dyn Exchange) -> Self {
        let ranks = exchange.ranks();
        let (packers, unpackers) = (0..ranks).map(|_| Default::default()).unzip();
        let [outgoing, incoming] = [(); 2].map(|()| vec![Vec::new(); ranks]);
        Self { exchange, packers, unpackers, outgoing, incoming }
    }

    fn rank(&self) -> usize {
        self.exchange.rank()
    }

    fn ranks(&self) -> usize {
        self.exchange.ranks()
    }

    /// Tells each of the others what there is for it; returns what they have told this one, in the order of the ranks.
    fn tell<T: Serialize, A: DeserializeOwned>(&mut self, mut what: impl FnMut(usize) -> T) -> Vec<A> {
        let me = self.rank();
        for (to, (packer, bytes)) in self.packers.iter_mut().zip(&mut self.outgoing).enumerate() {
            if to != me {
                *bytes = packer.pack(&what(to), mem::take(bytes));
            }
        }
        self.exchange.exchange(&mut self.outgoing, &mut self.incoming);
        let others = self.incoming.iter().zip(&mut self.unpackers).enumerate().filter(|(from, _)| *from != me);
        let opened: Result<Vec<A>, Unreadable> = others.map(|(_, (bytes, from))| from.unpack(bytes)).collect();
        opened.unwrap_or_else(|why| self.exchange.abort(&format!("what another rank has sent cannot be read: {why}")))
    }

    /// What all ranks have, in their order.
    pub fn all<T: Serialize + DeserializeOwned>(&mut self, mine: T) -> Vec<T> {
        let mut all = self.tell(|_| &mine);
        all.insert(self.rank(), mine);
        all
    }

    /// What rank 0 has.
    pub fn of_first<T: Serialize + DeserializeOwned>(&mut self, mine: T) -> T {
        let first = self.rank() == 0;
        let told: Vec<Option<T>> = self.tell(|_| first.then_some(&mine));
        told.into_iter().flatten().next().unwrap_or(mine)
    }

    /// At rank 0 what all ranks have, in their order; elsewhere what it has itself.
    fn gather<T: Serialize + DeserializeOwned>(&mut self, mine: T) -> Vec<T> {
        let others: Vec<Option<T>> = self.tell(|to| (to == 0).then_some(&mine));
        [mine].into_iter().chain(others.into_iter().flatten()).collect()
    }
}

impl Host {
    /// Whether an actor lives at this rank of so many.
    pub fn is_home(&self, rank: usize, ranks: usize, actor: ActorId) -> bool {
        let home = self.homes.as_ref().map_or(actor.0, |homes| homes[actor.0 as usize]);
        home as usize % ranks == rank
    }
}

/// Runs a part of a run of so many actors together with other ranks, of which each has those `actors` that are at
/// [home](Host::is_home) there, in the order of their addresses. What rank 0 returns is as of [`run`](super::run); the others'
/// watchers see nothing, and what these return says no more than that the run has ended.
pub fn run_among<P: Protocol, W: Watcher<P> + 'static>(
    mut actors: Vec<Box<dyn Actor<P>>>,
    count: usize,
    host: &Host,
    stretch: Stretch,
    exchange: &mut dyn Exchange,
    mut watcher: W,
) -> Ending<W> {
    let mut line = Line::new(exchange);
    let placement = Placement { number: line.rank(), ..host.placement(stretch, line.ranks(), count) };
    let here = (0..).map(|place| placement.actor(place));
    let left = line.of_first(watcher.resumes_from());
    let left = left.map(|bytes| Snapshot::restore(&bytes, count, here.zip(&mut actors))).transpose();
    let troubles = line.all(left.as_ref().err().map(|why| why.0.clone()));
    if let Some(why) = troubles.into_iter().flatten().next() {
        return (watcher, Err(RuntimeError::Snapshot(Unreadable(why))));
    }
    let left = left.ok().flatten();
    let last_progress = left.as_ref().map_or(stretch.begins, |left| left.last_progress);
    let schedule = watcher.snapshots_every().map(|every| Schedule::new(every, last_progress));
    let (ending, mut ended) = oneshot::channel();
    let actors = HostedActors::new(placement.clone(), Arc::new(host.network.clone()), actors, left.as_ref());
    drop(left);
    let lookahead = host.network.lookahead();
    let mut rank = Rank {
        shard: Shard::new(Worker::new(placement, actors), lookahead, Spin::among(1)),
        line,
        lookahead,
        interrupted: Arc::clone(&host.interrupted),
        audience: Audience::new(watcher, host.stall_after, last_progress, ending),
        schedule,
        is_due: false,
    };
    let mut next = Some(Grant::NONE);
    while let Some(grant) = next {
        next = rank.turn(grant);
    }
    ended.try_recv().expect("there is no next window only where the run has ended")
}

/// A rank of a run.
struct Rank<'a, P: Protocol, W> {
    shard: Shard<P>,
    line: Line<'a>,
    /// The network's shortest delay.
    lookahead: Duration,
    interrupted: Arc<AtomicBool>,
    audience: Audience<W>,
    /// When snapshots are taken, if any are: rank 0's.
    schedule: Option<Schedule>,
    /// Whether one is to be taken at the next quiet moment.
    is_due: bool,
}

/// How far a rank is, or all are.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stand {
    /// The earliest event at each rank, of which this one knows.
    next: Vec<Moment>,
    /// The latest moment at which a message arrives that has been sent.
    in_flight: Moment,
    /// When a milestone was last reached.
    progress: Time,
    /// Whether somebody has asked for the run to end.
    is_interrupted: bool,
    /// Whether it has failed.
    is_over: bool,
}

impl Stand {
    fn add(&mut self, other: &Self) {
        self.next.iter_mut().zip(&other.next).for_each(|(next, other)| *next = (*next).min(*other));
        self.in_flight = self.in_flight.max(other.in_flight);
        self.progress = self.progress.max(other.progress);
        self.is_interrupted |= other.is_interrupted;
        self.is_over |= other.is_over;
    }

    fn earliest(&self) -> Moment {
        self.next.iter().min().copied().unwrap_or(Moment::NEVER)
    }
}

/// What rank 0 has all do between two windows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Order {
    End,
    Save,
    /// Go on, up to the next quiet moment if a snapshot is due.
    GoOn {
        is_due: bool,
    },
}

impl<P: Protocol, W: Watcher<P> + 'static> Rank<'_, P, W> {
    /// Does what is granted, meets the others, and returns what is granted next; `None` if the run has ended.
    fn turn(&mut self, grant: Grant) -> Option<Grant> {
        let before = self.audience.last_progress;
        let stand = self.meet(grant);
        let is_quiet = stand.earliest() > stand.in_flight;
        let asks = stand.is_over || stand.is_interrupted || stand.progress != before || (self.is_due && is_quiet);
        if asks && !self.obey(&stand) {
            return None;
        }
        let earliest = Some(stand.earliest()).filter(|earliest| *earliest != Moment::NEVER);
        match earliest {
            Some(earliest) if !self.audience.has_stalled(earliest.time) => Some(self.grant(earliest, &stand)),
            _ => {
                let mut waiting: Vec<Waiting> = self.line.gather(self.shard.waiting()).into_iter().flatten().collect();
                waiting.sort();
                self.audience.give_up::<P>(Ok(waiting), earliest.map(|earliest| earliest.time));
                None
            }
        }
    }

    /// Does what is granted, passes on what follows from it, and takes in what the others have; at rank 0 all that was
    /// observed is shown.
    fn meet(&mut self, grant: Grant) -> Stand {
        let (mut batches, WindowDone { next, in_flight, sent, mut earlier, mut last, .. }) = self.shard.work(grant);
        let of_others: BTreeMap<usize, Moment> = sent.into_iter().collect();
        let next_at = |rank| if rank == self.line.rank() { Some(&next) } else { of_others.get(&rank) };
        let progress = earlier.iter().chain([&last]).filter_map(Report::progress).max();
        let mut stand = Stand {
            next: (0..self.line.ranks()).map(|rank| *next_at(rank).unwrap_or(&Moment::NEVER)).collect(),
            in_flight,
            progress: progress.unwrap_or(self.audience.last_progress),
            is_interrupted: self.interrupted.load(Ordering::Relaxed),
            is_over: self.audience.is_gone() || last.failure.is_some(),
        };
        type Told<P> = (Stand, Option<Batch<P>>, Option<(Vec<Report<P>>, Report<P>)>);
        let told: Vec<Told<P>> =
            self.line.tell(|to| (&stand, batches.remove(&to), (to == 0).then_some((&earlier, &last))));
        for (other, batch, reports) in told {
            stand.add(&other);
            batch.into_iter().for_each(|batch| self.shard.take_in(batch));
            if let Some((others_earlier, others_last)) = reports {
                earlier.extend(others_earlier);
                last.add(others_last);
            }
        }
        self.audience.last_progress = stand.progress;
        if self.line.rank() == 0
            && let Err(error) = earlier.iter_mut().chain([&mut last]).try_for_each(|report| self.audience.show(report))
        {
            self.audience.end(Err(error));
        }
        stand
    }

    /// Does what rank 0 says; returns whether the run goes on.
    fn obey(&mut self, stand: &Stand) -> bool {
        loop {
            let order = self.decide(stand);
            match self.line.of_first(order) {
                Order::GoOn { is_due } => {
                    self.is_due = is_due;
                    return true;
                }
                Order::Save => self.save(stand),
                Order::End => {
                    self.audience.end(Err(RuntimeError::Interrupted));
                    return false;
                }
            }
        }
    }

    /// What all do next, if this is rank 0.
    fn decide(&mut self, stand: &Stand) -> Order {
        if self.audience.is_gone() {
            return Order::End;
        }
        // Somebody may have asked for it since, on being shown what has happened.
        let is_interrupted = stand.is_interrupted || self.interrupted.load(Ordering::Relaxed);
        let Some(schedule) = &mut self.schedule else {
            return if is_interrupted { Order::End } else { Order::GoOn { is_due: false } };
        };
        if schedule.look(stand.progress, is_interrupted) {
            Order::End
        } else if schedule.is_now(stand.earliest(), stand.in_flight) {
            schedule.begin();
            Order::Save
        } else {
            Order::GoOn { is_due: schedule.is_due }
        }
    }

    /// Gathers the parts of a snapshot, which rank 0 has kept if there are all of them.
    fn save(&mut self, stand: &Stand) {
        let parts: Vec<Option<Part<P>>> = self.line.gather(self.shard.save());
        let Some(schedule) = &mut self.schedule else { return };
        let Some(parts) = parts.into_iter().collect() else { return schedule.failed(stand.in_flight) };
        let kept = self.audience.keep(Snapshot::bytes_of(parts, stand.progress));
        let ends = schedule.taken();
        if let Err(error) = kept {
            self.audience.end(Err(error));
        } else if ends {
            self.audience.end(Err(RuntimeError::Interrupted));
        }
    }

    /// This rank's part of the window that begins at the `earliest` event.
    fn grant(&self, earliest: Moment, stand: &Stand) -> Grant {
        let bound = earliest.window_end(self.lookahead);
        if stand.next[self.line.rank()] >= bound {
            return Grant::NONE;
        }
        let (mut due, mut others) = (0, self.audience.stalls_at());
        for next in &stand.next {
            if *next < bound { due += 1 } else { others = others.min(*next) }
        }
        Grant { bound, alone_before: if due == 1 { others } else { bound }, to_quiet: self.is_due }
    }
}
