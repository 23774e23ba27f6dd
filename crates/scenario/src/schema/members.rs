//! A community whose members have names and devices.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

with_defaults! {
    /// A community whose members have names and devices of their own.
    pub struct Community {
        /// A CSV file with a row for each member.
        pub members: PathBuf = PathBuf::new(),
        /// A CSV file with the profiles that members name.
        pub profiles: Option<PathBuf> = None,
        /// What the values of profiles are.
        pub unit: Unit = Unit::Kwh,
        /// How far members foresee wrongly what they generate and use.
        pub forecast_error: ForecastError = ForecastError::default(),
    }
}

with_defaults! {
    /// Relative standard deviations of what is foreseen of a slot, from what its meter will read.
    pub struct ForecastError {
        /// Of generation.
        pub generation: f64 = 0.0,
        /// Of load that cannot be deferred.
        pub load: f64 = 0.0,
    }
}

impl ForecastError {
    /// Whether anything is foreseen wrongly.
    pub(crate) fn is_any(&self) -> bool {
        self.generation > 0.0 || self.load > 0.0
    }
}

/// What the values of profiles are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// A share of the rated or peak power that the member's row gives [1].
    Share,
    /// Mean power over the interval of the row [kW].
    Kw,
    /// Energy in the interval of the row [kWh].
    Kwh,
}
