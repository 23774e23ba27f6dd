//! A run's folder, read back.

use super::{
    error::RecordError,
    folder::{self, LATEST},
    key_figures::{self, KeyFigures},
    manifest::{self, CaseEntry, Manifest, Status},
    measures::complete_cases,
    paired::{self, PairedRow},
    parquet_parts,
    sheet::Format,
    slots::SlotRow,
    summary::{self, Summary},
    table::{self, Row, Rows, Section},
    trades::TradeRow,
};
use microgrid_agents::ids::Slot;
use microgrid_scenario::schema::Record;
use std::{
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
        let folder = [path.to_owned(), path.join(LATEST)]
            .into_iter()
            .find(|folder| Self::lies_in(folder))
            .ok_or_else(|| RecordError::NoRun(path.to_owned()))?;
        let manifest = folder::read_json(&folder.join(manifest::FILE))?;
        Ok(Self { folder, manifest })
    }

    /// Whether `folder` is a run's.
    pub fn lies_in(folder: &Path) -> bool {
        folder.join(manifest::FILE).is_file()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was run, when, and how it ended.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Names these files in the manifest, in place of all that were made before `of` the same kind.
    pub fn name_files(&mut self, of: impl Fn(&str) -> bool, files: &[String]) -> Result<(), RecordError> {
        self.manifest.files.retain(|file| !of(file));
        self.manifest.files.extend_from_slice(files);
        self.manifest.write(&self.folder)
    }

    /// The case with this number, if the study has it; whether it has results is told by `slots.csv`.
    pub fn case(&self, number: u32) -> Option<&CaseEntry> {
        self.manifest.cases.get(number.checked_sub(1)? as usize)
    }

    /// The key figures of the cases that are done.
    pub fn key_figures(&self) -> Result<Vec<KeyFigures>, RecordError> {
        folder::read_json(&self.folder.join(key_figures::FILE))
    }

    /// The case and slot that were written last; cases and slots before it are complete. `None` without any.
    pub fn last_slot(&self) -> Result<Option<(u32, Slot)>, RecordError> {
        let Manifest { case_count, slots, .. } = self.manifest;
        if self.has_slots() {
            table::read::<SlotRow>(&self.folder, None)?
                .try_fold(None, |_, row| row.map(|row| Some((row.case, row.slot))))
        } else {
            Ok(Some((case_count, slots)))
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
        match self.format_of::<R>()? {
            Format::Csv => table::read(&self.folder, section),
            Format::Parquet => parquet_parts::read(&self.folder, section),
        }
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
            let cases = complete_cases(table::read(&self.folder, None)?, slots, gate_closure_s);
            Ok(Box::new(summary::summaries(cases, replicates)))
        } else {
            let knobs = self.case(1).map_or(0, |case| case.knobs.len());
            summary::read(&self.folder, knobs)
        }
    }

    /// What turning each knob changed, seed by seed, over the cases that are complete. Fails if the run varies no knob, or is
    /// not ended, so that there is no `paired.csv`.
    pub fn paired(&self) -> Result<Rows<PairedRow>, RecordError> {
        Ok(Box::new(paired::read(&self.folder)?))
    }
}
