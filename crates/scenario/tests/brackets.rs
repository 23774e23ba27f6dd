//! RON as `ron` writes it, in full brackets, and as people write it, in short ones: both mean the same.

use microgrid_scenario::{Draft, Overrides, load, schema::Scenario};
use ron::{extensions::Extensions, ser::PrettyConfig};
use std::{fs, path::Path};

/// All that may be left out is given, by every variant that holds a struct or is called `None`.
const FULL: &str = r#"(name: "full", population: Synthetic(count: 20), report: (slot: 17),
    storage: (capacity_kwh: 10, power_kw: 5),
    learning: (fitness: Private, mixing: Informed(first: 0.1, halved_every: 10), mix: [
        (share: 0.2, behaviour: Imitation, fitness: Public, replicator_step: Fixed(0.1), price_step: Scaled(0.2),
            exploration: 0.1, adaptation: None, mixing: None, regrowth: 2.0),
        (share: 0.2, adaptation: Predictive, mixing: Informed(first: 0.1, halved_every: 10)),
    ]),
    network: (groups: {"far \"out\"": Share(0.2), "near": Prosumers([1, 2])},
        links: [(from: Group("near"), to: Ledger, delay: Uniform(min: "1ms", max: "1s"), jitter: 0.1, loss: 0.05, duplication: 0.1)],
        conditions: [(at: "1h", lasting: "1min", every: "1h", what: Crash(who: Group("near"), memory: Lost)),
            (at: "2h", lasting: "1min", what: Link(from: Grid, to: Ledger, delay: Constant("5ms")))]),
    ledger: (posts: Last), clock: Wall(speed: 60), replicates: [1, 2],
    vary: {"mu": [0, 0.5], "delay": ["10ms", Uniform(min: "1ms", max: "1s")], "storage": [None, (capacity_kwh: 5, power_kw: 1)]})"#;

