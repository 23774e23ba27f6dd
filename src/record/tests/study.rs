//! What a study of several cases leaves, however its cases were recorded.

use super::{
    super::*,
    day::{Day, lines, observed},
};
use crate::runtime::{Traffic, Watcher};
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
fn play(recorder: &mut impl Watcher, day: &mut Day, slots: u32) {
    day.begin();
    for slot in 1..=slots {
        let traffic = Traffic { sent: 10, ..Traffic::default() };
        recorder.window(&mut observed(day.slot(slot)), traffic).unwrap();
    }
}

/// A run of both cases of a day, each written straight into the tables.
fn straight(mut day: Day) -> (Day, PathBuf) {
    let mut recorder = day.recorder();
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
    let (_day, expected) = straight(Day::new());
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let folders = recorder.folders();
    for (case, taken_in) in [(1, false), (0, true)] {
        let case = day.plan.cases().nth(case).unwrap();
        let mut apart = folders.begin(&case).unwrap();
        play(&mut apart, &mut day, 3);
        assert!(!folders.is_complete(case.number));
        apart.end().unwrap();
        assert!(folders.is_complete(case.number));
        assert_eq!(recorder.take_in().unwrap(), taken_in);
    }
    assert!(recorder.take_in().unwrap() && !recorder.take_in().unwrap());
    assert_eq!(recorder.done(), 2);
    assert!(folders.is_complete(1) && folders.is_complete(2) && !folders.is_complete(3));
    let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    assert_same(&expected, &folder);
    assert!(!folder.join("cases").exists() && !folder.join("progress.json").exists());
}

#[test]
fn a_run_that_is_resumed_comes_to_the_same_tables_wherever_it_was_ended() {
    let (_day, expected) = straight(Day::new());
    // Slots of the second case that were written, and whether the run was ended in an orderly way.
    for (slots, orderly) in [(0, true), (1, true), (2, false), (3, false)] {
        let mut day = Day::new();
        let mut recorder = day.recorder();
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
        let mut recorder = Recorder::resume(&run, &day.plan).unwrap();
        assert_eq!((recorder.done(), recorder.folder()), (1, &*folder));
        assert_eq!(lines(&folder, "slots.csv").len(), 3);
        recorder.begin_case(&second);
        play(&mut recorder, &mut day, 3);
        recorder.end_case().unwrap();
        let folder = recorder.finish(Status::Finished, Duration::from_secs(3)).unwrap();
        assert_same(&expected, &folder);
        let wall = if orderly { 5.0 } else { 3.0 };
        assert_eq!(Run::open(&folder).unwrap().manifest().wall_seconds, Some(wall));
    }
}

#[test]
fn a_case_that_was_taken_in_but_not_noted_is_taken_in_once() {
    let (_day, expected) = straight(Day::new());
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let folder = recorder.folder().to_owned();
    for case in day.plan.cases().collect::<Vec<_>>() {
        let mut apart = recorder.folders().begin(&case).unwrap();
        play(&mut apart, &mut day, 3);
        apart.end().unwrap();
    }
    let (journal, first) = (folder.join("progress.json"), folder.join("cases/1"));
    let before = fs::read(&journal).unwrap();
    let kept = day.root().join("kept");
    fs::create_dir(&kept).unwrap();
    for file in fs::read_dir(&first).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, kept.join(file.file_name().unwrap())).unwrap();
    }
    assert!(recorder.take_in().unwrap());
    drop(recorder);
    fs::write(&journal, before).unwrap();
    fs::rename(&kept, &first).unwrap();
    fs::create_dir(folder.join("cases/3.partial")).unwrap();

    let mut recorder = Recorder::resume(&Run::open(&folder).unwrap(), &day.plan).unwrap();
    assert_eq!(recorder.done(), 0);
    while recorder.take_in().unwrap() {}
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
    let (_day, expected) = straight(Day::new());
    let (_day_of_slots, folder) = straight(Day::recording_slots());
    let (full, slots) = (files(&expected), files(&folder));
    let names: Vec<_> = slots.keys().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(names, ["kpis.json", "ledger.csv", "scenario.ron", "slots.csv", "summary.csv"]);
    assert!(!folder.join("ledger.db").exists());
    for (name, bytes) in slots.iter().filter(|(name, _)| !name.ends_with("scenario.ron")) {
        assert!(full[name] == *bytes, "{name:?}");
    }
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.manifest().files.iter().filter(|file| folder.join(file).is_file()).count(), 6);
    let error = run.rows::<TradeRow>().map(drop).unwrap_err();
    assert!(error.to_string().ends_with("trades.csv was not recorded: its scenario has `record: Slots`"), "{error}");
}
