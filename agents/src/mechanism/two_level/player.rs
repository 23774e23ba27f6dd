//! A participant in the game of one slot, on whichever side.

use super::{adaptation::Steps, follower::Follower, seller::Seller};
use crate::{
    mechanism::{Entry, Moment, Participant, Posted, Side},
    message::{MarketOpened, MarketState, Shown},
    statement::Post,
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// A participant in the game of one slot, and what it has heard.
#[derive(Debug)]
pub(crate) struct Player<B> {
    part: Part<B>,
    /// The newest market state that has arrived.
    news: Option<Arc<MarketState>>,
    steps: Steps,
}

#[derive(Debug)]
enum Part<B> {
    Seller(Seller),
    Buyer(B),
}

impl<B: Follower> Participant for Player<B> {
    fn join(entry: Entry<'_>) -> Self {
        let part = match entry.side {
            Side::Seller(index, surplus) => {
                let lead = B::lead(entry.genesis, entry.habits);
                let seller = Seller::new(entry.market, index as usize, surplus, entry.band, lead);
                Part::Seller(seller.beginning_with(entry.first_price))
            }
            Side::Buyer(_) => Part::Buyer(B::join(entry)),
        };
        Self { part, news: None, steps: Steps::default() }
    }

    #[inline]
    fn hear(&mut self, state: Arc<MarketState>, now: Time) -> bool {
        let newer = self.news.as_ref().is_none_or(|known| known.number < state.number);
        if newer {
            self.steps.loop_age.arrived(now - state.time);
            self.news = Some(state);
        }
        newer
    }

    fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Post, Option<Duration>)> {
        let (news, habits, now) = (self.news.as_deref(), moment.habits, moment.now);
        // What a seller goes by is demand, what a buyer goes by is prices.
        let (post, date, moved) = match &mut self.part {
            Part::Seller(seller) => {
                // Sellers may lead more slowly than buyers follow.
                if !moment.acts.is_multiple_of(habits.price_every) {
                    return None;
                }
                let moment = Moment { interval: habits.price_every * moment.interval, ..moment };
                let stride = self.steps.stride(seller.stepping(), news, &moment);
                let quote = seller.act(market, news, stride, moment);
                let demand = news.filter(|news| news.aggregate.is_some());
                (Post::Quote(Arc::new(quote)), demand.map(|news| news.choices_time), seller.last_price())
            }
            Part::Buyer(buyer) => {
                let news = news?;
                let choice = buyer.act(news, &mut self.steps, moment);
                (Post::Choice(choice), Some(news.quotes_time), buyer.choices().watched_share())
            }
        };
        if let Some(value) = moved {
            self.steps.halving.note(value, habits.tolerance);
        }
        Some((post, date.map(|date| now - date)))
    }

    fn resume(&mut self, last: Option<Post>, shown: Option<Shown>) {
        match (&mut self.part, last) {
            (Part::Seller(seller), Some(Post::Quote(quote))) => seller.resume(*quote),
            (Part::Buyer(buyer), Some(Post::Choice(choice))) => {
                let state = if let Some(Shown::State(state)) = shown { Some(state) } else { None };
                buyer.resume(choice, state.as_deref());
                self.news = state;
            }
            _ => {}
        }
    }

    fn look(&self, depth: usize) -> usize {
        match (&self.part, depth) {
            (Part::Seller(seller), 0) => usize::from(self.news.is_some()) + seller.look(),
            (Part::Buyer(buyer), 0) => usize::from(self.news.is_some()) + buyer.look(0),
            (Part::Buyer(buyer), _) => buyer.look(depth),
            (Part::Seller(_), _) => 0,
        }
    }

    fn posted(&self, version: u32) -> Posted {
        match &self.part {
            Part::Seller(seller) => seller.price(version).map_or(Posted::Unknown, Posted::Price),
            Part::Buyer(buyer) => {
                buyer.choices().get(version).map_or(Posted::Unknown, |choice| Posted::Choice(Arc::clone(choice)))
            }
        }
    }
}
