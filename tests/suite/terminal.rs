//! What the command shows fits a terminal of 80 columns, in colours only where they are wanted, and tells runs apart.

use crate::support::{checkout, sim, stdout};
use std::{fs, path::Path, process::Command};

const WIDTH: usize = 80;

/// The lines that are too wide. Where a run lies is told in one line whatever its length.
fn too_wide(text: &str) -> Vec<&str> {
    let place = |line: &&str| ["results: ", "report: ", "A: ", "B: "].iter().any(|what| line.starts_with(what));
    text.lines().filter(|line| line.chars().count() > WIDTH && !place(line)).collect()
}

/// Runs a scenario and returns what it prints.
fn ran(folder: &Path, arguments: &str) -> String {
    stdout(&mut sim(folder, arguments))
}

/// The path of a run's folder.
fn run(folder: &Path, arguments: &str) -> String {
    ran(folder, &format!("{arguments} -q")).trim().to_owned()
}

#[test]
fn what_every_shipped_scenario_prints_fits_a_terminal() {
    let folder = checkout();
    let noon = "--set population=40 --set seed=2023";
    for (scenario, knobs) in [
        ("5_prosumers", ""),
        ("5_prosumers_storage", ""),
        ("eta_mu", ""),
        ("100_prosumers", noon),
        ("delay_100_prosumers", "--set population=10 --set delay=10ms,1s"),
        ("block_time", "--set block_timeout=50ms,2s"),
    ] {
        let file = format!("scenarios/{scenario}.ron");
        let printed = ran(folder.path(), &format!("{file} {knobs}"));
        assert!(too_wide(&printed).is_empty(), "{scenario}: {:#?}", too_wide(&printed));
        for slot in [12, 17] {
            let command = format!("show results/{scenario} --slot {slot}");
            let output = sim(folder.path(), &command).output().expect("the command runs");
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(too_wide(&shown).is_empty(), "{command}: {:#?}", too_wide(&shown));
        }
        let checked = ran(folder.path(), &format!("stability {file} --slot 17 {knobs}"));
        assert!(too_wide(&checked).is_empty(), "{scenario}: {:#?}", too_wide(&checked));
    }
    let listed = ran(folder.path(), "list");
    assert!(too_wide(&listed).is_empty() && listed.lines().count() > 6, "{listed}");
}

#[test]
fn many_knobs_and_large_numbers_fit_a_terminal_too() {
    let folder = checkout();
    let scenario = r#"Scenario(
        name: "a_scenario_of_a_name_that_is_as_long_as_it_can_be_without_being_unreadable",
        market: (slots: 2, slot_length: "1day", open: (1, 2)),
        population: Synthetic(count: 4, load_kw: Constant(400), pv_peak_kw: Constant(900)),
        vary: {
            "replicator_step": [Fixed(0.0001), Scaled(0.30000000000001)], "price_step": [0.5, 0.25],
            "delay": [LogNormal(min: "10ms", median: "1s 250ms", sigma: 0.123456)], "jitter": [0.123456789],
            "activation": [Independent(period: "10s", jitter: 0.2)], "block_timeout": ["1s 500ms"],
        },
        replicates: 2,
    )"#;
    fs::write(folder.path().join("wide.ron"), scenario).expect("the scenario is written");
    let printed = ran(folder.path(), "wide.ron");
    assert!(too_wide(&printed).is_empty(), "{:#?}", too_wide(&printed));
    for value in ["Scaled(0.30000000000001)", "sigma: 0.123456", "0.123456789", "1s 500ms"] {
        assert!(printed.contains(value), "{value} is missing in\n{printed}");
    }
    let scenario = "results/a_scenario_of_a_name_that_is_as_long_as_it_can_be_without_being_unreadable";
    for command in [format!("show {scenario} --case 5"), format!("show {scenario} --slot 1 --case 5")] {
        let shown = ran(folder.path(), &command);
        assert!(too_wide(&shown).is_empty(), "{command}: {:#?}", too_wide(&shown));
    }
}

