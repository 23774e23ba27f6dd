//! How old news is, in rounds, on each way round the loop.

use std::time::Duration;

/// Rounds by which news is late on each way round the loop, beyond what a round takes by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lags {
    /// From a price through fitness to a share.
    pub fitness: usize,
    /// From a share through demand to a price.
    pub demand: usize,
    /// From a price through demand to a price.
    pub answer: usize,
}

impl Lags {
    /// The lags of information that is this many whole periods old from actor to actor.
    pub fn of_periods(periods: usize) -> Self {
        Self::of_half_periods(2 * periods)
    }

    /// The lags of information whose age from actor to actor lies between `half_periods` and one more of half a period.
    ///
    /// A seller posts at `n T`, a buyer acts at `(m + 1/2) T` and knows of it if `n T + age` has passed: `n` is `m`, less
    /// the age rounded up from half a period on. The same holds from buyer to seller. From buyer to buyer, and fitness
    /// goes that way as it is computed when choices arrive, a whole period passes without any delay, so that this way
    /// grows longer half a period later than the other two.
    pub fn of_half_periods(half_periods: usize) -> Self {
        let demand = half_periods.div_ceil(2);
        Self { fitness: half_periods / 2, demand, answer: 2 * demand }
    }

    /// How many halves of `period` the `age` holds, and whether it does so exactly: then news arrives at the very moment
    /// at which somebody acts on it, and the order of the two is a matter of chance. The lags take it to be late.
    pub fn half_periods(age: Duration, period: Duration) -> (usize, bool) {
        let twice = 2 * age.as_nanos();
        let whole = twice / period.as_nanos();
        (whole as usize, whole > 0 && twice.is_multiple_of(period.as_nanos()))
    }

    /// From a price through fitness, share and demand to a price.
    pub(super) fn share(self) -> usize {
        self.fitness + self.demand
    }

    pub(super) fn longest(self) -> usize {
        self.share().max(self.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_younger_than_half_a_period_is_in_time() {
        let second = Duration::from_secs(1);
        let at = |millis| Lags::half_periods(Duration::from_millis(millis), second);
        assert_eq!(at(0), (0, false));
        assert_eq!(at(499), (0, false));
        assert_eq!(at(500), (1, true), "arrives as it is needed");
        assert_eq!(at(501), (1, false));
        assert_eq!(at(1000), (2, true));
        assert_eq!(Lags::of_half_periods(0), Lags::default());
    }

    #[test]
    fn each_half_period_makes_one_of_the_ways_longer() {
        let lags = |halves| {
            let Lags { fitness, demand, answer } = Lags::of_half_periods(halves);
            (fitness, demand, answer)
        };
        assert_eq!([1, 2, 3, 4].map(lags), [(0, 1, 2), (1, 1, 2), (1, 2, 4), (2, 2, 4)]);
        assert_eq!(Lags::of_periods(4), Lags { fitness: 4, demand: 4, answer: 8 });
    }
}
