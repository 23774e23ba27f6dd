//! `sim merge RUNS`: one run of the runs of all parts of a sweep.

use super::{
    args::{Place, Told},
    error::CliError,
    run::{draw, interrupted_by_signals, tell},
};
use crate::{
    framework::{Simulation, SimulationError},
    record::Parts,
};
use std::path::PathBuf;

/// Merges the runs, draws the report of all cases, and prints what a run of the whole would print.
pub(super) fn merge(runs: &[PathBuf], place: &Place, told: &Told) -> Result<(), CliError> {
    let parts = Parts::open(runs).map_err(CliError::bad_input)?;
    let simulation = Simulation::builder().file(parts.scenario());
    let simulation = place.name.iter().fold(simulation, |simulation, name| simulation.set("name", name));
    let simulation = simulation.interrupt(interrupted_by_signals()?).build()?;
    match simulation.merge_into(&parts, &place.out) {
        Ok(run) => {
            draw(run.folder(), told);
            tell(&run, told)
        }
        Err(SimulationError::Ended { error, folder }) => {
            let folder = folder.display();
            Err(CliError::failed(format!("{error}\n{folder} does not have all parts: remove it, and merge again")))
        }
        Err(error) => Err(error.into()),
    }
}
