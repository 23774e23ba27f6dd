//! The actors of a case at play without a runtime: messages take 10 ms, one event comes after the other.

use crate::{counted, support::SEED};
use microgrid_agents::{
    actor::{Actor, Context, Effect, Wake},
    ids::ActorId,
    message::Message,
    streams::{Purpose, Stream, stream},
    time::Time,
};
use microgrid_sim::{agents::actor::MarketProtocol, scenario::Case, simulation::actors};
use std::{collections::BTreeMap, time::Duration};

const DELAY: Duration = Duration::from_millis(10);

/// The actors and what is going to happen to them.
#[derive(Debug)]
pub(crate) struct Stage {
    actors: Vec<Box<dyn Actor<MarketProtocol>>>,
    streams: Vec<Stream>,
    /// By time, zero-delay hops within an instant, and order of its making.
    queue: BTreeMap<(Time, u32, u64), (ActorId, What)>,
    made: u64,
    effects: Vec<Effect>,
}

#[derive(Debug)]
enum What {
    Start,
    Message(ActorId, Message),
    Wake(Wake),
}

impl Stage {
    /// The actors of a case, who have not begun.
    pub(crate) fn new(case: &Case) -> Self {
        let actors = actors(case);
        let ids = (0..actors.len() as u32).map(ActorId);
        let streams = ids.clone().map(|id| stream(SEED, id, Purpose::Behaviour)).collect();
        let queue = ids.map(|id| ((Time::ZERO, 0, u64::from(id.0)), (id, What::Start))).collect();
        Self { made: actors.len() as u64, actors, streams, queue, effects: Vec::new() }
    }

    /// Plays on until this time; counts what those do who are `watched`.
    pub(crate) fn play(&mut self, until: Time, watched: impl Fn(ActorId) -> bool) {
        while let Some(next) = self.queue.first_entry().filter(|next| next.key().0 < until) {
            let ((now, wave, _), (id, what)) = next.remove_entry();
            self.call(now, id, what, watched(id));
            let mut effects = std::mem::take(&mut self.effects);
            effects.drain(..).for_each(|effect| self.carry_out(effect, id, now, wave));
            self.effects = effects;
        }
    }

    fn call(&mut self, now: Time, id: ActorId, what: What, watched: bool) {
        let actor = &mut *self.actors[id.0 as usize];
        let mut context = Context::new(now, id, &mut self.streams[id.0 as usize], &mut self.effects);
        let mut what = Some(what);
        let mut work = || match what.take() {
            Some(What::Start) => actor.start(&mut context),
            Some(What::Message(from, message)) => actor.receive(from, message, &mut context),
            Some(What::Wake(wake)) => actor.wake(wake, &mut context),
            None => {}
        };
        if watched { counted(&mut work) } else { work() }
    }

    fn carry_out(&mut self, effect: Effect, from: ActorId, now: Time, wave: u32) {
        match effect {
            Effect::Send(to, message) => self.add((now + DELAY, 0), to, What::Message(from, message)),
            Effect::Broadcast(everybody, message) | Effect::Announce(everybody, message) => {
                everybody.iter().for_each(|&to| self.add((now + DELAY, 0), to, What::Message(from, message.clone())));
            }
            Effect::Wake(Duration::ZERO, wake) => self.add((now, wave + 1), from, What::Wake(wake)),
            Effect::Wake(delay, wake) => self.add((now + delay, 0), from, What::Wake(wake)),
            Effect::Observe(_) => {}
            Effect::Halt(why) => panic!("{why}"),
        }
    }

    fn add(&mut self, (time, wave): (Time, u32), to: ActorId, what: What) {
        self.made += 1;
        self.queue.insert((time, wave, self.made), (to, what));
    }
}
