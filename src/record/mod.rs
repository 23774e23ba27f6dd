//! What a run leaves: from observations to the tables of its folder, and back from the folder to tables.
//!
//! A [`Recorder`] watches a study and writes; a [`Run`] reads. Rows are formed when a slot is closed, so that memory
//! stays the same however long a run is. Recording never changes a run. `docs/results.md` explains every file and column.

mod ages;
mod case;
mod convergence;
mod error;
mod folder;
mod gathered;
mod key_figures;
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
pub use key_figures::{Comparison, KeyFigures, Totals};
pub use manifest::{CaseEntry, Knobs, Manifest, Status};
pub use number::Number;
pub use prosumers::ProsumerRow;
pub use run::Run;
pub use slots::SlotRow;
pub use table::Row;
pub use trades::TradeRow;

use crate::{
    runtime::{WatchError, Watcher},
    scenario::{Case, Plan},
};
use case::{CaseRecord, Tables};
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
    key_figures: Vec<KeyFigures>,
    case: Option<CaseRecord>,
}

impl Recorder {
    /// Makes a new folder `root/<scenario name>/<start time>-seed<seed>/` for a run that started at `started` by this
    /// `command`, and points `root/<scenario name>/latest` to it.
    ///
    /// # Errors
    /// If a file or folder cannot be made, or two data files have the same name.
    pub fn create(root: &Path, plan: &Plan, started: SystemTime, command: String) -> Result<Self, RecordError> {
        let scenario = &plan.scenario;
        let folder = folder::create(root, &scenario.name, started, scenario.seed)?;
        let mut files: Vec<String> =
            [SCENARIO, SlotRow::FILE, ProsumerRow::FILE, TradeRow::FILE, ConvergenceRow::FILE, key_figures::FILE]
                .map(str::to_owned)
                .into();
        folder::write_new(&folder.join(SCENARIO), &plan.resolved_ron())?;
        files.extend(folder::copy_inputs(&plan.inputs, &folder)?);
        let manifest = Manifest::new(plan, started, command, files);
        manifest.write(&folder)?;
        let recorder = Self { tables: Tables::create(&folder)?, folder, manifest, key_figures: Vec::new(), case: None };
        recorder.write_key_figures()?;
        folder::point_latest(&recorder.folder)?;
        Ok(recorder)
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a case; what is watched from now on belongs to it.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn begin_case(&mut self, case: &Case) -> Result<(), RecordError> {
        self.case = Some(CaseRecord::new(case));
        self.manifest.add(case);
        self.manifest.write(&self.folder)
    }

    /// Ends the case and writes its key figures.
    ///
    /// # Errors
    /// If `kpis.json` cannot be written.
    pub fn end_case(&mut self) -> Result<(), RecordError> {
        let case = self.case.take().expect("only a case that has begun can end");
        self.key_figures.push(case.key_figures());
        self.write_key_figures()
    }

    /// Ends the recording: the manifest tells how the run ended and how long it took. Returns the run's folder.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn finish(mut self, status: Status, wall: Duration) -> Result<PathBuf, RecordError> {
        self.manifest.status = status;
        self.manifest.wall_seconds = Some(wall.as_secs_f64());
        self.manifest.write(&self.folder)?;
        Ok(self.folder)
    }

    fn write_key_figures(&self) -> Result<(), RecordError> {
        folder::write_json(&self.folder.join(key_figures::FILE), &self.key_figures)
    }
}

impl Watcher for Recorder {
    fn window(&mut self, observed: &mut Vec<Observed>, messages: u64) -> Result<(), WatchError> {
        let case = self.case.as_mut().expect("a case has begun before anything is watched");
        Ok(case.window(observed.drain(..), messages, &mut self.tables)?)
    }
}
