//! Tables of others: any separator and decimal sign, columns found by their names, mistakes told with their place.

use crate::decimal::Decimal;
use csv::{ReaderBuilder, StringRecord, Trim};
use microgrid_scenario::{
    LARGEST_DATA, LARGEST_VALUE, Report, ScenarioError, TextFile, composed, did_you_mean, mend_cell,
};
use std::{ops::Range, path::Path};

/// How cells and numbers are written.
#[derive(Clone, Copy, Debug)]
pub struct Notation {
    /// The letter between cells.
    pub separator: char,
    /// Whether a comma stands before the decimals, and not a point.
    pub decimal_comma: bool,
}

impl Default for Notation {
    /// A comma between cells, a point before decimals.
    fn default() -> Self {
        Self { separator: ',', decimal_comma: false }
    }
}

/// How a table begins.
const HEADER: &str = "a table begins with a line of the names of its columns";

const OPEN_QUOTE: &str = "a quote that opens in this row is not closed in it";

/// Reads a text file of any size that data may have.
pub(crate) fn read(path: &Path) -> Result<TextFile, ScenarioError> {
    TextFile::read(path, LARGEST_DATA)?.map_err(|why| {
        let problem = format!("cannot read {}: {why}", path.display());
        ScenarioError::Unreadable(Report::unplaced(problem, []))
    })
}

/// The name of a file without its ending, composed as the text of files is.
pub(crate) fn stem(path: &Path) -> String {
    composed(&path.file_stem().unwrap_or_default().to_string_lossy()).into_owned()
}

/// A table of a file, with the names of its columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) file: TextFile,
    pub(crate) columns: Vec<String>,
    notation: Notation,
    /// Whether it is declared how cells and numbers are written; otherwise the format says so.
    is_declared: bool,
    /// Where the header begins [bytes].
    header: usize,
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) table: &'a Table,
    cells: StringRecord,
    /// Where it begins in the file [bytes].
    start: usize,
}

impl Table {
    /// The table in a file that is written as was declared. Fails if it has no header, or two columns of one name.
    pub(crate) fn declared(file: TextFile, notation: Notation) -> Result<Self, ScenarioError> {
        Self::read(file, notation, true)
    }

    /// The same of a file that is written as its format says, with this letter between cells.
    pub(crate) fn of(file: TextFile, separator: char) -> Result<Self, ScenarioError> {
        Self::read(file, Notation { separator, decimal_comma: false }, false)
    }

    fn read(file: TextFile, notation: Notation, is_declared: bool) -> Result<Self, ScenarioError> {
        let header = file.text.len() - file.text.trim_start_matches(['\r', '\n']).len();
        let columns = reader(&file.text, notation).headers().cloned().unwrap_or_default();
        let columns: Vec<String> = columns.iter().map(str::to_owned).collect();
        let table = Self { file, columns, notation, is_declared, header };
        if table.file.text.trim().is_empty() {
            return Err(table.wrong("the file is empty", header..header, "nothing here", [HEADER.to_owned()]));
        }
        let line = &table.file.text[table.file.line(header)];
        if table.columns.len() == 1
            && let Some(other) = [';', ',', '\t', '|'].into_iter().find(|other| line.contains(*other))
        {
            let problem = format!("cells are separated by `{other}`, and not by `{}`", notation.separator);
            let mend = match is_declared {
                true => format!("allowed: `--separator '{other}'`, for a table like this"),
                false => format!("the format has `{}` between cells: save the table so", notation.separator),
            };
            return Err(table.wrong(problem, table.file.line(header), "in this header", [mend]));
        }
        for (n, name) in table.columns.iter().enumerate() {
            if name.contains('\n') {
                return Err(table.at_column(n, OPEN_QUOTE, ["close it, or take it out".to_owned()]));
            }
            if !name.is_empty() && table.columns[..n].contains(name) {
                let mend = "columns have names of their own: rename one".to_owned();
                return Err(table.at_column(n, format!("the column `{name}` is there twice"), [mend]));
            }
        }
        Ok(table)
    }

