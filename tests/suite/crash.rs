//! Whenever a run ends, its ledger verifies and holds every commit that was announced to be on disk.
//!
//! Runs are killed by SIGKILL at random moments. Since a run repeats byte by byte, the commits of one that was left
//! alone tell what each killed one may have on disk: up to the last commit that it announced, or one more that it had
//! no time to announce.

#![cfg(unix)]

use crate::support::{only_case, repository, run, written};
use microgrid_agents::{
    ids::Slot,
    observation::Observation,
    streams::{Purpose, stream},
};
use microgrid_sim::{
    agents::ids::LEDGER,
    ledger::verify::{CaseReport, verify},
};
use rand::RngExt;
use rusqlite::Connection;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How often a run is killed.
const KILLS: usize = 100;
/// How many runs go on at a time.
const AT_A_TIME: usize = 3;

/// How far a case has come when a commit is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Commit {
    case: u32,
    closed: Slot,
    /// Of each channel.
    blocks: [u64; 3],
}

impl Commit {
    /// Reads an announcement; `None` of other lines, and of one that the end of the run has cut off.
    fn announced(line: &str) -> Option<Self> {
        let (_, fields) = line.strip_suffix('\n')?.split_once("DEBUG ledger: commit on disk ")?;
        let field = |name: &str| {
            let value = fields.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse::<u64>().ok()).unwrap_or_else(|| panic!("no {name} in {line}"))
        };
        let blocks = ["trade", "information", "energy"].map(field);
        Some(Self { case: field("case") as u32, closed: field("slot_closed") as Slot, blocks })
    }

    fn verified(report: &CaseReport) -> Self {
        Self { case: report.case, closed: report.closed, blocks: report.channels.map(|channel| channel.blocks) }
    }
}

/// A short day of five prosumers, with nobody and with everybody on the ledger.
struct Scenario {
    folder: TempDir,
}

impl Scenario {
    /// Slots of the shipped day from 10 on; their market is open in all but the first.
    fn new(durability: &str, slots: Slot, tolerance: f64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!(
            r#"Scenario(
                name: "crash",
                market: (slots: {slots}, open: (2, {slots}), feed_in_tariff: 0.45, grid_tariff: Constant(0.9)),
                population: Profiles("profiles.csv"),
                learning: (tolerance: {tolerance}),
                ledger: (durability: {durability}),
                vary: {{"mu": [0.0, 1.0]}},
            )"#
        );
        fs::write(folder.path().join("scenario.ron"), text).expect("the scenario is written");
        fs::write(folder.path().join("profiles.csv"), profiles(slots)).expect("the profiles are written");
        Self { folder }
    }

    /// Starts a run that leaves its results in a folder of its own.
    fn start(&self) -> Running {
        let out = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
            .arg(self.folder.path().join("scenario.ron"))
            .arg("--out")
            .arg(out.path())
            .args(["--quiet", "--no-report"])
            .env("RUST_LOG", "ledger=debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        Running { out, child, log, commits: Vec::new() }
    }

    /// A run that nobody disturbs.
    fn whole(&self) -> Whole {
        let started = now();
        let mut running = self.start();
        let mut at = vec![Duration::ZERO];
        while running.next_commit() {
            at.push(started.elapsed());
        }
        let Ended { commits, status, .. } = running.end();
        assert!(status.success());
        at.push(started.elapsed());
        Whole { commits, at }
    }
}

/// Slots of the shipped day from 10 on, as slots from 1 on.
fn profiles(slots: Slot) -> String {
    let day = fs::read_to_string(repository("scenarios/data/5_prosumers.csv")).expect("the shipped profiles");
    let (header, rows) = day.split_once('\n').expect("a header");
    let rows = rows.lines().filter_map(|row| {
        let mut cells: Vec<String> = row.split(',').map(str::to_owned).collect();
        let slot = cells[1].parse::<Slot>().expect("a slot").checked_sub(9)?;
        cells[1] = slot.to_string();
        (1..=slots).contains(&slot).then(|| cells.join(",") + "\n")
    });
    format!("{header}\n{}", rows.collect::<String>())
}

#[expect(clippy::disallowed_methods, reason = "moments are those of a run of the program")]
fn now() -> Instant {
    Instant::now()
}

/// What a run did that nobody disturbed.
struct Whole {
    commits: Vec<Commit>,
    /// When it started, announced each of its commits, and ended.
    at: Vec<Duration>,
}

impl Whole {
    fn duration(&self) -> Duration {
        self.at[self.at.len() - 1]
    }

    /// A moment of the run, as commits announced before it, and time since the last of these: so it is the same moment
    /// of a run that is slower.
    fn moment(&self, at: Duration) -> Moment {
        let announced = self.at[1..=self.commits.len()].partition_point(|&announced| announced <= at);
        Moment { announced, later: at - self.at[announced] }
    }
}

/// A moment of a run.
#[derive(Clone, Copy, Debug)]
struct Moment {
    announced: usize,
    later: Duration,
}

