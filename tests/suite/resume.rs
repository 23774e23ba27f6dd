//! A case that is ended between two of its slots goes on there, and leaves what it would have left had it never been ended.

use crate::{
    support::{sim, written},
    sweep::{Files, assert_same, files, run},
};
use microgrid_agents::{
    ids::ActorId,
    streams::{Purpose, stream},
};
use microgrid_sim::{
    record::{Recorder, Run, Status},
    runtime::Shards,
    scenario::Plan,
    study::{self, Options, StudyError},
};
use rand::RngExt;
use rusqlite::{Connection, types::Value};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

/// A short day from ten o'clock on, with a market in all but its first and its last slot.
fn day(mechanism: &str, record: &str, more: &str) -> String {
    format!(
        r#"Scenario(
            name: "day",
            market: (mechanism: {mechanism}, slots: 6, starts_at: "10h", open: (2, 5), gate_closure: "5min"),
            population: Synthetic(count: 7, pv_share: 0.6),
            storage: (capacity_kwh: 4, power_kw: 2),
            record: {record}, {more}
        )"#
    )
}

const MECHANISMS: [&str; 5] = [
    "TwoLevelGame",
    "Negotiation()",
    "SupplyDemandRatio",
    r#"UniformPriceAuction(every: "1min")"#,
    "ContinuousDoubleAuction",
];

#[expect(clippy::disallowed_methods, reason = "how long the program takes says when to kill it")]
fn now() -> Instant {
    Instant::now()
}

/// Starts the program, and ends it by SIGKILL after so long; says from which slot on it went on, unless it had ended before.
fn killed_after(arguments: &[&str], folder: &Path, after: Duration) -> Option<u64> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stderr = child.stderr.take().expect("it has a pipe");
    let said = thread::spawn(|| std::io::read_to_string(stderr).expect("it says something"));
    thread::sleep(after);
    child.kill().expect("it can be killed");
    let killed = !child.wait().expect("it ends").success();
    let said = said.join().unwrap();
    let slots = said.split_once("slots_of_the_next=").unwrap_or_else(|| panic!("{said}")).1;
    let digits = slots.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(slots.len());
    killed.then(|| slots[..digits].parse().unwrap())
}

/// All rows of a run's ledger.
fn rows(run: &Path) -> BTreeMap<&'static str, Vec<Vec<Value>>> {
    let Some(ledger) = Some(run.join("ledger.db")).filter(|path| path.exists()) else { return BTreeMap::new() };
    let ledger = Connection::open(ledger).unwrap();
    let tables = [("blocks", "1, 2, 3"), ("transactions", "1, 2, 3, 4"), ("facts", "1, 2, 3"), ("checkpoints", "1")];
    let read = |(table, order): (&'static str, &str)| {
        let mut query = ledger.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        let rows = query.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
        (table, rows)
    };
    tables.map(read).into()
}

const SHARDS: [Shards; 4] = [Shards::Fixed(1), Shards::Fixed(3), Shards::PerActor, Shards::Fixed(2)];

/// Goes on with the run in `folder`, or begins it, until so many more slots are closed; says how many slots it had from before,
/// and whether it is finished.
fn go_on(plan: &Plan, root: &Path, folder: &mut Option<PathBuf>, more: u64, shards: Shards, jobs: usize) -> (u64, bool) {
    let recorder = match folder {
        None => Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new()),
        Some(folder) => Recorder::resume(&Run::open(folder).unwrap(), plan),
    };
    let recorder = recorder.unwrap_or_else(|error| panic!("{error}"));
    let (interrupted, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let options =
        Options { shards: Some(shards), jobs: NonZero::new(jobs), interrupted: Arc::clone(&interrupted) };
    let had = Arc::clone(&kept);
    let (recorder, result) = study::run(plan, recorder, &options, move |at| {
        had.store(at.slots_kept, Ordering::Relaxed);
        interrupted.store(at.slots_done >= at.slots_kept + more, Ordering::Relaxed);
    });
    let status = match result {
        Ok(()) => Status::Finished,
        Err(StudyError::Interrupted) => Status::Interrupted,
        Err(error) => panic!("{error}"),
    };
    let finished = status == Status::Finished;
    *folder = Some(recorder.finish(status, Duration::ZERO).unwrap());
    (kept.load(Ordering::Relaxed), finished)
}

/// What a run leaves that is left alone.
fn left_alone(plan: &Plan, root: &Path) -> (Files, BTreeMap<&'static str, Vec<Vec<Value>>>) {
    let whole = run(plan, 1, &root.join("whole"));
    (files(&whole), rows(&whole))
}

/// Ends a run after each of its slots, with other shards each time, and compares what it leaves; returns how many slots it had
/// each time that it went on.
fn slot_by_slot(text: &str) -> Vec<u64> {
    let root = tempfile::tempdir().unwrap();
    let plan = written(text, "");
    let (expected, chains) = left_alone(&plan, root.path());
    let (mut folder, mut kept) = (None, Vec::new());
    for shards in SHARDS.into_iter().cycle().take(40) {
        let (had, finished) = go_on(&plan, root.path(), &mut folder, 1, shards, 1);
        kept.push(had);
        let folder = folder.as_ref().unwrap();
        assert_eq!(folder.join("snapshot.bin").exists(), !finished && (had > 0 || kept.len() == 1), "{kept:?}");
        if finished {
            assert_same(&expected, folder);
            assert!(rows(folder) == chains, "the rows of the ledger differ");
            return kept;
        }
    }
    panic!("{kept:?}")
}

#[test]
fn every_mechanism_goes_on_behind_any_slot() {
    for mechanism in MECHANISMS {
        assert_eq!(slot_by_slot(&day(mechanism, "Full", "")), [0, 1, 2, 3, 4, 5, 6], "{mechanism}");
    }
}

