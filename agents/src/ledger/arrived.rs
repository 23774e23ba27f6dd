//! Which messages have come from somebody, by their numbers: what comes twice counts once.

use std::collections::BTreeSet;

/// Numbers of messages that have come. It remembers which of the last [`MOST`](Self::MOST) have not; of whatever is older than
/// those, a message counts as having come.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// The number behind the greatest that has come.
    next: u64,
    /// Those before it that have not.
    missing: BTreeSet<u64>,
    /// Of those before this one it has said which are lost.
    told: u64,
}

impl Arrived {
    const MOST: usize = 1000;
    /// A message that so many later ones have overtaken counts as lost.
    const LATER: u64 = 3;

    /// Takes note of a message, and says whether it is the first of its number.
    pub(super) fn is_first(&mut self, number: u64) -> bool {
        if number < self.next {
            return self.missing.remove(&number);
        }
        self.missing.extend(self.next.max(number.saturating_sub(Self::MOST as u64))..number);
        while self.missing.len() > Self::MOST {
            self.missing.pop_first();
        }
        self.next = number + 1;
        true
    }

    /// Whether any message counts as lost of which it has not said so before.
    pub(super) fn has_lost(&mut self) -> bool {
        let lost = self.told..self.told.max(self.next.saturating_sub(Self::LATER));
        let has_lost = self.missing.range(lost).next().is_some();
        if has_lost {
            self.told = self.next;
        }
        has_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_three_have_overtaken_is_lost_and_told_once() {
        let mut arrived = Arrived::default();
        let lost: Vec<bool> = [0, 2, 3, 4, 5, 7, 8, 1, 9, 6, 10, 11]
            .map(|number| {
                assert!(arrived.is_first(number));
                arrived.has_lost()
            })
            .into();
        let (one, six) = (3, 8);
        assert_eq!((0..12).filter(|n| lost[*n]).collect::<Vec<_>>(), [one, six]);
    }

    #[test]
    fn what_comes_twice_counts_once_in_whatever_order() {
        let mut arrived = Arrived::default();
        let first: Vec<bool> = [0, 0, 3, 1, 3, 2, 1, 2, 4].map(|number| arrived.is_first(number)).into();
        assert_eq!(first, [true, false, true, true, false, true, false, false, true]);
        assert!(arrived.is_first(1_000_000) && arrived.missing.len() == Arrived::MOST);
        assert!(!arrived.is_first(5) && arrived.is_first(999_999) && !arrived.is_first(999_999));
    }
}
