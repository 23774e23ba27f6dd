//! A participant in the game of one slot, on whichever side.

use super::{
    Moment, Prosumer,
    adaptation::{Stepping, Steps},
    bills::{Posted, Side},
    buyer::Buyer,
    seller::Seller,
};
use crate::{
    chain::call::Call,
    market::role::Role,
    message::{MarketOpened, MarketState},
    streams::{Purpose, slot_stream},
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// A participant in the game of one slot, and what it has heard.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) market: Arc<MarketOpened>,
    pub(super) side: Side,
    part: Part,
    /// The newest market state that has arrived.
    news: Option<Arc<MarketState>>,
    /// Version of the post that it goes on from, after having lost its memory; 0 if that is none.
    resumed_from: Option<u32>,
    steps: Steps,
}

#[derive(Debug)]
enum Part {
    Seller(Seller),
    Buyer(Buyer),
}

impl Player {
    /// The player that a prosumer is in a market; `None` if it does not take part.
    pub(super) fn of(prosumer: &Prosumer, market: Arc<MarketOpened>) -> Option<Self> {
        let Prosumer { id, rules, .. } = prosumer;
        let (facts, band) = (prosumer.facts(), prosumer.band(prosumer.opened.as_ref()?));
        let (side, part) = match facts.role() {
            Role::Seller => {
                let index = market.sellers.binary_search(id).ok()?;
                let seller = Seller::new(&market, index, facts.surplus(), band, rules);
                (Side::Seller(index as u32, facts.surplus()), Part::Seller(seller))
            }
            Role::Buyer => {
                let index = market.buyers.binary_search(id).ok()?;
                // Drawn from a stream of the slot's own, so that whoever joins again after a crash knows the same.
                let genesis = &prosumer.member.genesis;
                let mut random = slot_stream(genesis.seed, id.actor(), Purpose::Acquaintance, market.slot);
                let known = genesis.rules.choice_set.draw(market.sellers.len(), &mut random);
                let charged = facts.as_buyer().charged(rules.service_fee);
                (Side::Buyer(index as u32), Part::Buyer(Buyer::new(Arc::clone(&market), known, charged, band)))
            }
            Role::Idle => return None,
        };
        Some(Self { market, side, part, news: None, resumed_from: None, steps: Steps::default() })
    }

    /// Goes on from its last post, after having lost its memory.
    pub(super) fn resume(&mut self, last: Option<Call>, shown: Option<Arc<MarketState>>) {
        self.resumed_from = Some(0);
        match (&mut self.part, last) {
            (Part::Seller(seller), Some(Call::PostQuote(quote))) => {
                self.resumed_from = Some(quote.version);
                seller.resume(quote);
            }
            (Part::Buyer(buyer), Some(Call::PostChoice(choice))) => {
                self.resumed_from = Some(choice.version);
                buyer.resume(choice, shown.as_deref());
                self.news = shown;
            }
            _ => {}
        }
    }

    /// Takes in a market state, unless it knows a newer one; returns whether it did.
    pub(super) fn hear(&mut self, state: Arc<MarketState>, now: Time) -> bool {
        let newer = self.news.as_ref().is_none_or(|known| known.number < state.number);
        if newer {
            self.steps.loop_age.arrived(now - state.time);
            self.news = Some(state);
        }
        newer
    }

    /// Its next post, and how old the news is on which it decided; without age where there was no news to decide on.
    pub(super) fn act(&mut self, moment: Moment<'_>) -> Option<(Call, Option<Duration>)> {
        let (news, rules, now) = (self.news.as_deref(), moment.rules, moment.now);
        // What a seller goes by is demand, what a buyer goes by is prices.
        let (post, date, moved) = match &mut self.part {
            Part::Seller(seller) => {
                let stride = self.steps.stride(Stepping::Seller(seller.age_burden), news, &moment);
                let quote = seller.act(&self.market, news, stride, moment);
                let demand = news.filter(|news| news.aggregate.is_some());
                (Call::PostQuote(quote), demand.map(|news| news.choices_time), seller.last_price())
            }
            Part::Buyer(buyer) => {
                let news = news?;
                let stride = self.steps.stride(Stepping::Buyer, Some(news), &moment);
                let excess = if rules.mixing.is_none() { 0.0 } else { self.steps.excess(news, &moment) };
                let choice = buyer.act(news, stride, excess, moment);
                (Call::PostChoice(choice), Some(news.quotes_time), buyer.watched_share())
            }
        };
        if let Some(value) = moved {
            self.steps.halving.note(value, rules.tolerance);
        }
        Some((post, date.map(|date| now - date)))
    }

    /// What it posted under this version, if it remembers it. After having lost its memory it may give a version once
    /// more that is on its way to the ledger already: it cannot know which of the two has counted.
    pub(super) fn posted(&self, version: u32) -> Posted {
        if self.resumed_from.is_some_and(|last| version > last) {
            return Posted::Unknown;
        }
        match &self.part {
            Part::Seller(seller) => seller.price(version).map_or(Posted::Unknown, Posted::Price),
            Part::Buyer(buyer) => {
                buyer.choice(version).map_or(Posted::Unknown, |choice| Posted::Choice(Arc::clone(choice)))
            }
        }
    }
}
