//! Good scenarios are read as written, with every default, and give the cases they describe.

use microgrid_agents::{
    market::{demand::Buyer, role::Role, step::StepSize, utility::photovoltaic_preference},
    units::Energy,
};
use microgrid_sim::scenario::{Case, LastPopulation, Overrides, Plan, ScenarioError, load, schema::*};
use std::{fs, path::Path, sync::Arc, time::Duration};

fn shipped(name: &str, set: &[&str]) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    load(&path, &overrides(None, set)).unwrap()
}

fn overrides(seed: Option<u64>, set: &[&str]) -> Overrides {
    Overrides { seed, set: set.iter().map(|&argument| argument.to_owned()).collect() }
}

/// A plan from the text of a scenario, in a folder with the shipped data.
fn plan(text: &str, seed: Option<u64>, set: &[&str]) -> Result<Plan, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/data");
    fs::create_dir(folder.path().join("data")).unwrap();
    for file in ["5_prosumers.csv", "tariff.csv"] {
        fs::copy(shipped.join(file), folder.path().join("data").join(file)).unwrap();
    }
    let path = folder.path().join("scenario.ron");
    fs::write(&path, text).unwrap();
    load(&path, &overrides(seed, set))
}

const DOCUMENTED: &str = r#"
    Scenario(
        name: "5_prosumers",
        seed: 2023,
        market: (slots: 24, slot_length: "1h", open: (8, 20), gate_closure: "55min", feed_in_tariff: 0.45,
                 grid_tariff: Csv("data/tariff.csv"), service_fee: 0.0),
        population: Profiles("data/5_prosumers.csv"),              // or Synthetic(count: 500, ...)
        preferences: (alpha: 0.4, eta: 0.2, mu: 1.0, demand: Elastic),
        storage: None,                   // or (capacity_kwh: 10.0, power_kw: 5.0, efficiency: 0.95, initial_kwh: 0.0)
        learning: (fitness: Public, replicator_step: Scaled(0.3), price_step: Scaled(0.5), ramp: 0.1,   // or Fixed(0.1)
                   tolerance: 1e-7, patience: 3, initial_price: Random, initial_choice: Random,        // or Fixed([0.6, 0.8, 0.5])
                   adaptation: None),                                                                   // HalveOnOscillation, DelayAware
        activation: LockStep(period: "1s"),      // sellers act at n T, buyers at (n + 1/2) T; or Independent(period: "1s", jitter: 0.2), Poisson(period: "1s")
        network: (delay: Constant("10ms"), loss: 0.0),   // or Uniform(min: "5ms", max: "2s"), Exponential(min:, mean:), LogNormal(min:, median:, sigma:)
        ledger: (block: (max_transactions: 500, timeout: "50ms")),   // signatures, posts, durability: with the ledger
        report: (slot: 17),                                        // the slot whose game figures show
        vary: {"mu": [0.0, 1.0]},                                  // one run per combination, same seed
        replicates: 1,
    )
"#;

#[test]
fn the_documented_example_is_the_shipped_study_and_says_only_what_holds_by_default() {
    let documented = plan(DOCUMENTED, None, &[]).unwrap().scenario;
    assert_eq!(documented, shipped("5_prosumers.ron", &[]).scenario);
    let brief = r#"(name: "5_prosumers", population: Profiles("data/5_prosumers.csv"),
        market: (grid_tariff: Csv("data/tariff.csv")), learning: (fitness: Public), report: (slot: 17),
        vary: {"mu": [0.0, 1.0]})"#;
    assert_eq!(documented, plan(brief, None, &[]).unwrap().scenario);
}

