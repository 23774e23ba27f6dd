//! Parts of a sweep, run anywhere and merged, are the sweep as one run leaves it.

use crate::{
    resume::{go_on, rows},
    support::{sim, stdout},
    sweep::{Files, assert_same, files, killed_after},
};
use microgrid_sim::{
    prelude::*,
    record::{Format, Parts, Run, Status},
    runtime::Shards,
    scenario::Part,
};
use rusqlite::types::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// A sweep of twelve short cases, with three seeds for each of its four combinations.
fn sweep(record: &str) -> String {
    format!(
        r#"Scenario(
            name: "sweep",
            market: (slots: 3, starts_at: "10h", open: (1, 2), slot_length: "2min", gate_closure: "1min"),
            population: Synthetic(count: 5, pv_share: 0.6),
            learning: (tolerance: 1e-4),
            record: {record},
            vary: {{"mu": [0.0, 1.0], "delay": ["10ms", "200ms"]}},
            seed: 2023,
            replicates: 3,
        )"#
    )
}

fn part(number: u32, of: u32) -> Part {
    Part::new(number, of).expect("there is such a part")
}

/// All parts, each run by itself, the last one first.
fn all_parts(simulation: impl Fn() -> SimulationBuilder, of: u32, root: &Path) -> Vec<PathBuf> {
    let run = |number| simulation().part(part(number, of)).build().unwrap().run_into(root).unwrap().folder().to_owned();
    (1..=of).rev().map(run).collect()
}

fn merged(simulation: impl Fn() -> SimulationBuilder, parts: &[PathBuf], root: &Path) -> PathBuf {
    let parts = Parts::open(parts).unwrap_or_else(|error| panic!("{error}"));
    simulation().build().unwrap().merge_into(&parts, root).unwrap().folder().to_owned()
}

/// What a run leaves, its ledger row by row.
fn left(run: &Path) -> (Files, BTreeMap<&'static str, Vec<Vec<Value>>>) {
    (files(run), rows(run))
}

