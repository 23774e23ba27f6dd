//! By negotiation markets find what clears them, however old the news, and whatever befalls those who negotiate.

use crate::{
    adversity::{day_by, withstands},
    determinism::{ALL_SHARDS, assert_same_whatever_the_shards},
    learning::markets::{RandomMarket, hop, rounds_by, summary},
    support::{only_case, recorded, repository, run, shipped, sim, written},
};
use microgrid_agents::{market::mechanism::Mechanism, observation::Observation};
use microgrid_sim::ledger::{schema, verify::verify};
use rayon::prelude::*;

const USUAL: Mechanism = Mechanism::Negotiation { rho: 1.0 };

/// A hundred markets of 4 to 80 participants, of all kinds: by then all prices are within 0.001 CNY/kWh of what clears
/// them, and stay there.
#[test]
fn a_hundred_markets_find_their_price_on_news_that_is_up_to_three_periods_old() {
    const MOST: u32 = 1_000;
    for (age, median, quantile) in [(0.0, 20, 60), (1.0, 40, 100), (2.0, 60, 150), (3.0, 80, 200)] {
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
    let plan = shipped("5_prosumers.ron", &["mu=1", "mechanism=Negotiation(rho: 1)"]);
    assert_same_whatever_the_shards(&plan, &ALL_SHARDS[..3]);
}

#[test]
fn whatever_befalls_those_who_negotiate_the_price_is_found_and_the_books_are_at_zero() {
    for network in [
        "(loss: 0.1, duplication: 0.1)",
        r#"(conditions: [(at: "10s", lasting: "60s", every: "1h", what: Partition(from: Prosumer(1), to: Everybody))])"#,
        r#"(groups: {"fragile": Prosumers([2, 3])}, conditions: [(at: "5s", lasting: "3s", every: "1h",
            what: Crash(who: Group("fragile"), memory: Lost))])"#,
    ] {
        withstands(&day_by("Negotiation()", network), 24, 5);
    }
}

#[test]
fn the_ledger_of_a_negotiation_verifies_whatever_stands_on_it() {
    for set in ["ledger.posts=Every", "ledger.posts=Last", "ledger.signatures=Everything", "preferences.demand=Firm"] {
        let plan = shipped("5_prosumers.ron", &["mu=1", "mechanism=Negotiation(rho: 1)", "loss=0.1", set]);
        let root = tempfile::tempdir().unwrap();
        let report = verify(&recorded(&plan, root.path()).join(schema::FILE), &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{set}: {error}"));
        assert!(report.cases[0].closed == 24 && report.cases[0].bills > 20, "{report:?}");
    }
}

/// What a need is divided into adds up to it, but for the last digit of a sum.
#[test]
fn no_choice_of_a_firm_buyer_is_refused_for_a_rounding() {
    let plan = written(
        r#"Scenario(
            name: "firm",
            market: (slots: 4, slot_length: "30min", starts_at: "10h", open: (1, 4), gate_closure: "90s",
                     mechanism: Negotiation()),
            population: Synthetic(count: 30, pv_share: 0.5),
            preferences: (demand: Firm),
        )"#,
        "",
    );
    let log = run(&only_case(&plan));
    let refused = log.observed.iter().find(|observed| matches!(observed.what, Observation::Refused(_)));
    assert!(refused.is_none(), "{refused:?}");
}

#[test]
fn the_linear_theory_of_the_game_says_nothing_of_a_negotiation() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = sim(folder.path(), "stability");
    let command = command.arg(repository("scenarios/5_prosumers.ron"));
    let said =
        command.args(["--set", "mechanism=TwoLevelGame,Negotiation()"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8(said).unwrap().contains("has nothing to say about Negotiation"));
}