#[test]
fn there_are_colours_only_where_they_are_wanted() {
    let folder = checkout();
    let run = run(folder.path(), "scenarios/5_prosumers.ron --set mu=1");
    let shown = |variables: &[(&str, &str)]| {
        let mut command = sim(folder.path(), &format!("show {run}"));
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        stdout(command.envs(variables.iter().copied()))
    };
    let plain = shown(&[]);
    assert!(plain.contains("Equilibrium") && !plain.contains('\x1b'), "nothing but text goes into a pipe");
    let coloured = shown(&[("CLICOLOR_FORCE", "1")]);
    assert!(coloured.contains("\x1b[38;5;2mEquilibrium"), "{coloured:?}");
    assert!(coloured.contains("\x1b[1m5_prosumers, mu = 1, case 1 of 1"), "{coloured:?}");
    assert_eq!(shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
}

#[cfg(unix)]
#[test]
fn a_terminal_has_colours_unless_it_is_asked_for_none() {
    let folder = checkout();
    let run = run(folder.path(), "scenarios/5_prosumers.ron --set mu=1");
    let on_a_terminal = |variable: &str| {
        let shown =
            format!("env -u NO_COLOR -u CLICOLOR {variable} TERM=xterm {} show {run}", env!("CARGO_BIN_EXE_sim"));
        let output = Command::new("script").args(["-qec", &shown, "/dev/null"]).current_dir(folder.path()).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(coloured) = on_a_terminal("SIM=1") else {
        eprintln!("skipped: there is no command `script` to be a terminal");
        return;
    };
    assert!(coloured.contains("\x1b[38;5;2mEquilibrium"), "{coloured:?}");
    assert!(!on_a_terminal("NO_COLOR=1").expect("it has just run").contains('\x1b'));
}

#[test]
fn a_slot_shows_how_each_seller_found_its_price() {
    let folder = checkout();
    let run = run(folder.path(), "scenarios/5_prosumers.ron");
    let shown = ran(folder.path(), &format!("show {run} --slot 17 --case 2"));
    let paths: Vec<&str> = shown.lines().filter(|line| line.contains('▅')).collect();
    assert_eq!(paths.len(), 3, "a line a seller: {shown}");
    assert!(paths.iter().all(|line| line.ends_with(" 0.7000")), "{shown}");
    assert!(shown.contains("prices over 76.0 s, from "), "{shown}");
}

#[test]
fn a_run_is_the_same_as_itself() {
    let folder = checkout();
    let [a, b] = ["", "--jobs 2"].map(|how| run(folder.path(), &format!("scenarios/5_prosumers.ron {how}")));
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    assert!(compared.contains("The scenarios are the same.\n"), "{compared}");
    assert!(compared.ends_with("All key figures and slots are the same in 2 pairs of cases.\n"), "{compared}");
}

#[test]
fn runs_that_differ_tell_where() {
    let folder = checkout();
    let a = run(folder.path(), "scenarios/5_prosumers.ron");
    let b = run(folder.path(), "scenarios/5_prosumers_storage.ron --set mu=1 --set eta=0.1 --set period=20s");
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    let lines: Vec<Vec<&str>> = compared.lines().map(|line| line.split_whitespace().collect()).collect();
    let has = |cells: &[&str]| assert!(lines.iter().any(|line| line == cells), "{cells:?} is missing in\n{compared}");
    has(&["storage.capacity_kwh", "-", "10.0"]);
    has(&["activation.period", "\"1s\"", "\"20s\""]);
    has(&["preferences.eta", "0.2", "0.1"]);
    has(&["Only", "in", "A:", "case", "1."]);
    has(&["case", "2", "of", "A,", "1", "of", "B,", "mu", "=", "1"]);
    let welfare = |run: &str, case: usize| {
        let figures = fs::read_to_string(folder.path().join(run).join("kpis.json")).expect("the key figures");
        let figures: serde_json::Value = serde_json::from_str(&figures).expect("the key figures are JSON");
        figures[case]["open_slots"]["welfare_cny"].as_f64().expect("a number")
    };
    let (of_a, of_b) = (welfare(&a, 1), welfare(&b, 0));
    let expected = [format!("{of_a:.3}"), format!("{of_b:.3}"), format!("{:+.3}", of_b - of_a)];
    let welfare = lines.iter().find(|line| line.starts_with(&["welfare", "[CNY]"])).expect("the figure is shown");
    assert_eq!(welfare[2..5], expected);
    assert!(compared.contains("13 slots differ in outcome, price, rounds or welfare"), "{compared}");
    has(&["11", "Equilibrium", "same", "1.0500", "-0.2027", "72", "+6", "29.136", "-3.529"]);
    assert!(too_wide(&compared).is_empty(), "{:#?}", too_wide(&compared));
}

#[test]
fn what_is_the_same_by_default_is_no_difference() {
    let folder = checkout();
    let path = folder.path().join("scenarios/5_prosumers.ron");
    let text = fs::read_to_string(&path).expect("the scenario is there");
    let a = run(folder.path(), "scenarios/5_prosumers.ron");
    fs::write(&path, text.replace("fitness: Public", "fitness: None").replace("ledger: (", "ledger: (posts: Every, "))
        .unwrap();
    let b = run(folder.path(), "scenarios/5_prosumers.ron");
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    assert!(compared.contains("The scenarios are the same.\n"), "{compared}");
    fs::write(&path, text.replace("fitness: Public", "fitness: Private")).unwrap();
    let c = run(folder.path(), "scenarios/5_prosumers.ron --set eta=0.2,0.1,0.3,0.4");
    let compared = ran(folder.path(), &format!("compare {b} {c}"));
    assert!(
        compared.contains("learning.fitness") && compared.contains("Only in B: cases 2 to 4, 6 to 8.\n"),
        "{compared}"
    );
    assert!(compared.contains("all else: over all slots"), "{compared}");
}

#[test]
fn sweeps_are_compared_case_by_case_whatever_their_numbers() {
    let folder = checkout();
    let a = run(folder.path(), "scenarios/5_prosumers.ron --set eta=0,0.1,0.2,0.3,0.4,0.5 --set mu=1");
    let b = run(folder.path(), "scenarios/5_prosumers.ron --set eta=0.5,0.4,0.3,0.2,0.1,0.05 --set mu=0.5");
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    assert!(compared.contains("Only in A: case 1.\nOnly in B: case 6.\n"), "{compared}");
    assert!(compared.contains("5 of 5 pairs differ"), "{compared}");
    let eta = compared.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        matches!(cells[..], [_, _, eta, _, _, _, "%", ..] if eta.starts_with("0.")).then(|| cells[2].to_owned())
    });
    assert_eq!(
        eta.collect::<Vec<_>>(),
        ["0.5", "0.4", "0.3", "0.2", "0.1"],
        "the greatest difference first:\n{compared}"
    );
}

