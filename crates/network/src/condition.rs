//! What happens to links, and when: once, or again and again.

use super::{Link, Route};
use microgrid_actor::{Time, nanos};
use std::time::Duration;

/// Something that happens to links, and when. Whether it is on depends on the time alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// When.
    pub timing: Timing,
    /// What.
    pub what: Incident,
}

/// What can happen to links.
#[derive(Clone, Debug, PartialEq)]
pub enum Incident {
    /// What is sent over them is lost; what is under way arrives.
    Partition(Route),
    /// They differ from what they were.
    Change(Link),
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// When it first begins.
    pub at: Time,
    /// How long it lasts; for ever if `None`.
    pub lasting: Option<Duration>,
    /// From one beginning to the next, longer than it lasts; once only if `None`.
    pub every: Option<Duration>,
}

impl Timing {
    /// Whether it is on at `now`; at the moment it ends it is not.
    pub fn is_on(&self, now: Time) -> bool {
        match self.last_begin(now) {
            None => false,
            Some(begin) => self.lasting.is_none_or(|lasting| now < begin + lasting),
        }
    }

    /// When it last began, up to `now`.
    pub(super) fn last_begin(&self, now: Time) -> Option<Time> {
        let passed = now.0.checked_sub(self.at.0)?;
        Some(Time(now.0 - self.every.map_or(passed, |every| passed % nanos(every))))
    }

    /// When it next begins, from `now` on.
    pub(super) fn next_begin(&self, now: Time) -> Option<Time> {
        let passed = now - self.at;
        if passed.is_zero() {
            return Some(self.at);
        }
        let every = nanos(self.every?);
        Some(Time(self.at.0.saturating_add(nanos(passed).div_ceil(every).saturating_mul(every))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(lasting: Option<u64>, every: Option<u64>) -> Timing {
        Timing { at: Time(10), lasting: lasting.map(Duration::from_nanos), every: every.map(Duration::from_nanos) }
    }

    fn on(timing: Timing) -> Vec<u64> {
        (0..40).filter(|&now| timing.is_on(Time(now))).collect()
    }

    #[test]
    fn it_is_on_from_its_beginning_to_just_before_its_end_each_time() {
        assert_eq!(on(timing(Some(3), None)), [10, 11, 12]);
        assert_eq!(on(timing(Some(2), Some(12))), [10, 11, 22, 23, 34, 35]);
        assert_eq!(on(timing(None, None)), (10..40).collect::<Vec<_>>());
    }

    #[test]
    fn the_next_beginning_is_now_or_later() {
        let next = |timing: Timing, now| timing.next_begin(Time(now)).map(|begin| begin.0);
        let again = timing(Some(2), Some(12));
        assert_eq!([0, 10, 11, 22, 23].map(|now| next(again, now)), [10, 10, 22, 22, 34].map(Some));
        let once = timing(Some(2), None);
        assert_eq!([0, 10, 11].map(|now| next(once, now)), [Some(10), Some(10), None]);
    }
}
