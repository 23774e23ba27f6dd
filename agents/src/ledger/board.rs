//! The board of a slot's game: every participant's last post that counts, and what they add up to.
//!
//! The same as the quotes and choices in the world state, laid out by position for the sums of every round.

use super::{chains::Sent, state::WorldState};
use crate::{
    chain::{
        call::Call,
        fact::{Fact, Game, Key},
        genesis::{Genesis, Rules},
        identity::Party as Maker,
    },
    contract::Stub,
    ids::{ActorId, ProsumerId},
    market::{
        aggregate::Aggregate,
        demand::{Buyer, Demand},
        pricing::PriceBand,
        settlement::{Division, Party, Trade, Wish},
        stopping,
    },
    mechanism::{
        rest::{Rest, all_at_rest},
        two_level::{answered::Answered, tally::Tally},
    },
    message::MarketOpened,
    statement::{Choice, Quote},
    time::{Time, nanos},
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// The board of a slot's game.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) opened: Arc<MarketOpened>,
    /// The participants' addresses, sellers first: everybody who hears of the market.
    pub(super) audience: Arc<[ActorId]>,
    buyers: Vec<Buyer>,
    surplus: Vec<Energy>,
    /// Prices as they stand, infinite where there is no quote.
    pub(super) prices: Vec<f64>,
    /// Newest choice of each buyer.
    choices: Vec<Option<Arc<Choice>>>,
    /// Newest post of each participant as it was sent, sellers first.
    pub(super) posts: Vec<Option<Sent>>,
    /// Rest of each participant, sellers first.
    rest: Vec<Rest>,
    /// The prices that sellers may ask.
    band: PriceBand,
    tally: Tally,
    pub(super) answered: Answered,
    /// What the choices added up to last.
    pub(super) aggregate: Option<Arc<Aggregate>>,
    /// When the newest quotes and choices reached the ledger, and how old the news of these choices was.
    quotes_sent: MeanAge,
    choices_sent: MeanAge,
    news: MeanAge,
}

impl Board {
    pub(super) fn new(
        opened: Arc<MarketOpened>,
        buyers: Vec<Buyer>,
        surplus: Vec<Energy>,
        band: PriceBand,
        (tally, answered): (Tally, Answered),
    ) -> Self {
        let audience: Arc<[ActorId]> = participants(&opened).map(ProsumerId::actor).collect();
        Self {
            prices: vec![f64::INFINITY; surplus.len()],
            choices: vec![None; buyers.len()],
            posts: vec![None; audience.len()],
            rest: vec![Rest::default(); audience.len()],
            band,
            tally,
            answered,
            aggregate: None,
            quotes_sent: MeanAge::default(),
            choices_sent: MeanAge::default(),
            news: MeanAge::default(),
            audience,
            opened,
            buyers,
            surplus,
        }
    }

    /// Takes a seller's quote that counts from `now` on.
    pub(super) fn quote(&mut self, seller: usize, quote: Quote, sent: Sent, now: Time) {
        self.prices[seller] = quote.price;
        self.rest[seller].note(quote.version, quote.updates_at_rest, quote.answers, now);
        self.quotes_sent.enter(sent.at.0);
        if let Some(before) = self.posts[seller].replace(sent) {
            self.quotes_sent.leave(before.at.0);
        }
    }

    /// Takes the choice of a participant, a buyer, that counts from `now` on.
    pub(super) fn choose(&mut self, participant: usize, choice: Arc<Choice>, sent: Sent, now: Time) {
        let buyer = participant - self.surplus.len();
        self.rest[participant].note(choice.version, choice.updates_at_rest, choice.answers, now);
        self.choices_sent.enter(sent.at.0);
        self.answered.note(buyer, choice.quotes);
        self.news.enter(nanos(choice.news_age));
        if let Some(before) = self.posts[participant].replace(sent) {
            self.choices_sent.leave(before.at.0);
        }
        let before = self.choices[buyer].replace(choice);
        if let Some(before) = &before {
            self.news.leave(nanos(before.news_age));
        }
        self.tally.change(buyer as u32, before);
    }

    /// Who has sent a post, by its number among the participants, sellers first.
    pub(super) fn participant(&self, sent: &Sent) -> Option<usize> {
        let Maker::Prosumer(number) = sent.creator() else { return None };
        let Game { sellers, buyers, .. } = &*self.opened.game;
        match sent.call() {
            Call::PostQuote(_) => sellers.binary_search(&number).ok(),
            Call::PostChoice(_) => buyers.binary_search(&number).ok().map(|buyer| sellers.len() + buyer),
            _ => None,
        }
    }

    /// Sums up the choices as they stand, at the prices as they stand: (8), (9) and (11).
    pub(super) fn sum_up(&mut self) {
        let sums = self.tally.aggregate(&self.choices, &self.buyers, &self.opened.surplus, &self.prices, self.band);
        let answered = self.answered.mean_prices(&self.prices);
        self.aggregate = Some(Arc::new(Aggregate { answered, ..sums }));
    }