#[test]
fn runs_with_several_seeds_in_common_are_compared_seed_by_seed() {
    let folder = checkout();
    let of = |eta: &str| {
        run(folder.path(), &format!("scenarios/5_prosumers.ron --set seed=1,2,3 --set mu=1 --set eta={eta}"))
    };
    let (a, b) = (of("0.2"), of("0.1"));
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    assert!(too_wide(&compared).is_empty(), "{:#?}", too_wide(&compared));
    let welfare = |run: &str| {
        let text = fs::read_to_string(folder.path().join(run).join("kpis.json")).expect("the key figures");
        let figures: serde_json::Value = serde_json::from_str(&text).expect("the key figures are JSON");
        let figures = figures.as_array().expect("a list").clone();
        figures.iter().map(|case| case["open_slots"]["welfare_cny"].as_f64().expect("a number")).collect::<Vec<_>>()
    };
    let (of_a, of_b) = (welfare(&a), welfare(&b));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / 3.0;
    let changes: Vec<f64> = of_b.iter().zip(&of_a).map(|(b, a)| b - a).collect();
    let squares: f64 = changes.iter().map(|change| (change - mean(&changes)).powi(2)).sum();
    // Student's t of two degrees of freedom.
    let half_width = 4.302_653 * (squares / 2.0 / 3.0).sqrt();
    let expected = [
        format!("{:.3}", mean(&of_a)),
        format!("{:.3}", mean(&of_b)),
        format!("{:+.3}", mean(&changes)),
        format!("{half_width:.3}"),
        "3".to_owned(),
    ];
    let (_, paired) = compared.split_once("Paired by seed, means of 3 cases each\n").expect(&compared);
    let line = paired.lines().find(|line| line.starts_with("welfare [CNY]")).expect("the figure is shown");
    assert_eq!(line.split_whitespace().skip(2).collect::<Vec<_>>(), expected, "{compared}");
}

