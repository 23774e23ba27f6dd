//! The two-level game of the article: sellers lead by price, buyers follow by dividing themselves over them.

pub(crate) mod answered;
pub(crate) mod behaviour;
mod mixing;
mod pricing;
pub(crate) mod tally;

pub use behaviour::{Behaviour, ChoiceRule, Lesson};
pub use mixing::Mixing;
pub use pricing::{ExcessDemand, Offer, PricingRule};
