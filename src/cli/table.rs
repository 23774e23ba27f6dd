//! Tables that fit a terminal, whatever stands in them.

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, CellAlignment, Color, LineStyle, Table as Drawn, TableStyle, presets::NOTHING};

/// So many characters side by side fit any terminal.
pub(super) const WIDTH: usize = 80;
/// Blanks between two columns.
const GAP: usize = 2;

/// A column: its header, and what becomes of it where the table is too wide.
#[derive(Clone, Debug)]
pub(super) struct Column {
    header: String,
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

impl Column {
    /// Numbers, aligned to the right.
    pub(super) fn new(header: impl Into<String>) -> Self {
        Self { header: header.into(), left: false, kind: Kind::Plain }
    }

    /// Words, aligned to the left.
    pub(super) fn left(self) -> Self {
        Self { left: true, ..self }
    }

    /// Tells what a line is about: stands in every part of a table that has to be divided.
    pub(super) fn key(self) -> Self {
        Self { kind: Kind::Key, ..self }
    }

    /// With a long name in several lines.
    fn broken(self) -> Self {
        Self { header: self.header.replace('_', "_\n"), ..self }
    }

    /// Is left out where the table would be too wide, before any of a larger rank.
    pub(super) fn spare(self, rank: u8) -> Self {
        Self { kind: Kind::Spare(rank), ..self }
    }
}

/// Columns with these headers, those named in `left` of words; the first one is what a line is about.
pub(super) fn columns<const N: usize>(headers: [&str; N], left: &[usize]) -> Vec<Column> {
    let column = |(index, header)| {
        let column = if index == 0 { Column::new(header).key() } else { Column::new(header) };
        if left.contains(&index) { column.left() } else { column }
    };
    headers.into_iter().enumerate().map(column).collect()
}

/// What a cell says about a run, in colour where there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Something to look at.
    Caution,
    /// A failure.
    Bad,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in this tone.
    pub(super) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

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
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

/// A table with a line under its header, at most [`WIDTH`] wide.
///
/// What is too wide loses its spare columns first; if that is not enough, it becomes several tables, one below the
/// other, each with the key columns. Headers are bold and cells in their tones; who prints decides whether that is seen.
pub(super) fn table<C: Into<Cell>>(columns: Vec<Column>, rows: impl IntoIterator<Item = Vec<C>>) -> String {
    let rows: Vec<Vec<Cell>> = rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
    let sized = |(index, column)| Sized::new(index, column, &rows);
    let mut columns: Vec<Sized> = columns.into_iter().enumerate().map(sized).collect();
    if total(&columns) > WIDTH {
        columns = columns.into_iter().map(|column| Sized::new(column.index, column.column.broken(), &rows)).collect();
    }
    let parts: Vec<String> = parts(fitting(columns)).iter().map(|part| draw(part, &rows)).collect();
    parts.join("\n")
}

/// A column of known width.
#[derive(Clone, Debug)]
struct Sized {
    /// Its place in the rows.
    index: usize,
    column: Column,
    width: usize,
}

impl Sized {
    fn new(index: usize, column: Column, rows: &[Vec<Cell>]) -> Self {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| width(&cell.text));
        let width = cells.max().unwrap_or(0).max(width(&column.header));
        Self { index, column, width }
    }
}

