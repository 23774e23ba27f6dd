//! A run's folder, read back.

use super::{
    SCENARIO,
    error::RecordError,
    folder::{self, LATEST},
    key_figures::{self, KeyFigures},
    manifest::{self, CaseEntry, Manifest, PartOf, Status},
    measures::complete_cases,
    paired::{self, PairedRow},
    parquet_parts, schema,
    sheet::Format,
    slots::SlotRow,
    summary::{self, Summary},
    table::{self, Row, Rows, Section},
    trades::TradeRow,
};
use microgrid_agents::ids::Slot;
use microgrid_scenario::{Plan, files, schema::Record};
use std::{
    fs,
    io::Write as _,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// A run's folder, read back. What reads a file of it fails if that cannot be read.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    manifest: Manifest,
}

impl Run {
    /// Opens the run in `path`, which is a run's folder or a scenario's, whose newest run it then is; fails if there is none.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let folder =
            Self::at(path).ok_or_else(|| RecordError::NoRun { path: path.to_owned(), why: instead_of_run(path) })?;
        let manifest = Manifest::read(&folder)?;
        let run = Self { folder, manifest };
        let (case, slots) = (*run.manifest.numbers().end(), run.manifest.slots);
        // Whoever reads tables row by row could not tell that there are too few.
        if run.manifest.status == Status::Finished && run.keeps(SlotRow::FILE) && !run.ends_with(case, slots) {
            let [manifest, slots_file] = [manifest::FILE, SlotRow::FILE].map(|file| run.folder.join(file));
            let last = format!("slot {slots} of case {case}");
            return Err(if run.manifest.bytes.contains_key(SlotRow::FILE) {
                let why = format!("it tells of {last}, with which {} does not end", SlotRow::FILE);
                RecordError::damaged(&manifest)(why)
            } else {
                RecordError::damaged(&slots_file)(format!("it does not end with {last}, as {} says", manifest::FILE))
            });
        }
        Ok(run)
    }

    /// Whether `slots.csv` ends with this slot of this case; one that cannot be read does.
    pub(super) fn ends_with(&self, case: u32, slot: Slot) -> bool {
        let Ok(last) = table::section::<SlotRow>(&self.folder, case, slot..=slot) else { return true };
        let length = fs::metadata(self.folder.join(SlotRow::FILE)).map(|file| file.len());
        last.size > 0 && length.is_ok_and(|length| length == last.place.end)
    }

    /// The folder of the run in `path`, or of the newest to which that links.
    fn at(path: &Path) -> Option<PathBuf> {
        [path.to_owned(), path.join(LATEST)].into_iter().find(|folder| Self::lies_in(folder))
    }

    /// The same by its own folder, where it was opened by a link that will lead elsewhere later.
    pub fn own(self) -> Self {
        Self { folder: folder::own(&self.folder), ..self }
    }

    /// Whether `folder` is a run's.
    pub fn lies_in(folder: &Path) -> bool {
        folder.join(manifest::FILE).is_file()
    }

    /// Whether it is of this plan, or of the same part of it, and goes on as a run of it by this program would.
    pub fn is_of(&self, plan: &Plan, format: Format) -> bool {
        let Manifest { version, inputs_sha256, part, own_rules, .. } = &self.manifest;
        version == env!("CARGO_PKG_VERSION")
            && *inputs_sha256 == manifest::digest(plan)
            && *part == PartOf::new(plan)
            && !own_rules
            && !plan.custom.changes_results()
            && (self.record() != Record::Full || self.format() == format)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was run, when, and how it ended.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Puts a file into its folder, in place of an older one of that name: at any moment there is a whole one.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RecordError> {
        let path = self.folder.join(name);
        folder::write_whole(&path, |file| file.write_all(bytes).map_err(RecordError::file("write", &path)))?;
        Ok(path)
    }

    /// Names these files in the manifest, in place of all that were made before `of` the same kind.
    pub fn name_files(&mut self, of: impl Fn(&str) -> bool, files: &[String]) -> Result<(), RecordError> {
        self.manifest.files.retain(|file| !of(file));
        self.manifest.files.extend_from_slice(files);
        self.manifest.write(&self.folder)
    }

    /// The case with this number, if the study has it; whether it has results is told by `slots.csv`.
    pub fn case(&self, number: u32) -> Option<&CaseEntry> {
        self.manifest.case(number)
    }

    /// The key figures of the cases that are done.
    pub fn key_figures(&self) -> Result<Vec<KeyFigures>, RecordError> {
        let path = self.folder.join(key_figures::FILE);
        let figures: Vec<KeyFigures> = folder::read_json(&path)?;
        let of_cases = figures.iter().map(|figures| figures.case);
        if !of_cases.clone().is_sorted_by(|a, b| a < b)
            || !of_cases.clone().all(|case| self.manifest.numbers().contains(&case))
        {
            return Err(RecordError::damaged(&path)("its cases are not those of the run"));
        }
        Ok(figures)
    }

    /// The case and slot that were written last; cases and slots before it are complete. `None` without any.
    pub fn last_slot(&self) -> Result<Option<(u32, Slot)>, RecordError> {
        if self.has_slots() {
            self.slots()?.try_fold(None, |_, row| row.map(|row| Some((row.case, row.slot))))
        } else {
            Ok(Some((*self.manifest.numbers().end(), self.manifest.slots)))
        }
    }

    /// Whether `slots.csv` is there: always, but for a finished run that keeps no slots.
    fn has_slots(&self) -> bool {
        self.record() != Record::Summary || self.manifest.status != Status::Finished
    }

    /// The rows of a table, one after the other.
    ///
    /// # Errors
    /// If the run keeps no such table, or the file cannot be opened or has other columns; each row by itself if it is
    /// not of this table.
    pub fn rows<R: Row>(&self) -> Result<Rows<R>, RecordError> {
        self.read(None)
    }

    /// Where the rows of these slots of a case stand in a table.
    ///
    /// # Panics
    /// If the table has no slots.
    pub fn section<R: Row>(&self, case: u32, slots: RangeInclusive<Slot>) -> Result<Section, RecordError> {
        assert!(R::header().take(2).eq(["case", "slot"]), "{} has no slots", R::FILE);
        match self.format_of::<R>()? {
            Format::Csv => table::section::<R>(&self.folder, case, slots),
            Format::Parquet => parquet_parts::section::<R>(&self.folder, case, slots),
        }
    }

    /// The rows of a section of a table, one after the other.
    pub fn rows_of<R: Row>(&self, section: &Section) -> Result<Rows<R>, RecordError> {
        self.read(Some(section))
    }

    fn read<R: Row>(&self, section: Option<&Section>) -> Result<Rows<R>, RecordError> {
        let (file, rows) = match self.format_of::<R>()? {
            Format::Csv => (R::FILE, table::read(&self.folder, section)?),
            Format::Parquet => (R::PARQUET, parquet_parts::read(&self.folder, section)?),
        };
        Ok(self.within(file, rows))
    }

    /// The rows of `slots.csv`, whether it is one of those that are kept.
    fn slots(&self) -> Result<Rows<SlotRow>, RecordError> {
        Ok(self.within(SlotRow::FILE, table::read(&self.folder, None)?))
    }

    /// The rows of a table as long as they are of the run's cases and slots, in their order.
    fn within<R: Row>(&self, file: &str, rows: Rows<R>) -> Rows<R> {
        let (slots, (first, end)) = (self.manifest.slots, self.manifest.numbers().into_inner());
        let wrong = RecordError::damaged(&self.folder.join(file));
        let mut last = (u64::from(first), 1);
        Box::new(rows.map(move |row| {
            let row = row?;
            let (case, slot) = table::key(&row);
            if case > u64::from(end) || slot.is_some_and(|slot| slot > u64::from(slots)) {
                return Err(wrong(format!("it has a row of {}, which the run does not have", named(case, slot))));
            }
            let here = (case, slot.unwrap_or(1));
            if here < last {
                return Err(wrong(format!("a row of {} is out of order", named(case, slot))));
            }
            last = here;
            Ok(row)
        }))
    }

    /// How a table is kept that can be read now.
    fn format_of<R: Row>(&self) -> Result<Format, RecordError> {
        let path = self.folder.join(R::PARQUET);
        if self.keeps(R::FILE) {
            Ok(Format::Csv)
        } else if !self.keeps(R::PARQUET) {
            Err(RecordError::NotRecorded { path: self.folder.join(R::FILE), record: self.record() })
        } else if self.manifest.status == Status::Unfinished && !path.exists() {
            Err(RecordError::NotUnited(path))
        } else {
            Ok(Format::Parquet)
        }
    }

    /// How much it keeps.
    pub fn record(&self) -> Record {
        if self.keeps(TradeRow::FILE) || self.keeps(TradeRow::PARQUET) {
            Record::Full
        } else if self.keeps(SlotRow::FILE) {
            Record::Slots
        } else {
            Record::Summary
        }
    }

    /// How its large tables are written.
    pub fn format(&self) -> Format {
        if self.keeps(TradeRow::PARQUET) { Format::Parquet } else { Format::Csv }
    }

    /// Its data files, relative to its folder.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.manifest.files.iter().map(String::as_str).filter(|file| Path::new(file).starts_with(folder::DATA))
    }

    /// The text of `scenario.ron` or of one of its [data files](Self::inputs).
    pub fn input(&self, file: &str) -> Result<String, RecordError> {
        folder::read_text(&self.folder.join(file))
    }

    /// Whether this file is one of the run's, once it is finished.
    pub fn keeps(&self, file: &str) -> bool {
        self.manifest.files.iter().any(|kept| kept == file)
    }

    /// What each combination of the varied knobs came to, one after the other, over the cases that are complete.
    pub fn summaries(&self) -> Result<Rows<Summary>, RecordError> {
        let Manifest { replicates, slots, gate_closure_s, .. } = self.manifest;
        if self.has_slots() {
            let cases = complete_cases(self.slots()?, slots, gate_closure_s);
            Ok(Box::new(summary::summaries(cases, replicates)))
        } else {
            let knobs = self.manifest.cases.first().map_or(0, |case| case.knobs.len());
            let wrong = RecordError::damaged(&self.folder.join(summary::FILE));
            let cases = 1..=self.manifest.study_cases();
            Ok(Box::new(summary::read(&self.folder, knobs)?.map(move |summary| match summary {
                Ok(of) if !cases.contains(&of.first_case) => {
                    Err(wrong(format!("it tells of case {}, which the run does not have", of.first_case)))
                }
                summary => summary,
            })))
        }
    }

    /// What turning each knob changed, seed by seed, over the cases that are complete. Fails if the run varies no knob, or is
    /// not ended, so that there is no `paired.csv`.
    pub fn paired(&self) -> Result<Rows<PairedRow>, RecordError> {
        Ok(Box::new(paired::read(&self.folder)?))
    }
}

