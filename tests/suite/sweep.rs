//! Sweeps come to the same results however many cases run at a time, whenever they are ended and however often they are
//! resumed.

use crate::support::written;
use assert_cmd::Command;
use microgrid_agents::{
    ids::ActorId,
    streams::{Purpose, stream},
};
use microgrid_sim::{
    prelude::*,
    record::{Recorder, Run, Status},
    scenario::{self, Overrides, Plan},
    study::{self, Options, StudyError},
};
use rand::RngExt;
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant, SystemTime},
};
use tempfile::TempDir;

/// Name under which the exported chains stand among a run's files.
const CHAINS: &str = "exported chains";

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A sweep of 36 short cases.
fn sweep(record: &str) -> String {
    format!(
        r#"Scenario(
            name: "sweep",
            market: (slots: 3, open: (1, 3), slot_length: "2min", gate_closure: "1min"),
            population: Synthetic(count: 4, pv_share: 0.6, load_kw: Constant(1.0)),
            network: (delay: Uniform(min: "1ms", max: "300ms"), loss: 0.05, jitter: 0.2),
            ledger: (posts: Last),
            learning: (tolerance: 1e-4),
            record: {record},
            vary: {{"mu": [0.0, 0.5, 1.0], "price_step": [0.2, "Scaled(0.5)", Fixed(0.05)]}},
            replicates: [2023, 7, 11, 9223372036854775809],
        )"#
    )
}

fn sim(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(folder);
    command
}

/// What a run leaves but its manifest and its database, and the chains of that, which have to verify.
pub(crate) fn files(run: &Path) -> Files {
    let entries = fs::read_dir(run).expect("a run").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").display().to_string();
    // Who is killed between its last two steps leaves a finished run with its journal.
    let others = ["manifest.json", "ledger.db", "progress.json"];
    let mut files: Files = entries
        .filter(|path| path.is_file() && !others.iter().any(|other| path.ends_with(other)))
        .map(|path| (name(&path), fs::read(&path).expect("a file")))
        .collect();
    if run.join("ledger.db").exists() {
        sim(&["ledger", "verify", "."], run).assert().success();
        let export = sim(&["ledger", "export", "."], run).assert().success();
        files.insert(CHAINS.to_owned(), export.get_output().stdout.clone());
    }
    files
}

#[track_caller]
pub(crate) fn assert_same(expected: &Files, run: &Path) {
    let found = files(run);
    let names: Vec<_> = found.keys().collect();
    assert!(expected.keys().eq(found.keys()), "{names:?}");
    let different: Vec<_> = expected.iter().filter(|(name, bytes)| found[*name] != **bytes).collect();
    assert!(different.is_empty(), "{:?} differ", different.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert!(!run.join("cases").exists());
}

/// Runs a plan with so many jobs and leaves its results under `root`.
pub(crate) fn run(plan: &Plan, jobs: usize, root: &Path) -> PathBuf {
    let recorder = Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new())
        .expect("a new folder");
    let options = Options { jobs: NonZero::new(jobs), ..Options::default() };
    let (recorder, result) = study::run(plan, recorder, &options, |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    recorder.finish(Status::Finished, Duration::ZERO).expect("the run is written")
}

#[test]
fn any_number_of_jobs_leaves_the_same_files() {
    let root = tempfile::tempdir().unwrap();
    let plan = written(&sweep("Full"), "");
    let expected = files(&run(&plan, 1, root.path()));
    assert!(expected.contains_key(CHAINS) && expected.contains_key("paired.csv"), "{:?}", expected.keys());
    assert_eq!(expected["slots.csv"].iter().filter(|&&byte| byte == b'\n').count(), 1 + 36 * 3);
    assert_eq!(expected["summary.csv"].iter().filter(|&&byte| byte == b'\n').count(), 1 + 9);
    for jobs in [2, 5, 100] {
        assert_same(&expected, &run(&plan, jobs, root.path()));
    }
}

/// A cell of a row as a number; empty is `None`.
fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    (!row[column].is_empty()).then(|| row[column].parse().expect("a number"))
}

