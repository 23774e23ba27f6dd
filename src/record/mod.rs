//! What a run leaves: from observations to the tables of its folder, and back from the folder to tables.
//!
//! A [`Recorder`] watches a study and writes; a [`Run`] reads. Rows are formed when a slot is closed, so that memory
//! stays the same however long a run is. Recording never changes a run. `docs/results.md` explains every file and column.

mod case;
mod convergence;
mod durations;
mod error;
mod folder;
mod gathered;
mod json_list;
mod key_figures;
mod ledger;
mod ledger_file;
mod manifest;
mod number;
mod prosumers;
mod run;
mod slots;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod theory;
mod trades;

pub use convergence::ConvergenceRow;
pub use error::RecordError;
pub(crate) use folder::LATEST;
pub use key_figures::{Comparison, KeyFigures, Totals};
pub use ledger::LedgerRow;
pub use manifest::{CaseEntry, Knobs, Manifest, Status};
pub use number::Number;
pub use prosumers::ProsumerRow;
pub use run::Run;
pub use slots::SlotRow;
pub use table::Row;
pub use trades::TradeRow;

use crate::{
    ledger::schema,
    runtime::{Traffic, WatchError, Watcher},
    scenario::{Case, Plan},
};
use case::{CaseRecord, Tables};
use json_list::JsonList;
use microgrid_agents::observation::Observed;
use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Name of the resolved scenario in a run's folder.
const SCENARIO: &str = "scenario.ron";

/// Writes the results of a study while it runs.
///
/// What is on disk is valid at any time. Until [`finish`](Self::finish) its manifest says `unfinished`.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    manifest: Manifest,
    tables: Tables,
    key_figures: JsonList<KeyFigures>,
    case: Option<CaseRecord>,
}

impl Recorder {
    /// Makes a new folder `root/<scenario name>/<start time>-seed<seed>/` for a run that started at `started` by this
    /// `command`, and points `root/<scenario name>/latest` to it.
    ///
    /// # Errors
    /// If a file or folder cannot be made.
    pub fn create(root: &Path, plan: &Plan, started: SystemTime, command: String) -> Result<Self, RecordError> {
        let scenario = &plan.scenario;
        let folder = folder::create(root, &scenario.name, started, scenario.seed)?;
        let tables = [SlotRow::FILE, ProsumerRow::FILE, TradeRow::FILE, ConvergenceRow::FILE, LedgerRow::FILE];
        let mut files: Vec<String> =
            [SCENARIO].into_iter().chain(tables).chain([key_figures::FILE, schema::FILE]).map(str::to_owned).collect();
        folder::write_new(&folder.join(SCENARIO), &plan.resolved_ron())?;
        files.extend(folder::write_inputs(&plan.inputs, &folder)?);
        let manifest = Manifest::new(plan, started, command, files);
        manifest.write(&folder)?;
        let tables = Tables::create(&folder)?;
        let key_figures = JsonList::create(&folder.join(key_figures::FILE))?;
        if let Err(error) = folder::point_latest(&folder) {
            tracing::warn!(%error, "no link to the newest run");
        }
        Ok(Self { folder, manifest, tables, key_figures, case: None })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a case; what is watched from now on belongs to it.
    pub fn begin_case(&mut self, case: &Case) {
        self.case = Some(CaseRecord::new(case));
    }

    /// Ends the case: writes its key figures, and what its ledger carried.
    ///
    /// # Errors
    /// If `kpis.json` or `ledger.csv` cannot be written.
    pub fn end_case(&mut self) -> Result<(), RecordError> {
        let case = self.case.take().expect("only a case that has begun can end");
        self.key_figures.push(&case.end(&mut self.tables)?)
    }

    /// Ends the recording, whether the run is complete or not: `ledger.db` stands alone, and the manifest tells how the
    /// run ended and how long it took. Returns the run's folder.
    ///
    /// # Errors
    /// If `ledger.db` or the manifest cannot be written.
    pub fn finish(mut self, status: Status, wall: Duration) -> Result<PathBuf, RecordError> {
        let closed = self.tables.close();
        self.manifest.status = status;
        self.manifest.wall_seconds = Some(wall.as_secs_f64());
        self.manifest.write(&self.folder)?;
        closed.map(|()| self.folder)
    }
}

impl Watcher for Recorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let case = self.case.as_mut().expect("a case has begun before anything is watched");
        Ok(case.window(observed.drain(..), traffic, &mut self.tables)?)
    }
}
