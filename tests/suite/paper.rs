//! The published study: the actors' messages give the numbers of `tests/data/5_prosumers_expected.json`.

use crate::support::{Log, only_case, repository, run, shipped, written};
use microgrid_agents::{
    observation::{Observation, Outcome, ProsumerSlot},
    units::Energy,
};
use serde_json::Value;

fn expected() -> Value {
    let text = std::fs::read_to_string(repository("tests/data/5_prosumers_expected.json")).expect("the reference");
    serde_json::from_str(&text).expect("the reference is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
    }
}

fn of_slot(log: &Log, slot: u64) -> Vec<&ProsumerSlot> {
    let mut found: Vec<_> = log.prosumers().filter(|p| u64::from(p.slot) == slot).collect();
    found.sort_by_key(|p| p.prosumer);
    found
}

/// Compares a whole day with the reference, prosumer by prosumer.
///
/// Where the price is at the floor, supply exceeds demand and the split over sellers is not unique: there, what sellers
/// sell and feed in is compared as a total, and a seller's own welfare is still unique because both earn the floor.
fn compare(scenario: &str, mu: &str, reference: &str) {
    let case = only_case(&shipped(scenario, &[&format!("mu={mu}")]));
    let log = run(&case);
    for slot in expected()["slots"][reference].as_array().expect("slots") {
        let number = slot["slot"].as_u64().expect("a number");
        let prosumers = of_slot(&log, number);
        let what = |quantity| format!("{reference}, slot {number}, {quantity}");
        let kwh = |of: fn(&ProsumerSlot) -> Energy| prosumers.iter().map(|p| of(p).value()).collect::<Vec<_>>();

        let game = log.games().find(|game| u64::from(game.slot) == number);
        let price = slot["price"].as_f64();
        if let Some(price) = price {
            let game = game.expect("a market slot has a game");
            assert_eq!(game.outcome, Outcome::Equilibrium, "{}", what("outcome"));
            let state = game.state.as_ref().expect("a settled game has a state");
            assert_close(&state.prices, &vec![price; state.prices.len()], 1e-4, &what("price"));
        } else {
            assert!(game.is_none_or(|game| game.outcome == Outcome::NoMarket), "{}", what("no market"));
        }
        assert_close(&kwh(|p| p.bought), &numbers(&slot["bought"]), 1e-3, &what("bought"));
        assert_close(&kwh(|p| p.grid_import), &numbers(&slot["grid_import"]), 1e-3, &what("import"));
        assert_close(&kwh(|p| p.discharged), &numbers(&slot["discharge"]), 1e-3, &what("discharged"));
        let sellers = [
            ("sold", kwh(|p| p.sold), numbers(&slot["sold"])),
            ("fed in", kwh(|p| p.grid_export), numbers(&slot["feed_in"])),
            ("charged", kwh(|p| p.charged), numbers(&slot["charge"])),
        ];
        let at_floor = price == Some(0.45);
        for (quantity, found, expected) in sellers {
            if at_floor {
                let total = |parts: &[f64]| [parts.iter().sum::<f64>()];
                assert_close(&total(&found), &total(&expected), 1e-3, &what(quantity));
            } else {
                assert_close(&found, &expected, 1e-3, &what(quantity));
            }
        }
        let welfare: Vec<f64> = prosumers.iter().map(|p| p.welfare).collect();
        if at_floor && scenario.contains("storage") {
            let total = |parts: &[f64]| [parts.iter().sum::<f64>()];
            assert_close(&total(&welfare), &total(&numbers(&slot["welfare"])), 1e-3, &what("welfare"));
        } else {
            assert_close(&welfare, &numbers(&slot["welfare"]), 1e-3, &what("welfare"));
        }
    }
}

#[test]
fn the_day_without_a_ledger_comes_out_slot_by_slot() {
    compare("5_prosumers.ron", "0", "p2p_mu0");
}

