//! What an actor is, and all that it may ask of whoever hosts it.

use crate::{
    ids::{ActorId, ChannelName},
    message::Message,
    observation::Observation,
    streams::Stream,
    time::Time,
};
use std::{fmt::Debug, sync::Arc, time::Duration};

/// A state machine that lives on messages and wake-ups.
///
/// Each method may change only the actor itself, and act on the world only through its [`Context`]. The same calls in
/// the same order with the same random stream always give the same effects.
pub trait Actor: Debug + Send {
    /// Called once, at time zero, before anything else.
    fn start(&mut self, context: &mut Context<'_>);

    /// A message has arrived.
    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>);

    /// A wake-up asked for by [`Context::wake_after`] is due.
    fn wake(&mut self, wake: Wake, context: &mut Context<'_>);

    /// It starts again after a crash in which it has lost all that it knew, but not its devices.
    ///
    /// An actor that never loses its memory has nothing to do here: after a crash it goes on where it stopped.
    fn restart(&mut self, _context: &mut Context<'_>) {}

    /// What to call the actor where people read of it.
    fn name(&self) -> String;

    /// What the actor is waiting for, in words, or `None` if it has nothing left to do.
    ///
    /// Asked when a simulation has stalled, to tell its user who waits for what.
    fn waiting_for(&self) -> Option<String>;
}

/// Why an actor wanted to be woken. Wake-ups cannot be cancelled: an actor ignores those that no longer matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A new slot begins.
    SlotBegins(u32),
    /// Time to act in the market game of this slot.
    Act(u32),
    /// Time to ask again for what has not been acknowledged; the number tells which question it was.
    Retry(u64),
    /// The oldest transaction of a ledger channel has waited long enough; the number tells in which batch.
    CutBlock(ChannelName, u64),
    /// The oldest post that does not become a transaction has waited long enough; the number tells in which batch.
    TakePosts(u64),
    /// What this instant's blocks have changed in the game of this slot is complete: time to show it.
    Publish(u32),
    /// Registration for this slot ends, even if somebody is missing.
    RegistrationCloses(u32),
    /// The market of this slot closes, whether it has settled down or not.
    GateCloses(u32),
    /// Bills of this slot that were not endorsed by now are void.
    BillsExpire(u32),
}

/// Something an actor wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a message.
    Send(ActorId, Message),
    /// Send the same message to each of these, one after the other.
    Broadcast(Arc<[ActorId]>, Message),
    /// Call [`Actor::wake`] after this long. Zero means within the same instant, after what is under way.
    Wake(Duration, Wake),
    /// Report to whoever watches.
    Observe(Observation),
}

/// What the host hands to an actor for the length of one call.
#[derive(Debug)]
pub struct Context<'a> {
    now: Time,
    me: ActorId,
    random: &'a mut Stream,
    effects: &'a mut Vec<Effect>,
}

impl<'a> Context<'a> {
    /// A context for actor `me` at time `now`; what it asks for is appended to `effects` in order.
    pub fn new(now: Time, me: ActorId, random: &'a mut Stream, effects: &'a mut Vec<Effect>) -> Self {
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
    pub fn send(&mut self, to: ActorId, message: Message) {
        self.effects.push(Effect::Send(to, message));
    }

    /// Sends the same message to each of `to`, as if one after the other.
    pub fn broadcast(&mut self, to: &Arc<[ActorId]>, message: Message) {
        self.effects.push(Effect::Broadcast(Arc::clone(to), message));
    }

    /// Asks to be woken after `delay`.
    pub fn wake_after(&mut self, delay: Duration, wake: Wake) {
        self.effects.push(Effect::Wake(delay, wake));
    }

    /// Asks to be woken at `moment`, or at once if it has passed.
    pub fn wake_at(&mut self, moment: Time, wake: Wake) {
        self.wake_after(moment - self.now, wake);
    }

    /// Reports something about oneself. Never changes the run.
    pub fn observe(&mut self, what: Observation) {
        self.effects.push(Effect::Observe(what));
    }
}
