//! What a participant knows of its own posts, to hold its bills against.

use crate::{
    market::settlement::{Trade, rounded_up},
    statement::{Choice, Dispute, OrderSide},
    units::{Energy, Total},
};
use std::sync::Arc;

/// What a participant knows of its own posts, to hold its bills against.
#[derive(Clone, Debug)]
pub(crate) enum Posted {
    /// A seller quoted this price.
    Price(f64),
    /// A buyer made this choice.
    Choice(Arc<Choice>),
    /// It would buy or sell as much in all, at no worse a price [CNY/kWh] than this.
    Within(OrderSide, Energy, f64),
    /// Nothing, or so long ago that it is forgotten.
    Unknown,
}

impl Posted {
    /// What a trade has that was not posted, if anything.
    pub(crate) fn check(&self, trade: &Trade) -> Result<(), Dispute> {
        match self {
            Self::Price(price) if *price != trade.price => Err(Dispute::NotMyPrice),
            Self::Within(OrderSide::Buy, _, limit) if trade.price > *limit => Err(Dispute::NotMyPrice),
            Self::Within(OrderSide::Sell, _, limit) if trade.price < *limit => Err(Dispute::NotMyPrice),
            Self::Choice(choice) if trade.energy - Energy(1) > asked(choice, trade.seller) => {
                Err(Dispute::MoreThanAsked)
            }
            _ => Ok(()),
        }
    }

    /// What all trades together have that was not posted, if anything.
    pub(crate) fn check_total(&self, total: Total<Energy>) -> Result<(), Dispute> {
        match self {
            Self::Within(_, most, _) if total > (*most).into() => Err(Dispute::MoreThanAsked),
            Self::Choice(choice) if total > rounded_up(choice.wanted()).into() => Err(Dispute::MoreThanAsked),
            _ => Ok(()),
        }
    }
}

/// What a choice asks of a seller, `z_ij X*_ij`; dividing whole units may bring one more.
fn asked(choice: &Choice, seller: u32) -> Energy {
    choice.of(seller).map_or(Energy::ZERO, |(share, purchase)| Energy::nearest(share * purchase))
}