#[test]
fn every_form_of_a_field_reads() {
    let text = r#"#![enable(implicit_some)]
        Scenario(
            name: "forms", population: Synthetic(count: 4, pv_share: 1, pv_peak_kw: Constant(5), weather: Uniform(min: 0.2, max: 1),
                load_kw: Normal(mean: 1.0, std_dev: 0.3), preference_base: LogNormal(median: 0.5, sigma: 0)),
            market: (open: (1, 24), grid_tariff: Constant(0.45)),
            preferences: (demand: Firm),
            storage: Some(capacity_kwh: 10, power_kw: 5),
            learning: (fitness: Private, replicator_step: Fixed(0.1)),
            network: (delay: Constant("0s")),
            vary: {"replicator_step": [0.2, "Scaled(0.4)", Fixed(0.6)], "delay": ["1ms", Constant("2ms")]},
        )"#;
    let plan = plan(text, None, &[]).unwrap();
    assert_eq!(plan.scenario.storage.as_ref().unwrap().efficiency, 0.95);
    let steps: Vec<_> = plan.cases().step_by(2).map(|case| case.scenario.learning.replicator_step).collect();
    assert_eq!(steps, [StepSize::Fixed(0.2), StepSize::Scaled(0.4), StepSize::Fixed(0.6)]);
    let delays: Vec<_> = plan.cases().take(2).map(|case| case.scenario.network.delay).collect();
    assert_eq!(delays, [1, 2].map(|ms| microgrid_sim::network::Delay::Constant(Duration::from_millis(ms))));
}

#[test]
fn profiles_arrive_in_whole_units_and_tariffs_slot_by_slot() {
    let case = shipped("5_prosumers.ron", &[]).cases().next().unwrap();
    let numbers: Vec<_> = case.population.prosumers.iter().map(|member| member.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let fourth = case.population.prosumers[3].profile.slot(17);
    assert_eq!((fourth.generation, fourth.load), (Energy(1_320_000), Energy(3_320_000)));
    assert_eq!((fourth.preference_pv, fourth.preference_grid), (1.69, 1.6));
    assert_eq!((case.tariffs.grid[0], case.tariffs.grid[10], case.tariffs.grid[23]), (0.5, 1.05, 0.5));
}

#[test]
fn preferences_of_the_scenario_take_the_place_of_missing_columns() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "slot,prosumer,load_kwh,pv_kwh\n2,7,1,0.1234567\n1, 7, 0, 2\n\n").unwrap();
    let path = folder.path().join("scenario.ron");
    fs::write(
        &path,
        r#"(name: "x", population: Profiles("x.csv"), market: (slots: 2, open: (1, 2)),
            preferences: (preference_pv: 2.0, preference_grid: 1.5))"#,
    )
    .unwrap();
    let case = load(&path, &Overrides::default()).unwrap().cases().next().unwrap();
    let member = &case.population.prosumers[0];
    assert_eq!((member.number, member.profile.slot(1).generation), (7, Energy(2_000_000)));
    assert_eq!(member.profile.slot(2).generation, Energy(123_457));
    assert_eq!((member.profile.slot(2).preference_pv, member.profile.slot(2).preference_grid), (2.0, 1.5));
}

#[test]
fn there_is_one_case_per_combination_and_replicate_with_the_last_knob_fastest() {
    let text =
        r#"(name: "x", population: Synthetic(count: 3), vary: {"mu": [0, 1.0], "ramp": [0.1, 0.2]}, replicates: 2)"#;
    let plan = plan(text, Some(7), &[]).unwrap();
    let cases: Vec<_> = plan.cases().collect();
    assert_eq!(cases.len(), plan.case_count() as usize);
    let told = |case: &Case| {
        let knobs: Vec<_> = case.knobs.iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("{}: {} seed {}", case.number, knobs.join(" "), case.seed)
    };
    let told: Vec<_> = cases.iter().map(told).collect();
    let expected = [
        "1: mu 0 ramp 0.1 seed 7",
        "2: mu 0 ramp 0.1 seed 8",
        "3: mu 0 ramp 0.2 seed 7",
        "4: mu 0 ramp 0.2 seed 8",
        "5: mu 1.0 ramp 0.1 seed 7",
        "6: mu 1.0 ramp 0.1 seed 8",
        "7: mu 1.0 ramp 0.2 seed 7",
        "8: mu 1.0 ramp 0.2 seed 8",
    ];
    assert_eq!(told, expected);
    assert_eq!((cases[6].scenario.preferences.mu, cases[6].scenario.learning.ramp), (1.0, 0.2));
    assert_eq!(cases[0].population, cases[6].population);
    assert_ne!(cases[0].population, cases[1].population);
}