/// A run under way.
struct Running {
    out: TempDir,
    child: Child,
    log: BufReader<ChildStderr>,
    /// Those announced so far, as far as the log was read.
    commits: Vec<Commit>,
}

impl Running {
    /// Waits for the next announcement; says whether there was one.
    fn next_commit(&mut self) -> bool {
        let mut line = String::new();
        loop {
            line.clear();
            if self.log.read_line(&mut line).expect("the log is UTF-8") == 0 {
                return false;
            }
            if let Some(commit) = Commit::announced(&line) {
                self.commits.push(commit);
                return true;
            }
        }
    }

    fn wait_for(&mut self, moment: Moment) {
        while self.commits.len() < moment.announced && self.next_commit() {}
        thread::sleep(moment.later);
    }

    /// Waits for its end; what it has announced by then is in the log, even if it was killed.
    fn end(mut self) -> Ended {
        while self.next_commit() {}
        let status = self.child.wait().expect("the run ends");
        Ended { run: folder(self.out.path()), _out: self.out, commits: self.commits, status }
    }
}

/// The run's folder, if it came to that.
fn folder(out: &Path) -> Option<PathBuf> {
    let mut runs = fs::read_dir(out.join("crash")).ok()?.map(|entry| entry.expect("an entry").path());
    runs.find(|path| !path.is_symlink())
}

/// A run that has ended.
struct Ended {
    _out: TempDir,
    run: Option<PathBuf>,
    commits: Vec<Commit>,
    status: ExitStatus,
}

impl Ended {
    fn ledger(&self) -> PathBuf {
        self.run.as_ref().expect("the run has a folder").join("ledger.db")
    }

    /// How far each case has come by what is on disk, which has to verify.
    fn on_disk(&self) -> Vec<Commit> {
        let Some(run) = &self.run else { return Vec::new() };
        let ledger = run.join("ledger.db");
        if self.commits.is_empty() && is_empty(&ledger) {
            return Vec::new();
        }
        verified(&ledger)
    }

    /// Holds what is on disk against the commits of a whole run, as far as they were announced; says whether there is
    /// one more.
    fn check(&self, whole: &[Commit]) -> bool {
        let announced = self.commits.len();
        assert_eq!(self.commits, whole[..announced], "a run repeats itself");
        let on_disk = self.on_disk();
        let found = on_disk.last().copied();
        let last = announced.checked_sub(1).map(|last| whole[last]);
        assert!(
            found == last || found == whole.get(announced).copied(),
            "on disk is {found:?}, last announced was {last:?}"
        );
        for row in self.slots() {
            let on_ledger = on_disk.iter().find(|commit| commit.case == row.0);
            assert!(
                on_ledger.is_some_and(|commit| commit.closed >= row.1),
                "{row:?} is in slots.csv only: {on_disk:?}"
            );
        }
        found != last
    }

    /// Case and slot of the rows of `slots.csv`.
    fn slots(&self) -> Vec<(u32, Slot)> {
        let table =
            self.run.as_ref().and_then(|run| fs::read_to_string(run.join("slots.csv")).ok()).unwrap_or_default();
        assert!(table.is_empty() || table.ends_with('\n'), "slots.csv ends within a row");
        let rows = table.lines().skip(1).map(|row| {
            let mut cells = row.split(',');
            let mut number = || cells.next().and_then(|cell| cell.parse().ok()).expect("a number");
            (number(), number())
        });
        rows.collect()
    }
}

/// Whether there is no ledger at all, or a file that has no tables yet.
fn is_empty(ledger: &Path) -> bool {
    !ledger.exists() || rows(&Connection::open(ledger).expect("the file opens"), "sqlite_schema") == 0
}

fn rows(database: &Connection, table: &str) -> i64 {
    let count = database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    count.expect("the file is a database")
}

fn verified(ledger: &Path) -> Vec<Commit> {
    let report = verify(ledger, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    report.cases.iter().map(Commit::verified).collect()
}

/// Kills runs of a scenario at random moments, evenly spread, and checks each time what they leave.
fn kill_at_random_moments(scenario: &Scenario, seed: u64) {
    let whole = scenario.whole();
    let mut random = stream(seed, LEDGER, Purpose::Behaviour);
    let moments = (0..KILLS).rev().map(|n| {
        let part = (n as f64 + random.random_range(0.0..1.0)) / KILLS as f64;
        whole.moment(whole.duration().mul_f64(part))
    });
    let moments = Mutex::new(moments.collect::<Vec<_>>());
    let kills = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(moment) = moments.lock().expect("no check has failed").pop() else { return };
                    let ended = kill(scenario, moment);
                    let more = ended.check(&whole.commits);
                    kills.lock().expect("no check has failed").push((ended.commits.len(), more));
                }
            });
        }
    });
    let kills = kills.into_inner().expect("no check has failed");
    assert_eq!(kills.len(), KILLS);
    let announced = |range: std::ops::Range<usize>| kills.iter().filter(|kill| range.contains(&kill.0)).count();
    let (all, more) = (whole.commits.len(), kills.iter().filter(|kill| kill.1).count());
    eprintln!(
        "{all} commits in {:.3} s; killed before the first {}, in the first half {}, in the second half {}, after the \
         last {}; {more} times a commit was on disk that had not been announced",
        whole.duration().as_secs_f64(),
        announced(0..1),
        announced(1..all / 2),
        announced(all / 2..all),
        announced(all..all + 1),
    );
    assert!(
        announced(1..all / 2) >= KILLS / 5 && announced(all / 2..all) >= KILLS / 5,
        "kills are spread over the run"
    );
}

