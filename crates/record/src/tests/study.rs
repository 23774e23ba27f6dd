//! What a study of several cases leaves, however its cases were recorded.

use super::{
    super::*,
    day::{Day, lines, observed},
};
use crate::fixtures::Recording;
use microgrid_agents::actor::MarketProtocol;
use microgrid_runtime::{Traffic, Watcher};
use microgrid_scenario::schema::Record;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// All files of a run but its manifest and ledger, by name.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && !path.ends_with("manifest.json"));
    let tables = files.filter(|path| path.extension().is_none_or(|extension| extension != "db"));
    tables.map(|path| (path.file_name().unwrap().into(), fs::read(path).unwrap())).collect()
}

/// Rows of a table of the ledger that stands alone, each as text.
fn rows(folder: &Path, table: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    let mut query = database.prepare(&format!("SELECT * FROM {table} ORDER BY case_number")).unwrap();
    let columns = query.column_count();
    let cell = |row: &rusqlite::Row<'_>, n| row.get::<_, rusqlite::types::Value>(n);
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| cell(row, n)).collect::<Result<Vec<_>, _>>();
    query.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())).collect()
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (one_files, other_files) = (files(one), files(other));
    assert!(one_files.keys().eq(other_files.keys()), "{:?} and {:?}", one_files.keys(), other_files.keys());
    let different: Vec<_> = one_files.iter().filter(|(name, bytes)| other_files[*name] != **bytes).collect();
    assert!(different.is_empty(), "{:?}", different.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for table in ["blocks", "transactions", "facts", "checkpoints"] {
        assert_eq!(rows(one, table), rows(other, table), "{table}");
    }
}

/// Shows a recorder all of a case.
fn play(recorder: &mut impl Watcher<MarketProtocol>, day: &mut Day, slots: u32) {
    day.begin();
    for slot in 1..=slots {
        let traffic = Traffic { sent: 10, ..Traffic::default() };
        recorder.window(&mut observed(day.slot(slot)), traffic).unwrap();
    }
}

const FORMATS: [Format; 2] = [Format::Csv, Format::Parquet];

/// A run of both cases of a day, each written straight into the tables.
pub(super) fn straight(mut day: Day, format: Format) -> (Day, PathBuf) {
    let mut recorder = day.recorder_as(format);
    for (n, case) in day.plan.cases().collect::<Vec<_>>().iter().enumerate() {
        if n > 0 {
            recorder.begin_case(case);
        }
        play(&mut recorder, &mut day, 3);
        recorder.end_case().unwrap();
    }
    let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    (day, folder)
}

#[test]
fn cases_in_folders_of_their_own_come_to_the_same_tables_in_whatever_order_they_end() {
    FORMATS.into_iter().for_each(take_in_both_cases);
}

fn take_in_both_cases(format: Format) {
    let (_day, expected) = straight(Day::new(), format);
    let mut day = Day::new();
    // The first case has begun, and is written into the run's own tables.
    let mut first = day.recorder_as(format);
    let second = day.plan.cases().nth(1).unwrap();
    let mut apart = first.recorder.begin(&second).unwrap();
    play(&mut apart, &mut day, 3);
    assert!(!first.recorder.has(2) && first.folder().join("cases/2.partial").is_dir());
    apart.end().unwrap();
    assert!(first.recorder.has(2));
    first.recorder.take_in(apart).unwrap();
    assert_eq!(first.recorder.done, 0);
    play(&mut first, &mut day, 3);
    first.end_case().unwrap();
    assert_eq!(first.recorder.done, 2);
    assert!(first.recorder.has(1) && first.recorder.has(2) && !first.recorder.has(3));
    let folder = first.finish(Status::Finished, Duration::ZERO).unwrap();
    assert_same(&expected, &folder);
    assert!(!folder.join("cases").exists() && !folder.join("progress.json").exists());
}

#[test]
fn a_run_that_is_resumed_comes_to_the_same_tables_wherever_it_was_ended() {
    // Slots of the second case that were written, and whether the run was ended in an orderly way.
    for (slots, orderly) in [(0, true), (1, true), (2, false), (3, false)] {
        FORMATS.into_iter().for_each(|format| resume(format, slots, orderly));
    }
}

fn resume(format: Format, slots: u32, orderly: bool) {
    let (_day, expected) = straight(Day::new(), format);
    let mut day = Day::new();
    let mut recorder = day.recorder_as(format);
    play(&mut recorder, &mut day, 3);
    recorder.end_case().unwrap();
    let second = day.plan.cases().nth(1).unwrap();
    recorder.begin_case(&second);
    play(&mut recorder, &mut day, slots);
    let folder = recorder.folder().to_owned();
    if orderly {
        recorder.finish(Status::Interrupted, Duration::from_secs(2)).unwrap();
    } else {
        drop(recorder);
    }
    let run = Run::open(&day.root().join("day")).unwrap();
    let mut recorder = Recording::new(Recorder::resume(&run, &day.plan).unwrap());
    assert_eq!((recorder.recorder.done, recorder.folder()), (1, &*folder));
    assert_eq!(lines(&folder, "slots.csv").len(), 3);
    recorder.begin_case(&second);
    play(&mut recorder, &mut day, 3);
    recorder.end_case().unwrap();
    let folder = recorder.finish(Status::Finished, Duration::from_secs(3)).unwrap();
    assert_same(&expected, &folder);
    let wall = if orderly { 5.0 } else { 3.0 };
    assert_eq!(Run::open(&folder).unwrap().manifest().wall_seconds, Some(wall));
}