fn read(text: &str) -> Scenario {
    let draft = Draft::ron(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    draft.plan().unwrap_or_else(|error| panic!("{error}\n{text}")).scenario
}

/// The same scenario in all the ways in which `ron` may write it.
fn written(scenario: &Scenario) -> Vec<String> {
    let short = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let configs = [
        PrettyConfig::new(),
        PrettyConfig::new().struct_names(true),
        PrettyConfig::new().compact_structs(true).compact_arrays(true).compact_maps(true),
        PrettyConfig::new().enumerate_arrays(true).separate_tuple_members(true).depth_limit(2),
        PrettyConfig::new().number_suffixes(true).escape_strings(false),
        PrettyConfig::new().extensions(Extensions::IMPLICIT_SOME),
        PrettyConfig::new().extensions(Extensions::UNWRAP_VARIANT_NEWTYPES),
        PrettyConfig::new().extensions(Extensions::UNWRAP_NEWTYPES).new_line("\r\n"),
        PrettyConfig::new().extensions(short),
        PrettyConfig::new().extensions(short | Extensions::EXPLICIT_STRUCT_NAMES).struct_names(true),
    ];
    let pretty = configs.into_iter().map(|config| ron::ser::to_string_pretty(scenario, config).unwrap());
    pretty.chain([ron::to_string(scenario).unwrap()]).collect()
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)
        } else {
            let _ = fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn every_scenario_reads_back_however_ron_writes_it() {
    let full = read(FULL);
    for text in written(&full) {
        assert_eq!(read(&text), full, "{text}");
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let folder = tempfile::tempdir().unwrap();
    copy(&shipped.join("data"), &folder.path().join("data"));
    let mut tried = 0;
    for file in fs::read_dir(&shipped).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let scenario = load(&file, &Overrides::default()).unwrap().scenario;
        for text in written(&scenario) {
            let copy = folder.path().join("copy.ron");
            fs::write(&copy, &text).unwrap();
            let again = load(&copy, &Overrides::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again.scenario, scenario, "{text}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn full_and_short_brackets_may_be_mixed() {
    let full = read(FULL);
    for (short, long) in [
        ("Synthetic(count: 20)", "Synthetic((count: 20))"),
        ("Synthetic(count: 20)", "Synthetic ( Synthetic /* so is it */ ( count: 20, ), )"),
        ("slot: 17", "slot: Some(17)"),
        ("storage: (capacity_kwh: 10, power_kw: 5)", "storage: Some((capacity_kwh: 10, power_kw: 5))"),
        ("storage: (capacity_kwh: 10, power_kw: 5)", "storage: Some(capacity_kwh: 10, power_kw: 5)"),
        ("storage: (capacity_kwh: 10, power_kw: 5)", "storage: Some(Storage(capacity_kwh: 10, power_kw: 5))"),
        ("storage: (capacity_kwh: 10, power_kw: 5)", "storage: Storage(capacity_kwh: 10, power_kw: 5)"),
        ("fitness: Private", "fitness: Some(Private)"),
        ("adaptation: None", "adaptation: Some(None)"),
        ("adaptation: None", "adaptation: Some(r#None)"),
        ("adaptation: None", "adaptation: r#None"),
        ("adaptation: Predictive", "adaptation: Some(Predictive)"),
        ("mixing: Informed(first: 0.1, halved_every: 10)", "mixing: Informed(halved_every: 10.0, first: 0.1,)"),
        ("(share: 0.2, adaptation: Predictive", "Habit(share: 0.2, adaptation: Predictive"),
        (
            "delay: Uniform(min: \"1ms\", max: \"1s\"), jitter",
            "delay: Some(Uniform(min: \"1ms\", max: \"1s\")), jitter",
        ),
        ("Link(from: Grid, to: Ledger, delay: ", "Link((from: Grid, to: Ledger, delay: Some("),
        ("lasting: \"1min\", every", "lasting: Some(\"1min\"), every"),
        ("posts: Last", "posts: Some(Last)"),
    ] {
        // What opens another bracket closes it too.
        let closed = if long.ends_with("Some(") { FULL.replace("\"5ms\"))", "\"5ms\"))))") } else { FULL.to_owned() };
        let text = closed.replacen(short, long, 1);
        assert_ne!(text, FULL, "{short}");
        assert_eq!(read(&text), full, "{text}");
    }
}

#[test]
fn values_that_are_set_or_varied_may_have_either_brackets_too() {
    let plan = |text: &str, set: &str| {
        let mut draft = Draft::ron(text).unwrap();
        draft.overrides(&Overrides { seed: None, set: vec![set.to_owned()] }).unwrap();
        draft.plan().unwrap_or_else(|error| panic!("{error}")).scenario
    };
    for (short, others) in [
        (
            "storage=(capacity_kwh: 10, power_kw: 5)",
            &["storage=Some((capacity_kwh: 10, power_kw: 5))", "storage=Some (capacity_kwh: 10, power_kw: 5)"][..],
        ),
        (
            "population=Synthetic(count: 7)",
            &["population=Synthetic((count: 7))", "population=Synthetic(Synthetic(count: 7))"],
        ),
        ("population.count=7", &["population.Synthetic.count=7", "population=Synthetic((count: 7))"]),
        ("report.slot=5", &["report.slot=Some(5)"]),
        ("learning.mix[0].adaptation=None", &["learning.mix[0].adaptation=Some(None)"]),
        ("learning.mix[0].mixing=None", &["learning.mix[0].mixing=Some(r#None)"]),
        (
            "network.links[0].delay=1s",
            &["network.links[0].delay=Some(Constant(\"1s\"))", "network.links[0].delay=Constant(\"1s\")"],
        ),
        (
            "network.conditions[1].what=Link(from: Grid, to: Ledger, loss: 0.5)",
            &["network.conditions[1].what=Link((from: Grid, to: Ledger, loss: Some(0.5)))"],
        ),
        ("network.groups={\"near\": Prosumers([1, 2])}", &["network.groups={\"near\":Prosumers([1,2,],),}"]),
    ] {
        for other in others {
            assert_eq!(plan(FULL, short), plan(FULL, other), "{other}");
        }
    }
    let varied = |values: &str| {
        let text = format!("(name: \"x\", population: Synthetic(count: 5), vary: {{{values}}})");
        let plan = Draft::ron(&text).unwrap().plan().unwrap_or_else(|error| panic!("{error}"));
        plan.cases().map(|case| (*case.scenario).clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        varied(r#""storage": [None, (capacity_kwh: 5, power_kw: 1)], "population": [Synthetic(count: 3)]"#),
        varied(r#""storage": [None, Some((capacity_kwh: 5, power_kw: 1))], "population": [Synthetic((count: 3))]"#),
    );
}

#[test]
fn a_mistake_within_full_brackets_has_its_place() {
    for (text, said, place) in [
        ("storage: Some((capacity_kwh: 10, power_kw: -5))", "storage.power_kw: not allowed", "-5)"),
        ("storage: Some(Storage(capacity_kwh: 10, power: 5))", "there is no field `power`", "power:"),
        ("storage: Some((capacity_kwh: 10))", "the field `power_kw` is missing", "Some"),
        ("storage: Some(5)", "storage: expected Storage(...)", "Some"),
        (
            "network: (links: [(from: Grid, to: Ledger, loss: Some(1.5))])",
            "network.links[0].loss: not allowed",
            "Some(1",
        ),
    ] {
        let text = format!("(name: \"x\", population: Synthetic((count: 5)), {text})");
        let error = Draft::ron(&text).and_then(Draft::plan).unwrap_err().to_string();
        let column = text.rfind(place).unwrap() + 1;
        assert!(error.contains(said) && error.contains(&format!(":1:{column}\n")), "{error}");
    }
}