    /// The place of the column that has to be there.
    pub(crate) fn column(&self, name: &str) -> Result<usize, ScenarioError> {
        self.find(name).ok_or_else(|| {
            let known = self.columns.iter().map(String::as_str);
            let capitals = known.clone().find(|known| known.to_lowercase() == name.to_lowercase());
            let capitals = capitals.map(|known| format!("`{known}` differs in capitals only: write it so"));
            let meant = capitals.or_else(|| did_you_mean(name, known.clone()));
            let most = 20;
            let more = if self.columns.len() > most { ", ..." } else { "" };
            let there = format!("columns: {}{more}", known.take(most).collect::<Vec<_>>().join(", "));
            let problem = format!("the column `{name}` is missing");
            let header = self.file.line(self.header);
            self.wrong(problem, header, "in this header", meant.into_iter().chain([there]))
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// What is wrong with the name of a column.
    pub(crate) fn at_column(
        &self,
        n: usize,
        problem: impl Into<String>,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        let span = self.file.cell(self.header, n, self.notation.separator);
        self.wrong(problem, span, "in this header", notes)
    }

    /// What is wrong behind the last row.
    pub(crate) fn at_end(&self, problem: impl Into<String>, notes: impl IntoIterator<Item = String>) -> ScenarioError {
        let end = self.file.text.len();
        self.wrong(problem, end..end, "the file ends here", notes)
    }

    fn wrong(
        &self,
        problem: impl Into<String>,
        span: Range<usize>,
        found: &str,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        ScenarioError::Data(self.file.report(problem.into(), span, found.to_owned(), notes))
    }

    /// All rows but blank ones; each has as many cells as the header.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, ScenarioError>> {
        // Text that is UTF-8, with any number of cells a row, cannot fail to be a CSV record.
        let records = reader(&self.file.text, self.notation).into_records();
        let records = records.map(|record| record.expect("text is read from memory and rows may have any length"));
        records.filter(|cells| cells.iter().any(|cell| !cell.is_empty())).map(|cells| {
            let byte = cells.position().map_or(0, |position| position.byte() as usize);
            let rest = &self.file.text[byte..];
            let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            if cells.len() != self.columns.len() {
                let (has, due) = (cells.len(), self.columns.len());
                let problem =
                    format!("the row has {has} cell{}, the header has {due}", if has == 1 { "" } else { "s" });
                let is_open = self.file.text[self.file.line(start)].matches('"').count() % 2 == 1;
                let between = self.notation.separator;
                let mend = match is_open {
                    true => OPEN_QUOTE.to_owned(),
                    false => format!("a row has a cell for each column, with `{between}` between them"),
                };
                return Err(self.wrong(problem, self.file.line(start), "in this row", [mend]));
            }
            let row = Row { table: self, cells, start };
            // What is longer than its line goes on in the next.
            let line = self.file.line(start);
            match row.cells.as_slice().len() + row.cells.len() - 1 > line.len() {
                true => Err(self.wrong(OPEN_QUOTE, line, "in this row", ["close it, or take it out".to_owned()])),
                false => Ok(row),
            }
        })
    }
}

impl Row<'_> {
    pub(crate) fn text(&self, n: usize) -> &str {
        &self.cells[n]
    }

    /// The number in cell `n`, which may not be below zero.
    pub(crate) fn positive(&self, n: usize) -> Result<Decimal, ScenarioError> {
        let number = self.number(n)?;
        if number.is_negative() {
            return Err(self.wrong(n, "below zero", ["allowed: 0 or more".to_owned()]));
        }
        Ok(number)
    }

    /// The number in cell `n`.
    pub(crate) fn number(&self, n: usize) -> Result<Decimal, ScenarioError> {
        let text = self.text(n);
        let comma = self.table.notation.decimal_comma;
        let read = |text: &str| {
            let is_other = comma && text.contains('.');
            let plain = if comma { text.replace(',', ".") } else { text.to_owned() };
            Decimal::parse(&plain).filter(|_| !is_other)
        };
        read(text).ok_or_else(|| {
            let other = text.replace([',', '.'], if comma { "," } else { "." });
            let is_other = other != text && read(&other).is_some();
            let parted = [comma, !comma].into_iter().find_map(|comma| without_thousands(text, comma));
            let parted = parted.map(|number| {
                let number = if self.table.is_declared { number } else { number.replace(',', ".") };
                format!("thousands are not parted here: write {number}, or save the table without thousands separators")
            });
            let is_other = is_other
                || self.table.is_declared && without_thousands(text, !comma).is_some() && text.contains(['.', ',']);
            let mend = match (self.table.is_declared, comma) {
                (true, true) => "decimals are written otherwise in this table: `--decimal point`".to_owned(),
                (true, false) => "decimals are written otherwise in this table: `--decimal comma`".to_owned(),
                (false, _) => format!("the format has points before decimals: write {other}"),
            };
            let meant = || mend_cell(text, &self.table.columns[n], |meant| read(meant).is_some());
            let mend = is_other.then_some(mend).or_else(|| parted.is_none().then(meant).flatten());
            self.wrong(
                n,
                "not a number",
                parted.into_iter().chain(mend).chain(["allowed: a number of digits".to_owned()]),
            )
        })
    }

    /// The same, which a profile of a scenario may have, in kWh or kW.
    pub(crate) fn energy(&self, n: usize) -> Result<Decimal, ScenarioError> {
        let number = self.positive(n)?;
        match number.value() <= LARGEST_VALUE {
            true => Ok(number),
            false => Err(self.too_much(n, number)),
        }
    }

    /// An error about more energy or power than a profile of a scenario may have.
    pub(crate) fn too_much(&self, n: usize, number: Decimal) -> ScenarioError {
        let mend = "a slot has at most so much; is the column in another unit, or the number an error of the meter?";
        let allowed = format!("allowed: 0 to {LARGEST_VALUE} kWh or kW");
        self.wrong(n, format!("{number} is more than a scenario may have"), [allowed, mend.to_owned()])
    }

    /// What is wrong with cell `n`.
    pub(crate) fn wrong(
        &self,
        n: usize,
        problem: impl AsRef<str>,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        let table = self.table;
        let span = table.file.cell(self.start, n, table.notation.separator);
        let found = match &table.file.text[span.clone()] {
            "" => "nothing here".to_owned(),
            cell => format!("found {cell}"),
        };
        let problem = format!("{}: {}", table.columns[n], problem.as_ref());
        ScenarioError::Data(table.file.report(problem, span, found, notes))
    }
}

/// The number without what parts its thousands, if it has such: groups of three digits before the decimals.
fn without_thousands(text: &str, comma: bool) -> Option<String> {
    let (whole, decimals) = text.split_at(text.rfind(if comma { ',' } else { '.' }).unwrap_or(text.len()));
    let groups: Vec<&str> = whole.split(|c: char| c.is_whitespace() || ".,'’".contains(c)).collect();
    let fits = |(n, group): (usize, &&str)| {
        let digits = if n == 0 { group.trim_start_matches(['-', '+']) } else { group };
        digits.bytes().all(|c| c.is_ascii_digit()) && (if n == 0 { 1..=3 } else { 3..=3 }).contains(&digits.len())
    };
    (groups.len() > 1 && groups.iter().enumerate().all(fits)).then(|| groups.concat() + decimals)
}

fn reader(text: &str, notation: Notation) -> csv::Reader<&[u8]> {
    let separator = u8::try_from(notation.separator).unwrap_or(b',');
    ReaderBuilder::new().delimiter(separator).trim(Trim::All).flexible(true).from_reader(text.as_bytes())
}
