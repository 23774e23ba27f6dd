//! A buyer in the game of one slot: divides itself over sellers and learns by replicator dynamics.

use super::Rules;
use crate::{
    market::{
        aggregate::{Aggregate, private_net_utility, served_share},
        demand,
        replicator::{Fitness, private_step_size, public_step_size, replicator_step},
    },
    message::{Choice, MarketOpened, MarketState},
    time::Time,
};
use std::sync::Arc;

/// A buyer and what it knows.
#[derive(Debug)]
pub(super) struct Buyer {
    facts: demand::Buyer,
    opened: Arc<MarketOpened>,
    /// Its last choice, with the market state whose prices it answered.
    last: Option<(Arc<Choice>, Arc<MarketState>)>,
    /// The choice before that.
    previous: Option<Arc<Choice>>,
}

impl Buyer {
    pub(super) fn new(opened: Arc<MarketOpened>, facts: demand::Buyer) -> Self {
        Self { facts, opened, last: None, previous: None }
    }

    /// The next choice, or `None` while no seller has quoted a price.
    pub(super) fn act(&mut self, news: Option<&Arc<MarketState>>, rules: &Rules, now: Time) -> Option<Arc<Choice>> {
        let news = Arc::clone(news?);
        let (version, shares, change, rest_before) = match &self.last {
            None => (1, self.opened.first_choice.clone(), f64::INFINITY, 0),
            Some((choice, answered)) => {
                let mut shares = choice.shares.clone();
                let change = match &news.aggregate {
                    Some(market) => self.learn(&mut shares, choice, answered, market, rules),
                    None => f64::INFINITY,
                };
                (choice.version + 1, shares, change, choice.updates_at_rest)
            }
        };
        let (purchases, responsive) = self.answer(&shares, &news.prices, rules);
        let choice = Arc::new(Choice {
            slot: self.opened.slot,
            version,
            shares,
            purchases,
            responsive,
            change,
            updates_at_rest: if change < rules.tolerance { rest_before + 1 } else { 0 },
            answers: news.quotes_time.min(news.choices_time),
            news_age: now - news.quotes_time,
        });
        let before = self.last.replace((Arc::clone(&choice), news));
        self.previous = before.map(|(choice, _)| choice);
        Some(choice)
    }

    /// Goes on from a choice that it has forgotten; without the market as it was shown, only its bills are to come.
    pub(super) fn resume(&mut self, choice: Arc<Choice>, shown: Option<Arc<MarketState>>) {
        match shown {
            Some(shown) => self.last = Some((choice, shown)),
            None => self.previous = Some(choice),
        }
    }

    /// The choice it made under this version, if it is one of the last two.
    pub(super) fn choice(&self, version: u32) -> Option<&Arc<Choice>> {
        let last = self.last.as_ref().map(|(choice, _)| choice);
        last.into_iter().chain(&self.previous).find(|choice| choice.version == version)
    }

    /// One replicator step (15) with the fitness that the last choices earned; returns the largest change of a share.
    fn learn(
        &self,
        shares: &mut [f64],
        choice: &Choice,
        answered: &MarketState,
        market: &Aggregate,
        rules: &Rules,
    ) -> f64 {
        match rules.fitness {
            Fitness::Public => {
                let step = public_step_size(rules.replicator_step, rules.alpha, market);
                replicator_step(shares, &market.net_utility, step)
            }
            Fitness::Private => {
                let (mut wanted, mut got) = (0.0, 0.0);
                let mut fitness = Vec::with_capacity(shares.len());
                for (j, &purchase) in choice.purchases.iter().enumerate() {
                    let served = served_share(self.opened.surplus[j], market.demand[j]);
                    wanted += choice.shares[j] * purchase;
                    got += served * choice.shares[j] * purchase;
                    let price = answered.prices[j];
                    fitness.push(private_net_utility(&self.facts, purchase, served, price, rules.alpha));
                }
                let buyers = self.opened.buyers.len() as u32;
                let step = private_step_size(rules.replicator_step, rules.alpha, market, buyers, wanted, got);
                replicator_step(shares, &fitness, step)
            }
        }
    }

    /// Optimal purchases (7) at these prices, and the sum of the shares whose purchase answers to price.
    fn answer(&self, shares: &[f64], prices: &[f64], rules: &Rules) -> (Vec<f64>, f64) {
        let mut responsive = 0.0;
        let mut purchases = Vec::with_capacity(shares.len());
        for (&share, &price) in shares.iter().zip(prices) {
            let purchase = self.facts.optimal_purchase(price, rules.alpha, rules.demand);
            if self.facts.answers_to_price(purchase, rules.demand) {
                responsive += share;
            }
            purchases.push(purchase);
        }
        (purchases, responsive)
    }
}
