//! A buyer in the negotiation of one slot.

use super::proximal::{self, Dealing};
use crate::{
    chain::genesis::Genesis,
    market::{
        demand::{self, Demand},
        mechanism::Mechanism,
        pricing::{PriceBand, price_step_size},
        step::StepSize,
    },
    mechanism::{
        Entry, Habits, Moment,
        two_level::{Choices, Follower, Lead, Stepping, Steps},
    },
    message::{MarketOpened, MarketState},
    statement::Choice,
};
use std::sync::Arc;

/// How much each period by which the loop is too old weighs on a buyer's step: less than on a seller's, as it goes from
/// what it asked for itself, of which its news is never old.
const AGE_BURDEN: f64 = 0.25;

/// How far it moves what it goes from towards a division by the sellers' surpluses. Of all divisions at one price this is
/// the one at which everybody is served alike where energy is short; and what returns there does not swing.
const EVEN: f64 = 0.3;

/// A buyer and what it knows.
#[derive(Debug)]
pub(crate) struct Buyer {
    /// What it registered, its preference less what it pays to the operator.
    facts: demand::Buyer,
    /// Whether its demand answers freely to price.
    demand: Demand,
    band: PriceBand,
    /// What everybody asked for last weighs so much, in units of the market's own scale.
    rho: f64,
    opened: Arc<MarketOpened>,
    choices: Choices,
    /// What it has to do with each seller, and what it asks for: only while it acts.
    dealings: Vec<Dealing>,
    purchases: Vec<f64>,
}

impl Follower for Buyer {
    fn lead(genesis: &Genesis, _: &Habits) -> Lead {
        Lead { size: StepSize::Scaled(rho(genesis)), is_steady: true }
    }

    fn join(entry: Entry<'_>) -> Self {
        let Entry { market, genesis, buyer, band, .. } = entry;
        Self {
            facts: buyer,
            demand: genesis.rules.demand,
            band,
            rho: rho(genesis),
            opened: Arc::clone(market),
            choices: Choices::new(market, None),
            dealings: Vec::with_capacity(market.surplus.len()),
            purchases: Vec::with_capacity(market.surplus.len()),
        }
    }

    fn act(&mut self, news: &MarketState, steps: &mut Steps, moment: Moment<'_>) -> Arc<Choice> {
        let stride = steps.stride(Stepping::Party(AGE_BURDEN), Some(news), &moment);
        let Moment { habits, alpha, now, .. } = moment;
        let mut next = self.choices.blank();
        let choice = Arc::get_mut(&mut next).expect("nobody else has it yet");
        choice.change = if self.deal(news, stride.part, alpha) {
            let total = proximal::purchases(&self.facts, alpha, self.demand, &self.dealings, &mut self.purchases);
            self.write(total, choice);
            self.change()
        } else {
            self.begin(news, alpha, choice);
            f64::INFINITY
        };
        self.choices.date(choice, news, habits.tolerance, now);
        self.choices.push(&next);
        next
    }

    fn resume(&mut self, choice: Arc<Choice>, shown: Option<&MarketState>) {
        self.choices.resume(choice, shown.is_some());
    }

    fn choices(&self) -> &Choices {
        &self.choices
    }
}

impl Buyer {
    /// What it has to do with each seller, at this `part` of a whole step; `false` as long as there is nothing to go on
    /// from, or no demand to go by.
    ///
    /// It reckons with the prices that the sellers are about to ask, by the demand that they meet and whatever their ramp:
    /// this keeps what all buyers do at once from swinging, since each goes from what it asked for itself.
    fn deal(&mut self, news: &MarketState, part: f64, alpha: f64) -> bool {
        let (Some(last), Some(sums)) = (self.choices.last(), news.aggregate.as_deref()) else { return false };
        let buyers = self.opened.buyers.len() as u32;
        let (size, supply, PriceBand { floor, ceiling }) =
            (StepSize::Scaled(self.rho), self.opened.total_surplus, self.band);
        let sellers = self.opened.surplus.iter().zip(&news.prices).zip(&sums.demand);
        let (asked, total) = (last.shares.iter().zip(&last.purchases), last.wanted());
        self.dealings.clear();
        self.dealings.extend(sellers.zip(asked).map(|(((surplus, &price), demand), (share, purchase))| {
            let step = price_step_size(size, alpha, surplus / supply, buyers, None, None);
            let next = (price + step * (demand - surplus)).max(floor).min(ceiling);
            Dealing {
                price: if price.is_finite() { next } else { price },
                asked: (1.0 - EVEN) * share * purchase + EVEN * total * surplus / supply,
                give: part / (f64::from(buyers) * step),
            }
        }));
        true
    }

    /// The common first choice, of what it wants at each price.
    fn begin(&mut self, news: &MarketState, alpha: f64, choice: &mut Choice) {
        let wanted = news.prices.iter().map(|&price| self.facts.optimal_purchase(price, alpha, self.demand));
        self.purchases.clear();
        self.purchases.extend(self.opened.game.first_choice.iter().zip(wanted).map(|(share, wanted)| share * wanted));
        self.write(self.purchases.iter().sum(), choice);
    }

    /// Writes what it asks for as shares of the `total`, of which rounding makes no more than a firm need. A choice of nothing
    /// says how it would be divided.
    fn write(&self, total: f64, choice: &mut Choice) {
        let total = if self.demand == Demand::Firm { total.min(self.facts.need) } else { total };
        choice.shares.clear();
        if total > 0.0 {
            choice.shares.extend(self.purchases.iter().map(|purchase| purchase / total));
        } else {
            let before = self.choices.last().map_or(&self.opened.game.first_choice[..], |last| &last.shares);
            choice.shares.extend_from_slice(before);
        }
        choice.purchases.clear();
        choice.purchases.resize(self.purchases.len(), total);
        choice.responsive = if self.facts.answers_to_price(total, self.demand) { 1.0 } else { 0.0 };
    }

    /// How far what it asks for of a seller is from what it goes from, at most, by the difference between worth and price that it answers, of
    /// however small a part of a step: relative to the width of the price band; where the tariffs are equal, as it is
    /// [CNY/kWh].
    fn change(&self) -> f64 {
        let moves = self.dealings.iter().zip(&self.purchases);
        let widest =
            moves.map(|(dealing, purchase)| (purchase - dealing.asked).abs() / dealing.give).fold(0.0, f64::max);
        let width = self.band.width();
        if width > 0.0 { widest / width } else { widest }
    }
}

/// The weight on which everybody has agreed.
fn rho(genesis: &Genesis) -> f64 {
    match genesis.rules.mechanism {
        Mechanism::Negotiation { rho } => rho,
        _ => unreachable!("it is joined where the genesis names it"),
    }
}
