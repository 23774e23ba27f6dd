//! Events and the order in which an actor handles them.
//!
//! An actor handles its events in the order of their [`Key`]: time, then wave, then tie, then the sender's sequence, as the
//! ordering contract has it (`docs/architecture.md`). All messages of one sender to one instant have the same tie, so they
//! stay together, in the order in which they were sent. The end of a crash comes before all else at its moment. Nothing of
//! this depends on which shard an actor lives in; between events of different actors there is no order.

use microgrid_actor::{ActorId, Protocol, Time, parcel};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A point in the order of play: an instant, and a wave within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) time: Time,
    pub(super) wave: u32,
}

impl Moment {
    /// Before which nothing happens.
    pub(super) const FIRST: Self = Self { time: Time::ZERO, wave: 0 };

    /// When nothing happens any more.
    pub(super) const NEVER: Self = Self { time: Time(u64::MAX), wave: u32::MAX };

    /// Where a window ends that begins here, on a network with this shortest delay: nothing sent within it can arrive
    /// within it. Where a message can take no time at all, it is one wave of one instant.
    pub(super) fn window_end(self, lookahead: Duration) -> Self {
        if lookahead.is_zero() {
            Self { wave: self.wave + 1, ..self }
        } else {
            Self { time: self.time + lookahead, wave: 0 }
        }
    }
}

/// Where an event stands in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) moment: Moment,
    pub(super) tie: u64,
    pub(super) sequence: u64,
    /// The sender; decides only should two hashes collide.
    pub(super) sender: ActorId,
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

/// Something that happens to an actor. The tie of its key is left to be computed where it decides, so that an event is
/// small: a cache line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Event<P: Protocol> {
    pub(super) time: Time,
    pub(super) wave: u32,
    pub(super) sender: ActorId,
    /// The sender's counter; of a broadcast, for its first receiver.
    pub(super) sequence: u64,
    /// To whom; of a broadcast, its sender.
    pub(super) to: ActorId,
    pub(super) what: What<P>,
}

/// What happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum What<P: Protocol> {
    Start,
    /// A message of the event's sender arrives.
    Message(P::Message),
    /// A message of the event's sender arrives at many, at each as if it were the only one.
    Broadcast(Box<Broadcast<P>>),
    /// A wake-up is due, which the actor asked for after this many restarts.
    Wake(P::Wake, u32),
    /// A crash without memory ends.
    Restart,
    /// A crash ends during which wake-ups fell due.
    Resume,
}

/// One message to many, all of whom it reaches at the same moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Broadcast<P: Protocol> {
    /// To whom, in the order in which it was sent to them; some of them may live in other shards.
    #[serde(with = "parcel::shared")]
    pub(super) to: Arc<[ActorId]>,
    pub(super) message: P::Message,
    /// Whether it is only [announced](microgrid_actor::Context::announce), so that it can wait for its receivers.
    pub(super) is_announced: bool,
}

impl<P: Protocol> Event<P> {
    /// The moment at which it happens.
    pub(super) fn moment(&self) -> Moment {
        Moment { time: self.time, wave: self.wave }
    }

    /// Its place in the order, in the run with this seed.
    pub(super) fn key(&self, seed: u64) -> Key {
        let tie = match self.what {
            What::Restart | What::Resume => 0,
            _ => tie(seed, self.sender, self.time),
        };
        Key { moment: self.moment(), tie, sequence: self.sequence, sender: self.sender }
    }

    /// The end of a crash of an actor: before all else at its moment, and a restart before what waited.
    pub(super) fn end_of_crash(time: Time, actor: ActorId, what: What<P>) -> Self {
        let sequence = u64::from(!matches!(what, What::Restart));
        Self { time, wave: 0, sender: actor, sequence, to: actor, what }
    }

    /// The whole of it, of which nothing is left.
    pub(super) fn take_all(&mut self) -> Self {
        let Self { time, wave, sender, sequence, to, .. } = *self;
        Self { time, wave, sender, sequence, to, what: std::mem::replace(&mut self.what, What::Start) }
    }

    /// What of this event is the `nth` receiver's: the whole, unless it is a broadcast. To be taken once for each.
    pub(super) fn take(&mut self, nth: u32) -> Self {
        let Self { time, wave, sender, sequence, .. } = *self;
        match &mut self.what {
            What::Broadcast(broadcast) => {
                let (to, message) = (broadcast.to[nth as usize], broadcast.message.clone());
                Self { time, wave, sender, sequence: sequence + u64::from(nth), to, what: What::Message(message) }
            }
            _ => self.take_all(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::toy::Toy;

    const SEED: u64 = 2023;

    /// An event of which only the place in the order matters.
    pub(crate) fn event(time: u64, wave: u32, sender: u32, sequence: u64) -> Event<Toy> {
        let what = What::Start;
        Event { time: Time(time), wave, sender: ActorId(sender), sequence, to: ActorId(0), what }
    }

    fn ordered(events: impl IntoIterator<Item = Event<Toy>>) -> Vec<(u64, u32, u32, u64)> {
        let mut keys: Vec<Key> = events.into_iter().map(|event| event.key(SEED)).collect();
        keys.sort();
        keys.into_iter().map(|key| (key.moment.time.0, key.moment.wave, key.sender.0, key.sequence)).collect()
    }

    #[test]
    fn time_comes_before_wave_and_wave_before_tie() {
        let order = ordered([event(2, 0, 1, 1), event(1, 1, 1, 2), event(1, 0, 1, 3)]);
        assert_eq!(order, [(1, 0, 1, 3), (1, 1, 1, 2), (2, 0, 1, 1)]);
    }

    #[test]
    fn one_sender_keeps_its_sequence_within_a_moment() {
        let order = ordered([event(1, 0, 4, 9), event(1, 0, 4, 7), event(1, 0, 4, 8)]);
        assert_eq!(order.iter().map(|e| e.3).collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn no_sender_always_wins_a_same_time_race() {
        let wins = (0..1000).filter(|&time| ordered([event(time, 0, 1, 0), event(time, 0, 2, 0)])[0].2 == 1).count();
        assert!((400..600).contains(&wins), "sender 1 won {wins} of 1000 races");
    }

    #[test]
    fn the_end_of_a_crash_comes_first_and_a_restart_before_what_waited() {
        let end = |what| Event::<Toy>::end_of_crash(Time(1), ActorId(0), what).key(SEED);
        assert!(end(What::Restart) < end(What::Resume));
        assert!((0..100).all(|sender| end(What::Resume) < event(1, 0, sender, 0).key(SEED)));
    }
}
