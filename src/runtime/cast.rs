//! The actors of a shard: lets each handle its events, and turns what they ask for into new events.
//!
//! What time it is, and how events reach other shards, is the shard's business; hence this is the same in every time.

use super::{
    Failure, Traffic, Waiting,
    event::{Event, Key, Moment, What},
    network::{Downtime, Fate, Network},
};
use microgrid_agents::{
    actor::{Actor, Context, Effect, Wake},
    ids::ActorId,
    message::Message,
    observation::Observed,
    streams::{Purpose, Stream, stream},
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// Which shard hosts which actor: dealt out in turn. The first actor, which in a market is the ledger and talks to
/// everybody, so shares a thread with the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    pub(super) actors: usize,
    pub(super) shards: usize,
}

impl Deal {
    pub(super) fn shard(self, actor: ActorId) -> usize {
        actor.0 as usize % self.shards
    }

    fn place(self, actor: ActorId) -> usize {
        actor.0 as usize / self.shards
    }
}

/// One of our actors with all that belongs to it alone.
#[derive(Debug)]
struct Hosted {
    id: ActorId,
    actor: Box<dyn Actor>,
    behaviour: Stream,
    network: Stream,
    sequence: u64,
    downtime: Downtime,
    /// How often it has lost its memory.
    restarts: u32,
    /// Wake-ups that fell due while it is down.
    overdue: Vec<Wake>,
}

/// The actors of a shard, and what they have reported.
#[derive(Debug)]
pub(super) struct Cast {
    seed: u64,
    deal: Deal,
    network: Arc<Network>,
    hosted: Vec<Hosted>,
    effects: Vec<Effect>,
    observed: Vec<Observed>,
    traffic: Traffic,
}

impl Cast {
    /// More zero-delay hops than this within one instant lead nowhere.
    const MOST_WAVES: u32 = 1_000_000;

    /// A shard's share of the actors, given in order of their addresses.
    pub(super) fn new(seed: u64, deal: Deal, network: Arc<Network>, actors: Vec<(ActorId, Box<dyn Actor>)>) -> Self {
        let host = |(id, actor): (ActorId, Box<dyn Actor>)| Hosted {
            id,
            actor,
            behaviour: stream(seed, id, Purpose::Behaviour),
            network: stream(seed, id, Purpose::Network),
            sequence: 0,
            downtime: network.downtime(id),
            restarts: 0,
            overdue: Vec::new(),
        };
        let hosted = actors.into_iter().map(host).collect();
        Self { seed, deal, network, hosted, effects: Vec::new(), observed: Vec::new(), traffic: Traffic::default() }
    }

    /// What happens to the actors of itself: the run begins, and some restart.
    pub(super) fn first_events(&self) -> Vec<Event> {
        let mut events = Vec::with_capacity(self.hosted.len());
        for hosted in &self.hosted {
            let key = Key::new(self.seed, Moment::default(), hosted.id, 0);
            events.push(Event { key, to: hosted.id, what: What::Start });
            events.extend(hosted.next_restart(Time::ZERO));
        }
        events
    }

    /// Lets an actor handle an event at `now`, not before the event is due; what follows from it is added to `next`.
    ///
    /// # Errors
    /// If the actor does what it must not.
    pub(super) fn handle(&mut self, event: Event, now: Moment, next: &mut Vec<Event>) -> Result<(), Failure> {
        let Event { key, to, what } = event;
        if now.wave > Self::MOST_WAVES {
            return Err(Failure::Livelock { actor: to, time: now.time });
        }
        let due = key.moment.time;
        let place = self.deal.place(to);
        let hosted = &mut self.hosted[place];
        match what {
            // Everybody begins at time zero, even whoever is down from there on.
            What::Start => self.act(place, key.moment, next, |actor, context| actor.start(context)),
            What::Message(_) if hosted.downtime.is_down(due) => {
                self.traffic.lost += 1;
                Ok(())
            }
            What::Message(message) => {
                self.act(place, now, next, |actor, context| actor.receive(key.sender, message, context))
            }
            What::Wake(_, restarts) if restarts != hosted.restarts => Ok(()),
            What::Wake(wake, _) => match hosted.downtime.up_again(due) {
                None => self.act(place, now, next, |actor, context| actor.wake(wake, context)),
                Some(up) => {
                    hosted.wake_later(wake, up, next);
                    Ok(())
                }
            },
            What::Resume => {
                let overdue = std::mem::take(&mut hosted.overdue);
                let mut wakes = overdue.into_iter();
                wakes.try_for_each(|wake| self.act(place, now, next, |actor, context| actor.wake(wake, context)))
            }
            What::Restart => {
                hosted.restarts += 1;
                hosted.overdue.clear();
                next.extend(hosted.next_restart(due));
                self.act(place, now, next, |actor, context| actor.restart(context))
            }
        }
    }

