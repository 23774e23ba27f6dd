//! Reads CSV tables so that every mistake can be shown in its cell.

use super::{
    error::{Report, ScenarioError, did_you_mean},
    text_file::TextFile,
};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::ops::Range;

/// A table of a file, with the names of its columns.
#[derive(Debug)]
pub(super) struct Table<'a> {
    file: &'a TextFile,
    columns: StringRecord,
    header: Range<usize>,
}

/// A row of a table.
#[derive(Debug)]
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    cells: StringRecord,
    /// Where the row begins in the file [bytes].
    pub(super) start: usize,
}

impl<'a> Table<'a> {
    /// The table in `file`, whose columns are to be `required`, perhaps some of `optional`, and no others.
    pub(super) fn of(file: &'a TextFile, required: &[&str], optional: &[&str]) -> Result<Self, ScenarioError> {
        let text = &file.text;
        let start = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let columns = reader(text).headers().cloned().unwrap_or_default();
        let table = Self { file, columns, header: line_at(text, start) };
        let wanted = format!("columns: {}", [required, optional].concat().join(", "));
        if text.trim().is_empty() {
            return Err(table.wrong_header("the file is empty".to_owned(), start..start, vec![wanted]));
        }
        for (n, name) in table.columns.iter().enumerate() {
            let known = || required.iter().chain(optional).copied();
            let span = table.cell(start, n);
            if !known().any(|known| known == name) {
                let notes = did_you_mean(name, known()).into_iter().chain([wanted]).collect();
                return Err(table.wrong_header(format!("there is no column `{name}`"), span, notes));
            }
            if table.columns.iter().take(n).any(|other| other == name) {
                return Err(table.wrong_header(format!("the column `{name}` is there twice"), span, vec![wanted]));
            }
        }
        match required.iter().find(|name| !table.has(name)) {
            Some(name) => {
                let header = table.header.clone();
                Err(table.wrong_header(format!("the column `{name}` is missing"), header, vec![wanted]))
            }
            None => Ok(table),
        }
    }

    /// Whether there is a column of this name.
    pub(super) fn has(&self, column: &str) -> bool {
        self.position(column).is_some()
    }

    /// The rows, in the order of the file.
    pub(super) fn rows(&'a self) -> impl Iterator<Item = Result<Row<'a>, ScenarioError>> {
        reader(&self.file.text).into_records().map(|record| {
            // Text that is UTF-8, with any number of cells a row, cannot fail to be a CSV record.
            let cells = record.expect("text is read from memory and rows may have any length");
            let byte = cells.position().map_or(0, |position| position.byte() as usize);
            let rest = &self.file.text[byte..];
            let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            if cells.len() != self.columns.len() {
                let problem = format!("the row has {} cells, the header has {}", cells.len(), self.columns.len());
                let line = line_at(&self.file.text, start);
                return Err(ScenarioError::Data(self.file.report(problem, line, "in this row".to_owned(), [])));
            }
            Ok(Row { table: self, cells, start })
        })
    }

    /// A report about the cell of `column` in the row that begins at byte `start`.
    pub(super) fn report(&self, start: usize, column: &str, problem: &str, allowed: String) -> ScenarioError {
        let span = self.position(column).map_or_else(|| line_at(&self.file.text, start), |n| self.cell(start, n));
        let found = format!("found {}", &self.file.text[span.clone()]);
        ScenarioError::Data(self.file.report(format!("{column}: {problem}"), span, found, [allowed]))
    }

    /// A report about the cell of `column` in the header, or about the header where it has no such column.
    pub(super) fn report_column(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        let span = self.position(column).map_or_else(|| self.header.clone(), |n| self.cell(self.header.start, n));
        self.wrong_header(format!("{column}: {problem}"), span, vec![allowed])
    }

    fn wrong_header(&self, problem: String, span: Range<usize>, notes: Vec<String>) -> ScenarioError {
        let found = if span.is_empty() { "nothing here" } else { "in this header" };
        let report: Box<Report> = self.file.report(problem, span, found.to_owned(), notes);
        ScenarioError::Data(report)
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Where cell `n` stands of the row that begins at byte `start`; the whole row where cells are quoted.
    fn cell(&self, start: usize, n: usize) -> Range<usize> {
        let line = line_at(&self.file.text, start);
        let text = &self.file.text[line.clone()];
        if text.contains('"') {
            return line;
        }
        let before = text.split(',').take(n).map(|cell| cell.len() + 1).sum::<usize>();
        let cell = text.split(',').nth(n).unwrap_or_default();
        let start = line.start + before + cell.len() - cell.trim_start().len();
        start..start + cell.trim().len()
    }
}

impl Row<'_> {
    /// The number in `column`: from `smallest` up, and no larger than `largest`.
    pub(super) fn number(&self, column: &str, smallest: f64, largest: f64) -> Result<f64, ScenarioError> {
        match self.text(column).parse() {
            Ok(number) if (smallest..=largest).contains(&number) => Ok(number),
            _ => Err(self.report(column, "not allowed", format!("allowed: a number from {smallest} to {largest}"))),
        }
    }

    /// The whole number in `column`, from 1 to `largest`.
    pub(super) fn whole(&self, column: &str, largest: u32) -> Result<u32, ScenarioError> {
        match self.text(column).parse() {
            Ok(number) if (1..=largest).contains(&number) => Ok(number),
            _ => Err(self.report(column, "not allowed", format!("allowed: a whole number from 1 to {largest}"))),
        }
    }

    /// A report about the cell of `column` in this row.
    pub(super) fn report(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.table.report(self.start, column, problem, allowed)
    }

    fn text(&self, column: &str) -> &str {
        self.table.position(column).and_then(|n| self.cells.get(n)).unwrap_or_default()
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes())
}

/// The line that begins at byte `start`.
fn line_at(text: &str, start: usize) -> Range<usize> {
    let line = text[start..].lines().next().unwrap_or_default();
    start..start + line.len()
}
