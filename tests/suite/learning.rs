//! Random markets find what clears them, soon: the small version of `cargo bench --bench learning`.

#[expect(dead_code, reason = "the benchmark needs more of it")]
#[path = "../../benches/support/markets.rs"]
pub(crate) mod markets;

use markets::{Kind, RandomMarket, hop, rounds, summary};
use microgrid_agents::market::{balance::SlotFacts, demand::Demand, pricing::PriceBand, role::Role};
use microgrid_sim::analysis::{
    equilibrium::closed_form,
    slot::{slot_facts, slot_terms},
};
use rayon::prelude::*;
use std::time::Duration;

/// The sample has markets of every kind, and the closed form of each is the highest of the prices that clear it.
#[test]
fn the_closed_form_is_what_bisection_finds() {
    let mut kinds = [0; 4];
    for market in (0..300).map(RandomMarket::draw) {
        let case = market.case("", Duration::from_secs(1));
        let (facts, terms) = (slot_facts(&case, 1), slot_terms(&case, 1));
        let with = |role| facts.iter().filter(move |facts| facts.role() == role);
        let buyers: Vec<_> = with(Role::Buyer).map(SlotFacts::as_buyer).collect();
        let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
        let band = PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff };
        let theory = closed_form(&buyers, &surplus, band, terms.alpha, terms.demand).unwrap();
        let clearing = market.clearing_of_all();
        assert!((theory.price - clearing.highest).abs() < 1e-6, "{market:?}: {} or {clearing:?}", theory.price);
        let kind = market.kind();
        assert!(kind == Kind::Range || clearing.highest - clearing.lowest < 1e-6, "{market:?}: {clearing:?}");
        assert!(kind != Kind::Range || market.demand == Demand::Firm, "{market:?}");
        kinds[kind as usize] += 1;
    }
    assert!(kinds.iter().all(|&count| count >= 5), "no sample of all kinds: {kinds:?}");
}

/// Where one price clears them: with a whole interval of prices, markets are firm, and their last few rounds take long.
#[test]
fn by_default_random_markets_find_their_price_in_some_sixty_rounds() {
    const MOST: u32 = 1_000;
    let markets: Vec<_> =
        (0..).map(RandomMarket::draw).filter(|market| market.kind() != Kind::Range).take(40).collect();
    let played: Vec<Option<u32>> = markets.par_iter().map(|market| rounds(market, "()", hop(0.0), MOST)).collect();
    let (median, quantile, unsettled) = summary(&played, MOST);
    assert!(median <= 90 && quantile <= 300 && unsettled <= 1, "{median}, {quantile}, {unsettled}: {played:?}");
}
