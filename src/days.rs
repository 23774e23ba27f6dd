//! Days that nothing links, each a simulation of its own: played side by side, and taken in one after the other.
//!
//! Whoever has played a day, and finds that it is the next, shows it to the watcher, with those behind it that are there
//! already. So the watcher sees what it would see of one simulation, whoever plays which day, and nobody waits for it but
//! those who are too far ahead. What a day has come to is kept until then, window by window.

use crate::runtime::{Failure, RuntimeError, Traffic, WatchError, Watcher, caught};
use microgrid_agents::{
    actor::MarketProtocol,
    observation::Observed,
    saved::{Unreadable, from_bytes, to_bytes},
};
use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How a day ended.
type Outcome = Result<(), RuntimeError>;

/// The days of a case, and how they are played.
#[derive(Debug)]
pub(crate) struct Days<'a> {
    /// How many there are.
    pub(crate) count: usize,
    /// How many are played side by side.
    pub(crate) at_a_time: usize,
    /// Whether what is observed of a day is kept until its turn, or shown at once, for which days have to be played one
    /// after the other.
    pub(crate) are_kept: bool,
    /// Set from outside to end early.
    pub(crate) interrupted: &'a AtomicBool,
}

impl Days<'_> {
    /// Plays all days from the first on, or from the one at which the watcher [resumes](Watcher::resumes_from), each by
    /// `play`, which is given its place and its watcher, and gives that back. Gives the watcher back with the outcome, which
    /// is that of the first day that has not ended well.
    pub(crate) fn play<W: Watcher<MarketProtocol> + 'static>(
        self,
        mut watcher: W,
        play: impl Fn(usize, Witness<W>) -> (Witness<W>, Outcome) + Sync,
    ) -> (W, Outcome) {
        let first = match watcher.resumes_from().map(|bytes| self.behind(&bytes)).transpose() {
            Ok(day) => day.unwrap_or(0),
            Err(why) => return (watcher, Err(RuntimeError::Snapshot(why))),
        };
        let every = watcher.snapshots_every();
        let mut intake = Intake { days: &self, watcher, every, saved: now(), day: first, is_saved: true };
        let outcome = match self.are_kept {
            true => return self.side_by_side(intake, &play),
            false => loop {
                if intake.day == self.count {
                    break Ok(());
                }
                let (witness, outcome) = play(intake.day, Witness::Shows(intake.watcher));
                let Witness::Shows(watcher) = witness else { unreachable!("a day gives back what it was given") };
                intake.watcher = watcher;
                if let Err(error) = outcome.and_then(|()| intake.done()) {
                    break Err(error);
                }
            },
        };
        (intake.watcher, outcome)
    }

    /// The day at which a case goes on that was left between two.
    fn behind(&self, snapshot: &[u8]) -> Result<usize, Unreadable> {
        let day: u32 = from_bytes(snapshot)?;
        let day = day as usize;
        let fits = (1..self.count).contains(&day);
        fits.then_some(day)
            .ok_or_else(|| Unreadable(format!("it goes on at day {}, and there are {}", day + 1, self.count)))
    }

    fn side_by_side<W: Watcher<MarketProtocol> + 'static>(
        &self,
        intake: Intake<'_, W>,
        play: &(impl Fn(usize, Witness<W>) -> (Witness<W>, Outcome) + Sync),
    ) -> (W, Outcome) {
        let first = intake.day;
        let ended = Arc::new(AtomicBool::new(false));
        let state = State { next: first, head: first, played: BTreeMap::new(), intake: Some(intake), failure: None };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        let work = || {
            while let Some(day) = self.next(&state, &changed) {
                let witness = Witness::until(Arc::clone(&ended));
                let played = caught(|| play(day, witness));
                let played = played.unwrap_or_else(|why| {
                    let who = format!("day {}", day + 1);
                    (
                        Witness::until(Arc::default()),
                        Err(RuntimeError::Failed(Failure::Panicked { who, whereabouts: None, why })),
                    )
                });
                self.bring(&state, &changed, day, played);
                if lock(&state).failure.is_some() {
                    ended.store(true, Ordering::Relaxed);
                }
            }
        };
        match self.at_a_time {
            1 => work(),
            // This thread plays as well.
            threads => thread::scope(|scope| {
                (1..threads).for_each(|_| drop(scope.spawn(work)));
                work();
            }),
        }
        let State { intake, failure, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let intake = intake.expect("whoever takes days in gives back the intake");
        (intake.watcher, failure.map_or(Ok(()), Err))
    }

    /// So many days more than are played at a time may wait for their turn.
    const AHEAD: usize = 2;

    /// The day to be played next, once it is not too far ahead; `None` if there is none.
    fn next<W>(&self, state: &Mutex<State<'_, W>>, changed: &Condvar) -> Option<usize> {
        let is_ahead = |state: &mut State<'_, W>| {
            state.failure.is_none()
                && state.next < self.count
                && state.next >= state.head + self.at_a_time + Self::AHEAD
        };
        let mut state = changed.wait_while(lock(state), is_ahead).unwrap_or_else(PoisonError::into_inner);
        if state.failure.is_some() || state.next == self.count {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    /// Brings a day that was played; takes in what is there and comes next, unless somebody is at that.
    fn bring<W: Watcher<MarketProtocol> + 'static>(
        &self,
        state: &Mutex<State<'_, W>>,
        changed: &Condvar,
        day: usize,
        played: (Witness<W>, Outcome),
    ) {
        let mut at = lock(state);
        at.played.insert(day, played);
        let Some(mut intake) = at.intake.take() else { return };
        while at.failure.is_none()
            && let head = at.head
            && let Some((witness, outcome)) = at.played.remove(&head)
        {
            drop(at);
            let taken_in = intake.take_in(witness, outcome);
            at = lock(state);
            at.head += 1;
            at.failure = taken_in.err();
            changed.notify_all();
        }
        at.intake = Some(intake);
    }
}

