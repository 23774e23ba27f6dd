//! Tables in CSV files, with the place of each cell.

use crate::{
    error::{ScenarioError, most_like},
    mend::mend_cell,
    population::LARGEST_ENERGY,
    signs::looks_alike,
    text::{TextFile, line_at},
};
use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::{Timestamp, civil::DateTime};
use microgrid_agents::units::Energy;
use std::{ops::Range, str::FromStr};

/// A table of a file, with the names of its columns.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) file: &'a TextFile,
    columns: StringRecord,
    header: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    cells: StringRecord,
    /// Where the row begins in the file [bytes].
    pub(super) start: usize,
}

impl<'a> Table<'a> {
    /// Names of the columns of the table in `file`.
    pub(super) fn names(file: &TextFile) -> Vec<String> {
        reader(&file.text).headers().map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The table in `file`, one of whose columns is to be `required`; the others are as many as there are.
    pub(super) fn wide(file: &'a TextFile, required: &str) -> Result<Self, ScenarioError> {
        let wanted = format!("columns: {required}, and one for each profile, called by its name");
        let table = Self::with_header(file, &wanted, 2)?;
        let wrong = |problem: String, span: Range<usize>| table.wrong(problem, span, Vec::new(), &wanted);
        for (n, name) in table.columns.iter().enumerate() {
            let problem = match name {
                "" => format!("column {} has no name", n + 1),
                name if table.columns.iter().take(n).any(|other| other == name) => {
                    format!("the column `{name}` is there twice")
                }
                _ => continue,
            };
            return wrong(problem, table.cell(table.header.start, n));
        }
        match table.position(required) {
            None => wrong(format!("the column `{required}` is missing"), table.header.clone()),
            Some(_) => Ok(table),
        }
    }

    /// The table in `file`, which has a header of so many columns at least.
    fn with_header(file: &'a TextFile, wanted: &str, count: usize) -> Result<Self, ScenarioError> {
        let text = &file.text;
        let start = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let columns = reader(text).headers().cloned().unwrap_or_default();
        let table = Self { file, columns, header: line_at(text, start) };
        if text.trim().is_empty() {
            return table.wrong("the file is empty".to_owned(), start..start, Vec::new(), wanted);
        }
        if let Some(n) = table.columns.iter().position(|name| name.contains('\n')) {
            return table.wrong(OPEN_QUOTE.to_owned(), table.cell(start, n), Vec::new(), wanted);
        }
        if let Some((problem, mend)) = no_header(&text[table.header.clone()], count) {
            let (found, notes) = ("in the first line".to_owned(), [mend.to_owned(), wanted.to_owned()]);
            return Err(ScenarioError::Data(file.report(problem.to_owned(), table.header, found, notes)));
        }
        Ok(table)
    }

    /// An error about its header.
    fn wrong<T>(
        &self,
        problem: String,
        span: Range<usize>,
        hints: Vec<String>,
        wanted: &str,
    ) -> Result<T, ScenarioError> {
        let found = if span.is_empty() { "nothing here" } else { "in this header" };
        let notes = hints.into_iter().chain([wanted.to_owned()]);
        Err(ScenarioError::Data(self.file.report(problem, span, found.to_owned(), notes)))
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter()
    }

    /// The table in `file`, whose columns are to be `required`, perhaps some of `optional`, and no others.
    pub(super) fn of(file: &'a TextFile, required: &[&str], optional: &[&str]) -> Result<Self, ScenarioError> {
        let known = || required.iter().chain(optional).copied();
        let wanted = format!("columns: {}", known().collect::<Vec<_>>().join(", "));
        let table = Self::with_header(file, &wanted, required.len())?;
        let start = table.header.start;
        let wrong =
            |problem: String, span: Range<usize>, hints: Vec<String>| table.wrong(problem, span, hints, &wanted);
        if let Some(hints) = table.made_long(required, optional) {
            let problem = "the table is wide: it has a column for each prosumer or for each slot".to_owned();
            return wrong(problem, table.header.clone(), hints);
        }
        for (n, name) in table.columns.iter().enumerate() {
            if !known().any(|known| known == name) {
                let meant = table.meant(n, &known().collect::<Vec<_>>());
                let hints = looks_alike(name).into_iter().chain(meant).collect();
                let problem = match name.trim() {
                    "" => format!("column {} has no name", n + 1),
                    name => format!("there is no column `{name}`"),
                };
                return wrong(problem, table.cell(start, n), hints);
            }
            if table.columns.iter().take(n).any(|other| other == name) {
                return wrong(format!("the column `{name}` is there twice"), table.cell(start, n), Vec::new());
            }
        }
        match required.iter().find(|name| table.position(name).is_none()) {
            Some(name) => wrong(format!("the column `{name}` is missing"), table.header.clone(), Vec::new()),
            None => Ok(table),
        }
    }

    /// How the table becomes one of the `required` columns if it is wide: if it has more others than there are, or several
    /// that are the same but for their digits.
    pub(super) fn made_long(&self, required: &[&str], optional: &[&str]) -> Option<Vec<String>> {
        let has = |name: &&str| self.position(name).is_some();
        let others = self.columns.iter().filter(|name| !required.contains(name) && !optional.contains(name));
        let mut kinds: Vec<String> = others.map(|name| name.replace(|c: char| c.is_ascii_digit(), "#")).collect();
        let many = kinds.len() > required.len() + optional.len();
        kinds.retain(|kind| kind.contains('#'));
        kinds.iter_mut().for_each(|kind| {
            while kind.contains("##") {
                *kind = kind.replace("##", "#")
            }
        });
        kinds.sort();
        if required.iter().all(has) || !many && kinds.windows(2).all(|two| two[0] != two[1]) {
            return None;
        }
        let (keys, values): (Vec<&str>, Vec<&str>) =
            required.iter().partition(|name| ["prosumer", "slot"].contains(*name));
        let long = format!("a table is long: it has a row for each {}", keys.join(" and "));
        let mut several = kinds.clone();
        several.dedup();
        several.retain(|kind| kinds.iter().filter(|other| *other == kind).count() > 1);
        if several.len() > 1 {
            let kinds = several.join("`, `");
            let each = format!("its columns are of {} kinds, `{kinds}`: of each becomes one column", several.len());
            return Some(vec![long, each]);
        }
        let id = keys.iter().find(|key| has(key)).or(keys.get(1)).copied();
        let variable = keys.iter().find(|key| Some(**key) != id)?;
        let values: Vec<&str> = values.into_iter().filter(|value| !has(value)).collect();
        let (value, rest) = values.split_first()?;
        let id_name = id.filter(|id| !has(id)).map(|id| (&self.columns[0], id));
        let renamed = id_name.map(|(now, id)| format!(".rename(columns={{\"{now}\": \"{id}\"}})"));
        let id = id.map_or_else(String::new, |id| format!("\"{id}\", "));
        let melted = format!(
            "with pandas: `wide{}.melt({id}var_name=\"{variable}\", value_name=\"{value}\")`",
            renamed.unwrap_or_default()
        );
        let others = rest.iter().map(|other| format!("the same with {other}, and then `merge` puts them side by side"));
        let is_number = |name: &&str| name.chars().all(|c| c.is_ascii_digit());
        let mut names = self.columns.iter().skip(1).filter(|name| !has(name) && !is_number(name));
        let number = |name| format!("what `{name}` and the others become is each a number, the {variable}, from 1 on");
        let numbers = names.next().map(number);
        Some([long, melted].into_iter().chain(numbers).chain(others).collect())
    }

    /// Which of the `known` columns the one at place `n` may be that is called otherwise: one that the header does not have,
    /// the most similar or, if none is, the one at its place.
    pub(super) fn meant(&self, n: usize, known: &[&str]) -> Vec<String> {
        let name = &self.columns[n];
        if n == 0 && self.columns.len() > 1 && ["", "index", "Unnamed: 0", "X"].contains(&name) {
            let mend = "the index of pandas, or R's names of rows, is no column: write the table with \
                        `to_csv(.., index=False)` or `write.csv(.., row.names = FALSE)`";
            return vec![mend.to_owned()];
        }
        if name.is_empty() {
            return vec!["a column has a name, and a line does not end in a comma".to_owned()];
        }
        let missing = || known.iter().copied().filter(|known| self.position(known).is_none());
        let at_its_place = || known.get(n).copied().filter(|there| missing().any(|known| known == *there));
        let like = most_like(name, missing());
        let Some(meant) = like.or_else(at_its_place) else {
            return vec!["a table has no other columns: take it out".to_owned()];
        };
        let unlike = like.is_none().then(|| "if not, take it out: a table has no other columns".to_owned());
        let name = name.to_lowercase();
        let unit = name.trim_end_matches([')', ']']).rsplit([' ', '_', '(', '[']).next().unwrap_or_default();
        let other_unit = meant.ends_with("_kwh") && ["w", "kw", "mw", "wh", "mwh"].contains(&unit);
        let units = other_unit.then(|| "its unit is kWh in the slot: power [kW] times the slot's hours".to_owned());
        [format!("did you mean `{meant}`?")].into_iter().chain(units).chain(unlike).collect()
    }

    pub(super) fn rows(&'a self) -> impl Iterator<Item = Result<Row<'a>, ScenarioError>> {
        // Text that is UTF-8, with any number of cells a row, cannot fail to be a CSV record.
        let records = reader(&self.file.text).into_records();
        let records = records.map(|record| record.expect("text is read from memory and rows may have any length"));
        // A line of blanks is as good as one of nothing.
        records.filter(|cells| cells.len() > 1 || !cells[0].is_empty()).map(|cells| {
            let byte = cells.position().map_or(0, |position| position.byte() as usize);
            let rest = &self.file.text[byte..];
            let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            let wrong = |problem: String, mend: &str| {
                let (line, found) = (line_at(&self.file.text, start), "in this row".to_owned());
                Err(ScenarioError::Data(self.file.report(problem, line, found, [mend.to_owned()])))
            };
            if cells.iter().all(str::is_empty) {
                return wrong("the row is empty".to_owned(), "take it out");
            }
            if cells == self.columns {
                return wrong("the header is there twice".to_owned(), "take it out here");
            }
            if cells.len() != self.columns.len() {
                let plural = if cells.len() == 1 { "" } else { "s" };
                let problem =
                    format!("the row has {} cell{plural}, the header has {}", cells.len(), self.columns.len());
                let line = &self.file.text[line_at(&self.file.text, start)];
                return wrong(problem, mend_row(line, self.columns.len()));
            }
            // What is longer than its line goes on in the next.
            if cells.as_slice().len() + cells.len() - 1 > line_at(&self.file.text, start).len() {
                return wrong(OPEN_QUOTE.to_owned(), "close it, or take it out");
            }
            Ok(Row { table: self, cells, start })
        })
    }

    /// A report about the cell of `column` in the row that begins at byte `start`, or about the row if it has no such cell.
    pub(super) fn report(
        &self,
        start: usize,
        column: &str,
        problem: &str,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        let span = self.position(column).map_or_else(|| line_at(&self.file.text, start), |n| self.cell(start, n));
        let found = match &self.file.text[span.clone()] {
            _ if start == self.header.start => "in this header".to_owned(),
            "" => "nothing here".to_owned(),
            cell => format!("found {cell}"),
        };
        ScenarioError::Data(self.file.report(format!("{column}: {problem}"), span, found, notes))
    }

    /// The same of the header.
    pub(super) fn report_column(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.report(self.header.start, column, problem, [allowed])
    }

    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Where cell `n` stands of the row that begins at byte `start`.
    pub(super) fn cell(&self, start: usize, n: usize) -> Range<usize> {
        self.file.cell(start, n, ',')
    }
}

impl Row<'_> {
    /// The number in `column`: from `smallest` up, and no larger than `largest`.
    pub(super) fn number(&self, column: &str, smallest: f64, largest: f64) -> Result<f64, ScenarioError> {
        let allowed = || format!("a number from {smallest} to {largest}");
        self.read(column, |number| (smallest..=largest).contains(number), allowed)
    }

    /// The amount of energy in `column` [kWh].
    pub(super) fn energy(&self, column: &str) -> Result<Energy, ScenarioError> {
        // What is 0 when it is rounded to a whole amount is not negative.
        let fits = |number: &f64| *number <= LARGEST_ENERGY && Energy::nearest(*number) >= Energy::ZERO;
        self.read(column, fits, || format!("a number from 0 to {LARGEST_ENERGY}")).map(Energy::nearest)
    }

    /// The whole number in `column`, from 1 to `largest`.
    pub(super) fn whole(&self, column: &str, largest: u32) -> Result<u32, ScenarioError> {
        self.read(column, |number| (1..=largest).contains(number), || format!("a whole number from 1 to {largest}"))
    }

    pub(super) fn read<T: FromStr>(
        &self,
        column: &str,
        fits: impl Fn(&T) -> bool,
        allowed: impl Fn() -> String,
    ) -> Result<T, ScenarioError> {
        let text = self.text(column);
        let read = |text: &str| text.parse().ok().filter(&fits);
        read(text).ok_or_else(|| {
            let is_name = column == "prosumer" && !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit());
            let named = || "a prosumer is called by a number; rows of totals and of units are taken out".to_owned();
            let mend = mend_cell(text, column, |meant| read(meant).is_some()).or_else(|| is_name.then(named));
            self.table.report(
                self.start,
                column,
                "not allowed",
                mend.into_iter().chain([format!("allowed: {}", allowed())]),
            )
        })
    }