#[test]
fn what_the_knobs_of_a_run_changed_is_told_seed_by_seed() {
    let folder = checkout();
    let knobs = "--set seed=1,2,3 --set mu=0,1 --set eta=0.1,0.2";
    let run = self::run(folder.path(), &format!("scenarios/5_prosumers.ron {knobs}"));
    let compared = ran(folder.path(), &format!("compare {run}"));
    assert!(too_wide(&compared).is_empty(), "{:#?}", too_wide(&compared));
    for knob in ["mu", "eta"] {
        let title = format!("What changes with {knob}, paired by seed, mean over 2 combinations\n");
        assert!(compared.contains(&title), "{compared}");
    }
    let table = fs::read_to_string(folder.path().join(&run).join("paired.csv")).expect("the table");
    let row = table.lines().find(|line| line.starts_with("mu,0.0,1.0,,,2,welfare_cny,3,")).expect("the row");
    let cells: Vec<f64> = row.split(',').skip(8).map(|cell| cell.parse().expect("a number")).collect();
    let line = compared.lines().find(|line| line.trim_start().starts_with("0   1")).expect("the pair is shown");
    let shown: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(shown[2..5], ["3".to_owned(), format!("{:+.3}", cells[0]), format!("{:.3}", cells[2])]);
    let single = self::run(folder.path(), "scenarios/5_prosumers.ron --set mu=1");
    assert!(ran(folder.path(), &format!("compare {single}")).starts_with("No knob was varied"));
}

