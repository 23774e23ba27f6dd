//! A case that is ended between two of its slots goes on there, and leaves what it would have left had it never been ended.

use crate::{
    support::{sim, written},
    sweep::{Files, assert_same, files, run},
};
use microgrid_agents::{
    chain::hash::Digest,
    ids::ActorId,
    streams::{Purpose, stream},
};
use microgrid_sim::{
    record::{RecordError, Recorder, Run, Status},
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

/// Starts the program, and ends it by SIGKILL so long after it has written its next snapshot; says with how many slots it
/// began, unless it had ended before.
fn killed(arguments: &[&str], folder: &Path, snapshot: &Path, after: Duration) -> Option<u64> {
    let written = || fs::metadata(snapshot).and_then(|file| file.modified()).ok();
    let before = written();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stderr = child.stderr.take().expect("it has a pipe");
    let said = thread::spawn(|| std::io::read_to_string(stderr).expect("it says something"));
    while written() == before && child.try_wait().expect("it can be asked").is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(after);
    child.kill().expect("it can be killed");
    let killed = !child.wait().expect("it ends").success();
    let said = said.join().unwrap();
    let (_, slots) = said.split_once("slots_of_the_next=")?;
    let digits = slots.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(slots.len());
    killed.then(|| slots[..digits].parse().unwrap())
}

/// All rows of a run's ledger.
pub(crate) fn rows(run: &Path) -> BTreeMap<&'static str, Vec<Vec<Value>>> {
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

pub(crate) const SHARDS: [Shards; 4] = [Shards::Fixed(1), Shards::Fixed(3), Shards::PerActor, Shards::Fixed(2)];

/// Goes on with the run in `folder`, or begins it, until so many more slots are closed; says how many slots it had from before,
/// and whether it is finished.
pub(crate) fn go_on(
    plan: &Plan,
    root: &Path,
    folder: &mut Option<PathBuf>,
    more: u64,
    shards: Shards,
    jobs: usize,
) -> (u64, bool) {
    let begin = || match &folder {
        None => Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new()),
        Some(folder) => Recorder::resume(&Run::open(folder).unwrap(), plan),
    };
    // A program that another test starts just now holds our claim to the run too, until it is the other program.
    let freed = |begun: &Result<Recorder, RecordError>| !matches!(begun, Err(RecordError::UnderWay(_)));
    let mut patiently = (0..500).map(|tries| {
        thread::sleep(Duration::from_millis(if tries > 0 { 10 } else { 0 }));
        begin()
    });
    let recorder = patiently.find(freed).expect("it is nobody's any more").unwrap();
    let (interrupted, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (shards, jobs) = (Some(shards), NonZero::new(jobs));
    let options = Options { shards, jobs, interrupted: Arc::clone(&interrupted), ..Options::default() };
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
fn sellers_that_begin_with_a_price_from_before_know_it_still() {
    for price in ["Previous", "PreviousDay"] {
        let more = format!("learning: (initial_price: {price})");
        assert_eq!(slot_by_slot(&day("TwoLevelGame", "Full", &more)), [0, 1, 2, 3, 4, 5, 6], "{price}");
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
    for activation in
        [r#"Independent(period: "1s", jitter: 0.3)"#, r#"Poisson(period: "1s")"#, r#"Reactive(min_interval: "200ms")"#]
    {
        let more = format!(r#"activation: {activation}, ledger: (posts: Last), learning: (tolerance: 1e-4)"#);
        assert_eq!(slot_by_slot(&day("TwoLevelGame", "Full", &more)), [0, 1, 2, 3, 4, 5, 6], "{activation}");
    }
}

#[test]
fn a_case_goes_on_where_messages_take_no_time_and_every_block_is_on_disk() {
    for more in
        [r#"network: (delay: Constant("0s"))"#, "ledger: (durability: Block)", "ledger: (signatures: Everything)"]
    {
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

#[test]
fn where_a_case_cannot_go_on_it_begins_anew() {
    let root = tempfile::tempdir().unwrap();
    let plan = written(&day("TwoLevelGame", "Full", ""), "");
    let (expected, chains) = left_alone(&plan, root.path());
    let other = written(&day("TwoLevelGame", "Full", "seed: 7"), "");
    let mut folder = None;
    go_on(&other, &root.path().join("other"), &mut folder, 3, Shards::Fixed(1), 1);
    let foreign = fs::read(folder.unwrap().join("snapshot.bin")).unwrap();
    let snapshot = |run: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(run.join("snapshot.bin")).unwrap();
        change(&mut bytes);
        fs::write(run.join("snapshot.bin"), bytes).unwrap();
    };
    let table = |run: &Path, change: &dyn Fn(&str) -> String| {
        let text = fs::read_to_string(run.join("trades.csv")).unwrap();
        fs::write(run.join("trades.csv"), change(&text)).unwrap();
    };
    let ledger = |run: &Path, sql: &str| {
        assert!(Connection::open(run.join("ledger.db")).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
    };
    type Harm<'a> = &'a dyn Fn(&Path);
    let harms: [(&str, u64, Harm<'_>); 9] = [
        ("nothing", 3, &|_| {}),
        ("no snapshot", 0, &|run| fs::remove_file(run.join("snapshot.bin")).unwrap()),
        ("half a snapshot", 0, &|run| snapshot(run, &|bytes| bytes.truncate(bytes.len() / 2))),
        ("that of another run", 0, &|run| snapshot(run, &|bytes| bytes.clone_from(&foreign))),
        // It says that it is whole: what is wrong is found by the actors.
        ("a snapshot of nonsense", 3, &|run| {
            snapshot(run, &|bytes| {
                let end = bytes.len();
                bytes[end - 12..].fill(0xff);
                let digest = Digest::of([&bytes[32..]]);
                bytes[..32].copy_from_slice(&digest.0);
            });
        }),
        ("a table that is too short", 0, &|run| table(run, &|text| text[..text.rfind("\n1,3,").unwrap()].to_owned())),
        ("a table with other rows", 0, &|run| table(run, &|text| text.replace("\n1,3,", "\n1,4,"))),
        ("a ledger without a block", 0, &|run| {
            ledger(run, "DELETE FROM blocks WHERE channel = 'energy' AND number = 2")
        }),
        ("another ledger", 0, &|run| ledger(run, "UPDATE blocks SET header_hash = data_hash")),
    ];
    for (what, slots, harm) in harms {
        let mut folder = None;
        go_on(&plan, root.path(), &mut folder, 3, Shards::Fixed(1), 1);
        harm(folder.as_ref().unwrap());
        assert_eq!(go_on(&plan, root.path(), &mut folder, 40, Shards::Fixed(2), 1), (slots, true), "{what}");
        let folder = folder.unwrap();
        assert_same(&expected, &folder);
        assert!(rows(&folder) == chains, "{what}");
    }
}

/// How often a run of one case is killed.
const KILLS: usize = 5;

#[test]
fn a_single_case_that_is_killed_at_any_moment_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let whole = |slots: u32| {
        let text =
            day("TwoLevelGame", "Full", "learning: (tolerance: 1e-4)").replace("slots: 6", &format!("slots: {slots}"));
        fs::write(root.path().join("day.ron"), text.replace("open: (2, 5)", &format!("open: (1, {slots})"))).unwrap();
        let (out, started) = (format!("whole-{slots}"), now());
        sim(root.path(), &format!("day.ron -q --no-report --out {out}")).assert().success();
        (started.elapsed(), root.path().join(out).join("day/latest").canonicalize().unwrap())
    };
    // As many slots as take as long as there are snapshots needed, one a second.
    let (takes, _) = whole(100);
    let (_, expected) = whole((100.0 * (KILLS + 1) as f64 / takes.as_secs_f64()).clamp(100.0, 4000.0) as u32);
    let mut random = stream(5, ActorId(0), Purpose::Behaviour);
    let mut arguments = vec!["day.ron", "-v", "--no-report", "--out", "killed"];
    let mut kept = Vec::new();
    for shards in ["1", "3", "2"].iter().cycle().take(KILLS) {
        let after = Duration::from_millis(random.random_range(0..200));
        let run = root.path().join("killed/day/latest/snapshot.bin");
        kept.extend(killed(&[&arguments[..], &["--shards", shards]].concat(), root.path(), &run, after));
        arguments = vec!["resume", "killed/day", "-v", "--no-report"];
    }
    let run = root.path().join("killed/day/latest").canonicalize().unwrap();
    sim(root.path(), "resume killed/day -q --no-report").assert().success();
    assert_same(&files(&expected), &run);
    assert!(rows(&run) == rows(&expected), "the rows of the ledger differ");
    assert!(kept.is_sorted() && kept.iter().filter(|&&slots| slots > 0).count() > 1, "{kept:?}");
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
        }
    }
}
