//! When a participant acts in the game.

use crate::{
    market::role::Role,
    time::{Time, nanos},
};
use std::time::Duration;

/// The rhythm of a market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// All sellers act at whole multiples of the period, all buyers half a period later.
    LockStep {
        /// From one act to the next.
        period: Duration,
    },
    /// Each by a clock of its own, which began at a random moment of the first period.
    Independent {
        /// Mean time from one act to the next.
        period: Duration,
        /// Largest relative deviation of that time, in [0, 1).
        jitter: f64,
    },
    /// At moments that have nothing to do with each other.
    Poisson {
        /// Mean time from one act to the next.
        period: Duration,
    },
    /// Whenever there is news, but not too often.
    Reactive {
        /// Shortest time from one act to the next.
        min_interval: Duration,
    },
}

impl Activation {
    /// The next time at which a participant in this role acts, strictly after `now`.
    pub fn next(&self, role: Role, now: Time) -> Time {
        match self {
            Self::LockStep { period } => {
                let period = nanos(*period);
                let phase = if role == Role::Buyer { period / 2 } else { 0 };
                let passed = (now.0 + period - phase) / period;
                Time(passed * period + phase)
            }
            _ => todo!(),
        }
    }

    /// The period, or the mean time between two acts.
    pub fn period(&self) -> Duration {
        match *self {
            Self::LockStep { period } | Self::Independent { period, .. } | Self::Poisson { period } => period,
            Self::Reactive { min_interval } => min_interval,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_lock_step_buyers_act_half_a_period_after_sellers() {
        let activation = Activation::LockStep { period: Duration::from_nanos(10) };
        let next = |role, now| activation.next(role, Time(now)).0;
        assert_eq!(next(Role::Seller, 0), 10);
        assert_eq!(next(Role::Seller, 9), 10);
        assert_eq!(next(Role::Seller, 10), 20);
        assert_eq!(next(Role::Buyer, 0), 5);
        assert_eq!(next(Role::Buyer, 4), 5);
        assert_eq!(next(Role::Buyer, 5), 15);
        assert_eq!(next(Role::Buyer, 14), 15);
    }
}