#[test]
fn a_case_that_was_taken_in_but_not_noted_is_taken_in_once() {
    FORMATS.into_iter().for_each(take_in_twice);
}

fn take_in_twice(format: Format) {
    let (_day, expected) = straight(Day::new(), format);
    let mut day = Day::new();
    let mut first = day.recorder_as(format);
    let folder = first.folder().to_owned();
    let second = day.plan.cases().nth(1).unwrap();
    let mut apart = first.recorder.begin(&second).unwrap();
    play(&mut apart, &mut day, 3);
    apart.end().unwrap();
    first.recorder.take_in(apart).unwrap();
    let (journal, own) = (folder.join("progress.json"), folder.join("cases/2"));
    let kept = day.root().join("kept");
    fs::create_dir(&kept).unwrap();
    // What moves into the run is not in the folder any more.
    let left = fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for file in left {
        fs::copy(&file, kept.join(file.file_name().unwrap())).unwrap();
    }
    // The journal of the run with the first case, which has not been noted in this one.
    let before = {
        let mut day = Day::new();
        let mut recorder = day.recorder_as(format);
        play(&mut recorder, &mut day, 3);
        recorder.end_case().unwrap();
        fs::read(recorder.folder().join("progress.json")).unwrap()
    };
    play(&mut first, &mut day, 3);
    first.end_case().unwrap();
    assert_eq!(first.recorder.done, 2);
    drop(first);
    fs::write(&journal, before).unwrap();
    fs::create_dir(folder.join("cases")).ok();
    fs::rename(&kept, &own).unwrap();
    fs::create_dir(folder.join("cases/3.partial")).unwrap();

    let recorder = Recorder::resume(&Run::open(&folder).unwrap(), &day.plan).unwrap();
    assert_eq!(recorder.done, 2);
    let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    assert_same(&expected, &folder);
}

#[test]
fn a_run_under_way_is_not_resumed_and_a_changed_one_neither() {
    let day = Day::new();
    let recorder = day.recorder();
    let run = Run::open(recorder.folder()).unwrap();
    assert!(matches!(Recorder::resume(&run, &day.plan), Err(RecordError::UnderWay(_))));
    drop(recorder);
    let other = Day::with_storage();
    assert!(
        matches!(Recorder::resume(&run, &other.plan), Err(RecordError::OtherScenario(_))),
        "the same cases of others"
    );
    let mut other = day.plan.clone();
    other.scenario.seed += 1;
    assert!(matches!(Recorder::resume(&run, &other), Err(RecordError::OtherScenario(_))));
    assert!(Recorder::resume(&run, &day.plan).is_ok());
    let manifest = run.folder().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen(env!("CARGO_PKG_VERSION"), "0.0.9", 1)).unwrap();
    let error = Recorder::resume(&Run::open(run.folder()).unwrap(), &day.plan).unwrap_err();
    assert!(matches!(error, RecordError::OtherVersion { .. }));
    let said = error.to_string();
    assert!(said.contains("version 0.0.9") && said.contains("scenario.ron`"), "{said}");
}

#[test]
fn with_slots_only_the_rest_is_the_same_and_what_is_not_kept_is_not_read() {
    let (_day, expected) = straight(Day::new(), Format::Csv);
    let (_day_of_slots, folder) = straight(Day::recording(Record::Slots), Format::Csv);
    let (full, slots) = (files(&expected), files(&folder));
    let large = ["prosumers.csv", "trades.csv", "convergence.csv", "clearings.csv"];
    assert!(slots.keys().eq(full.keys().filter(|name| !large.iter().any(|large| name.ends_with(large)))));
    assert!(!folder.join("ledger.db").exists());
    for (name, bytes) in
        slots.iter().filter(|(name, _)| !name.ends_with("scenario.ron") && !name.ends_with("schema.json"))
    {
        assert!(full[name] == *bytes, "{name:?}");
    }
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.manifest().files.iter().filter(|file| folder.join(file).is_file()).count(), slots.len() + 1);
    let error = run.rows::<TradeRow>().map(drop).unwrap_err();
    assert!(error.to_string().ends_with("trades.csv was not recorded: its scenario has `record: Slots`"), "{error}");
}

/// All rows of the large tables of a run.
fn large(folder: &Path) -> (Vec<ProsumerRow>, Vec<TradeRow>, Vec<ConvergenceRow>) {
    let run = Run::open(folder).unwrap();
    fn rows<R: Row>(run: &Run) -> Vec<R> {
        run.rows().unwrap().map(Result::unwrap).collect()
    }
    (rows(&run), rows(&run), rows(&run))
}

