//! What the clock and the shards say to each other about windows of simulated time.

use super::{Failure, Traffic, Waiting, event::Moment};
use actix::Message;
use microgrid_agents::observation::Observed;

/// Clock → shard: handle everything before this moment.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Grant(pub(super) Moment);

/// Shard → clock: the granted window is done.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WindowDone {
    pub(super) shard: usize,
    /// The shard's earliest event.
    pub(super) next: Option<Moment>,
    /// The earliest event sent to each other shard.
    pub(super) sent: Vec<(usize, Moment)>,
    pub(super) observed: Vec<Observed>,
    pub(super) traffic: Traffic,
    pub(super) failure: Option<Failure>,
}

/// Clock → shard: who of yours waits for what?
#[derive(Message)]
#[rtype(result = "Vec<Waiting>")]
pub(super) struct WhoWaits;

/// Runtime → shard: the run is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;