/// All files of a folder.
fn bytes(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().display().to_string(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn merged_parts_leave_the_bytes_of_one_run() {
    for (record, format) in
        [("Full", Format::Csv), ("Full", Format::Parquet), ("Slots", Format::Csv), ("Summary", Format::Csv)]
    {
        let root = tempfile::tempdir().unwrap();
        let simulation = || Simulation::builder().ron(sweep(record)).format(format);
        let whole = simulation().build().unwrap().run_into(root.path().join("whole")).unwrap();
        let (expected, chains) = left(whole.folder());
        // As one, cutting through replicates, and a case each.
        for of in [1, 5, 12] {
            let root = root.path().join(of.to_string());
            let parts = all_parts(simulation, of, &root);
            let before: Vec<_> = parts.iter().map(|part| bytes(part)).collect();
            let run = merged(simulation, &parts, &root);
            assert_same(&expected, &run);
            assert!(rows(&run) == chains, "the rows of the ledger differ: {record}, {of} parts");
            let after: Vec<_> = parts.iter().map(|part| bytes(part)).collect();
            assert!(before == after, "parts stay as they are");
            assert!(
                fs::read_dir(&run).unwrap().all(|entry| !entry.unwrap().path().to_string_lossy().contains(".parts"))
            );
        }
    }
}

#[test]
fn the_manifest_differs_in_nothing_but_when_and_by_which_command_it_came_about() {
    let root = tempfile::tempdir().unwrap();
    let simulation = || Simulation::builder().ron(sweep("Slots"));
    let whole = simulation().build().unwrap().run_into(root.path().join("whole")).unwrap();
    let run = merged(simulation, &all_parts(simulation, 4, root.path()), root.path());
    let manifest = |run: &Path| {
        let text = fs::read_to_string(run.join("manifest.json")).unwrap();
        let mut manifest: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        ["command", "started", "wall_seconds"].iter().for_each(|field| drop(manifest.remove(*field).unwrap()));
        manifest
    };
    assert_eq!(manifest(whole.folder()), manifest(&run));
}

#[test]
fn a_study_of_one_case_has_one_part() {
    for format in [Format::Csv, Format::Parquet] {
        let root = tempfile::tempdir().unwrap();
        let one = sweep("Full").replace("replicates: 3,", "").replace(", 1.0", "").replace(", \"200ms\"", "");
        let simulation = || Simulation::builder().ron(&one).format(format);
        let whole = simulation().build().unwrap().run_into(root.path().join("whole")).unwrap();
        let run = merged(simulation, &all_parts(simulation, 1, root.path()), root.path());
        assert_same(&files(whole.folder()), &run);
        assert!(simulation().part(part(2, 2)).build().is_err());
    }
}

#[test]
fn rows_in_memory_are_those_of_the_part() {
    let simulation = || Simulation::builder().ron(sweep("Slots"));
    let all = simulation().run().unwrap().cases;
    let third = simulation().part(part(2, 3)).run().unwrap().cases;
    assert!(third == all[4..8], "cases 5 to 8 are the second of three parts");
}

#[test]
fn a_part_that_is_ended_between_any_two_slots_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let simulation = || Simulation::builder().ron(sweep("Full"));
    let whole = simulation().build().unwrap().run_into(root.path().join("whole")).unwrap();
    let (mut parts, mut had) = (Vec::new(), Vec::new());
    for number in [1, 2] {
        let part = simulation().part(part(number, 2)).build().unwrap();
        let mut folder = None;
        for shards in [Shards::Fixed(1), Shards::PerActor].into_iter().cycle().take(100) {
            let (kept, finished) = go_on(part.plan(), root.path(), &mut folder, 4, shards, number as usize);
            had.push(kept);
            if finished {
                break;
            }
        }
        parts.extend(folder);
    }
    // Of two jobs, it is up to the machine which case is how far.
    assert!(had.iter().any(|slots| slots % 3 > 0), "it has gone on within a case: {had:?}");
    let (expected, chains) = left(whole.folder());
    let run = merged(simulation, &parts, root.path());
    assert_same(&expected, &run);
    assert!(rows(&run) == chains, "the rows of the ledger differ");
}

#[test]
fn parts_that_are_killed_and_started_again_become_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let days = sweep("Full").replace("slots: 3", "slots: 20").replace("open: (1, 2)", "open: (1, 20)");
    fs::write(folder.join("sweep.ron"), days).unwrap();
    let mut killed = 0;
    for part in ["2/3", "3/3", "1/3"] {
        let arguments = ["sweep.ron", "--part", part, "--resume", "--no-report", "-q", "--jobs", "2"];
        for tries in 1.. {
            let after = Duration::from_millis(200 * tries);
            if !killed_after(&arguments, folder, after) {
                break;
            }
            killed += 1;
        }
        // It is finished, and stays as it is.
        let path = stdout(&mut sim(folder, &arguments.join(" ")));
        assert!(path.starts_with(&format!("results/sweep.part-{}", part.replace('/', "-of-"))), "{path}");
    }
    assert!(killed >= 3, "{killed}");
    sim(folder, "sweep.ron --no-report -q --out whole").assert().success();
    let parts = "results/sweep.part-3-of-3 results/sweep.part-1-of-3 results/sweep.part-2-of-3";
    sim(folder, &format!("merge {parts} --no-report -q")).assert().success();
    let [run, whole] = ["results", "whole"].map(|out| folder.join(out).join("sweep/latest").canonicalize().unwrap());
    let (expected, chains) = left(&whole);
    assert_same(&expected, &run);
    assert!(rows(&run) == chains, "the rows of the ledger differ");
}

