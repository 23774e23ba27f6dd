//! The queue of a shard: what is to happen, by the time at which it does.
//!
//! A shard takes all events of a window at once, and sorts only those. So the queue need not sort; it puts each event
//! into the right drawer:
//!
//! 1. Time is counted in ticks: a window is at least one and less than two of them wide.
//! 2. A tick is a number with digits to the base 64. An event belongs to the level of the highest digit in which its tick
//!    differs from the current one, and there to the drawer of that digit: level 0 holds the ticks up to the next
//!    multiple of 64, a drawer each; level 1 those up to the next multiple of 4096, 64 to a drawer; and so on.
//! 3. When the current tick reaches a drawer of a higher level, its events are put into the drawers below.
//!
//! So an event is moved once a level, of which there are two where delays are a thousand times the lookahead and four
//! where they are ten million times, and no empty stretch of time, however long, costs anything. As long as there are
//! few events, they lie together and need no drawers.
//!
//! Drawers consist of small sheets that go back to a common pile when they are empty: whatever the queue has held at its
//! fullest is the memory that it keeps.

use super::event::{Event, Moment};
use microgrid_actor::{Protocol, Time, nanos};
use std::time::Duration;

/// Binary digits of a tick that make a level.
const BITS: u32 = 6;

const DRAWERS: usize = 1 << BITS;

const SHEET: usize = 64;

/// So many events need no drawers.
const FEW: usize = 32;

/// Events of a shard, in order of time as far as a window needs it.
#[derive(Debug)]
pub(super) struct EventQueue<P: Protocol> {
    /// Binary logarithm of the nanoseconds in a tick.
    shift: u32,
    /// The current tick: that of the earliest event when last looked for.
    tick: u64,
    /// All events, as long as they are few.
    few: Drawer<P>,
    /// All events, from when they are not few until none is left.
    levels: Vec<Level<P>>,
    are_many: bool,
    pile: Vec<Vec<Event<P>>>,
}

#[derive(Debug)]
struct Level<P: Protocol> {
    /// A bit for each drawer that holds something.
    filled: u64,
    drawers: Box<[Drawer<P>; DRAWERS]>,
}

#[derive(Debug)]
struct Drawer<P: Protocol> {
    /// The earliest moment among its events, if there are any.
    earliest: Moment,
    /// The sheet that is being filled.
    open: Vec<Event<P>>,
    full: Vec<Vec<Event<P>>>,
}

impl<P: Protocol> Default for Drawer<P> {
    fn default() -> Self {
        Self { earliest: Moment::default(), open: Vec::new(), full: Vec::new() }
    }
}

impl<P: Protocol> EventQueue<P> {
    /// An empty queue for windows of about this width.
    pub(super) fn new(window: Duration) -> Self {
        let shift = nanos(window).max(1).ilog2();
        let few = Drawer::default();
        Self { shift, tick: 0, few, levels: Vec::new(), are_many: false, pile: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, event: Event<P>) {
        if self.are_many {
            self.put_away(event);
        } else if self.few.open.len() < FEW {
            self.few.push(event, &mut self.pile);
        } else {
            self.are_many = true;
            let few = std::mem::take(&mut self.few);
            self.tick = self.tick.max(self.tick_of(few.earliest.time));
            few.open.into_iter().chain([event]).for_each(|event| self.put_away(event));
        }
    }

    /// Puts an event into the right drawer.
    #[inline]
    fn put_away(&mut self, event: Event<P>) {
        // What is late is due at once.
        let tick = self.tick_of(event.time).max(self.tick);
        let level = (tick ^ self.tick).checked_ilog2().unwrap_or(0) / BITS;
        let digit = (tick >> (level * BITS)) as usize % DRAWERS;
        if self.levels.len() <= level as usize {
            self.levels.resize_with(level as usize + 1, Level::new);
        }
        let level = &mut self.levels[level as usize];
        level.filled |= 1 << digit;
        level.drawers[digit].push(event, &mut self.pile);
    }

    /// The moment of the earliest event.
    pub(super) fn next(&self) -> Option<Moment> {
        if self.are_many {
            self.first().map(|(level, digit)| self.levels[level].drawers[digit].earliest)
        } else if self.few.open.is_empty() {
            None
        } else {
            Some(self.few.earliest)
        }
    }

    /// All events, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Event<P>> {
        let drawers = self.levels.iter().flat_map(|level| level.drawers.iter());
        drawers.chain([&self.few]).flat_map(|drawer| drawer.full.iter().flatten().chain(&drawer.open))
    }

    /// Takes all events before `bound`, in no particular order.
    pub(super) fn take_before(&mut self, bound: Moment, taken: &mut Vec<Event<P>>) {
        if !self.are_many {
            return self.few.take_before(bound, taken);
        }
        while let Some((level, digit)) = self.first() {
            let of_level = &mut self.levels[level];
            if of_level.drawers[digit].earliest >= bound {
                return;
            }
            of_level.filled &= !(1 << digit);
            let Drawer { earliest, open, full } = std::mem::take(&mut of_level.drawers[digit]);
            self.tick = self.tick.max(self.tick_of(earliest.time));
            for mut sheet in full.into_iter().chain([open]) {
                for event in sheet.drain(..) {
                    if event.moment() < bound {
                        taken.push(event);
                    } else {
                        self.put_away(event);
                    }
                }
                self.pile.push(sheet);
            }
        }
        self.are_many = false;
    }