fn rows(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(file).into_deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn differences_are_those_of_the_slots_paired_by_seed() {
    let root = tempfile::tempdir().unwrap();
    // At noon, when there is something to sell.
    let noon = sweep("Slots").replacen("slots: 3,", "slots: 3, starts_at: \"12h\",", 1);
    let files = files(&run(&written(&noon, ""), 2, root.path()));
    let slots: Vec<_> = rows(&files["slots.csv"]).into_iter().filter(|row| row["outcome"] != "NoMarket").collect();
    // Case by case, from the slots alone: the parts of a mean, or of a ratio of totals.
    let total = |case: usize, part: &dyn Fn(&BTreeMap<String, String>) -> f64| -> f64 {
        slots.iter().filter(|row| row["case"] == case.to_string()).map(part).sum()
    };
    let of = |measure: &str, case: usize| -> f64 {
        let number = |column: &'static str| move |row: &BTreeMap<String, String>| number(row, column).unwrap_or(0.0);
        let (above, below) = match measure {
            "welfare_cny" => (total(case, &number("welfare_cny")), total(case, &|_| 1.0)),
            "messages_per_kwh" => (total(case, &number("messages")), total(case, &number("traded_kwh"))),
            "share_in_equilibrium" => {
                (total(case, &|row| f64::from(u8::from(row["outcome"] == "Equilibrium"))), total(case, &|_| 1.0))
            }
            "price_mean_cny_per_kwh" => {
                let (price, traded) = (number("price_mean_cny_per_kwh"), number("traded_kwh"));
                (total(case, &|row| price(row) * traded(row)), total(case, &traded))
            }
            "time_to_equilibrium_restricted_s" => {
                let settled =
                    |row: &BTreeMap<String, String>| self::number(row, "time_to_equilibrium_s").unwrap_or(60.0);
                (total(case, &settled), total(case, &|_| 1.0))
            }
            other => panic!("no {other}"),
        };
        above / below
    };
    // Cases are numbered mu by mu, in it price step by price step, in it seed by seed.
    let (mu, steps, seeds) = (["0", "0.5", "1"], ["0.2", "Scaled(0.5)", "Fixed(0.05)"], 4);
    // Numbers have a point throughout.
    let place = |values: &[&str], value: &str| values.iter().position(|known| *known == value.trim_end_matches(".0"));
    let mut checked = 0;
    for row in rows(&files["paired.csv"]) {
        let measure = row["measure"].as_str();
        if !["welfare_cny", "messages_per_kwh", "share_in_equilibrium", "price_mean_cny_per_kwh"].contains(&measure)
            && measure != "time_to_equilibrium_restricted_s"
        {
            continue;
        }
        let turns_mu = row["knob"] == "mu";
        let values: &[&str] = if turns_mu { &mu } else { &steps };
        let [from, to] = ["from", "to"].map(|end| place(values, &row[end]).expect("a value of the knob"));
        let other = if turns_mu { place(&steps, &row["price_step"]) } else { place(&mu, &row["mu"]) };
        let others = other.map_or_else(|| (0..3).collect::<Vec<_>>(), |other| vec![other]);
        assert_eq!(row["combinations"], others.len().to_string());
        let case = |value: usize, other: usize, seed: usize| {
            1 + seed + seeds * if turns_mu { 3 * value + other } else { 3 * other + value }
        };
        let difference = |seed: usize| {
            let of = |other: &usize| of(measure, case(to, *other, seed)) - of(measure, case(from, *other, seed));
            others.iter().map(of).sum::<f64>() / others.len() as f64
        };
        let differences: Vec<f64> = (0..seeds).map(difference).filter(|difference| difference.is_finite()).collect();
        let count = differences.len() as f64;
        assert_eq!(row["count"], differences.len().to_string(), "{row:?}");
        // One of the populations has nobody to buy. Student's t is that of two or three degrees of freedom.
        let t = [4.302_653, 3.182_446];
        if let Some(t) = differences.len().checked_sub(3).map(|more| t[more]) {
            let mean = differences.iter().sum::<f64>() / count;
            let variance = differences.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / (count - 1.0);
            let expected = [mean, variance.sqrt(), t * (variance / count).sqrt()];
            let found = ["mean", "sd", "ci95"].map(|column| number(&row, column).expect("it is defined"));
            let near = |(found, expected): (&f64, &f64)| (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3);
            assert!(found.iter().zip(&expected).all(near), "{row:?} and not {expected:?}");
            checked += 1;
        }
    }
    // Three pairs of each knob, with each value of the other and over all of them.
    assert!(checked >= 4 * 2 * 3 * 4, "{checked} rows were checked");
}

#[test]
fn recording_less_changes_nothing_in_what_is_recorded() {
    let root = tempfile::tempdir().unwrap();
    let full = files(&run(&written(&sweep("Full"), ""), 2, root.path()));
    for jobs in [1, 3] {
        let mut slots = files(&run(&written(&sweep("Slots"), ""), jobs, root.path()));
        for of_the_record in ["scenario.ron", "schema.json"] {
            slots.remove(of_the_record);
        }
        let only_full =
            ["scenario.ron", "schema.json", "prosumers.csv", "trades.csv", "convergence.csv", "clearings.csv", CHAINS];
        assert!(slots.keys().eq(full.keys().filter(|name| !only_full.contains(&name.as_str()))), "{:?}", slots.keys());
        for (name, bytes) in slots {
            assert!(full[&name] == bytes, "{name} differs");
        }
    }
}

#[test]
fn progress_counts_all_slots_and_cases_of_all_jobs() {
    let plan = written(&sweep("Slots"), "");
    for jobs in [1, 2] {
        let root = tempfile::tempdir().unwrap();
        let recorder =
            Recorder::create_as(Default::default(), root.path(), &plan, SystemTime::UNIX_EPOCH, String::new()).unwrap();
        let (sender, told) = std::sync::mpsc::channel();
        let options = Options { jobs: NonZero::new(jobs), ..Options::default() };
        let (_, result) = study::run(&plan, recorder, &options, move |progress| sender.send(progress).unwrap());
        result.unwrap();
        let told: Vec<_> = told.iter().collect();
        assert!(told.windows(2).all(|pair| pair[0].slots_done <= pair[1].slots_done));
        assert!(told.iter().all(|told| (told.cases, told.slots) == (36, 108)));
        let first = told[0];
        assert_eq!((first.cases_done, first.slots_done), (0, 0));
        let last = told.last().unwrap();
        assert_eq!((last.cases_done, last.slots_done), (36, 108));
    }
}

#[test]
fn studies_may_run_in_the_pool_that_their_cases_ask_for_work() {
    let (sender, ended) = std::sync::mpsc::channel();
    // As many as keep all threads of the pool busy, and more.
    thread::spawn(move || {
        let plan = written(&sweep("Full"), "");
        let root = tempfile::tempdir().unwrap();
        let studies = (0..2 * rayon::current_num_threads()).into_par_iter();
        let runs: Vec<_> = studies.map(|n| run(&plan, 1 + n % 2, &root.path().join(n.to_string()))).collect();
        let expected = files(&runs[0]);
        runs.iter().for_each(|run| assert_same(&expected, run));
        sender.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(300)).expect("no study waits for a thread that waits for it");
}

/// The run's folder under `out`, if it has a manifest and so can be resumed.
fn left(out: &Path) -> Option<PathBuf> {
    let runs = fs::read_dir(out.join("sweep")).ok()?.map(|entry| entry.expect("an entry").path());
    runs.filter(|path| !path.is_symlink()).find(|path| path.join("manifest.json").exists())
}

/// Starts the program, and ends it by SIGKILL after so long, unless it has ended before; says whether it was killed.
pub(crate) fn killed_after(arguments: &[&str], folder: &Path, after: Duration) -> bool {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    thread::sleep(after);
    child.kill().expect("it can be killed");
    !child.wait().expect("it ends").success()
}

#[expect(clippy::disallowed_methods, reason = "how long the program takes says when to kill it")]
fn now() -> Instant {
    Instant::now()
}

/// How often the sweep is killed, not counting how often it is killed again when it is resumed.
const KILLS: u32 = 20;

#[test]
fn a_sweep_that_is_killed_at_any_moment_and_resumed_is_the_one_that_was_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Full")).unwrap();
    let started = now();
    sim(&["sweep.ron", "-q", "--no-report", "--jobs", "2", "--out", "whole"], folder).assert().success();
    let takes = started.elapsed();
    let expected = files(&left(&folder.join("whole")).unwrap());

    let mut random = stream(4, ActorId(0), Purpose::Behaviour);
    let (mut killed, mut again) = (0, 0);
    for n in 0..KILLS {
        let out = format!("out-{n}");
        let jobs = ["1", "2", "3"][n as usize % 3];
        let mut moment = || takes.mul_f64(random.random::<f64>());
        killed += u32::from(killed_after(
            &["sweep.ron", "-q", "--no-report", "--jobs", jobs, "--out", &out],
            folder,
            moment(),
        ));
        // One that was killed before it had a manifest has nothing to resume.
        let Some(run) = left(&folder.join(&out)) else { continue };
        let path = run.display().to_string();
        for jobs in ["2", "1"] {
            again +=
                u32::from(killed_after(&["resume", &path, "-q", "--no-report", "--jobs", jobs], folder, moment() / 2));
        }
        sim(&["resume", &path, "-q", "--no-report"], folder).assert().success();
        assert_same(&expected, &run);
        assert_eq!(Run::open(&run).unwrap().manifest().status, Status::Finished);
        fs::remove_dir_all(folder.join(&out)).unwrap();
    }
    assert!(killed >= KILLS / 3 && again >= KILLS / 6, "killed {killed} times and {again} times when resumed");
}

#[test]
fn an_interrupted_sweep_keeps_complete_cases_says_how_to_go_on_and_is_finished_by_that() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Full")).unwrap();
    let plan = scenario::load(&folder.join("sweep.ron"), &Overrides::default()).unwrap();
    let expected = files(&run(&plan, 1, &folder.join("whole")));

    let root = folder.join("results");
    let recorder =
        Recorder::create_as(Default::default(), &root, &plan, SystemTime::UNIX_EPOCH, "sim sweep.ron".into()).unwrap();
    let interrupted = Arc::new(AtomicBool::new(false));
    let options = Options { jobs: NonZero::new(2), interrupted: Arc::clone(&interrupted), ..Options::default() };
    let (recorder, result) = study::run(&plan, recorder, &options, move |progress| {
        interrupted.store(progress.cases_done >= 5, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(matches!(result, Err(StudyError::Interrupted)), "{result:?}");
    let done = recorder.done;
    assert!((1..36).contains(&done), "{done} cases are done");
    let left = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    let summary = fs::read_to_string(left.join("summary.csv")).unwrap();
    assert_eq!(summary.lines().count() as u32, 1 + done.div_ceil(4));
    let shown = sim(&["show", "results/sweep"], folder).assert().success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(shown.contains("interrupted") && shown.contains("Without results: cases "), "{shown}");

    sim(&["report", "results/sweep"], folder).assert().success();
    let drawn = || fs::read_dir(left.join("figures")).map_or(0, |figures| figures.count());
    assert!(left.join("report.html").exists() && drawn() > 0);
    let resumed = sim(&["resume", "results/sweep", "--no-report", "--jobs", "3"], folder).assert().success();
    let printed = String::from_utf8_lossy(&resumed.get_output().stdout).into_owned();
    assert!(printed.contains("36 cases, finished") && printed.lines().all(|line| line.chars().count() <= 100));
    assert_same(&expected, &left);
    // The report was of less than there is now.
    assert!(!left.join("report.html").exists() && drawn() == 0);
    let manifest = Run::open(&left).unwrap().manifest().clone();
    assert_eq!((manifest.command.as_str(), manifest.replicates), ("sim sweep.ron", 4));
    let seeds: Vec<_> = manifest.cases.iter().take(5).map(|case| case.seed).collect();
    assert_eq!(seeds, [2023, 7, 11, 9_223_372_036_854_775_809, 2023]);

    let again = sim(&["resume", "results/sweep"], folder).assert().success();
    let said = String::from_utf8_lossy(&again.get_output().stdout).into_owned();
    assert!(said.contains("is finished: there is nothing to resume; `sim report "), "{said}");
}

#[test]
fn what_cannot_be_resumed_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plan = written(&sweep("Slots"), "");
    let recorder =
        Recorder::create_as(Default::default(), &folder.join("results"), &plan, SystemTime::UNIX_EPOCH, String::new())
            .unwrap();
    let run = recorder.folder.clone();
    let refused = |said: &str| {
        let output = sim(&["resume", "results/sweep"], folder).assert().code(2).get_output().clone();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(said), "{stderr}");
    };
    refused("is still under way");
    recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    let change = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(run.join(file)).unwrap();
        assert!(text.contains(from));
        fs::write(run.join(file), text.replacen(from, to, 1)).unwrap();
    };
    change("scenario.ron", "2023, 7", "2023, 8");
    refused("scenario.ron has changed since the run began");
    change("scenario.ron", "2023, 8", "2023, 7");
    // Not the cases, but what they are made of.
    change("scenario.ron", "ramp: 0.1", "ramp: 0.2");
    refused("scenario.ron has changed since the run began");
    change("scenario.ron", "ramp: 0.2", "ramp: 0.1");
    change("manifest.json", &format!("{:?}", env!("CARGO_PKG_VERSION")), "\"0.0.1\"");
    refused("was made by version 0.0.1");
    sim(&["resume", "nowhere"], folder).assert().code(2);
}