    pub(super) fn report(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.report_with(column, problem, [allowed])
    }

    pub(super) fn report_with(
        &self,
        column: &str,
        problem: &str,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        self.table.report(self.start, column, problem, notes)
    }

    /// The moment in `column`, by RFC 3339.
    pub(super) fn time(&self, column: &str) -> Result<Timestamp, ScenarioError> {
        let text = self.text(column);
        text.parse().map_err(|_| {
            let local = text.parse::<DateTime>().is_ok_and(|_| !text.is_empty());
            let mend = local.then(|| "a time has the offset of its clock from UTC, or a Z if it is that".to_owned());
            let allowed = "allowed: a time as RFC 3339 writes it, such as 2016-06-01T06:15:00+02:00".to_owned();
            self.report_with(column, "not allowed", mend.into_iter().chain([allowed]))
        })
    }

    pub(super) fn text(&self, column: &str) -> &str {
        self.table.position(column).and_then(|n| self.cells.get(n)).unwrap_or_default()
    }
}

/// Why a table's first line, where `count` columns are wanted, is no header in so many cells, with the mend.
pub(super) fn no_header(line: &str, count: usize) -> Option<(&'static str, &'static str)> {
    if line.trim().is_empty() {
        return Some(("the first line is no header", "it is blank: take it out"));
    }
    if is_quoted_whole(line) {
        return Some(("the header is a single cell", WHOLE));
    }
    let cells = || line.split(',').map(str::trim);
    if line.starts_with(['#', '/']) {
        return Some(("the first line is no header", "a table has no comments: take them out"));
    }
    let in_one = count > 1 && cells().count() == 1 && line.split_whitespace().count() == count;
    if line.starts_with("sep=")
        || in_one
        || (cells().count() < count || cells().count() == 1) && line.contains([';', '\t', '|'])
    {
        return Some(("cells are not separated by commas", "write commas between cells, and points within numbers"));
    }
    if !line.starts_with(['(', '[', '{', '<']) && !line.starts_with("Scenario") && cells().count() == 1 && count > 1 {
        return Some((
            "the first line is no header",
            "it is to have the names of the columns, with commas between them",
        ));
    }
    if line.starts_with("Scenario") || line.starts_with(['{', '<', '[', '(']) {
        return Some((
            "the file is no CSV table",
            "its first line is to have names of columns with commas between them",
        ));
    }
    let is_data = cells().all(|cell| cell.parse::<f64>().is_ok());
    is_data.then_some(("the header is missing", "put a line with the names of the columns before the numbers"))
}

