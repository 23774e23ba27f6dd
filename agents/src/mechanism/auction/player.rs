//! A participant in an auction: it posts its orders, and others in their place when its rule has others.

use super::{
    bidding::{Bidder, Bidding},
    valuation::Valuation,
};
use crate::{
    market::{
        demand::{Buyer, Demand},
        pricing::PriceBand,
    },
    mechanism::{Entry, Moment, Participant, Posted, Side, orders::total},
    message::{MarketOpened, Notice, Shown},
    statement::{OrderSide, Orders, Post, Step},
    time::Time,
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// A participant in an auction.
#[derive(Debug)]
pub(crate) struct Player {
    side: Side,
    buyer: Buyer,
    demand: Demand,
    band: PriceBand,
    /// When it has acted first.
    since: Option<Time>,
    news: Option<Arc<Notice>>,
    traded: Energy,
    last: Option<Arc<Orders>>,
    /// Whether the ledger has none of its orders.
    is_asked: bool,
    /// Whether it has nothing more to say of itself.
    is_done: bool,
    /// The most that it has ever offered or asked for, and the worst price that it would have taken: whatever it has ever
    /// posted may have been executed.
    posted: Posted,
}

impl Participant for Player {
    fn join(entry: Entry<'_>) -> Self {
        let Entry { genesis, side, buyer, band, .. } = entry;
        let posted = match side {
            Side::Buyer(_) => Posted::Within(OrderSide::Buy, Energy::ZERO, f64::NEG_INFINITY),
            Side::Seller(..) => Posted::Within(OrderSide::Sell, Energy::ZERO, f64::INFINITY),
        };
        Self {
            side,
            buyer,
            demand: genesis.rules.demand,
            band,
            since: None,
            news: None,
            traded: Energy::ZERO,
            last: None,
            is_asked: false,
            is_done: false,
            posted,
        }
    }

    fn notice(&mut self, notice: Arc<Notice>) -> bool {
        let newer = self.news.as_ref().is_none_or(|known| known.number < notice.number);
        if newer {
            self.news = Some(notice);
        }
        newer
    }

    fn executed(&mut self, traded: Energy, _: f64) {
        self.traded = self.traded.max(traded);
    }

    fn asked_again(&mut self) {
        self.is_asked = true;
    }

    fn is_idle(&self) -> bool {
        self.is_done && !self.is_asked
    }

    fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Post, Option<Duration>)> {
        let (now, closes) = (moment.now, market.game.closes);
        let since = *self.since.get_or_insert(now);
        let bidding = Bidding {
            valuation: self.valuation(moment.alpha),
            band: self.band,
            elapsed: if now < closes { (now - since).as_secs_f64() / (closes - since).as_secs_f64() } else { 1.0 },
            traded: self.traded,
            bid: self.news.as_ref().and_then(|news| news.bid),
            ask: self.news.as_ref().and_then(|news| news.ask),
            price: self.news.as_ref().and_then(|news| news.price),
            last: self.last.as_ref().map(|last| &last.steps[..]),
        };
        let own = moment.strategy.and_then(|strategy| strategy.bidder.as_deref_mut()).map(|own| own as &mut dyn Bidder);
        let mut usual = moment.habits.bidding;
        let bidder: &mut dyn Bidder = own.unwrap_or(&mut usual);
        let curve = bidder.bid(&bidding, moment.random);
        self.is_done = bidder.is_done(&bidding);
        // Of whom the ledger has nothing, it says once more what it said, or that it wants nothing.
        let again = std::mem::take(&mut self.is_asked);
        let steps = match curve {
            Some(curve) => curve,
            None if again => self.last.as_ref().map_or_else(Vec::new, |last| last.steps.clone()),
            None => return None,
        };
        let side = bidding.side();
        let version = self.last.as_ref().map_or(0, |last| last.version) + 1;
        self.note(&steps);
        let orders = Arc::new(Orders { slot: market.slot, version, side, steps, until: closes });
        self.last = Some(Arc::clone(&orders));
        Some((Post::Orders(orders), self.news.as_ref().map(|news| now - news.time)))
    }

    /// What it had posted before its last orders, it has forgotten.
    fn resume(&mut self, last: Option<Post>, shown: Option<Shown>) {
        self.posted = Posted::Unknown;
        if let Some(Post::Orders(orders)) = last {
            self.last = Some(orders);
        }
        if let Some(Shown::Notice(notice)) = shown {
            self.news = Some(notice);
        }
    }

    fn posted(&self, _: u32) -> Posted {
        self.posted.clone()
    }
}

impl Player {
    fn valuation(&self, alpha: f64) -> Valuation {
        match self.side {
            Side::Buyer(_) => Valuation::Buyer { buyer: self.buyer, alpha, demand: self.demand },
            Side::Seller(_, surplus) => Valuation::Seller(surplus),
        }
    }

    fn note(&mut self, steps: &[Step]) {
        let Posted::Within(side, most, limit) = &mut self.posted else { return };
        *most = total(steps).amount().unwrap_or(Energy(i64::MAX)).max(*most);
        let worse = if *side == OrderSide::Buy { f64::max } else { f64::min };
        *limit = steps.iter().map(|step| step.limit).fold(*limit, worse);
    }
}
