//! What the command makes of input that nobody means well: it ends soon, in words and in little memory.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs the command in `folder`, in four gigabytes of address space and less than a minute.
fn sim(folder: &Path, arguments: &[&str]) -> Output {
    let limited = "ulimit -v 4000000; exec timeout 60 \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", limited, env!("CARGO_BIN_EXE_sim")]).args(arguments).current_dir(folder);
    shell.stdin(Stdio::piped()).output().expect("the command runs")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("x.ron", "(name: \"x\", population: Synthetic(count: 5))");
    write("deep.ron", &format!("(name: \"x\", vary: {{\"mu\": [{}", "(a: [".repeat(100_000)));
    write("word.ron", &format!("(name: {})", "a".repeat(1_000_000)));
    write("list.ron", &format!("(name: [{}", "1,".repeat(500_000)));
    let values = (1..=1000).map(|n| format!("{}", f64::from(n) / 1e4)).collect::<Vec<_>>().join(",");
    let knobs = "mu eta alpha loss jitter duplication exploration price_step replicator_step ramp".split(' ');
    let vary = knobs.map(|knob| format!("\"{knob}\": [{values}], ")).collect::<String>();
    write("cases.ron", &format!("(name: \"x\", population: Synthetic(count: 5), vary: {{{vary}}})"));
    let rows = (1..=3000).map(|n| format!("{n},{n},1,1,2,1.5\n")).collect::<String>();
    write("rows.csv", &format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n{rows}"));
    write("rows.ron", "(name: \"x\", population: Profiles(\"rows.csv\"), market: (slots: 100000))");
    let cell = format!("\"{}", "1".repeat(10_000_000));
    write("cell.csv", &format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n1,1,{cell}"));
    write("cell.ron", "(name: \"x\", population: Profiles(\"cell.csv\"), market: (slots: 1, open: (1, 1)))");
    write("device.ron", "(name: \"x\", population: Synthetic(count: 5), market: (grid_tariff: Csv(\"/dev/zero\")))");
    folder
}

#[test]
fn hostile_input_is_refused_in_words() {
    let folder = folder();
    let special = "it is a device, a pipe or a socket, not a file";
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    for (arguments, said) in [
        (&["deep.ron"][..], "brackets are nested too deeply"),
        (&["word.ron"], "name: expected text in quotes"),
        (&["list.ron"], "the bracket `[` is not closed"),
        (&["cases.ron"], "vary: too many cases"),
        (&["rows.ron"], "prosumer 1 has no row for slot 2"),
        (&["cell.ron"], "the row has 3 cells, the header has 6"),
        (&["device.ron"], special),
        (&["pipe"], special),
        (&["/dev/zero"], special),
        (&["/dev/stdin"], special),
        (&["x.ron", "--set", "population=10000000000"], "expected a whole number"),
        (
            &["x.ron", "--set", "population=1000000", "--set", "market.slots=100000"],
            "with 100000 slots, or fewer of these",
        ),
        (&["x.ron", "--set", "market.slots=18446744073709551615"], "expected a whole number"),
        (&["x.ron", "--set", "replicates=1000000000"], "allowed: from 1 to 1000000"),
    ] {
        for command in [&["check"][..], &["stability"], &[]] {
            let output = sim(folder.path(), &[command, arguments].concat());
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error:.2000}");
            assert!(error.contains(said) && error.len() < 10_000, "{arguments:?}: {error:.2000}");
        }
    }
    assert!(!folder.path().join("results").exists());
}

#[test]
fn nothing_is_written_where_a_pipe_or_a_file_is_in_the_way() {
    let folder = folder();
    fs::create_dir(folder.path().join("pages")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pages/sim.1")).status().unwrap().success());
    for (out, code, said) in [
        ("pages", 1, "error: cannot write to pages: it is a device, a pipe or a socket, not a file"),
        ("x.ron", 2, "error: cannot write to x.ron: there is a file where a folder is to be"),
    ] {
        let output = sim(folder.path(), &["man", "--out", out]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && error.starts_with(said), "{error}");
    }
}

#[test]
fn a_million_prosumers_and_any_number_of_jobs_and_shards_are_allowed() {
    let folder = folder();
    let million = sim(folder.path(), &["check", "x.ron", "--set", "population=1000000"]);
    assert!(million.status.success(), "{million:?}");
    let all = u64::MAX.to_string();
    let short = ["--set", "market.slots=1", "--set", "market.open=(1, 1)", "--set", "record=Summary", "--no-report"];
    let run = ["x.ron", "--jobs", &all, "--shards", &all, "--set", "replicates=200"];
    let output = sim(folder.path(), &[&run[..], &short].concat());
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_can_never_begin_and_what_is_huge_is_told_before_it_runs() {
    let folder = folder();
    let crash = "network.conditions=[(at: \"2days\", lasting: \"1min\", what: Crash(who: Grid))]";
    let never = ["x.ron", "--set", crash, "--set", "market.slots=2", "--set", "market.open=(1, 2)"];
    for command in [&["check"][..], &["-q", "--no-report"]] {
        let output = sim(folder.path(), &[command, &never].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert!(
            told.starts_with("warning: --set network.conditions: network.conditions[0].at: it never begins\n"),
            "{told}"
        );
        assert!(!String::from_utf8_lossy(&output.stdout).contains("warning"), "{output:?}");
    }
    let huge = sim(folder.path(), &["check", "x.ron", "--set", "replicates=1000000"]);
    assert!(String::from_utf8_lossy(&huge.stderr).starts_with("warning: the run is expected to be huge: "), "{huge:?}");
}