#[test]
fn replicates_are_a_count_or_a_list_of_seeds_and_read_back_as_they_were_written() {
    for (written, seeds, resolved) in [
        ("3", vec![7, 8, 9], "replicates: 3,"),
        ("[5, 1, 18446744073709551615]", vec![5, 1, u64::MAX], "replicates: [5, 1, "),
    ] {
        let text = format!(
            r#"(name: "x", seed: 7, population: Synthetic(count: 3), vary: {{"mu": [0, 1]}}, replicates: {written})"#
        );
        let first = plan(&text, None, &[]).unwrap();
        assert!(first.resolved_ron().contains(resolved), "{}", first.resolved_ron());
        let again = plan(&first.resolved_ron(), None, &[]).unwrap();
        for plan in [first, again] {
            assert_eq!(plan.case_count(), 6);
            let told: Vec<_> = plan.settings().map(|setting| (setting.knobs[0].1.clone(), setting.seed)).collect();
            let expected = ["0", "1"].into_iter().flat_map(|mu| seeds.iter().map(move |&seed| (mu.to_owned(), seed)));
            assert_eq!(told, expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_case_is_the_same_whether_it_is_asked_for_by_number_or_in_turn() {
    let plan = shipped("100_prosumers.ron", &["population=2,3", "seed=5,6"]);
    let drawn = LastPopulation::default();
    let cases: Vec<_> = plan.cases().collect();
    for case in cases.iter().rev() {
        let again = plan.case(case.number, &drawn);
        assert_eq!((again.number, again.seed, &again.knobs), (case.number, case.seed, &case.knobs));
        assert_eq!((&again.population, &again.scenario), (&case.population, &case.scenario));
    }
    assert_eq!(plan.population_sizes(), (2, 3));
    assert_eq!(shipped("5_prosumers.ron", &[]).population_sizes(), (5, 5));
}

#[test]
fn commas_within_brackets_and_quotes_are_part_of_a_value() {
    let set = [
        r#"activation=Independent(period: "2s", jitter: 0.2),Poisson(period: "1s")"#,
        r#"delay=Uniform(min: "5ms", max: "2s"), 10ms"#,
    ];
    let plan = shipped("5_prosumers.ron", &set);
    let knobs: Vec<_> = plan.settings().skip(4).map(|setting| setting.knobs).collect();
    let values: Vec<Vec<&str>> =
        knobs.iter().map(|knobs| knobs[1..].iter().map(|(_, value)| &**value).collect()).collect();
    let [independent, poisson] = [r#"Independent(period: "2s", jitter: 0.2)"#, r#"Poisson(period: "1s")"#];
    let uniform = r#"Uniform(min: "5ms", max: "2s")"#;
    assert_eq!(values, [[independent, uniform], [independent, "10ms"], [poisson, uniform], [poisson, "10ms"]]);
}

#[test]
fn cases_share_a_population_that_the_knobs_leave_alone() {
    for name in ["5_prosumers.ron", "100_prosumers.ron"] {
        let cases: Vec<_> = shipped(name, &[]).cases().collect();
        assert!(Arc::ptr_eq(&cases[0].population, &cases[1].population), "{name}");
    }
}

#[test]
fn the_command_line_sets_a_knob_or_varies_it() {
    let one = shipped("5_prosumers.ron", &["mu=0.5", "period=2s", "seed=1"]);
    assert_eq!((one.case_count(), one.scenario.preferences.mu, one.scenario.seed), (1, 0.5, 1));
    assert_eq!(one.scenario.activation, Activation::LockStep { period: Duration::from_secs(2) });
    assert!(one.scenario.vary.is_empty());

    let many = shipped("5_prosumers.ron", &["mu=0, 0.5, 1", "price_step=0.1,Fixed(0.2)", "block_timeout=1ms,1s"]);
    assert_eq!(many.case_count(), 12);
    let last = many.cases().last().unwrap();
    assert_eq!(last.scenario.learning.price_step, StepSize::Fixed(0.2));
    assert_eq!(last.scenario.ledger.block.timeout, Duration::from_secs(1));
    assert_eq!(last.knobs[2], ("block_timeout".to_owned(), "1s".to_owned()));
}

#[test]
fn paths_set_and_vary_what_knobs_do() {
    let by_knobs = shipped("5_prosumers.ron", &["mu=0,1", "delay=1ms,2ms", "period=2s"]);
    let set = ["preferences.mu=0,1", "network.delay=1ms,Constant(\"2ms\")", "activation.period=2s"];
    let by_paths = shipped("5_prosumers.ron", &set);
    assert!(by_paths.scenario.vary.keys().eq(["preferences.mu", "network.delay"]), "mu is not varied twice");
    for (one, other) in by_knobs.cases().zip(by_paths.cases()) {
        assert_eq!((one.scenario, one.seed), (other.scenario, other.seed));
    }
}

#[test]
fn what_is_set_together_has_to_be_allowed_together() {
    let set = ["market.feed_in_tariff=1.2", "market.grid_tariff=1.5"];
    assert!(shipped("100_prosumers.ron", &set).price_bands(1)[0].floor > 1.0);
    let text = r#"(name: "x", population: Synthetic(count: 3), vary: {"market.grid_tariff": [0.7, Constant(0.9)]})"#;
    let varied = plan(text, None, &["market.feed_in_tariff=0.6", "market.service_fee=0"]).unwrap();
    let tariffs: Vec<_> = varied.cases().map(|case| case.tariffs.grid[0]).collect();
    assert_eq!(tariffs, [0.7, 0.9]);
    let bands: Vec<_> = (1..=2).map(|case| varied.price_bands(case)[0].ceiling).collect();
    assert_eq!(bands, tariffs);
}

#[test]
fn cases_draw_the_population_that_their_paths_ask_for() {
    let plan = shipped("100_prosumers.ron", &["mu=1", "population.pv_share=0,1", "population=5"]);
    let cases: Vec<_> = plan.cases().collect();
    for (case, has_pv) in cases.iter().zip([false, true]) {
        let generates = |member: &microgrid_sim::scenario::population::Member| {
            member.profile.iter().any(|profile| profile.generation > Energy::ZERO)
        };
        assert!(case.population.prosumers.iter().all(|member| generates(member) == has_pv), "{:?}", case.knobs);
    }
    let text = r#"(name: "x", population: Profiles("x.csv"), market: (slots: 1, open: (1, 1)),
        preferences: (preference_pv: 2.0), vary: {"preferences.preference_pv": [1.5, 2.5]})"#;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "prosumer,slot,pv_kwh,load_kwh,preference_grid\n1,1,0,1,1.5\n").unwrap();
    fs::write(folder.path().join("x.ron"), text).unwrap();
    let plan = load(&folder.path().join("x.ron"), &Overrides::default()).unwrap();
    let preferences: Vec<_> =
        plan.cases().map(|case| case.population.prosumers[0].profile.slot(1).preference_pv).collect();
    assert_eq!(preferences, [1.5, 2.5]);
}

#[test]
fn a_resolved_scenario_gives_the_same_cases() {
    for (name, set) in [
        ("5_prosumers.ron", vec!["replicator_step=0.1,Fixed(0.2)", "delay=1ms,2500us"]),
        ("5_prosumers_storage.ron", vec!["eta=0.1"]),
        ("100_prosumers.ron", vec!["population=2,5", "seed=9"]),
        ("5_prosumers.ron", vec!["market.feed_in_tariff=0.2,0.3", "storage=None,(capacity_kwh: 10, power_kw: 5)"]),
        ("100_prosumers.ron", vec!["population.load_kw=Constant(1),2", "market.grid_tariff=0.7,0.8"]),
    ] {
        let original = shipped(name, &set);
        let resolved = original.resolved_ron();
        let again = plan(&resolved, None, &[]).unwrap();
        assert_eq!(again.resolved_ron(), resolved);
        assert_eq!(again.scenario, original.scenario, "{name}");
        for (one, other) in original.cases().zip(again.cases()) {
            assert_eq!((one.knobs, one.seed, one.scenario), (other.knobs, other.seed, other.scenario));
            assert_eq!((one.population, one.tariffs), (other.population, other.tariffs));
        }
    }
}

#[test]
fn a_resolved_scenario_has_every_default_and_reads_well() {
    insta::assert_snapshot!(shipped("100_prosumers.ron", &["mu=0,1"]).resolved_ron());
}

#[test]
fn inputs_are_the_data_files_beside_the_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let inputs = shipped("5_prosumers.ron", &[]).inputs;
    assert_eq!(inputs.iter().map(|input| &*input.name).collect::<Vec<_>>(), ["5_prosumers.csv", "tariff.csv"]);
    for input in inputs {
        assert_eq!(*input.text, fs::read_to_string(folder.join("data").join(input.name)).unwrap());
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n1,1,0,1,2,1.5\n";
    fs::write(folder.path().join("x.csv"), format!("\u{feff}{profiles}")).unwrap();
    let path = folder.path().join("scenario.ron");
    let text = r#"(name: "x", population: Profiles("x.csv"), market: (slots: 1, open: (1, 1)))"#;
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    let plan = load(&path, &Overrides::default()).unwrap();
    assert_eq!(*plan.inputs[0].text, *profiles);
}

#[test]
fn names_of_files_are_kept_in_a_resolved_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let name = "adaptation: r#None,.csv";
    fs::write(folder.path().join(name), "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n1,1,0,1,2,1.5\n")
        .unwrap();
    let path = folder.path().join("scenario.ron");
    fs::write(&path, format!("(name: \"x\", population: Profiles({name:?}), market: (slots: 1, open: (1, 1)))"))
        .unwrap();
    let resolved = load(&path, &Overrides::default()).unwrap().resolved_ron();
    assert!(resolved.contains(&format!("Profiles(\"data/{name}\")")), "{resolved}");
    assert!(resolved.contains("\n        adaptation: None,\n"), "{resolved}");
}

#[test]
fn settings_are_those_of_the_cases() {
    let plan = shipped("100_prosumers.ron", &["population=2,3", "seed=5,6"]);
    let told: Vec<_> = plan.settings().map(|setting| (setting.number, setting.knobs, setting.seed)).collect();
    assert_eq!(told, plan.cases().map(|case| (case.number, case.knobs, case.seed)).collect::<Vec<_>>());
}

#[test]
fn several_seeds_without_replicates_and_one_seed_with_replicates_are_allowed() {
    let text = |replicates| format!(r#"(name: "x", population: Synthetic(count: 3), replicates: {replicates})"#);
    for (replicates, set) in [(1, "seed=5,6"), (2, "seed=5")] {
        let plan = plan(&text(replicates), None, &[set]).unwrap();
        assert_eq!(plan.cases().map(|case| case.seed).collect::<Vec<_>>(), [5, 6]);
    }
}

#[test]
fn the_first_of_many_synthetic_prosumers_are_those_of_a_few() {
    let plan = shipped("100_prosumers.ron", &["population=10,50", "mu=1"]);
    let [few, many] = [0, 1].map(|n| plan.cases().nth(n).unwrap().population.prosumers.clone());
    assert_eq!((few.len(), many.len()), (10, 50));
    assert_eq!(few, many[..10]);
}

#[test]
fn synthetic_prosumers_keep_to_the_ranges() {
    let case = shipped("100_prosumers.ron", &["population=500"]).cases().next().unwrap();
    for profile in case.population.prosumers.iter().flat_map(|member| member.profile.iter()) {
        assert!((1.5..=4.5).contains(&profile.preference_pv));
        assert!((1.0..=4.0).contains(&profile.preference_grid) && profile.preference_grid <= profile.preference_pv);
        assert!(profile.load > Energy::ZERO && profile.generation >= Energy::ZERO);
    }
}

#[test]
fn no_synthetic_slot_exceeds_what_profiles_may_hold() {
    let text = r#"(name: "x", market: (slots: 6, slot_length: "1day", open: (1, 6)), population: Synthetic(count: 200, pv_share: 1,
        pv_peak_kw: LogNormal(median: 10000, sigma: 2), load_kw: LogNormal(median: 10000, sigma: 2),
        load_noise: LogNormal(median: 10000, sigma: 2)))"#;
    let case = plan(text, None, &[]).unwrap().cases().next().unwrap();
    let profiles = || case.population.prosumers.iter().flat_map(|member| member.profile.iter());
    for largest in [profiles().map(|profile| profile.generation).max(), profiles().map(|profile| profile.load).max()] {
        assert_eq!(largest, Some(Energy::nearest(10_000.0)));
    }
}

/// Demand of all buyers at a price less the supply of all sellers [kWh], with how many buy and sell.
fn excess(case: &Case, slot: usize, price: f64) -> (f64, usize, usize) {
    let preferences = &case.scenario.preferences;
    let (mut excess, mut buyers, mut sellers) = (0.0, 0, 0);
    for profile in case.population.prosumers.iter().map(|member| member.profile.slot(slot as u32)) {
        let (generation, need) = (profile.generation.value(), (profile.load - profile.generation).value());
        match Role::of(profile.generation, profile.load) {
            Role::Idle => {}
            Role::Seller => {
                sellers += 1;
                excess += need;
            }
            Role::Buyer => {
                buyers += 1;
                let preference = photovoltaic_preference(profile.preference_pv, preferences.eta, preferences.mu);
                let buyer = Buyer { need, generation, preference };
                excess += buyer.optimal_purchase(price, preferences.alpha, preferences.demand);
            }
        }
    }
    (excess, buyers, sellers)
}

#[test]
fn a_hundred_synthetic_prosumers_make_a_mixed_market_that_often_clears_between_the_tariffs() {
    for case in shipped("100_prosumers.ron", &[]).cases() {
        let (mut mixed, mut interior) = (0, 0);
        for slot in 8..=20 {
            let (at_floor, buyers, sellers) = excess(&case, slot, case.tariffs.feed_in[slot - 1]);
            let (at_ceiling, ..) = excess(&case, slot, case.tariffs.grid[slot - 1]);
            mixed += u32::from(buyers >= 10 && sellers >= 10);
            interior += u32::from(at_floor > 0.0 && at_ceiling < 0.0);
        }
        assert!(mixed == 13, "mu {}: {mixed} slots with both buyers and sellers", case.scenario.preferences.mu);
        assert!(interior >= 5, "mu {}: {interior} slots clear inside", case.scenario.preferences.mu);
    }
}

#[test]
fn who_does_not_adapt_among_those_who_do_stays_so_when_the_scenario_is_written_down() {
    let text = r#"Scenario(name: "mixed", population: Profiles("data/5_prosumers.csv"),
        learning: (adaptation: DelayAware, mix: [(share: 0.4, adaptation: None), (share: 0.2, exploration: 0.1)]))"#;
    let first = plan(text, None, &[]).unwrap();
    let given = |plan: &Plan| plan.scenario.learning.mix.iter().map(|habit| habit.adaptation).collect::<Vec<_>>();
    assert_eq!(given(&first), [Some(microgrid_agents::prosumer::Adaptation::None), None]);
    let again = plan(&first.resolved_ron(), None, &[]).unwrap();
    assert_eq!(again.scenario, first.scenario);
    assert_eq!(again.resolved_ron(), first.resolved_ron());
}
