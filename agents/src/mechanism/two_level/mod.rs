//! The two-level game of the article: sellers lead by price, buyers follow by dividing themselves over them.

mod adaptation;
mod answered;
mod behaviour;
mod board;
mod buyer;
mod law;
mod mixing;
mod player;
mod pricing;
mod seller;
mod tally;

pub use adaptation::Adaptation;
pub use behaviour::{Behaviour, ChoiceRule, Lesson};
pub(crate) use board::Board;
pub(crate) use law::Law;
pub use mixing::Mixing;
pub(crate) use player::Player;
pub use pricing::{ExcessDemand, Offer, PricingRule};
