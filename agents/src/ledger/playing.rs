//! A slot's game as the ledger keeps it, by whichever mechanism: who takes part, and everybody's last post that counts.

use super::{chains::Received, state::WorldState};
use crate::{
    chain::{
        fact::{Fact, Game, Key, Number},
        identity::Party,
        submission::Sent,
    },
    contract::Stub,
    ids::{ActorId, ProsumerId},
    market::role::Role,
    mechanism::AnyFloor,
    message::MarketOpened,
    time::Time,
};
use std::sync::Arc;

/// A slot's game while it is on.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) market: Arc<MarketOpened>,
    /// The participants' addresses, sellers first: everybody who hears of the market.
    pub(super) audience: Arc<[ActorId]>,
    /// Newest post of each participant as it was sent, sellers first.
    pub(super) posts: Vec<Option<Received>>,
    /// How many sellers there are, of these participants.
    pub(super) sellers: usize,
    /// Their positions among all participants of the game, where they are only some.
    pub(super) positions: Option<Vec<u32>>,
    /// Each prosumer's number among the participants; [`NOBODY`] of others.
    numbers: Vec<u32>,
    pub(super) since: Time,
    /// When it clears next without being asked, as far as that is known.
    pub(super) clears_at: Option<Time>,
    /// Whether last posts that were no transactions have become some.
    pub(super) recorded: bool,
    /// Whether it is over, and only last posts are missing.
    pub(super) is_closing: bool,
    pub(super) floor: AnyFloor,
}

impl Playing {
    pub(super) fn new(market: Arc<MarketOpened>, floor: AnyFloor, since: Time) -> Self {
        let (everybody, sellers) = (participants(&market).collect::<Vec<_>>(), market.sellers.len());
        Self::among(market, &everybody, sellers, None, floor, since)
    }

    /// The same among the clients of a peer, who have these positions among all participants.
    pub(super) fn of_clients(market: Arc<MarketOpened>, positions: Vec<u32>, floor: AnyFloor, since: Time) -> Self {
        let sellers = positions.partition_point(|position| (*position as usize) < market.sellers.len());
        let clients: Vec<ProsumerId> = positions.iter().map(|position| at(&market, *position as usize)).collect();
        Self::among(market, &clients, sellers, Some(positions), floor, since)
    }

    fn among(
        market: Arc<MarketOpened>,
        participants: &[ProsumerId],
        sellers: usize,
        positions: Option<Vec<u32>>,
        floor: AnyFloor,
        since: Time,
    ) -> Self {
        let audience: Arc<[ActorId]> = participants.iter().map(|prosumer| prosumer.actor()).collect();
        let last = participants.iter().max().map_or(0, |last| last.index() + 1);
        let mut numbers = vec![NOBODY; last];
        (0..).zip(participants).for_each(|(number, prosumer)| numbers[prosumer.index()] = number);
        let (posts, clears_at) = (vec![None; audience.len()], None);
        let (recorded, is_closing) = (false, false);
        Self { market, audience, posts, sellers, positions, numbers, since, clears_at, recorded, is_closing, floor }
    }

    /// Takes a post of this participant that counts from `now` on.
    pub(super) fn take(&mut self, participant: usize, received: Received, now: Time) {
        let last = &mut self.posts[participant];
        self.floor.enter(participant, &received.post, received.at, last.as_ref().map(|before| before.at), now);
        *last = Some(received);
    }

    /// A participant's number in the scenario.
    pub(super) fn scenario_number(&self, participant: usize) -> Number {
        let Game { sellers, buyers, .. } = &*self.market.game;
        let participant = self.positions.as_ref().map_or(participant, |positions| positions[participant] as usize);
        *sellers.get(participant).unwrap_or_else(|| &buyers[participant - sellers.len()])
    }

    /// What part a participant has.
    pub(super) fn role(&self, participant: usize) -> Role {
        if participant < self.sellers { Role::Seller } else { Role::Buyer }
    }

    /// A prosumer's number among the participants.
    #[inline]
    pub(super) fn number(&self, prosumer: ProsumerId) -> Option<usize> {
        self.numbers.get(prosumer.index()).filter(|number| **number != NOBODY).map(|number| *number as usize)
    }

    /// Who has sent a post, by its number among the participants, sellers first.
    pub(super) fn sender(&self, sent: &Sent) -> Option<usize> {
        let Party::Prosumer(number) = sent.creator() else { return None };
        match &self.positions {
            None => self.place(number),
            Some(_) => self.number(ProsumerId::of(sent.from)?).filter(|place| self.scenario_number(*place) == number),
        }
    }

    /// Whose number this is, among the participants.
    pub(super) fn place(&self, number: Number) -> Option<usize> {
        place(number, &self.market.game.sellers, &self.market.game.buyers)
    }

    /// Version of a participant's last post, sellers first; 0 without one.
    pub(super) fn version(&self, participant: usize) -> u32 {
        self.posts[participant].as_ref().map_or(0, |received| received.post.version())
    }

    /// Most posts that one buyer has made.
    pub(super) fn rounds(&self) -> u32 {
        let buyers = self.market.sellers.len()..self.posts.len();
        buyers.map(|buyer| self.version(buyer)).max().unwrap_or(0)
    }
}

/// Of a prosumer that takes no part.
const NOBODY: u32 = u32::MAX;

/// Sellers first, then buyers: the order in which participants are numbered here.
pub(super) fn participants(market: &MarketOpened) -> impl Iterator<Item = ProsumerId> + '_ {
    market.sellers.iter().chain(&market.buyers).copied()
}

/// Who has this number in that order.
fn at(market: &MarketOpened, number: usize) -> ProsumerId {
    *market.sellers.get(number).unwrap_or_else(|| &market.buyers[number - market.sellers.len()])
}

/// A participant's number in that order.
pub(super) fn participant(market: &MarketOpened, prosumer: ProsumerId) -> Option<usize> {
    place(prosumer, &market.sellers, &market.buyers)
}

fn place<T: Ord>(who: T, sellers: &[T], buyers: &[T]) -> Option<usize> {
    // Asked for every post, and most participants buy.
    let buyer = buyers.binary_search(&who).ok();
    buyer.map(|buyer| sellers.len() + buyer).or_else(|| sellers.binary_search(&who).ok())
}

/// What the contract sees when it checks a post that does not go to the chain: the game as it is under way, and the last
/// post of the same sender in the place of that in the world state. What it would write, the game takes.
#[derive(Debug)]
pub(super) struct OffChain<'a> {
    pub(super) state: &'a WorldState,
    pub(super) playing: Option<&'a Playing>,
    /// Who has sent it, as far as it takes part.
    pub(super) sender: Option<usize>,
}

impl Stub for OffChain<'_> {
    fn read(&mut self, key: Key) -> Option<Fact> {
        match (key, self.playing) {
            (Key::Game(slot), Some(Playing { market, .. })) if slot == market.slot => {
                Some(Fact::Game(Arc::clone(&market.game)))
            }
            (Key::Closing(slot), Some(Playing { market, .. })) if slot == market.slot => None,
            (Key::Quote(slot, _) | Key::Choice(slot, _) | Key::Orders(slot, _), Some(playing))
                if slot == playing.market.slot =>
            {
                Some(playing.posts[self.sender?].as_ref()?.post.as_fact())
            }
            _ => self.state.fact(key).cloned(),
        }
    }

    fn write(&mut self, _: Key, _: Fact) {}
}
