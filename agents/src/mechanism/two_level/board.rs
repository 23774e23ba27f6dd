//! The board of a slot's game: every participant's last post that counts, and what they add up to.
//!
//! The same as the quotes and choices in the world state, laid out by position for the sums of every round.

use super::{answered::Answered, tally::Tally};
use crate::{
    chain::genesis::{Genesis, Rules},
    market::{
        aggregate::{Aggregate, Sums},
        demand::{Buyer, Demand},
        part::{Ages, Part},
        pricing::PriceBand,
        settlement::{Division, Party, Trade, Wish},
        stopping,
    },
    mechanism::{
        Floor, FloorRules, Opening,
        rest::{Rest, all_at_rest, calm},
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
    ages: Ages,
    /// What the posts of each peer's clients come to, where peers take them, and whether somebody waits for it.
    parts: Vec<(Option<Box<Part>>, bool)>,
    /// The sums of the last two such parts that have been made here.
    made: [Option<Arc<Sums>>; 2],
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
        let sums = Sums::new(choice_set, market.sellers.len(), rules.alpha, genesis.rules.local_fee());
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
            ages: Ages::default(),
            parts: Vec::new(),
            made: Default::default(),
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
                &mut self.ages.quotes_sent
            }
            Post::Choice(choice) => {
                self.choose(participant, choice, now);
                &mut self.ages.choices_sent
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
        // What all choices are is not known where peers take them.
        let outcome = || if self.parts.is_empty() { outcome() } else { Outcome::Rest };
        let at_rest = match self.parts.is_empty() {
            true => all_at_rest([self.calm()].into_iter()),
            false => {
                let awaited = self.parts.iter().filter(|(_, is_awaited)| *is_awaited);
                all_at_rest(awaited.map(|(part, _)| part.as_ref()?.calm))
            }
        };
        at_rest.then(outcome)
    }

    fn at_rest(&mut self, now: Time) -> Outcome {
        self.show(0, now);
        if self.is_at_equilibrium() { Outcome::Equilibrium } else { Outcome::Rest }
    }

    fn part(&mut self, number: u64, posts: u64, sellers: &[u32]) -> Option<Part> {
        let (chosen, quoted) = (std::mem::take(&mut self.chosen), std::mem::take(&mut self.quoted));
        if !chosen && quoted.is_empty() {
            return None;
        }
        let mut quoted: Vec<u32> = quoted.into_iter().map(|place| sellers[place as usize]).collect();
        quoted.sort_unstable();
        quoted.dedup();
        let last = &mut self.made;
        // Whoever gets the next one needs the one before the last no more.
        let sums = self.tally.sums(&self.choices, &self.buyers);
        last.swap(0, 1);
        let mut shared = last[1].take().unwrap_or_else(|| Arc::new(sums.clone()));
        match Arc::get_mut(&mut shared) {
            Some(memory) => memory.copy_from(sums),
            None => shared = Arc::new(sums.clone()),
        }
        last[1] = Some(Arc::clone(&shared));
        let prices = sellers.iter().copied().zip(self.prices.iter().copied());
        Some(Part {
            slot: self.market.slot,
            number,
            posts,
            sums: shared,
            prices: prices.filter(|(_, price)| price.is_finite()).collect(),
            quoted,
            chosen,
            ages: self.ages,
            calm: self.calm(),
            answered: self.answered.counted(),
        })
    }

    fn enter_part(&mut self, place: usize, peers: usize, part: Option<Box<Part>>) -> u64 {
        self.parts.resize_with(peers, || (None, true));
        let last = self.parts[place].0.as_ref().map_or(0, |part| part.number);
        if part.as_ref().is_some_and(|part| part.number <= last) {
            return 0;
        }
        let is_awaited = part.is_some();
        let (before, _) = std::mem::replace(&mut self.parts[place], (part, is_awaited));
        let Some(part) = &self.parts[place].0 else {
            self.chosen |= before.is_some();
            return 0;
        };
        // Where one is lost, nobody knows what was new in it.
        let all_new = part.number != last + 1;
        self.chosen |= part.chosen || all_new;
        match all_new {
            true => self.quoted.extend(part.prices.iter().map(|(seller, _)| *seller)),
            false => self.quoted.extend(&part.quoted),
        }
        for &(seller, price) in &part.prices {
            self.prices[seller as usize] = price;
        }
        let posts = part.posts - before.map_or(0, |before| before.posts).min(part.posts);
        self.ages = Ages::default();
        self.parts.iter().filter_map(|(part, _)| part.as_ref()).for_each(|part| self.ages.add(&part.ages));
        let answered =
            self.parts.iter().filter_map(|(part, _)| part.as_ref()).flat_map(|part| part.answered.iter().copied());
        self.answered.count(answered.collect());
        posts
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
        // As many as there are, and no more: in a large market nothing else takes as much memory.
        let mut wishes = Vec::with_capacity(pairs().count());
        wishes.extend(pairs().map(|(buyer, (seller, share, x))| Wish { buyer, seller, wanted: share * x }));
        let (seed, slot) = (self.genesis.seed, self.market.slot);
        let energy = Division { seed, slot, sellers: &sellers, buyers: &buyers, wishes: &wishes }.divide();
        drop(wishes);
        let mut trades = Vec::with_capacity(energy.len());
        let trade = |((buyer, (seller, _, optimal)), energy)| {
            Trade::new(buyer, seller, optimal, energy, self.prices[seller as usize], local_fee)
        };
        // A seller may have no quote here though buyers know one: a peer that is gone has not handed it in.
        let quoted =
            |((_, (seller, ..)), _): &((u32, (u32, f64, f64)), Energy)| self.prices[*seller as usize].is_finite();
        trades.extend(pairs().zip(energy).filter(quoted).map(trade));
        trades
    }
}

impl Board {
    /// Since when all who post here are at rest, and the oldest news that they have answered.
    fn calm(&self) -> Option<(Time, Time)> {
        calm(self.rest.iter(), self.rules.patience)
    }

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
        self.ages.news.enter(nanos(choice.news_age));
        let before = self.choices[buyer].replace(Arc::clone(choice));
        if let Some(before) = &before {
            self.ages.news.leave(nanos(before.news_age));
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
        let sums = match self.parts.is_empty() {
            true => self.tally.aggregate(old, &self.choices, buyers, surplus, &self.prices, self.band),
            false => {
                let parts = self.parts.iter().filter_map(|(part, _)| Some(&*part.as_ref()?.sums));
                self.tally.aggregate_sums(old, parts, surplus, &self.prices, self.band)
            }
        };
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
        let older = self.ages.quotes_sent.mean_before(quotes_time.0);
        let waiting = self.ages.choices_sent.mean_before(now.0);
        Duration::from_nanos(older.saturating_add(self.ages.news.mean()).saturating_add(waiting))
    }
}
