//! The watcher's side of a run: shows it what was observed, knows when a slot last closed, and gives it back at the end.

use super::{
    Ending, Failure, RuntimeError, Traffic, Waiting, Watcher, event::Moment, panics::caught, window::WhoWaits,
};
use actix::{dev::ToEnvelope, prelude::*};
use microgrid_actor::{Observed, Protocol, Time};
use std::time::Duration;
use tokio::sync::oneshot;

/// The watcher of a run, until it has ended.
pub(super) struct Audience<W> {
    watcher: Option<W>,
    ending: Option<oneshot::Sender<Ending<W>>>,
    /// How long a run may go on without a slot closing.
    stall_after: Duration,
    last_progress: Time,
}

impl<W> Audience<W> {
    pub(super) fn new(watcher: W, stall_after: Duration, ending: oneshot::Sender<Ending<W>>) -> Self {
        Self { watcher: Some(watcher), ending: Some(ending), stall_after, last_progress: Time::ZERO }
    }

    /// Shows what was observed, in the order (time, actor, sequence), and leaves nothing of it.
    ///
    /// # Errors
    /// If the watcher cannot take it, or panics.
    pub(super) fn show<P: Protocol>(
        &mut self,
        observed: &mut Vec<Observed<P::Observation>>,
        traffic: Traffic,
    ) -> Result<(), RuntimeError>
    where
        W: Watcher<P>,
    {
        observed.sort_by_key(|observed| (observed.time, observed.actor));
        let reached = observed.iter().rev().find(|observed| P::milestone(&observed.what).is_some());
        if let Some(reached) = reached {
            self.last_progress = reached.time;
        }
        let Some(watcher) = &mut self.watcher else { return Ok(()) };
        let watched = caught(|| watcher.window(observed, traffic));
        observed.clear();
        match watched {
            Ok(result) => result.map_err(RuntimeError::Watcher),
            Err(why) => Err(RuntimeError::Failed(panicked("the watcher", why))),
        }
    }

    /// When a slot last closed.
    pub(super) fn last_progress(&self) -> Time {
        self.last_progress
    }

    /// Whether no slot has closed for too long at `now`.
    pub(super) fn has_stalled(&self, now: Time) -> bool {
        now - self.last_progress > self.stall_after
    }

    /// Until when a slot has to close.
    pub(super) fn stalls_at(&self) -> Moment {
        Moment { time: self.last_progress + self.stall_after, wave: 0 }
    }

    /// Whether the run has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.watcher.is_none()
    }

    /// Ends the run, unless it has ended.
    pub(super) fn end(&mut self, result: Result<(), RuntimeError>) {
        if let (Some(ending), Some(watcher)) = (self.ending.take(), self.watcher.take()) {
            // Nobody listens only if the run was abandoned, and then nobody needs the result.
            let _ = ending.send((watcher, result));
        }
    }
}

fn panicked(who: &str, why: String) -> Failure {
    Failure::Panicked { who: who.to_owned(), whereabouts: None, why }
}

/// Who waits for what in any of the shards.
///
/// # Errors
/// If a shard is gone.
pub(super) async fn who_waits<S>(shards: &[Addr<S>]) -> Result<Vec<Waiting>, Failure>
where
    S: Handler<WhoWaits>,
    S::Context: ToEnvelope<S, WhoWaits>,
{
    let mut waiting = Vec::new();
    for shard in shards {
        let of_shard = shard.send(WhoWaits).await;
        waiting.extend(of_shard.map_err(|lost| panicked("a shard", lost.to_string()))?);
    }
    waiting.sort();
    Ok(waiting)
}
