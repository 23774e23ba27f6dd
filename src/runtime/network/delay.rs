//! How long a message takes.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a message takes.
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

/// Nothing takes longer, whatever is drawn.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Delay {
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
        drawn.min(LONGEST)
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
