//! A participant in the game of one slot, on whichever side.

use super::{
    Rules, Strategy,
    adaptation::{Stepping, Steps},
    bills::{Posted, Side},
    buyer::Buyer,
    seller::Seller,
};
use crate::{
    chain::call::Call,
    ids::ProsumerId,
    market::{balance::SlotFacts, pricing::PriceBand, role::Role},
    message::{LastPost, MarketOpened, MarketState},
    streams::Stream,
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// A participant in the game of one slot, and what it has heard.
#[derive(Debug)]
pub(super) struct Player {
    market: Arc<MarketOpened>,
    side: Side,
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
    /// The player that `id` is in a market, by its facts of the slot; `None` if it does not take part. As a
    /// buyer it knows the sellers at the positions `known`, or all.
    pub(super) fn new(
        market: Arc<MarketOpened>,
        known: Option<Arc<[u32]>>,
        id: ProsumerId,
        facts: &SlotFacts,
        band: PriceBand,
        rules: &Rules,
    ) -> Option<Self> {
        let (side, part) = match facts.role() {
            Role::Seller => {
                let index = market.sellers.binary_search(&id).ok()?;
                let seller = Seller::new(&market, index, facts.surplus(), band, rules);
                (Side::Seller(index as u32, facts.surplus()), Part::Seller(seller))
            }
            Role::Buyer => {
                let index = market.buyers.binary_search(&id).ok()?;
                (
                    Side::Buyer(index as u32),
                    Part::Buyer(Buyer::new(
                        Arc::clone(&market),
                        known,
                        facts.as_buyer().charged(rules.service_fee),
                        band,
                    )),
                )
            }
            Role::Idle => return None,
        };
        Some(Self { market, side, part, news: None, resumed_from: None, steps: Steps::default() })
    }

    /// Goes on from its last post, after having lost its memory.
    pub(super) fn resume(&mut self, last: LastPost) {
        self.resumed_from = Some(0);
        match (&mut self.part, last) {
            (Part::Seller(seller), LastPost::Quote(quote)) => {
                self.resumed_from = Some(quote.version);
                seller.resume(quote);
            }
            (Part::Buyer(buyer), LastPost::Choice(choice, shown)) => {
                self.resumed_from = Some(choice.version);
                buyer.resume(choice, shown.as_deref());
                self.news = shown;
            }
            _ => {}
        }
    }

    pub(super) fn market(&self) -> &MarketOpened {
        &self.market
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    /// Takes in a market state, unless it knows a newer one; returns whether it did.
    pub(super) fn hear(&mut self, state: Arc<MarketState>, now: Time) -> bool {
        let newer = self.news.as_ref().is_none_or(|known| known.number < state.number);
        if newer {
            self.steps.arrived(now - state.time);
            self.news = Some(state);
        }
        newer
    }

    /// Its next post, and how old the news is on which it decided; without age where there was no news to decide on.
    ///
    /// `interval` is its own period, `strategy` has the rules that are its own.
    pub(super) fn act(
        &mut self,
        rules: &Rules,
        strategy: Option<&mut Strategy>,
        random: &mut Stream,
        now: Time,
        interval: Duration,
    ) -> Option<(Call, Option<Duration>)> {
        let news = self.news.as_deref();
        let (pricing, choice) = strategy.map_or((None, None), |own| (own.pricing.as_mut(), own.choice.as_mut()));
        // What a seller goes by is demand, what a buyer goes by is prices.
        let (post, date, moved) = match &mut self.part {
            Part::Seller(seller) => {
                let who = Stepping::Seller(seller.age_burden());
                let stride = self.steps.stride(rules.adaptation, who, news, now, interval);
                let quote = seller.act(&self.market, news, rules, pricing, stride, random);
                let demand = news.filter(|news| news.aggregate.is_some());
                (Call::PostQuote(quote), demand.map(|news| news.choices_time), seller.last_price())
            }
            Part::Buyer(buyer) => {
                let stride = self.steps.stride(rules.adaptation, Stepping::Buyer, news, now, interval);
                let excess = match news {
                    Some(news) if !rules.mixing.is_none() => self.steps.excess(news, now, interval),
                    _ => 0.0,
                };
                let choice = buyer.act(news, rules, choice, stride, excess, random, now)?;
                (Call::PostChoice(choice), news.map(|news| news.quotes_time), buyer.watched_share())
            }
        };
        if let Some(value) = moved {
            self.steps.note(value, rules.tolerance);
        }
        Some((post, date.map(|date| now - date)))
    }

    /// What it posted under this version, if it remembers it.
    ///
    /// After having lost its memory it may give a version once more that is on its way to the ledger already: it cannot
    /// know which of the two has counted.
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
