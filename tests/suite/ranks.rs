//! Several ranks leave what one process does, byte for byte. Here they are threads; `tests/mpi/run.sh` has them talk by MPI.

use crate::{
    days,
    support::shipped,
    sweep::{assert_same, files, run},
};
use microgrid_agents::{chain::genesis::Signatures, ledger::Durability};
use microgrid_sim::{
    ranks::Ranks,
    record::{Recorder, Run, Status},
    runtime::fixtures::on_ranks,
    scenario::Plan,
    study::{self, Options, StudyError},
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Begins a run on so many ranks or goes on with it; ends it early once so many slots more are closed, if that is given.
fn run_among(count: usize, plan: &Plan, root: &Path, left: Option<&Path>, more: Option<u64>) -> PathBuf {
    let recorder = match left {
        None => Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new()).unwrap(),
        Some(folder) => Recorder::resume(&Run::open(folder).unwrap(), plan).unwrap(),
    };
    let recorder = Mutex::new(Some(recorder));
    let folders = on_ranks(count, |exchange| {
        let (ranks, interrupted) = (Ranks::new(exchange), Arc::<AtomicBool>::default());
        if !ranks.is_first() {
            study::follow(plan, &ranks, &interrupted);
            return None;
        }
        let recorder = recorder.lock().unwrap().take().expect("there is one rank 0");
        let options =
            Options { ranks: Some(ranks.clone()), interrupted: Arc::clone(&interrupted), ..Options::default() };
        let (recorder, result) = study::run(plan, recorder, &options, move |at| {
            interrupted.store(more.is_some_and(|more| at.slots_done >= at.slots_kept + more), Ordering::Relaxed);
        });
        ranks.dismiss();
        let status = match result {
            Ok(()) => Status::Finished,
            Err(StudyError::Interrupted) => Status::Interrupted,
            Err(error) => panic!("{error}"),
        };
        Some(recorder.finish(status, Duration::ZERO).unwrap())
    });
    folders.into_iter().flatten().next().expect("there is a rank 0")
}

#[track_caller]
fn assert_same_whatever_the_ranks(plan: &Plan) {
    let root = tempfile::tempdir().unwrap();
    let one = files(&run(plan, 1, root.path()));
    for count in [1, 2, 3] {
        assert_same(&one, &run_among(count, plan, root.path(), None, None));
    }
}

#[test]
fn the_flagship_is_the_same_whatever_the_ranks() {
    assert_same_whatever_the_ranks(&shipped("5_prosumers.ron", &[]));
}

#[test]
fn peers_are_the_same_whatever_the_ranks() {
    assert_same_whatever_the_ranks(&shipped("5_prosumers.ron", &["ledger.peers=4", "ledger.policy=Majority"]));
    let outage = ["ledger.peers=4", "ledger.posts=Last", "ledger.on_outage=Switch", "network.loss=0.02"];
    let some = ["population.count=48", "market.open=(12, 12)"];
    assert_same_whatever_the_ranks(&shipped("100_prosumers.ron", &[&outage[..], &some].concat()));
}

#[test]
fn storages_and_blocks_on_disk_are_the_same_whatever_the_ranks() {
    let mut plan = shipped("5_prosumers_storage.ron", &["mu=1"]);
    plan.scenario.ledger.durability = Durability::Block;
    assert_same_whatever_the_ranks(&plan);
}

#[test]
fn lost_and_signed_messages_are_the_same_whatever_the_ranks() {
    for delay in ["delay=0ms", "delay=20ms"] {
        let mut plan = shipped("5_prosumers.ron", &["mu=1", "loss=0.1", delay]);
        plan.scenario.ledger.signatures = Signatures::Everything;
        assert_same_whatever_the_ranks(&plan);
    }
}

#[test]
fn crashes_are_the_same_whatever_the_ranks() {
    assert_same_whatever_the_ranks(&shipped("crash.ron", &["group_share=0.4", "replicates=1"]));
}

#[test]
fn days_of_their_own_are_the_same_whatever_the_ranks() {
    assert_same_whatever_the_ranks(&days::plain());
}

#[test]
fn a_hundred_prosumers_and_every_mechanism_are_the_same_whatever_the_ranks() {
    assert_same_whatever_the_ranks(&shipped("100_prosumers.ron", &["mu=1"]));
    for mechanism in
        ["MidMarketRate", "UniformPriceAuction(every: \"1min\")", "ContinuousDoubleAuction", "Negotiation(rho: 1)"]
    {
        assert_same_whatever_the_ranks(&shipped("5_prosumers.ron", &["mu=1", &format!("mechanism={mechanism}")]));
    }
}

#[test]
fn what_ranks_have_left_any_number_of_ranks_goes_on_with() {
    for (plan, more) in [(shipped("5_prosumers.ron", &["mu=1"]), 1), (days::plain(), 96)] {
        let root = tempfile::tempdir().unwrap();
        let whole = files(&run(&plan, 1, root.path()));
        let folder = run_among(3, &plan, root.path(), None, Some(more));
        assert!(folder.join("snapshot.bin").exists());
        for count in [1, 2] {
            run_among(count, &plan, root.path(), Some(&folder), Some(more));
            assert!(folder.join("snapshot.bin").exists());
        }
        run_among(3, &plan, root.path(), Some(&folder), None);
        assert_same(&whole, &folder);
    }
}
