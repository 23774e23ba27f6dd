//! In which slots the local market opens.

use crate::ids::Slot;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{iter, sync::Arc};

/// The slots in which the local market opens: spans in ascending order, each from its first to its last slot.
///
/// One span is written as a pair, `[8, 20]`, several as a list of such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenSlots(Arc<[(Slot, Slot)]>);

impl OpenSlots {
    /// From the first to the last of one span.
    pub fn span(first: Slot, last: Slot) -> Self {
        Self([(first, last)].into())
    }

    /// These slots, in ascending order.
    pub fn of(slots: impl IntoIterator<Item = Slot>) -> Self {
        let mut spans: Vec<(Slot, Slot)> = Vec::new();
        for slot in slots {
            match spans.last_mut() {
                Some((_, last)) if *last + 1 == slot => *last = slot,
                _ => spans.push((slot, slot)),
            }
        }
        Self(spans.into())
    }

    /// Whether it opens in this slot.
    pub fn contains(&self, slot: Slot) -> bool {
        let behind = self.0.partition_point(|(first, _)| *first <= slot);
        behind > 0 && slot <= self.0[behind - 1].1
    }

    /// All of them, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + Clone + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(first, last)| (last - first) as usize + 1).sum()
    }

    /// The first and the last; `None` without any.
    pub fn ends(&self) -> Option<(Slot, Slot)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// The spans without a closed slot in them.
    pub fn spans(&self) -> &[(Slot, Slot)] {
        &self.0
    }

    /// Whether the spans are in ascending order, apart, and within so many slots.
    pub fn are_within(&self, slots: Slot) -> bool {
        let ends = iter::once(0).chain(self.0.iter().map(|(_, last)| *last));
        let in_order = |(before, (first, last)): (Slot, &(Slot, Slot))| before < *first && first <= last;
        ends.zip(self.0.iter()).all(in_order) && self.0.last().is_none_or(|(_, last)| *last <= slots)
    }
}

impl Serialize for OpenSlots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [span] = &*self.0 { span.serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for OpenSlots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spans {
            One((Slot, Slot)),
            Several(Vec<(Slot, Slot)>),
        }

        Ok(Self(match Spans::deserialize(deserializer)? {
            Spans::One(span) => [span].into(),
            Spans::Several(spans) => spans.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_open_if_it_lies_in_a_span() {
        let open = OpenSlots::of([2, 3, 4, 8, 9, 12]);
        assert_eq!(open.spans(), [(2, 4), (8, 9), (12, 12)]);
        let found: Vec<Slot> = (0..15).filter(|slot| open.contains(*slot)).collect();
        assert!(found == [2, 3, 4, 8, 9, 12] && open.iter().eq(found.iter().copied()) && open.count() == 6);
        assert!(open.are_within(12) && !open.are_within(11));
        assert!(OpenSlots::default().are_within(1) && !OpenSlots::default().contains(1));
        assert!(!OpenSlots::of([3, 1]).are_within(9));
    }

    #[test]
    fn one_span_is_written_as_a_pair_and_several_as_a_list() {
        for (open, text) in [
            (OpenSlots::span(8, 20), "[8,20]"),
            (OpenSlots::of([1, 2, 5]), "[[1,2],[5,5]]"),
            (OpenSlots::default(), "[]"),
        ] {
            assert_eq!(serde_json::to_string(&open).unwrap(), text);
            assert_eq!(serde_json::from_str::<OpenSlots>(text).unwrap(), open);
        }
    }
}
