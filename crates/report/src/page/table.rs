//! A table of the page: columns with headings, rows of cells, sorted in the browser.

use microgrid_record::Number;
use serde::{Serialize, Serializer};

/// A table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    /// What it shows, in a few words.
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    /// A row has a cell for each column.
    pub(super) rows: Vec<Vec<Cell>>,
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

/// A cell; what is undefined is `null`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Missing,
    Whole(u64),
    Number(f64),
    Text(String),
}

/// A column with what a row has in it.
struct Field<R> {
    column: Column,
    cell: Box<dyn Fn(&R) -> Cell>,
}

/// The columns of a table of such rows.
pub(super) struct Fields<R>(Vec<Field<R>>);

impl<R> Fields<R> {
    /// No columns yet.
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a column named `title`, its numbers in this `unit` and with so many `decimals`.
    pub(super) fn with<C: Into<Cell>>(
        mut self,
        title: &str,
        unit: Option<&'static str>,
        decimals: impl Into<Option<usize>>,
        cell: impl Fn(&R) -> C + 'static,
    ) -> Self {
        let column = Column { title: title.to_owned(), unit, decimals: decimals.into() };
        self.0.push(Field { column, cell: Box::new(move |row| cell(row).into()) });
        self
    }
}

impl Table {
    /// The table of some rows.
    pub(super) fn of<'a, R: 'a>(
        caption: &str,
        fields: Fields<R>,
        rows: impl IntoIterator<Item = &'a R>,
        note: Option<String>,
    ) -> Self {
        let cells = |row: &R| fields.0.iter().map(|field| (field.cell)(row).rounded(field.column.decimals)).collect();
        let rows = rows.into_iter().map(cells).collect();
        Self {
            caption: caption.to_owned(),
            rows,
            columns: fields.0.into_iter().map(|field| field.column).collect(),
            note,
        }
    }
}

impl Cell {
    /// The same to so many decimals, which is how it is shown.
    fn rounded(self, decimals: Option<usize>) -> Self {
        match (self, decimals) {
            (Self::Number(value), Some(decimals)) => {
                let scale = 10_f64.powi(decimals as i32);
                Self::Number((value * scale).round() / scale + 0.0)
            }
            (cell, _) => cell,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_none(),
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Missing }
    }
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        Self::Number(number.value())
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// A knob's value: numbers sort as numbers, and text as text.
impl From<&serde_json::Value> for Cell {
    fn from(value: &serde_json::Value) -> Self {
        match (value.as_u64(), value.as_f64()) {
            (Some(whole), _) => Self::Whole(whole),
            (None, Some(number)) => Self::Number(number),
            (None, None) => Self::Text(microgrid_record::knob_text(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_as_exact_as_they_are_shown() {
        let fields = Fields::<(u32, f64)>::new();
        let fields = fields.with("case", None, None, |row| row.0).with("welfare", Some("CNY"), 2, |row| row.1);
        let rows = [(1, 238.150_047), (2, -0.001), (3, f64::NAN)];
        let table = serde_json::to_value(Table::of("cases", fields, &rows, None)).unwrap();
        assert_eq!(table["rows"], json!([[1, 238.15], [2, 0.0], [3, null]]));
        assert_eq!(table["columns"][1], json!({"title": "welfare", "unit": "CNY", "decimals": 2}));
    }
}
