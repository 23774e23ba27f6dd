//! The published five-prosumer day: the closed form, the baseline and the plain iteration give its reference values.

use indexmap::IndexMap;
use microgrid_agents::{
    ids::Slot,
    market::{
        balance::{Balance, SlotFacts},
        demand::{Buyer, Demand},
        opening::OpenSlots,
        pricing::PriceBand,
        replicator::Fitness,
        role::Role,
        step::StepSize,
        storage::StorageLimits,
    },
    units::Energy,
};
use microgrid_sim::{
    analysis::{
        equilibrium::{Equilibrium, balances_at, closed_form},
        peer_to_grid::peer_to_grid,
        reference::{Iteration, Market},
        slot::{SlotMarket, slot_facts, slot_terms},
    },
    scenario::{
        Case, Custom,
        population::{Member, Population, SlotProfile},
        schema::Scenario,
        tariffs::Tariffs,
    },
};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const SLOTS: Slot = 24;

/// A whole unit of 1e-6 kWh, and the tolerance of the reference values.
const UNIT: f64 = 1.001e-6;

fn expected() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/5_prosumers_expected.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(file: &str) -> Vec<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/data").join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn population() -> Population {
    let mut profiles: BTreeMap<u32, Vec<SlotProfile>> = BTreeMap::new();
    for row in rows("5_prosumers.csv") {
        let [number, _slot, pv, load, preference_pv, preference_grid] = row[..] else { panic!("six columns") };
        let [generation, load] = [pv, load].map(Energy::nearest);
        let profile = SlotProfile { generation, load, preference_pv, preference_grid };
        profiles.entry(number as u32).or_default().push(profile);
    }
    let prosumers = profiles.into_iter().map(|(number, profile)| Member::new(number, profile)).collect();
    Population { prosumers }
}

fn case(mu: f64) -> Case {
    let scenario = r#"#![enable(implicit_some)]
    (
        name: "5_prosumers",
        seed: 2023,
        market: (slots: 24, slot_length: "1h", open: (8, 20), gate_closure: "55min", feed_in_tariff: Constant(0.45),
                 grid_tariff: Csv("data/tariff.csv"), service_fee: 0.0),
        population: Profiles("data/5_prosumers.csv"),
        preferences: (alpha: 0.4, eta: 0.2, mu: 1.0, demand: Elastic),
        storage: None,
        learning: (fitness: Public, replicator_step: Scaled(0.3), price_step: Scaled(0.5), ramp: 0.1,
                   tolerance: 1e-7, patience: 3, initial_price: Random, initial_choice: Random, adaptation: None),
        activation: LockStep(period: "1s"),
        network: (delay: Constant("10ms"), loss: 0.0),
        ledger: (block: (max_transactions: 500, timeout: "50ms")),
        vary: {},
        replicates: 1,
    )"#;
    let mut scenario: Scenario = ron::from_str(scenario).unwrap();
    scenario.preferences.mu = mu;
    Case {
        custom: Custom::default(),
        number: 1,
        knobs: Vec::new(),
        seed: scenario.seed,
        scenario: scenario.into(),
        population: population().into(),
        tariffs: Arc::new(Tariffs {
            grid: rows("tariff.csv").iter().map(|row| row[1]).collect(),
            feed_in: [0.45; SLOTS as usize].into(),
            imbalance: None,
            groups: IndexMap::new(),
            co2: None,
        }),
        open: OpenSlots::span(8, 20),
        dates: None,
    }
}

fn market_of(facts: &[SlotFacts]) -> (Vec<Buyer>, Vec<f64>) {
    let buyers = facts.iter().filter(|facts| facts.role() == Role::Buyer).map(|facts| Buyer {
        need: facts.need().value(),
        generation: facts.generation.value(),
        preference: facts.preference_pv,
    });
    let sellers = facts.iter().filter(|facts| facts.role() == Role::Seller);
    (buyers.collect(), sellers.map(|facts| facts.surplus().value()).collect())
}

fn band(case: &Case, slot: Slot) -> PriceBand {
    let terms = slot_terms(case, slot);
    PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff }
}

fn equilibrium(case: &Case, slot: Slot) -> Option<Equilibrium> {
    let (buyers, surplus) = market_of(&slot_facts(case, slot));
    let preferences = &case.scenario.preferences;
    let open = case.open.contains(slot);
    open.then(|| closed_form(&buyers, &surplus, band(case, slot), preferences.alpha, preferences.demand)).flatten()
}

/// Compares one quantity of all prosumers with its reference.
fn assert_close(found: impl Iterator<Item = f64>, expected: &Value, tolerance: f64, what: &str) {
    let (found, expected): (Vec<_>, _) = (found.collect(), numbers(expected));
    assert_eq!(found.len(), expected.len());
    let close = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= tolerance);
    assert!(close, "{what}: {found:?} is not {expected:?}");
}

/// Compares all prosumers' slot with its reference.
fn assert_balances(found: &[Balance], expected: &Value, tolerance: f64, what: &str) {
    let assert_energy = |name: &str, energy: fn(&Balance) -> Energy| {
        let found = found.iter().map(|balance| energy(balance).value());
        assert_close(found, &expected[name], tolerance, &format!("{what}, {name}"));
    };
    assert_energy("grid_import", |balance| balance.grid_import);
    assert_energy("feed_in", |balance| balance.grid_export);
    assert_energy("charge", |balance| balance.charged);
    assert_energy("discharge", |balance| balance.discharged);
    assert_energy("soc", |balance| balance.content);
    assert_close(found.iter().map(|b| b.welfare), &expected["welfare"], tolerance, &format!("{what}, welfare"));
}

