//! A participant in a market whose price comes by a rule.

use crate::{
    market::demand::{Buyer, Demand},
    mechanism::{Entry, Moment, Participant, Posted, Side},
    message::{MarketOpened, Notice, Shown},
    statement::{OrderSide, Orders, Post, Step},
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// A participant: an elastic buyer answers the announcement, nobody else has anything to say.
#[derive(Debug)]
pub(crate) struct Player {
    buyer: Option<Buyer>,
    demand: Demand,
    /// The price that it answers, and when that was announced.
    announced: Option<Arc<Notice>>,
    answer: Option<Arc<Orders>>,
    /// Whether the announcement has come since it has answered last.
    is_asked: bool,
}

impl Participant for Player {
    fn join(entry: Entry<'_>) -> Self {
        let buyer = matches!(entry.side, Side::Buyer(_)).then_some(entry.buyer);
        Self { buyer, demand: entry.genesis.rules.demand, announced: None, answer: None, is_asked: false }
    }

    fn notice(&mut self, notice: Arc<Notice>) -> bool {
        // What comes later is the price that the answers have made.
        let is_first = notice.number == 1 && self.announced.is_none();
        if is_first {
            self.announced = Some(notice);
            self.asked_again();
        }
        is_first
    }

    fn asked_again(&mut self) {
        self.is_asked = self.buyer.is_some() && self.announced.is_some() && self.demand == Demand::Elastic;
    }

    fn is_idle(&self) -> bool {
        !self.is_asked
    }

    fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Post, Option<Duration>)> {
        let (buyer, notice) = (self.buyer?, self.announced.as_ref()?);
        if !std::mem::take(&mut self.is_asked) {
            return None;
        }
        let limit = notice.price?;
        let energy = Energy::at_most(buyer.optimal_purchase(limit, moment.alpha, self.demand));
        let steps = if energy > Energy::ZERO { vec![Step { energy, limit }] } else { Vec::new() };
        let version = self.answer.as_ref().map_or(0, |answer| answer.version) + 1;
        let until = market.game.closes;
        let answer = Arc::new(Orders { slot: market.slot, version, side: OrderSide::Buy, steps, until });
        self.answer = Some(Arc::clone(&answer));
        Some((Post::Orders(answer), Some(moment.now - notice.time)))
    }

    fn resume(&mut self, last: Option<Post>, shown: Option<Shown>) {
        if let Some(Post::Orders(answer)) = last {
            self.answer = Some(answer);
        } else if let Some(Shown::Notice(notice)) = shown {
            self.notice(notice);
        }
    }

    fn posted(&self, _: u32) -> Posted {
        match (&self.buyer, self.demand, &self.answer) {
            (Some(buyer), Demand::Firm, _) => {
                Posted::Within(OrderSide::Buy, Energy::at_most(buyer.need), f64::INFINITY)
            }
            // Its answer is to the announcement: what that makes of the price, it takes.
            (Some(_), Demand::Elastic, Some(answer)) => {
                let most = answer.most().amount().unwrap_or(Energy::ZERO);
                Posted::Within(OrderSide::Buy, most, f64::INFINITY)
            }
            _ => Posted::Unknown,
        }
    }
}