const OPEN_QUOTE: &str = "a quote that opens in this row is not closed in it";

pub(super) const WHOLE: &str = "quotes stand around a cell, and not around a whole line: take them out";

/// Whether a line of several cells stands in quotes as if it were one.
pub(super) fn is_quoted_whole(line: &str) -> bool {
    let mut cells = reader(line);
    let cells = cells.headers().map(|cells| (cells.len(), cells[0].contains(',')));
    let is_closed = line.matches('"').count().is_multiple_of(2);
    is_closed && line.trim_start().starts_with('"') && cells.is_ok_and(|cells| cells == (1, true))
}

/// How a row is to be written that has not as many cells as its header.
pub(super) fn mend_row(line: &str, columns: usize) -> &'static str {
    let cells = line.split(',').count();
    if line.starts_with(['#', '/']) {
        "a table has no comments: take them out"
    } else if is_quoted_whole(line) {
        WHOLE
    } else if line.matches('"').count() % 2 == 1 {
        OPEN_QUOTE
    } else if line.contains([';', '\t', '|']) {
        "write commas between cells, and points within numbers"
    } else if line.contains(char::is_control) {
        "it has signs that are not seen: take them out"
    } else if line.trim_end().ends_with(',') && cells == columns + 1 {
        "a line does not end in a comma"
    } else if cells > columns {
        "a comma begins a new cell: numbers have a point, and nothing between their thousands"
    } else {
        "a row has a cell for each column, with commas between them"
    }
}

pub(super) fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes())
}
