//! The board of a slot's game: every participant's last post that counts, and what they add up to.
//!
//! The same as the quotes and choices in the world state, laid out by position for the sums of every round.

use super::{answered::Answered, tally::Tally};
use crate::{
    chain::genesis::{Genesis, Rules},
    market::{
        aggregate::{Aggregate, Sums},
        demand::{Buyer, Demand},
        pricing::PriceBand,
        settlement::{Division, Party, Trade, Wish},
        stopping,
    },
    mechanism::{
        Floor, FloorRules, Opening,
        rest::{Rest, all_at_rest},
    },
    message::{MarketOpened, MarketState, Message, Shown},
    observation::{Commit, Observation},
    statement::{Choice, Outcome, Post, Quote},
    streams::Stream,
    time::{Time, nanos},
    units::Energy,
};
use rand::RngExt;
use std::{sync::Arc, time::Duration};

/// So many markets that were shown are kept for their memory.
const MOST_RETIRED: usize = 8;

/// The board of a slot's game.
#[derive(Debug)]
pub(crate) struct Board {
    market: Arc<MarketOpened>,
    genesis: Arc<Genesis>,
    rules: FloorRules,
    buyers: Vec<Buyer>,
    surplus: Vec<Energy>,
    /// Prices as they stand, infinite where there is no quote.
    prices: Vec<f64>,
    /// Newest choice of each buyer.
    choices: Vec<Option<Arc<Choice>>>,
    /// Rest of each participant, sellers first.
    rest: Vec<Rest>,
    /// The prices that sellers may ask.
    band: PriceBand,
    tally: Tally,
    answered: Answered,
    /// What the choices added up to last.
    aggregate: Option<Arc<Aggregate>>,
    /// When the newest quotes and choices reached the ledger, and how old the news of these choices was.
    quotes_sent: MeanAge,
    choices_sent: MeanAge,
    news: MeanAge,
    /// Sellers whose quotes have come since the market was last shown, and whether choices have.
    quoted: Vec<u32>,
    chosen: bool,
    shown: Option<Arc<MarketState>>,
    /// What was shown before, whose memory is used again once nobody needs it.
    retired: Vec<Arc<MarketState>>,
    /// The memory of such sums.
    spare: Aggregate,
}

