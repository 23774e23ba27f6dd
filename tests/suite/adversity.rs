//! Loss, duplication, partitions, outages and crashes: the market finds the same price, every trade is settled exactly
//! once, and the books add up.

use crate::{
    conservation::assert_conserved,
    support::{End, Log, only_case, repository, run, written},
};
use microgrid_agents::{
    ids::{ProsumerId, Slot},
    market::settlement::Trade,
    observation::Observation,
    statement::Outcome,
    units::Energy,
};
use microgrid_sim::scenario::Plan;
use std::collections::BTreeMap;

/// The published day with adaptation to delay and this network.
fn day(network: &str) -> Plan {
    day_by("TwoLevelGame", network)
}

/// The same, where trades come about by this mechanism.
pub(crate) fn day_by(mechanism: &str, network: &str) -> Plan {
    let [profiles, tariff] = ["5_prosumers.csv", "tariff.csv"].map(|file| repository("scenarios/data").join(file));
    let text = format!(
        r#"Scenario(
            name: "adversity",
            market: (mechanism: {mechanism}, open: (8, 20), feed_in_tariff: 0.45, grid_tariff: Csv({tariff:?})),
            population: Profiles({profiles:?}),
            learning: (adaptation: DelayAware),
            network: {network},
        )"#
    );
    written(&text, "")
}

/// Every trade is settled exactly once, and is what both sides have booked.
pub(crate) fn assert_settled_once(log: &Log) {
    let mut settled: BTreeMap<Slot, &[Trade]> = BTreeMap::new();
    let mut markets = BTreeMap::new();
    for observed in &log.observed {
        match &observed.what {
            Observation::Settled(slot, trades) => {
                assert!(settled.insert(*slot, trades).is_none(), "slot {slot} is settled twice");
            }
            Observation::MarketOpened(market) => {
                assert!(markets.insert(market.slot, market).is_none(), "the market of {} opens twice", market.slot);
            }
            _ => {}
        }
    }
    let mut booked = 0;
    for done in log.prosumers() {
        let Some(market) = markets.get(&done.slot) else { continue };
        let trades = settled[&done.slot].iter();
        let of = |side: fn(&Trade) -> u32, who: &[ProsumerId]| -> Energy {
            trades.clone().filter(|trade| who[side(trade) as usize] == done.prosumer).map(|trade| trade.energy).sum()
        };
        assert_eq!(done.trades.bought, of(|trade| trade.buyer, &market.buyers), "{done:?}");
        assert_eq!(done.trades.sold, of(|trade| trade.seller, &market.sellers), "{done:?}");
        booked += 1;
    }
    assert!(booked > 0, "there was a market");
}

/// Runs a plan of one case: nothing is settled twice, the books are at zero, and every market finds the closed form.
pub(crate) fn withstands(plan: &Plan, slots: usize, prosumers: usize) -> Log {
    let case = only_case(plan);
    let log = run(&case);
    assert_conserved(&log, slots, prosumers);
    assert_settled_once(&log);
    for game in log.games().filter(|game| game.outcome != Outcome::NoMarket) {
        let end = End::of(&case, game);
        assert!(end.at_the_closed_form(), "slot {}: {end:?}", end.slot);
    }
    log
}

#[test]
fn the_price_is_found_whatever_share_of_messages_is_lost_or_doubled() {
    for loss in ["0.0", "0.1", "0.2", "0.3"] {
        withstands(&day(&format!("(loss: {loss}, duplication: 0.1)")), 24, 5);
    }
}

#[test]
fn the_price_is_found_after_a_partition_has_healed() {
    let partition = |from: &str, to: &str, one_way: bool| {
        day(&format!(
            r#"(groups: {{"west": Prosumers([1, 4])}}, conditions: [(at: "10s", lasting: "60s", every: "1h",
                what: Partition(from: {from}, to: {to}, one_way: {one_way}))])"#
        ))
    };
    let (west, everybody) = (r#"Group("west")"#, "Everybody");
    let undisturbed: Vec<_> = run(&only_case(&day("()"))).games().map(|game| game.time_to_equilibrium).collect();
    for (from, to, one_way) in [(west, everybody, false), (west, everybody, true), (everybody, west, true)] {
        let log = withstands(&partition(from, to, one_way), 24, 5);
        for (game, before) in log.games().zip(&undisturbed).filter(|(game, _)| game.outcome != Outcome::NoMarket) {
            assert!(game.time_to_equilibrium > *before, "slot {} has felt nothing", game.slot);
        }
    }
}

#[test]
fn the_price_is_found_after_an_outage_of_the_ledger() {
    let outage = r#"(conditions: [(at: "10s", lasting: "60s", every: "1h", what: Crash(who: Ledger))])"#;
    withstands(&day(outage), 24, 5);
    let unreachable = r#"(conditions: [(at: "10s", lasting: "60s", every: "1h",
        what: Partition(from: Ledger, to: Everybody))])"#;
    withstands(&day(unreachable), 24, 5);
}

#[test]
fn prosumers_that_have_lost_their_memory_find_back_into_the_market_at_any_moment() {
    // Before registration, during the game, around its end and while meters are read.
    for at in ["5ms", "15ms", "2s", "20s", "40s", "60s"] {
        let crash = format!(
            r#"(groups: {{"fragile": Prosumers([2, 3])}}, conditions: [(at: "{at}", lasting: "3s", every: "1h",
                what: Crash(who: Group("fragile"), memory: Lost))])"#
        );
        withstands(&day(&crash), 24, 5);
    }
}

#[test]
fn a_fifth_of_a_hundred_prosumers_crash_without_a_trace_in_the_books() {
    let text = r#"Scenario(
        name: "crash",
        market: (slots: 12, open: (11, 12), grid_tariff: Constant(1.05)),
        population: Synthetic(count: 100),
        learning: (tolerance: 1e-6, adaptation: DelayAware),
        network: (groups: {"fragile": Share(0.2)}, conditions: [
            (at: "30s", lasting: "20s", every: "1h", what: Crash(who: Group("fragile"), memory: Lost)),
        ]),
        ledger: (posts: Last),
    )"#;
    withstands(&written(text, ""), 12, 100);
}

#[test]
fn a_game_that_cannot_be_finished_in_time_is_settled_at_what_it_has_and_says_so() {
    let late = r#"(groups: {"west": Prosumers([1, 4])}, conditions: [(at: "10s", lasting: "56min", every: "1h",
        what: Partition(from: Group("west"), to: Everybody))])"#;
    let log = run(&only_case(&day(late)));
    assert_conserved(&log, 24, 5);
    assert_settled_once(&log);
    let markets = || log.games().filter(|game| game.outcome != Outcome::NoMarket);
    let unfinished = markets().filter(|game| game.outcome == Outcome::GateClosure).count();
    assert_eq!(unfinished, markets().count(), "whoever is cut off until the gate closes cannot come to rest");
    let traded: Energy = log.prosumers().map(|done| done.trades.sold).sum();
    assert!(traded > Energy::ZERO, "what was agreed on before is traded");
}

#[test]
fn what_is_not_cut_off_is_not_disturbed() {
    let crash = r#"(conditions: [(at: "10s", lasting: "60s", every: "1h", what: Crash(who: Prosumers))])"#;
    assert_eq!(withstands(&day(crash), 24, 5).closed(), 24);
}