/// Plays the day at the closed-form equilibrium and holds every slot against its reference.
fn assert_day(reference: &str, mu: f64, storage: Option<StorageLimits>, tolerance: f64) {
    let case = case(mu);
    let mut contents = vec![Energy::ZERO; 5];
    let mut welfare = 0.0;
    let expected = expected();
    for slot in 1..=SLOTS {
        let what = format!("{reference}, slot {slot}");
        let expected = &expected["slots"][reference][slot as usize - 1];
        let facts = slot_facts(&case, slot);
        let equilibrium = equilibrium(&case, slot);
        assert_eq!(equilibrium.is_some(), expected["price"].is_number(), "{what}");
        if let Some(equilibrium) = &equilibrium {
            assert!((equilibrium.price - expected["price"].as_f64().unwrap()).abs() < 1e-9, "{what}");
            let mut bought = equilibrium.purchases.iter();
            let mut sold = equilibrium.sold.iter();
            let of = |role, amounts: &mut std::slice::Iter<'_, f64>| -> Vec<f64> {
                facts.iter().map(|f| if f.role() == role { *amounts.next().unwrap() } else { 0.0 }).collect()
            };
            assert_close(of(Role::Buyer, &mut bought).into_iter(), &expected["bought"], 2e-9, &what);
            assert_close(of(Role::Seller, &mut sold).into_iter(), &expected["sold"], 2e-9, &what);
        }
        let terms = slot_terms(&case, slot);
        let market = SlotMarket::of_all(&facts, terms);
        let at = equilibrium.as_ref().map(|equilibrium| (&market, equilibrium));
        let balances = balances_at(at, &facts, &contents, facts.iter().map(|_| (terms, storage)));
        assert_balances(&balances, expected, tolerance, &what);
        contents = balances.iter().map(|balance| balance.content).collect();
        if (8..=20).contains(&slot) {
            welfare += balances.iter().map(|balance| balance.welfare).sum::<f64>();
        }
    }
    let total = expected["total_welfare_slots_8_to_20"][reference].as_f64().unwrap();
    assert!((welfare - total).abs() < 65.0 * tolerance, "{reference}: {welfare} is not {total}");
}

#[test]
fn the_closed_form_gives_the_day_without_a_ledger() {
    assert_day("p2p_mu0", 0.0, None, UNIT);
}

#[test]
fn the_closed_form_gives_the_day_with_everybody_on_the_ledger() {
    assert_day("p2p_mu1", 1.0, None, UNIT);
}

#[test]
fn the_closed_form_gives_the_days_with_storage() {
    let storage = StorageLimits { capacity: 10.0, power: 5.0, efficiency: 0.95 };
    // Contents carry the rounding of all slots before.
    assert_day("p2p_mu0_storage", 0.0, Some(storage), 10.0 * UNIT);
    assert_day("p2p_mu1_storage", 1.0, Some(storage), 10.0 * UNIT);
}

#[test]
fn the_baseline_is_the_day_with_the_grid_alone() {
    let case = case(1.0);
    for slot in 1..=SLOTS {
        let expected = &expected()["slots"]["p2g"][slot as usize - 1];
        assert_balances(&peer_to_grid(&case, slot, None), expected, UNIT, &format!("slot {slot}"));
    }
}

#[test]
fn the_plain_iteration_gives_the_published_rounds_of_slot_17() {
    let expected = &expected()["slot_17_iteration"];
    let number = |name: &str| expected[name].as_f64().unwrap();
    let case = case(number("mu"));
    let (buyers, surplus) = market_of(&slot_facts(&case, 17));
    let market = Market {
        known: None,
        buyers: &buyers,
        surplus: &surplus,
        band: band(&case, 17),
        local_fee: 0.0,
        alpha: case.scenario.preferences.alpha,
        demand: Demand::Elastic,
        fitness: Fitness::Public,
        replicator_step: StepSize::Fixed(number("a")),
        price_step: StepSize::Fixed(number("b")),
        ramp: number("ramp"),
    };
    let first_choice = numbers(&expected["initial_share"]);
    let mut iteration = Iteration::new(market, &numbers(&expected["initial_price"]), &first_choice);
    let mut played = 0;
    for expected in expected["rounds"].as_array().unwrap() {
        let what = format!("round {}", expected["round"]);
        let number = expected["round"].as_u64().unwrap();
        iteration.by_ref().take(number as usize - 1 - played).for_each(drop);
        played = number as usize;
        for buyer in 0..buyers.len() {
            assert_close(iteration.shares(buyer).iter().copied(), &expected["share"], 1e-9, &what);
        }
        let round = iteration.next().unwrap();
        let sums = &round.aggregate;
        assert_close(round.prices.iter().copied(), &expected["price"], 1e-9, &what);
        assert_close(sums.mean_share.iter().copied(), &expected["share"], 1e-9, &what);
        assert_close(sums.demand.iter().copied(), &expected["demand_kwh"], 1e-9, &what);
        let net_utility = sums.net_utility.iter().map(|xi| xi - sums.constant);
        assert_close(net_utility, &expected["net_utility_without_constant"], 1e-9, &what);
    }
}
