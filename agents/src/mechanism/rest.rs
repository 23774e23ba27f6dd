//! When a market is at rest: everybody has answered, at rest, news in which everybody was at rest.
//!
//! Each participant counts its own updates at rest and says so in its posts. That all counts reach the patience is not
//! enough where news is old: everybody may be quiet while what would move them is still under way. So the ledger also
//! notes when it saw a participant's rest begin, and how fresh the news was that its newest post answered. With a
//! patience of three and round trips below half a period the second condition follows from the first.

use crate::time::Time;

/// What the ledger knows about one participant's rest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    /// Version of the newest post.
    version: u32,
    /// Updates at rest up to that post, by the participant's own count.
    updates: u32,
    /// When the ledger saw these begin.
    since: Time,
    /// Date of the news that the newest post answered.
    answered: Time,
}

impl Rest {
    /// Takes note of a post that is newer than all before.
    pub(super) fn note(&mut self, version: u32, updates: u32, answered: Time, now: Time) {
        // Posts may be lost in between: the count goes on only if it grew by one for each of them.
        let goes_on = self.updates > 0 && updates >= self.updates.saturating_add(version - self.version);
        if !goes_on {
            self.since = now;
        }
        *self = Self { version, updates, since: self.since, answered };
    }
}

/// Since when all these participants are at rest, and the date of the oldest news that one of them has answered last; `None`
/// if not all are.
pub(super) fn calm<'a>(participants: impl Iterator<Item = &'a Rest> + Clone, patience: u32) -> Option<(Time, Time)> {
    // Asked after every change: mostly, one of the first is not patient yet.
    if participants.clone().any(|rest| rest.updates < patience) {
        return None;
    }
    let begun = participants.clone().map(|rest| rest.since).max();
    Some((begun.unwrap_or_default(), participants.map(|rest| rest.answered).min().unwrap_or(Time(u64::MAX))))
}

/// Whether participants of whom several groups are calm know of each other's rest.
pub(super) fn all_at_rest(groups: impl Iterator<Item = Option<(Time, Time)>>) -> bool {
    let both = groups.reduce(|one, other| {
        let ((begun, answered), (later, older)) = (one?, other?);
        Some((begun.max(later), answered.min(older)))
    });
    both.flatten().is_some_and(|(begun, answered)| answered >= begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests<const N: usize>(participants: [Rest; N], patience: u32) -> bool {
        let whole = all_at_rest([calm(participants.iter(), patience)].into_iter());
        // In whatever groups they are.
        let each = all_at_rest(participants.iter().map(|one| calm([one].into_iter(), patience)));
        assert_eq!(whole, each);
        whole
    }

    /// Posts at whole periods of 10, each answering news that is `age` old; at rest from the first on.
    fn participant(posts: u32, age: u64) -> Rest {
        let mut rest = Rest::default();
        for version in 1..=posts {
            let now = 10 * u64::from(version);
            rest.note(version, version - 1, Time(now.saturating_sub(age)), Time(now));
        }
        rest
    }

    #[test]
    fn on_fresh_news_patience_is_all_it_takes() {
        assert!(!rests([participant(4, 5), participant(3, 5)], 3));
        assert!(rests([participant(4, 5), participant(4, 5)], 3));
    }

    #[test]
    fn on_old_news_rest_must_have_come_back() {
        // The second post, at 20, is the first at rest.
        assert!(!rests([participant(4, 25)], 3));
        assert!(!rests([participant(4, 5), participant(4, 25)], 3));
        assert!(rests([participant(5, 5), participant(5, 25)], 3));
    }

    #[test]
    fn a_lost_post_does_not_interrupt_rest_but_a_move_in_it_does() {
        let mut rest = participant(4, 5);
        rest.note(7, 6, Time(65), Time(70));
        assert_eq!(rest.since, Time(20));
        rest.note(10, 2, Time(95), Time(100));
        assert_eq!(rest.since, Time(100), "version 8 moved");
        assert!(!rests([rest], 2));
        rest.note(11, 3, Time(105), Time(110));
        assert!(rests([rest], 2));
    }
}
