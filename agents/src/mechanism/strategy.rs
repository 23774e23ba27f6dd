//! What a prosumer does in its own way.

use super::two_level::{ChoiceRule, PricingRule};

/// What a prosumer does in its own way; the rest it does as its [`Rules`](crate::prosumer::Rules) say.
#[derive(Clone, Debug, Default)]
pub struct Strategy {
    /// By which rule it moves its price as a seller; by [`ExcessDemand`](super::two_level::ExcessDemand) if `None`.
    pub pricing: Option<Box<dyn PricingRule>>,
    /// By which rule it moves its shares as a buyer; by its [`Behaviour`](super::two_level::Behaviour) if `None`.
    pub choice: Option<Box<dyn ChoiceRule>>,
}

impl Strategy {
    /// A prosumer's own copy; `None` where there is nothing of its own.
    pub(crate) fn own(&self) -> Option<Box<Self>> {
        if self.pricing.is_none() && self.choice.is_none() { None } else { Some(Box::new(self.clone())) }
    }
}
