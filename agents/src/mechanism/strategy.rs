//! What a prosumer does in its own way.

use super::{
    auction::bidding::Bidder,
    two_level::{ChoiceRule, PricingRule},
};

/// What a prosumer does in its own way; the rest it does as its [`Rules`](crate::prosumer::Rules) say.
#[derive(Clone, Debug, Default)]
pub struct Strategy {
    /// By which rule it moves its price as a seller; by [`ExcessDemand`](super::two_level::ExcessDemand) if `None`.
    pub pricing: Option<Box<dyn PricingRule>>,
    /// By which rule it moves its shares as a buyer; by its [`Behaviour`](super::two_level::Behaviour) if `None`.
    pub choice: Option<Box<dyn ChoiceRule>>,
    /// By which rule it makes its orders in an auction; as its [`Habits`](super::Habits) say if `None`.
    pub bidder: Option<Box<dyn Bidder>>,
}

impl Strategy {
    /// A prosumer's own copy; `None` where there is nothing of its own.
    pub(crate) fn own(&self) -> Option<Box<Self>> {
        if self.pricing.is_none() && self.choice.is_none() && self.bidder.is_none() {
            None
        } else {
            Some(Box::new(self.clone()))
        }
    }
}