#[test]
fn a_run_whose_last_files_cannot_be_written_is_not_finished() {
    let root = tempfile::tempdir().unwrap();
    let plan = written(&sweep("Slots"), "");
    let recorder =
        Recorder::create_as(Default::default(), root.path(), &plan, SystemTime::UNIX_EPOCH, String::new()).unwrap();
    let (recorder, result) = study::run(&plan, recorder, &Options::default(), |_| {});
    result.unwrap();
    let folder = recorder.folder.clone();
    fs::create_dir(folder.join("summary.csv")).unwrap();
    assert!(recorder.finish(Status::Finished, Duration::ZERO).is_err());
    assert_eq!(Run::open(&folder).unwrap().manifest().status, Status::Unfinished);
    fs::remove_dir(folder.join("summary.csv")).unwrap();
    let recorder = Recorder::resume(&Run::open(&folder).unwrap(), &plan).unwrap();
    let (recorder, result) = study::run(&plan, recorder, &Options::default(), |_| {});
    result.unwrap();
    recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    assert!(folder.join("summary.csv").is_file());
}

#[test]
fn a_sweep_that_fails_keeps_the_cases_before_and_goes_on_once_the_cause_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let plan = written(&sweep("Full"), "");
    let expected = files(&run(&plan, 1, root.path()));
    let recorder =
        Recorder::create_as(Default::default(), root.path(), &plan, SystemTime::UNIX_EPOCH, String::new()).unwrap();
    // Whichever case is written into a folder of its own.
    for case in 1..=36 {
        fs::create_dir_all(recorder.folder.join(format!("cases/{case}.partial"))).unwrap();
    }
    let options = Options { jobs: NonZero::new(3), ..Options::default() };
    let (recorder, result) = study::run(&plan, recorder, &options, |_| {});
    let error = result.unwrap_err().to_string();
    assert!(error.contains(".partial"), "{error}");
    assert!((1..36).contains(&recorder.done), "{} cases are done", recorder.done);
    let folder = recorder.finish(Status::Failed(error), Duration::ZERO).unwrap();
    let recorder = Recorder::resume(&Run::open(&folder).unwrap(), &plan).unwrap();
    let (recorder, result) = study::run(&plan, recorder, &options, |_| {});
    result.unwrap();
    assert_same(&expected, &recorder.finish(Status::Finished, Duration::ZERO).unwrap());
}

