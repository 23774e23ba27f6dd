//! The command as a user meets it: what it prints, what it leaves, and how it exits.

use crate::support::{checkout, repository, sim, stdout};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};
use tempfile::TempDir;

fn status(run: &Path) -> String {
    let manifest = fs::read_to_string(run.join("manifest.json")).expect("every run has a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
    manifest["status"].as_str().unwrap_or_default().to_string()
}

/// The arguments that the README gives to the program, and the text it says the program prints.
fn readme() -> (String, Vec<String>) {
    let text = fs::read_to_string(repository("README.md")).expect("there is a README");
    let command = text.lines().find_map(|line| line.strip_prefix("cargo run --release -- ")).expect("a run command");
    let (_, section) = text.split_once("## What a run prints").expect("the README has a section on it");
    let (_, after) = section.split_once("```text\n").expect("it shows what is printed");
    let (printed, _) = after.split_once("```").expect("the block ends");
    let lines = printed.lines().filter(|line| !line.trim().is_empty() && line.trim() != "...");
    (command.to_string(), lines.map(str::to_string).collect())
}

#[test]
fn the_command_of_the_readme_works_and_prints_what_the_readme_says() {
    let folder = checkout();
    let (command, printed) = readme();
    let output = stdout(&mut sim(folder.path(), &command));
    for line in printed {
        assert!(output.lines().any(|found| found == line), "the run does not print {line:?}, but\n{output}");
    }
    let latest = folder.path().join("results/5_prosumers/latest");
    assert_eq!(status(&latest), "finished");
    let slots = fs::read_to_string(latest.join("slots.csv")).expect("the slots");
    assert_eq!(slots.lines().count(), 1 + 2 * 24);
    assert_eq!(slots.matches("Equilibrium").count(), 2 * 8, "all market slots of both cases settle down");
    assert!(!slots.contains("GateClosure"));
}

#[test]
fn table_1_is_shown_from_the_command_line() {
    let folder = checkout();
    sim(folder.path(), "scenarios/5_prosumers.ron -q --no-report").assert().success();
    let output = stdout(&mut sim(folder.path(), "show results/5_prosumers --slot 17 --case 2"));
    let row = |buyer: &str| {
        let line = output.lines().find(|line| line.starts_with(buyer)).unwrap_or_else(|| panic!("{output}"));
        line.split_whitespace().map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(row("3 "), ["3", "1.600", "1.600", "1.600", "0.768", "0.224", "0.608"]);
    assert_eq!(row("4 "), ["4", "2.000", "2.000", "2.000", "0.960", "0.280", "0.760"]);
}

#[test]
fn the_written_scenario_runs_to_the_same_results() {
    let folder = checkout();
    let first =
        stdout(&mut sim(folder.path(), "scenarios/5_prosumers_storage.ron --set mu=0.3 --seed 7 -q --no-report"));
    let first = folder.path().join(first.trim());
    let scenario = first.join("scenario.ron");
    let again = stdout(&mut sim(folder.path(), &format!("{} --out again -q --no-report", scenario.display())));
    let again = folder.path().join(again.trim());
    for table in ["slots.csv", "prosumers.csv", "trades.csv", "convergence.csv", "kpis.json", "scenario.ron"] {
        let read = |run: &PathBuf| fs::read(run.join(table)).unwrap_or_else(|error| panic!("{table}: {error}"));
        assert!(read(&first) == read(&again), "{table} differs");
    }
}

#[test]
fn bad_input_exits_with_2_points_at_the_spot_and_leaves_nothing() {
    let folder = checkout();
    fs::write(
        folder.path().join("bad.ron"),
        "Scenario(\n    name: \"bad\",\n    population: Synthetic(count: 0),\n)\n",
    )
    .expect("the scenario is written");
    for (arguments, said) in [
        ("bad.ron", "bad.ron:3:34"),
        ("check bad.ron", "population.Synthetic.count"),
        ("missing.ron", "missing.ron"),
        ("scenarios", "it is a folder"),
        ("scenarios/5_prosumers.ron --set mue=1", "did you mean `mu`"),
        ("scenarios/5_prosumers.ron --shards none", "per-actor, per-core"),
        ("scenarios/5_prosumers.ron --format xlsx", "expected csv or parquet"),
        ("show nowhere", "nowhere"),
        ("--no-such-option", "--no-such-option"),
    ] {
        let assert = sim(folder.path(), arguments).assert().code(2);
        let output = assert.get_output();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(said), "sim {arguments} says\n{stderr}");
        assert!(output.stdout.is_empty(), "errors go to stderr");
    }
    assert!(!folder.path().join("results").exists());
}

#[test]
fn mistyped_arguments_are_told_with_what_was_meant() {
    let folder = checkout();
    let mut said = String::new();
    for arguments in [
        "run scenarios/5_prosumers.ron",
        "comprae a b",
        "lst",
        "shwo results/5_prosumers --slot 3",
        "ledger verfy results/5_prosumers",
        "scenarios/5_prosumers.ron check",
        "scenarios/5_prosumers.ron mu=0.5",
        "scenarios/5_prosumers.ron --set mu 0.5",
        "scenarios/5_prosumers.ron --mu 0.5",
        "scenarios/5_prosumers.ron -set mu=0.5",
        "scenarios/5_prosumers.ron --sed 7",
        "scenarios/5_prosumers.ron --seed 1e3",
        "scenarios/5_prosumers.ron --jobs -1",
        "scenarios/5_prosumer.ron",
        "5_prosumers",
        "check scenarios/5_prosumers",
        "Scenarios/5_Prosumers.RON",
        "scenarios\\5_prosumers.ron",
        "scenarios",
        "version",
        "seed",
        "list nowhere",
        "show nowhere",
        "ledger show results/5_prosumers --key bil/17/3/1",
        "ledger show results/5_prosumers --channel trades",
    ] {
        let output = sim(folder.path(), arguments).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty(), "errors go to stderr");
        said += &format!("$ sim {arguments}\n{}\n", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!folder.path().join("results").exists());
    insta::assert_snapshot!(said);
}

#[test]
fn a_run_that_cannot_be_written_exits_with_1_and_where_a_file_is_in_the_way_with_2() {
    let folder = checkout();
    fs::write(folder.path().join("results"), "in the way").expect("a file is written");
    for out in ["", " --out results/deeper", " --out scenarios/5_prosumers.ron"] {
        let output =
            sim(folder.path(), &format!("scenarios/5_prosumers.ron -q{out}")).assert().code(2).get_output().clone();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("there is a file where a folder is to be: move it") && !said.contains("os error"),
            "{said}"
        );
    }
    if cfg!(target_os = "linux") {
        sim(folder.path(), "scenarios/5_prosumers.ron -q --out /proc/nowhere").assert().code(1);
    }
}