    /// The drawer with the earliest events: the first of the lowest level that holds any.
    fn first(&self) -> Option<(usize, usize)> {
        let level = self.levels.iter().position(|level| level.filled != 0)?;
        Some((level, self.levels[level].filled.trailing_zeros() as usize))
    }

    fn tick_of(&self, time: Time) -> u64 {
        time.0 >> self.shift
    }
}

impl<P: Protocol> Level<P> {
    fn new() -> Self {
        Self { filled: 0, drawers: Box::new(std::array::from_fn(|_| Drawer::default())) }
    }
}

impl<P: Protocol> Drawer<P> {
    #[inline]
    fn push(&mut self, event: Event<P>, pile: &mut Vec<Vec<Event<P>>>) {
        let moment = event.moment();
        if self.open.is_empty() {
            self.earliest = moment;
            if self.open.capacity() == 0 {
                self.open = pile.pop().unwrap_or_default();
            }
        } else {
            self.earliest = self.earliest.min(moment);
            if self.open.len() == SHEET {
                let sheet = std::mem::replace(&mut self.open, pile.pop().unwrap_or_default());
                self.full.push(sheet);
            }
        }
        self.open.push(event);
    }

    /// Takes all events before `bound` from its only sheet.
    fn take_before(&mut self, bound: Moment, taken: &mut Vec<Event<P>>) {
        taken.extend(self.open.extract_if(.., |event| event.moment() < bound));
        self.earliest = self.open.iter().map(Event::moment).min().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::event::tests::event, *};
    use crate::toy::Toy;
    use proptest::prelude::*;

    /// What comes first, and then a window of this many nanoseconds or waves; then more events so much later.
    type Step = (u64, Vec<(u64, u32)>);

    fn step() -> impl Strategy<Value = Step> {
        let later = prop_oneof![Just(0), 0..20_u64, 0..5_000_u64, 0..10_u64.pow(13), Just(u64::MAX)];
        let width = prop_oneof![Just(0), 0..50_u64, 0..10_000_u64];
        (width, proptest::collection::vec((later, 0..3_u32), 0..150))
    }

    fn ids(events: &[Event<Toy>]) -> Vec<u64> {
        let mut ids: Vec<u64> = events.iter().map(|event| event.sequence).collect();
        ids.sort_unstable();
        ids
    }

    proptest! {
        #[test]
        fn it_gives_what_a_sorted_list_gives(window in 0..3_000_u64, steps in proptest::collection::vec(step(), 1..30)) {
            let mut queue = EventQueue::new(Duration::from_nanos(window));
            let (mut list, mut pushed): (Vec<Event<Toy>>, u64) = (vec![], 0);
            let mut now = Time::ZERO;
            for (width, events) in steps {
                for (later, wave) in events {
                    pushed += 1;
                    let event = event((now + Duration::from_nanos(later)).0, wave, 0, pushed);
                    list.push(event.clone());
                    queue.push(event);
                }
                let earliest = list.iter().map(Event::moment).min();
                prop_assert_eq!(queue.next(), earliest);
                prop_assert_eq!(ids(&queue.iter().cloned().collect::<Vec<_>>()), ids(&list));
                let Some(earliest) = earliest else { continue };
                let bound = match width {
                    0 => Moment { wave: earliest.wave + 1, ..earliest },
                    _ => Moment { time: earliest.time + Duration::from_nanos(width), wave: 0 },
                };
                let expected: Vec<Event<Toy>> = list.extract_if(.., |event| event.moment() < bound).collect();
                let mut taken = vec![];
                queue.take_before(bound, &mut taken);
                prop_assert_eq!(ids(&taken), ids(&expected));
                now = bound.time;
            }
        }
    }

    #[test]
    fn what_is_late_comes_first() {
        let mut queue = EventQueue::new(Duration::from_nanos(10));
        queue.push(event(1_000, 0, 0, 1));
        queue.take_before(Moment { time: Time(1_001), wave: 0 }, &mut vec![]);
        queue.push(event(2_000, 0, 0, 2));
        queue.push(event(5, 0, 0, 3));
        assert_eq!(queue.next(), Some(Moment { time: Time(5), wave: 0 }));
        let mut taken = vec![];
        queue.take_before(Moment { time: Time(1_001), wave: 0 }, &mut taken);
        assert_eq!(ids(&taken), [3]);
    }

    #[test]
    fn it_keeps_no_more_memory_than_its_fullest_took() {
        let mut queue = EventQueue::new(Duration::from_nanos(16));
        for round in 0..200 {
            // A burst at one instant, and what it causes far and near.
            let start = round * 100_000;
            for n in 0..1_000 {
                queue.push(event(start, 0, 0, n));
                queue.push(event(start + 20 + n * 97, 0, 0, n));
            }
            queue.take_before(Moment { time: Time(start + 100_000), wave: 0 }, &mut vec![]);
        }
        let kept: usize = queue.pile.iter().map(Vec::capacity).sum();
        assert!(kept < 10_000, "{kept} places for 2000 events");
    }
}
