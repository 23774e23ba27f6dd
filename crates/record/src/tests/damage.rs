//! What becomes of a run's folder that somebody or something has changed.

use super::{
    super::*,
    day::{Day, watch},
    study::straight,
    whole_case,
};
use crate::{
    journal::Journal,
    snapshot::{self, Snapshot},
};
use microgrid_runtime::Watcher;
use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// A run of two cases that was interrupted after the first.
fn interrupted(format: Format) -> (Day, PathBuf) {
    let mut day = Day::new();
    let mut recorder = day.recorder_as(format);
    for slot in 1..=3 {
        let window = day.slot(slot);
        watch(&mut recorder, window, 10).unwrap();
    }
    recorder.end_case().unwrap();
    let folder = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    (day, folder)
}

/// Changes a JSON file, and gives its text as it was.
fn change(path: &Path, change: impl FnOnce(&mut Value)) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut json = serde_json::from_str(&text).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
    text
}

#[test]
fn a_manifest_has_numbers_that_a_run_can_have() {
    let (_day, recorder) = whole_case(Day::new());
    let path = recorder.folder().join("manifest.json");
    for (field, value) in [
        ("wall_seconds", json!(-1.0)),
        ("wall_seconds", json!(1e300)),
        ("gate_closure_s", json!(-0.5)),
        ("replicates", json!(0)),
        ("replicates", json!(3)),
        ("slots", json!(0)),
        ("case_count", json!(0)),
        ("case_count", json!(4_000_000_000_u32)),
        (
            "cases",
            json!([{"case": 1, "knobs": {}, "seed": 1, "open": [2, 3]}, {"case": 1, "knobs": {}, "seed": 1, "open": [2, 3]}]),
        ),
        (
            "cases",
            json!([{"case": 1, "knobs": {}, "seed": 1, "open": [3, 2]}, {"case": 2, "knobs": {}, "seed": 1, "open": [2, 3]}]),
        ),
        ("files", json!(["data/../../secret"])),
        ("files", json!(["/etc/passwd"])),
        ("bytes", json!({"other.csv": 1})),
    ] {
        let before = change(&path, |manifest| manifest[field] = value.clone());
        let said = Run::open(recorder.folder()).unwrap_err().to_string();
        assert_eq!(
            said.lines().next(),
            Some(&*format!("{}: `{field}` is not that of a run", path.display())),
            "{value}"
        );
        let again = format!("or run again: `sim {}`", recorder.folder().join("scenario.ron").display());
        assert!(said.ends_with(&again), "{said}");
        fs::write(&path, before).unwrap();
    }
    assert!(Run::open(recorder.folder()).is_ok());
}

#[test]
fn a_finished_run_has_every_table_as_long_as_it_was_written() {
    for (record, format, tables) in [
        (Record::Full, Format::Csv, 13),
        (Record::Full, Format::Parquet, 13),
        (Record::Slots, Format::Csv, 9),
        (Record::Summary, Format::Csv, 4),
    ] {
        let (_day, folder) = straight(Day::recording(record), format);
        let bytes = Run::open(&folder).unwrap().manifest().bytes.clone();
        assert_eq!(bytes.len(), tables, "{bytes:?}");
        for (file, length) in bytes {
            let path = folder.join(&file);
            let whole = fs::read(&path).unwrap();
            assert_eq!(whole.len() as u64, length);
            // Cut off behind a whole row too, where all that is left can be read.
            let last_row = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            for changed in [&whole[..0], &whole[..last_row], &whole[..whole.len() - 1], &[&whole[..], b"\n"].concat()] {
                fs::write(&path, changed).unwrap();
                let said = Run::open(&folder).unwrap_err().to_string();
                let expected =
                    format!("{}: it has {} bytes, and the run has written {length}\n", path.display(), changed.len());
                assert!(said.starts_with(&expected) && said.contains("or run again: `sim "), "{said}");
            }
            fs::write(&path, whole).unwrap();
        }
        assert!(Run::open(&folder).is_ok());
    }
}

