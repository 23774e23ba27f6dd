//! Which sellers a buyer knows.

use rand::{Rng, seq::index};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which sellers each buyer knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoiceSet {
    /// All of them.
    #[default]
    All,
    /// So many, drawn at random by each buyer for itself; all where there are not more.
    Sample(u32),
}

impl ChoiceSet {
    /// Whether everybody knows everybody.
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// How many of so many `sellers` a buyer knows.
    pub fn size(self, sellers: usize) -> usize {
        match self {
            Self::All => sellers,
            Self::Sample(size) => sellers.min(size as usize),
        }
    }

    /// Draws the positions of the sellers that one buyer knows, ascending, each as likely as the others; `None` where
    /// everybody knows all.
    pub fn draw(self, sellers: usize, random: &mut impl Rng) -> Option<Arc<[u32]>> {
        let Self::Sample(_) = self else { return None };
        let mut known: Vec<u32> =
            index::sample(random, sellers, self.size(sellers)).into_iter().map(|position| position as u32).collect();
        known.sort_unstable();
        Some(known.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::ActorId,
        streams::{Purpose, slot_stream},
    };

    #[test]
    fn every_seller_is_as_likely_to_be_known_and_nobody_is_known_twice() {
        let mut known = [0; 10];
        for buyer in 0..30_000 {
            let mut random = slot_stream(7, ActorId(buyer), Purpose::Acquaintance, 12);
            let drawn = ChoiceSet::Sample(3).draw(10, &mut random).unwrap();
            assert!(drawn.len() == 3 && drawn.is_sorted_by(|a, b| a < b), "{drawn:?}");
            drawn.iter().for_each(|&seller| known[seller as usize] += 1);
        }
        // 9,000 each, with a standard deviation of 79.
        assert!(known.iter().all(|count| (8_650..9_350).contains(count)), "{known:?}");
    }

    #[test]
    fn a_buyer_knows_all_sellers_where_there_are_no_more() {
        let mut random = slot_stream(7, ActorId(5), Purpose::Acquaintance, 12);
        assert_eq!(ChoiceSet::Sample(16).draw(3, &mut random).as_deref(), Some(&[0, 1, 2][..]));
        assert_eq!(ChoiceSet::All.draw(3, &mut random), None);
    }
}
