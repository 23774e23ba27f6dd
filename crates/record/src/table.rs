//! Result tables: a row is a struct whose fields are the columns. Here they are CSV files.

use super::{
    column::{Column, Value},
    error::RecordError,
    folder,
    journal::Journal,
};
use microgrid_agents::ids::Slot;
use microgrid_scenario::files;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    marker::PhantomData,
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
};

/// A row of a result table.
pub trait Row: Serialize + DeserializeOwned + 'static {
    /// Name of the table's file in the run's folder, as CSV.
    const FILE: &'static str;
    /// Name of the table's file in the run's folder, as Parquet.
    const PARQUET: &'static str;
    /// The table's columns in order: one for each field of the row, of its name.
    const COLUMNS: &'static [Column<Self>];

    /// The names of the columns in order.
    fn header() -> impl Iterator<Item = &'static str> {
        Self::COLUMNS.iter().map(|column| column.name)
    }
}

/// The case of a row and, where the table has slots, its slot: what its first columns say.
pub(super) fn key<R: Row>(row: &R) -> (u64, Option<u64>) {
    let cell = |at: usize, name: &str| {
        let column = R::COLUMNS.get(at).filter(|column| column.name == name)?;
        if let Value::Whole(number) = (column.value)(row) { Some(number) } else { None }
    };
    (cell(0, "case").unwrap_or(1), cell(1, "slot"))
}

/// Rows of a table, one after the other.
pub type Rows<R> = Box<dyn Iterator<Item = Result<R, RecordError>>>;

/// Where the rows of some slots of a case stand in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub(super) case: u32,
    /// The slots whose rows it has.
    pub slots: RangeInclusive<Slot>,
    /// In a CSV file, their bytes; in a Parquet file, the numbers of the groups that hold them.
    pub(super) place: Range<u64>,
    /// How much there is to read, as if it were text [bytes].
    pub size: u64,
}

