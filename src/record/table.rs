//! Result tables as CSV files: a row is a struct whose fields are the columns.

use super::error::RecordError;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::Write,
    marker::PhantomData,
    path::{Path, PathBuf},
};

/// A row of a result table.
pub trait Row: Serialize + DeserializeOwned {
    /// Name of the table's file in the run's folder.
    const FILE: &'static str;
    /// The table's columns in order: the names of the row's fields.
    const COLUMNS: &'static [&'static str];
}

/// Declares a row type and with it a table: its file, its columns and their types.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $name:ident in $file:literal {
            $($(#[$column_doc:meta])* $column:ident: $kind:ty,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[$column_doc])* pub $column: $kind,)+
        }

        impl $crate::record::table::Row for $name {
            const FILE: &'static str = $file;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
        }
    };
}
pub(super) use table;

/// A table being written.
#[derive(Debug)]
pub(super) struct Table<R> {
    path: PathBuf,
    file: File,
    /// Whole rows that are not in the file yet.
    pending: Vec<u8>,
    rows: PhantomData<fn(R)>,
}

impl<R: Row> Table<R> {
    /// Creates the table's file in `folder` with nothing but its header.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(R::FILE);
        let file = File::create_new(&path).map_err(RecordError::file("create", &path))?;
        let mut table = Self { path, file, pending: Vec::new(), rows: PhantomData };
        table.fill(|csv| csv.write_record(R::COLUMNS))?;
        table.flush()?;
        Ok(table)
    }

    /// Appends rows; some may wait in memory until [`flush`](Self::flush).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        self.fill(|csv| rows.into_iter().try_for_each(|row| csv.serialize(row)))?;
        if self.pending.len() > Self::MOST_PENDING { self.flush() } else { Ok(()) }
    }

    /// More bytes than this do not wait.
    const MOST_PENDING: usize = 1 << 20;

    /// Writes the rows that wait, in one piece, so that whoever ends the program leaves whole rows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.file.write_all(&self.pending).map_err(RecordError::file("write", &self.path))?;
        self.pending.clear();
        Ok(())
    }

    fn fill(
        &mut self,
        fill: impl FnOnce(&mut csv::Writer<&mut Vec<u8>>) -> Result<(), csv::Error>,
    ) -> Result<(), RecordError> {
        let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(&mut self.pending);
        let filled = fill(&mut csv).and_then(|()| Ok(csv.flush()?));
        drop(csv);
        filled.map_err(|source| RecordError::Table { path: self.path.clone(), source })
    }
}

/// Reads the rows of a table from a run's folder, one after the other.
///
/// # Errors
/// If the file cannot be opened or has other columns; each row by itself if it is not of this table.
pub(super) fn read<R: Row>(folder: &Path) -> Result<impl Iterator<Item = Result<R, RecordError>>, RecordError> {
    let path = folder.join(R::FILE);
    let wrong = {
        let path = path.clone();
        move |source| RecordError::Table { path: path.clone(), source }
    };
    let mut csv = csv::Reader::from_path(&path).map_err(&wrong)?;
    if csv.headers().map_err(&wrong)? != R::COLUMNS {
        return Err(RecordError::Header(path));
    }
    Ok(csv.into_deserialize().map(move |row| row.map_err(&wrong)))
}
