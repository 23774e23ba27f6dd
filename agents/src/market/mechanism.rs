//! By which mechanism a slot's trades come about: its name alone, since everybody agrees on it before a chain begins.
//! What it does stands under `crate::mechanism`.

use serde::{Deserialize, Serialize};

/// By which mechanism a slot's trades come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Mechanism {
    /// Sellers lead by price, buyers follow by dividing themselves over them: the game of the article.
    #[default]
    TwoLevelGame,
    /// Sellers and buyers negotiate by the alternating direction method of multipliers: sellers move their prices by what
    /// demand misses of their surplus, buyers go from what they asked for last towards what is best for them.
    Negotiation {
        /// Weight of what a buyer asked for last, in units of the market's own scale: the penalty of the method.
        #[serde(default = "usual_rho")]
        rho: f64,
    },
}

/// From markets small and large, elastic and firm, the one that serves all best.
fn usual_rho() -> f64 {
    1.0
}

impl Mechanism {
    /// Whether it is the article's game, which is not named where nothing else is.
    pub fn is_game(&self) -> bool {
        matches!(self, Self::TwoLevelGame)
    }

    /// What it is called in a scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TwoLevelGame => "TwoLevelGame",
            Self::Negotiation { .. } => "Negotiation",
        }
    }
}
