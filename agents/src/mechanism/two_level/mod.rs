//! The two-level game of the article: sellers lead by price, buyers follow by dividing themselves over them.

mod adaptation;
mod answered;
mod behaviour;
mod board;
mod buyer;
mod choices;
mod follower;
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
/// A participant in the game.
pub(crate) type Player = player::Player<buyer::Buyer>;
pub use pricing::{ExcessDemand, Offer, PricingRule};

// What a game with other buyers is made of, too.
pub(super) use adaptation::{Stepping, Steps};
pub(super) use choices::Choices;
pub(super) use follower::Follower;
pub(super) use player::Player as PlayerWith;
pub(super) use seller::Lead;
