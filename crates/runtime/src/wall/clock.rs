//! Simulated time by the machine's clock.

use microgrid_actor::Time;
use std::time::{Duration, Instant};

/// Tells simulated time: what has passed since the start, times the speed.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    start: Instant,
    /// Simulated seconds per second.
    speed: f64,
}

impl WallClock {
    /// A clock that starts now, at time zero.
    #[expect(clippy::disallowed_methods, reason = "this is the wall clock")]
    pub(super) fn start(speed: f64) -> Self {
        Self { start: Instant::now(), speed }
    }

    /// What time it is. Never goes back, on whichever thread it is asked.
    pub(super) fn now(&self) -> Time {
        self.at(self.start.elapsed())
    }

    /// How long, by the machine's clock, until it is `moment`; zero if that has passed.
    pub(super) fn until(&self, moment: Time) -> Duration {
        (moment - self.now()).div_f64(self.speed)
    }

    /// What time it is when so much has passed.
    fn at(&self, elapsed: Duration) -> Time {
        Time((elapsed.as_secs_f64() * self.speed * 1e9) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_runs_at_its_speed_and_never_back() {
        let clock = WallClock::start(60.0);
        assert_eq!(clock.at(Duration::from_millis(1500)), Time(90_000_000_000));
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        assert!(clock.until(last + Duration::from_secs(60)) <= Duration::from_secs(1));
        assert_eq!(clock.until(Time::ZERO), Duration::ZERO);
    }
}
