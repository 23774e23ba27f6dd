//! The trades of a slot: one list, of which every participant sees its own part.

use super::settlement::Trade;
use crate::parcel;
use serde::{Deserialize, Serialize};
use std::{ops::Range, sync::Arc};

/// All trades of a slot, by buyer, then seller, sorted out by participant.
#[doc(hidden)] // Hidden: the ledger's, for `microgrid-record` too.
#[derive(Clone, Debug)]
pub struct TradeBook {
    all: Arc<Vec<Trade>>,
    /// Places of the trades in the list, by seller, then buyer.
    by_seller: Arc<Vec<u32>>,
    /// Where each buyer's trades end in the list.
    buyer_ends: Vec<u32>,
    /// Where each seller's places end.
    seller_ends: Vec<u32>,
}

impl TradeBook {
    /// The book of these `trades`, sorted by buyer, then seller, in a market of so many sellers and buyers.
    pub fn new(trades: Vec<Trade>, sellers: usize, buyers: usize) -> Self {
        let buyer_ends = ends(buyers, trades.iter().map(|trade| trade.buyer));
        let seller_ends = ends(sellers, trades.iter().map(|trade| trade.seller));
        let mut next: Vec<u32> = (0..sellers).map(|seller| part(&seller_ends, seller).start).collect();
        let mut by_seller = vec![0; trades.len()];
        for (place, trade) in (0..).zip(&trades) {
            let next = &mut next[trade.seller as usize];
            by_seller[*next as usize] = place;
            *next += 1;
        }
        Self { all: Arc::new(trades), by_seller: Arc::new(by_seller), buyer_ends, seller_ends }
    }

    /// All trades, by buyer, then seller.
    pub fn all(&self) -> &Arc<Vec<Trade>> {
        &self.all
    }

    /// The trades of the seller at this position.
    pub fn of_seller(&self, seller: usize) -> Trades {
        let places = Some(Arc::clone(&self.by_seller));
        Trades { all: Arc::clone(&self.all), places, part: part(&self.seller_ends, seller) }
    }

    /// The trades of the buyer at this position.
    pub fn of_buyer(&self, buyer: usize) -> Trades {
        Trades { all: Arc::clone(&self.all), places: None, part: part(&self.buyer_ends, buyer) }
    }
}

/// Where the trades of each of so many participants end, who appear in them in this order or any other.
fn ends(count: usize, participants: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ends = vec![0; count];
    participants.for_each(|participant| ends[participant as usize] += 1);
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    ends
}

fn part(ends: &[u32], participant: usize) -> Range<u32> {
    let start = participant.checked_sub(1).map_or(0, |before| ends[before]);
    start..ends[participant]
}

/// One participant's trades of a slot, by the other side: a part of the list that all share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trades {
    #[serde(with = "parcel::shared")]
    all: Arc<Vec<Trade>>,
    /// Places in the list of all; `None` if the part is one of the list itself.
    #[serde(with = "parcel::shared_if_any")]
    places: Option<Arc<Vec<u32>>>,
    part: Range<u32>,
}

impl Trades {
    /// The trades.
    pub fn iter(&self) -> impl Iterator<Item = &Trade> + Clone {
        let part = self.part.clone();
        part.map(|place| match &self.places {
            None => &self.all[place as usize],
            Some(places) => &self.all[places[place as usize] as usize],
        })
    }
}

impl PartialEq for Trades {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Trades that are shared with nobody.
impl FromIterator<Trade> for Trades {
    fn from_iter<I: IntoIterator<Item = Trade>>(trades: I) -> Self {
        let all: Vec<Trade> = trades.into_iter().collect();
        Self { part: 0..all.len() as u32, all: Arc::new(all), places: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Energy;

    #[test]
    fn everybody_sees_its_own_trades_only() {
        let pairs = [(0, 1), (0, 3), (2, 0), (2, 1), (2, 3)];
        let trade = |(buyer, seller)| Trade::new(buyer, seller, 1.0, Energy(1), 0.5, 0.0);
        let book = TradeBook::new(pairs.into_iter().map(trade).collect(), 4, 3);
        let seen = |trades: Trades| trades.iter().map(|trade| (trade.buyer, trade.seller)).collect::<Vec<_>>();
        let of = |kept: &dyn Fn(&(u32, u32)) -> bool| pairs.into_iter().filter(kept).collect::<Vec<_>>();
        for seller in 0..4 {
            assert_eq!(seen(book.of_seller(seller as usize)), of(&|pair| pair.1 == seller), "seller {seller}");
        }
        for buyer in 0..3 {
            assert_eq!(seen(book.of_buyer(buyer as usize)), of(&|pair| pair.0 == buyer), "buyer {buyer}");
        }
        assert!(book.of_seller(2).iter().next().is_none() && book.of_buyer(2).iter().count() == 3);
        assert_eq!(book.of_buyer(0), pairs[..2].iter().copied().map(trade).collect());
    }
}
