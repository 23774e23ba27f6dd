//! Writes the results of a study while it runs.

use super::{
    SCENARIO,
    case::CaseRecord,
    cases::CaseFolders,
    error::RecordError,
    folder,
    journal::Journal,
    manifest::{Manifest, PlannedCases, Status},
    measures::complete_cases,
    paired,
    run::Run,
    summary, table,
    table_format::Format,
    tables::{self, Tables},
};
use microgrid_agents::{actor::MarketProtocol, observation::Observed};
use microgrid_runtime::{Traffic, WatchError, Watcher};
use microgrid_scenario::{Case, Plan, schema::Record};
use std::{
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Writes the results of a study while it runs.
///
/// What is on disk is valid at any time. Until [`finish`](Self::finish) its manifest says `unfinished`. Cases come in
/// the order of their numbers: either each is written straight into the run's tables, from [`begin_case`](Self::begin_case)
/// to [`end_case`](Self::end_case), or into a folder of its own, see [`folders`](Self::folders), from which
/// [`take_in`](Self::take_in) takes it.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    manifest: Manifest<PlannedCases>,
    tables: Tables,
    case: Option<CaseRecord>,
    folders: CaseFolders,
    record: Record,
    format: Format,
    /// The results of so many cases are in the tables.
    done: u32,
    /// Time that the run has taken before it was resumed.
    before: Duration,
    /// Keeps others from writing the same run.
    _claim: File,
}

impl Recorder {
    /// Makes a new folder `root/<scenario name>/<start time>-seed<seed>/` for a run that started at `started` by this
    /// `command`, and points `root/<scenario name>/latest` to it. All tables are CSV.
    ///
    /// # Errors
    /// If a file or folder cannot be made.
    pub fn create(root: &Path, plan: &Plan, started: SystemTime, command: String) -> Result<Self, RecordError> {
        Self::create_as(Format::Csv, root, plan, started, command)
    }

    /// The same with the large tables in this `format`.
    ///
    /// # Errors
    /// If a file or folder cannot be made.
    pub fn create_as(
        format: Format,
        root: &Path,
        plan: &Plan,
        started: SystemTime,
        command: String,
    ) -> Result<Self, RecordError> {
        let scenario = &plan.scenario;
        let record = scenario.record;
        let folder = folder::create(root, &scenario.name, started, plan.first_seed())?;
        folder::write_new(&folder.join(SCENARIO), &plan.resolved_ron())?;
        let claim = folder::claim(&folder)?;
        let written = [SCENARIO].into_iter().chain(tables::files(record, format)).chain([summary::FILE]);
        let written = written.chain(paired::has_pairs(plan).then_some(paired::PairedRow::FILE));
        let mut files: Vec<String> = written.map(str::to_owned).collect();
        files.extend(folder::write_inputs(&plan.inputs, &folder)?);
        let tables = Tables::create(&folder, record, format)?;
        tables.journal(0).write(&folder)?;
        // Last, so that a folder with a manifest has everything else.
        let manifest = Manifest::new(plan, started, command, files);
        manifest.write(&folder)?;
        if let Err(error) = folder::point_latest(&folder) {
            tracing::warn!(%error, "no link to the newest run");
        }
        let folders = CaseFolders::new(&folder, record, format, 0);
        let before = Duration::ZERO;
        Ok(Self { folder, manifest, tables, case: None, folders, record, format, done: 0, before, _claim: claim })
    }