#[test]
fn a_manifest_that_tells_of_other_slots_than_the_tables_is_told() {
    let (_day, folder) = straight(Day::new(), Format::Csv);
    let manifest = folder.join("manifest.json");
    for changed in [2, 4, u32::MAX] {
        let before = change(&manifest, |manifest| {
            manifest["slots"] = json!(changed);
            manifest["cases"].as_array_mut().unwrap().iter_mut().for_each(|case| case["open"] = json!([1, 2]));
        });
        let said = Run::open(&folder).unwrap_err().to_string();
        let expected = format!(
            "{}: it tells of slot {changed} of case 2, with which slots.csv does not end\n",
            manifest.display()
        );
        assert!(said.starts_with(&expected), "{said}");
        fs::write(&manifest, before).unwrap();
    }
    fs::remove_file(&manifest).unwrap();
    let said = Run::open(&folder).unwrap_err().to_string();
    let again = folder.join("scenario.ron");
    let expected = "is a run's folder without its manifest.json: put it back, or run again: `sim";
    assert_eq!(said, format!("{} {expected} {}`", folder.display(), again.display()));
}

#[test]
fn a_finished_run_of_an_older_version_has_the_slots_of_its_manifest() {
    let (_day, folder) = straight(Day::new(), Format::Csv);
    let [manifest, slots] = ["manifest.json", SlotRow::FILE].map(|file| folder.join(file));
    change(&manifest, |manifest| drop(manifest.as_object_mut().unwrap().remove("bytes").unwrap()));
    let refused = || {
        let said = Run::open(&folder).unwrap_err().to_string();
        assert!(said.starts_with(&format!("{}: it does not end with slot", slots.display())), "{said}");
    };
    for changed in [2, 4, u32::MAX] {
        let before = change(&manifest, |manifest| {
            manifest["slots"] = json!(changed);
            manifest["cases"].as_array_mut().unwrap().iter_mut().for_each(|case| case["open"] = json!([1, 2]));
        });
        refused();
        fs::write(&manifest, before).unwrap();
    }
    let text = fs::read_to_string(&slots).unwrap();
    let last = text.lines().last().unwrap();
    for changed in [text.replace(last, ""), format!("{text}2,4\n"), text.replace(last, &last.replacen("2,3", "3,3", 1))]
    {
        fs::write(&slots, changed).unwrap();
        refused();
    }
    fs::write(&slots, text).unwrap();
    assert!(Run::open(&folder).is_ok());
}