#[test]
fn who_runs_again_with_another_scenario_does_not_get_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Slots")).unwrap();
    let run = |more: &str| stdout(&mut sim(folder, &format!("sweep.ron --resume --no-report -q {more}")));
    let first = run("--part 1/4");
    assert_eq!(run("--part 1/4"), first);
    assert_ne!(run("--part 1/4 --seed 7"), first);
    assert_ne!(run("--part 1/4 --set loss=0.1"), first);
    assert_eq!(run("--part 1/4 --jobs 2 --shards 2"), run("--part 1/4"), "that changes no results");
    assert_ne!(run(""), first, "all of it is no part");
    assert_eq!(run(""), run(""));
}

/// What the command says that refuses.
#[track_caller]
fn refused(folder: &Path, arguments: &str) -> String {
    let output = sim(folder, arguments).assert().code(2).get_output().clone();
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_part_that_cannot_be_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Slots")).unwrap();
    for (part, mend) in [
        ("21/20", "parts go from 1/20 to 20/20"),
        ("0/20", "parts go from 1/20 to 20/20"),
        ("3/0", "the least is 1/1"),
        ("x", "3/20 is the third of twenty"),
        ("1/13", "divide by 12 at most"),
        ("-1/3", "3/20 is the third of twenty"),
    ] {
        let said = refused(folder, &format!("sweep.ron --part={part}"));
        assert!(said.contains(mend), "{part}: {said}");
    }
    assert!(!folder.join("results").exists());
}

