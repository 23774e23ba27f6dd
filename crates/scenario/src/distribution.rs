//! Distributions that a scenario can ask for.

use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal, StandardUniform};
use serde::{Deserialize, Serialize};

/// What a quantity that may not be negative is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Distribution {
    /// Always this value.
    Constant(f64),
    /// Any value from `min` to `max`, all equally likely.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// The bell curve; what falls below zero counts as zero.
    Normal {
        /// Its centre.
        mean: f64,
        /// Its width.
        std_dev: f64,
    },
    /// The logarithm is normal: half of the values lie below `median`, two thirds within a factor of `exp(sigma)`.
    LogNormal {
        /// Its median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Distribution {
    /// One draw, never negative. The parameters do not change how many random numbers it takes.
    pub fn draw(&self, random: &mut impl Rng) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { min, max } => {
                let position: f64 = StandardUniform.sample(random);
                min + (max - min) * position
            }
            Self::Normal { mean, std_dev } => (mean + std_dev * normal(random)).max(0.0),
            Self::LogNormal { median, sigma } => median * (sigma * normal(random)).exp(),
        }
    }
}

fn normal(random: &mut impl Rng) -> f64 {
    StandardNormal.sample(random)
}
