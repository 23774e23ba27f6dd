//! By negotiation markets find what clears them, however old the news, and whatever befalls those who negotiate.

use crate::{
    determinism::{ALL_SHARDS, assert_same_whatever_the_shards},
    learning::markets::{RandomMarket, hop, rounds_by, summary},
    support::shipped,
};
use microgrid_agents::market::mechanism::Mechanism;
use rayon::prelude::*;

const USUAL: Mechanism = Mechanism::Negotiation { rho: 0.5 };

/// A hundred markets of 4 to 80 participants, of all kinds: by then all prices are within 0.001 CNY/kWh of what clears
/// them, and stay there.
#[test]
fn a_hundred_markets_find_their_price_on_news_that_is_up_to_three_periods_old() {
    const MOST: u32 = 3_000;
    for (age, median, quantile) in [(0.0, 40, 120), (1.0, 90, 250), (2.0, 150, 400), (3.0, 200, 600)] {
        let markets: Vec<_> = (0..100).map(RandomMarket::draw).collect();
        let of = |market| rounds_by(USUAL, market, "(adaptation: DelayAware)", hop(age), MOST);
        let played: Vec<Option<u32>> = markets.par_iter().map(of).collect();
        let found = summary(&played, MOST);
        eprintln!("age {age}: {found:?} {:?}", played.iter().max());
        assert!(found.0 <= median && found.1 <= quantile && found.2 == 0, "age {age}: {found:?}: {played:?}");
    }
}

#[test]
fn negotiations_are_the_same_whatever_the_shards() {
    let plan = shipped("5_prosumers.ron", &["mu=1", "mechanism=Negotiation(rho: 0.5)"]);
    assert_same_whatever_the_shards(&plan, &ALL_SHARDS[..3]);
}
