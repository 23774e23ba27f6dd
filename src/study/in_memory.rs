//! All cases of a plan, their rows kept in memory.

use super::{Options, StudyError, reporter::Reporter, suitable_jobs};
use crate::{
    record::{CaseRows, MemoryRecorder},
    runtime::Shards,
    scenario::{LastPopulation, Plan},
    simulation::simulate,
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

/// Runs all cases of a plan and returns their rows, in the order of the cases. The rows are those that
/// [`run`](super::run) writes, whatever the shards and jobs.
///
/// # Errors
/// If a case cannot be run to its end: the first one that fails.
pub fn in_memory(plan: &Plan, options: &Options) -> Result<Vec<CaseRows>, StudyError> {
    let jobs = options.jobs.unwrap_or_else(|| suitable_jobs(plan, options.shards)).get();
    let jobs = jobs.min(plan.case_count() as usize);
    let (next, failed, drawn) = (AtomicU32::new(1), AtomicBool::new(false), LastPopulation::default());
    let ended: Mutex<BTreeMap<u32, Result<CaseRows, StudyError>>> = Mutex::default();
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number > plan.case_count() {
                return;
            }
            let rows = play(plan, number, jobs, options, &drawn);
            failed.fetch_or(rows.is_err(), Ordering::Relaxed);
            ended.lock().unwrap_or_else(PoisonError::into_inner).insert(number, rows);
        }
    };
    thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
    ended.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Runs one of the cases of which `jobs` run at a time.
fn play(
    plan: &Plan,
    number: u32,
    jobs: usize,
    options: &Options,
    drawn: &LastPopulation,
) -> Result<CaseRows, StudyError> {
    let case = plan.case(number, drawn);
    let beside_others = || Shards::beside_others(case.population.prosumers.len() + 2);
    let shards = options.shards.or_else(|| (jobs > 1).then(beside_others));
    let reporter = Reporter::new(&case, MemoryRecorder::new(&case), |_| {});
    let (reporter, result) = simulate(&case, shards, &options.interrupted, reporter);
    result.map_err(|source| StudyError::of(number, source))?;
    Ok(reporter.into_parts().0.end())
}
