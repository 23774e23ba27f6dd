//! When a participant acts in the game.

use crate::{
    market::role::Role,
    streams::Stream,
    time::{Time, nanos},
};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The rhythm of a market.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Activation {
    /// All sellers act at whole multiples of the period, all buyers half a period later.
    LockStep {
        /// From one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
    },
    /// Each by a clock of its own, which began at a random moment of the first period.
    Independent {
        /// Mean time from one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
        /// Largest relative deviation of that time, in [0, 1).
        #[serde(default)]
        jitter: f64,
    },
    /// At moments that have nothing to do with each other.
    Poisson {
        /// Mean time from one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
    },
    /// Whenever there is news, but not too often.
    Reactive {
        /// Shortest time from one act to the next.
        #[serde(with = "humantime_serde")]
        min_interval: Duration,
    },
}

impl Default for Activation {
    fn default() -> Self {
        Self::LockStep { period: Duration::from_secs(1) }
    }
}

/// The shortest time from one act to the next that can be drawn.
const INSTANT: Duration = Duration::from_nanos(1);

impl Activation {
    /// When a participant in this role first acts in a market that it joins `now`, strictly later.
    pub fn first(&self, role: Role, now: Time, random: &mut Stream) -> Time {
        match *self {
            Self::LockStep { period } => lock_step(period, role, now),
            Self::Independent { period, .. } | Self::Reactive { min_interval: period } => {
                now + period.mul_f64(random.random::<f64>()).max(INSTANT)
            }
            Self::Poisson { period } => now + wait(period, random),
        }
    }

    /// When a participant in this role acts again after it has acted `now`, strictly later; on news alone if `None`.
    pub fn next(&self, role: Role, now: Time, random: &mut Stream) -> Option<Time> {
        match *self {
            Self::LockStep { period } => Some(lock_step(period, role, now)),
            Self::Independent { period, jitter } => {
                let factor = 1.0 + jitter * (2.0 * random.random::<f64>() - 1.0);
                Some(now + period.mul_f64(factor).max(INSTANT))
            }
            Self::Poisson { period } => Some(now + wait(period, random)),
            Self::Reactive { .. } => None,
        }
    }

    /// The period, or the mean or shortest time between two acts.
    pub fn period(&self) -> Duration {
        match *self {
            Self::LockStep { period } | Self::Independent { period, .. } | Self::Poisson { period } => period,
            Self::Reactive { min_interval } => min_interval,
        }
    }
}

fn lock_step(period: Duration, role: Role, now: Time) -> Time {
    let period = nanos(period);
    let phase = if role == Role::Buyer { period / 2 } else { 0 };
    let passed = (now.0 + period - phase) / period;
    Time(passed * period + phase)
}

/// A time of exponential distribution.
fn wait(mean: Duration, random: &mut Stream) -> Duration {
    let survived = 1.0 - random.random::<f64>();
    mean.mul_f64(-survived.ln()).max(INSTANT)
}

/// When one participant acts: what of its rhythm is its own. Wake-ups cannot be cancelled, so it counts only on those
/// that come when an act is due.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rhythm {
    random: Stream,
    /// When it acts next: a wake-up from then on is one to act on.
    pub(super) due: Time,
    /// When the wake-up comes that does not depend on news.
    certain: Time,
    /// How often it has acted in this market.
    pub(super) acts: u32,
    first: Time,
    last: Time,
    /// Whether no wake-up comes of itself.
    pub(super) is_asleep: bool,
}

impl Rhythm {
    pub(super) fn new(random: Stream) -> Self {
        Self {
            random,
            due: Time::ZERO,
            certain: Time::ZERO,
            acts: 0,
            first: Time::ZERO,
            last: Time::ZERO,
            is_asleep: false,
        }
    }

    /// Begins anew in a market joined `now`; returns when to wake up.
    pub(super) fn begin(&mut self, activation: Activation, role: Role, now: Time) -> Time {
        self.due = activation.first(role, now, &mut self.random);
        self.certain = self.due;
        self.acts = 0;
        self.is_asleep = false;
        self.due
    }

    /// Wakes up no more of itself: there is nothing to say.
    pub(super) fn sleep(&mut self) {
        self.is_asleep = true;
    }

    /// Ends its sleep, as something has come `now` on which to act; returns when to wake up for it.
    pub(super) fn rouse(&mut self, activation: Activation, role: Role, now: Time) -> Time {
        let soonest = now.max(self.last + activation.period());
        self.due = activation.next(role, now, &mut self.random).unwrap_or(soonest);
        self.certain = self.due;
        self.is_asleep = false;
        self.due
    }

    /// Goes on from an act `now`; without news, the next is due after `patience`.
    pub(super) fn acted(&mut self, activation: Activation, role: Role, now: Time, patience: Duration) {
        self.due = activation.next(role, now, &mut self.random).unwrap_or(now + patience);
        if self.acts == 0 {
            self.first = now;
        }
        self.last = now;
        self.acts += 1;
    }

    /// When to wake up next, asked whenever a wake-up has come; `None` if one is on its way already.
    pub(super) fn wake(&mut self, now: Time) -> Option<Time> {
        (self.certain <= now).then(|| {
            self.certain = self.due;
            self.due
        })
    }

    /// News has come: returns when to wake up for it, or `None` if that changes nothing.
    pub(super) fn hear(&mut self, activation: Activation, now: Time) -> Option<Time> {
        let Activation::Reactive { min_interval } = activation else { return None };
        // The first act does not wait for news.
        let soon = if self.acts == 0 { self.due } else { now.max(self.last + min_interval) };
        (soon < self.due).then(|| {
            self.due = soon;
            soon
        })
    }

