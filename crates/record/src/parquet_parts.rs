//! Result tables as Parquet files, put together from a file for each case.
//!
//! What a Parquet file holds is told at its end, so one that grows is of no use to anybody, and where its program is
//! killed it is lost. So each case has a file of its own beside the table, in `<table>.parts/`: `<case>.parquet` once
//! the case is complete and `partial` until then. When the run ends, their groups of rows are copied one after the
//! other into the table; the part of the only case of a study becomes the table itself.

use super::{
    columns::{self, Cells},
    error::RecordError,
    folder,
    table::{Row, Rows, Section},
};
use microgrid_agents::ids::Slot;
use parquet::{
    basic::Compression,
    column::writer::ColumnCloseResult,
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        properties::{EnabledStatistics, WriterProperties},
        reader::FileReader,
        serialized_reader::{ReadOptionsBuilder, SerializedFileReader},
        statistics::Statistics,
        writer::SerializedFileWriter,
    },
    record::{self, RowAccessor},
    schema::types::Type,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Name of the file of a case that is not complete.
const PARTIAL: &str = "partial";

/// A table as Parquet files, one for each case until they are put together.
#[derive(Debug)]
pub(super) struct Parts<R: Row> {
    /// The table itself.
    table: PathBuf,
    /// Where its parts are.
    folder: PathBuf,
    /// The part of the case under way, once it has a row.
    current: Option<Part<R>>,
}

impl<R: Row> Parts<R> {
    /// Makes room for the parts of the table in a run's `folder`.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let parts = Self::at(folder);
        fs::create_dir(&parts.folder).map_err(RecordError::file("create", &parts.folder))?;
        Ok(parts)
    }

    /// Goes on with a table that has the parts of so many cases. What was put together of them before is removed, unless
    /// they are there no more.
    ///
    /// # Errors
    /// If a part is missing, or a file cannot be removed.
    pub(super) fn reopen(folder: &Path, cases: u32) -> Result<Self, RecordError> {
        let parts = Self::at(folder);
        fs::create_dir_all(&parts.folder).map_err(RecordError::file("create", &parts.folder))?;
        remove_file(&parts.folder.join(PARTIAL))?;
        match (1..=cases).map(|case| parts.part(case)).find(|part| !part.is_file()) {
            None => remove_file(&parts.table)?,
            Some(_) if parts.table.is_file() => {}
            Some(missing) => drop(File::open(&missing).map_err(RecordError::file("open", &missing))?),
        }
        Ok(parts)
    }

    /// Appends rows; those of a group wait in memory.
    pub(super) fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        self.current()?.append(rows)
    }

    /// Ends the case under way, which is complete.
    pub(super) fn end_case(&mut self, case: u32) -> Result<(), RecordError> {
        self.current()?;
        let partial = self.close()?.expect("there is a part under way");
        fs::rename(&partial, self.part(case)).map_err(RecordError::file("rename", &partial))
    }

    /// Takes in the only part of the same table in another `folder`, that of this case, unless it was taken in before.
    pub(super) fn append_from(&mut self, folder: &Path, case: u32) -> Result<(), RecordError> {
        move_to(&Self::at(folder).part(case), &self.part(case))
    }

    /// Makes the table from the parts of the first `done` cases and of the one under way, in place of an older one.
    /// Parts that may be needed again are kept: all but that of the only case of a study.
    ///
    /// # Errors
    /// If a part cannot be read or the table cannot be written.
    pub(super) fn unite(&mut self, done: u32, cases: u32) -> Result<(), RecordError> {
        let partial = self.close()?;
        let parts: Vec<PathBuf> = (1..=done).map(|case| self.part(case)).chain(partial).collect();
        if let (1, [only]) = (cases, &*parts) {
            return move_to(only, &self.table);
        }
        folder::write_whole(&self.table, |file| copy_all::<R>(&parts, file))
    }

    fn at(folder: &Path) -> Self {
        let table = folder.join(R::PARQUET);
        Self { folder: table.with_extension("parts"), table, current: None }
    }

    fn part(&self, case: u32) -> PathBuf {
        self.folder.join(format!("{case}.parquet"))
    }

    fn current(&mut self) -> Result<&mut Part<R>, RecordError> {
        match &mut self.current {
            Some(part) => Ok(part),
            none => Ok(none.insert(Part::create(self.folder.join(PARTIAL))?)),
        }
    }

    /// Ends the file of the case under way, if there is one; returns its path.
    fn close(&mut self) -> Result<Option<PathBuf>, RecordError> {
        self.current.take().map(Part::close).transpose()
    }
}

