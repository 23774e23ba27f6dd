//! A buyer in the game of one slot: divides itself over the sellers that it knows, and learns by the rule of its
//! behaviour.

use super::{
    adaptation::Stride,
    behaviour::{self, Lesson, Turn},
};
use crate::{
    market::{
        demand::{self, Demand},
        experience::Experience,
        pricing::PriceBand,
        replicator::{Fitness, private_step_size, private_unit, public_step_size},
        step::StepSize,
        sums::largest_difference,
    },
    mechanism::Moment,
    message::{MarketOpened, MarketState},
    statement::Choice,
};
use std::sync::Arc;

/// A buyer and what it knows.
#[derive(Debug)]
pub(super) struct Buyer {
    /// What it registered, its preference less what it pays to the operator.
    facts: demand::Buyer,
    /// Whether its demand answers freely to price.
    demand: Demand,
    band: PriceBand,
    opened: Arc<MarketOpened>,
    /// Positions of the sellers that it knows, ascending; `None` if all.
    known: Option<Arc<[u32]>>,
    /// Place, among those that it knows, of the seller with the greatest surplus, whose share tells how widely its steps
    /// swing.
    watched: usize,
    /// Its last choice.
    last: Option<Arc<Choice>>,
    /// The choice before that.
    previous: Option<Arc<Choice>>,
    own: Seen,
}

/// What one buyer has seen of the market itself, one entry a seller that it knows.
#[derive(Debug, Default)]
struct Seen {
    /// The prices that its last choice answered [CNY/kWh].
    prices: Vec<f64>,
    /// Its own term of each seller's net utility (11), without the constant [CNY].
    fitness: Vec<f64>,
}

impl Buyer {
    /// A buyer that knows the sellers at these positions, ascending; all of them if `None`.
    pub(super) fn new(
        opened: Arc<MarketOpened>,
        known: Option<Arc<[u32]>>,
        facts: demand::Buyer,
        demand: Demand,
        band: PriceBand,
    ) -> Self {
        let surplus = |place: usize| opened.surplus[known.as_ref().map_or(place, |known| known[place] as usize)];
        let places = known.as_ref().map_or(opened.surplus.len(), |known| known.len());
        let greater = |best, place| if surplus(place) > surplus(best) { place } else { best };
        let watched = (0..places).reduce(greater).unwrap_or(0);
        Self { facts, demand, band, opened, known, watched, last: None, previous: None, own: Seen::default() }
    }

    /// The next choice, after a step of this `stride` by its own rule or else the common one. `excess` is the age of the
    /// loop in excess of one period, in periods, as far as it matters.
    pub(super) fn act(&mut self, news: &MarketState, stride: Stride, excess: f64, moment: Moment<'_>) -> Arc<Choice> {
        let Moment { habits, alpha, now, .. } = moment;
        let mut next = self.blank();
        let choice = Arc::get_mut(&mut next).expect("nobody else has it yet");
        let (change, rest_before) = match &self.last {
            None => {
                choice.version = 1;
                self.first_shares(&mut choice.shares);
                (f64::INFINITY, 0)
            }
            Some(last) => {
                let last = Arc::clone(last);
                choice.version = last.version + 1;
                choice.shares.clone_from(&last.shares);
                let turn = Turn {
                    size: stride.of(habits.replicator_step),
                    // What is spread evenly shrinks with the step, so that both come to rest where they would anyway.
                    exploration: habits.exploration * stride.part,
                    mixing: habits.mixing.part(choice.version, excess),
                    regrowth: habits.regrowth,
                };
                let change = self.learn(&mut choice.shares, &last, news, turn, moment);
                (change.map_or(f64::INFINITY, |change| change / stride.rests_by), last.updates_at_rest)
            }
        };
        self.answer(choice, &news.prices, habits.fitness, alpha);
        // A purchase that moves is a move, whatever becomes of the shares: it counts by the price that it answers.
        let bought = self.last.as_ref().map_or(0.0, |last| largest_difference(&last.purchases, &choice.purchases));
        let answered = if bought > 0.0 { alpha * bought / self.band.width() } else { 0.0 };
        choice.change = change.max(answered);
        choice.updates_at_rest = if choice.change < habits.tolerance { rest_before + 1 } else { 0 };
        choice.answers = news.quotes_time.min(news.oldest_answered);
        choice.quotes = news.quotes_time;
        choice.news_age = now - news.quotes_time;
        self.previous = self.last.replace(Arc::clone(&next));
        next
    }

    /// A choice to be filled in: the one before the last, where nobody needs it any more.
    fn blank(&mut self) -> Arc<Choice> {
        let mut old = self.previous.take();
        match old.as_mut().and_then(Arc::get_mut) {
            Some(_) => old.expect("it is there"),
            None => Arc::new(Choice { slot: self.opened.slot, known: self.known.clone(), ..Choice::default() }),
        }
    }

