//! Checking a bill: both sides of a trade recompute it before it becomes final.

use crate::{
    market::{balance::Account, pricing::PriceBand, trades::Trades},
    mechanism::{Posted, Side},
    statement::Dispute,
    units::{Energy, Total},
};

/// Recomputes the bills of one participant; without a side in the market any trade is somebody else's.
pub(super) fn check(
    trades: &Trades,
    side: Option<Side>,
    posted: &Posted,
    band: PriceBand,
    fee_rate: f64,
) -> Result<(), Dispute> {
    for trade in trades.iter() {
        match side {
            Some(Side::Buyer(me)) if me == trade.buyer => {}
            Some(Side::Seller(me, _)) if me == trade.seller => {}
            _ => return Err(Dispute::NotMine),
        }
        if trade.energy > Energy::ZERO && !band.contains(trade.price) {
            return Err(Dispute::PriceOutOfBand);
        }
        posted.check(trade)?;
        let due = [trade.price, fee_rate].map(|price| trade.energy.priced(price));
        if due != [Some(trade.payment), Some(trade.fee)] {
            return Err(Dispute::WrongAmount);
        }
    }
    let total: Total<Energy> = trades.iter().map(|trade| trade.energy).sum();
    match side {
        Some(Side::Seller(_, surplus)) if total > surplus.into() => Err(Dispute::MoreThanSurplus),
        _ => posted.check_total(total),
    }
}

pub(super) fn add_up(trades: &Trades, side: Option<Side>) -> Account {
    let mut sum = Account::default();
    for trade in trades.iter() {
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
    use crate::{market::settlement::Trade, statement::Choice, time::Time};
    use std::{sync::Arc, time::Duration};

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    fn trade() -> Trade {
        Trade::new(1, 0, 1.6, Energy::nearest(0.768), 0.7, 0.01)
    }

    fn found(trade: Trade, side: Side, posted: &Posted) -> Result<(), Dispute> {
        check(&Trades::from_iter([trade]), Some(side), posted, BAND, 0.01)
    }

    fn choice(share: f64, purchase: f64) -> Posted {
        Posted::Choice(Arc::new(Choice {
            known: None,
            slot: 17,
            version: 9,
            shares: vec![share],
            purchases: vec![purchase],
            responsive: 1.0,
            change: 0.0,
            updates_at_rest: 0,
            answers: Time::ZERO,
            quotes: Time::ZERO,
            news_age: Duration::ZERO,
        }))
    }

    #[test]
    fn a_correct_bill_is_endorsed_by_both_sides() {
        let seller = Side::Seller(0, Energy::nearest(0.768));
        assert_eq!(found(trade(), Side::Buyer(1), &choice(0.48, 1.6)), Ok(()));
        assert_eq!(found(trade(), seller, &Posted::Price(0.7)), Ok(()));
        assert_eq!(found(trade(), seller, &Posted::Unknown), Ok(()));
    }

    #[test]
    fn every_wrong_bill_is_disputed_with_its_reason() {
        let disputed = |trade: Trade, side| found(trade, side, &Posted::Unknown).unwrap_err();
        let dear = Trade { payment: trade().payment + crate::units::Money(1), ..trade() };
        assert_eq!(disputed(dear, Side::Buyer(1)), Dispute::WrongAmount);
        assert_eq!(disputed(trade(), Side::Buyer(2)), Dispute::NotMine);
        let outside = Trade::new(1, 0, 1.6, Energy::nearest(0.768), 0.9, 0.01);
        assert_eq!(disputed(outside, Side::Buyer(1)), Dispute::PriceOutOfBand);
        let short = Side::Seller(0, Energy::nearest(0.767));
        assert_eq!(disputed(trade(), short), Dispute::MoreThanSurplus);
        let seller = Side::Seller(0, Energy::nearest(0.768));
        assert_eq!(found(trade(), seller, &Posted::Price(0.7000001)), Err(Dispute::NotMyPrice));
        assert_eq!(found(trade(), Side::Buyer(1), &choice(0.48, 1.599)), Err(Dispute::MoreThanAsked));
        let thrice = Trades::from_iter([trade(); 3]);
        let found = check(&thrice, Some(Side::Buyer(1)), &choice(0.96, 1.6), BAND, 0.01);
        assert_eq!(found, Err(Dispute::MoreThanAsked), "each is less than asked for, but not all");
        assert_eq!(check(&Trades::from_iter([trade()]), None, &Posted::Unknown, BAND, 0.01), Err(Dispute::NotMine));
    }
}
