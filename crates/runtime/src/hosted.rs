//! The actors of a shard: lets each handle its events, and turns what they ask for into new events.
//!
//! What time it is, and how events reach other shards, is the shard's business; hence this is the same in every time.

use super::{
    Failure, Traffic, Waiting,
    event::{Broadcast, Event, Moment, What},
    post::{Placement, Post},
};
use microgrid_actor::{
    Actor, ActorId, Context, Effect, Observed, Protocol, Stream, Time,
    streams::{BEHAVIOUR, NETWORK, stream},
};
use microgrid_network::{Downtime, Fate, Network};
use std::{hint::black_box, sync::Arc, time::Duration};

/// One of our actors with all that most events need of it: a cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Hosted<P: Protocol> {
    actor: Box<dyn Actor<P>>,
    network: Stream,
    sequence: u64,
    /// `None` if it never crashes.
    crashes: Option<Box<Crashes<P>>>,
}

/// What becomes of an actor that crashes.
#[derive(Debug)]
struct Crashes<P: Protocol> {
    downtime: Downtime,
    /// How often it has lost its memory.
    restarts: u32,
    /// Wake-ups that fell due while it is down.
    overdue: Vec<P::Wake>,
}

/// The actors of a shard, and what they have reported.
#[derive(Debug)]
pub(super) struct HostedActors<P: Protocol> {
    number: usize,
    placement: Placement,
    network: Arc<Network>,
    /// How long every message takes, if all take equally long and nothing befalls any.
    constant: Option<Duration>,
    hosted: Vec<Hosted<P>>,
    /// Each actor's stream for its behaviour.
    behaviour: Vec<Stream>,
    effects: Vec<Effect<P>>,
    observed: Vec<Observed<P::Observation>>,
    traffic: Traffic,
}

impl<P: Protocol> HostedActors<P> {
    /// More zero-delay hops than this within one instant lead nowhere.
    const MOST_WAVES: u32 = 1_000_000;

    /// The share of the actors that the shard with this number has, in order of their addresses.
    pub(super) fn new(
        seed: u64,
        number: usize,
        placement: Placement,
        network: Arc<Network>,
        actors: Vec<Box<dyn Actor<P>>>,
    ) -> Self {
        let ids = || (0..actors.len() as u32).map(|place| placement.actor(number, place));
        let behaviour = ids().map(|id| stream(seed, id, BEHAVIOUR)).collect();
        let crashes = |downtime| Box::new(Crashes { downtime, restarts: 0, overdue: Vec::new() });
        let host = |(id, actor)| Hosted {
            actor,
            network: stream(seed, id, NETWORK),
            sequence: 0,
            crashes: network.downtime(id).map(crashes),
        };
        let hosted = ids().zip(actors).map(host).collect();
        let constant = network.constant();
        let (effects, observed, traffic) = Default::default();
        Self { number, placement, network, constant, hosted, behaviour, effects, observed, traffic }
    }

    /// What happens to the actors of itself: the run begins, and some restart.
    pub(super) fn first_events(&self) -> Vec<Event<P>> {
        let mut events = Vec::with_capacity(self.hosted.len());
        for (place, hosted) in (0..).zip(&self.hosted) {
            let id = self.placement.actor(self.number, place);
            events.push(Event::start(id));
            events.extend(hosted.crashes.as_ref().and_then(|crashes| crashes.next_restart(id, Time::ZERO)));
        }
        events
    }

    /// Lets the actor at `place` handle an event at `now`, not before the event is due; what follows from it goes into
    /// the post.
    ///
    /// # Errors
    /// If the actor does what it must not.
    pub(super) fn handle(
        &mut self,
        place: u32,
        event: Event<P>,
        now: Moment,
        post: &mut Post<P>,
    ) -> Result<(), Failure> {
        let (moment, due) = (event.moment(), event.time);
        let Event { sender, to, what, .. } = event;
        if now.wave > Self::MOST_WAVES {
            return Err(Failure::Livelock { actor: to, time: now.time });
        }
        let place = place as usize;
        let crashes = self.hosted[place].crashes.as_deref_mut();
        match what {
            // Everybody begins at time zero, even whoever is down from there on.
            What::Start => self.act(place, to, moment, post, |actor, context| actor.start(context)),
            What::Message(_) if crashes.as_ref().is_some_and(|crashes| crashes.downtime.is_down(due)) => {
                self.traffic.lost += 1;
                Ok(())
            }
            What::Message(message) => {
                self.act(place, to, now, post, |actor, context| actor.receive(sender, message, context))
            }
            What::Broadcast(_) => unreachable!("each receiver takes its message from a broadcast"),
            What::Wake(wake, restarts) => match crashes {
                Some(crashes) if restarts != crashes.restarts => Ok(()),
                Some(crashes) if crashes.downtime.is_down(due) => {
                    crashes.wake_later(to, wake, due, post);
                    Ok(())
                }
                _ => self.act(place, to, now, post, |actor, context| actor.wake(wake, context)),
            },
            What::Resume => {
                let overdue = crashes.map(|crashes| std::mem::take(&mut crashes.overdue)).unwrap_or_default();
                let mut wakes = overdue.into_iter();
                wakes.try_for_each(|wake| self.act(place, to, now, post, |actor, context| actor.wake(wake, context)))
            }
            What::Restart => {
                if let Some(crashes) = crashes {
                    crashes.restarts += 1;
                    crashes.overdue.clear();
                    crashes.next_restart(to, due).into_iter().for_each(|event| post.push(event));
                }
                self.act(place, to, now, post, |actor, context| actor.restart(context))
            }
        }
    }

