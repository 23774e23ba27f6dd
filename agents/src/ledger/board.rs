//! The board of a slot's game: every participant's last post that counts, and what they add up to.
//!
//! The same as the quotes and choices in the world state, laid out by position for the sums of every round.

use super::{
    chains::Sent,
    rest::{Rest, all_at_rest},
    state::WorldState,
};
use crate::{
    chain::fact::{Fact, Game, Key},
    contract::Stub,
    ids::{ActorId, ProsumerId},
    market::{
        aggregate::{Aggregate, Posted},
        demand::Buyer,
        settlement::{Trade, divide},
    },
    message::{Choice, MarketOpened, Quote},
    time::Time,
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// The board of a slot's game.
#[derive(Debug)]
pub(super) struct Board {
    game: Arc<Game>,
    opened: Arc<MarketOpened>,
    /// The participants' addresses, sellers first.
    audience: Arc<[ActorId]>,
    buyers: Vec<Buyer>,
    surplus: Vec<Energy>,
    prices: Vec<f64>,
    /// Newest quote of each seller.
    quotes: Vec<Option<Quote>>,
    /// Newest choice of each buyer.
    choices: Vec<Option<Arc<Choice>>>,
    /// Newest post of each participant as it was sent, sellers first.
    posts: Vec<Option<Sent>>,
    /// Rest of each participant, sellers first.
    rest: Vec<Rest>,
    aggregate: Option<Arc<Aggregate>>,
}

impl Board {
    /// An empty board for the participants of a game, with what they have registered.
    pub(super) fn new(game: Arc<Game>, opened: Arc<MarketOpened>, buyers: Vec<Buyer>, surplus: Vec<Energy>) -> Self {
        let sellers = surplus.len();
        let audience: Arc<[ActorId]> = participants(&opened).map(ProsumerId::actor).collect();
        Self {
            prices: vec![f64::INFINITY; sellers],
            quotes: vec![None; sellers],
            choices: vec![None; buyers.len()],
            posts: vec![None; audience.len()],
            rest: vec![Rest::default(); audience.len()],
            aggregate: None,
            audience,
            game,
            opened,
            buyers,
            surplus,
        }
    }

    pub(super) fn opened(&self) -> &Arc<MarketOpened> {
        &self.opened
    }

    /// Everybody who hears of the market.
    pub(super) fn audience(&self) -> &Arc<[ActorId]> {
        &self.audience
    }

    /// Takes a seller's quote that counts from `now` on.
    pub(super) fn quote(&mut self, seller: u32, quote: Quote, sent: Sent, now: Time) {
        let index = seller as usize;
        self.prices[index] = quote.price;
        self.quotes[index] = Some(quote);
        self.posts[index] = Some(sent);
        self.rest[index].note(quote.version, quote.updates_at_rest, quote.answers, now);
    }

    /// Takes a buyer's choice that counts from `now` on.
    pub(super) fn choose(&mut self, buyer: u32, choice: Arc<Choice>, sent: Sent, now: Time) {
        let participant = self.surplus.len() + buyer as usize;
        self.rest[participant].note(choice.version, choice.updates_at_rest, choice.answers, now);
        self.posts[participant] = Some(sent);
        self.choices[buyer as usize] = Some(choice);
    }

    /// The position of a seller with this number.
    pub(super) fn seller(&self, number: u32) -> Option<u32> {
        self.game.sellers.binary_search(&number).ok().map(|index| index as u32)
    }

    /// The position of a buyer with this number.
    pub(super) fn buyer(&self, number: u32) -> Option<u32> {
        self.game.buyers.binary_search(&number).ok().map(|index| index as u32)
    }

    /// Sums up the choices as they stand, at the prices as they stand: (8), (9) and (11).
    pub(super) fn sum_up(&mut self, alpha: f64) {
        let posted = self.choices.iter().zip(&self.buyers).filter_map(|(post, buyer)| {
            let choice = post.as_deref()?;
            let Choice { shares, purchases, responsive, .. } = choice;
            Some(Posted { buyer, shares, purchases, responsive: *responsive })
        });
        self.aggregate = Some(Arc::new(Aggregate::of(&self.opened.surplus, &self.prices, alpha, posted)));
    }

    /// Prices as they stand, infinite where there is no quote.
    pub(super) fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// What the choices added up to last.
    pub(super) fn aggregate(&self) -> Option<&Arc<Aggregate>> {
        self.aggregate.as_ref()
    }

    /// Mean age that the prices which the choices answered have `now`, counted from when they reached the ledger; zero
    /// before the first choice. `quotes_time` is when a quote was last committed.
    ///
    /// A choice tells how old the newest price was to it. What it cannot know, the ledger adds: how much older the
    /// other prices were, by what they are now, and how long the choice has lain here.
    pub(super) fn news_age(&self, now: Time, quotes_time: Time) -> Duration {
        let (quotes, choices) = self.posts.split_at(self.quotes.len());
        let older = mean(quotes.iter().flatten().map(|sent| quotes_time - sent.at));
        let answered = self.choices.iter().flatten().map(|choice| choice.news_age);
        let waiting = choices.iter().flatten().map(|sent| now - sent.at);
        older.saturating_add(mean(answered)).saturating_add(mean(waiting))
    }

    /// Whether the last `patience` updates of every participant were at rest, on news of a market at rest.
    pub(super) fn at_rest(&self, patience: u32) -> bool {
        all_at_rest(&self.rest, patience)
    }

    /// Everybody's last post, sellers first; `None` of those who have posted nothing.
    pub(super) fn posts(&self) -> &[Option<Sent>] {
        &self.posts
    }

    /// Version of a participant's last post, sellers first; 0 without one.
    pub(super) fn version(&self, participant: usize) -> u32 {
        match participant.checked_sub(self.quotes.len()) {
            None => self.quotes[participant].map_or(0, |quote| quote.version),
            Some(buyer) => self.choices[buyer].as_ref().map_or(0, |choice| choice.version),
        }
    }

    /// Most choices that one buyer has made.
    pub(super) fn rounds(&self) -> u32 {
        self.choices.iter().flatten().map(|choice| choice.version).max().unwrap_or(0)
    }

    /// The trades that follow from the posts (10), by buyer, then seller.
    ///
    /// A pair trades at the seller's last price. Pairs without demand are left out.
    pub(super) fn trades(&self, service_fee: f64) -> Vec<Trade> {
        let mut trades = Vec::new();
        for (j, &price) in self.prices.iter().enumerate() {
            let of = |post: &Option<Arc<Choice>>| {
                post.as_ref().map_or((0.0, 0.0), |choice| (choice.shares[j], choice.purchases[j]))
            };
            let wanted: Vec<f64> = self.choices.iter().map(of).map(|(share, purchase)| share * purchase).collect();
            let parts = divide(self.surplus[j], &wanted);
            for (i, (post, energy)) in self.choices.iter().zip(parts).enumerate() {
                let (_, optimal) = of(post);
                if optimal > 0.0 {
                    trades.push(Trade::new(i as u32, j as u32, optimal, energy, price, service_fee));
                }
            }
        }
        trades.sort_by_key(|trade| (trade.buyer, trade.seller));
        trades
    }
}

/// The mean of some durations; zero of none.
fn mean(durations: impl Iterator<Item = Duration>) -> Duration {
    let (count, sum) = durations.fold((0, Duration::ZERO), |(count, sum), d| (count + 1, sum.saturating_add(d)));
    sum / count.max(1)
}

/// Sellers first, then buyers: the order in which participants are numbered here.
pub(super) fn participants(market: &MarketOpened) -> impl Iterator<Item = ProsumerId> + '_ {
    market.sellers.iter().chain(&market.buyers).copied()
}

/// A participant's number in that order.
pub(super) fn participant(market: &MarketOpened, prosumer: ProsumerId) -> Option<usize> {
    let seller = market.sellers.binary_search(&prosumer).ok();
    seller.or_else(|| market.buyers.binary_search(&prosumer).ok().map(|index| market.sellers.len() + index))
}

/// What the contract sees when it checks a post that does not go to the chain: the posts on the board in the place of
/// those in the world state. What it would write, the board takes.
#[derive(Debug)]
pub(super) struct OffChain<'a> {
    pub(super) state: &'a WorldState,
    pub(super) board: Option<&'a Board>,
}

impl Stub for OffChain<'_> {
    fn read(&mut self, key: Key) -> Option<Fact> {
        match (key, self.board) {
            (Key::Quote(slot, number), Some(board)) if slot == board.opened.slot => {
                board.quotes[board.seller(number)? as usize].map(Fact::Quote)
            }
            (Key::Choice(slot, number), Some(board)) if slot == board.opened.slot => {
                board.choices[board.buyer(number)? as usize].clone().map(Fact::Choice)
            }
            _ => self.state.fact(key).cloned(),
        }
    }

    fn write(&mut self, _: Key, _: Fact) {}
}
