//! Simulated time: whole nanoseconds since the start of the run.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// A moment of simulated time [ns since the start of the run].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Self = Self(0);

    /// The moment `slots` slots of length `slot_length` after the start.
    pub fn after_slots(slots: u32, slot_length: Duration) -> Self {
        Self(u64::from(slots) * nanos(slot_length))
    }
}

/// A duration as whole nanoseconds; saturates after 584 years.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanos(later)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// How long ago `earlier` was; zero if it lies ahead.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        let (seconds, millis) = (millis / 1000, millis % 1000);
        write!(f, "{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_reads_as_a_clock() {
        let moment = Time::after_slots(16, Duration::from_secs(3600)) + Duration::from_millis(61_020);
        assert_eq!(moment.to_string(), "16:01:01.020");
        assert_eq!(moment - Time::after_slots(16, Duration::from_secs(3600)), Duration::from_millis(61_020));
        assert_eq!(Time::ZERO - moment, Duration::ZERO);
    }
}
