//! Checking a bill: both sides of a trade recompute it before it becomes final.

use crate::{
    market::{balance::LocalTrades, pricing::PriceBand, settlement::Trade},
    message::{Dispute, Verdict},
    units::Energy,
};

/// What a participant is in the market of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Buyer with this index.
    Buyer(u32),
    /// Seller with this index and surplus.
    Seller(u32, Energy),
}

impl Side {
    fn owns(self, trade: &Trade) -> bool {
        match self {
            Self::Buyer(index) => trade.buyer == index,
            Self::Seller(index, _) => trade.seller == index,
        }
    }
}

/// Recomputes the bills of one participant; without a side in the market any trade is somebody else's.
pub(super) fn check(trades: &[Trade], side: Option<Side>, band: PriceBand, fee_rate: f64) -> Verdict {
    let wrong = trades.iter().find_map(|trade| {
        if !side.is_some_and(|side| side.owns(trade)) {
            Some(Dispute::NotMine)
        } else if trade.energy > Energy::ZERO && !band.contains(trade.price) {
            Some(Dispute::PriceOutOfBand)
        } else if trade.payment != trade.energy.at_price(trade.price) || trade.fee != trade.energy.at_price(fee_rate) {
            Some(Dispute::WrongAmount)
        } else {
            None
        }
    });
    let total: Energy = trades.iter().map(|trade| trade.energy).sum();
    let oversold = matches!(side, Some(Side::Seller(_, surplus)) if total > surplus);
    match wrong.or(oversold.then_some(Dispute::MoreThanSurplus)) {
        Some(dispute) => Verdict::Disputed(dispute),
        None => Verdict::Endorsed,
    }
}

/// Adds up one participant's final trades.
pub(super) fn add_up(trades: &[Trade], side: Option<Side>) -> LocalTrades {
    let mut sum = LocalTrades::default();
    for trade in trades {
        match side {
            Some(Side::Buyer(_)) => {
                sum.bought += trade.energy;
                sum.paid += trade.payment;
                sum.fee += trade.fee;
            }
            Some(Side::Seller(..)) => {
                sum.sold += trade.energy;
                sum.earned += trade.payment;
            }
            None => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    fn trade() -> Trade {
        Trade::new(1, 0, 1.6, Energy::nearest(0.768), 0.7, 0.01)
    }

    #[test]
    fn a_correct_bill_is_endorsed_by_both_sides() {
        let seller = Side::Seller(0, Energy::nearest(0.768));
        assert_eq!(check(&[trade()], Some(Side::Buyer(1)), BAND, 0.01), Verdict::Endorsed);
        assert_eq!(check(&[trade()], Some(seller), BAND, 0.01), Verdict::Endorsed);
    }

    #[test]
    fn every_wrong_bill_is_disputed_with_its_reason() {
        let disputed = |trade: Trade, side| check(&[trade], Some(side), BAND, 0.01);
        let dear = Trade { payment: trade().payment + crate::units::Money(1), ..trade() };
        assert_eq!(disputed(dear, Side::Buyer(1)), Verdict::Disputed(Dispute::WrongAmount));
        assert_eq!(disputed(trade(), Side::Buyer(2)), Verdict::Disputed(Dispute::NotMine));
        let outside = Trade::new(1, 0, 1.6, Energy::nearest(0.768), 0.9, 0.01);
        assert_eq!(disputed(outside, Side::Buyer(1)), Verdict::Disputed(Dispute::PriceOutOfBand));
        let short = Side::Seller(0, Energy::nearest(0.767));
        assert_eq!(disputed(trade(), short), Verdict::Disputed(Dispute::MoreThanSurplus));
    }
}