#[test]
fn a_run_without_trades_and_ledger_says_so_kindly() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(&written(&sweep("Slots"), ""), 2, &folder.join("results"));
    let shown = |arguments: &[&str]| {
        let output = sim(arguments, folder).assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    };
    let sweep = shown(&["show", "results/sweep"]);
    assert!(sweep.contains("Fixed(0.05)") && sweep.contains("± 95 %") && sweep.contains("summary.csv"), "{sweep}");
    assert!(sweep.lines().all(|line| line.chars().count() <= 100), "{sweep}");
    let case = shown(&["show", "results/sweep", "--case", "5"]);
    assert!(case.contains("case 5 of 36, mu = 0, price_step = Scaled(0.5), seed 2023"), "{case}");
    let slot = shown(&["show", "results/sweep", "--case", "5", "--slot", "2"]);
    assert!(slot.contains("not recorded: the scenario has `record: Slots`"), "{slot}");
    for command in ["verify", "show", "export"] {
        let output = sim(&["ledger", command, "results/sweep"], folder).assert().code(2).get_output().clone();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("keeps no ledger: its scenario has `record: Slots`"), "{stderr}");
    }
}

/// What a small market at noon comes to with each of these values.
fn swept(path: &str, values: &[&str]) -> Vec<KeyFigures> {
    let noon = r#"Scenario(name: "noon", market: (open: (12, 14), gate_closure: "2min"), storage: (capacity_kwh: 5, power_kw: 3),
        population: Synthetic(count: 8, pv_share: 0.6), learning: (tolerance: 1e-4), record: Slots)"#;
    let results = Simulation::builder().ron(noon).vary(path, values).run().unwrap_or_else(|error| panic!("{error}"));
    let cases = results.cases.into_iter().map(|case| case.key_figures);
    let cases: Vec<_> = cases.inspect(|figures| assert_eq!(figures.knobs.keys().collect::<Vec<_>>(), [path])).collect();
    assert_eq!(cases.len(), values.len());
    cases
}

