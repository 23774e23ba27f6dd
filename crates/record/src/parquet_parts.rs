//! Result tables as Parquet files, put together from a file for each case.
//!
//! What a Parquet file holds is told at its end, so one that grows is of no use to anybody, and where its program is
//! killed it is lost. So each case has a file of its own beside the table, in `<table>.parts/`: `<case>.parquet` once
//! the case is complete and `partial` until then. When the run ends, their groups of rows are copied one after the
//! other into the table; the part of the only case of a study becomes the table itself. Where runs of several parts of a
//! study are merged, the groups of each case are copied from the tables of these.

use super::{
    column::{Kind, Value},
    error::RecordError,
    folder,
    table::{Row, Rows, Section},
};
use microgrid_agents::ids::Slot;
use microgrid_runtime::caught;
use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnCloseResult,
    data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        properties::{EnabledStatistics, WriterProperties},
        reader::FileReader,
        serialized_reader::{ReadOptionsBuilder, SerializedFileReader},
        statistics::Statistics,
        writer::SerializedFileWriter,
    },
    record::{self, Field, RowAccessor},
    schema::types::Type,
};
use std::{
    fmt::Display,
    fs::{self, File},
    io::{self, Write},
    iter,
    ops::RangeInclusive,
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
    /// The file of the case under way, once it has a group of rows.
    partial: Option<SerializedFileWriter<File>>,
    /// The rows of the group under way.
    rows: Vec<R>,
}

impl<R: Row> Parts<R> {
    /// As many rows make a group: some ten megabytes.
    const GROUP: usize = 1 << 17;

