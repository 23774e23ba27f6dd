//! Own rules of how messages travel.

use super::{Fate, Quality};
use microgrid_actor::{ActorId, Stream, Time};
use std::{fmt::Debug, time::Duration};

/// An own rule of how messages travel.
///
/// It decides over every message that no partition stops; crashes befall the actors as ever. It has no memory, for
/// messages have no common order: what happens over time has to follow from [`Letter::sent`].
pub trait Carrier: Debug + Send + Sync {
    /// What becomes of a message. All that is random has to come from `random`, which is the message's own: whatever is
    /// drawn from it, all other messages fare the same.
    ///
    /// A message that arrives sooner than [`Bounds::shortest`] ends the run with an error; none takes longer than a day.
    fn carry(&self, letter: &Letter, random: &mut Stream) -> Fate;

    /// Between what bounds it keeps, on whichever link and at whatever time.
    fn bounds(&self) -> Bounds;
}

/// A message as a carrier sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letter {
    /// Who sends it: the ledger, the grid or a prosumer.
    pub from: ActorId,
    /// Who is to receive it.
    pub to: ActorId,
    /// When it is sent.
    pub sent: Time,
    /// How well messages travel over this link at this time by the scenario. What becomes of one is told by
    /// [`Quality::fate`].
    pub usual: Quality,
}

/// Between what bounds a carrier keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// No message takes less. The shards may run ahead of each other by that much, so a large network is the faster to
    /// simulate the longer it is.
    pub shortest: Duration,
    /// Less than one message in a thousand takes longer. Participants repeat what is not answered within a few of these.
    pub almost_longest: Duration,
    /// The largest probability that a message is lost, in [0, 1). Where many are, more patience is needed before a run
    /// counts as stalled.
    pub loss: f64,
}

impl Bounds {
    /// Of a carrier that loses nothing and takes so long.
    pub fn delays(shortest: Duration, almost_longest: Duration) -> Self {
        Self { shortest, almost_longest, loss: 0.0 }
    }
}
