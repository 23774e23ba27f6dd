//! What has been announced, until those for whom it is have taken it in.
//!
//! Most of a market's traffic tells many what has become of it, and none of them does anything on it before its next turn.
//! To call on each of them for every such message would be to go through all their memory, time and again. So a shard keeps
//! the message, and hands it over where its receiver handles something anyway: before that, if it comes before that in the
//! order of events. Nobody can tell the difference.

use super::{
    event::{Event, Key, What},
    post::Placement,
};
use microgrid_actor::{Actor, ActorId, Protocol};
use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

/// What has been announced to actors of a shard and not been taken in by all of them.
#[derive(Debug)]
pub(super) struct Bulletins<P: Protocol> {
    placement: Placement,
    /// In the order of events.
    kept: VecDeque<Bulletin<P>>,
    /// How many there have been before these.
    gone: u32,
    /// How many each actor here has passed, whether they were for it or not.
    passed: Vec<u32>,
    /// For whom the last ones were.
    readers: Option<Arc<Readers>>,
}

#[derive(Debug)]
struct Bulletin<P: Protocol> {
    /// That for the first of all its receivers.
    key: Key,
    message: P::Message,
    readers: Arc<Readers>,
    /// How many of its receivers here have not taken it in.
    missing: usize,
}

/// Those here for whom something is.
#[derive(Debug)]
struct Readers {
    to: Arc<[ActorId]>,
    /// How many come before it among all receivers, for each actor here; [`NOBODY`](Self::NOBODY) of one for whom it is not.
    before: Vec<u32>,
    count: usize,
}

impl Readers {
    const NOBODY: u32 = u32::MAX;

    fn new(to: &Arc<[ActorId]>, placement: &Placement, actors: usize) -> Self {
        let mut before = vec![Self::NOBODY; actors];
        for (nth, &to) in (0..).zip(&**to).filter(|(_, to)| placement.shard(**to) == placement.number) {
            before[placement.place(to) as usize] = nth;
        }
        let count = before.iter().filter(|before| **before != Self::NOBODY).count();
        Self { to: Arc::clone(to), before, count }
    }
}

impl<P: Protocol> Bulletins<P> {
    /// More than this are not kept, however long somebody has nothing else to do.
    const MOST: usize = 32;

    /// None yet, for so many actors of a shard.
    pub(super) fn new(placement: Placement, actors: usize) -> Self {
        Self { placement, kept: VecDeque::new(), gone: 0, passed: vec![0; actors], readers: None }
    }

    /// Keeps what is announced in the window that begins.
    pub(super) fn put_up(&mut self, announced: Vec<Event<P>>) {
        let mut announced: Vec<Bulletin<P>> = announced.into_iter().map(|event| self.bulletin(event)).collect();
        announced.sort_unstable_by_key(|bulletin| bulletin.key);
        self.kept.extend(announced);
        self.take_down();
    }

    /// Forgets what everybody has taken in.
    fn take_down(&mut self) {
        while self.kept.pop_front_if(|bulletin| bulletin.missing == 0).is_some() {
            self.gone += 1;
        }
    }

    fn bulletin(&mut self, event: Event<P>) -> Bulletin<P> {
        let key = event.key(self.placement.seed);
        let What::Broadcast(broadcast) = event.what else { unreachable!("only broadcasts are announced") };
        let known = self.readers.take().filter(|readers| Arc::ptr_eq(&readers.to, &broadcast.to));
        let new = || Arc::new(Readers::new(&broadcast.to, &self.placement, self.passed.len()));
        let readers = known.unwrap_or_else(new);
        self.readers = Some(Arc::clone(&readers));
        Bulletin { key, message: broadcast.message, missing: readers.count, readers }
    }

    /// Whether the actor at this place has not passed all of them.
    #[inline]
    pub(super) fn has_news(&self, place: u32) -> bool {
        !self.kept.is_empty() && (self.passed[place as usize].max(self.gone) - self.gone) as usize != self.kept.len()
    }

    /// Hands over to the actor at this place what comes before an event of its own.
    pub(super) fn hand_over_before(&mut self, event: &Event<P>, place: u32, actor: &mut dyn Actor<P>) {
        let (now, seed) = (event.moment(), self.placement.seed);
        self.hand_over(place, actor, |key, before| match key.moment.cmp(&now) {
            Ordering::Less => true,
            Ordering::Equal => Key { sequence: key.sequence + u64::from(before), ..*key } < event.key(seed),
            Ordering::Greater => false,
        });
    }

    /// Hands over all that there is.
    pub(super) fn hand_over_all(&mut self, place: u32, actor: &mut dyn Actor<P>) {
        self.hand_over(place, actor, |_, _| true);
    }

    /// Whether with so many more there would be too many: everybody is to take in all that there is before.
    pub(super) fn are_too_many_with(&self, more: usize) -> bool {
        self.kept.len() + more > Self::MOST
    }

    fn hand_over(&mut self, place: u32, actor: &mut dyn Actor<P>, is_due: impl Fn(&Key, u32) -> bool) {
        let place = place as usize;
        let mut passed = self.passed[place].max(self.gone);
        for bulletin in self.kept.iter_mut().skip((passed - self.gone) as usize) {
            let before = bulletin.readers.before[place];
            let is_for_it = before != Readers::NOBODY;
            if !is_due(&bulletin.key, if is_for_it { before } else { 0 }) {
                break;
            }
            if is_for_it {
                actor.take_in(bulletin.key.sender, &bulletin.message, bulletin.key.moment.time);
                bulletin.missing -= 1;
            }
            passed += 1;
        }
        self.passed[place] = passed;
        self.take_down();
    }
}
