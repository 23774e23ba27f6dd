//! What the contract holds quotes, choices and the trades that follow from them to.

use crate::{
    chain::{
        fact::{Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity, ensure},
        stub::Stub,
    },
    ids::Slot,
    market::{
        choice_set::ChoiceSet, demand::Demand, pricing::PriceBand, role::Role, settlement::rounded_up, sums::range,
    },
    mechanism::Lawful,
    statement::{Choice, Post, Quote, Registration, Tariff},
    units::{Energy, Total},
};
use std::sync::Arc;

/// What the trades of a slot are held against.
#[derive(Debug, Default)]
pub(crate) struct Law {
    /// Last price of each seller that has been read [CNY/kWh].
    prices: Vec<f64>,
    /// Last choice of the buyer whose trades are under way.
    choice: Arc<Choice>,
    /// The most that it has asked for in all.
    asked: Energy,
}

impl Lawful for Law {
    fn post(
        genesis: &Genesis,
        game: &Game,
        (number, role): (Number, Role),
        post: &Post,
        stub: &mut impl Stub,
    ) -> Validity {
        match (post, role) {
            (Post::Quote(quote), Role::Seller) => post_quote(genesis, number, **quote, stub),
            (Post::Choice(choice), Role::Buyer) => post_choice(genesis, game, number, choice, stub),
            _ => Err(Refusal::NotAParticipant),
        }
    }

    fn of(game: &Arc<Game>, _: Slot, _: &mut impl Stub) -> Self {
        Self { prices: vec![0.0; game.sellers.len()], ..Self::default() }
    }

    fn read_seller(&mut self, slot: Slot, position: usize, number: Number, stub: &mut impl Stub) -> Validity {
        let quote: Quote = stub.find(Key::Quote(slot, number)).ok_or(Refusal::NotAParticipant)?;
        self.prices[position] = quote.price;
        Ok(())
    }

    fn read_buyer(&mut self, slot: Slot, number: Number, stub: &mut impl Stub) -> Validity {
        self.choice = stub.find(Key::Choice(slot, number)).ok_or(Refusal::NotAParticipant)?;
        self.asked = rounded_up(self.choice.wanted());
        Ok(())
    }

    fn price(&self, seller: usize, energy: Energy, bought: Total<Energy>) -> Result<f64, Refusal> {
        // An amount is its real value rounded down or up, so one unit more than the nearest may be due.
        let wanted = self.choice.of(seller as u32).map_or(Energy::ZERO, |(share, x)| Energy::nearest(share * x));
        ensure(energy - Energy(1) <= wanted, Refusal::MoreThanSurplus)?;
        ensure(bought + energy <= self.asked.into(), Refusal::MoreThanSurplus)?;
        Ok(self.prices[seller])
    }
}

