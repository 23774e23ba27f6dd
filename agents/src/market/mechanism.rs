//! By which mechanism a slot's trades come about: its name alone, since everybody agrees on it before a chain begins.
//! What it does stands under `crate::mechanism`.

use serde::{Deserialize, Serialize};

/// By which mechanism a slot's trades come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Mechanism {
    /// Sellers lead by price, buyers follow by dividing themselves over them: the game of the article.
    #[default]
    TwoLevelGame,
}

impl Mechanism {
    /// Whether it is the article's game, which is not named where nothing else is.
    pub fn is_game(&self) -> bool {
        matches!(self, Self::TwoLevelGame)
    }
}
