//! Excess-demand pricing (17) and (18).

use super::{Offer, PricingRule};
use crate::{market::pricing::next_price, streams::Stream};

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