/// Declares a row type and with it a table: the name of its files, and its columns, each beside its field with its unit, its
/// value (where the row says what it is made `of`), and what else there is to tell of it (the functions of [`Column`]).
macro_rules! table {
    (
        $(#[$doc:meta])*
        $name:ident in $file:literal of ($($given:ident: $type:ty),+) {
            $(
                $(#[$column_doc:meta])*
                $column:ident: $kind:ty $([$unit:literal])? = $value:expr $(=> $($told:ident($($how:tt)*)).+)?,
            )+
        }
        $(where { $($before:tt)* })?
    ) => {
        $crate::table::table! {
            $(#[$doc])*
            $name in $file {
                $($(#[$column_doc])* $column: $kind $([$unit])? $(=> $($told($($how)*)).+)?,)+
            }
        }

        impl $name {
            fn row($($given: $type),+) -> Self {
                $($($before)*)?
                Self { $($column: $value),+ }
            }
        }
    };
    (
        $(#[$doc:meta])*
        $name:ident in $file:literal {
            $($(#[$column_doc:meta])* $column:ident: $kind:ty $([$unit:literal])? $(=> $($told:ident($($how:tt)*)).+)?,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$column_doc])* $(#[doc = concat!("[", $unit, "]")])? pub $column: $kind,)+
        }

        impl $crate::table::Row for $name {
            const FILE: &'static str = concat!($file, ".csv");
            const PARQUET: &'static str = concat!($file, ".parquet");
            const COLUMNS: &'static [$crate::column::Column<Self>] = &[$(
                $crate::column::Column::<Self>::new(
                    stringify!($column),
                    <$kind as $crate::column::Cell>::KIND,
                    |row| row.$column.clone().into(),
                )
                $(.unit($unit))?
                $($(.$told($($how)*))+)?
            ),+];
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
    /// What is in the file [bytes].
    pub(super) length: u64,
    rows: PhantomData<fn(R)>,
}

impl<R: Row> Table<R> {
    /// Creates the table's file in `folder` with nothing but its header.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(R::FILE);
        let file = File::create_new(&path).map_err(RecordError::file("create", &path))?;
        let mut table = Self { path, file, pending: Vec::new(), length: 0, rows: PhantomData };
        table.fill(|csv| csv.write_record(R::header()))?;
        table.flush()?;
        Ok(table)
    }

    /// Opens the table in `folder` to go on behind the rows of the cases and slots that the journal tells of; what follows them
    /// is cut off.
    pub(super) fn reopen(folder: &Path, journal: &Journal) -> Result<Self, RecordError> {
        read::<R>(folder, None).map(drop)?;
        let path = folder.join(R::FILE);
        let &Journal { cases, slots, .. } = journal;
        let case = cases + 1;
        let (before, behind) = match slots {
            0 => ((case, 0), (case, 0)),
            slots if R::header().nth(1) == Some("slot") => ((case, slots + 1), (case, slots + 1)),
            // Rows of the case stand on both sides, and do not tell which slots they are of.
            _ => ((case + 1, 0), (case, 0)),
        };
        let length = journal
            .lengths
            .get(R::FILE)
            .copied()
            .ok_or_else(|| RecordError::out_of_step(&path, "it does not tell how long it is"))?;
        if !ends_at(&path, before, behind, length).map_err(RecordError::file("read", &path))? {
            let what = match slots {
                0 => format!("the first {} cases do not end at byte {length}", journal.done().count()),
                _ => format!("slot {slots} of case {} does not end at byte {length}", cases + 1),
            };
            return Err(RecordError::out_of_step(&path, what));
        }
        let file = folder::cut(&path, length)?;
        Ok(Self { path, file, pending: Vec::new(), length, rows: PhantomData })
    }

    /// Appends all rows of the same table in another `folder`, in pieces of whole rows.
    pub(super) fn append_from(&mut self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(R::FILE);
        let mut other = folder::open(&path)?;
        let mut header = true;
        loop {
            let mut piece = Read::take(&mut other, Self::MOST_PENDING as u64);
            let read = piece.read_to_end(&mut self.pending).map_err(RecordError::file("read", &path))?;
            if header {
                let end = self.pending.iter().position(|&byte| byte == b'\n').map_or(0, |line| line + 1);
                self.pending.drain(..end);
                header = false;
            }
            let whole = self.pending.iter().rposition(|&byte| byte == b'\n').map_or(0, |line| line + 1);
            let rest = self.pending.split_off(whole);
            self.flush()?;
            self.pending = rest;
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// Appends rows; some may wait in memory until [`flush`](Self::flush).
    pub(super) fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        self.fill(|csv| rows.into_iter().try_for_each(|row| csv.serialize(row)))?;
        if self.pending.len() > Self::MOST_PENDING { self.flush() } else { Ok(()) }
    }

    /// More bytes than this do not wait.
    const MOST_PENDING: usize = 1 << 20;

    /// Writes the rows that wait, in one piece, so that whoever ends the program leaves whole rows.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.file.write_all(&self.pending).map_err(RecordError::file("write", &self.path))?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Has the machine keep what is in the file, whatever becomes of it.
    pub(super) fn sync(&self) -> Result<(), RecordError> {
        self.file.sync_data().map_err(RecordError::file("write", &self.path))
    }

    fn fill(
        &mut self,
        fill: impl FnOnce(&mut csv::Writer<&mut Vec<u8>>) -> Result<(), csv::Error>,
    ) -> Result<(), RecordError> {
        let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(&mut self.pending);
        let filled = fill(&mut csv).and_then(|()| Ok(csv.flush()?));
        drop(csv);
        filled.map_err(RecordError::content(&self.path))
    }
}

/// Reads the rows of a table from a run's folder, or of a section of it, one after the other.
pub(super) fn read<R: Row>(folder: &Path, section: Option<&Section>) -> Result<Rows<R>, RecordError> {
    let path = folder.join(R::FILE);
    let wrong = RecordError::of_rows(&path);
    let mut file = folder::open(&path)?;
    let place = section.map_or(0..u64::MAX, |section| section.place.clone());
    file.seek(SeekFrom::Start(place.start)).map_err(RecordError::file("read", &path))?;
    let part = file.take(place.end - place.start);
    let mut csv = csv::ReaderBuilder::new().has_headers(section.is_none()).from_reader(part);
    if section.is_none() {
        let found = csv.headers().map_err(&wrong)?;
        let columns: Vec<_> = R::header().skip(found.len()).collect();
        match found.iter().eq(R::header().take(found.len())) {
            true if columns.is_empty() => {}
            true if found.len() > 1 => return Err(RecordError::Older { path, columns }),
            _ => return Err(RecordError::Header(path)),
        }
    }
    Ok(Box::new(csv.into_deserialize().map(move |row| row.map_err(&wrong))))
}

/// Finds the rows of these slots of a case in the CSV file of a table that is sorted by case and slot, its first columns:
/// by bisection.
pub(super) fn section<R: Row>(folder: &Path, case: u32, slots: RangeInclusive<Slot>) -> Result<Section, RecordError> {
    let path = folder.join(R::FILE);
    let file = folder::open(&path)?;
    let find = || {
        let mut file = BufReader::with_capacity(1 << 12, file);
        let length = file.get_ref().metadata()?.len();
        let from = bisect(&mut file, 0..length, (case, *slots.start()))?;
        let to = bisect(&mut file, from..length, (case, slots.end().saturating_add(1)))?;
        Ok(from..to)
    };
    let place = find().map_err(RecordError::file("read", &path))?;
    Ok(Section { case, slots, size: place.end - place.start, place })
}

/// Whether the first `length` bytes of a table are whole rows that come before `next`, and all behind them, if there are any,
/// begin at `from`, as far as it is so long.
fn ends_at(path: &Path, next: Key, from: Key, length: u64) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(1 << 12, files::open(path)?);
    if length == 0 || file.get_ref().metadata()?.len() < length {
        return Ok(length > 0);
    }
    let mut before = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut before)?;
    let behind = first_from(&mut file, length)?.1.flatten();
    let last = bisect(&mut file, 0..length, next)?;
    Ok(before == *b"\n" && last == length && behind.is_none_or(|behind| behind >= from))
}

type Key = (u32, Slot);

/// Where, within `range`, the first row begins whose case and slot are not before `key`; the end of the range without one.
fn bisect(file: &mut BufReader<File>, range: Range<u64>, key: Key) -> io::Result<u64> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if first_from(file, middle)?.1.is_some_and(|found| found < Some(key)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(first_from(file, low)?.0)
}

/// The first line that begins at `position` or behind it: where, and its case and slot (0 where there are none), which a
/// header does not have.
/// Behind the last line there is none.
fn first_from(file: &mut BufReader<File>, position: u64) -> io::Result<(u64, Option<Option<Key>>)> {
    let mut line = Vec::new();
    let mut begin = position.saturating_sub(1);
    file.seek(SeekFrom::Start(begin))?;
    if position > 0 {
        begin += file.read_until(b'\n', &mut line)? as u64;
        line.clear();
    }
    if file.read_until(b'\n', &mut line)? == 0 {
        return Ok((begin, None));
    }
    let text = String::from_utf8_lossy(&line);
    let mut cells = text.split(',').map(|cell| cell.trim_end().parse());
    let case = cells.next().and_then(Result::ok);
    Ok((begin, Some(case.zip(cells.next().map(Result::unwrap_or_default)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::row_of, trades::TradeRow};
    use std::fs;

    /// A row of case 1 that is longer or shorter than others.
    fn line(number: u32) -> TradeRow {
        let (slot, kwh) = (number.to_string(), (f64::from(number % 50) / 7.0).to_string());
        row_of::<TradeRow>(&[("case", "1"), ("slot", &slot), ("optimal_kwh", &kwh), ("traded_kwh", &kwh)])
    }

    /// What is told of a table that has so many cases in its first `length` bytes.
    fn journal(cases: u32, length: Option<u64>) -> Journal {
        let lengths = length.into_iter().map(|length| (TradeRow::FILE.to_owned(), length));
        Journal { first: 1, cases, slots: 0, lengths: lengths.collect() }
    }

    #[test]
    fn a_table_goes_on_where_it_is_cut_off_and_takes_in_another() {
        let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let mut table = Table::<TradeRow>::create(whole.path()).unwrap();
        table.append((0..100_000).map(line)).unwrap();
        table.flush().unwrap();

        let mut first = Table::<TradeRow>::create(parts.path()).unwrap();
        first.append((0..10).map(line)).unwrap();
        first.flush().unwrap();
        let kept = first.length;
        first.append((500..510).map(|number| TradeRow { case: 2, ..line(number) })).unwrap();
        first.flush().unwrap();
        let other = tempfile::tempdir().unwrap();
        let mut second = Table::<TradeRow>::create(other.path()).unwrap();
        second.append((10..100_000).map(line)).unwrap();
        second.flush().unwrap();
        let mut again = Table::<TradeRow>::reopen(parts.path(), &journal(1, Some(kept))).unwrap();
        again.append_from(other.path()).unwrap();
        let read = |folder: &Path| fs::read(folder.join("trades.csv")).unwrap();
        assert!(read(whole.path()) == read(parts.path()));
        assert_eq!(again.length, table.length);
    }

    #[test]
    fn a_table_that_has_lost_rows_does_not_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let length = Table::<TradeRow>::create(folder.path()).unwrap().length;
        let reopened = Table::<TradeRow>::reopen(folder.path(), &journal(0, Some(length + 1)));
        assert!(matches!(reopened, Err(RecordError::Short { .. })), "{reopened:?}");
    }

    #[test]
    fn a_table_goes_on_nowhere_but_where_its_cases_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table::<TradeRow>::create(folder.path()).unwrap();
        let mut ends = vec![table.length];
        for case in 1..=3 {
            table.append((1..4).map(|slot| TradeRow { case, ..line(slot) })).unwrap();
            table.flush().unwrap();
            ends.push(table.length);
        }
        let path = folder.path().join(TradeRow::FILE);
        let whole = fs::read(&path).unwrap();
        for (cases, &end) in (0..).zip(&ends) {
            for length in [None].into_iter().chain((0..=table.length).map(Some)) {
                let reopened = Table::<TradeRow>::reopen(folder.path(), &journal(cases, length));
                assert_eq!(reopened.is_ok(), length == Some(end), "{cases} cases, {length:?}: {reopened:?}");
                let out_of_step = matches!(reopened, Ok(_) | Err(RecordError::OutOfStep { .. }));
                assert!(out_of_step, "{cases} cases, {length:?}: {reopened:?}");
                assert!(reopened.is_ok() || fs::read(&path).unwrap() == whole, "nothing is cut off elsewhere");
                fs::write(&path, &whole).unwrap();
            }
        }
    }
}
