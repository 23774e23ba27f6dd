//! The tables that may be large: in the format that the run's user asks for.

use super::{
    error::RecordError,
    journal::Journal,
    parquet_parts::Parts,
    table::{Row, Table},
};
use std::{path::Path, str::FromStr};

/// How the large tables are written: `prosumers`, `trades` and `convergence`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As text.
    #[default]
    Csv,
    /// As compressed columns.
    Parquet,
}

impl Format {
    /// Name of the file of a large table.
    pub(super) fn file<R: Row>(self) -> &'static str {
        match self {
            Self::Csv => R::FILE,
            Self::Parquet => R::PARQUET,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            _ => Err("expected csv or parquet".into()),
        }
    }
}

/// A large table being written.
#[derive(Debug)]
pub(super) enum LargeTable<R: Row> {
    Csv(Table<R>),
    Parquet(Box<Parts<R>>),
}

impl<R: Row> LargeTable<R> {
    /// Creates the table in `folder`, without rows.
    ///
    /// # Errors
    /// If a file or folder cannot be made.
    pub(super) fn create(folder: &Path, format: Format) -> Result<Self, RecordError> {
        match format {
            Format::Csv => Table::create(folder).map(Self::Csv),
            Format::Parquet => Parts::create(folder).map(Box::new).map(Self::Parquet),
        }
    }

    /// Opens the table in `folder` to go on where `journal` says; what was written later is removed.
    ///
    /// # Errors
    /// If a file is not as the journal says, or cannot be written.
    pub(super) fn reopen(folder: &Path, format: Format, journal: &Journal) -> Result<Self, RecordError> {
        match format {
            Format::Csv => Table::reopen(folder, journal.length(R::FILE)).map(Self::Csv),
            Format::Parquet => Parts::reopen(folder, journal.cases).map(Box::new).map(Self::Parquet),
        }
    }

    /// The table's file and how long it is [bytes], if it is one that grows.
    pub(super) fn length(&self) -> Option<(&'static str, u64)> {
        match self {
            Self::Csv(table) => Some((R::FILE, table.length())),
            Self::Parquet(_) => None,
        }
    }

    /// Appends rows; some may wait in memory.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        match self {
            Self::Csv(table) => table.append(rows),
            Self::Parquet(parts) => parts.append(rows),
        }
    }

    /// Writes the rows that wait, as far as the format allows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        match self {
            Self::Csv(table) => table.flush(),
            // Rows of a group are written together: how large it is must not depend on when somebody asks.
            Self::Parquet(_) => Ok(()),
        }
    }

    /// Ends a case, which is complete; no row waits.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn end_case(&mut self, case: u32) -> Result<(), RecordError> {
        match self {
            Self::Csv(_) => Ok(()),
            Self::Parquet(parts) => parts.end_case(case),
        }
    }

    /// Takes in the same table of a single case from its `folder`.
    ///
    /// # Errors
    /// If that table cannot be read or this one cannot be written.
    pub(super) fn append_from(&mut self, folder: &Path, case: u32) -> Result<(), RecordError> {
        match self {
            Self::Csv(table) => table.append_from(folder),
            Self::Parquet(parts) => parts.append_from(folder, case),
        }
    }

    /// Makes the table whole when the run ends, after so many of its `cases`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(&mut self, done: u32, cases: u32) -> Result<(), RecordError> {
        match self {
            Self::Csv(_) => Ok(()),
            Self::Parquet(parts) => parts.unite(done, cases),
        }
    }

    /// Removes from a finished run's `folder` what nobody needs any more.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn tidy(folder: &Path, format: Format) -> Result<(), RecordError> {
        match format {
            Format::Csv => Ok(()),
            Format::Parquet => Parts::<R>::remove(folder),
        }
    }
}
