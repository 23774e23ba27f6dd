//! How large a step of learning is.

use serde::{Deserialize, Serialize};

/// How large a step is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum StepSize {
    /// `a` or `b` as given.
    Fixed(f64),
    /// In units of the market's own scale, so that one number serves markets of any size.
    Scaled(f64),
}

impl StepSize {
    /// `part` of the step, in the same units.
    pub fn times(self, part: f64) -> Self {
        match self {
            Self::Fixed(size) => Self::Fixed(size * part),
            Self::Scaled(size) => Self::Scaled(size * part),
        }
    }

    /// The number, whatever its units.
    pub fn number(self) -> f64 {
        let (Self::Fixed(size) | Self::Scaled(size)) = self;
        size
    }
}