    /// Reads from the actors at these places, so that they are at hand when their turn comes: memory answers several
    /// questions at once as quickly as one.
    pub(super) fn look_at(&self, places: impl Iterator<Item = u32>) {
        black_box(places.fold(0, |sum: u64, place| sum.wrapping_add(self.hosted[place as usize].sequence)));
    }

    /// Calls an actor, and carries out what it asks for.
    fn act(
        &mut self,
        place: usize,
        id: ActorId,
        now: Moment,
        post: &mut Post<P>,
        call: impl FnOnce(&mut dyn Actor<P>, &mut Context<'_, P>),
    ) -> Result<(), Failure> {
        let hosted = &mut self.hosted[place];
        let behaviour = &mut self.behaviour[place];
        call(&mut *hosted.actor, &mut Context::new(now.time, id, behaviour, &mut self.effects));
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Observe(what) => self.observed.push(Observed { time: now.time, actor: id, what }),
                Effect::Wake(delay, wake) => {
                    let hosted = &mut self.hosted[place];
                    let restarts = hosted.crashes.as_ref().map_or(0, |crashes| crashes.restarts);
                    post.push(hosted.event(id, now, delay, id, What::Wake(wake, restarts)));
                }
                Effect::Send(to, message) => self.send(place, id, now, to, message, post)?,
                Effect::Broadcast(to, message) => self.broadcast(place, id, now, Broadcast { to, message }, post)?,
            }
        }
        self.effects = effects;
        Ok(())
    }

    /// Has the network carry a message.
    fn send(
        &mut self,
        place: usize,
        from: ActorId,
        now: Moment,
        to: ActorId,
        message: P::Message,
        post: &mut Post<P>,
    ) -> Result<(), Failure> {
        let hosted = &mut self.hosted[place];
        if to.0 as usize >= self.placement.actors {
            return Err(Failure::NoRecipient { from, to });
        }
        self.traffic.sent += 1;
        match self.network.carry(from, to, now.time, &mut hosted.network)? {
            Fate::Lost => self.traffic.lost += 1,
            Fate::Arrives(delay) => post.push(hosted.event(from, now, delay, to, What::Message(message))),
            Fate::Twice(first, copy) => {
                self.traffic.duplicated += 1;
                post.push(hosted.event(from, now, first, to, What::Message(message.clone())));
                post.push(hosted.event(from, now, copy, to, What::Message(message)));
            }
        }
        Ok(())
    }

    /// Has the network carry a message to many, as if it were sent to one after the other.
    fn broadcast(
        &mut self,
        place: usize,
        from: ActorId,
        now: Moment,
        broadcast: Broadcast<P>,
        post: &mut Post<P>,
    ) -> Result<(), Failure> {
        let Broadcast { to, message } = &broadcast;
        let (Some(delay), true) = (self.constant, post.is_worthwhile(to.len())) else {
            return to.iter().try_for_each(|&to| self.send(place, from, now, to, message.clone(), post));
        };
        if let Some(&nobody) = to.iter().find(|to| to.0 as usize >= self.placement.actors) {
            return Err(Failure::NoRecipient { from, to: nobody });
        }
        let hosted = &mut self.hosted[place];
        let first = hosted.event(from, now, delay, from, What::Start);
        post.broadcast(&first, &broadcast);
        hosted.sequence += to.len() as u64 - 1;
        self.network.pass_over(to.len(), &mut hosted.network);
        self.traffic.sent += to.len() as u64;
        Ok(())
    }

    /// Whether the actors have reported anything since the last time.
    pub(super) fn has_observed(&self) -> bool {
        !self.observed.is_empty()
    }

    /// Whether they have reported that all so far stands, which has to be on disk before anybody goes on.
    pub(super) fn has_checkpoint(&self) -> bool {
        self.observed.iter().any(|observed| P::is_checkpoint(&observed.what))
    }

    /// Takes what the actors have reported since the last time, and what became of their messages.
    pub(super) fn take_reports(&mut self) -> (Vec<Observed<P::Observation>>, Traffic) {
        (std::mem::take(&mut self.observed), std::mem::take(&mut self.traffic))
    }

    /// What the actor at this place calls itself, and where it has got to.
    pub(super) fn describe(&self, place: u32) -> (String, Option<String>) {
        let actor = &self.hosted[place as usize].actor;
        (actor.name(), actor.whereabouts())
    }

    /// Who waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let waiting = (0..).zip(&self.hosted).filter_map(|(place, Hosted { actor, .. })| {
            let who = self.placement.actor(self.number, place);
            Some(Waiting { who, name: actor.name(), what: actor.waiting_for()? })
        });
        waiting.collect()
    }
}

impl<P: Protocol> Hosted<P> {
    /// An event that this actor causes.
    fn event(&mut self, id: ActorId, now: Moment, delay: Duration, to: ActorId, what: What<P>) -> Event<P> {
        self.sequence += 1;
        let wave = if delay.is_zero() { now.wave + 1 } else { 0 };
        Event { time: now.time + delay, wave, sender: id, sequence: self.sequence, to, what }
    }
}

impl<P: Protocol> Crashes<P> {
    /// Has a wake-up of actor `id` that falls due at `due`, while it is down, wait until it is up.
    fn wake_later(&mut self, id: ActorId, wake: P::Wake, due: Time, post: &mut Post<P>) {
        if self.overdue.is_empty()
            && let Some(up) = self.downtime.up_again(due)
        {
            post.push(Event::end_of_crash(up, id, What::Resume));
        }
        self.overdue.push(wake);
    }

    /// The end of actor `id`'s next crash from `from` on that takes its memory.
    fn next_restart(&self, id: ActorId, from: Time) -> Option<Event<P>> {
        self.downtime.next_restart(from).map(|up| Event::end_of_crash(up, id, What::Restart))
    }
}
