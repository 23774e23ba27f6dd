//! Tables that fit a terminal, whatever stands in them.

use super::terminal::clean;
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, CellAlignment, Color, LineStyle, Table as Drawn, TableStyle, presets::NOTHING};
use std::{cmp::Reverse, fmt::Display};

/// So many characters side by side fit any terminal.
pub(super) const WIDTH: usize = 80;
const GAP: usize = 2;

/// A table with a line under its header, at most [`WIDTH`] wide: a line for each of its rows, a column for each of what
/// is told of them.
///
/// What is too wide loses its spare columns first; if that is not enough, it becomes several tables, one below the
/// other, each with the key columns. Headers are bold and cells in their tones; who prints decides whether that is seen.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: Vec<T>,
    columns: Vec<Column>,
}

/// A column: its header, what stands in it, and what becomes of it where the table is too wide.
#[derive(Clone, Debug)]
pub(super) struct Column {
    header: String,
    cells: Vec<Cell>,
    left: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Goes into another part where the table is too wide.
    Plain,
    /// Tells what a line is about; stands in every part.
    Key,
    /// Is left out where the table is too wide, those of the smallest rank first.
    Spare(u8),
}

/// A column of numbers, aligned to the right.
impl<T: Into<String>> From<T> for Column {
    fn from(header: T) -> Self {
        Self { header: clean(&header.into()), cells: Vec::new(), left: false, kind: Kind::Plain }
    }
}

/// A column of words, aligned to the left.
pub(super) fn words(header: impl Into<Column>) -> Column {
    Column { left: true, ..header.into() }
}

/// A column that tells what a line is about: stands in every part of a table that has to be divided.
pub(super) fn key(header: impl Into<Column>) -> Column {
    Column { kind: Kind::Key, ..header.into() }
}

/// A column that is left out where the table would be too wide, before any of a larger rank.
pub(super) fn spare(rank: u8, header: impl Into<Column>) -> Column {
    Column { kind: Kind::Spare(rank), ..header.into() }
}

/// What a cell says about a run, in colour where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    /// Something to look at.
    Caution,
    Bad,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

impl Cell {
    /// Its text in its tone, outside of any table.
    pub(super) fn shown(&self) -> String {
        let style = match self.tone {
            Tone::Plain => Style::new(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Caution => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
        };
        format!("{style}{}{style:#}", self.text)
    }

    fn drawn(&self) -> comfy_table::Cell {
        let drawn = comfy_table::Cell::new(&self.text);
        match self.tone {
            Tone::Plain => drawn,
            Tone::Good => drawn.fg(Color::DarkGreen),
            Tone::Caution => drawn.fg(Color::DarkYellow),
            Tone::Bad => drawn.fg(Color::DarkRed),
        }
    }
}

impl<T: Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: clean(&text.to_string()), tone: Tone::Plain }
    }
}

impl<T> Table<T> {
    /// A table of these rows, without any column yet.
    pub(super) fn of(rows: impl IntoIterator<Item = T>) -> Self {
        Self { rows: rows.into_iter().collect(), columns: Vec::new() }
    }

    pub(super) fn column<C: Into<Cell>>(mut self, column: impl Into<Column>, cell: impl Fn(&T) -> C) -> Self {
        let cells = self.rows.iter().map(|row| cell(row).into()).collect();
        self.columns.push(Column { cells, ..column.into() });
        self
    }

    /// Adds a column where there is something to tell.
    pub(super) fn column_if<C: Into<Cell>>(
        self,
        wanted: bool,
        column: impl Into<Column>,
        cell: impl Fn(&T) -> C,
    ) -> Self {
        if wanted { self.column(column, cell) } else { self }
    }

    /// Adds a column for each of several headers; cells have their numbers too.
    pub(super) fn columns<C: Into<Cell>>(
        self,
        columns: impl IntoIterator<Item = impl Into<Column>>,
        cell: impl Fn(&T, usize) -> C,
    ) -> Self {
        let with = |table: Self, (n, column)| table.column(column, |row| cell(row, n));
        columns.into_iter().enumerate().fold(self, with)
    }

    pub(super) fn draw(self) -> String {
        let mut columns = self.columns;
        if total(&columns) > WIDTH {
            // Long names go on in further lines.
            columns.iter_mut().for_each(|column| column.header = column.header.replace('_', "_\n"));
        }
        let parts: Vec<String> = parts(fitting(columns)).iter().map(|part| draw(part, self.rows.len())).collect();
        parts.join("\n")
    }
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| width(&cell.text)).max().unwrap_or(0).max(width(&self.header))
    }

    /// Cuts what is wider than this.
    fn cut(&mut self, widest: usize) {
        for cell in self.cells.iter_mut().filter(|cell| width(&cell.text) > widest) {
            cell.text = cell.text.chars().take(widest.saturating_sub(1)).chain(['…']).collect();
        }
    }
}

fn width(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Width of a table of these columns, with the line under its header, which is longer by one.
fn total(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width() + GAP).sum::<usize>().saturating_sub(1)
}

