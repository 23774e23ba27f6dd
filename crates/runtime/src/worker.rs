//! A shard's share of the work, whatever its time: actors with their events, and what waits to be passed on.
//!
//! A window's events are handled actor by actor, each actor's in their order. That is as good as handling all of them in
//! order: between actors there is none to keep, since nothing that one sends arrives at another within the window. And
//! it touches each actor once, in the order in which they lie in memory.

use super::{
    Failure, Traffic, Waiting,
    event::{Event, Key, Moment, What},
    hosted::HostedActors,
    panics::caught,
    post::{Batch, Placement, Post},
};
use microgrid_actor::{Observed, Protocol};
use std::{collections::BTreeMap, time::Duration};

/// Actors with their events.
#[derive(Debug)]
pub(super) struct Worker<P: Protocol> {
    seed: u64,
    number: usize,
    placement: Placement,
    actors: HostedActors<P>,
    post: Post<P>,
    /// The events of the window under way.
    window: Vec<Event<P>>,
    /// Who gets which of them.
    due: Vec<Due>,
    /// Those of one actor who gets several.
    several: Vec<(Key, Due)>,
}

/// An event of the window, of which the `nth` receiver is the actor at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    place: u32,
    event: u32,
    nth: u32,
}

/// So many actors are fetched from memory at once.
const AHEAD: usize = 16;

