//! A shard's share of the work, whatever its time: actors with their events, and what waits to be passed on.
//!
//! A window's events are handled actor by actor, each actor's in their order. That is as good as handling all of them in
//! order: between actors there is none to keep, since nothing that one sends arrives at another within the window. And
//! it touches each actor once, in the order in which they lie in memory.

use super::{
    Failure,
    event::{Event, Key, Moment, What},
    hosted::HostedActors,
    panics::caught,
    post::Placement,
};
use microgrid_actor::Protocol;

/// Actors with their events.
#[derive(Debug)]
pub(super) struct Worker<P: Protocol> {
    pub(super) placement: Placement,
    pub(super) actors: HostedActors<P>,
    /// The events of the window under way.
    window: Vec<Event<P>>,
    due: Vec<Due>,
    /// Those of one actor who gets several, by their ties or, where they are not of one moment, by their moments.
    several: Vec<(u64, Due)>,
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
    pub(super) fn new(placement: Placement, actors: HostedActors<P>) -> Self {
        Self { placement, actors, window: Vec::new(), due: Vec::new(), several: Vec::new() }
    }

    /// The moment of the earliest event.
    pub(super) fn next(&self) -> Option<Moment> {
        self.actors.post.queue.next()
    }

    /// Handles all events before `bound`, each at the moment that `now` makes of its own, and returns how many there were;
    /// what follows from them for others waits to be taken, or to be handled next time.
    pub(super) fn handle_before(&mut self, bound: Moment, now: impl Fn(Moment) -> Moment) -> Result<usize, Failure> {
        let outcome = caught(|| {
            self.actors.post.begin(bound, &mut self.window);
            self.find_receivers();
            let due = std::mem::take(&mut self.due);
            let outcome = self.handle_window(&due, &now);
            let events = due.len();
            self.due = due;
            self.due.clear();
            self.window.clear();
            outcome.map(|()| events)
        });
        outcome.unwrap_or_else(|why| {
            // Somebody who has panicked may not know any more who it is.
            let describe = |actor| caught(|| self.actors.describe(self.placement.place(actor))).ok();
            let busy = self.actors.post.busy.and_then(describe);
            let (who, whereabouts) = busy.unwrap_or_else(|| (format!("shard {}", self.placement.number), None));
            Err(Failure::Panicked { who, whereabouts, why })
        })
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
    pub(super) fn nothing_before(&mut self, bound: Moment) -> Result<(), Failure> {
        if self.next().is_none_or(|next| next >= bound) {
            return Ok(());
        }
        self.actors.post.begin(bound, &mut self.window);
        let late = self.window.first().expect("there is an event before the bound");
        Err(Failure::OutOfOrder { to: late.to, time: late.time })
    }

    /// Lists who gets which event of the window, in order of their places.
    fn find_receivers(&mut self) {
        let mut announced = Vec::new();
        for (n, event) in (0..).zip(&mut self.window) {
            if let What::Broadcast(broadcast) = &event.what {
                if broadcast.is_announced {
                    announced.push(event.take_all());
                    continue;
                }
                let here = |(_, to): &(u32, _)| self.placement.shard(*to) == self.placement.number;
                let receivers = (0..).zip(broadcast.to.iter().copied()).filter(here);
                self.due.extend(receivers.map(|(nth, to)| Due { place: self.placement.place(to), event: n, nth }));
            } else {
                self.due.push(Due { place: self.placement.place(event.to), event: n, nth: 0 });
            }
        }
        if !announced.is_empty() {
            self.actors.put_up(announced);
        }
        self.due.sort_unstable_by_key(|due| due.place);
    }

    /// Lets an actor handle its events of the window, and those that it causes to itself within it.
    fn handle_all(&mut self, of_one: &[Due], now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        self.actors.post.busy = Some(self.placement.actor(of_one[0].place));
        if let [only] = of_one {
            self.handle(only, now)?;
        } else {
            let mut several = std::mem::take(&mut self.several);
            self.sort(of_one, &mut several);
            for (_, due) in several.drain(..) {
                if self.actors.post.has_soon() {
                    self.handle_soon(Some(&self.key(&due)), now)?;
                }
                self.handle(&due, now)?;
            }
            self.several = several;
        }
        self.handle_soon(None, now)
    }

    /// Puts what is due to one actor in order. Thousands of messages may reach it at one moment: they are sorted by their
    /// ties alone, which take little memory, and by the rest of their keys only where two have the same.
    fn sort(&self, of_one: &[Due], sorted: &mut Vec<(u64, Due)>) {
        let event = |due: &Due| &self.window[due.event as usize];
        let moment = event(&of_one[0]).moment();
        if of_one.iter().all(|due| event(due).moment() == moment) {
            sorted.extend(of_one.iter().map(|due| (event(due).key(self.placement.seed).tie, *due)));
        } else {
            sorted.extend(of_one.iter().map(|due| (event(due).time.0, *due)));
        }
        sorted.sort_unstable_by(|(one, due), (other, after)| {
            one.cmp(other).then_with(|| self.key(due).cmp(&self.key(after)))
        });
    }

    fn key(&self, due: &Due) -> Key {
        let key = self.window[due.event as usize].key(self.placement.seed);
        Key { sequence: key.sequence + u64::from(due.nth), ..key }
    }

    fn handle(&mut self, due: &Due, now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        let event = self.window[due.event as usize].take(due.nth);
        let now = now(event.moment());
        self.actors.handle(due.place, event, now)
    }

    /// Lets the busy actor handle what it has caused to itself, up to `key` if that is given.
    fn handle_soon(&mut self, key: Option<&Key>, now: &impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        while let Some(event) = self.actors.post.soon(key) {
            let now = now(event.moment());
            self.actors.handle(self.placement.place(event.to), event, now)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::{Caller, Toy};
    use microgrid_actor::{Actor, ActorId, Time};
    use microgrid_network::{Delay, Network, Quality};
    use std::{sync::Arc, time::Duration};

    #[test]
    fn a_window_that_is_too_wide_is_noticed_within_a_shard_too() {
        let delay = Duration::from_nanos(10);
        let network = Arc::new(Network::uniform(Quality::delayed(Delay::Constant(delay))));
        for (width, outcome) in [(10, Ok(())), (11, Err(Failure::OutOfOrder { to: ActorId(1), time: Time(10) }))] {
            let (stretch, number, dealt) = Default::default();
            let placement = Placement { seed: 7, stretch, number, shards: 1, actors: 2, dealt };
            let callers: Vec<Box<dyn Actor<Toy>>> = vec![Box::new(Caller), Box::new(Caller)];
            let mut worker =
                Worker::new(placement.clone(), HostedActors::new(placement, Arc::clone(&network), callers, None));
            let bound = Moment { time: Time(width), wave: 0 };
            worker.handle_before(bound, |due| due).expect("callers do nothing wrong");
            assert_eq!(worker.nothing_before(bound), outcome);
        }
    }
}
