//! By which rule buyers move their shares.

use serde::{Deserialize, Serialize};

/// By which rule buyers move their shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Behaviour {
    /// Replicator dynamics (15): what is worth more than the mean grows.
    #[default]
    Replicator,
    /// Smoothed best response (logit): towards what is worth most, the more surely the smaller the noise.
    BestResponse {
        /// How little differences count, in units of the market's own scale.
        noise: f64,
    },
    /// Pairwise proportional imitation: meets somebody else's choice, and follows it by as much as it is better.
    Imitation,
}
