//! What the clock and the shards say to each other about windows of simulated time.

use super::{Failure, Traffic, Waiting, event::Moment};
use actix::Message;
use microgrid_actor::{Observed, Protocol};
use std::time::Duration;

/// Clock → shard: handle everything before this moment.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Grant {
    pub(super) bound: Moment,
    /// Nobody else has anything to do before this moment: up to it, the shard may go on window by window until it has
    /// something for others.
    pub(super) alone_before: Moment,
}

/// Where a window ends that begins with the event at `earliest`: nothing sent within it can arrive within it.
pub(super) fn bound(earliest: Moment, lookahead: Duration) -> Moment {
    if lookahead.is_zero() {
        Moment { time: earliest.time, wave: earliest.wave + 1 }
    } else {
        Moment { time: earliest.time + lookahead, wave: 0 }
    }
}

/// Shard → clock: what was granted is done.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WindowDone<P: Protocol> {
    pub(super) shard: usize,
    /// The shard's earliest event.
    pub(super) next: Option<Moment>,
    /// The earliest event sent to each other shard.
    pub(super) sent: Vec<(usize, Moment)>,
    /// What it has to tell of windows before the last one, that it has done alone.
    pub(super) earlier: Vec<Report<P>>,
    pub(super) last: Report<P>,
    pub(super) failure: Option<Failure>,
}

/// What a shard's actors have reported in a window, and what has become of their messages since the report before.
pub(super) struct Report<P: Protocol> {
    pub(super) observed: Vec<Observed<P::Observation>>,
    pub(super) traffic: Traffic,
}

/// Clock → shard: who of yours waits for what?
#[derive(Message)]
#[rtype(result = "Vec<Waiting>")]
pub(super) struct WhoWaits;

/// Runtime → shard: the run is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;