    /// Calls an actor, and carries out what it asks for.
    fn act(
        &mut self,
        place: usize,
        now: Moment,
        next: &mut Vec<Event>,
        call: impl FnOnce(&mut dyn Actor, &mut Context<'_>),
    ) -> Result<(), Failure> {
        let hosted = &mut self.hosted[place];
        let (id, seed) = (hosted.id, self.seed);
        call(&mut *hosted.actor, &mut Context::new(now.time, id, &mut hosted.behaviour, &mut self.effects));
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            let hosted = &mut self.hosted[place];
            match effect {
                Effect::Observe(what) => self.observed.push(Observed { time: now.time, actor: id, what }),
                Effect::Wake(delay, wake) => {
                    let wake = What::Wake(wake, hosted.restarts);
                    next.push(hosted.event(seed, now, delay, id, wake));
                }
                Effect::Send(to, message) => self.send(place, now, to, message, next)?,
                Effect::Broadcast(everybody, message) => {
                    everybody.iter().try_for_each(|&to| self.send(place, now, to, message.clone(), next))?;
                }
            }
        }
        self.effects = effects;
        Ok(())
    }

    /// Has the network carry a message.
    fn send(
        &mut self,
        place: usize,
        now: Moment,
        to: ActorId,
        message: Message,
        next: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let (seed, hosted) = (self.seed, &mut self.hosted[place]);
        if to.0 as usize >= self.deal.actors {
            return Err(Failure::NoRecipient { from: hosted.id, to });
        }
        self.traffic.sent += 1;
        match self.network.carry(hosted.id, to, now.time, &mut hosted.network) {
            Fate::Lost => self.traffic.lost += 1,
            Fate::Arrives(delay) => next.push(hosted.event(seed, now, delay, to, What::Message(message))),
            Fate::Twice(first, copy) => {
                self.traffic.duplicated += 1;
                next.push(hosted.event(seed, now, first, to, What::Message(message.clone())));
                next.push(hosted.event(seed, now, copy, to, What::Message(message)));
            }
        }
        Ok(())
    }

    /// Takes what the actors have reported since the last time, and what became of their messages.
    pub(super) fn take_reports(&mut self) -> (Vec<Observed>, Traffic) {
        (std::mem::take(&mut self.observed), std::mem::take(&mut self.traffic))
    }

    /// Who waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let waiting = self.hosted.iter().filter_map(|Hosted { id, actor, .. }| {
            Some(Waiting { who: *id, name: actor.name(), what: actor.waiting_for()? })
        });
        waiting.collect()
    }
}

impl Hosted {
    /// An event that this actor causes.
    fn event(&mut self, seed: u64, now: Moment, delay: Duration, to: ActorId, what: What) -> Event {
        self.sequence += 1;
        let wave = if delay.is_zero() { now.wave + 1 } else { 0 };
        let moment = Moment { time: now.time + delay, wave };
        Event { key: Key::new(seed, moment, self.id, self.sequence), to, what }
    }

    /// Has a wake-up that falls due while it is down wait until it is up.
    fn wake_later(&mut self, wake: Wake, up: Time, next: &mut Vec<Event>) {
        if self.overdue.is_empty() {
            next.push(self.end_of_crash(up, What::Resume));
        }
        self.overdue.push(wake);
    }

    /// The end of the next crash from `from` on that takes its memory.
    fn next_restart(&self, from: Time) -> Option<Event> {
        self.downtime.next_restart(from).map(|up| self.end_of_crash(up, What::Restart))
    }

    fn end_of_crash(&self, time: Time, what: What) -> Event {
        Event { key: Key::end_of_crash(time, self.id, &what), to: self.id, what }
    }
}