    /// Makes room for the parts of the table in a run's `folder`.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let parts = Self::at(folder);
        fs::create_dir(&parts.folder).map_err(RecordError::file("create", &parts.folder))?;
        Ok(parts)
    }

    /// Goes on with a table that has the parts of these cases. What was put together of them before is removed, unless
    /// they are there no more.
    pub(super) fn reopen(folder: &Path, cases: RangeInclusive<u32>) -> Result<Self, RecordError> {
        let parts = Self::at(folder);
        fs::create_dir_all(&parts.folder).map_err(RecordError::file("create", &parts.folder))?;
        remove_file(&parts.folder.join(PARTIAL))?;
        for part in cases.map(|case| parts.part(case)) {
            if !part.is_file() && parts.table.is_file() {
                return Ok(parts);
            }
            metadata(&folder::open(&part)?, &part)?;
        }
        remove_file(&parts.table)?;
        Ok(parts)
    }

    /// Appends rows; those of a group wait in memory.
    pub(super) fn append(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        for row in rows {
            self.rows.push(row);
            if self.rows.len() == Self::GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    /// Ends the case under way, which is complete.
    pub(super) fn end_case(&mut self, case: u32) -> Result<(), RecordError> {
        self.write_group()?;
        let partial = self.close()?.expect("there is a part under way");
        fs::rename(&partial, self.part(case)).map_err(RecordError::file("rename", &partial))
    }

    /// Takes in the same table of these cases from another `folder`: from the table itself where it is whole, which stays,
    /// else the part of the only case, unless it was taken in before.
    pub(super) fn append_from(&mut self, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        let other = Self::at(folder);
        if other.table.is_file() {
            return self.take_from(&other.table, cases);
        }
        cases.into_iter().try_for_each(|case| move_to(&other.part(case), &self.part(case)))
    }

    /// Makes a part of each of these cases out of the groups that it has in a table, which holds no others.
    fn take_from(&mut self, table: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        let file = folder::open(table)?;
        let found = metadata(&file, table)?;
        if *found.file_metadata().schema() != *schema::<R>() {
            return Err(RecordError::Header(table.to_owned()));
        }
        let mut groups = found.row_groups();
        if cases.start() == cases.end() {
            let part = self.part(*cases.start());
            return fs::copy(table, &part).map(drop).map_err(RecordError::file("write", &part));
        }
        for case in cases {
            // A group is of one case.
            let of_case = |group: &RowGroupMetaData| extremes(group, 0) == Some((case, case));
            let end = groups.iter().position(|group| !of_case(group)).unwrap_or(groups.len());
            let (own, rest) = groups.split_at(end);
            folder::write_whole(&self.part(case), |part| {
                let mut writer = writer::<R, _>(part).map_err(RecordError::content(table))?;
                copy(&file, own, &mut writer).map_err(RecordError::content(table))?;
                writer.close().map(drop).map_err(RecordError::content(table))
            })?;
            groups = rest;
        }
        if groups.is_empty() { Ok(()) } else { Err(RecordError::damaged(table)("its cases are not those of its run")) }
    }

    /// Makes the table from the parts of the cases that are `done` and of the one under way, in place of an older one.
    /// Parts that may be needed again are kept: all but that of the only case of a run, of `all` that it has.
    pub(super) fn unite(&mut self, done: RangeInclusive<u32>, all: u32) -> Result<(), RecordError> {
        let partial = self.close()?;
        let parts: Vec<PathBuf> = done.map(|case| self.part(case)).chain(partial).collect();
        if let (1, [only]) = (all, &*parts) {
            return move_to(only, &self.table);
        }
        folder::write_whole(&self.table, |file| copy_all::<R>(&parts, file))
    }

    fn at(folder: &Path) -> Self {
        let table = folder.join(R::PARQUET);
        Self { folder: table.with_extension("parts"), table, partial: None, rows: Vec::new() }
    }

    fn part(&self, case: u32) -> PathBuf {
        self.folder.join(format!("{case}.parquet"))
    }

    /// Writes the rows that wait, if any do, into the file of the case under way.
    fn write_group(&mut self) -> Result<(), RecordError> {
        let path = self.folder.join(PARTIAL);
        let writer = match &mut self.partial {
            Some(writer) => writer,
            none => {
                let file = File::create(&path).map_err(RecordError::file("create", &path))?;
                none.insert(writer::<R, _>(file).map_err(RecordError::content(&path))?)
            }
        };
        if !self.rows.is_empty() {
            write_group(&self.rows, writer).map_err(RecordError::content(&path))?;
            self.rows.clear();
        }
        Ok(())
    }

    /// Ends the file of the case under way, if it has a row; returns its path.
    fn close(&mut self) -> Result<Option<PathBuf>, RecordError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        let Some(writer) = self.partial.take() else { return Ok(None) };
        let path = self.folder.join(PARTIAL);
        writer.close().map_err(RecordError::content(&path))?;
        Ok(Some(path))
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

/// Writes rows as a group, column by column.
fn write_group<R: Row>(rows: &[R], writer: &mut SerializedFileWriter<File>) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in R::COLUMNS {
        let values = || rows.iter().map(column.value);
        let whole = || values().map(|value| if let Value::Whole(number) = value { number } else { 0 });
        let numbers = || values().filter_map(|value| value.number()).collect::<Vec<f64>>();
        let mut writer = group.next_column()?.expect("the schema has a column for every field of a row");
        match column.kind {
            Kind::Small => {
                let small: Vec<i32> = whole().map(|number| (number as u32).cast_signed()).collect();
                writer.typed::<Int32Type>().write_batch(&small, None, None)
            }
            Kind::Large => {
                let large: Vec<i64> = whole().map(u64::cast_signed).collect();
                writer.typed::<Int64Type>().write_batch(&large, None, None)
            }
            Kind::Number => writer.typed::<DoubleType>().write_batch(&numbers(), None, None),
            Kind::Optional => {
                let defined: Vec<i16> = values().map(|value| i16::from(value != Value::Missing)).collect();
                writer.typed::<DoubleType>().write_batch(&numbers(), Some(&defined), None)
            }
            Kind::Name(_) => {
                let name = |value| if let Value::Text(name) = value { name.into_bytes().into() } else { "".into() };
                let names: Vec<ByteArray> = values().map(name).collect();
                writer.typed::<ByteArrayType>().write_batch(&names, None, None)
            }
            Kind::Text => {
                let defined: Vec<i16> = values().map(|value| i16::from(value != Value::Missing)).collect();
                let text = |value| if let Value::Text(text) = value { Some(text.into_bytes().into()) } else { None };
                let texts: Vec<ByteArray> = values().filter_map(text).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, Some(&defined), None)
            }
        }?;
        writer.close()?;
    }
    group.close().map(drop)
}

