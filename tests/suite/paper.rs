//! The published study: the actors' messages give the numbers of `tests/data/5_prosumers_expected.json`.

use crate::support::{Log, only_case, repository, run, shipped, written};
use microgrid_agents::{
    market::{
        aggregate::Aggregate,
        balance::{Balance, SlotFacts},
        pricing::PriceBand,
        role::Role,
    },
    observation::{Observation, ProsumerSlot},
    statement::Outcome,
    units::Energy,
};
use microgrid_sim::{
    analysis::{
        equilibrium::balances_at,
        reference::{Iteration, Market},
        slot::{slot_facts, terms_of_each},
    },
    scenario::{Case, schema::Storage},
};
use serde_json::Value;
use std::collections::BTreeMap;

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

fn of_slot(log: &Log, slot: u32) -> Vec<&ProsumerSlot> {
    let mut found: Vec<_> = log.prosumers().filter(|p| p.slot == slot).collect();
    found.sort_by_key(|p| p.prosumer);
    found
}

/// A quantity of the reference: its name there, where a run has it, and where the closed form has it.
type Quantity = (&'static str, fn(&ProsumerSlot) -> f64, fn(&Balance) -> f64);

/// Compares a whole day with the reference, prosumer by prosumer.
///
/// Where the price is at the floor, supply exceeds demand and the split over sellers is not unique. There, what sellers
/// sell, feed in and charge is compared as a total. With storage, the split decides what each of them has left for the
/// evening: from then on their own amounts follow from what is really in their storages, and are held against the
/// closed form for those contents instead.
fn compare(scenario: &str, mu: &str, reference: &str) {
    let case = only_case(&shipped(scenario, &[&format!("mu={mu}")]));
    let log = run(&case);
    let initial = case.scenario.storage.as_ref().map_or(0.0, |storage| storage.initial_kwh);
    let mut contents = vec![Energy::nearest(initial); case.population.prosumers.len()];
    let mut split_is_unique = vec![true; contents.len()];
    for slot in expected()["slots"][reference].as_array().expect("slots") {
        let number = slot["slot"].as_u64().expect("a number") as u32;
        let prosumers = of_slot(&log, number);
        let price = slot["price"].as_f64();
        compare_game(&log, number, price, reference);
        let at_floor = price == Some(case.tariffs.feed_in[number as usize - 1]);
        let without_market = balances_without_market(&case, number, &contents);
        let quantities: [Quantity; 7] = [
            ("bought", |p| p.trades.bought.value(), |_| 0.0),
            ("sold", |p| p.trades.sold.value(), |_| 0.0),
            ("feed_in", |p| p.balance.grid_export.value(), |b| b.grid_export.value()),
            ("grid_import", |p| p.balance.grid_import.value(), |b| b.grid_import.value()),
            ("charge", |p| p.balance.charged.value(), |b| b.charged.value()),
            ("discharge", |p| p.balance.discharged.value(), |b| b.discharged.value()),
            ("welfare", |p| p.balance.welfare, |b| b.welfare),
        ];
        for (name, of, at_contents) in quantities {
            let what = format!("{reference}, slot {number}, {name}");
            let found: Vec<f64> = prosumers.iter().map(|p| of(p)).collect();
            let mut wanted = numbers(&slot[name]);
            // Without storage it does not matter to a seller's welfare who buys: all pay the floor.
            let split_matters = name != "welfare" || case.scenario.storage.is_some();
            if at_floor && split_matters {
                assert_close(&[found.iter().sum()], &[wanted.iter().sum()], 1e-3, &what);
                // Whoever is no seller has a unique share of this, too.
                for (p, (found, wanted)) in prosumers.iter().zip(found.iter().zip(&wanted)) {
                    if p.facts.role() != Role::Seller {
                        assert_close(&[*found], &[*wanted], 1e-3, &what);
                    }
                }
                continue;
            }
            for (wanted, (balance, unique)) in wanted.iter_mut().zip(without_market.iter().zip(&split_is_unique)) {
                if !unique {
                    assert!(price.is_none(), "the reference day has no market after a split that is not unique");
                    *wanted = at_contents(balance);
                }
            }
            assert_close(&found, &wanted, 1e-3, &what);
        }
        for ((p, content), unique) in prosumers.iter().zip(&mut contents).zip(&mut split_is_unique) {
            *content = p.balance.content;
            *unique &= !(at_floor && p.facts.role() == Role::Seller && case.scenario.storage.is_some());
        }
    }
}

fn compare_game(log: &Log, slot: u32, price: Option<f64>, reference: &str) {
    let game = log.games().find(|game| game.slot == slot);
    let Some(price) = price else {
        assert!(game.is_none_or(|game| game.outcome == Outcome::NoMarket), "{reference}, slot {slot}: no market");
        return;
    };
    let game = game.expect("a market slot has a game");
    assert_eq!(game.outcome, Outcome::Equilibrium, "{reference}, slot {slot}");
    let prices = &game.state.as_ref().expect("a settled game has a state").prices;
    assert_close(prices, &vec![price; prices.len()], 1e-4, &format!("{reference}, slot {slot}, price"));
}

/// What everybody would do in a slot without a market, with these contents of their storages.
fn balances_without_market(case: &Case, slot: u32, contents: &[Energy]) -> Vec<Balance> {
    let limits = case.scenario.storage.as_ref().map(Storage::limits);
    let each = terms_of_each(case, slot).map(|terms| (terms, limits));
    balances_at(None, &slot_facts(case, slot), contents, each)
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
fn the_day_on_the_article_s_network_comes_out_slot_by_slot() {
    compare("article_network.ron", "0", "p2p_mu0");
    compare("article_network.ron", "1", "p2p_mu1");
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
    slot_17_over(&constant(delay))
}

/// The same on some network.
fn slot_17_over(network: &str) -> Log {
    run(&slot_17_case(network, "Elastic", "Public", "Fixed(0.1)"))
}

fn constant(delay: &str) -> String {
    format!(r#"delay: Constant("{delay}")"#)
}

fn slot_17_case(network: &str, demand: &str, fitness: &str, step: &str) -> Case {
    let text = format!(
        r#"Scenario(
            name: "slot_17",
            seed: 1,
            market: (slots: 24, open: (17, 17), feed_in_tariff: 0.45, grid_tariff: Constant(0.85)),
            population: Profiles("profiles.csv"),
            preferences: (alpha: 0.4, eta: 0.2, mu: 1.0, demand: {demand}),
            learning: (
                fitness: {fitness}, replicator_step: {step}, price_step: {step}, ramp: 0.1, tolerance: 1e-12,
                patience: 3, initial_price: Fixed([0.6, 0.8, 0.5]), initial_choice: Fixed([0.5, 0.2, 0.3]),
            ),
            activation: LockStep(period: "1s"),
            network: ({network}),
        )"#
    );
    let profiles = std::fs::read_to_string(repository("scenarios/data/5_prosumers.csv")).expect("the profiles");
    only_case(&written(&text, &profiles))
}

/// Prices, shares, demands and net utilities after each round, in the order of the rounds.
fn rounds(log: &Log) -> Vec<[Vec<f64>; 4]> {
    let committed = log.observed.iter().filter_map(|observed| match &observed.what {
        Observation::Committed(commit) if commit.choices => Some((observed.time.0 / 1_000_000_000, &commit.state)),
        _ => None,
    });
    // Choices that arrive far apart fill several blocks; the round is over after the last of its second.
    let last_of_second: BTreeMap<_, _> = committed.collect();
    last_of_second
        .into_values()
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
fn messages_give_the_plain_iteration_whatever_the_rules_of_learning() {
    for (demand, fitness, step) in [
        ("Elastic", "Private", "Fixed(0.1)"),
        ("Elastic", "Private", "Scaled(0.3)"),
        ("Elastic", "Public", "Scaled(0.5)"),
        ("Firm", "Public", "Scaled(0.3)"),
        ("Firm", "Private", "Scaled(0.3)"),
    ] {
        let case = slot_17_case(&constant("10ms"), demand, fitness, step);
        let (preferences, learning) = (&case.scenario.preferences, &case.scenario.learning);
        let facts = slot_facts(&case, 17);
        let of = |role| facts.iter().filter(move |facts| facts.role() == role);
        let buyers: Vec<_> = of(Role::Buyer).map(SlotFacts::as_buyer).collect();
        let surplus: Vec<_> = of(Role::Seller).map(|facts| facts.surplus().value()).collect();
        let market = Market {
            known: None,
            buyers: &buyers,
            surplus: &surplus,
            band: PriceBand { floor: 0.45, ceiling: 0.85 },
            local_fee: 0.0,
            alpha: preferences.alpha,
            demand: preferences.demand,
            fitness: learning.fitness(),
            replicator_step: learning.replicator_step,
            price_step: learning.price_step,
            ramp: learning.ramp,
        };
        let found = rounds(&run(&case));
        assert!(found.len() > 20, "{demand}, {fitness}, {step}: {} rounds", found.len());
        for (number, (found, round)) in
            found.iter().zip(Iteration::new(market, &[0.6, 0.8, 0.5], &[0.5, 0.2, 0.3])).enumerate()
        {
            let Aggregate { net_utility, mean_share, demand: wanted, constant, .. } = &round.aggregate;
            let without_constant: Vec<f64> = net_utility.iter().map(|xi| xi - constant).collect();
            let expected = [&round.prices, mean_share, wanted, &without_constant];
            for (found, expected) in found.iter().zip(expected) {
                assert_close(found, expected, 1e-9, &format!("{demand}, {fitness}, {step}, round {}", number + 1));
            }
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

#[test]
fn random_round_trips_below_half_a_period_change_nothing_either() {
    let reference = rounds(&slot_17("0ms"));
    for network in [
        r#"delay: Uniform(min: "0s", max: "220ms")"#,
        r#"delay: Uniform(min: "20ms", max: "150ms"), jitter: 0.4"#,
        r#"delay: Constant("110ms"), jitter: 1.0"#,
        r#"delay: Constant("100ms"), jitter: 0.5, duplication: 0.3"#,
        r#"groups: {"far": Prosumers([2, 3])}, links: [(from: Group("far"), to: Ledger, delay: Constant("200ms"))]"#,
        r#"conditions: [(at: "16h 10s", lasting: "20s", what: Link(from: Ledger, to: Prosumers, delay: Constant("220ms")))]"#,
    ] {
        let found = rounds(&slot_17_over(network));
        assert_eq!(found.len(), reference.len(), "{network}");
        assert!(found == reference, "{network} changes the iterates");
    }
    let slow = r#"delay: Constant("150ms"), jitter: 1.0"#;
    assert!(rounds(&slot_17_over(slow)) != reference, "longer round trips do change them");
}