/// Kills a run at this moment, or again and again until one is still under way by then.
fn kill(scenario: &Scenario, moment: Moment) -> Ended {
    loop {
        let mut running = scenario.start();
        running.wait_for(moment);
        running.child.kill().expect("nobody has waited for the run");
        let ended = running.end();
        if ended.status.signal() == Some(9) {
            return ended;
        }
        assert!(ended.status.success());
    }
}

#[test]
fn a_killed_run_has_all_that_it_announced_after_each_block() {
    // Long enough for SQLite to bring its log into the file once in between.
    kill_at_random_moments(&Scenario::new("Block", 2, 1e-3), 1);
}

#[test]
fn a_killed_run_has_all_that_it_announced_after_each_slot() {
    kill_at_random_moments(&Scenario::new("Slot", 4, 1e-4), 2);
}

#[test]
fn what_a_killed_run_leaves_beside_its_ledger_belongs_to_it() {
    let scenario = Scenario::new("Block", 2, 1e-3);
    let ended = kill(&scenario, Moment { announced: 60, later: Duration::ZERO });
    let (ledger, log) = (ended.ledger(), ended.ledger().with_extension("db-wal"));
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    assert!(size(&log) > 0, "the newest blocks are there");
    let on_disk = verified(&ledger);
    assert!(on_disk[0].blocks.iter().sum::<u64>() >= 60);
    assert!(size(&log) > 0, "a verifier changes nothing");

    let copied = tempfile::tempdir().expect("a temporary folder");
    for file in [&ledger, &log] {
        fs::copy(file, copied.path().join(file.file_name().expect("a name"))).expect("a file is copied");
    }
    assert_eq!(verified(&copied.path().join("ledger.db")), on_disk);

    let database = Connection::open(&ledger).expect("the ledger opens");
    assert_eq!(rows(&database, "blocks") as u64, on_disk[0].blocks.iter().sum::<u64>());
    database.close().expect("the ledger closes");
    assert_eq!(size(&log), 0, "whoever opens the ledger with SQLite folds it in");
    assert_eq!(verified(&ledger), on_disk);
}

#[test]
fn an_interrupted_run_leaves_a_single_file_that_verifies() {
    for (durability, announced) in [("Block", 100), ("Slot", 3)] {
        let scenario = Scenario::new(durability, 6, 1e-6);
        let mut running = scenario.start();
        running.wait_for(Moment { announced, later: Duration::ZERO });
        let interrupt = Command::new("kill").args(["-INT", &running.child.id().to_string()]).status();
        assert!(interrupt.expect("there is a kill command").success());
        let ended = running.end();
        assert_eq!(ended.status.code(), Some(1), "with {durability}");
        let run = ended.run.as_ref().expect("the run has a folder");
        let files = fs::read_dir(run).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let ledgers: Vec<_> = files.filter(|name| name.to_string_lossy().starts_with("ledger.db")).collect();
        assert_eq!(ledgers, ["ledger.db"]);
        assert!(ended.commits.len() >= announced);
        assert_eq!(ended.on_disk().last(), ended.commits.last(), "with {durability}");
        assert!(!ended.check(&ended.commits));
    }
}

/// What a run reports before anybody can have heard of a block is on disk before anybody does: the runtime carries no
/// message until the window it was sent in has been watched.
#[test]
fn with_durability_block_each_block_comes_with_its_checkpoint() {
    let text = r#"Scenario(
        name: "checkpoints",
        market: (slots: 3, open: (2, 3), feed_in_tariff: 0.45, grid_tariff: Constant(0.9)),
        population: Profiles("profiles.csv"),
        learning: (tolerance: 1e-3),
        ledger: (durability: Block),
    )"#;
    let log = run(&only_case(&written(text, &profiles(3))));
    let ledger: Vec<_> = log.observed.iter().filter(|observed| observed.actor == LEDGER).collect();
    // The three blocks from which everything begins count together.
    let blocks = ledger[2..].windows(2).filter_map(|pair| match &pair[0].what {
        Observation::Sealed(block) => Some((&block.header, &pair[1])),
        _ => None,
    });
    let mut count = 0;
    for (header, next) in blocks {
        let Observation::Checkpoint(signed) = &next.what else { panic!("{header:?} goes without a checkpoint") };
        assert_eq!(signed.checkpoint.heads[header.channel as usize].blocks, header.number + 1);
        assert_eq!(signed.checkpoint.heads[header.channel as usize].header_hash, header.hash());
        count += 1;
    }
    assert!(count > 100, "{count} blocks");
}
