//! Whole studies: the shipped scenarios from the file to the last written table.
//!
//! `cargo bench --bench study`; beside it `--bench reference` times the plain iteration without actors or messages.

use criterion::{Criterion, criterion_group, criterion_main};
use microgrid_sim::{
    record::{Recorder, Status},
    scenario::{self, Overrides},
    study::{self, Options},
};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

fn play(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let plan = scenario::load(&path, &Overrides::default()).expect("a shipped scenario is valid");
    let root = tempfile::tempdir().expect("a temporary folder");
    let recorder = Recorder::create_as(Default::default(), root.path(), &plan, SystemTime::UNIX_EPOCH, String::new())
        .expect("a folder");
    let (recorder, result) = study::run(&plan, recorder, &Options::default(), |_| {});
    result.expect("a shipped scenario runs to its end");
    recorder.finish(Status::Finished, Duration::ZERO).expect("results are written");
}

fn studies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("study");
    group.sample_size(10);
    for name in ["5_prosumers.ron", "5_prosumers_storage.ron", "100_prosumers.ron"] {
        group.bench_function(name, |bencher| bencher.iter(|| play(name)));
    }
    group.finish();
}

criterion_group!(benches, studies);
criterion_main!(benches);
