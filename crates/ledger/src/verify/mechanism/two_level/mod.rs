//! The two-level game: quotes and choices, and the bills that follow from the last of them.

mod bills;

pub(super) use bills::bills;

use super::{
    super::{
        desk::{Decision, Desk, ensure},
        discrepancy::Checked,
        tariffs::{highest_price, lowest_price},
    },
    Terms,
};
use bills::most_due;
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Fact, Game, Key, Number},
        refusal::Refusal,
    },
    ids::Slot,
    market::{choice_set::ChoiceSet, demand::Demand},
    statement::{Choice, Quote, Registration},
    units::Energy,
};
use std::{collections::BTreeMap, sync::Arc};

/// How far shares may miss 1 in sum.
const SHARES_TOLERANCE: f64 = 1e-6;
/// By which part of itself or of the band a price may pass its ramp, as room for rounding.
const RAMP_TOLERANCE: f64 = 1e-9;

/// Everybody's first choice has a share for each seller.
pub(super) fn opens(game: &Game) -> Checked<(), String> {
    let (found, sellers) = (game.first_choice.len(), game.sellers.len());
    let wrong = || Err(format!("the game's first choice has {found} shares for {sellers} sellers"));
    if found == sellers { Ok(()) } else { wrong() }
}

/// Sellers post quotes, buyers choices.
pub(super) fn post(desk: &mut Desk<'_>, game: &Game, number: Number, post: &Call) -> Decision {
    match post {
        Call::PostQuote(quote) => post_quote(desk, game, number, quote),
        Call::PostChoice(choice) => post_choice(desk, game, number, choice),
        _ => Err(Refusal::NotAParticipant),
    }
}

fn post_quote(desk: &mut Desk<'_>, game: &Game, number: Number, quote: &Quote) -> Decision {
    let slot = quote.slot;
    ensure(game.sellers.binary_search(&number).is_ok(), Refusal::NotAParticipant)?;
    let last = desk.quote(slot, number);
    ensure(quote.version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
    ensure(quote.price.is_finite(), Refusal::NotFinite)?;
    let tariff = desk.tariff(slot).ok_or(Refusal::MarketClosed)?;
    let most = highest_price(tariff, desk.genesis.rules.local_fee());
    ensure(lowest_price(tariff) <= quote.price && quote.price <= most, Refusal::PriceOutOfBand)?;
    if let Some(last) = last {
        let (lowest, highest) = reach(last, quote.version, desk.genesis.rules.ramp, most - lowest_price(tariff));
        let beyond = quote.price < lowest || quote.price > highest;
        ensure(!beyond, Refusal::PriceBeyondRamp)?;
    }
    Ok(vec![(Key::Quote(slot, number), Fact::Quote(*quote))])
}

fn post_choice(desk: &mut Desk<'_>, game: &Game, number: Number, choice: &Arc<Choice>) -> Decision {
    let slot = choice.slot;
    ensure(game.buyers.binary_search(&number).is_ok(), Refusal::NotAParticipant)?;
    let last = desk.choice(slot, number);
    ensure(choice.version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
    let Choice { known, shares, purchases, responsive, .. } = choice.as_ref();
    let mut numbers = shares.iter().chain(purchases).chain([responsive]);
    ensure(numbers.all(|number| number.is_finite()), Refusal::NotFinite)?;
    let acquaintances = acquaintances(known.as_deref(), desk.genesis.rules.choice_set, game.sellers.len());
    let count = acquaintances.ok_or(Refusal::InvalidShares)?;
    let one_each = |list: &[f64]| list.len() == count && list.iter().all(|&number| number >= 0.0);
    ensure(one_each(shares) && (choice.sum_of_shares() - 1.0).abs() < SHARES_TOLERANCE, Refusal::InvalidShares)?;
    ensure((0.0..=1.0 + SHARES_TOLERANCE).contains(responsive), Refusal::InvalidShares)?;
    let most = purchases.iter().copied().fold(0.0, f64::max);
    ensure(one_each(purchases) && most <= Choice::MOST_PURCHASE, Refusal::InvalidPurchases)?;
    let as_before = last.is_none_or(|last| last.known == choice.known);
    ensure(as_before, Refusal::InvalidShares)?;
    if desk.genesis.rules.demand == Demand::Firm {
        let need = match desk.registration(slot, number) {
            Some(Registration::Buyer(buyer)) => buyer.need,
            _ => 0.0,
        };
        ensure(purchases.iter().all(|&purchase| purchase <= need), Refusal::InvalidPurchases)?;
    }
    Ok(vec![(Key::Choice(slot, number), Fact::Choice(Arc::clone(choice)))])
}

/// Last quotes and choices.
#[derive(Debug, Default)]
pub(super) struct LastPosts {
    prices: BTreeMap<Number, f64>,
    /// With the units that each buyer may still get.
    choices: BTreeMap<Number, (Arc<Choice>, i128)>,
}

impl Terms for LastPosts {
    fn read_seller(&mut self, desk: &mut Desk<'_>, slot: Slot, seller: Number) -> Result<(), Refusal> {
        let quote = desk.quote(slot, seller).ok_or(Refusal::NotAParticipant)?;
        self.prices.insert(seller, quote.price);
        Ok(())
    }

    fn read_buyer(&mut self, desk: &mut Desk<'_>, slot: Slot, buyer: Number) -> Result<(), Refusal> {
        let choice = desk.choice(slot, buyer).ok_or(Refusal::NotAParticipant)?;
        let due = most_due(choice.pairs().map(|(_, share, x)| share * x).sum());
        self.choices.insert(buyer, (Arc::clone(choice), due));
        Ok(())
    }

    fn price(&mut self, buyer: Number, (seller, place): (Number, usize), energy: Energy) -> Result<f64, Refusal> {
        let (choice, due) = self.choices.get_mut(&buyer).ok_or(Refusal::NotAParticipant)?;
        let (share, purchase) = choice.of(place as u32).unwrap_or_default();
        let wanted = Energy::nearest(share * purchase);
        ensure(i128::from(energy.0) <= i128::from(wanted.0) + 1, Refusal::MoreThanSurplus)?;
        *due -= i128::from(energy.0);
        ensure(*due >= 0, Refusal::MoreThanSurplus)?;
        self.prices.get(&seller).copied().ok_or(Refusal::NotAParticipant)
    }
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
    let margin = RAMP_TOLERANCE * last.price.abs().max(width);
    (-up_from(-last.price, steps, ramp, width) - margin, up_from(last.price, steps, ramp, width) + margin)
}

/// How far up a price comes in so many steps; how far down, its negative does.
fn up_from(price: f64, steps: f64, ramp: f64, width: f64) -> f64 {
    // A step from below the negative width takes a part of the price.
    let (price, steps) = match price < -width {
        false => (price, steps),
        // At once above it, where a step takes more than there is between the two.
        true if price * (1.0 - ramp) >= -width => (price * (1.0 - ramp), steps - 1.0),
        true => {
            let below = steps.min(((width / -price).ln() / (1.0 - ramp).ln()).ceil());
            (price * (1.0 - ramp).powf(below), steps - below)
        }
    };
    // One below the width adds `ramp * width`, one above it multiplies.
    let to_the_width = if price < width { steps.min(((width - price) / (ramp * width)).ceil()) } else { 0.0 };
    (price + to_the_width * ramp * width) * (1.0 + ramp).powf(steps - to_the_width)
}
