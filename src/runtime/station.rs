//! A shard's share of the work, whatever its time: a cast with its queue, and what waits to be passed on.

use super::{
    Failure, Traffic, Waiting,
    cast::{Cast, Deal},
    event::{Event, EventQueue, Moment},
};
use microgrid_agents::observation::Observed;
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A cast with its queue.
#[derive(Debug)]
pub(super) struct Station {
    number: usize,
    deal: Deal,
    cast: Cast,
    queue: EventQueue,
    /// What follows from the event under way.
    next: Vec<Event>,
    outgoing: BTreeMap<usize, Vec<Event>>,
}

impl Station {
    /// The station of the shard with this number.
    pub(super) fn new(number: usize, deal: Deal, cast: Cast) -> Self {
        let mut queue = EventQueue::default();
        cast.first_events().into_iter().for_each(|event| queue.push(event));
        Self { number, deal, cast, queue, next: Vec::new(), outgoing: BTreeMap::new() }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Handles all events before `bound`, each at the moment that `now` makes of its own; what follows from them for
    /// others waits to be taken.
    ///
    /// # Errors
    /// If an actor does what it must not, or panics.
    pub(super) fn handle_until(&mut self, bound: Moment, now: impl Fn(Moment) -> Moment) -> Result<(), Failure> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            while let Some(event) = self.queue.pop_before(bound) {
                let now = now(event.key.moment);
                self.cast.handle(event, now, &mut self.next)?;
                for event in self.next.drain(..) {
                    match self.deal.shard(event.to) {
                        here if here == self.number => self.queue.push(event),
                        there => self.outgoing.entry(there).or_default().push(event),
                    }
                }
            }
            Ok(())
        }));
        outcome.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref())))
    }

    /// Adds an event for an actor hosted here.
    pub(super) fn push(&mut self, event: Event) {
        self.queue.push(event);
    }

    /// The moment of the earliest event.
    pub(super) fn next(&self) -> Option<Moment> {
        self.queue.next()
    }

    /// Takes what is to be passed on: for each other shard that gets something, its number and its events.
    pub(super) fn take_outgoing(&mut self) -> BTreeMap<usize, Vec<Event>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Takes what the actors have reported since the last time, and what became of their messages.
    pub(super) fn take_reports(&mut self) -> (Vec<Observed>, Traffic) {
        self.cast.take_reports()
    }

    /// Who waits for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        self.cast.waiting()
    }
}
