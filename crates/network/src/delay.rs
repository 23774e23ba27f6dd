//! How long a message takes.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, time::Duration};

/// How long a message takes.
///
/// A new distribution is a variant, an arm in each function below, and a row of its table in `docs/scenario.md`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Delay {
    /// Always as long as this, which may be zero.
    Constant(#[serde(with = "humantime_serde")] Duration),
    /// Anything between two bounds, each as likely as the other.
    Uniform {
        /// The shortest.
        #[serde(with = "humantime_serde")]
        min: Duration,
        /// The longest.
        #[serde(with = "humantime_serde")]
        max: Duration,
    },
    /// A shortest time and a wait of exponential distribution.
    Exponential {
        /// The shortest.
        #[serde(with = "humantime_serde")]
        min: Duration,
        /// The mean, with the shortest included.
        #[serde(with = "humantime_serde")]
        mean: Duration,
    },
    /// A shortest time and a wait whose logarithm has a normal distribution: mostly quick, sometimes very slow.
    LogNormal {
        /// The shortest.
        #[serde(with = "humantime_serde")]
        min: Duration,
        /// The median, with the shortest included.
        #[serde(with = "humantime_serde")]
        median: Duration,
        /// Standard deviation of the wait's logarithm.
        sigma: f64,
    },
}

/// A parameter of a distribution, and what it may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// A time, and the least that it may be; the most is [`Delay::LONGEST`].
    Time(Duration, Duration),
    /// A number, and its range.
    Number(f64, RangeInclusive<f64>),
}

impl Delay {
    /// Nothing takes longer, whatever is drawn.
    pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// The parameters by name, that of a variant without names by that of the variant.
    pub fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let time = |name, value, least| (name, Parameter::Time(value, least));
        match *self {
            Self::Constant(delay) => vec![time("Constant", delay, Duration::ZERO)],
            Self::Uniform { min, max } => {
                vec![time("Uniform.min", min, Duration::ZERO), time("Uniform.max", max, min)]
            }
            Self::Exponential { min, mean } => {
                vec![time("Exponential.min", min, Duration::ZERO), time("Exponential.mean", mean, min)]
            }
            Self::LogNormal { min, median, sigma } => vec![
                time("LogNormal.min", min, Duration::ZERO),
                time("LogNormal.median", median, min),
                // Beyond this, the longest of many delays would be thousands of times the median.
                ("LogNormal.sigma", Parameter::Number(sigma, 0.0..=2.0)),
            ],
        }
    }

    /// Draws how long one message takes.
    pub fn draw(&self, random: &mut impl Rng) -> Duration {
        let drawn = match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { min, max } => min + (max - min).mul_f64(random.random::<f64>()),
            Self::Exponential { min, mean } => {
                let waits: f64 = Exp1.sample(random);
                min + (mean - min).mul_f64(waits)
            }
            Self::LogNormal { min, median, sigma } => {
                let normal: f64 = StandardNormal.sample(random);
                min + (median - min).mul_f64((sigma * normal).exp())
            }
        };
        drawn.min(Self::LONGEST)
    }

    /// The shortest time that a message can take.
    pub fn shortest(&self) -> Duration {
        match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { min, .. } | Self::Exponential { min, .. } | Self::LogNormal { min, .. } => min,
        }
    }

    /// The mean time that a message takes.
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { min, max } => (min + max) / 2,
            Self::Exponential { mean, .. } => mean,
            Self::LogNormal { min, median, sigma } => min + (median - min).mul_f64((sigma * sigma / 2.0).exp()),
        }
    }

    /// A time that less than one message in a thousand exceeds.
    pub fn almost_longest(&self) -> Duration {
        match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { max, .. } => max,
            Self::Exponential { min, mean } => min + 7 * (mean - min),
            Self::LogNormal { min, median, sigma } => min + (median - min).mul_f64((3.1 * sigma).exp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    const DRAWS: usize = 200_000;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn all() -> [Delay; 4] {
        let (min, long) = (millis(20), millis(100));
        [
            Delay::Constant(long),
            Delay::Uniform { min, max: long },
            Delay::Exponential { min, mean: long },
            Delay::LogNormal { min, median: long, sigma: 0.7 },
        ]
    }

    fn drawn(delay: Delay) -> Vec<Duration> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut drawn: Vec<_> = (0..DRAWS).map(|_| delay.draw(&mut random)).collect();
        drawn.sort();
        drawn
    }

    #[test]
    fn what_is_drawn_has_the_mean_and_the_bounds_that_are_told() {
        for delay in all() {
            let drawn = drawn(delay);
            let mean = drawn.iter().map(Duration::as_secs_f64).sum::<f64>() / DRAWS as f64;
            assert!((mean / delay.mean().as_secs_f64() - 1.0).abs() < 0.01, "{delay:?}: {mean}");
            assert!(drawn[0] >= delay.shortest(), "{delay:?}");
            assert!(drawn[0] - delay.shortest() < millis(3) || matches!(delay, Delay::LogNormal { .. }), "{delay:?}");
            let beyond = drawn.iter().filter(|&&drawn| drawn > delay.almost_longest()).count();
            // A fifth more than told, which chance alone hardly ever makes of so many draws.
            assert!(beyond * 1000 < DRAWS * 6 / 5, "{delay:?}: {beyond} beyond");
            assert!(delay.almost_longest() < 10 * delay.mean(), "{delay:?}: a bound that says something");
        }
    }

    #[test]
    fn half_of_the_log_normal_waits_are_longer_than_the_median() {
        let drawn = drawn(Delay::LogNormal { min: millis(20), median: millis(100), sigma: 1.5 });
        assert!((drawn[DRAWS / 2].as_secs_f64() - 0.1).abs() < 0.002, "{:?}", drawn[DRAWS / 2]);
    }

    #[test]
    fn bounds_that_meet_leave_no_choice() {
        let min = millis(30);
        for delay in [Delay::Uniform { min, max: min }, Delay::Exponential { min, mean: min }] {
            let drawn = drawn(delay);
            assert_eq!((drawn[0], drawn[DRAWS - 1]), (min, min));
        }
    }
}