/// Removes the parts of the `table` that was put together of them.
pub(super) fn remove(table: &Path) -> Result<(), RecordError> {
    let parts = table.with_extension("parts");
    fs::remove_dir_all(&parts).map_err(RecordError::file("remove", &parts))
}

/// Moves a file, unless that was done before.
fn move_to(path: &Path, target: &Path) -> Result<(), RecordError> {
    match fs::rename(path, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && target.is_file() => Ok(()),
        moved => moved.map_err(RecordError::file("rename", path)),
    }
}

fn remove_file(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(RecordError::file("remove", path)),
    }
}

/// A Parquet file being written, in groups of [`GROUP`](Self::GROUP) rows.
#[derive(Debug)]
struct Part<R: Row> {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    /// The rows of the group under way.
    cells: Cells<R>,
    /// How many these are.
    rows: usize,
}

impl<R: Row> Part<R> {
    /// As many rows make a group: some ten megabytes.
    const GROUP: usize = 1 << 17;

    fn create(path: PathBuf) -> Result<Self, RecordError> {
        let file = File::create(&path).map_err(RecordError::file("create", &path))?;
        let writer = SerializedFileWriter::new(file, schema::<R>(), properties());
        let writer = writer.map_err(RecordError::content(&path))?;
        Ok(Self { path, writer, cells: Cells::new(), rows: 0 })
    }

    fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        for row in rows {
            self.cells.put(&row);
            self.rows += 1;
            if self.rows == Self::GROUP {
                self.write_group().map_err(RecordError::content(&self.path))?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        self.cells.write(&mut group)?;
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    fn close(mut self) -> Result<PathBuf, RecordError> {
        let last = if self.rows > 0 { self.write_group() } else { Ok(()) };
        last.and_then(|()| self.writer.close()).map_err(RecordError::content(&self.path))?;
        Ok(self.path)
    }
}

fn schema<R: Row>() -> Arc<Type> {
    let columns = columns::schema::<R>().map(Arc::new).collect();
    Arc::new(Type::group_type_builder("row").with_fields(columns).build().expect("columns make a schema"))
}

fn properties() -> Arc<WriterProperties> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // With more than that, what tells of many groups is large.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    Arc::new(properties.build())
}

/// Writes the rows of all `parts`, group by group, as they are in their files.
fn copy_all<R: Row>(parts: &[PathBuf], file: &mut (impl Write + Send)) -> Result<(), RecordError> {
    let target = Path::new(R::PARQUET);
    let mut writer =
        SerializedFileWriter::new(file, schema::<R>(), properties()).map_err(RecordError::content(target))?;
    for part in parts {
        let file = File::open(part).map_err(RecordError::file("read", part))?;
        copy(&file, &mut writer).map_err(RecordError::content(part))?;
    }
    writer.close().map(drop).map_err(RecordError::content(target))
}

fn copy(part: &File, writer: &mut SerializedFileWriter<impl Write + Send>) -> Result<(), ParquetError> {
    let metadata: ParquetMetaData = ParquetMetaDataReader::new().parse_and_finish(part)?;
    for group in metadata.row_groups() {
        let mut copied = writer.next_row_group()?;
        for column in group.columns() {
            let written = ColumnCloseResult {
                bytes_written: column.compressed_size().cast_unsigned(),
                rows_written: group.num_rows().cast_unsigned(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            copied.append_column(part, written)?;
        }
        copied.close()?;
    }
    Ok(())
}

/// Reads the rows of a table from a run's folder, one after the other.
///
/// # Errors
/// If the file cannot be opened or has other columns; each row by itself if it is not of this table.
pub(super) fn read<R: Row>(folder: &Path) -> Result<Rows<R>, RecordError> {
    read_groups(folder, 0..u64::MAX, |_| true)
}

/// Reads the rows of a section, one after the other.
///
/// # Errors
/// If the file cannot be opened or has other columns; each row by itself if it is not of this table.
pub(super) fn read_section<R: Row>(folder: &Path, section: &Section) -> Result<Rows<R>, RecordError> {
    let Section { case, slots, place, .. } = section.clone();
    read_groups(folder, place, move |record| {
        record.get_uint(0).is_ok_and(|of| of == case) && record.get_uint(1).is_ok_and(|slot| slots.contains(&slot))
    })
}

/// Reads those rows of some groups, by their numbers from 0, that are wanted.
fn read_groups<R: Row>(
    folder: &Path,
    groups: Range<u64>,
    wanted: impl Fn(&record::Row) -> bool + 'static,
) -> Result<Rows<R>, RecordError> {
    let path = folder.join(R::PARQUET);
    let file = File::open(&path).map_err(RecordError::file("open", &path))?;
    let inside = ReadOptionsBuilder::new()
        .with_predicate(Box::new(move |_: &RowGroupMetaData, group| groups.contains(&(group as u64))));
    let reader = SerializedFileReader::new_with_options(file, inside.build()).map_err(RecordError::content(&path))?;
    if *reader.metadata().file_metadata().schema() != *schema::<R>() {
        return Err(RecordError::Header(path));
    }
    let records = reader.into_iter().filter(move |record| record.as_ref().map_or(true, &wanted));
    Ok(Box::new(records.map(move |record| {
        let record = record.map_err(RecordError::content(&path))?;
        columns::row(&record).ok_or_else(|| RecordError::Header(path.clone()))
    })))
}

/// Finds the groups that hold rows of these slots of a case, in a table that is sorted by them, its first columns.
pub(super) fn section<R: Row>(folder: &Path, case: u32, slots: RangeInclusive<Slot>) -> Result<Section, RecordError> {
    /// What reading a row takes, in bytes of text that could be read instead.
    const ROW: u64 = 400;
    let path = folder.join(R::PARQUET);
    let file = File::open(&path).map_err(RecordError::file("open", &path))?;
    let metadata: ParquetMetaData =
        ParquetMetaDataReader::new().parse_and_finish(&file).map_err(RecordError::content(&path))?;
    let holds = |group: &&RowGroupMetaData| {
        let within = |column: usize, first: u32, last: u32| {
            extremes(group, column).is_none_or(|(least, greatest)| least <= last && first <= greatest)
        };
        within(0, case, case) && within(1, *slots.start(), *slots.end())
    };
    let groups = metadata.row_groups();
    let first = groups.iter().position(|group| holds(&group)).unwrap_or(groups.len());
    let held: Vec<_> = groups[first..].iter().take_while(holds).collect();
    let rows: u64 = held.iter().map(|group| group.num_rows().cast_unsigned()).sum();
    let place = first as u64..(first + held.len()) as u64;
    Ok(Section { case, slots, place, size: rows * ROW })
}

/// The least and the greatest number in a column of a group, if the group tells.
fn extremes(group: &RowGroupMetaData, column: usize) -> Option<(u32, u32)> {
    let Statistics::Int32(numbers) = group.column(column).statistics()? else { return None };
    Some((numbers.min_opt()?.cast_unsigned(), numbers.max_opt()?.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{number::Number, table, trades::TradeRow};

    fn rows(slots: (u32, u32)) -> impl Iterator<Item = TradeRow> {
        (slots.0..slots.1).map(|slot| {
            let kwh = Number::new(f64::from(slot % 50) / 7.0).unwrap();
            TradeRow {
                case: 1,
                slot,
                buyer: 2,
                seller: 3,
                optimal_kwh: (slot % 3 > 0).then_some(kwh),
                traded_kwh: kwh,
                price_cny_per_kwh: None,
                payment_cny: kwh,
                fee_cny: kwh,
            }
        })
    }

    /// A table with a part for the slots from each of these to before the other, put together.
    fn table(parts: &[(u32, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Parts::create(folder.path()).unwrap();
        for (case, &(first, end)) in (1..).zip(parts) {
            // In pieces of any size.
            let third = first + (end - first) / 3;
            table.append(rows((first, third))).unwrap();
            table.append(rows((third, end))).unwrap();
            table.end_case(case).unwrap();
        }
        table.unite(parts.len() as u32, parts.len() as u32).unwrap();
        folder
    }

    #[test]
    fn groups_are_bounded_and_end_with_their_case() {
        let group = Part::<TradeRow>::GROUP as u32;
        let folder = table(&[(0, 5), (5, group + 7), (group + 7, group + 7), (group + 7, group + 9)]);
        let file = File::open(folder.path().join("trades.parquet")).unwrap();
        let groups = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        let groups: Vec<_> = groups.row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(groups, [5, i64::from(group), 2, 2]);
        let read: Vec<TradeRow> = read(folder.path()).unwrap().map(Result::unwrap).collect();
        assert!(read.into_iter().eq(rows((0, group + 9))));
    }

    #[test]
    fn the_only_part_of_a_study_becomes_the_table_and_stays_it() {
        let folder = table(&[(0, 1000)]);
        let mut table = Parts::<TradeRow>::reopen(folder.path(), 1).unwrap();
        table.unite(1, 1).unwrap();
        let read: Vec<TradeRow> = read(folder.path()).unwrap().map(Result::unwrap).collect();
        assert!(read.into_iter().eq(rows((0, 1000))));
    }

    #[test]
    fn a_table_without_rows_is_a_table() {
        let folder = table(&[]);
        assert_eq!(read::<TradeRow>(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_table_that_has_lost_a_part_does_not_go_on() {
        let folder = table(&[(0, 1), (1, 2)]);
        assert!(Parts::<TradeRow>::reopen(folder.path(), 2).is_ok());
        fs::remove_file(folder.path().join("trades.parts/1.parquet")).unwrap();
        let error = Parts::<TradeRow>::reopen(folder.path(), 2).unwrap_err();
        assert!(matches!(error, RecordError::File { action: "open", .. }), "{error}");
    }

    #[test]
    fn a_table_of_other_columns_is_not_read() {
        let folder = table(&[(0, 1)]);
        fs::rename(folder.path().join("trades.parquet"), folder.path().join("prosumers.parquet")).unwrap();
        let wrong = read::<crate::ProsumerRow>(folder.path()).map(drop);
        assert!(matches!(wrong, Err(RecordError::Header(_))), "{wrong:?}");
    }

    /// Rows of three cases, each with the slots 2, 3 and 5, of very different length.
    fn of_three_cases() -> Vec<TradeRow> {
        let slots = (1..=3).flat_map(|case| [(case, 2), (case, 3), (case, 5)]);
        let row = |case: u32, slot, buyer| TradeRow {
            case,
            slot,
            buyer,
            seller: 1,
            optimal_kwh: None,
            traded_kwh: Number::new(1.0 / f64::from(buyer)).unwrap(),
            price_cny_per_kwh: None,
            payment_cny: Number::new(0.0).unwrap(),
            fee_cny: Number::new(0.0).unwrap(),
        };
        slots.flat_map(|(case, slot)| (1..=case * 40 + slot).map(move |buyer| row(case, slot, buyer))).collect()
    }

    /// Whether every section reads as what a walk through the table finds.
    fn agree(section: impl Fn(u32, RangeInclusive<Slot>) -> Vec<TradeRow>) {
        for case in 0..=4 {
            for (first, last) in (0..=6).flat_map(|first| (first..=6).map(move |last| (first, last))) {
                let wanted = |row: &TradeRow| row.case == case && (first..=last).contains(&row.slot);
                let expected: Vec<_> = of_three_cases().into_iter().filter(wanted).collect();
                assert_eq!(section(case, first..=last), expected, "slots {first} to {last} of case {case}");
            }
        }
    }

    #[test]
    fn a_section_of_a_csv_file_is_found_without_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = table::Table::create(folder.path()).unwrap();
        table.append(of_three_cases()).unwrap();
        table.flush().unwrap();
        agree(|case, slots| {
            let section = table::section::<TradeRow>(folder.path(), case, slots).unwrap();
            table::read_section(folder.path(), &section).unwrap().map(Result::unwrap).collect()
        });
    }

    #[test]
    fn a_section_of_a_parquet_file_is_found_by_what_its_groups_say() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Parts::create(folder.path()).unwrap();
        for case in 1..=3 {
            table.append(of_three_cases().into_iter().filter(|row| row.case == case)).unwrap();
            table.end_case(case).unwrap();
        }
        table.unite(3, 3).unwrap();
        let find = |case, slots| section::<TradeRow>(folder.path(), case, slots).unwrap();
        agree(|case, slots| read_section(folder.path(), &find(case, slots)).unwrap().map(Result::unwrap).collect());
        assert_eq!(find(2, 2..=3).place, 1..2);
        assert_eq!(find(2, 6..=6).place.clone().count(), 0);
    }
}