/// The columns without those spare ones that have no room; of equal ones the last goes first: its interval before a value.
fn fitting(mut columns: Vec<Column>) -> Vec<Column> {
    let rank = |column: &Column| if let Kind::Spare(rank) = column.kind { Some(rank) } else { None };
    while total(&columns) > WIDTH
        && let Some((_, Reverse(at))) =
            columns.iter().enumerate().filter_map(|(at, column)| Some((rank(column)?, Reverse(at)))).min()
    {
        columns.remove(at);
    }
    columns
}

/// The columns in parts that fit, each with the key columns, as far as these leave room for the widest of all others.
fn parts(columns: Vec<Column>) -> Vec<Vec<Column>> {
    if total(&columns) <= WIDTH {
        return vec![columns];
    }
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    let mut columns = columns.into_iter();
    while let Some(column) = columns.next() {
        let together = total(&keys) + column.width() + GAP;
        let widest = columns.as_slice().iter().chain(&others).map(Column::width).max().unwrap_or(0);
        let room = together + widest + GAP <= WIDTH || keys.is_empty() && together <= WIDTH / 2;
        if column.kind == Kind::Key && room { keys.push(column) } else { others.push(column) }
    }
    let room = WIDTH - total(&keys) - GAP;
    let mut parts = Vec::new();
    let mut part = keys.clone();
    for mut column in others {
        // What is wider by itself is cut.
        column.cut(room);
        if part.len() > keys.len() && total(&part) + column.width().min(room) + GAP > WIDTH {
            parts.push(std::mem::replace(&mut part, keys.clone()));
        }
        part.push(column);
    }
    parts.push(part);
    parts
}

fn draw(columns: &[Column], rows: usize) -> String {
    const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));
    let bold = |column: &Column| comfy_table::Cell::new(&column.header).add_attribute(Attribute::Bold);
    let mut drawn = Drawn::new();
    drawn.load_style(STYLE).enforce_styling().set_header(columns.iter().map(bold).collect::<Vec<_>>());
    drawn.style_text_only();
    for row in 0..rows {
        drawn.add_row(columns.iter().map(|column| column.cells[row].drawn()).collect::<Vec<_>>());
    }
    for (drawn, column) in drawn.column_iter_mut().zip(columns) {
        let side = if column.left { CellAlignment::Left } else { CellAlignment::Right };
        drawn.set_padding((0, 1)).set_cell_alignment(side);
    }
    // A header's empty line is bold too, and would hide that nothing but blanks follows.
    let nothing = "\x1b[1m\x1b[0m";
    drawn.lines().map(|line| line.replace(nothing, "").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::plain;

    fn widest(text: &str) -> usize {
        width(&plain(text))
    }

    /// Of so many cells of this width.
    fn table(columns: impl IntoIterator<Item = Column>, width: usize, rows: usize) -> String {
        Table::of(0..rows).columns(columns, |_, cell| format!("{cell:0>width$}")).draw()
    }

    #[test]
    fn spare_columns_go_first_and_the_least_first_of_all() {
        let headers = |width| {
            let text = plain(&table([key("key"), spare(1, "b"), spare(0, "c"), "d".into()], width, 1));
            text.lines().next().unwrap().split_whitespace().collect::<String>()
        };
        assert_eq!((headers(10), headers(20), headers(30)), ("keybcd".into(), "keybd".into(), "keyd".into()));
    }

    #[test]
    fn what_is_still_too_wide_goes_on_below_with_the_key() {
        let text = plain(&table([key("case"), "a".into(), "b".into(), "c".into(), "d".into()], 24, 2));
        let headers = text.lines().filter(|line| line.contains("case"));
        assert_eq!(headers.map(|line| line.split_whitespace().count()).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(text.matches("4\n").count(), 2, "the last column is in every line: {text}");
        assert!(widest(&text) <= WIDTH, "{text}");
    }

    #[test]
    fn no_table_is_wider_than_a_terminal() {
        for (count, width) in [(2, 100), (3, 39), (12, 1), (30, 6), (5, 78), (1, 90)] {
            for keys in [0, 1, 3] {
                let column = |n| if n < keys { key("key") } else { "header".into() };
                let text = table((0..count).map(column), width, 1);
                assert!(widest(&text) <= WIDTH, "{count} columns of {width}, {keys} keys:\n{text}");
            }
        }
    }

    #[test]
    fn tones_and_bold_headers_take_no_room() {
        let rows = [("well", Tone::Good, "1"), ("ill", Tone::Bad, "")];
        let cell = |row: &(&str, Tone, &str)| Cell { text: row.0.to_owned(), tone: row.1 };
        let text = Table::of(rows).column(words("how"), cell).column("many", |row| row.2).draw();
        assert_eq!(plain(&text), "how   many\n───────────\nwell     1\nill\n");
        assert!(text.contains("\x1b[1mhow") && text.contains("well\x1b[39m"), "{text:?}");
    }
}