/// Names and types of the columns of a table.
fn schema<R: Row>() -> Arc<Type> {
    let columns = R::COLUMNS.iter().map(|column| {
        let (physical, logical) = match column.kind {
            Kind::Small => (Physical::INT32, Some(LogicalType::integer(32, false))),
            Kind::Large => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Kind::Number | Kind::Optional => (Physical::DOUBLE, None),
            Kind::Name(_) | Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if column.kind.may_be_empty() { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let column = Type::primitive_type_builder(column.name, physical);
        let column = column.with_logical_type(logical).with_repetition(repetition);
        Arc::new(column.build().expect("a type that Parquet knows"))
    });
    Arc::new(Type::group_type_builder("row").with_fields(columns.collect()).build().expect("columns make a schema"))
}

fn writer<R: Row, W: Write + Send>(file: W) -> Result<SerializedFileWriter<W>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // With more than that, what tells of many groups is large.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    SerializedFileWriter::new(file, schema::<R>(), Arc::new(properties.build()))
}

/// Writes the rows of all `parts`, group by group, as they are in their files.
fn copy_all<R: Row>(parts: &[PathBuf], file: &mut (impl Write + Send)) -> Result<(), RecordError> {
    let target = Path::new(R::PARQUET);
    let mut writer = writer::<R, _>(file).map_err(RecordError::content(target))?;
    for part in parts {
        let file = folder::open(part)?;
        let groups = metadata(&file, part)?;
        copy(&file, groups.row_groups(), &mut writer).map_err(RecordError::content(part))?;
    }
    writer.close().map(drop).map_err(RecordError::content(target))
}

/// Writes these groups of a file as they are there.
fn copy(
    file: &File,
    groups: &[RowGroupMetaData],
    writer: &mut SerializedFileWriter<impl Write + Send>,
) -> Result<(), ParquetError> {
    for group in groups {
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
            copied.append_column(file, written)?;
        }
        copied.close()?;
    }
    Ok(())
}

/// What `read` reads of the file at `path`. Its library takes some of what stands in a file for granted, and panics where it
/// is something else.
fn guarded<T, E: Display>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T, RecordError> {
    match caught(read) {
        Ok(read) => read.map_err(RecordError::damaged(path)),
        Err(why) => Err(RecordError::damaged(path)(why)),
    }
}

/// What the file at `path` tells at its end.
fn metadata(file: &File, path: &Path) -> Result<ParquetMetaData, RecordError> {
    guarded(path, || ParquetMetaDataReader::new().parse_and_finish(file))
}

/// Reads the rows of a table from a run's folder, or of a section of it, one after the other.
pub(super) fn read<R: Row>(folder: &Path, section: Option<&Section>) -> Result<Rows<R>, RecordError> {
    let path = folder.join(R::PARQUET);
    let file = folder::open(&path)?;
    let (of_groups, of_rows) = (section.cloned(), section.cloned());
    let inside = ReadOptionsBuilder::new().with_predicate(Box::new(move |_: &RowGroupMetaData, group| {
        of_groups.as_ref().is_none_or(|section| section.place.contains(&(group as u64)))
    }));
    let reader = guarded(&path, || SerializedFileReader::new_with_options(file, inside.build()))?;
    if *reader.metadata().file_metadata().schema() != *schema::<R>() {
        return Err(RecordError::Header(path));
    }
    let wanted = move |record: &record::Row| {
        let within = |section: &Section| {
            record.get_uint(0).is_ok_and(|case| case == section.case)
                && record.get_uint(1).is_ok_and(|slot| section.slots.contains(&slot))
        };
        of_rows.as_ref().is_none_or(within)
    };
    let mut records = Some(reader.into_iter().filter(move |record| record.as_ref().map_or(true, &wanted)));
    Ok(Box::new(iter::from_fn(move || {
        let next = guarded(&path, || records.as_mut().and_then(Iterator::next).transpose());
        let row = next.and_then(|record| match record.map(|record| row(&record)) {
            Some(None) => Err(RecordError::Header(path.clone())),
            read => Ok(read.flatten()),
        });
        // Whoever has failed is not asked again.
        records.take_if(|_| row.is_err());
        row.transpose()
    })))
}