    /// Goes on with a run that was ended early, whose scenario is that of `plan`. Whatever it has of cases that are not
    /// complete is removed.
    ///
    /// # Errors
    /// If the run is still under way, was made by another version, with own rules or from another scenario, or is not as it was left.
    pub fn resume(run: &Run, plan: &Plan) -> Result<Self, RecordError> {
        let folder = folder::own(run.folder());
        let made_by = &run.manifest().version;
        if made_by != env!("CARGO_PKG_VERSION") {
            let scenario = folder.join(SCENARIO);
            return Err(RecordError::OtherVersion { made_by: made_by.clone(), scenario });
        }
        if run.manifest().own_rules {
            return Err(RecordError::OwnRules(folder));
        }
        let manifest = run.manifest().clone().resumed(plan);
        let manifest = manifest.ok_or_else(|| RecordError::OtherScenario(folder.join(SCENARIO)))?;
        let claim = folder::claim(&folder)?;
        let journal = Journal::read(&folder)?;
        let (record, format) = (plan.scenario.record, run.format());
        let folders = CaseFolders::new(&folder, record, format, journal.cases);
        folders.tidy()?;
        let tables = Tables::reopen(&folder, record, format, &journal)?;
        manifest.write(&folder)?;
        let before = manifest.wall_seconds.map_or(Duration::ZERO, Duration::from_secs_f64);
        let done = journal.cases;
        Ok(Self { folder, manifest, tables, case: None, folders, record, format, done, before, _claim: claim })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The results of so many cases, from the first on, are in the run's tables.
    pub fn done(&self) -> u32 {
        self.done
    }

    /// Where cases that run side by side are recorded.
    pub fn folders(&self) -> CaseFolders {
        self.folders.clone()
    }

    /// Takes the next case into the run's tables if it is complete in a folder of its own; says whether it was.
    ///
    /// # Errors
    /// If its folder cannot be read, or the run's files cannot be written.
    pub fn take_in(&mut self) -> Result<bool, RecordError> {
        let next = self.done + 1;
        let folder = self.folders.finished(next);
        if !folder.is_dir() {
            return Ok(false);
        }
        self.tables.append_from(&folder, next)?;
        self.note(next)?;
        self.folders.remove(next)?;
        Ok(true)
    }

    /// Begins a case in the run's own tables; what is watched from now on belongs to it.
    pub fn begin_case(&mut self, case: &Case) {
        self.case = Some(CaseRecord::new(case));
    }

    /// Ends the case: writes its key figures, and what its ledger carried.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn end_case(&mut self) -> Result<(), RecordError> {
        let case = self.case.take().expect("only a case that has begun can end");
        let number = case.number();
        case.end(&mut self.tables)?;
        self.note(number)?;
        self.folders.written(number);
        Ok(())
    }

    /// Notes that the cases up to this one are in the tables.
    fn note(&mut self, case: u32) -> Result<(), RecordError> {
        self.done = case;
        self.tables.journal(case).write(&self.folder)
    }

    /// Ends the recording, whether the run is complete or not: tables and `ledger.db` stand alone, `summary.csv` and
    /// `paired.csv` tell of all complete cases, and the manifest how the run ended and how long it took, `wall` from its start or from where it
    /// was resumed. Returns the run's folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(mut self, status: Status, wall: Duration) -> Result<PathBuf, RecordError> {
        let closed = self.tables.finish(self.done, self.manifest.case_count);
        let summed_up = sum_up(&self.folder, &self.manifest);
        // First of all, so that a run that says it is finished has nothing left over but what a resumed one needs.
        let tidied = self.folders.tidy();
        let written = closed.and(summed_up).and(tidied);
        let finished = status == Status::Finished && written.is_ok();
        self.manifest.status = if status == Status::Finished && !finished { Status::Unfinished } else { status };
        self.manifest.wall_seconds = Some((self.before + wall).as_secs_f64());
        self.manifest.write(&self.folder)?;
        written?;
        if finished {
            tables::tidy(&self.folder, self.record, self.format)?;
            Journal::remove(&self.folder)?;
        }
        Ok(self.folder)
    }
}

/// Sums up all complete cases of a run, in one reading of `slots.csv`.
fn sum_up(folder: &Path, manifest: &Manifest<PlannedCases>) -> Result<(), RecordError> {
    let cases = complete_cases(table::read(folder)?, manifest.slots, manifest.gate_closure_s);
    if !paired::has_pairs(&manifest.cases.0) {
        return summary::write(folder, manifest, cases);
    }
    let mut values = paired::Values::create(folder)?;
    summary::write(folder, manifest, cases.map(|case| case.and_then(|case| values.put(&case).map(|()| case))))?;
    paired::write(folder, &manifest.cases.0, values)
}

impl Watcher<MarketProtocol> for Recorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let case = self.case.as_mut().expect("a case has begun before anything is watched");
        Ok(case.window(observed.drain(..), traffic, &mut self.tables)?)
    }
}
