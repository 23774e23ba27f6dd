//! Same binary, scenario and seed: byte-identical tables and chains, whatever the shards; and whatever goes on the
//! chain, the market is the same.

use crate::support::shipped;
use assert_cmd::Command;
use microgrid_agents::{
    chain::genesis::{Posts, Signatures},
    ledger::Durability,
};
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

/// Name under which the exported chains stand among a run's files.
pub(crate) const CHAINS: &str = "exported chains";

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Runs a study and reads what it leaves, file by file, except the manifest, which holds wall times; and the chains as
/// they are exported.
pub(crate) fn files(plan: &Plan, shards: Option<Shards>) -> Files {
    let root = tempfile::tempdir().expect("a temporary folder");
    let recorder = Recorder::create_as(Default::default(), root.path(), plan, SystemTime::UNIX_EPOCH, "test".into())
        .expect("a folder");
    let (recorder, result) = study::run(plan, recorder, &Options { shards, ..Options::default() }, |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    let folder = recorder.finish(Status::Finished, Duration::ZERO).expect("the run is complete");
    let mut files = content(&folder);
    assert!(files.len() >= 6, "{:?}", files.keys());
    let export = Command::new(env!("CARGO_BIN_EXE_sim")).args(["ledger", "export"]).arg(&folder).assert().success();
    let chains = export.get_output().stdout.clone();
    assert!(chains.len() > 10_000, "{} bytes are no chains", chains.len());
    files.insert(CHAINS.to_owned(), chains);
    files
}

/// The files of a run's folder but for the manifest.
pub(crate) fn content(folder: &Path) -> Files {
    let mut files = Files::new();
    read(folder, &mut files);
    files
}

fn read(folder: &Path, files: &mut Files) {
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

/// Which of the files differ.
pub(crate) fn different<'a>(left: &'a Files, right: &'a Files) -> Vec<&'a str> {
    assert!(left.keys().eq(right.keys()));
    left.iter().filter(|(name, bytes)| right[*name] != **bytes).map(|(name, _)| name.as_str()).collect()
}

#[track_caller]
pub(crate) fn assert_same_whatever_the_shards(plan: &Plan, others: &[Shards]) {
    let reference = files(plan, Some(Shards::Fixed(1)));
    for &shards in others {
        let different = different(&reference, &files(plan, Some(shards))).join(", ");
        assert!(different.is_empty(), "{different} differ with {shards:?}");
    }
}

/// Shards of all kinds; the first is that of the run which the others are compared with.
pub(crate) const ALL_SHARDS: [Shards; 5] =
    [Shards::Fixed(1), Shards::PerActor, Shards::Fixed(2), Shards::Fixed(3), Shards::PerCore];

#[test]
fn the_flagship_is_the_same_whatever_the_shards() {
    assert_same_whatever_the_shards(&shipped("5_prosumers.ron", &[]), &ALL_SHARDS);
}

#[test]
fn storages_are_the_same_whatever_the_shards() {
    assert_same_whatever_the_shards(&shipped("5_prosumers_storage.ron", &["mu=1"]), &ALL_SHARDS);
}

#[test]
fn a_lossy_network_is_the_same_whatever_the_shards() {
    assert_same_whatever_the_shards(&shipped("5_prosumers.ron", &["mu=1", "loss=0.1"]), &ALL_SHARDS);
}

#[test]
fn loss_and_zero_delay_are_the_same_whatever_the_shards() {
    let plan = shipped("5_prosumers.ron", &["mu=1", "loss=0.1", "delay=0ms"]);
    assert_same_whatever_the_shards(&plan, &ALL_SHARDS);
}

#[test]
fn signed_posts_are_the_same_whatever_the_shards() {
    let mut plan = shipped("5_prosumers.ron", &["mu=0"]);
    plan.scenario.ledger.signatures = Signatures::Everything;
    assert_same_whatever_the_shards(&plan, &ALL_SHARDS);
}

#[test]
fn last_posts_are_the_same_whatever_the_shards() {
    let mut plan = shipped("5_prosumers.ron", &["mu=1"]);
    plan.scenario.ledger.posts = Some(Posts::Last);
    assert_same_whatever_the_shards(&plan, &ALL_SHARDS);
}

#[test]
fn a_hundred_prosumers_are_the_same_whatever_the_shards() {
    let plan = shipped("100_prosumers.ron", &["mu=1"]);
    assert_same_whatever_the_shards(&plan, &[Shards::PerActor, Shards::Fixed(2), Shards::PerCore]);
}

#[test]
fn another_seed_is_another_run() {
    let of = |seed: &str| files(&shipped("5_prosumers.ron", &["mu=1", seed]), None);
    let (first, second) = (of("seed=1"), of("seed=2"));
    for name in ["convergence.csv", CHAINS] {
        assert_ne!(first[name], second[name]);
    }
}

/// Runs a plan with and without a change of what goes on the chain; only what tells of the ledger differs.
#[track_caller]
fn assert_the_market_is_the_same(mut plan: Plan, change: impl FnOnce(&mut Plan)) {
    let market = |plan: &Plan| {
        let mut files = files(plan, None);
        let others = files.iter_mut().filter(|(name, _)| *name != "ledger.csv");
        others.for_each(|(name, file)| leave_out("bytes", name, file));
        files
    };
    let before = market(&plan);
    change(&mut plan);
    let after = market(&plan);
    assert_eq!(different(&before, &after), [CHAINS, "ledger.csv", "ledger.db", "scenario.ron"]);
}

/// Leaves out of a table what columns, rows and fields tell of this.
pub(crate) fn leave_out(what: &str, name: &str, file: &mut Vec<u8>) {
    let Some((_, kind @ ("csv" | "json"))) = name.rsplit_once('.') else { return };
    let text = String::from_utf8(std::mem::take(file)).expect("a text");
    let columns: Vec<bool> = text.lines().next().unwrap_or_default().split(',').map(|c| c.starts_with(what)).collect();
    for (n, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let kept = match kind {
            "csv" if n > 0 && cells.contains(&what) => continue,
            "csv" => {
                cells.iter().zip(&columns).filter(|(_, is_left_out)| !**is_left_out).map(|(cell, _)| *cell).collect()
            }
            _ if line.contains(&format!("\"{what}\"")) => continue,
            _ => vec![line],
        };
        file.extend(kept.join(",").bytes().chain(*b"\n"));
    }
}

fn only_last_posts(plan: &mut Plan) {
    plan.scenario.ledger.posts = Some(Posts::Last);
}

#[test]
fn which_posts_stand_on_the_chain_changes_nothing_in_the_market() {
    assert_the_market_is_the_same(shipped("5_prosumers.ron", &[]), only_last_posts);
}

#[test]
fn where_blocks_take_several_periods_it_changes_nothing_either() {
    for network in ["loss=0", "loss=0.1"] {
        let mut plan = shipped("5_prosumers.ron", &["mu=0", "block_timeout=3s", network]);
        plan.scenario.market.gate_closure = Duration::from_secs(200);
        assert_the_market_is_the_same(plan, only_last_posts);
    }
}

#[test]
fn who_signs_what_changes_nothing_in_the_market() {
    assert_the_market_is_the_same(shipped("5_prosumers.ron", &[]), |plan| {
        plan.scenario.ledger.signatures = Signatures::Everything;
    });
}

#[test]
fn when_commits_are_on_disk_changes_nothing_on_the_chain() {
    let mut plan = shipped("5_prosumers.ron", &["mu=0"]);
    let before = files(&plan, None);
    plan.scenario.ledger.durability = Durability::Block;
    let after = files(&plan, None);
    // The same rows may lie elsewhere in the file where they were written at other times.
    let different: Vec<_> = different(&before, &after).into_iter().filter(|name| *name != "ledger.db").collect();
    assert_eq!(different, ["scenario.ron"]);
}