/// Reads a row back, by way of its cells as CSV has them; `None` if `record` is not of this table.
fn row<R: Row>(record: &record::Row) -> Option<R> {
    let cell = |(_, field): (&String, &Field)| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Double(number) => number.to_string(),
        other => other.to_string(),
    };
    csv::StringRecord::from_iter(record.get_column_iter().map(cell)).deserialize(None).ok()
}

/// Finds the groups that hold rows of these slots of a case, in a table that is sorted by them, its first columns.
pub(super) fn section<R: Row>(folder: &Path, case: u32, slots: RangeInclusive<Slot>) -> Result<Section, RecordError> {
    /// What reading a row takes, in bytes of text that could be read instead.
    const ROW: u64 = 400;
    let path = folder.join(R::PARQUET);
    let metadata = metadata(&folder::open(&path)?, &path)?;
    if metadata.row_groups().iter().any(|group| group.num_columns() != R::COLUMNS.len()) {
        return Err(RecordError::Header(path));
    }
    let holds = |group: &&RowGroupMetaData| {
        let within = |column: usize, first: u32, last: u32| {
            extremes(group, column).is_none_or(|(least, greatest)| least <= last && first <= greatest)
        };
        within(0, case, case) && within(1, *slots.start(), *slots.end())
    };
    let groups = metadata.row_groups();
    let first = groups.iter().position(|group| holds(&group)).unwrap_or(groups.len());
    let held: Vec<_> = groups[first..].iter().take_while(holds).collect();
    let rows = held.iter().map(|group| group.num_rows().cast_unsigned()).fold(0, u64::saturating_add);
    let place = first as u64..(first + held.len()) as u64;
    Ok(Section { case, slots, place, size: rows.saturating_mul(ROW) })
}

/// The least and the greatest number in a column of a group, if the group tells.
fn extremes(group: &RowGroupMetaData, column: usize) -> Option<(u32, u32)> {
    let Statistics::Int32(numbers) = group.column(column).statistics()? else { return None };
    Some((numbers.min_opt()?.cast_unsigned(), numbers.max_opt()?.cast_unsigned()))
}