    /// The mean time from one of its acts to the next, by its clock, or as measured where it has none.
    pub(super) fn interval(&self, activation: Activation) -> Duration {
        match activation {
            Activation::Reactive { min_interval } if self.acts > 1 => {
                ((self.last - self.first) / (self.acts - 1)).max(min_interval)
            }
            _ => activation.period(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::ActorId,
        streams::{Purpose, stream},
    };

    const PERIOD: Duration = Duration::from_nanos(1_000_000);

    fn random(actor: u32) -> Stream {
        stream(2023, ActorId(actor), Purpose::Activation)
    }

    /// The first 2,000 acts in a market joined at one whole period.
    fn acts(activation: Activation, actor: u32) -> Vec<u64> {
        let mut random = random(actor);
        let begun = Time(nanos(PERIOD));
        let first = activation.first(Role::Buyer, begun, &mut random);
        let next = |now: &Time| activation.next(Role::Buyer, *now, &mut random);
        std::iter::successors(Some(first), next).take(2_000).map(|time| (time - begun).as_nanos() as u64).collect()
    }

    fn intervals(acts: &[u64]) -> Vec<f64> {
        acts.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / nanos(PERIOD) as f64).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn in_lock_step_buyers_act_half_a_period_after_sellers() {
        let activation = Activation::LockStep { period: Duration::from_nanos(10) };
        let next = |role, now| {
            let next = activation.next(role, Time(now), &mut random(1)).unwrap();
            assert_eq!(next, activation.first(role, Time(now), &mut random(1)));
            next.0
        };
        assert_eq!(next(Role::Seller, 0), 10);
        assert_eq!(next(Role::Seller, 9), 10);
        assert_eq!(next(Role::Seller, 10), 20);
        assert_eq!(next(Role::Buyer, 0), 5);
        assert_eq!(next(Role::Buyer, 4), 5);
        assert_eq!(next(Role::Buyer, 5), 15);
        assert_eq!(next(Role::Buyer, 14), 15);
    }

    #[test]
    fn independent_clocks_begin_anywhere_in_the_first_period_and_keep_to_their_jitter() {
        let activation = Activation::Independent { period: PERIOD, jitter: 0.3 };
        let firsts: Vec<f64> = (0..1_000).map(|actor| acts(activation, actor)[0] as f64 / 1e6).collect();
        assert!(firsts.iter().all(|&first| 0.0 < first && first <= 1.0));
        assert!((mean(&firsts) - 0.5).abs() < 0.03, "{}", mean(&firsts));
        let intervals = intervals(&acts(activation, 1));
        assert!(intervals.iter().all(|interval| (0.7..=1.3).contains(interval)));
        assert!((mean(&intervals) - 1.0).abs() < 0.02);
        assert!(intervals.iter().any(|&interval| interval < 0.75) && intervals.iter().any(|&interval| interval > 1.25));
    }

    #[test]
    fn poisson_acts_are_exponentially_apart() {
        let intervals = intervals(&acts(Activation::Poisson { period: PERIOD }, 1));
        assert!((mean(&intervals) - 1.0).abs() < 0.07);
        let longer = |than| intervals.iter().filter(|&&interval| interval > than).count() as f64 / 1999.0;
        assert!((longer(1.0) - (-1.0_f64).exp()).abs() < 0.04);
        assert!((longer(2.0) - (-2.0_f64).exp()).abs() < 0.03);
    }

    const REACTIVE: Activation = Activation::Reactive { min_interval: Duration::from_nanos(10) };
    const PATIENCE: Duration = Duration::from_nanos(100);

    /// A rhythm that has acted once, at the returned time.
    fn reacting() -> (Rhythm, Time) {
        let mut rhythm = Rhythm::new(random(1));
        let first = rhythm.begin(REACTIVE, Role::Seller, Time(1_000));
        assert!(first > Time(1_000) && first <= Time(1_010), "soon after the market opens");
        assert_eq!(rhythm.hear(REACTIVE, Time(1_001)), None, "the first act comes by itself");
        assert!(first >= rhythm.due);
        rhythm.acted(REACTIVE, Role::Seller, first, PATIENCE);
        assert_eq!(rhythm.wake(first), Some(first + PATIENCE));
        (rhythm, first)
    }

    #[test]
    fn news_is_answered_at_once_or_when_the_shortest_interval_is_over() {
        let (mut rhythm, first) = reacting();
        assert_eq!(rhythm.hear(REACTIVE, first + Duration::from_nanos(3)), Some(first + Duration::from_nanos(10)));
        assert_eq!(rhythm.hear(REACTIVE, first + Duration::from_nanos(4)), None, "it is to wake up as it is");
        assert!(first + Duration::from_nanos(9) < rhythm.due);
        let second = first + Duration::from_nanos(10);
        assert!(second >= rhythm.due);
        rhythm.acted(REACTIVE, Role::Seller, second, PATIENCE);
        assert_eq!(rhythm.wake(second), None, "the wake-up after the first act is still to come");
        let late = second + Duration::from_nanos(50);
        assert_eq!(rhythm.hear(REACTIVE, late), Some(late));
        rhythm.acted(REACTIVE, Role::Seller, late, PATIENCE);
        assert_eq!(rhythm.interval(REACTIVE), Duration::from_nanos(30));
    }

    #[test]
    fn without_news_it_acts_after_all() {
        let (mut rhythm, first) = reacting();
        let second = first + Duration::from_nanos(10);
        rhythm.hear(REACTIVE, second);
        rhythm.acted(REACTIVE, Role::Seller, second, PATIENCE);
        assert_eq!(rhythm.wake(second), None);
        let stale = first + PATIENCE;
        assert!(stale < rhythm.due);
        assert_eq!(rhythm.wake(stale), Some(second + PATIENCE));
        assert!(second + PATIENCE >= rhythm.due);
    }
}
