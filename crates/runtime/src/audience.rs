//! The watcher's side of a run: shows it what was observed, knows when a milestone was last reached, and gives the watcher
//! back at the end.

use super::{Ending, Failure, RuntimeError, Traffic, Waiting, Watcher, event::Moment, panics::caught};
use actix::prelude::*;
use microgrid_actor::{Observed, Protocol, Time};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::oneshot;

/// What actors have reported, what has become of their messages, and what went wrong, since the report before.
#[derive(Debug, Message, Serialize, Deserialize)]
#[serde(bound = "")]
#[rtype(result = "()")]
pub(super) struct Report<P: Protocol> {
    pub(super) observed: Vec<Observed<P::Observation>>,
    pub(super) traffic: Traffic,
    pub(super) failure: Option<Failure>,
}

impl<P: Protocol> Default for Report<P> {
    fn default() -> Self {
        Self { observed: Vec::new(), traffic: Traffic::default(), failure: None }
    }
}

impl<P: Protocol> Report<P> {
    /// When a milestone was last reached, if one was.
    pub(super) fn progress(&self) -> Option<Time> {
        let reached = self.observed.iter().filter(|observed| P::milestone(&observed.what).is_some());
        reached.map(|observed| observed.time).max()
    }

    pub(super) fn add(&mut self, more: Self) {
        self.observed.extend(more.observed);
        self.traffic += more.traffic;
        self.failure = self.failure.take().or(more.failure);
    }

    /// Whether it is to be shown before anybody goes on: it says that all so far stands, which has to be on disk then, or that
    /// a milestone has been reached, behind which a snapshot may be due.
    pub(super) fn is_urgent(&self) -> bool {
        let is_urgent = |what| P::is_checkpoint(what) || P::milestone(what).is_some();
        self.observed.iter().any(|observed| is_urgent(&observed.what))
    }
}

/// Audience → shard: who of yours waits for what?
#[derive(Message)]
#[rtype(result = "Vec<Waiting>")]
pub(super) struct WhoWaits;

/// The watcher of a run, until it has ended.
pub(super) struct Audience<W> {
    watcher: Option<(W, oneshot::Sender<Ending<W>>)>,
    /// How long a run may go on without a milestone.
    stall_after: Duration,
    pub(super) last_progress: Time,
}

impl<W> Audience<W> {
    /// The watcher of a run in which a milestone was last reached at `last_progress`.
    pub(super) fn new(
        watcher: W,
        stall_after: Duration,
        last_progress: Time,
        ending: oneshot::Sender<Ending<W>>,
    ) -> Self {
        Self { watcher: Some((watcher, ending)), stall_after, last_progress }
    }

    /// Shows what was observed, in the order (time, actor, sequence), and leaves nothing of it.
    pub(super) fn show<P: Protocol>(&mut self, report: &mut Report<P>) -> Result<(), RuntimeError>
    where
        W: Watcher<P>,
    {
        let Report { observed, traffic, failure } = report;
        if let Some(failure) = failure.take() {
            return Err(RuntimeError::Failed(failure));
        }
        observed.sort_by_key(|observed| (observed.time, observed.actor));
        if let Some(reached) = observed.iter().rev().find(|observed| P::milestone(&observed.what).is_some()) {
            self.last_progress = reached.time;
        }
        let Some((watcher, _)) = &mut self.watcher else { return Ok(()) };
        let watched = caught(|| watcher.window(observed, std::mem::take(traffic)));
        observed.clear();
        match watched {
            Ok(result) => result.map_err(RuntimeError::Watcher),
            Err(why) => Err(panicked("the watcher", why)),
        }
    }

    /// Has a snapshot kept.
    pub(super) fn keep<P: Protocol>(&mut self, snapshot: Vec<u8>) -> Result<(), RuntimeError>
    where
        W: Watcher<P>,
    {
        let Some((watcher, _)) = &mut self.watcher else { return Ok(()) };
        match caught(|| watcher.keep(snapshot)) {
            Ok(result) => result.map_err(RuntimeError::Watcher),
            Err(why) => Err(panicked("the watcher", why)),
        }
    }

    /// Whether no milestone has been reached for too long at `now`.
    pub(super) fn has_stalled(&self, now: Time) -> bool {
        now - self.last_progress > self.stall_after
    }

    /// Until when one has to be reached.
    pub(super) fn stalls_at(&self) -> Moment {
        Moment { time: self.last_progress + self.stall_after, wave: 0 }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.watcher.is_none()
    }

    /// Ends the run, unless it has ended.
    pub(super) fn end(&mut self, result: Result<(), RuntimeError>) {
        if let Some((watcher, ending)) = self.watcher.take() {
            // Nobody listens only if the run was abandoned, and then nobody needs the result.
            let _ = ending.send((watcher, result));
        }
    }

    /// Ends a run in which nothing more will happen, or nothing that leads anywhere, and of which the shards have told who
    /// waits: as stalled at this time or, without one, as a deadlock if anybody does.
    pub(super) fn give_up<P: Protocol>(
        &mut self,
        waiting: Result<Vec<Waiting>, RuntimeError>,
        stalled_at: Option<Time>,
    ) {
        let since = self.last_progress;
        self.end(waiting.and_then(|waiting| match stalled_at {
            None if waiting.is_empty() => Ok(()),
            None => Err(RuntimeError::Deadlock { since, waiting }),
            Some(now) => Err(RuntimeError::Stalled { now, milestone: P::MILESTONE, since, waiting }),
        }));
    }
}

/// What each of the shards answers.
pub(super) async fn asked<M: Message<Result: Send> + Send + 'static>(
    shards: Vec<Recipient<M>>,
    question: impl Fn() -> M,
) -> Result<Vec<M::Result>, RuntimeError> {
    let mut answers = Vec::with_capacity(shards.len());
    for shard in shards {
        answers.push(shard.send(question()).await.map_err(|gone| panicked("a shard", gone.to_string()))?);
    }
    Ok(answers)
}

/// Who waits for what in any of the shards.
pub(super) async fn who_waits(shards: Vec<Recipient<WhoWaits>>) -> Result<Vec<Waiting>, RuntimeError> {
    let mut waiting: Vec<Waiting> = asked(shards, || WhoWaits).await?.into_iter().flatten().collect();
    waiting.sort();
    Ok(waiting)
}

fn panicked(who: &str, why: String) -> RuntimeError {
    RuntimeError::Failed(Failure::Panicked { who: who.to_owned(), whereabouts: None, why })
}
