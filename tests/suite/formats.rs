//! Large tables hold the same in every format, whatever ends the run and however it is spread.

use crate::support::written;
use assert_cmd::Command;
use microgrid_sim::{
    record::{ConvergenceRow, Format, ProsumerRow, Recorder, Row, Run, SlotRow, Status, TradeRow},
    runtime::Shards,
    scenario::Plan,
    study::{self, Options},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, SystemTime},
};

/// A sweep of 12 short cases.
fn sweep(record: &str) -> String {
    format!(
        r#"Scenario(
            name: "sweep",
            market: (slots: 12, open: (10, 12), gate_closure: "1min"),
            population: Synthetic(count: 12, pv_share: 0.6, load_kw: Constant(1.0)),
            network: (delay: Uniform(min: "1ms", max: "300ms"), loss: 0.05, jitter: 0.2),
            ledger: (posts: Last),
            record: {record},
            vary: {{"mu": [0.0, 1.0]}},
            replicates: 6,
        )"#
    )
}

/// Runs a plan with so many jobs and shards and leaves its results under `root`.
fn run(plan: &Plan, format: Format, jobs: usize, shards: usize, root: &Path) -> PathBuf {
    let recorder =
        Recorder::create_as(format, root, plan, SystemTime::UNIX_EPOCH, String::new()).expect("a new folder");
    let options = Options { jobs: NonZero::new(jobs), shards: Some(Shards::Fixed(shards)), ..Options::default() };
    let (recorder, result) = study::run(plan, recorder, &options, |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    recorder.finish(Status::Finished, Duration::ZERO).expect("the run is written")
}

/// What a run leaves but its manifest and its database.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(run).expect("a run").map(|entry| entry.expect("an entry"));
    let name = |path: &Path| path.file_name().expect("a name").display().to_string();
    let files = entries.map(|entry| entry.path()).map(|path| (name(&path), fs::read(&path).expect("a file")));
    files.filter(|(name, _)| !["manifest.json", "ledger.db"].contains(&name.as_str())).collect()
}

fn rows<R: Row>(run: &Path) -> Vec<R> {
    Run::open(run).expect("a run").rows().expect("a table").map(|row| row.expect("a row")).collect()
}

#[test]
fn parquet_holds_what_csv_holds_whatever_the_jobs_and_shards() {
    let root = tempfile::tempdir().unwrap();
    let plan = written(&sweep("Full"), "");
    let csv = run(&plan, Format::Csv, 2, 1, root.path());
    let parquet = run(&plan, Format::Parquet, 1, 1, root.path());
    assert_eq!(rows::<ProsumerRow>(&csv), rows::<ProsumerRow>(&parquet));
    assert_eq!(rows::<TradeRow>(&csv), rows::<TradeRow>(&parquet));
    let convergence = rows::<ConvergenceRow>(&parquet);
    assert!(convergence.len() > 1_000 && convergence == rows::<ConvergenceRow>(&csv));
    let expected = files(&parquet);
    for (jobs, shards) in [(1, 3), (30, 2)] {
        assert!(
            files(&run(&plan, Format::Parquet, jobs, shards, root.path())) == expected,
            "{jobs} jobs, {shards} shards"
        );
    }
}

fn sim(arguments: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

/// Starts the sweep with large tables as Parquet, and ends it by this signal once some of its slots are closed.
#[cfg(unix)]
fn stopped_by(signal: &str, folder: &Path) -> PathBuf {
    fs::write(folder.join("sweep.ron"), sweep("Full")).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["sweep.ron", "--format", "parquet", "--jobs", "1", "-q", "--no-report"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let latest = folder.join("results/sweep/latest");
    while fs::read_to_string(latest.join("slots.csv")).map_or(0, |text| text.lines().count()) < 1 + 12 + 10 {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended by itself");
        thread::sleep(Duration::from_millis(1));
    }
    let kill = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill command").success());
    assert!(!child.wait().expect("it ends").success());
    latest
}

#[cfg(unix)]
#[test]
fn parquet_is_whole_after_an_interruption_and_the_same_as_ever_after_resuming() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let expected = files(&run(&written(&sweep("Full"), ""), Format::Parquet, 2, 1, &folder.join("whole")));
    for signal in ["-INT", "-KILL"] {
        let latest = stopped_by(signal, folder);
        let mut show = sim("show results/sweep --slot 11 --case 1", folder);
        if signal == "-INT" {
            let slots: BTreeSet<_> = rows::<SlotRow>(&latest).iter().map(|row| (row.case, row.slot)).collect();
            let prosumers = rows::<ProsumerRow>(&latest);
            assert_eq!(prosumers.len(), 12 * slots.len());
            assert!(prosumers.iter().all(|row| slots.contains(&(row.case, row.slot))));
            let games: BTreeSet<_> = rows::<ConvergenceRow>(&latest).iter().map(|row| (row.case, row.slot)).collect();
            assert!(slots.iter().all(|at| at.1 < 10 || games.contains(at)));
            show.assert().success();
        } else {
            let output = show.assert().code(2).get_output().clone();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("is made when the run ends: finish it with `sim resume`"), "{said}");
        }
        sim("resume results/sweep -q --no-report", folder).assert().success();
        assert!(files(&latest) == expected, "{signal}");
        fs::remove_dir_all(folder.join("results")).unwrap();
    }
}

#[test]
fn a_summary_is_shown_by_its_combinations_and_says_what_it_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = run(&written(&sweep("Summary"), ""), Format::Csv, 2, 1, &folder.join("results"));
    assert_eq!(
        files(&run).into_keys().collect::<Vec<_>>(),
        ["kpis.json", "ledger.csv", "paired.csv", "scenario.ron", "schema.json", "summary.csv"]
    );
    let shown = sim("show results/sweep", folder).assert().success().get_output().stdout.clone();
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("± 95 %") && shown.contains("\nNo slots were recorded: the scenario has `record: Summary`.\n")
    );
    for wanted in ["--case 2", "--slot 11", "--case 2 --slot 11"] {
        let output = sim(&format!("show results/sweep {wanted}"), folder).assert().code(2).get_output().clone();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("slots.csv was not recorded: its scenario has `record: Summary`"), "{said}");
    }
    let output = sim("ledger verify results/sweep", folder).assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&output.stderr).contains("keeps no ledger: its scenario has `record: Summary`"));
}
