//! A participant in the game of one slot, on whichever side.

use super::{
    adaptation::{Stepping, Steps},
    buyer::Buyer,
    seller::Seller,
};
use crate::{
    chain::call::Call,
    mechanism::{Entry, Moment, Participant, Posted, Side},
    message::{MarketOpened, MarketState, Shown},
    streams::{Purpose, slot_stream},
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// A participant in the game of one slot, and what it has heard.
#[derive(Debug)]
pub(crate) struct Player {
    part: Part,
    /// The newest market state that has arrived.
    news: Option<Arc<MarketState>>,
    steps: Steps,
}

#[derive(Debug)]
enum Part {
    Seller(Seller),
    Buyer(Buyer),
}

impl Participant for Player {
    fn join(entry: Entry<'_>) -> Self {
        let Entry { market, genesis, prosumer, side, buyer, band, habits } = entry;
        let part = match side {
            Side::Seller(index, surplus) => Part::Seller(Seller::new(market, index as usize, surplus, band, habits)),
            Side::Buyer(_) => {
                // Drawn from a stream of the slot's own, so that whoever joins again after a crash knows the same.
                let mut random = slot_stream(genesis.seed, prosumer.actor(), Purpose::Acquaintance, market.slot);
                let known = genesis.rules.choice_set.draw(market.sellers.len(), &mut random);
                Part::Buyer(Buyer::new(Arc::clone(market), known, buyer, genesis.rules.demand, band))
            }
        };
        Self { part, news: None, steps: Steps::default() }
    }

    #[inline]
    fn hear(&mut self, shown: Shown, now: Time) -> bool {
        let Shown::State(state) = shown else { return false };
        let newer = self.news.as_ref().is_none_or(|known| known.number < state.number);
        if newer {
            self.steps.loop_age.arrived(now - state.time);
            self.news = Some(state);
        }
        newer
    }

    fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Call, Option<Duration>)> {
        let (news, habits, now) = (self.news.as_deref(), moment.habits, moment.now);
        // What a seller goes by is demand, what a buyer goes by is prices.
        let (post, date, moved) = match &mut self.part {
            Part::Seller(seller) => {
                // Sellers may lead more slowly than buyers follow.
                if !moment.acts.is_multiple_of(habits.price_every) {
                    return None;
                }
                let moment = Moment { interval: habits.price_every * moment.interval, ..moment };
                let stride = self.steps.stride(Stepping::Seller(seller.age_burden), news, &moment);
                let quote = seller.act(market, news, stride, moment);
                let demand = news.filter(|news| news.aggregate.is_some());
                (Call::PostQuote(quote), demand.map(|news| news.choices_time), seller.last_price())
            }
            Part::Buyer(buyer) => {
                let news = news?;
                let stride = self.steps.stride(Stepping::Buyer, Some(news), &moment);
                let excess = if habits.mixing.is_none() { 0.0 } else { self.steps.excess(news, &moment) };
                let choice = buyer.act(news, stride, excess, moment);
                (Call::PostChoice(choice), Some(news.quotes_time), buyer.watched_share())
            }
        };
        if let Some(value) = moved {
            self.steps.halving.note(value, habits.tolerance);
        }
        Some((post, date.map(|date| now - date)))
    }

    fn resume(&mut self, last: Option<Call>, shown: Option<Shown>) {
        match (&mut self.part, last) {
            (Part::Seller(seller), Some(Call::PostQuote(quote))) => seller.resume(quote),
            (Part::Buyer(buyer), Some(Call::PostChoice(choice))) => {
                let state = if let Some(Shown::State(state)) = shown { Some(state) } else { None };
                buyer.resume(choice, state.as_deref());
                self.news = state;
            }
            _ => {}
        }
    }

    fn posted(&self, version: u32) -> Posted {
        match &self.part {
            Part::Seller(seller) => seller.price(version).map_or(Posted::Unknown, Posted::Price),
            Part::Buyer(buyer) => {
                buyer.choice(version).map_or(Posted::Unknown, |choice| Posted::Choice(Arc::clone(choice)))
            }
        }
    }
}