impl Floor for Board {
    /// The common first choice `z(1)`: as given, or proportional to surpluses or to draws between 0.5 and 1.5.
    fn first_choice(rules: &FloorRules, surplus: &[Energy], random: &mut Stream) -> Vec<f64> {
        if let Some(shares) = rules.first_choice.as_ref().filter(|shares| shares.len() == surplus.len()) {
            return shares.to_vec();
        }
        let weight = |surplus: &Energy| match rules.first_by_surplus {
            true => surplus.value(),
            false => random.random_range(0.5..1.5),
        };
        let weights: Vec<f64> = surplus.iter().map(weight).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    fn open(opening: Opening<'_>) -> Self {
        let Opening { market, buyers, surplus, band, genesis, rules } = opening;
        let Rules { choice_set, .. } = genesis.rules;
        let sums = Sums::new(choice_set, surplus.len(), rules.alpha, genesis.rules.local_fee());
        Self {
            market: Arc::clone(market),
            genesis: Arc::clone(genesis),
            rules: rules.clone(),
            prices: vec![f64::INFINITY; surplus.len()],
            choices: vec![None; buyers.len()],
            rest: vec![Rest::default(); surplus.len() + buyers.len()],
            band,
            tally: Tally::new(sums, buyers.len()),
            answered: Answered::new(buyers.len(), rules.tells_answered),
            aggregate: None,
            quotes_sent: MeanAge::default(),
            choices_sent: MeanAge::default(),
            news: MeanAge::default(),
            quoted: Vec::new(),
            chosen: false,
            shown: None,
            retired: Vec::new(),
            spare: Aggregate::default(),
            buyers,
            surplus,
        }
    }

    #[inline]
    fn enter(&mut self, participant: usize, post: &Post, at: Time, before: Option<Time>, now: Time) {
        let sent = match post {
            Post::Quote(quote) => {
                self.quote(participant, quote, now);
                &mut self.quotes_sent
            }
            Post::Choice(choice) => {
                self.choose(participant, choice, now);
                &mut self.choices_sent
            }
            _ => return,
        };
        sent.enter(at.0);
        if let Some(before) = before {
            sent.leave(before.0);
        }
    }

    fn show(&mut self, off_chain: u32, now: Time) -> Option<(Message, Observation)> {
        let choices = std::mem::take(&mut self.chosen);
        let mut quoted = std::mem::take(&mut self.quoted);
        if !choices && quoted.is_empty() {
            return None;
        }
        let mut prices = self.retired_prices();
        prices.clone_from(&self.prices);
        if choices {
            self.sum_up();
        }
        self.quoted = Vec::with_capacity(quoted.len());
        quoted.sort_unstable();
        quoted.dedup();
        let before = self.shown.as_ref();
        let quotes_time = if quoted.is_empty() { before.map_or(now, |state| state.quotes_time) } else { now };
        let state = Arc::new(MarketState {
            slot: self.market.slot,
            number: before.map_or(1, |state| state.number + 1),
            time: now,
            quotes_time,
            choices_time: if choices { now } else { before.map_or(now, |state| state.choices_time) },
            oldest_answered: self.answered.oldest(),
            news_age: match (before, choices) {
                (Some(state), false) => state.news_age,
                _ => self.news_age(now, quotes_time),
            },
            prices,
            aggregate: self.aggregate.clone(),
        });
        self.answered.show(&state);
        self.retired.extend(self.shown.replace(Arc::clone(&state)));
        let message = Message::MarketState(Arc::clone(&state));
        Some((message, Observation::Committed(Commit { state, choices, off_chain, quoted })))
    }

    fn shown(&self) -> Option<Shown> {
        self.shown.clone().map(Shown::State)
    }

    fn ended(&self) -> Option<Outcome> {
        // Everybody may also rest elsewhere: held by noise, or by whom they do not know.
        let outcome = || if self.is_at_equilibrium() { Outcome::Equilibrium } else { Outcome::Rest };
        all_at_rest(&self.rest, self.rules.patience).then(outcome)
    }

    /// By (10). A pair trades at the seller's last price. Pairs without demand are left out.
    fn trades(&self) -> Vec<Trade> {
        let (demand, local_fee) = (self.genesis.rules.demand, self.genesis.rules.local_fee());
        let need = |buyer: &Buyer| match demand {
            Demand::Firm => Energy::at_most(buyer.need),
            Demand::Elastic => Party::ANY,
        };
        let buyers = self.market.game.buyers.iter().zip(&self.buyers);
        let buyers: Vec<Party> = buyers.map(|(&number, buyer)| Party { number, most: need(buyer) }).collect();
        let sellers = self.market.game.sellers.iter().zip(&self.surplus);
        let sellers: Vec<Party> = sellers.map(|(&number, &most)| Party { number, most }).collect();
        let pairs = || {
            let choices = (0..).zip(&self.choices).filter_map(|(buyer, choice)| Some((buyer, choice.as_ref()?)));
            let pairs = choices.flat_map(|(buyer, choice)| choice.pairs().map(move |pair| (buyer, pair)));
            pairs.filter(|(_, (_, _, optimal))| *optimal > 0.0)
        };
        let wishes: Vec<Wish> =
            pairs().map(|(buyer, (seller, share, x))| Wish { buyer, seller, wanted: share * x }).collect();
        let (seed, slot) = (self.genesis.seed, self.market.slot);
        let division = Division { seed, slot, sellers: &sellers, buyers: &buyers, wishes: &wishes };
        let trade = |((buyer, (seller, _, optimal)), energy)| {
            Trade::new(buyer, seller, optimal, energy, self.prices[seller as usize], local_fee)
        };
        pairs().zip(division.divide()).map(trade).collect()
    }
}

impl Board {
    /// Takes a seller's quote that counts from `now` on.
    fn quote(&mut self, seller: usize, quote: &Quote, now: Time) {
        self.quoted.push(seller as u32);
        self.prices[seller] = quote.price;
        self.rest[seller].note(quote.version, quote.updates_at_rest, quote.answers, now);
    }

