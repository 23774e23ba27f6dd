//! Parts of tables: the rows of some slots of a case, found without reading all that comes before them.
//!
//! Rows are sorted by case and slot. In a CSV file the first row of a slot is found by bisection; a Parquet file tells
//! for each of its groups which slots are in it.

use super::{
    ages::AgeRow,
    convergence::ConvergenceRow,
    error::RecordError,
    parquet_parts,
    prosumers::ProsumerRow,
    table::{self, Rows, Section, SlotTable},
    trades::TradeRow,
};
use microgrid_agents::ids::Slot;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::{Range, RangeInclusive},
    path::Path,
};

macro_rules! slot_tables {
    ($($row:ty),+) => {
        $(impl SlotTable for $row {
            fn place(&self) -> (u32, Slot) {
                (self.case, self.slot)
            }
        })+
    };
}
slot_tables!(AgeRow, ProsumerRow, TradeRow, ConvergenceRow);

/// Finds the rows of these slots of a case in a table that is CSV.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn of_csv<R: SlotTable>(
    folder: &Path,
    case: u32,
    slots: RangeInclusive<Slot>,
) -> Result<Section, RecordError> {
    let path = folder.join(R::FILE);
    let find = || {
        let mut file = BufReader::with_capacity(1 << 12, File::open(&path)?);
        let length = file.get_ref().metadata()?.len();
        let from = bisect(&mut file, 0..length, (case, *slots.start()))?;
        let to = bisect(&mut file, from..length, (case, slots.end().saturating_add(1)))?;
        Ok(from..to)
    };
    let place = find().map_err(RecordError::file("read", &path))?;
    Ok(Section { case, slots, size: place.end - place.start, place })
}

/// Case and slot of a row.
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

/// The first line that begins at `position` or behind it: where, and its case and slot, which a header does not have.
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
    let mut cells = text.split(',').map(|cell| cell.trim_end().parse().ok());
    Ok((begin, Some(cells.next().flatten().zip(cells.next().flatten()))))
}

/// Reads the rows of a section of a CSV file.
///
/// # Errors
/// If the file cannot be read; each row by itself if it is not of this table.
pub(super) fn read_csv<R: SlotTable>(folder: &Path, section: &Section) -> Result<Rows<R>, RecordError> {
    let path = folder.join(R::FILE);
    let open = || {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(section.place.start))?;
        Ok(file.take(section.size))
    };
    let part = open().map_err(RecordError::file("read", &path))?;
    Ok(Box::new(table::rows(part, path)))
}

/// Reads the rows of a section of a Parquet file.
///
/// # Errors
/// If the file cannot be read or has other columns; each row by itself if it is not of this table.
pub(super) fn read_parquet<R: SlotTable>(folder: &Path, section: &Section) -> Result<Rows<R>, RecordError> {
    let Section { case, slots, place, .. } = section.clone();
    let inside = move |row: &R| {
        let (of, slot) = row.place();
        of == case && slots.contains(&slot)
    };
    let rows = parquet_parts::read_groups::<R>(folder, place)?;
    Ok(Box::new(rows.filter(move |row| row.as_ref().map_or(true, &inside))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{number::Number, parquet_parts::Parts, table::Table};

    /// Rows of three cases, each with the slots 2, 3 and 5, of very different length.
    fn rows() -> Vec<TradeRow> {
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
                let expected: Vec<_> = rows().into_iter().filter(wanted).collect();
                assert_eq!(section(case, first..=last), expected, "slots {first} to {last} of case {case}");
            }
        }
    }

    #[test]
    fn a_section_of_a_csv_file_is_found_without_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table::create(folder.path()).unwrap();
        table.append(rows()).unwrap();
        table.flush().unwrap();
        agree(|case, slots| {
            let section = of_csv::<TradeRow>(folder.path(), case, slots).unwrap();
            read_csv(folder.path(), &section).unwrap().map(Result::unwrap).collect()
        });
    }

    #[test]
    fn a_section_of_a_parquet_file_is_found_by_what_its_groups_say() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Parts::create(folder.path()).unwrap();
        for case in 1..=3 {
            table.append(rows().into_iter().filter(|row| row.case == case)).unwrap();
            table.end_case(case).unwrap();
        }
        table.unite(3, 3).unwrap();
        let find = |case, slots| parquet_parts::section::<TradeRow>(folder.path(), case, slots).unwrap();
        agree(|case, slots| read_parquet(folder.path(), &find(case, slots)).unwrap().map(Result::unwrap).collect());
        assert_eq!(find(2, 2..=3).place, 1..2);
        assert_eq!(find(2, 6..=6).place.clone().count(), 0);
    }
}
