//! Events and the order in which an actor handles them.
//!
//! An actor handles its events in the order of their [`Key`]: time, then wave, then tie, then the sender's sequence.
//!
//! - *wave* counts zero-delay hops within one instant: what is sent at wave `n` and takes no time arrives at wave
//!   `n + 1` of the same instant, after everything that arrived at wave `n`.
//! - *tie* is a hash of the run's seed, the sender and the time, so that no sender always wins a same-time race, and
//!   all messages of one sender to one instant stay together, in the order in which they were sent.
//! - *sequence* is the sender's own counter.
//!
//! The end of a crash comes before all else at its moment.
//!
//! None of these depends on which shard an actor lives in; hence neither does the order.

use microgrid_agents::{actor::Wake, ids::ActorId, message::Message, time::Time};
use std::{cmp::Reverse, collections::BinaryHeap};

/// A point in the order of play: an instant, and a wave within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The instant.
    pub time: Time,
    /// Zero-delay hops within the instant.
    pub wave: u32,
}

/// Where an event stands in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When it happens.
    pub moment: Moment,
    /// Decides between senders at the same moment.
    pub tie: u64,
    /// The sender's counter.
    pub sequence: u64,
    /// The sender; decides only should two hashes collide.
    pub sender: ActorId,
}

impl Key {
    /// The key of an event sent by `sender` for `moment` in the run with this seed.
    pub fn new(seed: u64, moment: Moment, sender: ActorId, sequence: u64) -> Self {
        Self { moment, tie: tie(seed, sender, moment.time), sequence, sender }
    }

    /// The key of the end of a crash: before all else at its moment, and a restart before what waited.
    pub(super) fn end_of_crash(time: Time, actor: ActorId, what: &What) -> Self {
        let sequence = u64::from(!matches!(what, What::Restart));
        Self { moment: Moment { time, wave: 0 }, tie: 0, sequence, sender: actor }
    }
}

/// Hash of (seed, sender, time): two rounds of the SplitMix64 finaliser.
fn tie(seed: u64, sender: ActorId, time: Time) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let round = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    round(round(seed.wrapping_add(GOLDEN) ^ time.0).wrapping_add(u64::from(sender.0).wrapping_mul(GOLDEN)))
}

/// Something that happens to an actor.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the order.
    pub key: Key,
    /// To whom.
    pub to: ActorId,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
    /// The run begins.
    Start,
    /// A message of the key's sender arrives.
    Message(Message),
    /// A wake-up is due, which the actor asked for after this many restarts.
    Wake(Wake, u32),
    /// A crash without memory ends.
    Restart,
    /// A crash ends during which wake-ups fell due.
    Resume,
}

/// Events by key, earliest first.
#[derive(Debug, Default)]
pub struct EventQueue {
    heap: BinaryHeap<Reverse<Queued>>,
}

/// An event, compared by its key alone.
#[derive(Debug)]
struct Queued(Event);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl EventQueue {
    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        self.heap.push(Reverse(Queued(event)));
    }

    /// The moment of the earliest event.
    pub fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(Queued(event))| event.key.moment)
    }

    /// Takes the earliest event if it comes before `bound`.
    pub fn pop_before(&mut self, bound: Moment) -> Option<Event> {
        if self.next()? < bound { self.heap.pop().map(|Reverse(Queued(event))| event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 2023;

    fn event(time: u64, wave: u32, sender: u32, sequence: u64) -> Event {
        let moment = Moment { time: Time(time), wave };
        Event { key: Key::new(SEED, moment, ActorId(sender), sequence), to: ActorId(0), what: What::Start }
    }

    fn drained(events: impl IntoIterator<Item = Event>) -> Vec<(u64, u32, u32, u64)> {
        let mut queue = EventQueue::default();
        events.into_iter().for_each(|event| queue.push(event));
        let end = Moment { time: Time(u64::MAX), wave: 0 };
        std::iter::from_fn(|| queue.pop_before(end))
            .map(|Event { key, .. }| (key.moment.time.0, key.moment.wave, key.sender.0, key.sequence))
            .collect()
    }

    #[test]
    fn time_comes_before_wave_and_wave_before_tie() {
        let order = drained([event(2, 0, 1, 1), event(1, 1, 1, 2), event(1, 0, 1, 3)]);
        assert_eq!(order, [(1, 0, 1, 3), (1, 1, 1, 2), (2, 0, 1, 1)]);
    }

    #[test]
    fn one_sender_keeps_its_sequence_within_a_moment() {
        let order = drained([event(1, 0, 4, 9), event(1, 0, 4, 7), event(1, 0, 4, 8)]);
        assert_eq!(order.iter().map(|e| e.3).collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn no_sender_always_wins_a_same_time_race() {
        let wins = (0..1000).filter(|&time| drained([event(time, 0, 1, 0), event(time, 0, 2, 0)])[0].2 == 1).count();
        assert!((400..600).contains(&wins), "sender 1 won {wins} of 1000 races");
    }

    #[test]
    fn the_order_does_not_depend_on_the_order_of_arrival() {
        let events: Vec<Event> = (0..50).map(|n| event(u64::from(n % 3), n % 2, n % 7, u64::from(n))).collect();
        let forward = drained(events.clone());
        let backward = drained(events.into_iter().rev());
        assert_eq!(forward, backward);
    }
}