/// What those who play share.
struct State<'a, W> {
    /// The day to be played next.
    next: usize,
    /// The day to be taken in next.
    head: usize,
    /// What was played and not taken in.
    played: BTreeMap<usize, (Witness<W>, Outcome)>,
    /// `None` while somebody takes days in.
    intake: Option<Intake<'a, W>>,
    /// Why no more days are played, if that is before the last.
    failure: Option<RuntimeError>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watcher, and how far it has come.
struct Intake<'a, W> {
    days: &'a Days<'a>,
    watcher: W,
    /// How long lies at least between two snapshots.
    every: Option<Duration>,
    /// When the last one was kept, or the first day begun.
    saved: Instant,
    /// The day to be taken in next.
    day: usize,
    /// Whether it is the one at which the last snapshot goes on.
    is_saved: bool,
}

impl<W: Watcher<MarketProtocol>> Intake<'_, W> {
    /// Shows the watcher what was observed of a day, also of one that has not ended well; but nothing of one that was ended
    /// from outside, so that what is there ends with a day.
    fn take_in(&mut self, witness: Witness<W>, outcome: Outcome) -> Outcome {
        if let Err(RuntimeError::Interrupted) = outcome {
            self.save()?;
            return outcome;
        }
        let Witness::Keeps { windows, observed, rest, .. } = witness else {
            unreachable!("days are kept where they are taken in")
        };
        let (mut observed, mut window) = (observed.into_iter(), Vec::new());
        for (count, traffic) in windows.into_iter().chain([(0, rest)]) {
            window.extend(observed.by_ref().take(count));
            self.tell(|watcher| watcher.window(&mut window, traffic))?;
            window.clear();
        }
        outcome?;
        self.done()
    }

    /// A day is in; has a snapshot kept if one is due.
    fn done(&mut self) -> Outcome {
        self.day += 1;
        self.is_saved = false;
        if self.day == self.days.count {
            return Ok(());
        }
        let interrupted = self.days.interrupted.load(Ordering::Relaxed);
        if interrupted || self.every.is_some_and(|every| self.saved.elapsed() >= every) {
            self.save()?;
        }
        if interrupted { Err(RuntimeError::Interrupted) } else { Ok(()) }
    }

    /// Has a snapshot kept that goes on at the next day; there is no simulation then, and nothing to be kept of one.
    fn save(&mut self) -> Outcome {
        if self.every.is_some() && !self.is_saved {
            let day = self.day as u32;
            self.tell(|watcher| watcher.keep(to_bytes(&day)))?;
            (self.saved, self.is_saved) = (now(), true);
        }
        Ok(())
    }

    fn tell(&mut self, what: impl FnOnce(&mut W) -> Result<(), WatchError>) -> Outcome {
        match caught(|| what(&mut self.watcher)) {
            Ok(told) => told.map_err(RuntimeError::Watcher),
            Err(why) => {
                let who = "the watcher".to_owned();
                Err(RuntimeError::Failed(Failure::Panicked { who, whereabouts: None, why }))
            }
        }
    }
}

/// Watches a day.
#[derive(Debug)]
pub(crate) enum Witness<W> {
    /// Keeps what it sees.
    Keeps {
        /// How many observations each window has, and what became of messages up to it.
        windows: Vec<(usize, Traffic)>,
        /// Those of all windows.
        observed: Vec<Observed>,
        /// What became of messages since the last window.
        rest: Traffic,
        /// Set when nobody has use for the day any more.
        ended: Arc<AtomicBool>,
    },
    /// Shows it at once.
    Shows(W),
}

impl<W> Witness<W> {
    /// One that has seen nothing, and keeps what it sees until nobody has use for it any more.
    fn until(ended: Arc<AtomicBool>) -> Self {
        let (windows, observed, rest) = Default::default();
        Self::Keeps { windows, observed, rest, ended }
    }
}

impl<W: Watcher<MarketProtocol>> Watcher<MarketProtocol> for Witness<W> {
    fn window(&mut self, seen: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let (windows, observed, rest) = match self {
            Self::Shows(watcher) => return watcher.window(seen, traffic),
            Self::Keeps { ended, .. } if ended.load(Ordering::Relaxed) => return Err("another day has failed".into()),
            Self::Keeps { windows, observed, rest, .. } => (windows, observed, rest),
        };
        *rest += traffic;
        if !seen.is_empty() {
            windows.push((seen.len(), mem::take(rest)));
            observed.append(seen);
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "snapshots are kept by the machine's time, and change no result")]
fn now() -> Instant {
    Instant::now()
}
