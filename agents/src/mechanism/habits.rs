//! How participants decide, where the scenario lets them choose.

use super::auction::bidding::BiddingStrategy;
use super::two_level::{Adaptation, Behaviour, Mixing};
use crate::market::{replicator::Fitness, step::StepSize};
use std::sync::Arc;

/// How participants decide; those who learn differently have other habits.
#[derive(Clone, Debug)]
pub struct Habits {
    /// By which rule buyers move their shares.
    pub behaviour: Behaviour,
    /// Whose welfare buyers compare.
    pub fitness: Fitness,
    /// Part of its demand that a buyer spreads evenly over all sellers, in [0, 1).
    pub exploration: f64,
    /// How steps adapt during the game.
    pub adaptation: Adaptation,
    /// Whether buyers move part of their shares towards the sellers' surpluses.
    pub mixing: Mixing,
    /// How many times as far as by (15) a share may grow while its seller's demand is below half of its surplus, from 1.
    pub regrowth: f64,
    /// Sellers act every so many of their periods.
    pub price_every: u32,
    /// Step of the buyers' rule.
    pub replicator_step: StepSize,
    /// Step of the price rule.
    pub price_step: StepSize,
    /// Largest relative move `delta` of a price in one step.
    pub ramp: f64,
    /// A change below this is rest: of a price, relative to the width of the price band; of a share; of what a purchase
    /// answers, like a price.
    pub tolerance: f64,
    /// By which rule participants of auctions make their orders.
    pub bidding: BiddingStrategy,
    /// With which prices sellers begin.
    pub first_prices: FirstPrices,
}

/// With which prices sellers begin a slot.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstPrices {
    /// Drawn between the tariffs.
    Random,
    /// These, one a seller of the slot [CNY/kWh]; drawn if not just as many sellers take part.
    Fixed(Arc<[f64]>),
    /// The last that each has asked, in whichever slot; drawn by who has asked none.
    Previous,
    /// The last that each has asked at the same time of day; drawn by who has asked none then.
    PreviousDay {
        /// How many slots a day has.
        slots: u32,
    },
}
