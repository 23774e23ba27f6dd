//! Writes the results of a study while it runs.

use super::{
    SCENARIO,
    case::CaseRecorder,
    error::RecordError,
    folder,
    journal::Journal,
    key_figures,
    manifest::{self, Manifest, PlannedCases, Status},
    measures::complete_cases,
    merge::Parts,
    paired,
    run::Run,
    schema::{self, Schema},
    sheet::{Format, Place},
    slots::SlotRow,
    snapshot::{self, Snapshot, Snapshots},
    summary,
    table::{self, Row},
    tables::{self, Tables},
};
use microgrid_agents::ids::Slot;
use microgrid_scenario::{Case, Plan, schema::Clock};
use std::{
    fs::{self, File},
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Where the cases of a study are recorded: in the folder of a run, or in memory. Each is begun, shown to its recorder,
/// ended by it, and taken in.
pub trait CaseStore: Send {
    /// Whether it has all of the case already.
    fn has(&self, case: u32) -> bool;

    /// How many slots it has of a case that goes on in its middle.
    fn under_way(&self) -> Slot {
        0
    }

    /// Begins a case.
    fn begin(&mut self, case: &Case) -> Result<CaseRecorder, RecordError>;

    /// Begins a case again that was to go on in its middle, from where its simulation cannot.
    fn start_over(&mut self, case: CaseRecorder) -> Result<CaseRecorder, RecordError> {
        self.begin(&case.case)
    }

    /// Takes a case back that has been played: to its [end](CaseRecorder::end) or, as far as it came, without.
    fn take_in(&mut self, case: CaseRecorder) -> Result<(), RecordError>;
}

/// Writes the results of a study while it runs.
///
/// What is on disk is valid at any time. Until [`finish`](Self::finish) its manifest says `unfinished`. The run's tables
/// have the cases in the order of their numbers. A case before which all are there is written straight into them; any
/// other into `cases/<number>.partial/`, which is renamed to `cases/<number>/` once the case is complete, and taken into
/// the tables when its turn comes. So a folder without that ending is always whole, whoever ends the program.
#[derive(Debug)]
pub struct Recorder {
    /// The run's folder.
    pub folder: PathBuf,
    manifest: Manifest<PlannedCases>,
    /// `None` while a case is written straight into them.
    tables: Option<Tables>,
    format: Format,
    /// The results of the cases from the first to the one with this number are in the tables.
    pub done: u32,
    /// Number of the run's first case.
    first: u32,
    /// The next case, if it was left between two slots; the tables are as they were then.
    left: Option<Box<Snapshot>>,
    /// Whether a case could not be taken in: it may be there by half, and nothing goes behind it.
    half_written: bool,
    /// Time that the run has taken before it was resumed.
    before: Duration,
    /// Keeps others from writing the same run.
    _claim: File,
}

impl Recorder {
    /// Makes a new folder `root/<name>/<start time>-seed<seed>/` for a run that started at `started` by this `command`, and
    /// points `root/<name>/latest` to it, where the name is that of the [plan](Plan::name). Large tables are written in this `format`.
    pub fn create_as(
        format: Format,
        root: &Path,
        plan: &Plan,
        started: SystemTime,
        command: String,
    ) -> Result<Self, RecordError> {
        let record = plan.scenario.record;
        let folder = folder::create(root, &plan.name(), started, plan.first_seed())?;
        folder::write_new(&folder.join(SCENARIO), &plan.resolved_ron())?;
        let claim = folder::claim(&folder)?;
        let schema = described(plan, format);
        folder::write_json(&folder.join(schema::FILE), &schema)?;
        let mut files: Vec<String> = written(&schema, plan).into_iter().map(str::to_owned).collect();
        files.extend(folder::write_inputs(&plan.inputs, &folder)?);
        let tables = Tables::open(Place::New(&folder), record, format)?;
        let manifest = Manifest::new(plan, started, command, files);
        let first = *plan.numbers().start();
        let before = Duration::ZERO;
        let mut recorder = Self {
            folder,
            manifest,
            tables: None,
            format,
            done: first - 1,
            first,
            left: None,
            half_written: false,
            before,
            _claim: claim,
        };
        recorder.note(tables, first - 1)?;
        // Last, so that a folder with a manifest has everything else.
        recorder.manifest.write(&recorder.folder)?;
        if let Err(error) = folder::point_latest(&recorder.folder) {
            tracing::warn!(%error, "no link to the newest run");
        }
        Ok(recorder)
    }

    /// Makes a new folder for the run of the whole `plan` that all these parts are, as [`create_as`](Self::create_as) does.
    pub fn of_parts(
        parts: &Parts,
        root: &Path,
        plan: &Plan,
        started: SystemTime,
        command: String,
    ) -> Result<Self, RecordError> {
        let mut recorder = Self::create_as(parts.format(), root, plan, started, command)?;
        parts.tell(&mut recorder.manifest);
        recorder.manifest.write(&recorder.folder)?;
        recorder.before = parts.took();
        Ok(recorder)
    }

    /// Takes in all cases of a part that is complete, whose turn it is. The part stays as it is.
    pub fn take_in_part(&mut self, part: &Run) -> Result<(), RecordError> {
        let cases = part.manifest().numbers();
        assert!(*cases.start() == self.done + 1, "parts come in the order of their cases");
        let tables = self.tables.take().map_or_else(|| self.reopened(), Ok)?;
        self.append(tables, part.folder(), cases)
    }

    /// Goes on with a run that was ended early, whose scenario is that of `plan`: behind the last slot of the case under way
    /// of which there is a snapshot. Whatever else it has of cases that are not complete is removed.
    ///
    /// # Errors
    /// If the run is still under way, was made by another version, with own rules or from another scenario, or is not as it
    /// was left.
    pub fn resume(run: &Run, plan: &Plan) -> Result<Self, RecordError> {
        let folder = folder::own(run.folder());
        let made_by = &run.manifest().version;
        if made_by != env!("CARGO_PKG_VERSION") {
            let scenario = folder.join(SCENARIO);
            return Err(RecordError::OtherVersion { made_by: made_by.clone(), scenario });
        }
        if run.manifest().own_rules || plan.custom.changes_results() {
            return Err(RecordError::OwnRules(folder));
        }
        let manifest = run.manifest().clone().resumed(plan);
        let mut manifest = manifest.ok_or_else(|| RecordError::OtherScenario(folder.join(SCENARIO)))?;
        let claim = folder::claim(&folder)?;
        let journal: Journal = folder::read_json(&folder.join(Journal::FILE))?;
        let (done, format) = (journal.cases, run.format());
        let slots = folder.join(SlotRow::FILE);
        let (first, last) = plan.numbers().into_inner();
        if journal.first != first || !(first - 1..=last).contains(&done) {
            let what =
                format!("it tells of cases {} to {done}, and the run has cases {first} to {last}", journal.first);
            return Err(RecordError::out_of_step(&folder.join(manifest::FILE), what));
        }
        if done >= first && table::section::<SlotRow>(&folder, done, manifest.slots..=manifest.slots)?.size == 0 {
            return Err(RecordError::out_of_step(&slots, format!("it does not have all of case {done}")));
        }
        tidy_cases(&folder, done)?;
        let in_place = |place: Place<'_>| Tables::open(place, plan.scenario.record, format);
        // A case that is complete in a folder of its own is taken from there.
        let left =
            (!own_folder(&folder, done + 1).is_dir()).then(|| Snapshot::read(&folder, &manifest.inputs_sha256, done));
        let opened = left.flatten().and_then(|left| match in_place(left.tables.place(&folder)) {
            Ok(mut tables) => tables.can_go_on().then(|| (tables, Some(Box::new(left)))),
            Err(error) => {
                tracing::warn!(%error, "case {} begins anew", done + 1);
                None
            }
        });
        let (tables, left) = match opened {
            Some((tables, left)) => (Some(tables), left),
            None => {
                snapshot::remove(&folder)?;
                (Some(in_place(Place::Left(&folder, &journal, None))?), None)
            }
        };
        let own = written(&described(plan, format), plan);
        let made = manifest
            .files
            .extract_if(.., |file| !own.contains(&file.as_str()) && !Path::new(file).starts_with(folder::DATA));
        // What others have made of its tables, such as a report, tells of less than there will be.
        made.for_each(|file| drop(fs::remove_file(folder.join(file))));
        manifest.write(&folder)?;
        let before = manifest.wall_seconds.map_or(Duration::ZERO, Duration::from_secs_f64);
        let mut recorder =
            Self { folder, manifest, tables, format, done, first, left, half_written: false, before, _claim: claim };
        recorder.take_in_next()?;
        Ok(recorder)
    }

    /// Takes all cases into the tables that come next and are complete in folders of their own.
    fn take_in_next(&mut self) -> Result<(), RecordError> {
        while !self.half_written
            && let folder = own_folder(&self.folder, self.done + 1)
            && folder.is_dir()
            && let Some(tables) = self.tables.take()
        {
            self.append(tables, &folder, self.done + 1..=self.done + 1)?;
            remove(&folder)?;
        }
        Ok(())
    }

    /// Appends the next cases to the tables, which are complete in another `folder`.
    fn append(&mut self, mut tables: Tables, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        if let Err(error) = tables.append_from(folder, cases.clone()) {
            (self.tables, self.half_written) = (Some(tables), true);
            return Err(error);
        }
        self.note(tables, *cases.end())
    }

    /// Begins a case, or goes on with it, in the run's own tables.
    fn begin_straight(&mut self, case: &Case, mut tables: Tables) -> Result<CaseRecorder, RecordError> {
        let deterministic = case.scenario.clock == Clock::Virtual && !case.custom.changes_results();
        let snapshots = (deterministic && tables.can_go_on())
            .then(|| Snapshots::new(&self.folder, &self.manifest.inputs_sha256, self.first, case.number));
        let mut recorder = match self.left.take() {
            None => CaseRecorder::new(case, tables, None),
            Some(left) => match CaseRecorder::restore(case, tables, *left) {
                Ok(recorder) => recorder,
                Err(why) => {
                    tracing::warn!(%why, "case {} begins anew", case.number);
                    snapshot::remove(&self.folder)?;
                    CaseRecorder::new(case, self.reopened()?, None)
                }
            },
        };
        recorder.snapshots = snapshots;
        Ok(recorder)
    }

    /// The tables as they were before a case that was begun and, because something has panicked, never came back.
    fn reopened(&self) -> Result<Tables, RecordError> {
        let journal: Journal = folder::read_json(&self.folder.join(Journal::FILE))?;
        Tables::open(Place::Left(&self.folder, &journal, None), self.manifest.cases.0.scenario.record, self.format)
    }

    /// Notes that the cases up to this one are in the tables.
    fn note(&mut self, mut tables: Tables, case: u32) -> Result<(), RecordError> {
        let journal = tables.journal(self.first, case);
        (self.tables, self.done) = (Some(tables), case);
        folder::write_json(&self.folder.join(Journal::FILE), &journal)?;
        snapshot::remove(&self.folder)
    }

    /// Ends the recording, whether the run is complete or not: tables and `ledger.db` stand alone, `summary.csv` and
    /// `paired.csv` tell of all complete cases, and the manifest how the run ended and how long it took, `wall` from its
    /// start or from where it was resumed. Returns the run's folder.
    pub fn finish(mut self, status: Status, wall: Duration) -> Result<PathBuf, RecordError> {
        let tables = self.tables.take().map_or_else(|| self.reopened(), Ok);
        let closed = tables.and_then(|mut tables| tables.finish(self.first..=self.done, self.manifest.case_count));
        let summed_up = sum_up(&self.folder, &self.manifest);
        // First of all, so that a run that says it is finished has nothing left over but what a resumed one needs.
        let tidied = tidy_cases(&self.folder, self.done);
        let written = closed.and(summed_up).and(tidied);
        let finished = status == Status::Finished && written.is_ok();
        self.manifest.status = if status == Status::Finished && !finished { Status::Unfinished } else { status };
        if finished {
            // What the ledger holds, it proves by itself.
            let schema = described(&self.manifest.cases.0, self.format);
            self.manifest.measure(&self.folder, schema.keys().copied().chain([key_figures::FILE]))?;
        }
        self.manifest.wall_seconds = Some(self.before.saturating_add(wall).as_secs_f64());
        self.manifest.write(&self.folder)?;
        written?;
        if finished {
            let merged = self.manifest.part.is_some();
            tables::tidy(&self.folder, self.manifest.cases.0.scenario.record, self.format, merged)?;
            let journal = self.folder.join(Journal::FILE);
            fs::remove_file(&journal).map_err(RecordError::file("remove", &journal))?;
        }
        Ok(self.folder)
    }
}

impl CaseStore for Recorder {
    fn has(&self, case: u32) -> bool {
        case <= self.done || own_folder(&self.folder, case).is_dir()
    }

    fn begin(&mut self, case: &Case) -> Result<CaseRecorder, RecordError> {
        if case.number == self.done + 1
            && !self.half_written
            && let Some(tables) = self.tables.take()
        {
            return self.begin_straight(case, tables);
        }
        let folder = own_folder(&self.folder, case.number).with_extension(CaseRecorder::PARTIAL);
        let cases = self.folder.join(CASES);
        fs::create_dir_all(&cases).map_err(RecordError::file("create", &cases))?;
        fs::create_dir(&folder).map_err(RecordError::file("create", &folder))?;
        let tables = Tables::open(Place::New(&folder), case.scenario.record, self.format)?;
        Ok(CaseRecorder::new(case, tables, Some(folder)))
    }

    fn under_way(&self) -> Slot {
        self.left.as_ref().map_or(0, |left| left.slots())
    }

    fn start_over(&mut self, case: CaseRecorder) -> Result<CaseRecorder, RecordError> {
        let again = case.case.clone();
        // With it goes what holds the ledger.
        drop(case);
        self.tables = Some(self.reopened()?);
        snapshot::remove(&self.folder)?;
        self.begin(&again)
    }

    fn take_in(&mut self, case: CaseRecorder) -> Result<(), RecordError> {
        match (&case.folder, case.complete) {
            (None, true) => self.note(case.tables, self.done + 1)?,
            (None, false) => self.tables = Some(case.tables),
            (Some(_), _) => {}
        }
        self.take_in_next()
    }
}

/// Where a run's folder keeps cases that are not in its tables yet.
const CASES: &str = "cases";

/// The folder of a complete case that is not in the tables of the run in `folder` yet.
fn own_folder(folder: &Path, case: u32) -> PathBuf {
    folder.join(CASES).join(case.to_string())
}

/// Removes what no later run needs: folders of incomplete cases, and of the first `done`, which are in the run's tables.
/// What others have put there stays.
fn tidy_cases(folder: &Path, done: u32) -> Result<(), RecordError> {
    let cases = folder.join(CASES);
    let entries = match fs::read_dir(&cases) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(RecordError::file("read", &cases))?,
    };
    for entry in entries {
        let entry = entry.map_err(RecordError::file("read", &cases))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string().unwrap_or_default();
        let (number, partial) = name.split_once('.').unwrap_or((&name, ""));
        let of_no_use = match number.parse::<u32>() {
            Ok(case) if case.to_string() != number => false,
            Ok(case) => partial == CaseRecorder::PARTIAL || partial.is_empty() && case <= done,
            Err(_) => false,
        };
        // Anything else is a case that is needed later, or not ours.
        if is_folder && of_no_use {
            remove(&entry.path())?;
        }
    }
    match fs::remove_dir(&cases) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => {
            Err(RecordError::file("remove", &cases)(error))
        }
        _ => Ok(()),
    }
}