#[test]
fn what_is_not_all_parts_of_one_study_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Full")).unwrap();
    let other = sweep("Full").replace("count: 5", "count: 6");
    fs::write(folder.join("other.ron"), &other).unwrap();
    fs::write(folder.join("another.ron"), other.replace("\"sweep\"", "\"another\"")).unwrap();
    let run = |arguments: &str| {
        stdout(&mut sim(folder, &format!("{arguments} --no-report -q --out parts"))).trim_end().to_owned()
    };
    let parts: Vec<String> = (1..=4).map(|number| run(&format!("sweep.ron --part {number}/4"))).collect();
    let copy = |of: usize, name: &str| {
        let copied = folder.join(name);
        fs::create_dir(&copied).unwrap();
        for entry in fs::read_dir(folder.join(&parts[of - 1])).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), copied.join(entry.file_name())).unwrap();
        }
        copied
    };
    let changed = |of: usize, name: &str, file: &str, change: &dyn Fn(String) -> String| {
        let path = copy(of, name).join(file);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        name.to_owned()
    };
    let status = |text: String| text.replace(r#""status": "finished""#, r#""status": "interrupted""#);
    let version = |text: String| text.replace(r#""version": ""#, r#""version": "9."#);
    let three = parts[..3].join(" ");
    let unfinished = [changed(2, "left", "manifest.json", &status), changed(4, "left too", "manifest.json", &status)];
    fs::rename(folder.join("left too"), folder.join("left-too")).unwrap();
    let newer: Vec<String> = (1..=4).map(|of| changed(of, &format!("newer-{of}"), "manifest.json", &version)).collect();
    let edited = changed(1, "edited", "scenario.ron", &|text| text.replace("200ms", "300ms"));
    fs::remove_file(copy(4, "lost").join("trades.csv")).unwrap();
    let cases: Vec<(String, Vec<String>)> = vec![
        (three.clone(), vec!["part 4 of 4 is missing: run it with `--part 4/4`".into()]),
        (parts[2].clone(), vec!["parts 1 to 2, 4 of 4 are missing: run each with `--part K/4`".into()]),
        (
            format!("{three} {} {}", parts[3], parts[0]),
            vec!["part 1 of 4 is there twice".into(), "leave one of them out".into()],
        ),
        (
            format!("{} {} {} left-too", parts[0], unfinished[0], parts[2]),
            vec![
                "part 2 of 4 is not complete: `sim resume left` finishes it".into(),
                "part 4 of 4 is not complete: `sim resume left-too` finishes it".into(),
            ],
        ),
        (format!("{three} {}", run("sweep.ron --part 4/4 --seed 7")), vec!["differ in their seed: 2023 and 7".into()]),
        (
            format!("{three} {}", run("sweep.ron --part 4/4 --set loss=0.1")),
            vec!["differ in what was set: nothing and loss=0.1".into()],
        ),
        (format!("{three} {}", run("sweep.ron --part 4/5")), vec!["differ in the number of parts: 4 and 5".into()]),
        (
            format!("{three} {}", run("sweep.ron --part 4/4 --format parquet")),
            vec!["differ in the format of their tables: csv and parquet".into()],
        ),
        (format!("{three} {}", run("other.ron --part 4/4")), vec!["differ in what their scenario.ron".into()]),
        (
            format!("{three} {}", run("another.ron --part 4/4")),
            vec!["differ in their scenario: sweep and another".into()],
        ),
        (format!("{three} newer-4"), vec!["differ in the version of the program".into()]),
        (newer.join(" "), vec!["merge them with that one, or run them again".into()]),
        (format!("{three} {}", run("sweep.ron")), vec!["is a run of all its cases and no part".into()]),
        (format!("{three} nowhere"), vec!["nowhere is not there".into()]),
        (format!("{edited} {} {} {}", parts[1], parts[2], parts[3]), vec!["has changed since the run began".into()]),
        (format!("{three} lost"), vec!["trades.csv".into()]),
    ];
    for (given, expected) in &cases {
        let said = refused(folder, &format!("merge {given}"));
        assert!(expected.iter().all(|expected| said.contains(expected)), "{given}: {said}");
    }
    assert!(refused(folder, "merge").contains("required"));
    assert!(!folder.join("results").exists(), "nothing is written");
}

#[test]
fn a_merge_that_is_ended_early_does_not_look_complete() {
    let root = tempfile::tempdir().unwrap();
    let simulation = || Simulation::builder().ron(sweep("Full"));
    let parts = all_parts(simulation, 3, root.path());
    let end = |simulation: SimulationBuilder| {
        let error = simulation.build().unwrap().merge_into(&Parts::open(&parts).unwrap(), root.path()).unwrap_err();
        let SimulationError::Ended { folder, .. } = error else { panic!("{error}") };
        Run::open(&folder).unwrap()
    };
    let run = end(simulation().interrupt(Arc::new(AtomicBool::new(true))));
    assert_eq!(run.manifest().status, Status::Interrupted);

    // One whose ledger lacks a case is found out when its turn comes.
    let ledger = rusqlite::Connection::open(parts[1].join("ledger.db")).unwrap();
    assert!(ledger.execute("DELETE FROM checkpoints WHERE case_number = 8", []).unwrap() > 0);
    drop(ledger);
    let run = end(simulation());
    assert!(matches!(run.manifest().status, Status::Failed(_)));
    assert_eq!(run.key_figures().unwrap().len(), 4, "the part before is there");
}

#[test]
fn a_part_says_that_it_is_one_and_what_becomes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Slots")).unwrap();
    let said = stdout(&mut sim(folder, "sweep.ron --part 3/5 --name named"));
    assert!(said.starts_with("named, part 3 of 5: means over the slots"), "{said}");
    let next = "part 3 of 5: cases 5 to 7 of 12; once all parts are done: `sim merge results/named.part-*-of-5`\n";
    assert!(said.ends_with(next), "{said}");
    let run = folder.join("results/named.part-3-of-5/latest");
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("This is part 3 of 5: cases 5 to 7 of 12."), "the report says so too");
    let listed = stdout(&mut sim(folder, "list"));
    assert!(listed.contains("named.part-3-of-5"), "{listed}");
    let manifest = Run::open(&run).unwrap().manifest().clone();
    let found = manifest.part.map(|part| (part.number, part.of, part.case_count));
    assert_eq!((found, manifest.case_count, manifest.numbers()), (Some((3, 5, 12)), 3, 5..=7));
    let said = refused(folder, "show results/named.part-3-of-5 --case 4");
    assert!(said.contains("it has those of cases 5 to 7"), "{said}");
    assert!(stdout(&mut sim(folder, "show results/named.part-3-of-5 --case 6")).contains("case 6 of 12"));
}