/// What is there where no run is, and what may be meant.
fn instead_of_run(path: &Path) -> String {
    let holds_run = |path: &Path| Run::at(path).is_some();
    let meant = |meant: &Path| format!(": did you mean {}?", meant.display());
    let beside = path.parent().unwrap_or(path);
    if path.is_file() {
        return match path.extension() {
            _ if Run::lies_in(beside) => format!("is a file of a run{}", meant(beside)),
            Some(ending) if ending == "ron" => format!("is a scenario and no run: `sim {}` runs it", path.display()),
            _ => "is a file, and a run is a folder".to_owned(),
        };
    }
    if !path.exists() {
        let similar = || files::similar(path, &[beside, &beside.join("results")], holds_run);
        let hint = files::meant(path).or_else(similar).map_or_else(String::new, |path| meant(&path));
        return format!("is not there{hint}");
    }
    if [SCENARIO, schema::FILE].iter().all(|file| path.join(file).is_file()) {
        let again = path.join(SCENARIO);
        return format!(
            "is a run's folder without its {}: put it back, or run again: `sim {}`",
            manifest::FILE,
            again.display()
        );
    }
    let holds =
        |is: &dyn Fn(&Path) -> bool| fs::read_dir(path).into_iter().flatten().flatten().any(|entry| is(&entry.path()));
    let hint = if holds(&holds_run) {
        format!(": `sim list {}` lists the runs in it", path.display())
    } else if holds(&|path| path.extension().is_some_and(|ending| ending == "ron")) {
        ": it has scenarios, and a run comes of `sim SCENARIO`".to_owned()
    } else {
        String::new()
    };
    format!("is neither a run's folder nor a folder whose `latest` links to one{hint}")
}

fn named(case: u64, slot: Option<u64>) -> String {
    slot.map_or_else(|| format!("case {case}"), |slot| format!("case {case}, slot {slot}"))
}
