//! Which shard has the earliest event: a tournament.
//!
//! The shards are the leaves of a binary tree; each node knows the earliest moment below it. So the clock neither asks all
//! shards for the earliest nor looks at those that have nothing to do, even if each actor has a shard of its own.

use super::event::Moment;
use microgrid_actor::Time;

/// Each shard's earliest event.
#[derive(Debug)]
pub(super) struct Agenda {
    /// Node 1 is the root, those below node `n` are `2 n` and `2 n + 1`; the second half are the leaves.
    nodes: Vec<Moment>,
}

/// What a shard without events has.
const NEVER: Moment = Moment { time: Time(u64::MAX), wave: u32::MAX };

impl Agenda {
    /// The agenda of so many shards, all of which begin at time zero.
    pub(super) fn new(shards: usize) -> Self {
        let leaves = shards.next_power_of_two();
        let mut agenda = Self { nodes: vec![NEVER; 2 * leaves] };
        (0..shards).for_each(|shard| agenda.set(shard, Some(Moment::default())));
        agenda
    }

    /// The earliest event of all.
    pub(super) fn earliest(&self) -> Option<Moment> {
        Some(self.nodes[1]).filter(|earliest| *earliest != NEVER)
    }

    /// The earliest event of all other shards.
    pub(super) fn earliest_but(&self, shard: usize) -> Moment {
        let mut node = self.nodes.len() / 2 + shard;
        let mut earliest = NEVER;
        while node > 1 {
            earliest = earliest.min(self.nodes[node ^ 1]);
            node /= 2;
        }
        earliest
    }

    /// A shard's earliest event is now this.
    pub(super) fn set(&mut self, shard: usize, earliest: Option<Moment>) {
        let mut node = self.nodes.len() / 2 + shard;
        let mut earliest = earliest.unwrap_or(NEVER);
        while node > 0 && self.nodes[node] != earliest {
            self.nodes[node] = earliest;
            earliest = earliest.min(self.nodes[node ^ 1]);
            node /= 2;
        }
    }

    /// A shard gets an event at this moment.
    pub(super) fn add(&mut self, shard: usize, moment: Moment) {
        if moment < self.nodes[self.nodes.len() / 2 + shard] {
            self.set(shard, Some(moment));
        }
    }

    /// Tells each shard that has an event before `bound`, in order.
    pub(super) fn for_each_before(&self, bound: Moment, mut tell: impl FnMut(usize)) {
        let leaves = self.nodes.len() / 2;
        let mut nodes = vec![1];
        while let Some(node) = nodes.pop() {
            if self.nodes[node] >= bound {
                continue;
            }
            if node < leaves {
                nodes.extend([2 * node + 1, 2 * node]);
            } else {
                tell(node - leaves);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(time: u64) -> Moment {
        Moment { time: Time(time), wave: 0 }
    }

    proptest! {
        #[test]
        fn it_knows_what_a_look_at_all_shards_would_find(
            shards in 1..40_usize,
            steps in proptest::collection::vec((any::<u16>(), proptest::option::of(0..50_u64), any::<bool>()), 0..100),
            bound in 0..60_u64,
        ) {
            let mut agenda = Agenda::new(shards);
            let mut list = vec![Some(at(0)); shards];
            for (shard, time, is_new) in steps {
                let (shard, moment) = (usize::from(shard) % shards, time.map(at));
                match moment {
                    Some(moment) if is_new => {
                        agenda.add(shard, moment);
                        list[shard] = Some(list[shard].map_or(moment, |known| known.min(moment)));
                    }
                    _ => {
                        agenda.set(shard, moment);
                        list[shard] = moment;
                    }
                }
                prop_assert_eq!(agenda.earliest(), list.iter().flatten().min().copied());
                let others = (0..shards).filter(|other| *other != shard).filter_map(|other| list[other]);
                prop_assert_eq!(agenda.earliest_but(shard), others.min().unwrap_or(NEVER));
            }
            let mut told = vec![];
            agenda.for_each_before(at(bound), |shard| told.push(shard));
            let due = (0..shards).filter(|&shard| list[shard].is_some_and(|moment| moment < at(bound)));
            prop_assert_eq!(told, due.collect::<Vec<_>>());
        }
    }
}
