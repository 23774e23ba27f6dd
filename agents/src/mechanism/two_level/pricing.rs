//! By which rule sellers move their prices.

use crate::{
    chain::fact::Number,
    market::pricing::{PriceBand, next_price},
    message::{MarketOpened, MarketState},
    streams::Stream,
};
use dyn_clone::DynClone;
use std::fmt::Debug;

/// By which rule a seller moves its price.
///
/// A prosumer keeps its rule for the whole run, so what a rule remembers is there in the next slot. A prosumer that
/// loses its memory in a crash begins again with the rule as it was given. All that is random has to come from `random`,
/// or runs are no longer repeatable.
///
/// The ledger's contract holds whatever the rule says: a price that is no number, lies outside the tariffs or moves
/// beyond the ramp is refused, and the seller's last price that counted stays in force.
///
/// ```
/// use microgrid_agents::{prosumer::{Offer, PricingRule}, streams::Stream};
///
/// /// Asks a little less than prosumer 4, wherever that sells too; otherwise answers to the excess of demand.
/// #[derive(Clone, Debug)]
/// struct Undercut;
///
/// impl PricingRule for Undercut {
///     fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
///         let mut prices = offer.sellers().zip(&offer.news.prices);
///         match prices.find(|(seller, price)| *seller == 4 && price.is_finite()) {
///             Some((_, theirs)) => offer.moved_by(0.99 * theirs - offer.price),
///             None => offer.moved_by(offer.step * offer.excess()),
///         }
///     }
/// }
/// ```
pub trait PricingRule: DynClone + Debug + Send + Sync {
    /// The first price of a slot [CNY/kWh], between the tariffs of `band`; `None`: as the scenario says, fixed or drawn.
    fn first_price(&mut self, _market: &MarketOpened, _band: PriceBand, _random: &mut Stream) -> Option<f64> {
        None
    }

    /// The next price [CNY/kWh]. Asked once an act, as soon as there is demand to answer; until then the seller repeats
    /// its first price. The game can come to rest only if prices do.
    fn next_price(&mut self, offer: &Offer<'_>, random: &mut Stream) -> f64;
}

dyn_clone::clone_trait_object!(PricingRule);

/// What a seller has to go by when it moves its price.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Offer<'a> {
    /// The market of the slot: who sells and buys.
    pub market: &'a MarketOpened,
    /// The market as it was last shown to the seller.
    pub news: &'a MarketState,
    /// The seller's position among the sellers.
    pub me: usize,
    /// Its last price [CNY/kWh].
    pub price: f64,
    /// Its surplus `S_j` [kWh].
    pub surplus: f64,
    /// The demand `E_j` that it met when the market was last shown [kWh].
    pub demand: f64,
    /// Step `b` of the price rule (17), with what adaptation leaves of it [CNY/kWh²].
    pub step: f64,
    /// Between which prices it may ask.
    pub band: PriceBand,
    /// Largest relative move `delta` in one step.
    pub ramp: f64,
}

impl Offer<'_> {
    /// The excess of demand `E_j - S_j` [kWh]; below zero where supply exceeds demand.
    pub fn excess(&self) -> f64 {
        self.demand - self.surplus
    }

    /// The price moved by so much [CNY/kWh], as far as band and ramp (18) allow.
    pub fn moved_by(&self, change: f64) -> f64 {
        next_price(self.price, change, 1.0, self.band, self.ramp)
    }

    /// Who the sellers are, by their numbers in the scenario, in the order of their positions.
    pub fn sellers(&self) -> impl Iterator<Item = Number> {
        self.market.game.sellers.iter().copied()
    }

    /// The last prices of the other sellers that have quoted one [CNY/kWh].
    pub fn others(&self) -> impl Iterator<Item = f64> {
        let quoted = self.news.prices.iter().copied().enumerate();
        quoted.filter(|&(seller, price)| seller != self.me && price.is_finite()).map(|(_, price)| price)
    }
}

/// Excess demand raises the price, excess supply lowers it (17), within band and ramp (18): what sellers do unless they
/// have a rule of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExcessDemand;

impl PricingRule for ExcessDemand {
    #[inline]
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        next_price(offer.price, offer.excess(), offer.step, offer.band, offer.ramp)
    }
}