#[test]
fn parquet_holds_the_numbers_of_csv_and_all_else_is_the_same() {
    let (_day, csv) = straight(Day::new(), Format::Csv);
    let (_other_day, parquet) = straight(Day::new(), Format::Parquet);
    let (prosumers, trades, convergence) = large(&parquet);
    assert_eq!((prosumers.len(), trades.len(), convergence.len()), (18, 4, 4));
    assert!(
        convergence.iter().any(|row| row.demand_kwh.is_none()) && convergence.iter().any(|row| row.share.is_some())
    );
    assert_eq!((prosumers, trades, convergence), large(&csv));
    let (mut csv, mut parquet) = (files(&csv), files(&parquet));
    for table in ["prosumers", "trades", "convergence"] {
        assert!(csv.remove(Path::new(&format!("{table}.csv"))).is_some());
        assert!(parquet.remove(Path::new(&format!("{table}.parquet"))).is_some());
    }
    let [described, of_parquet] = [&mut csv, &mut parquet].map(|files| files.remove(Path::new("schema.json")).unwrap());
    let [described, of_parquet] = [described, of_parquet].map(|schema| String::from_utf8(schema).unwrap());
    assert_eq!(of_parquet.matches(".parquet").count(), 3);
    assert_eq!(described, of_parquet.replace(".parquet", ".csv"));
    assert_eq!(csv, parquet);
}

#[test]
fn a_finished_run_has_what_its_manifest_names_in_whatever_format_and_nothing_else() {
    let records = [Record::Full, Record::Slots, Record::Summary];
    for (record, format) in records.into_iter().flat_map(|record| FORMATS.map(|format| (record, format))) {
        let (_day, folder) = straight(Day::recording(record), format);
        let mut named = Run::open(&folder).unwrap().manifest().files.clone();
        named.retain(|file| !file.starts_with("data/"));
        named.extend(["manifest.json", "data"].map(str::to_owned));
        let found = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<_> = found.collect();
        named.sort();
        found.sort();
        assert_eq!(found, named);
    }
}

#[test]
fn an_interrupted_run_has_all_its_closed_slots_in_parquet_and_a_killed_one_says_how_to_get_them() {
    let mut day = Day::new();
    let mut recorder = day.recorder_as(Format::Parquet);
    play(&mut recorder, &mut day, 3);
    recorder.end_case().unwrap();
    recorder.begin_case(&day.plan.cases().nth(1).unwrap());
    play(&mut recorder, &mut day, 2);
    let error = Run::open(recorder.folder()).unwrap().rows::<TradeRow>().map(drop).unwrap_err();
    assert!(error.to_string().ends_with("trades.parquet is made when the run ends: finish it with `sim resume`"));
    let folder = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    let (prosumers, trades, _) = large(&folder);
    assert_eq!(lines(&folder, "slots.csv").len(), 5);
    assert_eq!((prosumers.len(), prosumers.last().map(|row| (row.case, row.slot))), (15, Some((2, 2))));
    assert_eq!(trades.iter().map(|row| row.case).collect::<Vec<_>>(), [1, 1, 2, 2]);
}

#[test]
fn a_summary_is_that_of_a_full_record_and_tells_the_same() {
    let (_day, full) = straight(Day::new(), Format::Csv);
    let (_other_day, folder) = straight(Day::recording(Record::Summary), Format::Csv);
    let kept = files(&folder);
    let names: Vec<_> = kept.keys().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(names, ["kpis.json", "ledger.csv", "paired.csv", "scenario.ron", "schema.json", "summary.csv"]);
    for name in ["kpis.json", "ledger.csv", "paired.csv", "summary.csv"] {
        assert!(kept[Path::new(name)] == files(&full)[Path::new(name)], "{name}");
    }
    let [full, run] = [full, folder].map(|folder| Run::open(&folder).unwrap());
    assert_eq!(run.last_slot().unwrap(), full.last_slot().unwrap());
    let of = |run: &Run| run.summaries().unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(of(&run), of(&full));
    let error = run.rows::<SlotRow>().map(drop).unwrap_err();
    assert!(error.to_string().ends_with("slots.csv was not recorded: its scenario has `record: Summary`"), "{error}");
}

#[test]
fn a_summary_is_resumed_like_any_run() {
    let (_day, expected) = straight(Day::recording(Record::Summary), Format::Csv);
    let mut day = Day::recording(Record::Summary);
    let mut recorder = day.recorder();
    play(&mut recorder, &mut day, 3);
    recorder.end_case().unwrap();
    let second = day.plan.cases().nth(1).unwrap();
    recorder.begin_case(&second);
    play(&mut recorder, &mut day, 2);
    let folder = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.last_slot().unwrap(), Some((2, 2)));
    assert_eq!(run.summaries().unwrap().count(), 1);
    let mut recorder = Recording::new(Recorder::resume(&run, &day.plan).unwrap());
    recorder.begin_case(&second);
    play(&mut recorder, &mut day, 3);
    recorder.end_case().unwrap();
    let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    assert_eq!(files(&expected), files(&folder));
}