#[test]
fn runs_are_listed_and_what_cannot_be_listed_is_bad_input() {
    let folder = checkout();
    run(folder.path(), "scenarios/5_prosumers.ron");
    run(folder.path(), "scenarios/5_prosumers_storage.ron --seed 7 --set mu=1");
    let listed = ran(folder.path(), "list");
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    // The line of a run in each part of the table, without scenario and start.
    let of = |scenario: &str| {
        let lines = lines.iter().filter(|line| line.first() == Some(&scenario));
        lines.map(|line| line[3..].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(of("5_prosumers"), [vec!["finished", "100.0", "+13.6..+49.4"], vec!["mu=0,1"]], "{listed}");
    assert_eq!(
        (&of("5_prosumers_storage")[0][..2], &of("5_prosumers_storage")[1][..]),
        (&["finished", "100.0"][..], &["mu=1"][..])
    );
    assert!(too_wide(&listed).is_empty(), "{listed}");
    let listed = ran(folder.path(), "list results/5_prosumers");
    let row = listed.lines().find(|line| line.starts_with("5_prosumers ")).unwrap_or_default();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[3..], ["2023", "finished", "100.0", "+13.6..+49.4", "mu=0,1"], "there is room for the seed");
    let pasted = listed.lines().last().unwrap_or_default();
    assert!(pasted.starts_with("results/5_prosumers/2"), "{listed}");
    assert!(ran(folder.path(), &format!("show {pasted}")).contains(&format!("results: {pasted}\n")));
    sim(folder.path(), "list nowhere").assert().code(2);
    sim(folder.path(), "compare results/5_prosumers nowhere").assert().code(2);
}

#[test]
fn of_many_slots_there_is_what_they_come_to_and_where_each_is() {
    let folder = checkout();
    let scenario = |slots: u32| {
        format!(
            r#"Scenario(name: "weeks", market: (slots: {slots}, open: (1, {slots}), gate_closure: "2min"),
                population: Synthetic(count: 6), record: Slots)"#
        )
    };
    let lines = |text: &str| {
        let cells = |line: &str| line.split_whitespace().map(str::parse::<u32>).take(3).filter(Result::is_ok).count();
        text.lines().filter(|line| cells(line) == 3).count()
    };
    for (slots, shown) in [(50, 50), (51, 0)] {
        fs::write(folder.path().join("weeks.ron"), scenario(slots)).expect("the scenario is written");
        let printed = ran(folder.path(), "weeks.ron --no-report");
        let (first, _) = printed.split_once("\n\nledger ").expect(&printed);
        assert_eq!(lines(first), shown, "{printed}");
        assert_eq!(printed.contains(&format!("\n{slots} slots: ")), shown == 0, "{printed}");
        assert!(first.contains(&format!("\nprice in slots 1 to {slots}: ")), "{printed}");
        assert!(too_wide(first).iter().all(|line| line.contains("`sim show ")), "{printed}");
    }
    // What is told is there.
    let printed = ran(folder.path(), "show results/weeks");
    let told: Vec<&str> = printed.lines().filter_map(|line| line.split_once("`sim ")?.1.strip_suffix('`')).collect();
    let [every, one] = told[..] else { panic!("{printed}") };
    let (first, _) =
        ran(folder.path(), every).split_once("\n\nledger ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(lines(&first), 51);
    assert!(ran(folder.path(), &one.replace('K', "50")).contains("slot 50"));

    let judged = ran(folder.path(), "stability weeks.ron --set market.slots=150 --set market.open=(1,150)");
    assert!(judged.contains(" slots: ") && judged.contains("`--slot K` shows any"), "{judged}");
    let (rest, _) = judged.split_once("\n\ncritical").expect(&judged);
    // In the others a tariff binds.
    assert_eq!(lines(rest), 7, "{judged}");
    assert!(judged.contains("7 spirals in") && !rest.contains("  -\n"), "{judged}");
    assert!(too_wide(&judged).is_empty(), "{judged}");
}

#[test]
fn runs_are_told_apart_by_what_was_set_and_by_their_names() {
    let folder = checkout();
    let a = run(folder.path(), "scenarios/5_prosumers.ron --set mu=1");
    let b = run(folder.path(), "scenarios/5_prosumers.ron --set mu=1 --set delay=200ms --seed 7 --name slow");
    assert!(b.starts_with("results/slow/") && b.ends_with("Z-seed7"), "{b}");
    let listed = ran(folder.path(), "list");
    let cells = |name: &str| {
        let line = listed.lines().rfind(|line| line.starts_with(name)).expect(&listed);
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(cells("5_prosumers ").contains(&"mu=1".to_owned()), "{listed}");
    assert!(cells("slow ").ends_with(&["mu=1", "delay=200ms"].map(str::to_owned)), "{listed}");
    let compared = ran(folder.path(), &format!("compare {a} {b}"));
    for title in ["5_prosumers, mu = 1, 1 case", "slow, mu = 1, delay = 200ms,"] {
        assert!(compared.replace('\n', " ").contains(title), "{compared}");
    }
    let shown = ran(folder.path(), "show results/slow");
    assert!(shown.starts_with("slow, mu = 1, delay = 200ms, case 1 of 1, seed 7: "), "{shown}");
    let report = fs::read_to_string(folder.path().join(&b).join("report.html")).expect("the report");
    assert!(report.contains("<h1>slow, mu = 1, delay = 200ms</h1>"));
    for name in ["a/b", "../up", ".hidden", "a,b", ""] {
        let refused = sim(folder.path(), "scenarios/5_prosumers.ron -q --name").arg(name).assert().code(2);
        let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(said.contains("'--name <NAME>': allowed: a plain folder name"), "{name}: {said}");
    }
}

#[test]
fn shells_complete_what_there_is() {
    let folder = checkout();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ran(folder.path(), &format!("completions {shell}"));
        for known in ["compare", "stability", "replicates", "--jobs"].iter().filter(|known| **known != "replicates") {
            assert!(script.contains(known.trim_start_matches('-')), "{shell} does not know {known}");
        }
    }
    sim(folder.path(), "completions smalltalk").assert().code(2);
    // What bash itself makes of it.
    let script = ran(folder.path(), "completions bash");
    fs::write(folder.path().join("sim.bash"), script).expect("the script is written");
    let asked = "source sim.bash; COMP_WORDS=(sim sta); COMP_CWORD=1; _sim sim sta sim; echo ${COMPREPLY[*]}";
    if let Ok(output) = Command::new("bash").args(["-c", asked]).current_dir(folder.path()).output() {
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "stability", "{output:?}");
    }
}