#[test]
fn tariffs_fees_storages_and_demand_are_swept_by_their_paths() {
    let rises = |path: &str, values: &[&str], figure: fn(&KeyFigures) -> f64| {
        let figures: Vec<f64> = swept(path, values).iter().map(figure).collect();
        assert!(figures.is_sorted_by(|one, other| one < other), "{path}: {figures:?}");
    };
    rises("market.feed_in_tariff", &["0.2", "0.3", "0.4"], |figures| figures.all_slots.p2g_welfare_cny);
    rises("market.grid_tariff", &["0.7", "Constant(0.9)"], |figures| figures.all_slots.p2g_net_cost_cny);
    rises("market.service_fee", &["0", "0.05"], |figures| figures.totals.fees_cny);
    rises("market.service_fee", &["0.5", "0.05"], |figures| figures.totals.traded_kwh);
    rises("storage.capacity_kwh", &["1", "2", "8"], |figures| figures.totals.charged_kwh);
    rises("storage", &["None", "(capacity_kwh: 5, power_kw: 3)"], |figures| figures.totals.charged_kwh);
    rises("population.load_kw.median", &["0.5", "1", "2"], |figures| figures.totals.load_kwh);
    rises("population.pv_share", &["0", "0.5", "1"], |figures| figures.totals.generation_kwh);
    rises("preferences.demand", &["Firm", "Elastic"], |figures| {
        (figures.totals.consumption_kwh - figures.totals.load_kwh).abs()
    });
}

