//! Same binary, scenario and seed: byte-identical tables, whatever the shards.

use crate::support::shipped;
use microgrid_sim::{
    record::{Recorder, Status},
    runtime::Shards,
    scenario::Plan,
    study::{self, Options},
};
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime},
};

/// Runs a study and reads what it leaves, file by file, except the manifest, which holds wall times.
fn tables(plan: &Plan, shards: Option<Shards>) -> BTreeMap<String, Vec<u8>> {
    let root = tempfile::tempdir().expect("a temporary folder");
    let recorder = Recorder::create(root.path(), plan, SystemTime::UNIX_EPOCH, "test".into()).expect("a folder");
    let (recorder, result) = study::run(plan, recorder, &Options { shards, ..Options::default() }, |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    let folder = recorder.finish(Status::Finished, Duration::ZERO).expect("the run is complete");
    let mut files = BTreeMap::new();
    read(&folder, &mut files);
    assert!(files.len() >= 6, "{:?}", files.keys());
    files
}

fn read(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, files);
        } else if name != "manifest.json" {
            files.insert(name, std::fs::read(&path).expect("a file"));
        }
    }
}

fn assert_same_whatever_the_shards(plan: &Plan, others: &[Shards]) {
    let reference = tables(plan, Some(Shards::Fixed(1)));
    for &shards in others {
        let other = tables(plan, Some(shards));
        for (name, bytes) in &reference {
            assert!(Some(bytes) == other.get(name), "{name} differs with {shards:?}");
        }
        assert_eq!(reference.len(), other.len());
    }
}

#[test]
fn the_flagship_is_the_same_whatever_the_shards() {
    let others = [Shards::Fixed(1), Shards::PerActor, Shards::Fixed(2), Shards::Fixed(3), Shards::PerCore];
    assert_same_whatever_the_shards(&shipped("5_prosumers.ron", &[]), &others);
}

#[test]
fn loss_and_zero_delay_are_the_same_whatever_the_shards() {
    let plan = shipped("5_prosumers.ron", &["mu=1", "loss=0.1", "delay=0ms"]);
    assert_same_whatever_the_shards(&plan, &[Shards::PerActor, Shards::Fixed(2), Shards::Fixed(3)]);
}

#[test]
fn a_hundred_prosumers_are_the_same_whatever_the_shards() {
    let plan = shipped("100_prosumers.ron", &["mu=1"]);
    assert_same_whatever_the_shards(&plan, &[Shards::PerActor, Shards::Fixed(2), Shards::PerCore]);
}

#[test]
fn another_seed_is_another_run() {
    let of = |seed: &str| tables(&shipped("5_prosumers.ron", &["mu=1", seed]), None);
    assert_ne!(of("seed=1")["convergence.csv"], of("seed=2")["convergence.csv"]);
}
