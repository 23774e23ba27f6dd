//! How old news is, in rounds, on each way round the loop.

use microgrid_agents::market::replicator::Fitness;
use std::time::Duration;

/// How long news waits for whoever acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// All sellers act at once, all buyers half a period later.
    LockStep,
    /// Clocks out of step that drift against each other: news waits for half a period on average.
    Drifting,
    /// Clocks out of step that stay as they happen to be: news may wait for a whole period every time.
    Standing,
    /// Moments that have nothing to do with each other: news waits for a whole period on average.
    Poisson,
}

impl Rhythm {
    /// Ages that make a difference, to a period: in lock-step only halves do.
    pub fn ages(self) -> usize {
        match self {
            Self::LockStep => 2,
            Self::Drifting | Self::Standing | Self::Poisson => 20,
        }
    }
}

/// Rounds by which news is late on each way round the loop, beyond what a round takes by itself.
///
/// Between whole numbers, part of the news is late by the one below and the rest by the one above.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lags {
    /// From a price through fitness, share and demand to a price, at least -1: the least and the most, if there is a
    /// range. More is not always worse.
    pub share: [f64; 2],
    /// From a price through demand to a price.
    pub answer: f64,
    /// From a share through fitness to a share.
    pub fitness: f64,
}

impl Lags {
    /// The lags in lock-step of information whose age from actor to actor lies between `half_periods` and one more of
    /// half a period.
    ///
    /// A seller posts at `n T`, a buyer acts at `(m + 1/2) T` and knows of it if `n T + age` has passed: `n` is `m`, less
    /// the age rounded up from half a period on. The same holds from buyer to seller. From buyer to buyer, and public
    /// fitness goes that way as it is computed when choices arrive, a whole period passes without any delay, so that this
    /// way grows longer half a period later than the other two. Private fitness is that of the prices which the buyer
    /// answered last, and as late as these.
    pub fn of_half_periods(half_periods: usize, fitness: Fitness) -> Self {
        let demand = half_periods.div_ceil(2) as f64;
        let fitness = match fitness {
            Fitness::Public => (half_periods / 2) as f64,
            Fitness::Private => demand,
        };
        Self { share: [fitness + demand; 2], answer: 2.0 * demand, fitness }
    }

    /// The lags out of step of information that is `age` periods old from actor to actor, with so many `buyers`.
    ///
    /// From a post back to whoever posted news waits twice, for half a period each if clocks drift: a loop of `2 age + 1`
    /// periods, of which a round takes one, as it does in lock-step. Public fitness is newer by what a buyer waits for
    /// itself there: the next choice of anybody brings it up to date, after `1 / buyers` of a period or less. Private
    /// fitness waits for the buyer's own.
    ///
    /// Poisson acts let a purchase stand for twice as long, half a period more in the mean. That the number of acts in a
    /// given time is random makes the squares of a slow swing grow as another half period on both ways does, and on that
    /// of a share by what one of many buyers counts besides.
    pub fn out_of_step(rhythm: Rhythm, age: f64, buyers: usize, fitness: Fitness) -> Self {
        let part = 1.0 / buyers as f64;
        let update = match fitness {
            Fitness::Public => part,
            Fitness::Private => 1.0,
        };
        let (share, answer) = match rhythm {
            Rhythm::LockStep | Rhythm::Drifting => (0.0, 0.0),
            Rhythm::Standing => (1.0, 1.0),
            Rhythm::Poisson => ((1.0 + part) / 2.0, 1.0),
        };
        let least = 2.0 * age - 1.0 + share;
        Self { share: [least, least + update], answer: 2.0 * age + answer, fitness: age + answer }
    }

    /// How many halves of `period` the `age` holds, and whether it does so exactly: then news arrives at the very moment
    /// at which somebody acts on it, and the order of the two is a matter of chance. The lags take it to be late.
    pub fn half_periods(age: Duration, period: Duration) -> (usize, bool) {
        let twice = 2 * age.as_nanos();
        let whole = twice / period.as_nanos();
        (whole as usize, whole > 0 && twice.is_multiple_of(period.as_nanos()))
    }

    /// The longest of them, rounded up.
    pub(super) fn longest(self) -> usize {
        self.share[1].max(self.answer).ceil() as usize
    }
}

/// Whole rounds and the part of the news that is late by so much, to millionths of a round.
pub(super) fn parts(lag: f64) -> impl Iterator<Item = (isize, f64)> {
    let lag = (lag * 1e6).round() / 1e6;
    let late = lag - lag.floor();
    [(lag.floor() as isize, 1.0 - late), (lag.floor() as isize + 1, late)].into_iter().filter(|(_, part)| *part > 0.0)
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
        assert_eq!(Lags::of_half_periods(0, Fitness::Public), Lags::default());
    }

    #[test]
    fn each_half_period_makes_one_of_the_ways_longer() {
        let lags = |halves| {
            let Lags { share, answer, fitness } = Lags::of_half_periods(halves, Fitness::Public);
            (share, answer, fitness)
        };
        let expected = [([1.0; 2], 2.0, 0.0), ([2.0; 2], 2.0, 1.0), ([3.0; 2], 4.0, 1.0), ([4.0; 2], 4.0, 2.0)];
        assert_eq!([1, 2, 3, 4].map(lags), expected);
        assert_eq!(Lags::of_half_periods(8, Fitness::Public), Lags { share: [8.0; 2], answer: 8.0, fitness: 4.0 });
        assert_eq!(Lags::of_half_periods(1, Fitness::Private).share, [2.0; 2]);
    }

    #[test]
    fn news_that_waits_is_late_in_parts() {
        let parts = |lag| parts(lag).collect::<Vec<_>>();
        assert_eq!(parts(2.0), [(2, 1.0)]);
        assert_eq!(parts(3.0 * (0.1 + 0.2) - 0.9), [(0, 1.0)]);
        assert_eq!(parts(1.25), [(1, 0.75), (2, 0.25)]);
        assert_eq!(parts(-0.5), [(-1, 0.5), (0, 0.5)]);
        let lags = Lags::out_of_step(Rhythm::Drifting, 0.5, 4, Fitness::Public);
        assert_eq!(lags, Lags { share: [0.0, 0.25], answer: 1.0, fitness: 0.5 });
    }
}