#[test]
fn a_run_that_varies_paths_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = sweep("Full").replace("\"mu\": [0.0, 0.5, 1.0]", "\"market.feed_in_tariff\": [0.2, 0.3]");
    let text = text.replace("replicates: [2023, 7, 11, 9223372036854775809]", "replicates: 2");
    fs::write(folder.path().join("sweep.ron"), text).unwrap();
    let set = ["--set", "storage.capacity_kwh=2,4", "--set", "storage=(capacity_kwh: 1, power_kw: 1)"];
    let run = sim(&[&["sweep.ron", "--no-report", "-q"], &set[..]].concat(), folder.path()).output().unwrap();
    assert!(!run.status.success(), "what is set again is refused");
    let set = ["--set", "storage=(capacity_kwh: 1, power_kw: 1)", "--set", "storage.capacity_kwh=2,4"];
    let run = sim(&[&["sweep.ron", "-q"], &set[..]].concat(), folder.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let run = folder.path().join(String::from_utf8_lossy(&run.stdout).trim());
    let plan = scenario::load(&run.join("scenario.ron"), &Overrides::default()).unwrap();
    assert_eq!(plan.case_count(), 24);
    assert_eq!(plan.resolved_ron(), fs::read_to_string(run.join("scenario.ron")).unwrap());
    let header = fs::read_to_string(run.join("summary.csv")).unwrap();
    assert!(
        header.lines().next().unwrap().contains("market.feed_in_tariff,price_step,storage.capacity_kwh"),
        "{header}"
    );
    let paired = fs::read_to_string(run.join("paired.csv")).unwrap();
    assert!(paired.lines().nth(1).unwrap().starts_with("price_step,"), "knobs of words come first: {paired}");
    assert!(paired.contains("\nmarket.feed_in_tariff,0.2,0.3,"), "{paired}");
    let told = sim(&["compare", run.to_str().unwrap()], folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(["market.feed_in_tariff", "storage.capacity_kwh"].iter().all(|path| told.contains(path)), "{told}");
}