    /// Goes on from a choice that it has forgotten; without the market as it was shown, only its bills are to come.
    pub(super) fn resume(&mut self, choice: Arc<Choice>, shown: Option<&MarketState>) {
        match shown {
            Some(shown) => {
                at_known(self.known.as_deref(), &shown.prices, &mut self.own.prices);
                self.last = Some(choice);
            }
            None => self.previous = Some(choice),
        }
    }

    /// The choice it made under this version, if it is one of the last two.
    pub(super) fn choice(&self, version: u32) -> Option<&Arc<Choice>> {
        self.last.iter().chain(&self.previous).find(|choice| choice.version == version)
    }

    /// The share of the seller with the greatest surplus in its last choice; `None` before the first.
    pub(super) fn watched_share(&self) -> Option<f64> {
        self.last.as_ref().map(|choice| choice.shares[self.watched])
    }

    /// The common first choice, as far as it goes to sellers that it knows; evenly where it goes to none of them.
    fn first_shares(&self, shares: &mut Vec<f64>) {
        at_known(self.known.as_deref(), &self.opened.game.first_choice, shares);
        if self.known.is_some() {
            let total: f64 = shares.iter().sum();
            let even = 1.0 / shares.len() as f64;
            shares.iter_mut().for_each(|share| *share = if total > 0.0 { *share / total } else { even });
        }
    }

    /// Takes its `turn` by what the `last` choice has earned; returns the largest change of a share, or `None`
    /// where the news tells of no choices to learn from.
    fn learn(
        &mut self,
        shares: &mut [f64],
        last: &Choice,
        news: &MarketState,
        turn: Turn,
        moment: Moment<'_>,
    ) -> Option<f64> {
        let Moment { habits, alpha, strategy, random, .. } = moment;
        let sums = news.aggregate.as_deref()?;
        let size = turn.size;
        let (market, known, buyer) = (&*self.opened, self.known.as_deref(), &self.facts);
        let lesson = |fitness, step, unit| Lesson { market, news, sums, known, buyer, last, fitness, size, step, unit };
        let lesson = match habits.fitness {
            Fitness::Public => {
                let step = |size| public_step_size(size, alpha, sums);
                lesson(&sums.net_utility, step(size), step(StepSize::Scaled(1.0)) / sums.stride)
            }
            Fitness::Private => {
                let own = match known {
                    None => self.own.gather(buyer, last, sums.served_share.iter().copied(), alpha, self.band),
                    Some(known) => {
                        let served = known.iter().map(|&seller| sums.served_share[seller as usize]);
                        self.own.gather(buyer, last, served, alpha, self.band)
                    }
                };
                let buyers = market.buyers.len() as u32;
                let step = private_step_size(size, alpha, sums, buyers, &own);
                lesson(&self.own.fitness, step, private_unit(alpha, sums, buyers, &own))
            }
        };
        Some(match strategy.and_then(|own| own.choice.as_mut()) {
            None => behaviour::learn(&mut { habits.behaviour }, shares, &lesson, turn, random),
            Some(rule) => behaviour::learn(&mut **rule, shares, &lesson, turn, random),
        })
    }

    /// Optimal purchases (7) at the prices of all sellers, and the sum of the shares whose purchase answers to price.
    fn answer(&mut self, choice: &mut Choice, prices: &[f64], fitness: Fitness, alpha: f64) {
        if fitness == Fitness::Private {
            at_known(self.known.as_deref(), prices, &mut self.own.prices);
        }
        let prices = if self.known.is_some() { &self.own.prices } else { prices };
        choice.purchases.resize(prices.len(), 0.0);
        choice.responsive = self.facts.answer(&choice.shares, prices, alpha, self.demand, &mut choice.purchases);
    }
}

/// Of a list with an entry for each seller, those of the sellers that a buyer knows.
fn at_known(known: Option<&[u32]>, all: &[f64], list: &mut Vec<f64>) {
    list.clear();
    match known {
        None => list.extend_from_slice(all),
        Some(known) => list.extend(known.iter().map(|&seller| all[seller as usize])),
    }
}

impl Seen {
    /// What the sellers were worth to this buyer alone, had it bought from each what it wanted at the prices it knew.
    /// `served` are the sellers' `t_j`.
    fn gather(
        &mut self,
        buyer: &demand::Buyer,
        last: &Choice,
        served: impl Iterator<Item = f64>,
        alpha: f64,
        band: PriceBand,
    ) -> Experience {
        let mut experience = Experience::default();
        self.fitness.clear();
        let choices = last.shares.iter().zip(&last.purchases);
        for (((&share, &purchase), &price), served) in choices.zip(&self.prices).zip(served) {
            self.fitness.push(experience.note(buyer, (share, purchase), (price, served), alpha, band));
        }
        experience
    }
}
