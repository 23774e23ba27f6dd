//! Games: they open, take quotes and choices, and close.

use super::{Decision, Desk, ensure};
use microgrid_agents::{
    chain::{
        fact::{Closing, Fact, Game, Key, Number},
        identity::Party,
        refusal::Refusal,
    },
    ids::Slot,
    market::{choice_set::ChoiceSet, demand::Demand},
    statement::{Choice, Outcome, Quote, Registration, Tariff},
};
use std::sync::Arc;

/// How far shares may miss 1 in sum.
const SHARES_TOLERANCE: f64 = 1e-6;
/// Up to this difference tariffs are the same [CNY/kWh].
const SAME_TARIFF: f64 = 1e-9;
/// By which part of itself or of the band a price may pass its ramp, as room for rounding.
const RAMP_TOLERANCE: f64 = 1e-9;

impl Desk<'_> {
    pub(super) fn open_game(&mut self, slot: Slot, game: &Arc<Game>) -> Decision {
        self.must_be(Party::Ledger)?;
        self.market_opens(slot)?;
        self.must_be_there(Key::Tariff(slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Game(slot), Refusal::AlreadyRecorded)?;
        Ok(vec![(Key::Game(slot), Fact::Game(Arc::clone(game)))])
    }

    pub(super) fn close_game(&mut self, slot: Slot, outcome: Outcome) -> Decision {
        self.must_be(Party::Ledger)?;
        self.must_be_there(Key::Game(slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Closing(slot), Refusal::AlreadyRecorded)?;
        Ok(vec![(Key::Closing(slot), Fact::Closing(Closing { outcome }))])
    }

    pub(super) fn post_quote(&mut self, quote: &Quote) -> Decision {
        let number = self.prosumer()?;
        let slot = quote.slot;
        let game = self.open_game_of(slot)?;
        ensure(game.sellers.binary_search(&number).is_ok(), Refusal::NotAParticipant)?;
        let last = self.quote(slot, number);
        ensure(quote.version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
        ensure(quote.price.is_finite(), Refusal::NotFinite)?;
        let tariff = self.tariff(slot).ok_or(Refusal::MarketClosed)?;
        let most = highest_price(tariff, self.genesis.rules.service_fee);
        ensure(tariff.feed_in <= quote.price && quote.price <= most, Refusal::PriceOutOfBand)?;
        if let Some(last) = last {
            let (lowest, highest) = reach(last, quote.version, self.genesis.rules.ramp, most - tariff.feed_in);
            let beyond = quote.price < lowest || quote.price > highest;
            ensure(!beyond, Refusal::PriceBeyondRamp)?;
        }
        Ok(vec![(Key::Quote(slot, number), Fact::Quote(*quote))])
    }

    pub(super) fn post_choice(&mut self, choice: &Arc<Choice>) -> Decision {
        let number = self.prosumer()?;
        let slot = choice.slot;
        let game = self.open_game_of(slot)?;
        ensure(game.buyers.binary_search(&number).is_ok(), Refusal::NotAParticipant)?;
        let last = self.choice(slot, number);
        ensure(choice.version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
        let Choice { known, shares, purchases, responsive, .. } = choice.as_ref();
        let mut numbers = shares.iter().chain(purchases).chain([responsive]);
        ensure(numbers.all(|number| number.is_finite()), Refusal::NotFinite)?;
        let acquaintances = acquaintances(known.as_deref(), self.genesis.rules.choice_set, game.sellers.len());
        let count = acquaintances.ok_or(Refusal::InvalidShares)?;
        let one_each = |list: &[f64]| list.len() == count && list.iter().all(|&number| number >= 0.0);
        ensure(one_each(shares) && (choice.sum_of_shares() - 1.0).abs() < SHARES_TOLERANCE, Refusal::InvalidShares)?;
        ensure((0.0..=1.0 + SHARES_TOLERANCE).contains(responsive), Refusal::InvalidShares)?;
        let most = purchases.iter().copied().fold(0.0, f64::max);
        ensure(one_each(purchases) && most <= Choice::MOST_PURCHASE, Refusal::InvalidPurchases)?;
        let as_before = last.is_none_or(|last| last.known == choice.known);
        ensure(as_before, Refusal::InvalidShares)?;
        if self.genesis.rules.demand == Demand::Firm {
            let need = match self.registration(slot, number) {
                Some(Registration::Buyer(buyer)) => buyer.need,
                _ => 0.0,
            };
            ensure(purchases.iter().all(|&purchase| purchase <= need), Refusal::InvalidPurchases)?;
        }
        Ok(vec![(Key::Choice(slot, number), Fact::Choice(Arc::clone(choice)))])
    }

    /// The slot's game, as long as it goes on.
    fn open_game_of(&mut self, slot: Slot) -> Result<Arc<Game>, Refusal> {
        self.must_be_vacant(Key::Closing(slot), Refusal::MarketClosed)?;
        self.game(slot).cloned().ok_or(Refusal::MarketClosed)
    }
}

/// The highest price at which a local kWh costs its buyer no more than one of the grid's [CNY/kWh]: the feed-in tariff
/// where the two are the same but for the last digits of a difference.
pub(in crate::verify) fn highest_price(tariff: &Tariff, service_fee: f64) -> f64 {
    let most = tariff.grid - service_fee;
    if most > tariff.feed_in + SAME_TARIFF || most < tariff.feed_in - SAME_TARIFF { most } else { tariff.feed_in }
}

/// How many of the `sellers` a choice may tell of that tells of these; `None` if it may not tell of these.
fn acquaintances(known: Option<&[u32]>, choice_set: ChoiceSet, sellers: usize) -> Option<usize> {
    match (choice_set, known) {
        (ChoiceSet::All, None) => Some(sellers),
        (ChoiceSet::Sample(most), Some(known)) => {
            let in_order = known.windows(2).all(|pair| pair[0] < pair[1]);
            let all_sell = known.iter().all(|&position| (position as usize) < sellers);
            let as_many = known.len() == sellers.min(most as usize);
            (in_order && all_sell && as_many).then_some(known.len())
        }
        _ => None,
    }
}

/// The lowest and the highest price that the `version` of a quote may have, after `last`, where tariffs are `width`
/// apart: each step goes as far as the `ramp` times the price or times the width, whichever is more.
fn reach(last: &Quote, version: Number, ramp: f64, width: f64) -> (f64, f64) {
    let steps = f64::from(version - last.version);
    let price = last.price;
    // A step below the width adds `ramp * width`, one above it multiplies.
    let to_the_width = if price < width { steps.min(((width - price) / (ramp * width)).ceil()) } else { 0.0 };
    let highest = (price + to_the_width * ramp * width) * (1.0 + ramp).powf(steps - to_the_width);
    let lowest = match price > width {
        false => price - steps * ramp * width,
        // At once below it, where a step takes more than there is between the two.
        true if price * (1.0 - ramp) <= width => price * (1.0 - ramp) - (steps - 1.0) * ramp * width,
        true => {
            let above = steps.min(((width / price).ln() / (1.0 - ramp).ln()).ceil());
            price * (1.0 - ramp).powf(above) - (steps - above) * ramp * width
        }
    };
    let margin = RAMP_TOLERANCE * price.max(width);
    (lowest - margin, highest + margin)
}
