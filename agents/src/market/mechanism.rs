//! By which mechanism a slot's trades come about: its name alone, since everybody agrees on it before a chain begins.
//! What it does stands under `crate::mechanism`.

use super::pricing::PriceBand;
use serde::{Deserialize, Serialize};

/// By which mechanism a slot's trades come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Mechanism {
    /// Sellers lead by price, buyers follow by dividing themselves over them: the game of the article.
    #[default]
    TwoLevelGame,
    /// At the middle of the tariffs, as far as supply and demand meet.
    MidMarketRate,
    /// For nothing, so that the community's bill and its revenue are shared by energy.
    BillSharing,
    /// At a price that falls as the ratio of supply to demand rises.
    SupplyDemandRatio,
}

impl Mechanism {
    /// Its name alone, whatever its parameters, as scenarios and tables have it.
    pub fn name(&self) -> String {
        let mut text = format!("{self:?}");
        text.truncate(text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len()));
        text
    }

    /// Whether it is the article's game, which is not named where nothing else is.
    pub fn is_game(&self) -> bool {
        matches!(self, Self::TwoLevelGame)
    }

    /// The prices at which local trades may come about, where tariffs and fee leave this `band`.
    pub fn prices(&self, band: PriceBand) -> PriceBand {
        match self {
            // What a seller gets for its part of the community's revenue, the grid pays it.
            Self::BillSharing => PriceBand { floor: 0.0, ceiling: 0.0 },
            _ => band,
        }
    }
}
