//! The same actors by the machine's clock, free-running on two threads, come to the same equilibrium.

use crate::{
    network::{Notes, partition, tickers, timing},
    ordering::{self, Hopeful, Notebook, Wicked},
    support::{only_case, recorded, run, shipped, written},
};
use assert_cmd::Command;
use microgrid_agents::{
    actor::Actor,
    ids::ActorId,
    market::{pricing::PriceBand, role::Role},
    statement::Outcome,
    units::Money,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    analysis::{
        equilibrium::closed_form,
        slot::{slot_facts, slot_terms},
    },
    runtime::{Failure, RuntimeError, Shards, wall},
    scenario::{Case, Plan},
};
use std::{fmt::Write, sync::atomic::Ordering, time::Duration};

/// One slot by the machine's clock: that of `case` with this number.
pub(crate) fn one_slot(case: &Case, slot: u32, period: &str, speed: f64) -> Plan {
    let mut profiles = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n".to_owned();
    for member in &case.population.prosumers {
        let profile = member.profile.slot(slot);
        let (pv, load) = (profile.generation.value(), profile.load.value());
        let (local, grid) = (profile.preference_pv, profile.preference_grid);
        writeln!(profiles, "{},1,{pv},{load},{local},{grid}", member.number).expect("text grows");
    }
    let text = format!(
        r#"Scenario(
            name: "wall",
            market: (slots: 1, open: (1, 1), feed_in_tariff: 0.45, grid_tariff: Constant(0.85)),
            population: Profiles("profiles.csv"),
            learning: (replicator_step: Scaled(0.2), price_step: Scaled(0.5), tolerance: 1e-6),
            activation: LockStep(period: "{period}"),
            clock: Wall(speed: {speed:?}),
        )"#
    );
    written(&text, &profiles)
}

/// The market-clearing price of a slot, if it lies between the tariffs, where it has to be found.
fn price(case: &Case, slot: u32) -> Option<f64> {
    let (facts, terms) = (slot_facts(case, slot), slot_terms(case, slot));
    let of = |role| facts.iter().filter(move |facts| facts.role() == role);
    let buyers: Vec<_> = of(Role::Buyer).map(|facts| facts.as_buyer()).collect();
    let surplus: Vec<_> = of(Role::Seller).map(|facts| facts.surplus().value()).collect();
    let band = PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff };
    let preferences = &case.scenario.preferences;
    let price = closed_form(&buyers, &surplus, band, preferences.alpha, preferences.demand)?.price;
    (price > band.floor + 0.01 && price < band.ceiling - 0.01).then_some(price)
}

/// Runs a case; its prices are those of the closed form, and its books balance.
fn assert_equilibrium(case: &Case) {
    let log = run(case);
    let game = log.games().next().expect("a game");
    assert_eq!(game.outcome, Outcome::Equilibrium);
    let expected = price(case, 1).expect("a price between the tariffs");
    let prices = &game.state.as_ref().expect("a market").prices;
    assert!(prices.len() > 1 && prices.iter().all(|price| (price - expected).abs() < 1e-3), "{prices:?}, {expected}");
    assert_eq!(log.prosumers().count(), case.population.prosumers.len());
    let (bought, sold) = log.prosumers().fold((0, 0), |(b, s), p| (b + p.trades.bought.0, s + p.trades.sold.0));
    assert!(bought == sold && bought > 0);
    let net_cost: Money = log.prosumers().map(|p| p.paid() - p.earned()).sum();
    let to_the_grid: Money = log.exchanges().map(|(_, invoice)| invoice.charge - invoice.credit).sum();
    assert_eq!(net_cost, to_the_grid);
}

#[test]
fn five_prosumers_at_high_speed_reach_the_closed_form_and_balance_their_books() {
    let day = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    assert_equilibrium(&only_case(&one_slot(&day, 17, "10s", 600.0)));
}

