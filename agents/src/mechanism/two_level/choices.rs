//! The choices of a buyer that may still be asked for: its last two.

use crate::{
    ids::Slot,
    message::{MarketOpened, MarketState},
    statement::Choice,
    time::Time,
};
use std::sync::Arc;

/// The choices of a buyer in one slot that may still be asked for.
#[derive(Debug)]
pub(in crate::mechanism) struct Choices {
    slot: Slot,
    /// Positions of the sellers that it knows, ascending; `None` if all.
    known: Option<Arc<[u32]>>,
    /// Place, among those, of the seller with the greatest surplus.
    watched: usize,
    last: Option<Arc<Choice>>,
    /// The choice before that.
    previous: Option<Arc<Choice>>,
}

impl Choices {
    pub(in crate::mechanism) fn new(market: &MarketOpened, known: Option<Arc<[u32]>>) -> Self {
        let watched = greatest(&market.surplus, known.as_deref());
        Self { slot: market.slot, known, watched, last: None, previous: None }
    }

    pub(in crate::mechanism) fn last(&self) -> Option<&Arc<Choice>> {
        self.last.as_ref()
    }

    /// The share of the seller with the greatest surplus in the last choice, which tells how widely steps swing; `None`
    /// before the first.
    pub(in crate::mechanism) fn watched_share(&self) -> Option<f64> {
        self.last.as_ref().map(|last| last.shares[self.watched])
    }

    /// The next choice, to be filled in: the one before the last, where nobody needs it any more.
    pub(in crate::mechanism) fn blank(&mut self) -> Arc<Choice> {
        let version = self.last.as_ref().map_or(0, |last| last.version) + 1;
        let mut old = self.previous.take();
        match old.as_mut().and_then(Arc::get_mut) {
            Some(blank) => {
                blank.version = version;
                old.expect("it is there")
            }
            None => Arc::new(Choice { slot: self.slot, version, known: self.known.clone(), ..Choice::default() }),
        }
    }

    /// Fills in for how long the next choice, whose change is known, has been at rest, and which news it answers.
    pub(in crate::mechanism) fn date(&self, next: &mut Choice, news: &MarketState, tolerance: f64, now: Time) {
        let rest_before = self.last.as_ref().map_or(0, |last| last.updates_at_rest);
        next.updates_at_rest = if next.change < tolerance { rest_before + 1 } else { 0 };
        next.answers = news.quotes_time.min(news.oldest_answered);
        next.quotes = news.quotes_time;
        next.news_age = now - news.quotes_time;
    }

    pub(in crate::mechanism) fn push(&mut self, next: &Arc<Choice>) {
        self.previous = self.last.replace(Arc::clone(next));
    }

    /// Reads a little of the last two, so many steps away.
    pub(in crate::mechanism) fn look(&self, depth: usize) -> usize {
        let both = self.last.iter().chain(&self.previous);
        match depth {
            0 => self.watched,
            1 => both.map(|choice| choice.version as usize + choice.quotes.0 as usize).sum(),
            _ => both.map(|choice| choice.look()).sum(),
        }
    }

    /// Goes on from a choice that was forgotten; once nothing is shown any more, only bills are to come.
    pub(in crate::mechanism) fn resume(&mut self, choice: Arc<Choice>, goes_on: bool) {
        if goes_on {
            self.last = Some(choice);
        } else {
            self.previous = Some(choice);
        }
    }

    /// The choice made under this version, if it is one of the last two.
    pub(in crate::mechanism) fn get(&self, version: u32) -> Option<&Arc<Choice>> {
        self.last.iter().chain(&self.previous).find(|choice| choice.version == version)
    }
}

/// Place, among the sellers that a buyer knows, of the one with the greatest surplus.
fn greatest(surplus: &[f64], known: Option<&[u32]>) -> usize {
    let at = |place: usize| surplus[known.map_or(place, |known| known[place] as usize)];
    let greater = |best, place| if at(place) > at(best) { place } else { best };
    (0..known.map_or(surplus.len(), <[u32]>::len)).reduce(greater).unwrap_or(0)
}