impl<P: Protocol> Worker<P> {
    /// The worker of the shard with this number, for windows of about this width.
    pub(super) fn new(
        seed: u64,
        number: usize,
        placement: Placement,
        window: Duration,
        actors: HostedActors<P>,
    ) -> Self {
        let mut post = Post::new(seed, number, placement, window);
        actors.first_events().into_iter().for_each(|event| post.receive(event));
        Self { seed, number, placement, actors, post, window: Vec::new(), due: Vec::new(), several: Vec::new() }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Handles all events before `bound`, each at the moment that `now` makes of its own, and returns how many there were;
    /// what follows from them for others waits to be taken, or to be handled next time.
    ///
    /// # Errors
    /// If an actor does what it must not, or panics.
    pub(super) fn handle_before(&mut self, bound: Moment, now: impl Fn(Moment) -> Moment) -> Result<usize, Failure> {
        let outcome = caught(|| {
            self.post.begin(bound, &mut self.window);
            self.find_receivers();
            let due = std::mem::take(&mut self.due);
            let outcome = self.handle_window(&due, &now);
            let events = due.len();
            self.due = due;
            self.due.clear();
            self.window.clear();
            outcome.map(|()| events)
        });
        outcome.unwrap_or_else(|why| Err(self.panicked(why)))
    }

    /// The failure of whoever is busy to have panicked.
    fn panicked(&self, why: String) -> Failure {
        // Somebody who has panicked may not know any more who it is.
        let busy = self.post.busy().and_then(|actor| caught(|| self.actors.describe(self.placement.place(actor))).ok());
        let (who, whereabouts) = busy.unwrap_or_else(|| (format!("shard {}", self.number), None));
        Failure::Panicked { who, whereabouts, why }
    }

    /// Lets each actor handle what is due to it.
    fn handle_window(&mut self, due: &[Due], now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        let (mut ahead, mut handled, mut looked_at) = (due.chunks(AHEAD), 0, 0);
        for of_one in due.chunk_by(|one, other| one.place == other.place) {
            while looked_at <= handled
                && due.len() > AHEAD
                && let Some(next) = ahead.next()
            {
                self.actors.look_at(next.iter().map(|due| due.place));
                looked_at += next.len();
            }
            self.handle_all(of_one, now)?;
            handled += of_one.len();
        }
        Ok(())
    }

    /// Makes sure that nothing is left to be handled before `bound`.
    ///
    /// # Errors
    /// If there is, because one actor has sent something to another that arrives too soon.
    pub(super) fn nothing_before(&mut self, bound: Moment) -> Result<(), Failure> {
        if self.next().is_none_or(|next| next >= bound) {
            return Ok(());
        }
        self.post.begin(bound, &mut self.window);
        let late = self.window.first().expect("there is an event before the bound");
        Err(Failure::OutOfOrder { to: late.to, time: late.time })
    }

    /// Lists who gets which event of the window, in order of their places.
    fn find_receivers(&mut self) {
        for (n, event) in (0..).zip(&self.window) {
            if let What::Broadcast(broadcast) = &event.what {
                let here = |(_, to): &(u32, _)| self.placement.shard(*to) == self.number;
                let receivers = (0..).zip(broadcast.to.iter().copied()).filter(here);
                self.due.extend(receivers.map(|(nth, to)| Due { place: self.placement.place(to), event: n, nth }));
            } else {
                self.due.push(Due { place: self.placement.place(event.to), event: n, nth: 0 });
            }
        }
        self.due.sort_unstable_by_key(|due| due.place);
    }

    /// Lets an actor handle its events of the window, and those that it causes to itself within it.
    fn handle_all(&mut self, of_one: &[Due], now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        self.post.is_busy(self.placement.actor(self.number, of_one[0].place));
        if let [only] = of_one {
            self.handle(only, now)?;
        } else {
            let keys = of_one.iter().map(|due| {
                let event = &self.window[due.event as usize];
                let key = event.key(self.seed);
                (Key { sequence: key.sequence + u64::from(due.nth), ..key }, *due)
            });
            let mut several = std::mem::take(&mut self.several);
            several.extend(keys);
            several.sort_unstable();
            for (key, due) in several.drain(..) {
                self.handle_soon(Some(&key), now)?;
                self.handle(&due, now)?;
            }
            self.several = several;
        }
        self.handle_soon(None, now)
    }

    fn handle(&mut self, due: &Due, now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        let event = self.window[due.event as usize].take(due.nth);
        let now = now(event.moment());
        self.actors.handle(due.place, event, now, &mut self.post)
    }

    /// Lets the busy actor handle what it has caused to itself, up to `key` if that is given.
    fn handle_soon(&mut self, key: Option<&Key>, now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        while let Some(event) = self.post.soon(key) {
            let now = now(event.moment());
            self.actors.handle(self.placement.place(event.to), event, now, &mut self.post)?;
        }
        Ok(())
    }

    /// Adds the events of a batch.
    pub(super) fn receive(&mut self, mut batch: Batch<P>) {
        batch.events.drain(..).for_each(|event| self.post.receive(event));
        self.post.reuse(batch.events);
    }

    /// The moment of the earliest event.
    pub(super) fn next(&self) -> Option<Moment> {
        self.post.next()
    }

    /// Whether anything waits to be passed on.
    pub(super) fn has_outgoing(&self) -> bool {
        self.post.has_outgoing()
    }

    /// Whether the actors have reported anything since the last time.
    pub(super) fn has_observed(&self) -> bool {
        self.actors.has_observed()
    }

    /// Whether the actors have reported that all so far stands, which has to be on disk before anybody goes on.
    pub(super) fn has_checkpoint(&self) -> bool {
        self.actors.has_checkpoint()
    }

    /// Takes what is to be passed on: for each other shard that gets something, its number and its events.
    pub(super) fn take_outgoing(&mut self) -> BTreeMap<usize, Batch<P>> {
        self.post.take_outgoing()
    }

    /// Takes what the actors have reported since the last time, and what became of their messages.
    pub(super) fn take_reports(&mut self) -> (Vec<Observed<P::Observation>>, Traffic) {
        self.actors.take_reports()
    }

    /// Who waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        self.actors.waiting()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::Caller;
    use microgrid_actor::{ActorId, Time};
    use microgrid_network::{Delay, Network, Quality};
    use std::sync::Arc;

    #[test]
    fn a_window_that_is_too_wide_is_noticed_within_a_shard_too() {
        let delay = Duration::from_nanos(10);
        let network = Arc::new(Network::uniform(Quality::delayed(Delay::Constant(delay))));
        for (width, outcome) in [(10, Ok(())), (11, Err(Failure::OutOfOrder { to: ActorId(1), time: Time(10) }))] {
            let placement = Placement { actors: 2, shards: 1 };
            let actors =
                HostedActors::new(7, 0, placement, Arc::clone(&network), vec![Box::new(Caller), Box::new(Caller)]);
            let mut worker = Worker::new(7, 0, placement, delay, actors);
            let bound = Moment { time: Time(width), wave: 0 };
            worker.handle_before(bound, |due| due).expect("callers do nothing wrong");
            assert_eq!(worker.nothing_before(bound), outcome);
        }
    }
}
