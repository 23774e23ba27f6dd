//! What a seller could gain by offering less than its surplus is what section 6 of `docs/model.md` says.

use super::{section, sections};
use crate::support::{only_case, shipped};
use microgrid_agents::market::demand::Buyer;
use microgrid_sim::analysis::{
    equilibrium::{Corner, closed_form},
    slot::{SlotMarket, slot_facts, slot_terms},
};

/// A gain below this [CNY] is none.
const NOTHING: f64 = 1e-9;

fn market(mu: u32, slot: u32) -> SlotMarket {
    let case = only_case(&shipped("5_prosumers.ron", &[&format!("mu={mu}")]));
    SlotMarket::of_all(&slot_facts(&case, slot), slot_terms(&case, slot))
}

/// What a seller earns that offers only so much [CNY], all others everything; and the price of it [CNY/kWh].
fn earned(market: &SlotMarket, seller: usize, offered: f64) -> (f64, f64) {
    let (mut offers, terms) = (market.surplus.clone(), &market.terms);
    offers[seller] = offered;
    let found = closed_form(&market.needs, &offers, terms.band(), terms.alpha, terms.demand).expect("a market");
    let left = market.surplus[seller] - found.sold[seller];
    (found.price * found.sold[seller] + terms.feed_in_tariff * left, found.price)
}

/// The offer that earns most: on a grid, then between the neighbours of the best one there; everything unless less earns more.
fn best_offer(market: &SlotMarket, seller: usize) -> f64 {
    const STEPS: u32 = 1_000;
    let surplus = market.surplus[seller];
    let at = |step: u32| surplus * f64::from(step) / f64::from(STEPS);
    let of = |offered| earned(market, seller, offered).0;
    let best = (0..=STEPS).max_by(|&a, &b| of(at(a)).total_cmp(&of(at(b)))).expect("some steps");
    let (mut low, mut high) = (at(best.saturating_sub(1)), at((best + 1).min(STEPS)));
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        if of(low + third) < of(high - third) { low += third } else { high -= third }
    }
    let offered = f64::midpoint(low, high);
    if of(offered) > of(surplus) + NOTHING { offered } else { surplus }
}

/// A seller's best offer.
#[derive(Debug)]
struct Best {
    surplus: f64,
    clearing: f64,
    withheld: f64,
    price: f64,
    gain: f64,
    percent: f64,
}

fn best(market: &SlotMarket, seller: usize) -> Best {
    let surplus = market.surplus[seller];
    let offered = best_offer(market, seller);
    let ((whole, clearing), (most, price)) = (earned(market, seller, surplus), earned(market, seller, offered));
    let gain = most - whole;
    Best { surplus, clearing, withheld: surplus - offered, price, gain, percent: 100.0 * gain / whole }
}

/// Whether a number as printed is this one to the digits shown.
fn shows(printed: &str, number: f64) -> bool {
    let digits = printed.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
    let parsed: f64 = printed.parse().expect("a number");
    (parsed - number).abs() <= 0.5001 * 10f64.powi(-digits)
}

/// Total demand at a price, by (7) alone.
fn demand(buyers: &[Buyer], alpha: f64, price: f64) -> f64 {
    buyers.iter().map(|buyer| ((buyer.preference - price) / alpha - buyer.generation).max(0.0)).sum()
}