#[test]
fn there_is_a_manual_page_for_every_subcommand() {
    let folder = checkout();
    let page = ran(folder.path(), "man");
    for told in [".TH sim 1", "compare", ".SH EXAMPLES", "Exit codes", "block_timeout"] {
        assert!(page.contains(told), "{told} is missing in\n{page}");
    }
    ran(folder.path(), "man --out pages");
    for name in ["sim", "sim-check", "sim-compare", "sim-completions", "sim-ledger-verify", "sim-list", "sim-man"] {
        let page = fs::read_to_string(folder.path().join(format!("pages/{name}.1"))).expect("a page");
        assert!(page.contains(&format!(".TH {name}")), "{page}");
    }
}

#[test]
fn a_terminal_obeys_nothing_that_names_and_values_hold() {
    let folder = checkout();
    let scenario = "Scenario(name: \"day\", market: (slots: 2, open: (1, 2)), population: Synthetic(count: 3),
        network: (groups: {\"a\\u{1b}c<b>\": Share(0.5)}),
        vary: {\"price_step\": [Fixed( 0.1 /* \u{1b}[31m</script> */), Scaled(0.2 // \u{202e}\u{7}\n)],
               \"network.groups.a\u{1b}c<b>\": [Share(0.5)]})";
    fs::write(folder.path().join("day.ron"), scenario).unwrap();
    let printed = ran(folder.path(), "day.ron");
    assert!(printed.contains("price_step = Fixed(0.1)") && printed.contains("price_step = Scaled(0.2)"), "{printed}");
    let manifest = folder.path().join("results/day/latest/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let hostile = text.replace("\"Fixed(0.1)\"", r#""\u001b]0;title\u0007\u202e\u009b2J""#);
    assert_ne!(text, hostile);
    fs::write(&manifest, hostile).unwrap();
    for command in ["show", "show --slot 2", "compare", "list", "report", "ledger show"] {
        let output = sim(folder.path(), command).arg("results/day").output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let obeyed = |sign: char| sign.is_control() && sign != '\n' || sign == '\u{202e}';
        assert!(output.status.success() && !said.contains(obeyed), "{command}: {said:?}");
    }
    let path = folder.path().join("no\u{1b}[31mwhere");
    let output = sim(folder.path(), "show").arg(path).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(r"no\u{1b}[31mwhere") && output.status.code() == Some(2), "{said}");
}

/// Two days of a few members, on the second of which clocks are set back; with what else is said of the market.
fn autumn(folder: &Path, name: &str, market: &str) {
    let text = format!(
        r#"Scenario(name: "{name}",
            market: (calendar: (start: "2016-10-29", zone: "Europe/Berlin", days: 2), open: "11:00-13:00",
                     gate_closure: "2min", grid_tariff: 0.3, feed_in_tariff: 0.08, grid_fee: 0.02, {market}),
            population: Members(members: "members.csv", profiles: "profiles.csv", unit: Share),
            preferences: (preference_pv: 1.5, preference_grid: 1.2))"#
    );
    let mut profiles = "slot,load,roof\n".to_owned();
    (1..=49).for_each(|slot| profiles += &format!("{slot},0.5,{}\n", if (9..=40).contains(&slot) { 1.0 } else { 0.0 }));
    let members = "name,load_profile,load_peak_kw,pv_profile,pv_kwp\n\"Müller, Anna\",load,1,roof,2\n\
                   Community Hall of the Upper Village,load,1,,\n王小明,load,1,,\n";
    for (file, text) in
        [(format!("{name}.ron"), &*text), ("members.csv".into(), members), ("profiles.csv".into(), &profiles)]
    {
        fs::write(folder.join(file), text).expect("the file is written");
    }
}

#[test]
fn names_moments_and_the_currency_are_told_wherever_there_are_any() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    autumn(folder.path(), "euros", r#"currency: "EUR""#);
    autumn(folder.path(), "francs", r#"currency: "CHF", service_fee: 0.01"#);
    let [euros, francs] = ["euros", "francs"].map(|name| run(folder.path(), &format!("{name}.ron --no-report")));
    for (command, told) in [
        ("show euros --slot 2016-10-29T11:00", "slot 12 at 2016-10-29T11:00:00+02:00"),
        ("show euros --slot 2016-10-29T09:00:00Z", "Community H…"),
        ("show euros --slot 12", "Müller, Anna"),
        ("show euros --slot 12", "money and welfare [EUR]"),
        ("show euros", "price from 2016-10-29 11:00 to 2016-10-30 12:00:"),
        ("show euros", "\n10-29 11:00  "),
        ("show euros", "prosumers with\nless welfare than in P2G\n"),
        ("ledger show euros", "prosumer 3 王小明"),
        ("ledger show euros", "[EUR]"),
        ("compare euros francs", "Money is in EUR in A and in CHF in B"),
        ("compare euros francs", "net cost [EUR or CHF]"),
        ("compare euros euros", "All key figures and slots are the same"),
        ("stability euros.ron", "\n10-29 11:00  "),
        ("stability euros.ron --slot 2016-10-30T11:00+01:00", "slot 37 at 2016-10-30T11:00:00+01:00"),
        ("stability euros.ron --slot 37", " EUR/kWh"),
    ] {
        let command = command.replace(" euros", " results/euros").replace(" francs", " results/francs");
        let command = command.replace("results/euros.ron", "euros.ron");
        let printed = ran(folder.path(), &command);
        assert!(printed.contains(told), "{command}: {printed}");
        let (_, own) = printed.split_once("scenarios\n").unwrap_or(("", &printed));
        assert!(!own.contains("CNY") && !own.contains("over\ncase 1"), "{command}: {printed}");
        assert!(
            too_wide(&printed).iter().all(|line| line.contains("`sim show ")),
            "{command}: {:#?}",
            too_wide(&printed)
        );
    }
    // Of fees nothing is lost.
    let balances = ran(folder.path(), "ledger show results/francs");
    let sums: Vec<&str> = balances.lines().filter(|line| line.starts_with("sum ")).collect();
    // The energy that was bought and sold, then money, in one table or two.
    let cells: Vec<&str> = sums.iter().flat_map(|line| line.split_whitespace().skip(1)).collect();
    assert!(cells.len() == 6 && cells[2..].iter().all(|cell| *cell == "0"), "{balances}");
    for (command, told) in [
        (format!("show {euros} --slot 2016-10-30T02:00"), "02:00:00+02:00 or 2016-10-30T02:00:00+01:00"),
        ("stability euros.ron --slot 2016-10-30T02:00".to_owned(), "02:00:00+02:00 or 2016-10-30T02:00:00+01:00"),
        (format!("show {francs} --slot 2016-10-30"), "a time of the day too"),
        ("stability euros.ron --slot 2016-10-30".to_owned(), "a time of the day too"),
        (
            format!("show {francs} --slot 2016-10-29T11:30"),
            "of slots 1 to 49, which begin from 2016-10-29T00:00:00+02:00",
        ),
        ("stability euros.ron --slot 2016-10-29T11:30".to_owned(), "of 1h begin from 2016-10-29T00:00:00+02:00"),
    ] {
        let output = sim(folder.path(), &command).assert().code(2).get_output().clone();
        let printed = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
        assert!(printed.contains(told), "{command}: {printed}");
    }
}

#[test]
fn numbers_of_slots_are_written_in_one_way() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = r#"Scenario(name: "month",
        market: (calendar: (start: "2016-10-01", days: 31, slot_length: "15min"), open: "00:00-24:00"),
        population: Synthetic(count: 1200))"#;
    fs::write(folder.path().join("month.ron"), text).expect("the scenario is written");
    let checked = ran(folder.path(), "check month.ron");
    assert!(
        checked
            .contains("1,200 prosumers, 2,976 slots of 15m, market open 00:00-24:00 on 31 days, 2,976 of 2,976 slots"),
        "{checked}"
    );
}
