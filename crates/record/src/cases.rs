//! Folders for cases that run side by side: `cases/<number>/`, until the run's tables take them in.
//!
//! A case is written to `cases/<number>.partial/`, which is renamed once the case is complete. So a folder without that
//! ending is always whole, whoever ends the program.

use super::{case::CaseRecord, error::RecordError, table_format::Format, tables::Tables};
use microgrid_agents::{actor::MarketProtocol, observation::Observed};
use microgrid_runtime::{Traffic, WatchError, Watcher};
use microgrid_scenario::{Case, schema::Record};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// Where cases that run side by side are recorded.
#[derive(Clone, Debug)]
pub struct CaseFolders {
    root: PathBuf,
    record: Record,
    format: Format,
    /// Number of the last case that is in the run's tables.
    taken_in: Arc<AtomicU32>,
}

impl CaseFolders {
    /// The folders of the run in `folder`, whose tables hold the cases up to `taken_in`.
    pub(super) fn new(folder: &Path, record: Record, format: Format, taken_in: u32) -> Self {
        Self { root: folder.join("cases"), record, format, taken_in: Arc::new(AtomicU32::new(taken_in)) }
    }

    /// Whether the case is complete, in a folder of its own or in the run's tables. May be asked from any thread.
    pub fn is_complete(&self, case: u32) -> bool {
        // In this order: a folder is removed only after its case is known to be taken in.
        self.finished(case).is_dir() || case <= self.taken_in.load(Ordering::SeqCst)
    }

    /// Begins a case in a folder of its own.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be made.
    pub fn begin(&self, case: &Case) -> Result<CaseRecorder, RecordError> {
        let (partial, finished) = (self.root.join(format!("{}.partial", case.number)), self.finished(case.number));
        fs::create_dir_all(&self.root).map_err(RecordError::file("create", &self.root))?;
        fs::create_dir(&partial).map_err(RecordError::file("create", &partial))?;
        let tables = Tables::create(&partial, self.record, self.format)?;
        Ok(CaseRecorder { tables, record: CaseRecord::new(case), partial, finished })
    }

    /// The folder of a complete case.
    pub(super) fn finished(&self, case: u32) -> PathBuf {
        self.root.join(case.to_string())
    }

    /// Removes the folder of a case that the run's tables have taken in.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn remove(&self, case: u32) -> Result<(), RecordError> {
        self.taken_in.store(case, Ordering::SeqCst);
        remove(&self.finished(case))
    }

    /// Notes that the run's tables hold the cases up to this one, which has no folder.
    pub(super) fn written(&self, case: u32) {
        self.taken_in.store(case, Ordering::SeqCst);
    }

    /// Removes what no later run needs: folders of incomplete cases and of those in the run's tables.
    ///
    /// # Errors
    /// If a folder cannot be removed.
    pub(super) fn tidy(&self) -> Result<(), RecordError> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(RecordError::file("read", &self.root))?,
        };
        let mut kept = false;
        for entry in entries {
            let path = entry.map_err(RecordError::file("read", &self.root))?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
            if number.is_some_and(|number| number > self.taken_in.load(Ordering::SeqCst)) {
                kept = true;
            } else {
                remove(&path)?;
            }
        }
        if kept { Ok(()) } else { remove(&self.root) }
    }
}

fn remove(folder: &Path) -> Result<(), RecordError> {
    fs::remove_dir_all(folder).map_err(RecordError::file("remove", folder))
}

/// Writes one case into a folder of its own.
#[derive(Debug)]
pub struct CaseRecorder {
    tables: Tables,
    record: CaseRecord,
    partial: PathBuf,
    finished: PathBuf,
}

impl CaseRecorder {
    /// Ends the case, which is complete.
    ///
    /// # Errors
    /// If its files cannot be written.
    pub fn end(mut self) -> Result<(), RecordError> {
        self.record.end(&mut self.tables)?;
        self.tables.close()?;
        fs::rename(&self.partial, &self.finished).map_err(RecordError::file("rename", &self.partial))
    }
}

impl Watcher<MarketProtocol> for CaseRecorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        Ok(self.record.window(observed.drain(..), traffic, &mut self.tables)?)
    }
}