#[test]
fn json_that_is_damaged_is_told_with_its_place_and_what_to_do() {
    let (_day, folder) = interrupted(Format::Csv);
    for file in ["manifest.json", "kpis.json", "progress.json"] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let cut = &text[..text.len() / 2];
        for changed in [cut, "", "[1]", &text.replacen('{', "{{", 1), &text.replace(": ", ": nothing")] {
            fs::write(&path, changed).unwrap();
            let read = Run::open(&folder).and_then(|run| {
                run.key_figures()?;
                folder::read_json::<Journal>(&folder.join(Journal::FILE)).map(drop)
            });
            let said = read.unwrap_err().to_string();
            assert!(said.starts_with(&format!("{}: ", path.display())) && said.contains(" at line "), "{said}");
            assert!(said.ends_with(&format!("run again: `sim {}`", folder.join("scenario.ron").display())), "{said}");
        }
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn what_is_no_run_is_told_with_what_is_meant() {
    let (_day, folder) = interrupted(Format::Csv);
    let home = folder.parent().unwrap();
    let root = home.parent().unwrap();
    fs::write(root.join("mine.ron"), "(..)").unwrap();
    fs::write(root.join("notes.txt"), "").unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    let shown = |path: &Path| path.display().to_string();
    for (path, meant) in [
        (root.join("mine.ron"), format!("is a scenario and no run: `sim {}` runs it", shown(&root.join("mine.ron")))),
        (root.join("notes.txt"), "is a file, and a run is a folder".to_owned()),
        (root.join("empty"), "is neither a run's folder nor a folder whose `latest` links to one".to_owned()),
        (folder.join("slots.csv"), format!("is a file of a run: did you mean {}?", shown(&folder))),
        (folder.join("scenario.ron"), format!("is a file of a run: did you mean {}?", shown(&folder))),
        (root.join("DAY"), format!("is not there: did you mean {}?", shown(home))),
        (root.join("days"), format!("is not there: did you mean {}?", shown(home))),
        (root.join("else"), "is not there".to_owned()),
    ] {
        let said = Run::open(&path).unwrap_err().to_string();
        assert_eq!(said, format!("{} {meant}", path.display()));
    }
    let said = Run::open(root).unwrap_err().to_string();
    assert!(said.ends_with(&format!(": `sim list {}` lists the runs in it", root.display())), "{said}");
}

#[test]
fn of_pairs_that_were_not_run_nothing_is_written() {
    let text = |folder: &Path| fs::read_to_string(folder.join("paired.csv")).unwrap();
    let (_day, folder) = interrupted(Format::Csv);
    assert_eq!(text(&folder).lines().count(), 1, "of two cases one is complete");
    let (_day, folder) = straight(Day::new(), Format::Csv);
    assert!(text(&folder).lines().count() > 1);
}

#[test]
fn rows_are_those_of_the_run_s_cases_and_slots_in_their_order() {
    let (_day, recorder) = whole_case(Day::new());
    let path = recorder.folder().join(SlotRow::FILE);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let swapped = [lines[0], lines[1], lines[3], lines[2]].join("\n");
    for (changed, expected) in [
        (text.replacen("\n1,1,", "\n0,1,", 1), "a row of case 0, slot 1 is out of order"),
        (text.replacen("\n1,1,", "\n1,0,", 1), "a row of case 1, slot 0 is out of order"),
        (text.replacen("\n1,3,", "\n1,4,", 1), "it has a row of case 1, slot 4, which the run does not have"),
        (text.replacen("\n1,3,", "\n3,3,", 1), "it has a row of case 3, slot 3, which the run does not have"),
        (swapped, "a row of case 1, slot 2 is out of order"),
    ] {
        fs::write(&path, changed).unwrap();
        let run = Run::open(recorder.folder()).unwrap();
        let said = run.rows::<SlotRow>().unwrap().find_map(Result::err).unwrap().to_string();
        assert_eq!(said.lines().next(), Some(&*format!("{}: {expected}", path.display())));
        assert!(run.last_slot().is_err() && run.summaries().unwrap().any(|summary| summary.is_err()));
    }
}

#[test]
fn a_table_that_cannot_be_had_is_not_called_damaged() {
    let path = Path::new("slots.csv");
    let told = |error: csv::Error| RecordError::of_rows(path)(error).to_string();
    let waiting = told(io::Error::from(io::ErrorKind::WouldBlock).into());
    assert!(waiting.starts_with("cannot read slots.csv: it gives nothing to read"), "{waiting}");
    let text = csv::Reader::from_reader(&b"a,b\n1,2\n3\n"[..]).into_records().find_map(Result::err);
    let damaged = told(text.expect("a cell is missing"));
    assert!(damaged.starts_with("slots.csv: ") && damaged.contains("it is not as the run has written it"), "{damaged}");
}

#[test]
fn a_run_goes_on_only_where_its_files_hold_what_its_progress_says() {
    for format in [Format::Csv, Format::Parquet] {
        let (day, folder) = interrupted(format);
        let progress = folder.join("progress.json");
        let resumed = || Recorder::resume(&Run::open(&folder).unwrap(), &day.plan).map(drop);
        let told = |file: &str| {
            let error = resumed().unwrap_err();
            assert!(matches!(&error, RecordError::OutOfStep { path, .. } if path.ends_with(file)), "{file}: {error}");
        };
        for cases in [0, 2, 3, u32::MAX] {
            let before = change(&progress, |journal| journal["cases"] = json!(cases));
            assert!(matches!(resumed(), Err(RecordError::OutOfStep { .. })), "{cases} cases");
            fs::write(&progress, before).unwrap();
        }
        let text = fs::read_to_string(&progress).unwrap();
        let lengths: Value = serde_json::from_str(&text).unwrap();
        for (file, length) in lengths["lengths"].as_object().unwrap() {
            for changed in [json!(0), json!(1), json!(length.as_u64().unwrap() - 1)] {
                change(&progress, |journal| journal["lengths"][file] = changed);
                told(file);
            }
            change(&progress, |journal| drop(journal["lengths"].as_object_mut().unwrap().remove(file)));
            told(file);
            fs::write(&progress, &text).unwrap();
        }
        let path = folder.join("ledger.db");
        let ledger = fs::read(&path).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM checkpoints", []).unwrap();
        told("ledger.db");
        fs::write(&path, ledger).unwrap();
        resumed().unwrap();
    }
}

/// A run whose second case was left after so many slots, with its snapshot.
fn left_in_a_case(slots: u32) -> (Day, PathBuf) {
    let mut day = Day::recording(Record::Slots);
    let mut recorder = day.recorder();
    for slot in 1..=3 {
        let window = day.slot(slot);
        watch(&mut recorder, window, 10).unwrap();
    }
    recorder.end_case().unwrap();
    day.begin();
    recorder.begin_case(&day.plan.cases().nth(1).unwrap());
    for slot in 1..=slots {
        let window = day.slot(slot);
        watch(&mut recorder, window, 10).unwrap();
    }
    recorder.keep(vec![7; 40]).unwrap();
    let folder = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    (day, folder)
}

/// How many slots of the case that comes next the run goes on with.
fn under_way(day: &Day, folder: &Path) -> u32 {
    Recorder::resume(&Run::open(folder).unwrap(), &day.plan).unwrap().under_way()
}

#[test]
fn a_snapshot_that_has_lost_a_bit_or_is_of_something_else_is_none() {
    let (day, folder) = left_in_a_case(2);
    let path = folder.join(snapshot::FILE);
    let whole = fs::read(&path).unwrap();
    let inputs = Run::open(&folder).unwrap().manifest().inputs_sha256.clone();
    let read = |inputs: &str, done| Snapshot::read(&folder, inputs, done).map(|read| read.slots());
    assert_eq!(read(&inputs, 1), Some(2));
    assert_eq!([read(&inputs, 0), read(&inputs, 2), read(&inputs.replace('1', "2"), 1)], [None; 3]);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&inputs, 1), None, "a bit of byte {at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(read(&inputs, 1), None, "cut off after {at} bytes");
    }
    assert_eq!(under_way(&day, &folder), 0);
    assert!(!path.exists(), "what is none is removed");
}

