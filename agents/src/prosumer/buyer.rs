//! A buyer in the game of one slot: divides itself over sellers, and learns by the rule of its behaviour.

use super::{Rules, adaptation::Stride, behaviour::Lesson};
use crate::{
    market::{
        aggregate::{Aggregate, private_net_utility, served_share},
        demand,
        replicator::{Fitness, StepSize, private_step_size, public_step_size},
    },
    message::{Choice, MarketOpened, MarketState},
    streams::Stream,
    time::Time,
};
use std::sync::Arc;

/// A buyer and what it knows.
#[derive(Debug)]
pub(super) struct Buyer {
    facts: demand::Buyer,
    opened: Arc<MarketOpened>,
    /// The seller with the greatest surplus, whose share tells how widely its steps swing.
    watched: usize,
    /// Its last choice, with the market state whose prices it answered.
    last: Option<(Arc<Choice>, Arc<MarketState>)>,
    /// The choice before that.
    previous: Option<Arc<Choice>>,
}

impl Buyer {
    pub(super) fn new(opened: Arc<MarketOpened>, facts: demand::Buyer) -> Self {
        let greatest = opened.surplus.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let watched = opened.surplus.iter().position(|&surplus| surplus == greatest).unwrap_or(0);
        Self { facts, opened, watched, last: None, previous: None }
    }

    /// The next choice, after a step of this `stride`, or `None` while no seller has quoted a price.
    pub(super) fn act(
        &mut self,
        news: Option<&Arc<MarketState>>,
        rules: &Rules,
        stride: Stride,
        random: &mut Stream,
        now: Time,
    ) -> Option<Arc<Choice>> {
        let news = Arc::clone(news?);
        let (version, shares, change, rest_before) = match &self.last {
            None => (1, self.opened.first_choice.clone(), f64::INFINITY, 0),
            Some((choice, answered)) => {
                let mut shares = choice.shares.clone();
                let change = match &news.aggregate {
                    Some(market) => {
                        let change = self.learn(&mut shares, (choice, answered), market, rules, stride.part, random);
                        change / stride.rests_by
                    }
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

    /// The share of the seller with the greatest surplus in its last choice; `None` before the first.
    pub(super) fn watched_share(&self) -> Option<f64> {
        self.last.as_ref().map(|(choice, _)| choice.shares[self.watched])
    }

    /// Takes `part` of a step by what the `last` choice, made on those prices, has earned; returns the largest change
    /// of a share.
    fn learn(
        &self,
        shares: &mut [f64],
        last: (&Choice, &MarketState),
        market: &Aggregate,
        rules: &Rules,
        part: f64,
        random: &mut Stream,
    ) -> f64 {
        let size = rules.replicator_step.times(part);
        let lesson = |fitness, step: &dyn Fn(StepSize) -> f64| {
            let (step, unit) = (step(size), step(StepSize::Scaled(1.0)));
            Lesson { fitness, others: &market.mean_share, size, step, unit }
        };
        let own;
        let lesson = match rules.fitness {
            Fitness::Public => lesson(&market.net_utility, &|size| public_step_size(size, rules.alpha, market)),
            Fitness::Private => {
                own = self.own_experience(last.0, last.1, market, rules);
                let buyers = self.opened.buyers.len() as u32;
                lesson(&own.fitness, &|size| private_step_size(size, rules.alpha, market, buyers, own.wanted, own.got))
            }
        };
        // What is spread evenly shrinks with the step, so that both together come to rest where they would anyway.
        rules.behaviour.learn(shares, &lesson, rules.exploration * part, random)
    }

    /// What the sellers were worth to this buyer alone, had it bought from each what it wanted at the prices it knew.
    fn own_experience(&self, choice: &Choice, answered: &MarketState, market: &Aggregate, rules: &Rules) -> Experience {
        let (mut wanted, mut got) = (0.0, 0.0);
        let mut fitness = Vec::with_capacity(choice.shares.len());
        for (j, &purchase) in choice.purchases.iter().enumerate() {
            let served = served_share(self.opened.surplus[j], market.demand[j]);
            wanted += choice.shares[j] * purchase;
            got += served * choice.shares[j] * purchase;
            fitness.push(private_net_utility(&self.facts, purchase, served, answered.prices[j], rules.alpha));
        }
        Experience { fitness, wanted, got }
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

/// What one buyer has seen of the market itself.
struct Experience {
    /// Its own term of each seller's net utility (11), without the constant [CNY].
    fitness: Vec<f64>,
    /// Its demand `D_i` [kWh].
    wanted: f64,
    /// What was served of it, `B_i` [kWh].
    got: f64,
}