/// In the place of Slurm's: runs all tasks of a job array at once, and what is to follow them.
const SBATCH: &str = r#"#!/bin/sh
set -e
for last; do :; done
case $1 in
--parsable)
    tasks=$(sed -n 's/^#SBATCH --array=1-//p' "$last")
    for task in $(seq "$tasks"); do
        SLURM_ARRAY_TASK_ID=$task sh "$last" >&2
    done
    echo 7
    ;;
--dependency=afterok:7)
    sh -c "${last#--wrap=}"
    ;;
esac
"#;

#[test]
fn the_batch_script_runs_the_sweep_and_what_its_head_says_merges_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (name, out) = ("it's a $weep.ron", "my results");
    fs::write(folder.join(name), sweep("Slots").replace("replicates: 3,", "")).unwrap();
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("sbatch"), SBATCH).unwrap();
    fs::set_permissions(bin.join("sbatch"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sim"), bin.join("sim")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let shell = |arguments: &[&str]| {
        let output = Command::new("bash").args(arguments).current_dir(folder).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let script = stdout(
        sim(folder, "slurm --tasks 3 --cpus 2 --time 1-12:00:00 --set loss=0.01 --seed 5").args([name, "--out", out]),
    );
    fs::write(folder.join("sweep.sh"), &script).unwrap();
    shell(&["-n", "sweep.sh"]);
    for line in ["--job-name=sweep", "--array=1-3", "--cpus-per-task=2", "--time=1-12:00:00"] {
        assert!(script.contains(&format!("\n#SBATCH {line}\n")), "{script}");
    }
    let head: String =
        script.lines().filter_map(|line| line.strip_prefix("#   ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(head.lines().count(), 2, "{script}");
    // Twice: the tasks of the second time have nothing left to do.
    let manifests = || -> Vec<_> {
        let manifest = |number| folder.join(out).join(part(number, 3).name("sweep")).join("latest/manifest.json");
        (1..=3).map(|number| fs::read(manifest(number)).unwrap()).collect()
    };
    shell(&["-c", &head]);
    let before = manifests();
    let said = shell(&["-c", &head]);
    assert_eq!(manifests(), before);
    assert!(said.contains("4 cases, finished"), "{said}");
    sim(folder, "--set loss=0.01 --seed 5 --no-report -q --out whole").arg(name).assert().success();
    let [run, whole] = [out, "whole"].map(|out| folder.join(out).join("sweep/latest").canonicalize().unwrap());
    let (mut expected, chains) = left(&whole);
    let report = fs::read(run.join("report.html")).unwrap();
    expected.insert("report.html".to_owned(), report);
    assert_same(&expected, &run);
    assert!(rows(&run) == chains, "the rows of the ledger differ");
}

#[test]
fn no_script_is_printed_that_could_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.ron"), sweep("Slots")).unwrap();
    for (arguments, mend) in [
        ("sweep.ron --tasks 13", "`--tasks 12` is the most"),
        ("sweep.ron --tasks 0", "invalid value '0'"),
        ("sweep.ron", "--tasks <N>"),
        ("sweep.ron --tasks 3 --time 2h", "D-HH:MM:SS"),
        ("nowhere.ron --tasks 3", "nowhere.ron"),
        ("sweep.ron --tasks 3 --set muu=1", "muu"),
    ] {
        let said = refused(folder, &format!("slurm {arguments}"));
        assert!(said.contains(mend), "{arguments}: {said}");
    }
    let broken = sim(folder, "slurm sweep.ron --tasks 3").args(["--out", "a\nb"]).assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&broken.stderr).contains("letters that a script cannot hold"));
}