#[test]
fn whatever_is_recorded_a_case_goes_on() {
    for record in ["Slots", "Summary"] {
        assert_eq!(slot_by_slot(&day("TwoLevelGame", record, "")), [0, 1, 2, 3, 4, 5, 6], "{record}");
    }
}

#[test]
fn whoever_acts_by_a_clock_of_its_own_or_on_news_goes_on() {
    for activation in [
        r#"Independent(period: "1s", jitter: 0.3)"#,
        r#"Poisson(period: "1s")"#,
        r#"Reactive(min_interval: "200ms")"#,
    ] {
        let more = format!(r#"activation: {activation}, ledger: (posts: Last), learning: (tolerance: 1e-4)"#);
        assert_eq!(slot_by_slot(&day("TwoLevelGame", "Full", &more)), [0, 1, 2, 3, 4, 5, 6], "{activation}");
    }
}

#[test]
fn a_case_goes_on_where_messages_take_no_time_and_every_block_is_on_disk() {
    for more in [r#"network: (delay: Constant("0s"))"#, "ledger: (durability: Block)", "ledger: (signatures: Everything)"] {
        assert_eq!(slot_by_slot(&day("TwoLevelGame", "Full", more)), [0, 1, 2, 3, 4, 5, 6], "{more}");
    }
}

#[test]
fn of_several_cases_the_one_whose_turn_it_is_goes_on() {
    let text = day("TwoLevelGame", "Full", r#"vary: {"mu": [0.0, 0.5, 1.0]}"#);
    let root = tempfile::tempdir().unwrap();
    let plan = written(&text, "");
    let (expected, chains) = left_alone(&plan, root.path());
    for jobs in [1, 2, 3] {
        let (mut folder, mut in_the_middle) = (None, 0);
        for shards in SHARDS.into_iter().cycle().take(40) {
            let (had, finished) = go_on(&plan, root.path(), &mut folder, 4, shards, jobs);
            in_the_middle += usize::from(had % 6 > 0);
            if finished {
                break;
            }
        }
        let folder = folder.unwrap();
        assert_same(&expected, &folder);
        assert!(rows(&folder) == chains && in_the_middle > 1, "{in_the_middle} times, {jobs} jobs");
    }
}

/// How often a run of one case is killed.
const KILLS: usize = 5;

#[test]
fn a_single_case_that_is_killed_at_any_moment_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let text = day("TwoLevelGame", "Full", r#"learning: (tolerance: 1e-4)"#).replace("slots: 6", "slots: 400");
    let text = text.replace("open: (2, 5)", "open: (1, 400)");
    fs::write(root.path().join("day.ron"), text).unwrap();
    let started = now();
    sim(root.path(), "day.ron -q --no-report --out whole").assert().success();
    let takes = started.elapsed();
    let folder = |out: &str| Run::open(&root.path().join(out).join("day")).unwrap().folder().canonicalize().unwrap();
    let (expected, chains) = (files(&folder("whole")), rows(&folder("whole")));
    let mut random = stream(5, ActorId(0), Purpose::Behaviour);
    let mut arguments = vec!["day.ron", "-v", "--no-report", "--out", "killed"];
    let mut kept = Vec::new();
    for shards in ["1", "3", "2"].iter().cycle().take(KILLS) {
        // A snapshot a second, of what may be no more than a few.
        let after = Duration::from_millis(1200) + takes.mul_f64(random.random::<f64>() / KILLS as f64);
        let told = killed_after(&[&arguments[..], &["--shards", shards]].concat(), root.path(), after);
        kept.extend(told);
        arguments = vec!["resume", "killed/day", "-v", "--no-report"];
    }
    sim(root.path(), "resume killed/day -q --no-report").assert().success();
    assert_same(&expected, &folder("killed"));
    assert!(rows(&folder("killed")) == chains, "the rows of the ledger differ");
    println!("{takes:?} {kept:?}");
    assert!(kept.len() == KILLS && kept.iter().filter(|&&slots| slots > 0).count() > KILLS / 2, "{kept:?}");
}

#[test]
fn a_case_goes_on_under_loss_duplication_crashes_and_partitions() {
    let network = |conditions: &str| {
        format!(
            r#"network: (delay: Uniform(min: "1ms", max: "300ms"), loss: 0.05, duplication: 0.05, jitter: 0.2,
            groups: {{"some": Prosumers([2, 3])}}, conditions: [{conditions}]), learning: (tolerance: 1e-4),"#
        )
    };
    let conditions = [
        "",
        r#"(at: "3s", lasting: "20s", every: "1h", what: Crash(who: Group("some"), memory: Lost))"#,
        r#"(at: "3s", lasting: "20s", every: "1h", what: Crash(who: Group("some"), memory: Kept))"#,
        r#"(at: "50min", lasting: "30min", every: "1h", what: Crash(who: Group("some"), memory: Lost))"#,
        r#"(at: "10s", lasting: "1min", every: "1h", what: Crash(who: Ledger))"#,
        r#"(at: "10s", lasting: "1min", every: "1h", what: Partition(from: Group("some"), to: Everybody))"#,
    ];
    for (n, mechanism) in MECHANISMS.iter().enumerate() {
        for conditions in &conditions[..if n == 0 { 6 } else { 2 }] {
            let kept = slot_by_slot(&day(mechanism, "Full", &network(conditions)));
            assert!(kept.is_sorted() && *kept.last().unwrap() > 2, "{mechanism}, {conditions}: {kept:?}");
            println!("{mechanism} {conditions} {kept:?}");
        }
    }
}