#[test]
fn a_case_goes_on_in_its_middle_only_where_its_tables_do() {
    for file in ["slots.csv", "ages.csv", "ledger.csv", "kpis.json"] {
        let (day, folder) = left_in_a_case(2);
        assert_eq!(under_way(&day, &folder), 2);
        let path = folder.join(file);
        let progress: Value = serde_json::from_slice(&fs::read(folder.join("progress.json")).unwrap()).unwrap();
        let end = progress["lengths"][file].as_u64().unwrap() as usize;
        let text = fs::read(&path).unwrap();
        if text.len() > end && file.ends_with(".csv") {
            // As far as the case before.
            fs::write(&path, &text[..end]).unwrap();
            assert_eq!(under_way(&day, &folder), 0, "{file}");
        } else {
            fs::write(&path, &text[..end - 1]).unwrap();
            assert!(Recorder::resume(&Run::open(&folder).unwrap(), &day.plan).is_err(), "{file}");
        }
    }
    let (day, folder) = left_in_a_case(2);
    fs::create_dir_all(folder.join("cases/2")).unwrap();
    let resumed = Recorder::resume(&Run::open(&folder).unwrap(), &day.plan);
    assert!(resumed.is_err(), "what is called like a complete case is taken for one, behind the case before");
}

#[test]
fn what_others_have_put_among_the_cases_stays_and_is_no_case() {
    let (day, folder) = interrupted(Format::Csv);
    let cases = folder.join("cases");
    let others = ["notes.txt", "2", "x.partial", "1.partial.bak", "007"];
    fs::create_dir(&cases).unwrap();
    fs::write(cases.join("2"), "a file that is called like a case").unwrap();
    fs::write(cases.join("notes.txt"), "mine").unwrap();
    for name in ["x.partial", "1.partial.bak", "007", "2.partial", "1"] {
        fs::create_dir(cases.join(name)).unwrap();
    }
    let recorder = Recorder::resume(&Run::open(&folder).unwrap(), &day.plan).unwrap();
    assert!(!recorder.has(2));
    recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    for name in others {
        assert!(cases.join(name).exists(), "{name} is gone");
    }
    assert_eq!(fs::read_dir(&cases).unwrap().count(), others.len(), "what is ours is of no use any more");
}

#[test]
fn a_parquet_file_with_a_changed_byte_ends_in_rows_or_in_an_error() {
    let (_day, folder) = interrupted(Format::Parquet);
    let path = folder.join(TradeRow::PARQUET);
    let whole = fs::read(&path).unwrap();
    let read = || {
        let run = Run::open(&folder).unwrap();
        let all = run.rows::<TradeRow>().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let some = run.section::<TradeRow>(1, 2..=3).and_then(|section| run.rows_of::<TradeRow>(&section)?.collect());
        [all, some]
    };
    let expected = read().map(Result::unwrap);
    assert!(!expected[0].is_empty());
    let mut refused = 0;
    for at in 0..whole.len() {
        for change in [1, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            fs::write(&path, &bytes).unwrap();
            for result in read() {
                refused += usize::from(result.is_err());
                if let Err(error) = result {
                    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
                }
            }
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(read().iter().all(Result::is_err), "cut off after {at} bytes");
    }
    assert!(refused > whole.len());
}