/// A seller asks a price, within the tariffs and the ramp (18).
fn post_quote(genesis: &Genesis, number: Number, quote: Quote, stub: &mut impl Stub) -> Validity {
    let Quote { slot, version, price, .. } = quote;
    let last: Option<Quote> = stub.find(Key::Quote(slot, number));
    ensure(version > last.map_or(0, |last| last.version), Refusal::OldVersion)?;
    ensure(price.is_finite(), Refusal::NotFinite)?;
    let tariff: Arc<Tariff> = stub.find(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
    let band = tariff.band(genesis.rules.local_fee());
    ensure(band.contains(price), Refusal::PriceOutOfBand)?;
    if let Some(last) = last {
        let moves = i32::try_from(version - last.version).unwrap_or(i32::MAX);
        ensure(within_ramp(last.price, price, genesis.rules.ramp, band, moves), Refusal::PriceBeyondRamp)?;
    }
    stub.write(Key::Quote(slot, number), Fact::Quote(quote));
    Ok(())
}

/// A buyer says how it divides itself over the sellers that it knows, and what it would buy of each.
fn post_choice(genesis: &Genesis, game: &Game, number: Number, choice: &Arc<Choice>, stub: &mut impl Stub) -> Validity {
    let slot = choice.slot;
    let last: Option<Arc<Choice>> = stub.find(Key::Choice(slot, number));
    ensure(choice.version > last.as_ref().map_or(0, |last| last.version), Refusal::OldVersion)?;
    check_numbers(choice, genesis.rules.choice_set, game.sellers.len())?;
    // Whom a buyer knows does not change within a slot.
    ensure(last.is_none_or(|last| last.known == choice.known), Refusal::InvalidShares)?;
    if genesis.rules.demand == Demand::Firm {
        let need = match stub.find(Key::Register(slot, number)) {
            Some(Registration::Buyer(buyer)) => buyer.need,
            _ => 0.0,
        };
        ensure(choice.purchases.iter().all(|&purchase| purchase <= need), Refusal::InvalidPurchases)?;
    }
    stub.write(Key::Choice(slot, number), Fact::Choice(choice.clone()));
    Ok(())
}

/// Whether a seller whose price was `last` may ask `price` [CNY/kWh] after `moves` moves of at most `ramp` each, of the
/// price or of the width of its `band`, whichever is more (18). Versions in between need not have reached the ledger.
/// The margin is for the rounding of the moves.
fn within_ramp(last: f64, price: f64, ramp: f64, band: PriceBand, moves: i32) -> bool {
    const MARGIN: f64 = 1e-9;
    let width = band.width();
    let margin = MARGIN * last.abs().max(width);
    // Down is up, seen from the other side of zero.
    let (lowest, highest) = (-highest(-last, ramp, width, moves), highest(last, ramp, width, moves));
    !(price < lowest - margin || price > highest + margin)
}

/// How high a price may come from `last` in so many moves of at most `ramp` each, of its size or of `width`.
fn highest(last: f64, ramp: f64, width: f64, moves: i32) -> f64 {
    let at_most = |count: f64| count.ceil().min(f64::from(moves)) as i32;
    // Further from zero than the width moves are in proportion to the price, nearer to it they are all the same. How many
    // are made below zero, and how many of the others on the nearer side of the width:
    let below = if last < -width { ((width / -last).ln() / (1.0 - ramp).ln()).max(f64::MIN_POSITIVE) } else { 0.0 };
    let below = at_most(below);
    let from = last * (1.0 - ramp).powi(below);
    let even = if from < width { (width - from) / (ramp * width) } else { 0.0 };
    let even = at_most(even).min(moves - below);
    (from + f64::from(even) * ramp * width) * (1.0 + ramp).powi(moves - below - even)
}

/// Whether these are positions of as many sellers as a buyer knows, ascending.
fn are_known(known: Option<&[u32]>, choice_set: ChoiceSet, sellers: usize) -> bool {
    match (known, choice_set) {
        (None, ChoiceSet::All) => true,
        (Some(known), ChoiceSet::Sample(_)) => {
            let ascending = known.is_sorted_by(|before, after| before < after);
            ascending && known.len() == choice_set.size(sellers) && known.last().is_none_or(|&l| (l as usize) < sellers)
        }
        _ => false,
    }
}

fn check_numbers(choice: &Choice, choice_set: ChoiceSet, sellers: usize) -> Validity {
    const MARGIN: f64 = 1e-6;
    let Choice { known, shares, purchases, responsive, .. } = choice;
    let size = choice_set.size(sellers);
    let sizes_valid = shares.len() == size && are_known(known.as_deref(), choice_set, sellers);
    let (total, least, _) = range(shares);
    let shares_add_up = (total - 1.0).abs() < MARGIN && (0.0..=1.0 + MARGIN).contains(responsive);
    let shares_valid = sizes_valid && shares_add_up && least >= 0.0;
    let (total, least, greatest) = range(purchases);
    let within = total.is_finite() && least >= 0.0 && greatest <= Choice::MOST_PURCHASE;
    let purchases_valid = purchases.len() == size && within;
    if shares_valid && purchases_valid {
        return Ok(());
    }
    let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
    ensure(finite(shares) && finite(purchases) && responsive.is_finite(), Refusal::NotFinite)?;
    ensure(shares_valid, Refusal::InvalidShares)?;
    Err(Refusal::InvalidPurchases)
}