#[test]
fn what_withholding_brings_is_what_the_model_says() {
    let sections = sections("docs/model.md");
    let section = section(&sections, "6. The equilibrium in closed form");
    let [printed] = &section.tables("slot")[..] else { panic!("one table of slots") };
    let mut rows = printed.iter();
    for slot in 10..=17 {
        let market = market(1, slot);
        for (seller, &place) in market.sellers.iter().enumerate() {
            let best = best(&market, seller);
            if best.gain <= NOTHING {
                continue;
            }
            let row = rows.next().unwrap_or_else(|| panic!("no row for slot {slot}, seller {}: {best:?}", place + 1));
            assert_eq!(row[..2], [slot.to_string(), (place + 1).to_string()], "{best:?}");
            let percent = row[7].strip_suffix(" %").expect("per cent");
            let printed = row[2..7].iter().map(String::as_str).chain([percent]);
            let found = [best.surplus, best.clearing, best.withheld, best.price, best.gain, best.percent];
            assert!(printed.zip(found).all(|(printed, found)| shows(printed, found)), "{row:?}: {best:?}");
        }
    }
    assert_eq!(rows.next(), None);
    let gains = (10..=17).flat_map(|slot| {
        let market = market(0, slot);
        let of = |seller: usize| (best(&market, seller).percent, slot, market.sellers[seller] + 1);
        (0..market.sellers.len()).map(of).collect::<Vec<_>>()
    });
    let (percent, slot, seller) = gains.max_by(|a, b| a.0.total_cmp(&b.0)).expect("sellers");
    let sentence = format!("the largest gain is {percent:.1} %, of seller {seller} in slot {slot}.");
    assert!(section.text.contains(&sentence), "{sentence}");
}

/// By bisection for the price and a search over offers, without the closed form.
#[test]
fn no_other_offer_earns_more() {
    const STEPS: u32 = 1_000;
    for (mu, slot) in [0, 1].into_iter().flat_map(|mu| (10..=17).map(move |slot| (mu, slot))) {
        let market = market(mu, slot);
        let (alpha, floor, ceiling) = (market.terms.alpha, market.terms.feed_in_tariff, market.terms.grid_tariff);
        let total: f64 = market.surplus.iter().sum();
        for (seller, &surplus) in market.surplus.iter().enumerate() {
            let earned = |offered: f64| {
                let supply = total - surplus + offered;
                let (mut low, mut high) = (floor, ceiling);
                for _ in 0..60 {
                    let price = f64::midpoint(low, high);
                    if demand(&market.needs, alpha, price) > supply { low = price } else { high = price }
                }
                let sold = offered * (demand(&market.needs, alpha, low) / supply).min(1.0);
                (low * sold + floor * (surplus - sold), low)
            };
            let (found, (whole, _)) = (best(&market, seller), earned(surplus));
            let (there, price) = earned(surplus - found.withheld);
            let searched = (0..=STEPS).map(|step| earned(surplus * f64::from(step) / f64::from(STEPS)).0 - whole);
            let most = searched.fold(0.0, f64::max);
            let what = format!("mu {mu}, slot {slot}: {found:?}, searched {most}, by bisection {there} at {price}");
            assert!((there - whole - found.gain).abs() < 1e-9 && (price - found.price).abs() < 1e-9, "{what}");
            assert!(most <= found.gain + 1e-8 && most >= found.gain - 1e-4, "{what}");
        }
    }
}

/// In slots 12 to 17 the price lies within the band, and a little more than it earns every seller more by (16) with its
/// share as it is; and where the best offer keeps the price within the band, the formula tells it.
#[test]
fn a_dearer_seller_earns_more_by_its_share_of_the_demand() {
    const RISE: f64 = 1e-6;
    for slot in 12..=17 {
        let market = market(1, slot);
        let (alpha, buyers) = (market.terms.alpha, market.needs.len() as f64);
        let found = market.equilibrium().expect("a market");
        assert_eq!(found.corner, Corner::Interior, "slot {slot}");
        assert!(found.purchases.iter().all(|&purchase| purchase > 0.0), "slot {slot}");
        for (seller, (&surplus, &share)) in market.surplus.iter().zip(&found.shares).enumerate() {
            let revenue = |price: f64| price * (share * demand(&market.needs, alpha, price)).min(surplus);
            let slope = surplus - found.price * share * buyers / alpha;
            assert!(slope > 0.0, "slot {slot}, seller {seller}: {slope}");
            let measured = (revenue(found.price + RISE) - revenue(found.price)) / RISE;
            assert!((slope - measured).abs() < 1e-4, "slot {slot}, seller {seller}: {slope} or {measured}");
            let best = best(&market, seller);
            let formula = 0.5 * (surplus - (found.price - market.terms.feed_in_tariff) * buyers / alpha);
            if best.price < market.terms.grid_tariff {
                assert!((best.withheld - formula.max(0.0)).abs() < 1e-4, "slot {slot}: {best:?} or {formula}");
            }
        }
    }
}