#[expect(unreachable_pub, reason = "the table is declared like all others")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        column::Cell,
        number::Number,
        table::{self, table},
        trades::TradeRow,
    };
    use microgrid_agents::{ids::ChannelName, market::role::Role, statement::Outcome};
    use serde::Serialize;

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
                time: (slot % 2 > 0).then(|| format!("2016-06-01T00:{:02}:00+02:00", slot % 60)),
                buyer_name: None,
                seller_name: Some("Überlingen 7".to_owned()),
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
        table.unite(1..=parts.len() as u32, parts.len() as u32).unwrap();
        folder
    }

    #[test]
    fn groups_are_bounded_and_end_with_their_case() {
        let group = Parts::<TradeRow>::GROUP as u32;
        let folder = table(&[(0, 5), (5, group + 7), (group + 7, group + 7), (group + 7, group + 9)]);
        let file = File::open(folder.path().join("trades.parquet")).unwrap();
        let groups = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        let groups: Vec<_> = groups.row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(groups, [5, i64::from(group), 2, 2]);
        let read: Vec<TradeRow> = read(folder.path(), None).unwrap().map(Result::unwrap).collect();
        assert!(read.into_iter().eq(rows((0, group + 9))));
    }

    #[test]
    fn the_only_part_of_a_study_becomes_the_table_and_stays_it() {
        let folder = table(&[(0, 1000)]);
        let mut table = Parts::<TradeRow>::reopen(folder.path(), 1..=1).unwrap();
        table.unite(1..=1, 1).unwrap();
        let read: Vec<TradeRow> = read(folder.path(), None).unwrap().map(Result::unwrap).collect();
        assert!(read.into_iter().eq(rows((0, 1000))));
    }

    #[test]
    fn a_table_without_rows_is_a_table() {
        let folder = table(&[]);
        assert_eq!(read::<TradeRow>(folder.path(), None).unwrap().count(), 0);
    }

    #[test]
    fn a_table_that_has_lost_a_part_does_not_go_on() {
        let folder = table(&[(0, 1), (1, 2)]);
        assert!(Parts::<TradeRow>::reopen(folder.path(), 1..=2).is_ok());
        fs::remove_file(folder.path().join("trades.parts/1.parquet")).unwrap();
        let error = Parts::<TradeRow>::reopen(folder.path(), 1..=2).unwrap_err();
        assert!(matches!(error, RecordError::File { action: "open", .. }), "{error}");
    }

    #[test]
    fn a_table_of_other_columns_is_not_read() {
        let folder = table(&[(0, 1)]);
        fs::rename(folder.path().join("trades.parquet"), folder.path().join("prosumers.parquet")).unwrap();
        let wrong = read::<crate::ProsumerRow>(folder.path(), None).map(drop);
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
            time: None,
            buyer_name: (buyer > 1).then(|| "李".to_owned()),
            seller_name: None,
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
            table::read(folder.path(), Some(&section)).unwrap().map(Result::unwrap).collect()
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
        table.unite(1..=3, 3).unwrap();
        let find = |case, slots| section::<TradeRow>(folder.path(), case, slots).unwrap();
        agree(|case, slots| read(folder.path(), Some(&find(case, slots))).unwrap().map(Result::unwrap).collect());
        assert_eq!(find(2, 2..=3).place, 1..2);
        assert_eq!(find(2, 6..=6).place.clone().count(), 0);
    }

    table! {
        /// A cell of every kind.
        EveryKind in "every" {
            /// A number up to 2^32.
            small: u32,
            /// A number up to 2^64.
            large: u64,
            /// A number.
            number: Number,
            /// A number that may be undefined.
            optional: Option<Number>,
            /// A name.
            role: Role,
            /// A name.
            outcome: Outcome,
            /// A name.
            channel: ChannelName,
            /// A name that may be any.
            any: String,
        }
    }

    #[test]
    fn every_kind_of_cell_is_read_back_as_it_was_written() {
        let number = |value| Number::new(value).unwrap();
        let row = |small, large, value, role, outcome, channel| EveryKind {
            small,
            large,
            number: number(value),
            optional: (value > 0.0).then(|| number(value)),
            role,
            outcome,
            channel,
            any: format!("{outcome:?}"),
        };
        let rows = [
            row(0, 0, 0.0, Role::Buyer, Outcome::Equilibrium, ChannelName::Trade),
            row(u32::MAX, u64::MAX, 0.1 + 0.2, Role::Seller, Outcome::GateClosure, ChannelName::Information),
            row(1 << 31, 1 << 63, -2.5e-8, Role::Idle, Outcome::Cleared, ChannelName::Energy),
        ];
        let folder = tempfile::tempdir().unwrap();
        let mut table = Parts::create(folder.path()).unwrap();
        table.append(rows.clone()).unwrap();
        table.unite(RangeInclusive::new(1, 0), 1).unwrap();
        let read: Vec<EveryKind> = read(folder.path(), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn names_are_those_of_csv() {
        fn written<C: Cell + Serialize + Copy>(name: C) {
            assert_eq!(serde_json::to_value(name).unwrap(), serde_json::to_value::<Value>(name.into()).unwrap());
        }
        [Role::Buyer, Role::Seller, Role::Idle].into_iter().for_each(written);
        Outcome::ALL.into_iter().for_each(written);
        ChannelName::ALL.into_iter().for_each(written);
    }
}