#[test]
fn the_day_with_everybody_on_the_ledger_comes_out_slot_by_slot() {
    compare("5_prosumers.ron", "1", "p2p_mu1");
}

#[test]
fn the_days_with_storage_come_out_slot_by_slot() {
    compare("5_prosumers_storage.ron", "0", "p2p_mu0_storage");
    compare("5_prosumers_storage.ron", "1", "p2p_mu1_storage");
}

#[test]
fn table_1_comes_out_of_the_messages() {
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1"])));
    let trades = log.observed.iter().find_map(|observed| match &observed.what {
        Observation::Settled(17, trades) => Some(trades),
        _ => None,
    });
    let trades = trades.expect("slot 17 settles");
    let optimal: Vec<f64> = trades.iter().map(|trade| trade.optimal).collect();
    let actual: Vec<f64> = trades.iter().map(|trade| trade.energy.value()).collect();
    assert_close(&optimal, &[1.6, 1.6, 1.6, 2.0, 2.0, 2.0], 1e-3, "optimal purchases");
    assert_close(&actual, &[0.768, 0.224, 0.608, 0.960, 0.280, 0.760], 1e-3, "actual purchases");
}

/// Slot 17 of the reference day with fixed steps, prices and shares, at some delay.
fn slot_17(delay: &str) -> Log {
    let text = format!(
        r#"Scenario(
            name: "slot_17",
            seed: 1,
            market: (slots: 24, open: (17, 17), feed_in_tariff: 0.45, grid_tariff: Constant(0.85)),
            population: Profiles("profiles.csv"),
            preferences: (alpha: 0.4, eta: 0.2, mu: 1.0, demand: Elastic),
            learning: (
                fitness: Public, replicator_step: Fixed(0.1), price_step: Fixed(0.1), ramp: 0.1, tolerance: 1e-12,
                patience: 3, initial_price: Fixed([0.6, 0.8, 0.5]), initial_choice: Fixed([0.5, 0.2, 0.3]),
            ),
            activation: LockStep(period: "1s"),
            network: (delay: Constant("{delay}")),
        )"#
    );
    let profiles = std::fs::read_to_string(repository("scenarios/data/5_prosumers.csv")).expect("the profiles");
    run(&only_case(&written(&text, &profiles)))
}

/// Prices, shares, demands and net utilities after each round, in the order of the rounds.
fn rounds(log: &Log) -> Vec<[Vec<f64>; 4]> {
    let committed = log.observed.iter().filter_map(|observed| match &observed.what {
        Observation::Committed(commit) if commit.choices => Some(&commit.state),
        _ => None,
    });
    committed
        .map(|state| {
            let sums = state.aggregate.as_ref().expect("a block with choices has sums");
            let without_constant = sums.net_utility.iter().map(|xi| xi - sums.constant).collect();
            [state.prices.clone(), sums.mean_share.clone(), sums.demand.clone(), without_constant]
        })
        .collect()
}

#[test]
fn messages_in_lock_step_give_the_reference_iterates() {
    let rounds = rounds(&slot_17("10ms"));
    for expected in expected()["slot_17_iteration"]["rounds"].as_array().expect("rounds") {
        let number = expected["round"].as_u64().expect("a number") as usize;
        let names = ["price", "share", "demand_kwh", "net_utility_without_constant"];
        for (name, found) in names.iter().zip(&rounds[number - 1]) {
            assert_close(found, &numbers(&expected[*name]), 1e-9, &format!("round {number}, {name}"));
        }
    }
}

#[test]
fn a_round_trip_below_half_a_period_changes_nothing() {
    let reference = rounds(&slot_17("0ms"));
    // Two delays and a block timeout of 50 ms must fit into 500 ms.
    for delay in ["1ms", "10ms", "200ms", "224ms"] {
        assert!(rounds(&slot_17(delay)) == reference, "delay {delay} changes the iterates");
    }
    assert!(rounds(&slot_17("300ms")) != reference, "a longer delay does change them");
}
