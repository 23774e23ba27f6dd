//! Whatever a results folder holds, looking at it ends in a text or in an error: with folders that are harmed at random.
//!
//! `FUZZ_SECONDS` says for how long; without it a few seconds are spent, on the same harm each time.

use super::{compare, ledger, list, show, slot_name::SlotName};
use crate::{
    Simulation,
    framework::SimulationError,
    ledger::verify,
    record::{AgeRow, ClearingRow, ConvergenceRow, Format, LedgerRow, ProsumerRow, Row, Run, SCENARIO, TradeRow},
    report::{self, data::Data},
    runtime::caught,
};
use microgrid_agents::{chain::fact::Key, ids::ChannelName};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::Value;
use std::{
    env, fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Looking at a folder in one way takes less than a second; what takes as long as this never ends.
const TOO_LONG: Duration = Duration::from_secs(60);

/// What is put in the place of a JSON value.
const JSON: [&str; 22] = [
    "-1",
    "0",
    "1",
    "2",
    "7",
    "0.5",
    "1e300",
    "-1e300",
    "1e-320",
    "1e999",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "null",
    "true",
    "[]",
    "{}",
    "[0, 0]",
    "[5, 1]",
    "\"\"",
    r#""\u001b[31m\u202e</script>""#,
    r#""../../etc/passwd""#,
];
/// What is put in the place of a cell.
const CELLS: [&str; 16] = [
    "",
    "-1",
    "0",
    "1",
    "2",
    "7",
    "1e300",
    "-1e300",
    "1e-320",
    "NaN",
    "inf",
    "4294967295",
    "18446744073709551616",
    "x",
    "\u{1b}[31m",
    "\"a\nb",
];
/// What is carried out on a ledger.
const SQL: [&str; 8] = [
    "UPDATE blocks SET position = -1",
    "UPDATE transactions SET envelope = x'ff'",
    "UPDATE facts SET value = '[1e999]'",
    "UPDATE checkpoints SET case_number = case_number + 4294967296",
    "DELETE FROM checkpoints",
    "DROP VIEW accounts",
    "CREATE TABLE other (x)",
    "PRAGMA user_version = 7",
];

/// What becomes of a file, or beside it.
#[derive(Clone, Debug)]
enum Harm {
    Json(Index, &'static str),
    Cell(Index, &'static str),
    NoLine(Index),
    Twice(Index),
    Sql(&'static str),
    Flip(Index, u8),
    Cut(Index),
    Fill(Index, u8),
    Gone,
    Folder,
    Link(&'static str),
    Stray(&'static str),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<Index>;
    prop_oneof![
        8 => (index(), select(&JSON[..])).prop_map(|(at, value)| Harm::Json(at, value)),
        8 => (index(), select(&CELLS[..])).prop_map(|(at, value)| Harm::Cell(at, value)),
        1 => index().prop_map(Harm::NoLine),
        1 => index().prop_map(Harm::Twice),
        1 => select(&SQL[..]).prop_map(Harm::Sql),
        8 => (index(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        2 => index().prop_map(Harm::Cut),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Harm::Fill(at, byte)),
        1 => Just(Harm::Gone),
        1 => Just(Harm::Folder),
        1 => select(&["/dev/zero", "nowhere", "."][..]).prop_map(Harm::Link),
        2 => select(&["cases/3", "cases/x", "cases/2.partial", "cases", "figures/mine"][..]).prop_map(Harm::Stray),
    ]
}

/// All files in a folder and below, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}

/// Harms the file in a way that suits it.
fn apply(harm: &Harm, file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let ends_with = |ending: &str| file.to_string_lossy().ends_with(ending);
    match harm {
        Harm::Json(at, value) if ends_with(".json") && !bytes.is_empty() => {
            let Ok(mut json) = serde_json::from_slice::<Value>(&bytes) else { return };
            let mut left = at.index(count(&json));
            // Numbers that no program holds are only text.
            let _ = replace(&mut json, &mut left);
            bytes = json.to_string().replace("\"@\"", value).into_bytes();
        }
        Harm::Cell(..) | Harm::NoLine(_) | Harm::Twice(_) if ends_with(".csv") => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.is_empty() {
                return;
            }
            match harm {
                Harm::Cell(at, value) => {
                    let line = at.index(lines.len());
                    let mut cells: Vec<&str> = lines[line].split(',').collect();
                    let cell = at.index(cells.len() * 7919) % cells.len();
                    cells[cell] = value;
                    lines[line] = cells.join(",");
                }
                Harm::NoLine(at) => drop(lines.remove(at.index(lines.len()))),
                Harm::Twice(at) => lines.insert(0, lines[at.index(lines.len())].clone()),
                _ => {}
            }
            bytes = (lines.join("\n") + "\n").into_bytes();
        }
        Harm::Sql(sql) if ends_with(".db") => {
            // What is harmed already may take no more.
            let _ = rusqlite::Connection::open(file).and_then(|ledger| ledger.execute_batch(sql));
            return;
        }
        Harm::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
        Harm::Fill(at, byte) if !bytes.is_empty() => {
            let from = at.index(bytes.len());
            let to = bytes.len().min(from + 16);
            bytes[from..to].fill(*byte);
        }
        Harm::Flip(at, bit) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Harm::Gone => return fs::remove_file(file).unwrap(),
        Harm::Folder => {
            fs::remove_file(file).unwrap();
            return fs::create_dir(file).unwrap();
        }
        #[cfg(unix)]
        Harm::Link(target) => {
            fs::remove_file(file).unwrap();
            return std::os::unix::fs::symlink(target, file).unwrap();
        }
        _ => return,
    }
    fs::write(file, bytes).unwrap();
}

/// How many values there are in a JSON value, and itself.
fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Puts a mark in the place of the value before which so many are `left`.
fn replace(json: &mut Value, left: &mut usize) -> ControlFlow<()> {
    if *left == 0 {
        *json = Value::from("@");
        return ControlFlow::Break(());
    }
    *left -= 1;
    match json {
        Value::Array(list) => list.iter_mut().try_for_each(|value| replace(value, left)),
        Value::Object(map) => map.values_mut().try_for_each(|value| replace(value, left)),
        _ => ControlFlow::Continue(()),
    }
}

/// A run of this scenario that is whole, or of which so many slots were played, one after the other from case 1 on or, with
/// several `jobs`, from several cases.
fn sample(format: Format, more: &str, jobs: usize, slots: u64) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let ron = format!(
        r#"Scenario(name: "day", market: (slots: 3, starts_at: "11h", open: (2, 3)), population: Synthetic(count: 5),
        vary: {{"mu": [0.0, 1.0], "mechanism": [TwoLevelGame, UniformPriceAuction(every: "10min")]}}, {more})"#
    );
    let flag = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&flag);
    let simulation = Simulation::builder().ron(ron).format(format).interrupt(flag).jobs(jobs.try_into().unwrap());
    let simulation =
        simulation.progress(move |at| end.store(at.slots_done >= slots, Ordering::Relaxed)).build().unwrap();
    match simulation.run_into(root.path()) {
        Ok(mut run) => {
            let data = Data::read(&run).unwrap();
            report::page::write(&mut run, &data).unwrap();
        }
        Err(SimulationError::Ended { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    root
}

/// The same as a run of an older version, which does not know how long its tables are: they are looked at however long
/// they have become.
fn aged(root: TempDir) -> TempDir {
    let manifest = folder(root.path()).join("manifest.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("bytes").expect("the run is finished");
    fs::write(manifest, json.to_string()).unwrap();
    root
}

/// The only run below the root.
fn folder(root: &Path) -> PathBuf {
    let folders = fs::read_dir(root.join("day")).unwrap().map(|entry| entry.unwrap());
    folders.into_iter().find(|entry| entry.file_type().unwrap().is_dir()).unwrap().path()
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// Looks at the run in every way, each of which has to end by itself.
fn look(run: &Path, other: &Path) -> Result<(), TestCaseError> {
    fn rows<R: Row>(path: &Path) {
        let Ok(run) = Run::open(path) else { return };
        let _ = run.rows::<R>().map(|rows| rows.take_while(Result::is_ok).count());
        let _ = run.section::<R>(1, 2..=3).and_then(|section| run.rows_of::<R>(&section)).map(Iterator::count);
    }
    let ways: [(&str, &dyn Fn()); 15] = [
        ("show", &|| drop(show::told(run, None, None, None))),
        ("show --case", &|| drop(show::told(run, None, None, Some(2)))),
        ("show --slot", &|| drop(show::told(run, Some(&SlotName::Number(3)), None, None))),
        ("rows", &|| {
            rows::<AgeRow>(run);
            rows::<ClearingRow>(run);
            rows::<ConvergenceRow>(run);
            rows::<ProsumerRow>(run);
            rows::<TradeRow>(run);
            let _ = Run::open(run).map(|run| run.rows::<LedgerRow>().map(Iterator::count));
        }),
        ("show --member", &|| drop(show::told(run, None, Some("1"), None))),
        ("list", &|| drop(list::told(run))),
        ("compare", &|| drop(compare::told(run, None))),
        ("compare with another", &|| drop(compare::told(run, Some(other)))),
        ("compare another with it", &|| drop(compare::told(other, Some(run)))),
        ("ledger show", &|| drop(ledger::shown(run, None, None, None, None))),
        ("ledger show --channel", &|| {
            drop(ledger::shown(run, None, None, Some(ChannelName::Trade), None));
            drop(ledger::shown(run, Some(1), None, Some(ChannelName::Energy), Some(0)));
            drop(ledger::shown(run, None, Some(Key::Quote(2, 1)), None, None));
        }),
        ("ledger export", &|| drop(ledger::export(run, None, |_| Ok(())))),
        ("ledger verify", &|| drop(ledger::find(run).map(|path| verify::verify(&path, &mut |_| {})))),
        ("report", &|| {
            // Pixels take their time, and come of nothing but what is drawn as SVG.
            let _ = Run::open(run).and_then(|mut run| {
                let data = Data::read(&run)?;
                report::figures::chosen(&data).iter().for_each(|(_, chart)| drop(report::figures::svg(chart)));
                report::page::write(&mut run, &data)
            });
        }),
        ("resume", &|| {
            let simulation = Simulation::builder().file(run.join(SCENARIO)).build();
            let _ = simulation.and_then(|simulation| simulation.resume(run));
        }),
    ];
    for (way, look) in ways {
        let started = now();
        caught(look).map_err(|why| TestCaseError::fail(format!("{way}: {why}")))?;
        prop_assert!(started.elapsed() < TOO_LONG, "{way} took {:?}", started.elapsed());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn whatever_a_results_folder_holds_looking_at_it_ends_by_itself() {
    let samples = [
        sample(Format::Csv, "", 1, u64::MAX),
        aged(sample(Format::Csv, "", 1, u64::MAX)),
        aged(sample(Format::Parquet, "replicates: 2", 1, u64::MAX)),
        aged(sample(Format::Csv, "record: Summary", 1, u64::MAX)),
        sample(Format::Csv, "", 1, 5),
        sample(Format::Csv, "record: Slots", 1, 2),
        sample(Format::Csv, "", 3, 7),
        sample(Format::Parquet, "", 3, 7),
    ];
    let others: Vec<PathBuf> = samples.iter().map(|root| folder(root.path())).collect();
    let given = env::var("FUZZ_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    let enough = Duration::from_secs(given.unwrap_or(3));
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let mut draws = if given.is_some() { TestRunner::new(config.clone()) } else { TestRunner::deterministic() };
    let harms = prop::collection::vec((any::<Index>(), harm()), 0..4);
    let (started, mut folders) = (now(), 0);
    while folders < 1 || started.elapsed() < enough {
        let mut runner = TestRunner::new_with_rng(config.clone(), draws.new_rng());
        let tried = runner.run(&(0..samples.len(), 0..samples.len(), &harms), |(of, beside, harms)| {
            let root = tempfile::tempdir().unwrap();
            copy(&others[of], root.path());
            for (at, harm) in &harms {
                let files: Vec<_> = files(root.path()).into_iter().filter(|file| file.is_file()).collect();
                match harm {
                    Harm::Stray(name) => {
                        let path = root.path().join(name);
                        let _ = fs::create_dir_all(path.parent().unwrap());
                        let _ = if at.index(2) == 0 { fs::write(path, "mine") } else { fs::create_dir(path) };
                    }
                    harm if !files.is_empty() => apply(harm, &files[at.index(files.len())]),
                    _ => {}
                }
            }
            look(root.path(), &others[beside])
        });
        tried.unwrap_or_else(|error| panic!("after {folders} folders: {error}"));
        folders += 1;
    }
    println!("{folders} folders in {:?}", started.elapsed());
}
