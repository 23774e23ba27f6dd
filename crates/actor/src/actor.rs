//! Actors, and all that they may ask of whoever hosts them.

use crate::{Stream, Time, saved::Unreadable};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fmt::{self, Debug},
    sync::Arc,
    time::Duration,
};

/// Address of an actor within one simulation: its position among all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActorId(pub u32);

impl Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor {}", self.0)
    }
}

/// What the actors of a simulation say to each other, to themselves, and to whoever watches.
pub trait Protocol: Copy + Debug + Send + Sync + Unpin + 'static {
    /// What they send each other.
    type Message: Clone + Debug + Send + Sync + Unpin + Serialize + DeserializeOwned + 'static;
    /// Why one wants to be woken. Wake-ups cannot be cancelled: an actor ignores those that no longer matter.
    type Wake: Copy + Debug + Send + Unpin + Serialize + DeserializeOwned + 'static;
    /// What they report about themselves. Nothing in a simulation reads it back, so watching changes nothing.
    type Observation: Debug + Send + Unpin + Serialize + DeserializeOwned + 'static;

    /// What a milestone is, as in "no slot has closed".
    const MILESTONE: &'static str;

    /// The number of the milestone, counted from 1, that has been reached where this is observed. A run that reaches none
    /// for long has stalled.
    fn milestone(observation: &Self::Observation) -> Option<u32>;

    /// Whether what is observed stands for all before it, so that it has to be on disk before anybody goes on.
    fn is_checkpoint(observation: &Self::Observation) -> bool;
}

/// An observation with its origin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observed<O> {
    /// When.
    pub time: Time,
    /// Who reports.
    pub actor: ActorId,
    /// What.
    pub what: O,
}

/// A state machine that lives on messages and wake-ups.
///
/// Each method may change only the actor itself, and act on the world only through its [`Context`]. The same calls in
/// the same order with the same random stream always give the same effects.
pub trait Actor<P: Protocol>: Debug + Send {
    /// Called once, when the run begins, before anything else.
    fn start(&mut self, context: &mut Context<'_, P>);

    /// A message has arrived.
    fn receive(&mut self, from: ActorId, message: P::Message, context: &mut Context<'_, P>);

    /// Something that was [announced](Context::announce) has arrived, at this time. Called before whatever it handles next,
    /// or sooner.
    fn take_in(&mut self, _from: ActorId, _message: &P::Message, _arrived: Time) {}

    /// Reads a little of what it needs when it handles something, so many steps from one place in memory to another away.
    /// What it returns means nothing. The host asks several that are to handle something soon, since memory answers several
    /// questions at once as quickly as one.
    fn look(&self, _depth: usize) -> usize {
        0
    }

    /// A wake-up asked for by [`Context::wake_after`] is due.
    fn wake(&mut self, wake: P::Wake, context: &mut Context<'_, P>);

    /// It starts again after a crash in which it has lost all that it knew, but not its devices.
    ///
    /// An actor that never loses its memory has nothing to do here: after a crash it goes on where it stopped.
    fn restart(&mut self, _context: &mut Context<'_, P>) {}

    /// What to call the actor where people read of it.
    fn name(&self) -> String;

    /// Where the actor has got to, in words such as "in slot 17", if that says anything. Asked when it has failed.
    fn whereabouts(&self) -> Option<String> {
        None
    }

    /// What the actor is waiting for, in words, or `None` if it has nothing left to do.
    ///
    /// Asked when a simulation has stalled, to tell its user who waits for what.
    fn waiting_for(&self) -> Option<String>;

    /// All that it needs to go on, given that no message is on its way from or to anybody; `None` if it is in the middle of
    /// something, or cannot be saved at all. Whatever it was made from need not be in it, nor what it asks of its host:
    /// streams, wake-ups and counters of messages are kept there.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }

    /// Takes the place of the actor that was saved, in a run of the same scenario; in place of being started.
    ///
    /// # Errors
    /// If that is not what such an actor saves.
    fn restore(&mut self, _saved: &[u8]) -> Result<(), Unreadable> {
        Err(Unreadable("such an actor cannot be restored".to_owned()))
    }
}

/// Something an actor wants done.
#[derive(Debug)]
pub enum Effect<P: Protocol> {
    /// Send a message.
    Send(ActorId, P::Message),
    /// Send the same message to each of these, one after the other.
    Broadcast(Arc<[ActorId]>, P::Message),
    /// Send the same message to each of these, none of whom does anything on it before it handles something else.
    Announce(Arc<[ActorId]>, P::Message),
    /// Call [`Actor::wake`] after this long. Zero means within the same instant, after what is under way.
    Wake(Duration, P::Wake),
    /// Report to whoever watches.
    Observe(P::Observation),
    /// End the run, which has gone wrong for this reason.
    Halt(String),
}

/// What the host hands to an actor for the length of one call.
#[derive(Debug)]
pub struct Context<'a, P: Protocol> {
    now: Time,
    me: ActorId,
    random: &'a mut Stream,
    effects: &'a mut Vec<Effect<P>>,
}

impl<'a, P: Protocol> Context<'a, P> {
    /// A context for actor `me` at time `now`; what it asks for is appended to `effects` in order.
    pub fn new(now: Time, me: ActorId, random: &'a mut Stream, effects: &'a mut Vec<Effect<P>>) -> Self {
        Self { now, me, random, effects }
    }

    /// The current time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The actor's own address.
    pub fn me(&self) -> ActorId {
        self.me
    }

    /// The actor's own random stream for its behaviour.
    pub fn random(&mut self) -> &mut Stream {
        self.random
    }

    /// Sends a message; the network decides when it arrives, and whether.
    pub fn send(&mut self, to: ActorId, message: P::Message) {
        self.effects.push(Effect::Send(to, message));
    }

    /// Sends the same message to each of `to`, as if one after the other.
    pub fn broadcast(&mut self, to: &Arc<[ActorId]>, message: P::Message) {
        self.effects.push(Effect::Broadcast(Arc::clone(to), message));
    }

    /// Sends each of `to`, none of whom is among them twice, what changes nothing but what it knows: on hearing of it alone
    /// nobody acts, asks for anything or draws a number. It may be handed over as a message, or later by [`Actor::take_in`]; which of both changes no result.
    pub fn announce(&mut self, to: &Arc<[ActorId]>, message: P::Message) {
        self.effects.push(Effect::Announce(Arc::clone(to), message));
    }

    /// Asks to be woken after `delay`.
    pub fn wake_after(&mut self, delay: Duration, wake: P::Wake) {
        self.effects.push(Effect::Wake(delay, wake));
    }

    /// Asks to be woken at `moment`, or at once if it has passed.
    pub fn wake_at(&mut self, moment: Time, wake: P::Wake) {
        self.wake_after(moment - self.now, wake);
    }

    /// Ends the run as failed: what the actor has found out must not be, and nothing that follows would be right.
    pub fn halt(&mut self, why: String) {
        self.effects.push(Effect::Halt(why));
    }

    /// Reports something about oneself. Never changes the run.
    pub fn observe(&mut self, what: P::Observation) {
        self.effects.push(Effect::Observe(what));
    }
}
