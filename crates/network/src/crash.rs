//! Crashes: when which actor is down, and when it starts again.
//!
//! While an actor is down, what arrives for it is lost, and its wake-ups wait. When it is up again, what waited happens
//! in the order in which it was due; or, if it has lost its memory, all earlier wake-ups are void and it restarts.
//!
//! Crashes of one actor that overlap, or of which one begins as another ends, are one: the actor is up again when the
//! last of them ends, and has lost its memory if any of them takes it.

use super::{Members, Timing};
use microgrid_actor::{ActorId, Time};
use serde::{Deserialize, Serialize};

/// What an actor still knows after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Memory {
    /// Everything; it goes on where it stopped.
    #[default]
    Kept,
    /// Nothing but who it is and what its devices hold, or its disk; it asks the ledger where it stands. Prosumers and peers
    /// only.
    Lost,
}

/// Actors that are down from time to time.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// When; it is for ever if it has no end.
    pub timing: Timing,
    /// Who.
    pub who: Members,
    /// What they still know when they are up again.
    pub memory: Memory,
}

/// When one actor is down.
#[derive(Clone, Debug)]
pub struct Downtime {
    crashes: Vec<(Timing, Memory)>,
    /// No crash begins from here on.
    ends: Time,
}

impl Downtime {
    /// When `actor` is down, given all crashes that begin before `ends`; `None` if it never is.
    pub fn of(actor: ActorId, crashes: &[Crash], ends: Time) -> Option<Self> {
        let of_actor = crashes.iter().filter(|crash| crash.who.contains(actor));
        let crashes: Vec<_> = of_actor.map(|crash| (crash.timing, crash.memory)).collect();
        if crashes.is_empty() { None } else { Some(Self { crashes, ends }) }
    }

    /// When it is up again, if it is down at `now`; never, if a crash has no end.
    pub fn up_again(&self, now: Time) -> Option<Time> {
        let mut up = now;
        while let Some(end) = self.crashes.iter().filter_map(|(timing, _)| self.end(timing, up)).max() {
            up = end;
        }
        (up > now && up < Time(u64::MAX)).then_some(up)
    }

    /// Whether it is down at `now`.
    pub fn is_down(&self, now: Time) -> bool {
        self.crashes.iter().any(|(timing, _)| self.end(timing, now).is_some())
    }

    /// When it next restarts without its memory, after a crash that begins at `now` or later.
    pub fn next_restart(&self, now: Time) -> Option<Time> {
        let lost = self.crashes.iter().filter(|(_, memory)| *memory == Memory::Lost);
        let begin = lost.filter_map(|(timing, _)| timing.next_begin(now)).min()?;
        if begin < self.ends { self.up_again(begin) } else { None }
    }

    /// When a crash that is under way at `now` ends.
    fn end(&self, timing: &Timing, now: Time) -> Option<Time> {
        let begin = timing.last_begin(now).filter(|&begin| begin < self.ends)?;
        let end = timing.lasting.map_or(Time(u64::MAX), |lasting| begin + lasting);
        (now < end).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The downtime of an actor that crashes as these say: begin, length, repetition, and whether memory is lost.
    fn downtime(crashes: &[(u64, u64, Option<u64>, bool)], ends: u64) -> Downtime {
        let crashes = crashes.iter().map(|&(at, lasting, every, lost)| Crash {
            timing: Timing {
                at: Time(at),
                lasting: Some(Duration::from_nanos(lasting)),
                every: every.map(Duration::from_nanos),
            },
            who: Members::Range(2..u32::MAX),
            memory: if lost { Memory::Lost } else { Memory::Kept },
        });
        Downtime::of(ActorId(5), &crashes.collect::<Vec<_>>(), Time(ends)).expect("it crashes")
    }

    fn restarts(downtime: &Downtime) -> Vec<u64> {
        std::iter::successors(downtime.next_restart(Time::ZERO), |&up| downtime.next_restart(up)).map(|t| t.0).collect()
    }

    #[test]
    fn who_is_not_meant_is_never_down() {
        let crash = Crash {
            timing: Timing { at: Time(0), lasting: Some(Duration::from_secs(1)), every: None },
            who: Members::Range(2..u32::MAX),
            memory: Memory::Lost,
        };
        assert!(Downtime::of(ActorId(1), &[crash], Time(100)).is_none());
    }

    #[test]
    fn crashes_that_overlap_or_follow_at_once_are_one() {
        let downtime = downtime(&[(10, 10, None, false), (15, 10, None, true), (25, 5, None, false)], 100);
        assert_eq!([9, 10, 29, 30].map(|now| downtime.is_down(Time(now))), [false, true, true, false]);
        for now in [10, 15, 24, 25, 29] {
            assert_eq!(downtime.up_again(Time(now)), Some(Time(30)));
        }
        assert_eq!(downtime.up_again(Time(30)), None);
        assert_eq!(restarts(&downtime), [30], "one of them takes the memory, and it restarts once");
    }

    #[test]
    fn a_recurring_crash_ends_with_the_run() {
        let downtime = downtime(&[(10, 5, Some(20), true), (32, 10, None, false)], 70);
        assert_eq!(restarts(&downtime), [15, 42, 55], "the one at 70 begins too late");
        assert!(!downtime.is_down(Time(71)));
    }

    #[test]
    fn crashes_that_always_overlap_end_with_the_run_too() {
        let downtime = downtime(&[(0, 10, Some(20), true), (10, 10, Some(20), true)], 65);
        assert_eq!(restarts(&downtime), [70]);
    }

    #[test]
    fn whoever_crashes_for_good_never_starts_again() {
        let timing = Timing { at: Time(10), lasting: None, every: None };
        let crash = Crash { timing, who: Members::One(ActorId(2)), memory: Memory::Lost };
        let downtime = Downtime::of(ActorId(2), &[crash], Time(u64::MAX)).unwrap();
        assert!(!downtime.is_down(Time(9)) && downtime.is_down(Time(10)) && downtime.is_down(Time(1 << 60)));
        assert_eq!((downtime.up_again(Time(10)), downtime.next_restart(Time(0))), (None, None));
    }
}
