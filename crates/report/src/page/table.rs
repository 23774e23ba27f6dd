//! A table of the page: columns with headings, rows of cells, sorted in the browser.

use microgrid_record::{self as record, Row, Value, knob_text};
use serde::Serialize;

/// A table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    /// What it shows, in a few words.
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    /// A row has a cell for each column.
    pub(super) rows: Vec<Vec<Value>>,
    /// What was left out, and where it is.
    pub(super) note: Option<String>,
}

/// A column.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Column {
    pub(super) title: String,
    pub(super) unit: Option<&'static str>,
    /// Decimals of its numbers; `None` for text and for numbers that are shown as they are.
    pub(super) decimals: Option<usize>,
}

/// The columns of a table of such rows, each with what a row has in it.
pub(super) struct Fields<'a, R>(Vec<(Column, Cell<'a, R>)>);
type Cell<'a, R> = Box<dyn Fn(&R) -> Value + 'a>;

impl<'a, R> Fields<'a, R> {
    /// No columns yet.
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a column named `title`, its numbers in this `unit` and with so many `decimals`.
    pub(super) fn with<C: Into<Value>>(
        mut self,
        title: &str,
        unit: Option<&'static str>,
        decimals: impl Into<Option<usize>>,
        cell: impl Fn(&R) -> C + 'a,
    ) -> Self {
        let column = Column { title: title.to_owned(), unit, decimals: decimals.into() };
        self.0.push((column, Box::new(move |row| cell(row).into())));
        self
    }
}

impl<R: Row> Fields<'_, R> {
    /// The columns of which their table says that they are shown.
    pub(super) fn shown() -> Self {
        let mut shown: Vec<&record::Column<R>> = R::COLUMNS.iter().filter(|column| column.title.is_some()).collect();
        shown.sort_by_key(|column| column.place);
        shown.into_iter().fold(Self::new(), |fields, column| {
            let (unit, value) = column.shown.map_or((column.unit, column.value), |(unit, value)| (Some(unit), value));
            fields.with(column.title.unwrap_or_default(), unit, column.decimals, value)
        })
    }
}

impl Table {
    /// The table of some rows.
    pub(super) fn of<'a, R: 'a>(
        caption: &str,
        fields: Fields<'_, R>,
        rows: impl IntoIterator<Item = &'a R>,
        note: Option<String>,
    ) -> Self {
        let cells = |row: &R| fields.0.iter().map(|(column, cell)| rounded(cell(row), column.decimals)).collect();
        let rows = rows.into_iter().map(cells).collect();
        let columns = fields.0.into_iter().map(|(column, _)| column).collect();
        Self { caption: caption.to_owned(), columns, rows, note }
    }
}

/// A value to so many decimals, which is how it is shown.
fn rounded(value: Value, decimals: Option<usize>) -> Value {
    match (value, decimals) {
        (Value::Number(value), Some(decimals)) => {
            let scale = 10_f64.powi(decimals as i32);
            Value::Number((value * scale).round() / scale + 0.0)
        }
        (value, _) => value,
    }
}

/// A knob's value: numbers sort as numbers, and text as text.
pub(super) fn knob(value: &serde_json::Value) -> Value {
    match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => Value::Whole(whole),
        (None, Some(number)) => Value::Number(number),
        (None, None) => Value::Text(knob_text(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_as_exact_as_they_are_shown() {
        let fields = Fields::<'_, (u32, f64)>::new();
        let fields = fields.with("case", None, None, |row| row.0).with("welfare", Some("CNY"), 2, |row| row.1);
        let rows = [(1, 238.150_047), (2, -0.001), (3, f64::NAN)];
        let table = serde_json::to_value(Table::of("cases", fields, &rows, None)).unwrap();
        assert_eq!(table["rows"], json!([[1, 238.15], [2, 0.0], [3, null]]));
        assert_eq!(table["columns"][1], json!({"title": "welfare", "unit": "CNY", "decimals": 2}));
    }
}