    /// Takes the choice of a participant, a buyer, that counts from `now` on.
    fn choose(&mut self, participant: usize, choice: &Arc<Choice>, now: Time) {
        let buyer = participant - self.surplus.len();
        self.chosen = true;
        self.rest[participant].note(choice.version, choice.updates_at_rest, choice.answers, now);
        self.answered.note(buyer, choice.quotes);
        self.news.enter(nanos(choice.news_age));
        let before = self.choices[buyer].replace(Arc::clone(choice));
        if let Some(before) = &before {
            self.news.leave(nanos(before.news_age));
        }
        self.tally.change(buyer as u32, before);
    }

    /// The list of prices of a market that was shown and is forgotten by now; its sums become spare too. An empty one if
    /// somebody still knows all of them.
    fn retired_prices(&mut self) -> Vec<f64> {
        if self.retired.len() > MOST_RETIRED {
            self.retired.remove(0);
        }
        let Some(place) = self.retired.iter().position(|state| Arc::strong_count(state) == 1) else {
            return Vec::new();
        };
        let Ok(MarketState { prices, aggregate, .. }) = Arc::try_unwrap(self.retired.swap_remove(place)) else {
            return Vec::new();
        };
        if let Some(Ok(sums)) = aggregate.map(Arc::try_unwrap) {
            self.spare = sums;
        }
        prices
    }

    /// Sums up the choices as they stand, at the prices as they stand: (8), (9) and (11).
    fn sum_up(&mut self) {
        let (buyers, surplus, old) = (&self.buyers, &self.market.surplus, std::mem::take(&mut self.spare));
        let sums = self.tally.aggregate(old, &self.choices, buyers, surplus, &self.prices, self.band);
        let answered = self.answered.mean_prices(&self.prices);
        self.aggregate = Some(Arc::new(Aggregate { answered, ..sums }));
    }

    /// Whether the article's stopping rules hold for the posts as they stand.
    fn is_at_equilibrium(&self) -> bool {
        let Some(sums) = &self.aggregate else { return false };
        let (alpha, local_fee) = (self.rules.alpha, self.genesis.rules.local_fee());
        let (surplus, prices, band) = (&self.market.surplus, &self.prices, self.band);
        let choices = self.choices.iter().zip(&self.buyers);
        let posted = choices.filter_map(|(choice, buyer)| Some(choice.as_ref()?.posted(buyer)));
        stopping::Market { surplus, prices, band, sums, alpha, local_fee }.is_at_equilibrium(posted)
    }

    /// Mean age that the prices which the choices answered have `now`, counted from when they reached the ledger; zero
    /// before the first choice. `quotes_time` is when a quote was last committed. A choice tells how old the newest
    /// price was to it. What it cannot know, the ledger adds: how much older the other prices were, by what they are
    /// now, and how long the choice has lain here.
    fn news_age(&self, now: Time, quotes_time: Time) -> Duration {
        let older = self.quotes_sent.mean_before(quotes_time.0);
        let waiting = self.choices_sent.mean_before(now.0);
        Duration::from_nanos(older.saturating_add(self.news.mean()).saturating_add(waiting))
    }
}

/// A mean of whole numbers [ns] that come and go; exact but for the last.
#[derive(Clone, Copy, Debug, Default)]
struct MeanAge {
    count: u64,
    sum: u128,
}

impl MeanAge {
    fn enter(&mut self, number: u64) {
        self.count += 1;
        self.sum += u128::from(number);
    }

    fn leave(&mut self, number: u64) {
        self.count -= 1;
        self.sum -= u128::from(number);
    }

    /// The mean, rounded down; zero of none.
    fn mean(&self) -> u64 {
        (self.sum / u128::from(self.count.max(1))) as u64
    }

    /// How long before `moment` they are in the mean, rounded down; zero of none. None of them is later.
    fn mean_before(&self, moment: u64) -> u64 {
        let before = (u128::from(moment) * u128::from(self.count)).saturating_sub(self.sum);
        (before / u128::from(self.count.max(1))) as u64
    }
}
