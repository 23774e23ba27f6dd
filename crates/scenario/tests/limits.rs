//! Whatever a file is or holds, reading it takes no more time and memory than its size allows, and ends in words.

use microgrid_scenario::{Draft, Overrides, load};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

fn said(text: &str) -> String {
    match Draft::ron(text).and_then(Draft::plan) {
        Ok(_) => panic!("this is fine: {text:.300}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn brackets_may_be_nested_as_deeply_as_anybody_likes() {
    let with = |field: &str| format!("(name: \"x\", population: Synthetic(count: 5), {field})");
    for depth in [127, 20_000] {
        let nested = |open: &str, close: &str| open.repeat(depth) + &close.repeat(depth);
        for text in [
            nested("(", ""),
            nested("{", ""),
            nested("a: (", ""),
            with(&nested("zzz: [", "]")),
            with(&format!("learning: (mix: {})", nested("[", "]"))),
            with(&format!("learning: (mix: [(share: {})])", nested("(", ")"))),
            with(&format!("storage: {}", nested("Some(", ")"))),
            with(&format!("storage: {}", nested("Some((", "))"))),
            with(&format!("population: {}", nested("Synthetic(", ")"))),
            with(&format!("vary: {{\"mu\": [{}]}}", nested("(", ")"))),
            with(&format!("vary: {{\"mu\": [{}]}}", nested("{1: ", "}"))),
            with(&format!("vary: {{\"mu\": [{}]}}", nested("[(", ""))),
            with(&format!("vary: {{\"storage\": [{}]}}", nested("Some(", ")"))),
            with(&nested("/*", "")),
            format!("#![enable{}]{}", nested("(", ")"), with("")),
        ] {
            let error = said(&text);
            assert!(error.contains(" --> ") && error.len() < 10_000, "{error}");
        }
        for set in ["mu", "storage", "learning.mix", "population", "activation", "network.groups", "network"] {
            for (open, close) in [("(", ")"), ("[", ""), ("Some(", ")"), ("{\"a\": ", "}"), ("Synthetic(", ")")] {
                let mut draft = Draft::ron(&with("")).unwrap();
                let set = vec![format!("{set}={}", nested(open, close))];
                let error = draft.overrides(&Overrides { seed: None, set }).and_then(|()| draft.plan()).err();
                assert!(error.is_some_and(|error| error.to_string().len() < 10_000), "{open}");
            }
        }
    }
    assert!(
        said(&with(&format!("zzz: 1, vary: {{\"mu\": [{}{}]}}", "[".repeat(200), "]".repeat(200)))).contains("zzz")
    );
    let deep = said(&with(&format!("vary: {{\"mu\": [{}{}]}}", "[".repeat(200), "]".repeat(200))));
    assert!(deep.starts_with("error: vary.mu[0]: brackets are nested too deeply\n --> "), "{deep}");
}

#[test]
fn long_lines_are_shown_in_part() {
    let long = "a".repeat(500_000);
    for text in [
        format!("({long}: 1)"),
        format!("(name: {long})"),
        format!("(name: \"{long}\", population: Synthetic(count: 5))"),
        format!("(zzz: 1{long}"),
        format!("(name: \"x\", population: Synthetic(count: 5), vary: {{\"{long}\": [1]}})"),
        format!("(name: \"x\", population: Synthetic(count: 5), report: (slot: [{}]))", "1,".repeat(500_000)),
    ] {
        let error = said(&text);
        assert!(error.contains(" --> ") && error.len() < 10_000, "{} bytes", error.len());
    }
}

fn refused(path: &Path) -> String {
    let error = load(path, &Overrides::default()).unwrap_err().to_string();
    error.lines().next().unwrap_or_default().replace(&path.display().to_string(), "FILE")
}

#[test]
fn only_files_are_read_and_no_larger_ones_than_can_be_borne() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert_eq!(refused(folder.path()), "error: cannot read FILE: it is a folder");
    let sized = |name: &str, size: u64| {
        File::create(path(name)).unwrap().set_len(size).unwrap();
        path(name)
    };
    assert_eq!(
        refused(&sized("large.ron", 1 << 40)),
        "error: cannot read FILE: it has 1099511627776 bytes or more, and no more than 16777216 are read of such a file"
    );
    let zeros = refused(&sized("zeros.ron", 1 << 24));
    assert_eq!(zeros, "error: the file has a NUL, which no text has");
    let of_data = |name: &str| {
        let text = format!("(name: \"x\", population: Profiles(\"{name}\"))");
        fs::write(path("x.ron"), text).unwrap();
        refused(&path("x.ron"))
    };
    sized("large.csv", (2 << 30) + 1);
    assert!(of_data("large.csv").starts_with("error: population.Profiles: cannot be read: it has 2147483649 bytes"));
    assert_eq!(of_data("."), "error: population.Profiles: cannot be read: it is a folder");
    if cfg!(unix) {
        let special = "it is a device, a pipe or a socket, not a file";
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        for file in [path("pipe"), path("link"), "/dev/zero".into(), "/dev/null".into()] {
            assert_eq!(refused(&file), format!("error: cannot read FILE: {special}"));
            let data = of_data(&file.display().to_string());
            assert_eq!(data, format!("error: population.Profiles: cannot be read: {special}"));
        }
        // A link to a file is as good as the file.
        fs::write(path("x.ron"), "(name: \"x\", population: Synthetic(count: 5))").unwrap();
        std::os::unix::fs::symlink(path("x.ron"), path("good.ron")).unwrap();
        assert!(load(&path("good.ron"), &Overrides::default()).is_ok());
    }
}

#[test]
fn products_are_bounded_and_a_million_prosumers_are_not_too_many() {
    let with = |count: u64, fields: &str| format!("(name: \"x\", population: Synthetic(count: {count}), {fields})");
    let count = "error: population.Synthetic.count: ";
    assert!(said(&with(10_000_000_000, "")).starts_with(&format!("{count}expected a whole number")));
    assert!(said(&with(1_000_001, "")).starts_with(&format!("{count}not allowed\n")));
    let large = said(&with(1_000_000, "market: (slots: 101)"));
    assert!(large.starts_with(&format!("{count}not allowed\n")), "{large}");
    assert!(large.contains("allowed: at most 990099 with 101 slots, or fewer of these"), "{large}");
    assert!(Draft::ron(&with(1_000_000, "")).unwrap().plan().is_ok());
    let varied = said(&with(10, "market: (slots: 100000), vary: {\"population\": [1000, 1001]}"));
    assert!(varied.starts_with("error: vary.population[1]: not allowed"), "{varied}");
    for (fields, path) in [
        ("market: (slots: 18446744073709551615)", "market.slots"),
        ("market: (slots: 100001)", "market.slots"),
        ("replicates: 1000000000", "replicates"),
        ("replicates: 18446744073709551615", "replicates"),
        ("learning: (patience: 4294967296)", "learning.patience"),
    ] {
        assert!(said(&with(5, fields)).starts_with(&format!("error: {path}: ")), "{fields}");
    }
    let mut draft = Draft::ron(&with(5, "")).unwrap();
    draft.overrides(&Overrides { seed: None, set: vec!["replicates=4294967296".to_owned()] }).unwrap();
    let set = draft.plan().unwrap_err().to_string();
    assert!(set.starts_with("error: --set replicates: too many: at most"), "{set}");
    let values: Vec<String> = (1..=1000).map(|n| format!("{}", f64::from(n) / 1e4)).collect();
    let knobs = "mu eta alpha loss jitter duplication exploration price_step replicator_step ramp".split(' ');
    let vary: Vec<String> = knobs.map(|knob| format!("\"{knob}\": [{}]", values.join(","))).collect();
    let cases = said(&with(5, &format!("vary: {{{}}}", vary.join(", "))));
    assert!(cases.contains("found 1000000000000000000000000000000 cases"), "{cases}");
}

#[test]
fn profiles_take_no_more_room_than_their_rows() {
    // As vectors of all slots these would be 80 GB.
    let rows: String = (1..=20_000).map(|n| format!("{n},100000,1,1,2,1.5\n")).collect();
    let text = r#"(name: "x", population: Profiles("p.csv"), market: (slots: 100000))"#;
    let mut draft = Draft::ron(text).unwrap();
    draft.give("p.csv", &format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n{rows}"));
    let error = draft.plan().unwrap_err().to_string();
    assert!(error.starts_with("error: prosumer: prosumer 1 has no row for slot 1\n --> p.csv:2:1\n"), "{error}");
}

#[test]
fn nothing_has_a_key_twice() {
    let with = |fields: &str| format!("(name: \"x\", population: Synthetic(count: 5), {fields})");
    for (fields, said_of, second) in [
        (r#"vary: {"mu": [0], "eta": [0], "m\u{75}": [1]}"#, "vary.mu: given twice", r#""m\u"#),
        (r##"vary: {"mu": [0], r#"mu"#: [1]}"##, "vary.mu: given twice", "r#"),
        (r#"network: (groups: {"a": Share(0.1), r"a": Share(0.2)})"#, "network.groups.a: given twice", "r\""),
        (
            r#"vary: {"network": [(), (groups: {"a": Share(0.1), "a": Share(0.2)})]}"#,
            "vary.network[1].groups.a: given twice",
            "\"a\": Share(0.2)",
        ),
        ("seed: 1, r#seed: 2", "the field `seed` is given twice", "seed: 2"),
        ("learning: (mix: [(share: 0.1, share: 0.2)])", "the field `share` is given twice", "share: 0.2"),
        ("storage: Some((power_kw: 1, capacity_kwh: 1, power_kw: 2))", "`power_kw` is given twice", "power_kw: 2"),
        ("network: (groups: {\"a\": Prosumers([1, 2, 1])})", "Prosumers[2]: is there twice", "1])"),
        ("vary: {\"mu\": [0], \"preferences.mu\": [1]}", "sets again", "\"preferences"),
    ] {
        let text = with(fields);
        let error = said(&text);
        let column = text.rfind(second).unwrap() + 1;
        assert!(error.contains(said_of) && error.contains(&format!(":1:{column}\n")), "{error}");
    }
    for (set, said_of) in [
        (r#"network=(groups: {"a": Share(0.1), "a": Share(0.2)})"#, "groups.a: given twice"),
        (r#"network.groups={"a": Share(0.1), "\u{61}": Share(0.2)}"#, "a: given twice"),
        ("network.groups.a=Prosumers([3, 3])", "is there twice"),
        ("preferences=(mu: 0.1, mu: 0.2)", "mu: given twice"),
    ] {
        let mut draft = Draft::ron(&with("")).unwrap();
        draft.overrides(&Overrides { seed: None, set: vec![set.to_owned()] }).unwrap();
        let error = draft.plan().unwrap_err().to_string();
        assert!(error.contains(said_of), "{error}");
    }
}

/// What is said of a scenario with these fields, of which this is set.
fn warnings(fields: &str, set: &[&str]) -> Vec<String> {
    let mut draft = Draft::ron(&format!("(name: \"x\", population: Synthetic(count: 5),\n{fields})")).unwrap();
    draft.overrides(&Overrides { seed: None, set: set.iter().map(|&set| set.to_owned()).collect() }).unwrap();
    let plan = draft.plan().unwrap_or_else(|error| panic!("{error}"));
    plan.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn in_a_text_without_end_nothing_is_tried() {
    let said = |times| {
        let text = format!("learning.mix={}[(share: \"0.5\")]", "#![enable(implicit_some)]".repeat(times));
        let mut draft = Draft::ron("(name: \"x\", population: Synthetic(count: 5))").unwrap();
        draft.overrides(&Overrides { seed: None, set: vec![text] }).unwrap();
        draft.plan().unwrap_err().to_string()
    };
    assert!(said(1).contains(": write 0.5"), "{}", said(1));
    let long = said(10_000);
    assert!(long.contains("learning.mix[0].share: expected a number") && !long.contains(": write"), "{long}");
}

#[test]
fn what_the_mechanism_has_no_use_for_is_told_where_it_stands() {
    let first = |fields: &str, set: &[&str]| {
        let lines = |warning: &String| warning.lines().next().unwrap_or_default().to_owned();
        warnings(fields, set).iter().map(lines).collect::<Vec<_>>()
    };
    let told = |path: &str| vec![format!("warning: {path}: it changes nothing")];
    let (negotiated, game) = ("market: (mechanism: Negotiation(rho: 1))", "market: (mechanism: TwoLevelGame)");
    assert_eq!(
        warnings(&format!("{negotiated}, learning: (regrowth: 2)"), &[]),
        ["warning: learning.regrowth: it changes nothing
 --> a scenario made in code:2:64
  |
2 | market: (mechanism: Negotiation(rho: 1)), learning: (regrowth: 2))
  |                                                                ^ found 2.0
  |
  = note: the mechanism, Negotiation, has no use for it"]
    );
    for learning in ["", "adaptation: DelayAware", "tolerance: 1e-5, patience: 5", "price_step: Scaled(0.5)"] {
        assert_eq!(first(&format!("{negotiated}, learning: ({learning})"), &[]), [""; 0]);
    }
    assert_eq!(first(&format!("{game}, learning: (regrowth: 2)"), &[]), [""; 0]);
    let mixed = format!("{negotiated}, learning: (mix: [(share: 0.5, adaptation: DelayAware, behaviour: Imitation)])");
    assert_eq!(first(&mixed, &[]), told("learning.mix[0].behaviour"));
    assert_eq!(
        first(negotiated, &["price_step=0.3,0.4"]),
        [told("--set price_step"), told("--set price_step")].concat()
    );
    // Where it is for other cases, it is not in vain.
    let compared = "learning: (regrowth: 2), vary: {\"mechanism\": [TwoLevelGame, Negotiation()]}";
    assert_eq!(first(compared, &[]), [""; 0]);
}

#[test]
fn what_can_never_begin_is_told_where_it_stands() {
    let crash =
        |at: &str| format!("network: (conditions: [(at: \"{at}\", lasting: \"1min\", what: Crash(who: Ledger))])");
    assert_eq!(warnings(&crash("23h 59min"), &[]), [""; 0]);
    assert_eq!(
        warnings(&crash("24h"), &[]),
        ["warning: network.conditions[0].at: it never begins
 --> a scenario made in code:2:29
  |
2 | network: (conditions: [(at: \"24h\", lasting: \"1min\", what: Crash(who: Ledger))]))
  |                             ^^^^^ found 1day
  |
  = note: the run ends after 1day: market.slots is 24 of 1h"]
    );
    // Also where something else makes it so, or is varied.
    let first = |fields: &str, set: &[&str]| {
        let lines = |warning: &String| warning.lines().next().unwrap_or_default().to_owned();
        warnings(fields, set).iter().map(lines).collect::<Vec<_>>()
    };
    assert_eq!(
        first(&crash("2h"), &["market.slots=2", "market.open=(1, 2)"]),
        ["warning: network.conditions[0].at: it never begins"]
    );
    assert_eq!(first(&crash("30h"), &["network.conditions[0].at=1h"]), [""; 0]);
    assert_eq!(
        first(&crash("1h"), &["network.conditions.*.at=30h"]),
        ["warning: --set network.conditions.*.at: it never begins"]
    );
    assert_eq!(
        first(&crash("1h"), &["network.conditions[0].at=1h,2days"]),
        ["warning: --set network.conditions[0].at: it never begins"]
    );
    let varied = format!(
        "{}, vary: {{\"network.conditions[0].at\": [\"1h\", \"99h\"], \"lasting\": [\"1min\", \"2min\"]}}",
        crash("99h")
    );
    assert_eq!(first(&varied, &[]), ["warning: vary.network.conditions[0].at[1]: it never begins"]);
    for what in ["Partition(from: Ledger, to: Grid)", "Link(from: Ledger, to: Grid, loss: 0.5)"] {
        let fields = format!(
            "network: (conditions: [(at: \"0s\", lasting: \"1s\", what: {what}), (at: \"2d\", lasting: \"1s\", every: \"1h\", what: {what})])"
        );
        assert_eq!(first(&fields, &[]), ["warning: network.conditions[1].at: it never begins"]);
    }
    let auction = |every: &str| format!("market: (mechanism: UniformPriceAuction(every: \"{every}\"))");
    assert_eq!(first(&auction("55min"), &[]), [""; 0]);
    let rare = "nothing is cleared before the gate closes";
    let path = "market.mechanism.UniformPriceAuction.every";
    assert_eq!(first(&auction("1h"), &[]), [format!("warning: {path}: {rare}")]);
    assert_eq!(first(&auction("1s"), &["every=10s,1h"]), [format!("warning: --set every: {rare}")]);
    // Not all of any number.
    let many = (1..1000).map(|n| format!("\"{n}d\"")).collect::<Vec<_>>().join(",");
    let fields = format!("{}, vary: {{\"network.conditions[0].at\": [{many}]}}", crash("99h"));
    assert_eq!(first(&fields, &[]).len(), 10);
    for (fields, set) in [
        ("activation: Poisson(period: \"1h\")", &[][..]),
        ("market: (gate_closure: \"500ms\")", &[]),
        ("", &["period=1h"]),
        ("", &["period=1s,1h"]),
    ] {
        let warned = first(fields, set);
        assert!(matches!(&warned[..], [one] if one.ends_with("a game may end before anybody acts")), "{warned:?}");
    }
}

#[test]
fn a_huge_run_is_told_and_no_shipped_one_is_but_the_largest() {
    let huge = |fields: &str, set: &[&str]| warnings(fields, set).concat();
    assert_eq!(huge("", &["population=1000"]), "");
    assert_eq!(
        huge("record: Slots", &["population=1000000"]),
        "warning: the run is expected to be huge: participants act some 1.3 billion times
 |
 = note: fewer acts: fewer prosumers, open slots or cases, a longer period, an earlier gate closure"
    );
    for (set, part) in [
        (["population=1000", "market.slots=3000", "market.open=(1, 3000)"], "act some 309 million times"),
        (["population=10000", "choice_set=All", "mu=1"], "GB on disk"),
        (["period=1us", "mu=1", "eta=0"], "act some 469 million times"),
        (["population=2", "replicates=1000000", "record=Summary"], "act some 2.7 billion times"),
        (
            ["population=3000", "mechanism=ContinuousDoubleAuction", "bidding=ZeroIntelligence"],
            "act some 129 million times",
        ),
    ] {
        assert!(huge("", &set).contains(part), "{}", huge("", &set));
    }
    for mechanism in ["mechanism=MidMarketRate", "mechanism=UniformPriceAuction()"] {
        assert_eq!(huge("", &[mechanism, "population=1000000", "record=Slots"]), "", "everybody acts once a slot");
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for file in fs::read_dir(shipped).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let warned = load(&file, &Overrides::default()).unwrap().warnings;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert_eq!(!warned.is_empty(), name == "million_prosumers", "{name}: {warned:?}");
    }
}
