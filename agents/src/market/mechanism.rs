//! By which mechanism a slot's trades come about: its name alone, since everybody agrees on it before a chain begins.
//! What it does stands under `crate::mechanism`.

use super::pricing::PriceBand;
use crate::json;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// By which mechanism a slot's trades come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Sealed limit orders, cleared together at one price.
    UniformPriceAuction {
        /// From one clearing to the next; only as the gate closes if `None`.
        #[serde(default, skip_serializing_if = "json::is_left_out", with = "humantime_serde::option")]
        every: Option<Duration>,
    },
    /// Limit orders that meet as they arrive, by price, then time.
    ContinuousDoubleAuction,
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

    /// Whether trades depend on the order in which posts come to count, so that all of them have to stand on the chain.
    pub fn needs_every_post(&self) -> bool {
        matches!(self, Self::ContinuousDoubleAuction | Self::UniformPriceAuction { every: Some(_) })
    }

    /// Whether what some participants have posted comes to something by itself, which adds up with that of others.
    pub fn has_parts(&self) -> bool {
        matches!(self, Self::TwoLevelGame | Self::Negotiation { .. })
    }

    /// The prices at which local trades may come about, where tariffs and fee leave this `band`.
    pub fn prices(&self, band: PriceBand) -> PriceBand {
        match self {
            // What a seller gets for its part of the community's revenue, the grid pays it.
            Self::BillSharing => PriceBand { floor: 0.0, ceiling: 0.0 },
            _ => band,
        }
    }

    /// What it is called in a scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TwoLevelGame => "TwoLevelGame",
            Self::MidMarketRate => "MidMarketRate",
            Self::BillSharing => "BillSharing",
            Self::SupplyDemandRatio => "SupplyDemandRatio",
            Self::UniformPriceAuction { .. } => "UniformPriceAuction",
            Self::ContinuousDoubleAuction => "ContinuousDoubleAuction",
            Self::Negotiation { .. } => "Negotiation",
        }
    }
}
