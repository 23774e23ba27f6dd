//! The actors of a shard: lets each handle its events, and turns what they ask for into new events.
//!
//! What time it is, and how events reach other shards, is the shard's business; hence this is the same in every time.

use super::{
    Failure, Stretch, Waiting,
    audience::Report,
    bulletins::Bulletins,
    event::{Broadcast, Event, Moment, What},
    post::{Placement, Post},
    snapshot::{Part, SavedActor, SavedEvent, Snapshot},
};
use microgrid_actor::{
    Actor, ActorId, Context, Effect, Observed, Protocol, Stream, Time,
    streams::{BEHAVIOUR, NETWORK, stream_of_period},
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

/// The actors of a shard, what they have caused, and what they have reported.
#[derive(Debug)]
pub(super) struct HostedActors<P: Protocol> {
    placement: Placement,
    network: Arc<Network>,
    /// How long every message takes, if all take equally long and nothing befalls any.
    constant: Option<Duration>,
    hosted: Vec<Hosted<P>>,
    /// Each actor's stream for its behaviour.
    behaviour: Vec<Stream>,
    effects: Vec<Effect<P>>,
    pub(super) bulletins: Bulletins<P>,
    pub(super) post: Post<P>,
    pub(super) report: Report<P>,
}

/// An actor's turn: its position, its address and what time it is for it.
#[derive(Clone, Copy)]
struct Turn {
    place: usize,
    id: ActorId,
    now: Moment,
}

impl<P: Protocol> HostedActors<P> {
    /// So many actors do not fit into the nearer caches.
    const MORE_THAN_FIT: usize = 500;

    /// So many steps from one place in memory to another most of what an actor needs is away.
    const DEPTHS: usize = 4;

    /// More zero-delay hops than this within one instant lead nowhere.
    const MOST_WAVES: u32 = 1_000_000;

    /// A shard's share of the actors, in order of their addresses: as they are to start or, if they have taken up a snapshot,
    /// with all else that it holds of them.
    pub(super) fn new(
        placement: Placement,
        network: Arc<Network>,
        actors: Vec<Box<dyn Actor<P>>>,
        left: Option<&Snapshot<P>>,
    ) -> Self {
        let actors_here = actors.len();
        let ids = || (0..actors_here as u32).map(|place| placement.actor(place));
        let Stretch { begins, number } = placement.stretch;
        let stream = |id, purpose| stream_of_period(placement.seed, id, purpose, number);
        let behaviour = ids().map(|id| stream(id, BEHAVIOUR)).collect();
        let mut post = Post::new(placement.clone(), network.lookahead());
        let crashes = |downtime| Box::new(Crashes { downtime, restarts: 0, overdue: Vec::new() });
        let host = |(id, actor)| {
            let crashes = network.downtime(id).map(crashes);
            let start = Event { time: begins, wave: 0, sender: id, sequence: 0, to: id, what: What::Start };
            let restart = crashes.as_ref().and_then(|crashes| crashes.next_restart(id, begins));
            [Some(start), restart].into_iter().flatten().for_each(|event| post.queue.push(event));
            Hosted { actor, network: stream(id, NETWORK), sequence: 0, crashes }
        };
        let hosted = ids().zip(actors).map(host).collect();
        let (constant, effects, report) = (network.constant(), Vec::new(), Report::default());
        let bulletins = Bulletins::new(placement.clone(), actors_here);
        let mut made = Self { placement, network, constant, hosted, behaviour, effects, bulletins, post, report };
        left.into_iter().for_each(|left| made.take_up(left));
        made
    }

    /// Puts what a snapshot holds of these actors in the place of what they begin with.
    fn take_up(&mut self, left: &Snapshot<P>) {
        let placement = &self.placement;
        self.post = Post::new(placement.clone(), self.network.lookahead());
        for (place, hosted) in (0..).zip(&mut self.hosted) {
            let saved = &left.actors[placement.actor(place).0 as usize];
            self.behaviour[place as usize] = saved.behaviour.clone();
            (hosted.network, hosted.sequence) = (saved.network.clone(), saved.sequence);
            if let Some(crashes) = &mut hosted.crashes {
                (crashes.restarts, crashes.overdue) = (saved.restarts, saved.overdue.clone());
            }
        }
        let events = left.events.iter().map(|saved| saved.event());
        events.filter(|event| placement.shard(event.to) == placement.number).for_each(|event| self.post.push(event));
    }

    /// What a snapshot is to hold of these actors, at a quiet moment between two windows; `None` if one of them cannot be saved.
    pub(super) fn save(&mut self) -> Option<Part<P>> {
        self.hand_over_all();
        let save = |((place, hosted), behaviour): ((u32, &Hosted<P>), &Stream)| {
            let crashes = hosted.crashes.as_deref();
            let saved = SavedActor {
                own: hosted.actor.save()?,
                behaviour: behaviour.clone(),
                network: hosted.network.clone(),
                sequence: hosted.sequence,
                restarts: crashes.map_or(0, |crashes| crashes.restarts),
                overdue: crashes.map_or_else(Vec::new, |crashes| crashes.overdue.clone()),
            };
            Some((self.placement.actor(place), saved))
        };
        let actors = (0..).zip(&self.hosted).zip(&self.behaviour).map(save).collect::<Option<_>>()?;
        let events = self.post.queue.iter().map(SavedEvent::of).collect::<Option<_>>()?;
        Some(Part { actors, events })
    }

    /// Lets the actor at `place` handle an event at `now`, not before the event is due; what follows from it goes into
    /// the post.
    pub(super) fn handle(&mut self, place: u32, event: Event<P>, now: Moment) -> Result<(), Failure> {
        let (moment, due) = (event.moment(), event.time);
        if self.bulletins.has_news(place) {
            let actor = &mut self.hosted[place as usize].actor;
            self.bulletins.hand_over_before(&event, place, &mut **actor);
        }
        let Event { sender, to, what, .. } = event;
        if now.wave > Self::MOST_WAVES {
            return Err(Failure::Livelock { actor: to, time: now.time });
        }
        let turn = Turn { place: place as usize, id: to, now };
        let crashes = self.hosted[turn.place].crashes.as_deref_mut();
        match what {
            // Everybody begins as the run does, even whoever is down from there on.
            What::Start => self.act(Turn { now: moment, ..turn }, |actor, context| actor.start(context)),
            What::Message(_) if crashes.as_ref().is_some_and(|crashes| crashes.downtime.is_down(due)) => {
                self.report.traffic.lost += 1;
                Ok(())
            }
            What::Message(message) => self.act(turn, |actor, context| actor.receive(sender, message, context)),
            What::Broadcast(_) => unreachable!("each receiver takes its message from a broadcast"),
            What::Wake(wake, restarts) => match crashes {
                Some(crashes) if restarts != crashes.restarts => Ok(()),
                Some(crashes) if crashes.downtime.is_down(due) => {
                    crashes.wake_later(to, wake, due, &mut self.post);
                    Ok(())
                }
                _ => self.act(turn, |actor, context| actor.wake(wake, context)),
            },
            What::Resume => {
                let overdue = crashes.map(|crashes| std::mem::take(&mut crashes.overdue)).unwrap_or_default();
                overdue.into_iter().try_for_each(|wake| self.act(turn, |actor, context| actor.wake(wake, context)))
            }
            What::Restart => {
                if let Some(crashes) = crashes {
                    crashes.restarts += 1;
                    crashes.overdue.clear();
                    crashes.next_restart(to, due).into_iter().for_each(|event| self.post.push(event));
                }
                self.act(turn, |actor, context| actor.restart(context))
            }
        }
    }

    /// Keeps what was announced, and arrives in this window, for those here whom it is for.
    pub(super) fn put_up(&mut self, announced: Vec<Event<P>>) {
        if self.bulletins.are_too_many_with(announced.len()) {
            self.hand_over_all();
        }
        self.bulletins.put_up(announced);
    }

    /// Hands over whatever is kept to those for whom it is.
    fn hand_over_all(&mut self) {
        for (place, hosted) in (0..).zip(&mut self.hosted) {
            self.bulletins.hand_over_all(place, &mut *hosted.actor);
        }
    }

    /// Reads from the actors at these places, so that they are at hand when their turn comes: memory answers several
    /// questions at once as quickly as one.
    pub(super) fn look_at(&self, places: impl Iterator<Item = u32> + Clone) {
        let hosted = || places.clone().map(|place| &self.hosted[place as usize]);
        black_box(hosted().fold(0, |sum: u64, hosted| sum.wrapping_add(hosted.sequence)));
        if self.hosted.len() >= Self::MORE_THAN_FIT {
            for depth in 0..Self::DEPTHS {
                black_box(hosted().fold(0, |sum: usize, hosted| sum.wrapping_add(hosted.actor.look(depth))));
            }
        }
    }

    /// Calls an actor, and carries out what it asks for.
    fn act(&mut self, turn: Turn, call: impl FnOnce(&mut dyn Actor<P>, &mut Context<'_, P>)) -> Result<(), Failure> {
        let Turn { place, id, now } = turn;
        let (hosted, behaviour) = (&mut self.hosted[place], &mut self.behaviour[place]);
        call(&mut *hosted.actor, &mut Context::new(now.time, id, behaviour, &mut self.effects));
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Observe(what) => self.report.observed.push(Observed { time: now.time, actor: id, what }),
                Effect::Wake(delay, wake) => {
                    let hosted = &mut self.hosted[place];
                    let restarts = hosted.crashes.as_ref().map_or(0, |crashes| crashes.restarts);
                    self.post.push(hosted.event(turn, delay, id, What::Wake(wake, restarts)));
                }
                Effect::Halt(why) => {
                    let who = self.hosted[place].actor.name();
                    return Err(Failure::Halted { who, time: now.time, why });
                }
                Effect::Send(to, message) => self.send(turn, to, message)?,
                Effect::Broadcast(to, message) => {
                    self.broadcast(turn, &Broadcast { to, message, is_announced: false })?;
                }
                Effect::Announce(to, message) => {
                    // Of what reaches somebody who is down, it is told when it would have arrived.
                    let is_announced = self.network.crashes.is_empty();
                    self.broadcast(turn, &Broadcast { to, message, is_announced })?;
                }
            }
        }
        self.effects = effects;
        Ok(())
    }

    /// Has the network carry a message.
    fn send(&mut self, turn: Turn, to: ActorId, message: P::Message) -> Result<(), Failure> {
        let hosted = &mut self.hosted[turn.place];
        if to.0 as usize >= self.placement.actors {
            return Err(Failure::NoRecipient { from: turn.id, to });
        }
        self.report.traffic.sent += 1;
        match self.network.carry(turn.id, to, turn.now.time, &mut hosted.network)? {
            Fate::Lost => self.report.traffic.lost += 1,
            Fate::Arrives(delay) => self.post.send(hosted.event(turn, delay, to, What::Message(message))),
            Fate::Twice(first, copy) => {
                self.report.traffic.duplicated += 1;
                self.post.send(hosted.event(turn, first, to, What::Message(message.clone())));
                self.post.send(hosted.event(turn, copy, to, What::Message(message)));
            }
        }
        Ok(())
    }

    /// Has the network carry a message to many, as if it were sent to one after the other.
    fn broadcast(&mut self, turn: Turn, broadcast: &Broadcast<P>) -> Result<(), Failure> {
        let Broadcast { to, message, .. } = broadcast;
        let (Some(delay), true) = (self.constant, self.post.is_worthwhile(to.len())) else {
            return to.iter().try_for_each(|&to| self.send(turn, to, message.clone()));
        };
        if let Some(&nobody) = to.iter().find(|to| to.0 as usize >= self.placement.actors) {
            return Err(Failure::NoRecipient { from: turn.id, to: nobody });
        }
        let hosted = &mut self.hosted[turn.place];
        let first = hosted.event(turn, delay, turn.id, What::Start);
        self.post.broadcast(&first, broadcast);
        hosted.sequence += to.len() as u64 - 1;
        self.network.pass_over(to.len(), &mut hosted.network);
        self.report.traffic.sent += to.len() as u64;
        Ok(())
    }

    /// What the actor at this place calls itself, and where it has got to.
    pub(super) fn describe(&self, place: u32) -> (String, Option<String>) {
        let actor = &self.hosted[place as usize].actor;
        (actor.name(), actor.whereabouts())
    }

    /// Who waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let waiting = (0..).zip(&self.hosted).filter_map(|(place, Hosted { actor, .. })| {
            let who = self.placement.actor(place);
            Some(Waiting { who, name: actor.name(), what: actor.waiting_for()? })
        });
        waiting.collect()
    }
}

impl<P: Protocol> Hosted<P> {
    /// An event that this actor causes in its turn.
    fn event(&mut self, Turn { id, now, .. }: Turn, delay: Duration, to: ActorId, what: What<P>) -> Event<P> {
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
