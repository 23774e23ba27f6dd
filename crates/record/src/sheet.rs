//! A table being written: where its rows go, and in which format.

use super::{
    error::RecordError,
    journal::Journal,
    parquet_parts::{self, Parts},
    recorded::{ClosedSlot, CommittedBlock, Recorded, keeps},
    schema::{self, Described},
    table::{Row, Table},
};
use microgrid_agents::{
    chain::block::SignedCheckpoint,
    observation::Observation,
    saved::{Unreadable, from_bytes, to_bytes},
};
use microgrid_scenario::{Case, schema::Record};
use std::{collections::BTreeMap, fmt::Debug, fs, mem, ops::RangeInclusive, path::Path, str::FromStr};

/// How the tables are written that may be large: `prosumers`, `trades` and `convergence`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As text.
    #[default]
    Csv,
    /// As compressed columns.
    Parquet,
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

/// Where tables are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Nowhere: their rows are kept in memory.
    Memory,
    /// Into new files of a folder.
    New(&'a Path),
    /// Into those that a run has left in its folder, from where its journal says and, of a case that is not complete, this
    /// checkpoint of the ledger; what was written later is removed.
    Left(&'a Path, &'a Journal, Option<&'a SignedCheckpoint>),
}

/// How a table is written where the run's user asks for this format.
fn format<R: Recorded>(asked: Format) -> Format {
    if R::LARGE { asked } else { Format::Csv }
}

/// The table's file in a run with this `record` and its columns, if it keeps the table.
pub(super) fn file<R: Recorded>(record: Record, asked: Format) -> Option<(&'static str, Vec<Described>)> {
    let file = match format::<R>(asked) {
        Format::Csv => R::FILE,
        Format::Parquet => R::PARQUET,
    };
    keeps(record, R::KEPT).then(|| (file, schema::columns::<R>()))
}

/// Removes what a finished run has of the table beside its [`file`], but what sums it up if that is to be `merged` with others.
pub(super) fn tidy<R: Recorded>(folder: &Path, record: Record, asked: Format, merged: bool) -> Result<(), RecordError> {
    let csv = folder.join(R::FILE);
    match format::<R>(asked) {
        Format::Parquet if keeps(record, R::KEPT) => parquet_parts::remove(&folder.join(R::PARQUET)),
        _ if R::SUMMED_UP && !keeps(record, R::KEPT) && !merged => {
            fs::remove_file(&csv).map_err(RecordError::file("remove", &csv))
        }
        _ => Ok(()),
    }
}

/// A table being written.
#[derive(Debug)]
pub(super) struct Sheet<R: Recorded> {
    rows: Kept<R>,
    /// What the table remembers of the case under way.
    tally: R::Tally,
}

#[derive(Debug)]
enum Kept<R: Row> {
    None,
    Memory(Vec<R>),
    Csv(Table<R>),
    Parquet(Box<Parts<R>>),
}

pub(super) trait AnySheet {
    fn observe(&mut self, what: &Observation);
    /// Adds the rows of a committed block; they may wait in memory.
    fn block(&mut self, block: &CommittedBlock<'_>) -> Result<(), RecordError>;
    /// Adds the rows of a closed slot, and writes all that wait as far as the format allows.
    fn slot(&mut self, slot: &ClosedSlot<'_>) -> Result<(), RecordError>;
    /// Ends a case, which is complete: adds its rows, and no row waits.
    fn end_case(&mut self, case: &Case) -> Result<(), RecordError>;
    /// Takes in the same table of these cases from another `folder`, which has no others.
    fn append_from(&mut self, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError>;
    /// The table's file and how long it is [bytes], if it is one that grows.
    fn length(&self) -> Option<(&'static str, u64)>;
    /// Whether the table can go on in the middle of a case.
    fn can_go_on(&self) -> bool;
    /// Brings all rows so far to disk; returns the table's file and what is remembered of the case under way.
    fn save(&mut self) -> Result<(&'static str, Vec<u8>), RecordError>;
    /// Takes up what was saved of the case.
    fn restore(&mut self, tallies: &BTreeMap<String, Vec<u8>>) -> Result<(), Unreadable>;
    /// Makes the table whole when the run ends, after these of its cases, `all` in number.
    fn finish(&mut self, done: RangeInclusive<u32>, all: u32) -> Result<(), RecordError>;
}

impl<R: Recorded> Kept<R> {
    fn append<I: Iterator<Item = R>>(&mut self, more: impl FnOnce() -> I) -> Result<(), RecordError> {
        match self {
            Self::None => {}
            Self::Memory(rows) => rows.extend(more()),
            Self::Csv(table) => table.append(more())?,
            Self::Parquet(parts) => parts.append(more())?,
        }
        Ok(())
    }
}

impl<R: Recorded> Sheet<R> {
    /// The table in its place, as far as a scenario with this `record` has it written.
    pub(super) fn open(place: Place<'_>, record: Record, asked: Format) -> Result<Self, RecordError> {
        let rows = match (place, format::<R>(asked)) {
            _ if !keeps(record, R::KEPT) && !R::SUMMED_UP => Kept::None,
            (Place::Memory, _) => Kept::Memory(Vec::new()),
            (Place::New(folder), Format::Csv) => Kept::Csv(Table::create(folder)?),
            (Place::New(folder), Format::Parquet) => Kept::Parquet(Box::new(Parts::create(folder)?)),
            (Place::Left(folder, journal, _), Format::Csv) => Kept::Csv(Table::reopen(folder, journal)?),
            (Place::Left(folder, journal, _), Format::Parquet) => {
                Kept::Parquet(Box::new(Parts::reopen(folder, journal.done())?))
            }
        };
        Ok(Self { rows, tally: R::Tally::default() })
    }

    pub(super) fn into_rows(self) -> Vec<R> {
        if let Kept::Memory(rows) = self.rows { rows } else { Vec::new() }
    }

    /// In Parquet, rows of a group are written together: how large it is must not depend on when somebody asks.
    fn flush(&mut self) -> Result<(), RecordError> {
        if let Kept::Csv(table) = &mut self.rows { table.flush() } else { Ok(()) }
    }
}

impl<R: Recorded> AnySheet for Sheet<R> {
    fn observe(&mut self, what: &Observation) {
        R::observe(&mut self.tally, what);
    }

    fn block(&mut self, block: &CommittedBlock<'_>) -> Result<(), RecordError> {
        self.rows.append(|| R::of_block(block))
    }

    fn slot(&mut self, slot: &ClosedSlot<'_>) -> Result<(), RecordError> {
        self.rows.append(|| R::of_slot(slot))?;
        self.rows.append(|| R::with_slot(&mut self.tally, slot))?;
        self.flush()
    }

    fn end_case(&mut self, case: &Case) -> Result<(), RecordError> {
        let tally = mem::take(&mut self.tally);
        self.rows.append(|| R::of_case(case, &tally))?;
        self.flush()?;
        if let Kept::Parquet(parts) = &mut self.rows { parts.end_case(case.number) } else { Ok(()) }
    }

    fn append_from(&mut self, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        match &mut self.rows {
            Kept::None | Kept::Memory(_) => Ok(()),
            Kept::Csv(table) => table.append_from(folder),
            Kept::Parquet(parts) => parts.append_from(folder, cases),
        }
    }

    fn length(&self) -> Option<(&'static str, u64)> {
        if let Kept::Csv(table) = &self.rows { Some((R::FILE, table.length)) } else { None }
    }

    fn can_go_on(&self) -> bool {
        matches!(self.rows, Kept::None | Kept::Csv(_))
    }

    fn save(&mut self) -> Result<(&'static str, Vec<u8>), RecordError> {
        self.flush()?;
        if let Kept::Csv(table) = &self.rows {
            table.sync()?;
        }
        Ok((R::FILE, to_bytes(&self.tally)))
    }

    fn restore(&mut self, tallies: &BTreeMap<String, Vec<u8>>) -> Result<(), Unreadable> {
        let missing = || Unreadable(format!("it tells nothing of {}", R::FILE));
        self.tally = from_bytes(tallies.get(R::FILE).ok_or_else(missing)?)?;
        Ok(())
    }

    fn finish(&mut self, done: RangeInclusive<u32>, all: u32) -> Result<(), RecordError> {
        if let Kept::Parquet(parts) = &mut self.rows { parts.unite(done, all) } else { Ok(()) }
    }
}