/// All tables of a finished run with their columns.
fn described(plan: &Plan, format: Format) -> Schema {
    let mut schema: Schema = tables::described(plan.scenario.record, format).collect();
    schema.insert(summary::FILE, summary::columns(plan));
    if paired::has_pairs(plan) {
        schema.insert(paired::PairedRow::FILE, paired::columns(plan));
    }
    schema.values_mut().flatten().for_each(|column| column.call(&plan.scenario.market.currency));
    schema
}

/// Names of the files that a run of this plan writes, with tables as `described`, its data files not among them.
fn written(described: &Schema, plan: &Plan) -> Vec<&'static str> {
    let tables = described.keys().copied().chain(tables::others(plan.scenario.record));
    [SCENARIO, schema::FILE].into_iter().chain(tables).collect()
}

fn remove(folder: &Path) -> Result<(), RecordError> {
    fs::remove_dir_all(folder).map_err(RecordError::file("remove", folder))
}

/// Sums up all complete cases of a run, in one reading of `slots.csv`.
fn sum_up(folder: &Path, manifest: &Manifest<PlannedCases>) -> Result<(), RecordError> {
    let cases = complete_cases(table::read(folder, None)?, manifest.slots, manifest.gate_closure_s);
    if !paired::has_pairs(&manifest.cases.0) {
        return summary::write(folder, manifest, cases);
    }
    let mut values = paired::Values::new(folder);
    summary::write(folder, manifest, cases.map(|case| case.and_then(|case| values.put(&case).map(|()| case))))?;
    paired::write(folder, &manifest.cases.0, values)
}