#[test]
fn what_is_no_scenario_and_what_is_no_run_is_told_with_what_is_meant() {
    let folder = checkout();
    let run =
        stdout(&mut sim(folder.path(), "scenarios/5_prosumers.ron -q --no-report --set record=Summary --set mu=1"));
    let home = folder.path().join("results/5_prosumers");
    fs::rename(folder.path().join(run.trim()), home.join("A")).expect("the run gets a name that is always the same");
    fs::remove_file(home.join("latest")).expect("there is a link to it");
    fs::rename(home.join("A"), home.join("latest")).expect("it is the newest");
    let mut said = String::new();
    for arguments in [
        "results/5_prosumers",
        "check results/5_prosumers/latest",
        "stability results/5_prosumers/latest/manifest.json",
        "check results",
        "show results",
        "show scenarios",
        "show 5_prosumers",
        "show Results/5_Prosumers",
        "show results\\5_prosumers",
        "report results/5_prosumers/latest/slots.csv",
        "resume scenarios/5_prosumers.ron",
        "compare results/5_prosumers scenarios/5_prosumers_storage.ron",
        "ledger verify scenarios/5_prosumers.ron",
        "ledger show results/5_prosumer",
        "ledger export results/5_prosumers",
        "list results/5_prosumers/latest/manifest.json",
        "list Results",
    ] {
        let output = sim(folder.path(), arguments).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty(), "errors go to stderr");
        said += &format!("$ sim {arguments}\n{}\n", String::from_utf8_lossy(&output.stderr));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_reader_that_has_gone_away_changes_no_exit_code() {
    let folder = checkout();
    sim(folder.path(), "scenarios/5_prosumers.ron -q --no-report").assert().success();
    let unread = |arguments: &str| {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sim"));
        command.current_dir(folder.path()).args(arguments.split(' ')).stdout(writer);
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for arguments in
        ["show results/5_prosumers", "ledger export results/5_prosumers", "ledger verify results/5_prosumers"]
    {
        assert_eq!(unread(arguments), (Some(0), String::new()), "{arguments}");
    }
    let ledger = rusqlite::Connection::open(folder.path().join("results/5_prosumers/latest/ledger.db")).unwrap();
    ledger
        .execute("UPDATE transactions SET code = 'OldVersion' WHERE rowid = (SELECT max(rowid) FROM transactions)", ())
        .unwrap();
    drop(ledger);
    let (code, said) = unread("ledger verify results/5_prosumers");
    assert!(code == Some(1) && said.contains("code is OldVersion, but it counts"), "{code:?}: {said}");
}

/// Starts a run in a folder, where it leaves its results, once they are coming in.
#[cfg(unix)]
fn started(folder: &Path, command: &str) -> std::process::Child {
    let mut words = command.split(' ');
    let run = std::process::Command::new(words.next().expect("a program"))
        .current_dir(folder)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let slots = folder.join("results/100_prosumers/latest/slots.csv");
    for _ in 0..1_000 {
        // The header, the closed slots of the morning and a first market slot.
        if fs::read_to_string(&slots).is_ok_and(|text| text.lines().count() > 8) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    run
}

#[cfg(unix)]
fn send(signal: &str, run: &std::process::Child) {
    let kill = std::process::Command::new("kill").args([signal, &run.id().to_string()]).status();
    assert!(kill.expect("there is a kill command").success(), "the run was still going");
}

/// A run that takes long. Whoever has the tests ignore a signal has it ignored here no more.
#[cfg(unix)]
fn long_run() -> String {
    let heedful = if cfg!(target_os = "linux") { "env --default-signal=INT,TERM,HUP " } else { "" };
    format!("{heedful}{} scenarios/100_prosumers.ron --set population=300", env!("CARGO_BIN_EXE_sim"))
}

/// Starts a run that takes long. Once results are coming in, does what is to be done `before`, and stops the run with
/// this signal.
#[cfg(unix)]
fn stop_with(signal: &str, more: &str, before: impl FnOnce(&Path)) -> (TempDir, std::process::Output) {
    let folder = checkout();
    let run = started(folder.path(), &format!("{}{more}", long_run()));
    before(folder.path());
    send(signal, &run);
    (folder, run.wait_with_output().expect("the run ends"))
}

/// Every table is whole: each row has as many cells as the header.
#[cfg(unix)]
fn assert_valid_tables(run: &Path) {
    for table in ["slots.csv", "prosumers.csv", "trades.csv", "convergence.csv"] {
        let text = fs::read_to_string(run.join(table)).expect("the table is there");
        assert!(text.ends_with('\n'), "{table} ends in the middle of a row");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        assert!(rows.records().all(|row| row.is_ok()), "{table} has a broken row");
    }
    let figures = fs::read_to_string(run.join("kpis.json")).expect("the key figures are there");
    serde_json::from_str::<serde_json::Value>(&figures).expect("the key figures are JSON");
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_valid_files_marked_unfinished() {
    let (folder, output) = stop_with("-KILL", "", |_| {});
    assert!(!output.status.success());
    let run = folder.path().join("results/100_prosumers/latest");
    assert_eq!(status(&run), "unfinished");
    assert_valid_tables(&run);
    let shown = stdout(&mut sim(folder.path(), "show results/100_prosumers"));
    assert!(shown.contains("Without results: case ") && !shown.contains("The market was closed"), "{shown}");
    sim(folder.path(), "show results/100_prosumers --case 2").assert().code(2);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_valid_files_and_exits_with_1() {
    for (signal, more) in [("-INT", ""), ("-TERM", " --jobs 2"), ("-HUP", " --format csv")] {
        let (folder, output) = stop_with(signal, more, |_| {});
        assert_eq!(output.status.code(), Some(1), "{signal}");
        let run = folder.path().join("results/100_prosumers/latest");
        assert_eq!(status(&run), "interrupted", "{signal}");
        assert_valid_tables(&run);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("\n`sim resume results/100_prosumers/"), "{signal}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_fails_is_a_warning() {
    let folder = checkout();
    let run = format!("{} scenarios/100_prosumers.ron --set population=60 --set mu=1", env!("CARGO_BIN_EXE_sim"));
    let run = started(folder.path(), &run);
    let latest = folder.path().join("results/100_prosumers/latest");
    fs::create_dir(latest.join("report.html")).expect("a folder where the page is to be");
    let output = run.wait_with_output().expect("the run ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the report was not made") && stderr.contains("report.html"), "{stderr}");
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(status(&latest), "finished");
    assert_valid_tables(&latest);
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_a_run_at_once() {
    let folder = checkout();
    let run = started(folder.path(), &long_run());
    send("-TERM", &run);
    // By now the first has been heeded, and there is still much to do: the report takes longer.
    thread::sleep(Duration::from_millis(50));
    send("-HUP", &run);
    let output = run.wait_with_output().expect("the run ends");
    assert_eq!(output.status.code(), Some(1));
    let run = folder.path().join("results/100_prosumers/latest");
    assert!(["unfinished", "interrupted"].contains(&status(&run).as_str()), "{}", status(&run));
    assert!(!run.join("report.html").exists());
}

#[cfg(unix)]
#[test]
fn how_to_resume_is_told_before_the_report_is_drawn() {
    let folder = checkout();
    let mut run = started(folder.path(), &long_run());
    send("-TERM", &run);
    let stderr = io::BufReader::new(run.stderr.take().expect("it is piped"));
    let line = stderr.lines().map_while(Result::ok).find(|line| line.starts_with("`sim resume "));
    assert!(line.is_some_and(|line| line.contains("results/100_prosumers/")));
    // The report is still to come, and takes longer than this.
    send("-TERM", &run);
    assert_eq!(run.wait().expect("the run ends").code(), Some(1));
    let latest = folder.path().join("results/100_prosumers/latest");
    assert_eq!(status(&latest), "interrupted");
    assert!(!latest.join("report.html").exists());
    assert_valid_tables(&latest);
}

#[cfg(unix)]
#[test]
fn whenever_a_report_is_stopped_page_and_figures_are_whole() {
    let folder = checkout();
    let run = stdout(&mut sim(folder.path(), "scenarios/5_prosumers.ron -q --set mu=1"));
    let run = folder.path().join(run.trim());
    let files = || {
        let figures =
            fs::read_dir(run.join("figures")).expect("there are figures").map(|file| file.expect("a figure").path());
        let paths = figures.chain([run.join("report.html"), run.join("manifest.json")]);
        paths
            .map(|path| (fs::read(&path).expect("a file"), path))
            .map(|(bytes, path)| (path, bytes))
            .collect::<BTreeMap<_, _>>()
    };
    let whole = files();
    assert!(whole.len() > 20, "{:?}", whole.keys());
    let mut stopped = 0;
    for pause in (0..12).map(|n| Duration::from_millis(n * n * 20)) {
        let mut report = std::process::Command::new(env!("CARGO_BIN_EXE_sim"));
        let mut report = report.arg("report").arg(&run).stdout(Stdio::null()).spawn().expect("the program starts");
        thread::sleep(pause);
        let gone = report.try_wait().expect("it can be asked").is_some();
        if !gone {
            send("-TERM", &report);
        }
        stopped += usize::from(!report.wait().expect("it ends").success());
        let mut left = files();
        left.retain(|path, _| path.extension().is_none_or(|ending| ending != "new"));
        let differ: Vec<_> =
            whole.iter().filter(|(path, bytes)| left.get(*path) != Some(*bytes)).map(|(path, _)| path).collect();
        assert!(differ.is_empty() && left.len() == whole.len(), "after {pause:?}: {differ:?}");
    }
    assert!(stopped > 0, "no report was stopped");
    sim(&run, "report .").assert().success();
    assert!(files() == whole, "nothing is left beside them");
    fs::remove_dir_all(run.join("figures")).expect("the figures are removed");
    fs::write(run.join("figures"), "in the way").expect("a file is written");
    let output = sim(&run, "report .").assert().code(1).get_output().clone();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("figures: there is a file where a folder is to be: move it"), "{said}");
    assert_eq!(fs::read(run.join("report.html")).expect("the page"), whole[&run.join("report.html")]);
}

#[cfg(unix)]
#[test]
fn a_run_whose_readers_are_gone_ends_as_any_other() {
    let folder = checkout();
    let mut run = started(folder.path(), &format!("{} -v", long_run()));
    // As when a terminal is closed, nothing can be said any more.
    drop(run.stderr.take());
    send(if cfg!(target_os = "linux") { "-HUP" } else { "-TERM" }, &run);
    assert_eq!(run.wait().expect("the run ends").code(), Some(1));
    assert_eq!(status(&folder.path().join("results/100_prosumers/latest")), "interrupted");
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_to_live_on_when_its_terminal_closes_does() {
    let folder = checkout();
    let program = env!("CARGO_BIN_EXE_sim");
    let run = format!("env --ignore-signal=HUP {program} scenarios/100_prosumers.ron --set population=60 --set mu=1");
    let run = started(folder.path(), &run);
    send("-HUP", &run);
    assert!(run.wait_with_output().expect("the run ends").status.success());
    assert_eq!(status(&folder.path().join("results/100_prosumers/latest")), "finished");
}

#[cfg(unix)]
#[test]
fn why_a_run_ended_is_told_even_where_its_manifest_cannot_be_written() {
    let (_folder, output) = stop_with("-INT", "", |folder| {
        fs::remove_dir_all(folder.join("results")).expect("the results are removed");
    });
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("error: interrupted") && stderr.contains("the manifest does not tell"), "{stderr}");
}

#[test]
fn help_teaches_with_examples_and_knobs() {
    let folder = checkout();
    let help = stdout(&mut sim(folder.path(), "--help"));
    for taught in ["Examples:", "--set delay=200ms", "block_timeout", "sim resume", "--jobs", "Exit codes"] {
        assert!(help.contains(taught), "{help}");
    }
}