/// Width of the longest line.
fn width(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Width of a table of these columns, with the line under its header, which is longer by one.
fn total(columns: &[Sized]) -> usize {
    columns.iter().map(|column| column.width + GAP).sum::<usize>().saturating_sub(1)
}

/// The columns without those spare ones that have no room.
fn fitting(mut columns: Vec<Sized>) -> Vec<Sized> {
    let rank = |column: &Sized| if let Kind::Spare(rank) = column.column.kind { Some(rank) } else { None };
    while total(&columns) > WIDTH {
        let least = columns.iter().enumerate().filter_map(|(at, column)| Some((rank(column)?, at))).min();
        match least {
            Some((_, at)) => drop(columns.remove(at)),
            None => break,
        }
    }
    columns
}

/// The columns in parts that fit, each with the key columns, as far as these leave room for the widest of all others.
fn parts(columns: Vec<Sized>) -> Vec<Vec<Sized>> {
    if total(&columns) <= WIDTH {
        return vec![columns];
    }
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    let mut columns = columns.into_iter();
    while let Some(column) = columns.next() {
        let together = total(&keys) + column.width + GAP;
        let widest = columns.clone().chain(others.iter().cloned()).map(|other: Sized| other.width).max().unwrap_or(0);
        let room = together + widest + GAP <= WIDTH || keys.is_empty() && together <= WIDTH / 2;
        if column.column.kind == Kind::Key && room { keys.push(column) } else { others.push(column) }
    }
    let room = WIDTH - total(&keys) - GAP;
    let mut parts = Vec::new();
    let mut part = keys.clone();
    for mut column in others {
        // What is wider by itself is cut.
        column.width = column.width.min(room);
        if part.len() > keys.len() && total(&part) + column.width + GAP > WIDTH {
            parts.push(std::mem::replace(&mut part, keys.clone()));
        }
        part.push(column);
    }
    parts.push(part);
    parts
}

fn draw(columns: &[Sized], rows: &[Vec<Cell>]) -> String {
    const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));
    let header =
        columns.iter().map(|column| comfy_table::Cell::new(&column.column.header).add_attribute(Attribute::Bold));
    let mut drawn = Drawn::new();
    drawn.load_style(STYLE).enforce_styling().set_header(header.collect::<Vec<_>>());
    drawn.style_text_only();
    for row in rows {
        drawn.add_row(columns.iter().map(|column| styled(row.get(column.index), column.width)).collect::<Vec<_>>());
    }
    for (column, sized) in drawn.column_iter_mut().zip(columns) {
        let side = if sized.column.left { CellAlignment::Left } else { CellAlignment::Right };
        column.set_padding((0, 1)).set_cell_alignment(side);
    }
    // A header's empty line is bold too, and would hide that nothing but blanks follows.
    let nothing = "\x1b[1m\x1b[0m";
    drawn.lines().map(|line| line.replace(nothing, "").trim_end().to_owned() + "\n").collect()
}

fn styled(cell: Option<&Cell>, widest: usize) -> comfy_table::Cell {
    let Some(cell) = cell else { return comfy_table::Cell::new("") };
    let drawn =
        comfy_table::Cell::new(if width(&cell.text) > widest { cut(&cell.text, widest) } else { cell.text.clone() });
    match cell.tone {
        Tone::Plain => drawn,
        Tone::Good => drawn.fg(Color::DarkGreen),
        Tone::Caution => drawn.fg(Color::DarkYellow),
        Tone::Bad => drawn.fg(Color::DarkRed),
    }
}

/// The beginning of a text of one line.
fn cut(text: &str, widest: usize) -> String {
    text.chars().take(widest.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::plain;

    fn widest(text: &str) -> usize {
        width(&plain(text))
    }

    /// A row of so many cells of this width.
    fn row(cells: usize, width: usize) -> Vec<String> {
        (0..cells).map(|cell| format!("{cell:0>width$}")).collect()
    }

    #[test]
    fn spare_columns_go_first_and_the_least_first_of_all() {
        let columns =
            || vec![Column::new("key").key(), Column::new("b").spare(1), Column::new("c").spare(0), Column::new("d")];
        let headers = |width| {
            let text = plain(&table(columns(), [row(4, width)]));
            text.lines().next().unwrap().split_whitespace().collect::<String>()
        };
        assert_eq!((headers(10), headers(20), headers(30)), ("keybcd".into(), "keybd".into(), "keyd".into()));
    }

    #[test]
    fn what_is_still_too_wide_goes_on_below_with_the_key() {
        let columns: Vec<Column> = columns(["case", "a", "b", "c", "d"], &[]);
        let text = plain(&table(columns, [row(5, 24), row(5, 24)]));
        let headers = text.lines().filter(|line| line.contains("case"));
        assert_eq!(headers.map(|line| line.split_whitespace().count()).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(text.matches("4\n").count(), 2, "the last column is in every line: {text}");
        assert!(widest(&text) <= WIDTH, "{text}");
    }

    #[test]
    fn no_table_is_wider_than_a_terminal() {
        for (count, width) in [(2, 100), (3, 39), (12, 1), (30, 6), (5, 78), (1, 90)] {
            for keys in [0, 1, 3] {
                let column = |n| if n < keys { Column::new("key").key() } else { Column::new("header") };
                let text = table((0..count).map(column).collect(), [row(count, width)]);
                assert!(widest(&text) <= WIDTH, "{count} columns of {width}, {keys} keys:\n{text}");
            }
        }
    }

    #[test]
    fn tones_and_bold_headers_take_no_room() {
        let rows = [[Cell::toned("well", Tone::Good), "1".into()], [Cell::toned("ill", Tone::Bad), "".into()]];
        let text = table(columns(["how", "many"], &[0]), rows.map(Vec::from));
        assert_eq!(plain(&text), "how   many\n───────────\nwell     1\nill\n");
        assert!(text.contains("\x1b[1mhow") && text.contains("well\x1b[39m"), "{text:?}");
    }
}