    /// Whether the article's stopping rules hold for the posts as they stand, where curvature is `alpha` [CNY/kWh²] and
    /// buyers pay a `service_fee` [CNY/kWh].
    pub(super) fn is_at_equilibrium(&self, alpha: f64, service_fee: f64) -> bool {
        let Some(sums) = &self.aggregate else { return false };
        let (surplus, prices, band) = (&self.opened.surplus, &self.prices, self.band);
        let choices = self.choices.iter().zip(&self.buyers);
        let posted = choices.filter_map(|(choice, buyer)| Some(choice.as_ref()?.posted(buyer)));
        stopping::Market { surplus, prices, band, sums, alpha, service_fee }.is_at_equilibrium(posted)
    }

    /// Mean age that the prices which the choices answered have `now`, counted from when they reached the ledger; zero
    /// before the first choice. `quotes_time` is when a quote was last committed. A choice tells how old the newest
    /// price was to it. What it cannot know, the ledger adds: how much older the other prices were, by what they are
    /// now, and how long the choice has lain here.
    pub(super) fn news_age(&self, now: Time, quotes_time: Time) -> Duration {
        let older = self.quotes_sent.mean_before(quotes_time.0);
        let waiting = self.choices_sent.mean_before(now.0);
        Duration::from_nanos(older.saturating_add(self.news.mean()).saturating_add(waiting))
    }

    /// Whether the last `patience` updates of every participant were at rest, on news of a market at rest.
    pub(super) fn at_rest(&self, patience: u32) -> bool {
        all_at_rest(&self.rest, patience)
    }

    /// Version of a participant's last post, sellers first; 0 without one.
    pub(super) fn version(&self, participant: usize) -> u32 {
        self.posts[participant].as_ref().map_or(0, Sent::version)
    }

    /// Most choices that one buyer has made.
    pub(super) fn rounds(&self) -> u32 {
        self.choices.iter().flatten().map(|choice| choice.version).max().unwrap_or(0)
    }

    /// The trades that follow from the posts (10) by the rules of the genesis, by buyer, then seller. A pair trades at
    /// the seller's last price. Pairs without demand are left out.
    pub(super) fn trades(&self, genesis: &Genesis) -> Vec<Trade> {
        let Rules { demand, service_fee, .. } = genesis.rules;
        let need = |buyer: &Buyer| match demand {
            Demand::Firm => Energy::at_most(buyer.need),
            Demand::Elastic => Party::ANY,
        };
        let buyers = self.opened.game.buyers.iter().zip(&self.buyers);
        let buyers: Vec<Party> = buyers.map(|(&number, buyer)| Party { number, most: need(buyer) }).collect();
        let sellers = self.opened.game.sellers.iter().zip(&self.surplus);
        let sellers: Vec<Party> = sellers.map(|(&number, &most)| Party { number, most }).collect();
        let pairs = || {
            let choices = (0..).zip(&self.choices).filter_map(|(buyer, choice)| Some((buyer, choice.as_ref()?)));
            let pairs = choices.flat_map(|(buyer, choice)| choice.pairs().map(move |pair| (buyer, pair)));
            pairs.filter(|(_, (_, _, optimal))| *optimal > 0.0)
        };
        let wishes: Vec<Wish> =
            pairs().map(|(buyer, (seller, share, x))| Wish { buyer, seller, wanted: share * x }).collect();
        let (seed, slot) = (genesis.seed, self.opened.slot);
        let division = Division { seed, slot, sellers: &sellers, buyers: &buyers, wishes: &wishes };
        let trade = |((buyer, (seller, _, optimal)), energy)| {
            Trade::new(buyer, seller, optimal, energy, self.prices[seller as usize], service_fee)
        };
        pairs().zip(division.divide()).map(trade).collect()
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
            // As long as there is a board, its game is under way.
            (Key::Game(slot), Some(board)) if slot == board.opened.slot => {
                Some(Fact::Game(Arc::clone(&board.opened.game)))
            }
            (Key::Closing(slot), Some(board)) if slot == board.opened.slot => None,
            (Key::Quote(slot, number), Some(board)) if slot == board.opened.slot => {
                let seller = board.opened.game.sellers.binary_search(&number).ok()?;
                let Call::PostQuote(quote) = board.posts[seller].as_ref()?.call() else { return None };
                Some(Fact::Quote(*quote))
            }
            (Key::Choice(slot, number), Some(board)) if slot == board.opened.slot => {
                let buyer = board.opened.game.buyers.binary_search(&number).ok()?;
                board.choices[buyer].clone().map(Fact::Choice)
            }
            _ => self.state.fact(key).cloned(),
        }
    }

    fn write(&mut self, _: Key, _: Fact) {}
}
