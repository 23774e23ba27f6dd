//! A buyer in the game of one slot: divides itself over the sellers that it knows, and learns by the rule of its
//! behaviour.

use super::{
    adaptation::{Stepping, Steps, Stride},
    behaviour::{self, Lesson, Turn},
    choices::Choices,
    follower::Follower,
    seller::Lead,
};
use crate::{
    chain::genesis::Genesis,
    market::{
        demand::{self, Demand},
        experience::Experience,
        pricing::PriceBand,
        replicator::{Fitness, private_step_size, private_unit, public_step_size},
        step::StepSize,
        sums::largest_difference,
    },
    mechanism::{Entry, Habits, Moment},
    message::{MarketOpened, MarketState},
    statement::Choice,
    streams::{Purpose, slot_stream},
};
use std::sync::Arc;

/// A buyer and what it knows.
#[derive(Debug)]
pub(crate) struct Buyer {
    /// What it registered, its preference less what it pays to the operator.
    facts: demand::Buyer,
    /// Whether its demand answers freely to price.
    demand: Demand,
    band: PriceBand,
    opened: Arc<MarketOpened>,
    /// Positions of the sellers that it knows, ascending; `None` if all.
    known: Option<Arc<[u32]>>,
    choices: Choices,
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

impl Follower for Buyer {
    fn lead(_: &Genesis, habits: &Habits) -> Lead {
        Lead { size: habits.price_step, is_steady: false }
    }

    fn join(entry: Entry<'_>) -> Self {
        let Entry { market, genesis, prosumer, buyer, band, .. } = entry;
        // Drawn from a stream of the slot's own, so that whoever joins again after a crash knows the same.
        let mut random = slot_stream(genesis.seed, prosumer.actor(), Purpose::Acquaintance, market.slot);
        let known = genesis.rules.choice_set.draw(market.sellers.len(), &mut random);
        Self {
            facts: buyer,
            demand: genesis.rules.demand,
            band,
            opened: Arc::clone(market),
            choices: Choices::new(market, known.clone()),
            known,
            own: Seen::default(),
        }
    }

    fn act(&mut self, news: &MarketState, steps: &mut Steps, moment: Moment<'_>) -> Arc<Choice> {
        let stride = steps.stride(Stepping::Buyer, Some(news), &moment);
        let excess = if moment.habits.mixing.is_none() { 0.0 } else { steps.excess(news, &moment) };
        self.choose(news, stride, excess, moment)
    }

    fn resume(&mut self, choice: Arc<Choice>, shown: Option<&MarketState>) {
        if let Some(shown) = shown {
            at_known(self.known.as_deref(), &shown.prices, &mut self.own.prices);
        }
        self.choices.resume(choice, shown.is_some());
    }

    fn choices(&self) -> &Choices {
        &self.choices
    }

    fn look(&self, depth: usize) -> usize {
        let first = |list: &[f64]| list.first().map_or(0, |first| first.to_bits() as usize);
        match depth {
            0 => self.own.fitness.len() + self.choices.look(0),
            1 => {
                let known = self.known.as_ref().and_then(|known| known.first()).map_or(0, |first| *first as usize);
                known + first(&self.own.prices) + first(&self.own.fitness) + self.choices.look(1)
            }
            _ => self.choices.look(depth),
        }
    }
}

impl Buyer {
    /// The next choice, after a step of this `stride` by its own rule or else the common one. `excess` is the age of the
    /// loop in excess of one period, in periods, as far as it matters.
    fn choose(&mut self, news: &MarketState, stride: Stride, excess: f64, moment: Moment<'_>) -> Arc<Choice> {
        let Moment { habits, alpha, now, .. } = moment;
        let mut next = self.choices.blank();
        let choice = Arc::get_mut(&mut next).expect("nobody else has it yet");
        let change = match self.choices.last() {
            None => {
                self.first_shares(&mut choice.shares);
                f64::INFINITY
            }
            Some(last) => {
                let last = Arc::clone(last);
                choice.shares.clone_from(&last.shares);
                let turn = Turn {
                    size: stride.of(habits.replicator_step),
                    // What is spread evenly shrinks with the step, so that both come to rest where they would anyway.
                    exploration: habits.exploration * stride.part,
                    mixing: habits.mixing.part(choice.version, excess),
                    regrowth: habits.regrowth,
                };
                let change = self.learn(&mut choice.shares, &last, news, turn, moment);
                change.map_or(f64::INFINITY, |change| change / stride.rests_by)
            }
        };
        self.answer(choice, &news.prices, habits.fitness, alpha);
        // A purchase that moves is a move, whatever becomes of the shares: it counts by the price that it answers.
        let bought = self.choices.last().map_or(0.0, |last| largest_difference(&last.purchases, &choice.purchases));
        let answered = if bought > 0.0 { alpha * bought / self.band.width() } else { 0.0 };
        choice.change = change.max(answered);
        self.choices.date(choice, news, habits.tolerance, now);
        self.choices.push(&next);
        next
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
