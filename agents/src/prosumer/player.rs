//! A participant in the market of one slot, by whichever mechanism.

use super::Prosumer;
use crate::{
    market::role::Role,
    mechanism::{AnyParticipant, Entry, Posted, Side},
    message::{MarketOpened, Shown},
    statement::Post,
};
use std::sync::Arc;

/// A participant in the market of one slot.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) market: Arc<MarketOpened>,
    pub(super) side: Side,
    pub(super) part: AnyParticipant,
    /// Version of the post that it goes on from, after having lost its memory; 0 if that is none.
    resumed_from: Option<u32>,
}

impl Player {
    /// The player that a prosumer is in a market; `None` if it does not take part.
    pub(super) fn of(prosumer: &Prosumer, market: Arc<MarketOpened>) -> Option<Self> {
        let Prosumer { id, member, rules, .. } = prosumer;
        let (facts, band) = (prosumer.facts(), prosumer.band(prosumer.opened.as_ref()?));
        let side = match facts.role() {
            Role::Seller => Side::Seller(market.sellers.binary_search(id).ok()? as u32, facts.surplus()),
            Role::Buyer => Side::Buyer(market.buyers.binary_search(id).ok()? as u32),
            Role::Idle => return None,
        };
        let part = AnyParticipant::join(Entry {
            market: &market,
            genesis: &member.genesis,
            prosumer: *id,
            side,
            buyer: facts.as_buyer().charged(rules.local_fee),
            band,
            habits: &rules.habits,
            first_price: prosumer.warm_start.price(market.slot),
        });
        Some(Self { market, side, part, resumed_from: None })
    }

    /// Reads a little of what it needs to act, so many steps away.
    pub(super) fn look(&self, depth: usize) -> usize {
        match depth {
            0 => self.resumed_from.unwrap_or(0) as usize + self.part.look(0),
            _ => self.part.look(depth),
        }
    }

    /// Goes on from its last post, after having lost its memory.
    pub(super) fn resume(&mut self, last: Option<Post>, shown: Option<Shown>) {
        self.resumed_from = Some(last.as_ref().map_or(0, Post::version));
        self.part.resume(last, shown);
    }

    /// What it posted under this version, if it remembers it. After having lost its memory it may give a version once
    /// more that is on its way to the ledger already: it cannot know which of the two has counted.
    pub(super) fn posted(&self, version: u32) -> Posted {
        match self.resumed_from {
            Some(last) if version > last => Posted::Unknown,
            _ => self.part.posted(version),
        }
    }
}
