//! A seller in the game of one slot: leads by price, answers to the excess of demand over its surplus.

use super::{
    Adaptation, ExcessDemand, Offer, PricingRule,
    adaptation::{Stepping, Stride, expected_demand},
};
use crate::{
    ids::Slot,
    market::{
        aggregate::Aggregate,
        pricing::{PriceBand, age_burden, price_step_size},
        step::StepSize,
    },
    mechanism::{FirstPrices, Habits, Moment},
    message::{MarketOpened, MarketState},
    statement::Quote,
    time::Time,
    units::Energy,
};
use rand::RngExt;
use std::collections::VecDeque;

/// How a seller leads.
#[derive(Clone, Copy, Debug)]
pub(in crate::mechanism) struct Lead {
    /// Step of its price rule.
    pub(in crate::mechanism) size: StepSize,
    /// Whether buyers reckon with that step: nothing but the age of the loop changes it then.
    pub(in crate::mechanism) is_steady: bool,
}

/// A seller and what it knows.
#[derive(Debug)]
pub(super) struct Seller {
    slot: Slot,
    /// Its position among the slot's sellers.
    index: usize,
    /// How many buyers there are.
    buyers: u32,
    surplus: f64,
    /// Its part `S_j / S` of all surplus.
    share: f64,
    lead: Lead,
    /// How much the age of the loop weighs on its steps.
    age_burden: f64,
    band: PriceBand,
    /// The price of its own that it begins with, if there is one from before.
    warm: Option<f64>,
    quote: Option<Quote>,
    /// The demand of which it heard last [kWh].
    heard: f64,
    /// Its newest prices, the last one at the end.
    recent: VecDeque<f64>,
}

/// The step that makes up for all of a relative excess of demand.
const WHOLE: StepSize = StepSize::Scaled(1.0);

/// How many of its prices a seller remembers, to check its bills: the ledger's newest may be older than its own.
const REMEMBERED: usize = 32;

impl Seller {
    pub(super) fn new(opened: &MarketOpened, index: usize, surplus: Energy, band: PriceBand, lead: Lead) -> Self {
        let (sellers, share) = (opened.sellers.len(), surplus.value() / opened.total_surplus);
        Self {
            slot: opened.slot,
            index,
            buyers: opened.buyers.len() as u32,
            surplus: surplus.value(),
            share,
            lead,
            age_burden: age_burden(lead.size, share, sellers),
            band,
            warm: None,
            quote: None,
            heard: f64::INFINITY,
            recent: VecDeque::with_capacity(REMEMBERED),
        }
    }

    /// The same, with a price to begin with.
    pub(super) fn beginning_with(self, warm: Option<f64>) -> Self {
        Self { warm, ..self }
    }

    pub(super) fn stepping(&self) -> Stepping {
        if self.lead.is_steady { Stepping::Party(self.age_burden) } else { Stepping::Seller(self.age_burden) }
    }

    /// The next quote. The first price comes from its own rule, the common ones or `random`; each later one answers to
    /// the demand in `news`, by its own rule if it has one. As long as the news tells of no demand, the seller
    /// repeats its price, for its first quote may have been lost. Takes a step of this `stride`.
    pub(super) fn act(
        &mut self,
        market: &MarketOpened,
        news: Option<&MarketState>,
        stride: Stride,
        moment: Moment<'_>,
    ) -> Quote {
        let Moment { habits, alpha, strategy, random, .. } = moment;
        let own = strategy.and_then(|own| own.pricing.as_mut());
        let Some(last) = self.quote else {
            let price = own.and_then(|rule| rule.first_price(market, self.band, random));
            let before = || self.warm.map(|price| price.clamp(self.band.floor, self.band.ceiling));
            let price = price.or_else(before).unwrap_or_else(|| match &habits.first_prices {
                FirstPrices::Fixed(prices) if prices.len() == market.sellers.len() => prices[self.index],
                _ => random.random_range(self.band.floor..=self.band.ceiling),
            });
            return self.post(1, price, f64::INFINITY, Time::ZERO, habits);
        };
        let Some((news, sums)) = news.and_then(|news| Some((news, news.aggregate.as_ref()?))) else {
            return self.post(last.version + 1, last.price, f64::INFINITY, Time::ZERO, habits);
        };
        let demand = match habits.adaptation {
            Adaptation::Predictive if !self.lead.is_steady => self.predicted(sums, last.price, alpha),
            _ => sums.demand[self.index],
        };
        // Made where it is used, so that the common rule needs no more of it than it looks at.
        let offer = || Offer {
            market,
            news,
            me: self.index,
            price: last.price,
            surplus: self.surplus,
            demand,
            step: self.step(stride.of(self.lead.size), sums.held.get(self.index).copied(), sums, alpha),
            band: self.band,
            ramp: habits.ramp,
        };
        let price = match own {
            None => ExcessDemand.next_price(&offer(), random),
            Some(rule) => rule.next_price(&offer(), random),
        };
        // At a tariff a price rests while demand may still move: that counts by the price that would answer it.
        let heard = sums.demand[self.index];
        let asked = (heard - self.heard).abs() * self.step(WHOLE, None, sums, alpha);
        self.heard = heard;
        let moved = ((price - last.price).abs() / stride.rests_by).max(asked);
        // Where the tariffs are equal, no price can move.
        let change = if moved > 0.0 { moved / self.band.width() } else { 0.0 };
        self.post(last.version + 1, price, change, news.oldest_answered, habits)
    }

    /// What a price step of this size comes to [CNY/kWh²].
    fn step(&self, size: StepSize, held: Option<f64>, sums: &Aggregate, alpha: f64) -> f64 {
        let blind = sums
            .left
            .get(self.index)
            .filter(|_| !self.lead.is_steady)
            .map(|&left| self.band.blind_step(left, self.surplus));
        price_step_size(size, alpha, self.share, self.buyers, held, blind)
    }

    /// The demand that it may expect at its `last` price [kWh], by which of its prices the one it hears of has answered.
    fn predicted(&self, sums: &Aggregate, last: f64, alpha: f64) -> f64 {
        let demand = sums.demand[self.index];
        let Some(&answered) = sums.answered.get(self.index) else { return demand };
        let responsive = match sums.held.get(self.index) {
            None => sums.answering() * sums.mean_share[self.index],
            Some(&held) => held * (sums.answering() / f64::from(self.buyers)).min(1.0),
        };
        expected_demand(demand, answered, last, responsive, alpha)
    }

    /// Reads from each end of what it knows.
    pub(super) fn look(&self) -> usize {
        self.index + self.recent.len() + usize::from(self.quote.is_some())
    }

    /// Goes on from a quote that it has forgotten.
    pub(super) fn resume(&mut self, quote: Quote) {
        self.recent.push_back(quote.price);
        self.quote = Some(quote);
    }

    fn post(&mut self, version: u32, price: f64, change: f64, answers: Time, habits: &Habits) -> Quote {
        let before = self.quote.map_or(0, |quote| quote.updates_at_rest);
        let updates_at_rest = if change < habits.tolerance { before + 1 } else { 0 };
        let quote = Quote { slot: self.slot, version, price, change, updates_at_rest, answers };
        self.quote = Some(quote);
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(price);
        quote
    }

    /// Its last price [CNY/kWh]; `None` before the first.
    pub(super) fn last_price(&self) -> Option<f64> {
        self.quote.map(|quote| quote.price)
    }

    /// The price it quoted under this version, if it remembers it.
    pub(super) fn price(&self, version: u32) -> Option<f64> {
        let age = self.quote?.version.checked_sub(version)? as usize;
        self.recent.iter().rev().nth(age).copied()
    }
}