#[test]
fn twenty_prosumers_at_speed_60_reach_the_closed_form() {
    let day = only_case(&shipped("100_prosumers.ron", &["mu=1", "population=20"]));
    let slot = (8..=20).find(|&slot| price(&day, slot).is_some()).expect("a market that clears between the tariffs");
    assert_equilibrium(&only_case(&one_slot(&day, slot, "1s", 60.0)));
}

#[test]
fn a_run_by_the_machine_s_clock_leaves_a_ledger_that_verifies_and_says_that_it_cannot_be_repeated() {
    let day = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = recorded(&one_slot(&day, 17, "10s", 600.0), root.path());
    Command::new(env!("CARGO_BIN_EXE_sim")).args(["ledger", "verify"]).arg(&folder).assert().success();
    let is_deterministic = |folder: &std::path::Path| {
        let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
        serde_json::from_str::<serde_json::Value>(&manifest).expect("JSON")["deterministic"].clone()
    };
    assert_eq!(is_deterministic(&folder), false);
    let mut virtual_time = one_slot(&day, 17, "10s", 600.0);
    virtual_time.scenario.clock = microgrid_sim::scenario::schema::Clock::Virtual;
    let other = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(is_deterministic(&recorded(&virtual_time, other.path())), true);
}

fn pace(speed: f64, last_slot: u32) -> wall::Pace {
    wall::Pace { speed, last_milestone: last_slot }
}

#[test]
fn conditions_go_by_simulated_time() {
    let host = ordering::host(Duration::from_millis(10), 0.0, Shards::Fixed(2));
    let mut network = host.network.clone();
    // From 2.5 to 5.5 s: half a second to either side is 50 ms by the machine's clock.
    let mut lost = timing(2, 3, None);
    lost.at = lost.at + Duration::from_millis(500);
    network.conditions = vec![partition(lost, true)];
    let host = microgrid_sim::runtime::Host { network, ..host };
    let (notes, result) = wall::run(tickers(2), &host, pace(10.0, 9), Notes::default());
    result.expect("it ends with the last tick");
    assert_eq!(notes.heard(1, 0)[..6], [0, 1, 2, 6, 7, 8]);
    assert_eq!(notes.heard(0, 1)[..9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(notes.traffic.lost, 3);
    assert!(notes.done(0).iter().all(|&(time, tick)| time >= u64::from(tick) * 1000), "nothing before it is due");
}

#[test]
fn what_goes_wrong_is_told_as_in_virtual_time() {
    let host = ordering::host(Duration::from_millis(1), 0.0, Shards::Fixed(2));
    let run = |actor: Box<dyn Actor<MarketProtocol>>| {
        let actors = vec![Box::new(Hopeful { asks_again: false }) as Box<dyn Actor<MarketProtocol>>, actor];
        wall::run(actors, &host, pace(100.0, 1), Notebook::default()).1.expect_err("it cannot end well")
    };
    let said = run(Box::new(Wicked::Panics)).to_string();
    assert!(said.starts_with("wicked panicked: on purpose (tests/suite/ordering.rs:"), "{said}");
    let nobody = Failure::NoRecipient { from: ActorId(1), to: ActorId(99) };
    assert!(matches!(run(Box::new(Wicked::SendsAstray)), RuntimeError::Failed(failure) if failure == nobody));
    let endless = run(Box::new(Wicked::NeverEnds));
    assert!(matches!(endless, RuntimeError::Failed(Failure::Livelock { actor: ActorId(1), .. })));
    // Ten simulated seconds without a slot closed.
    let stalled = run(Box::new(Hopeful { asks_again: true }));
    assert!(matches!(&stalled, RuntimeError::Stalled { waiting, .. } if waiting.len() == 2), "{stalled}");
    host.interrupted.store(true, Ordering::Relaxed);
    assert!(matches!(run(Box::new(Hopeful { asks_again: true })), RuntimeError::Interrupted));
}
