//! How numbers and tables look on the terminal.

use crate::record::Number;
pub(super) use crate::words::{count, fixed, gain, knobs};
use comfy_table::{CellAlignment, Table, TableStyle, presets::NOTHING};

/// Decimals of a price [CNY/kWh].
pub(super) const PRICE: usize = 4;
/// Decimals of an energy [kWh] or an amount of money [CNY].
pub(super) const AMOUNT: usize = 3;

/// A cell that may be undefined.
pub(super) fn cell(value: Option<Number>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |number| fixed(number.value(), decimals))
}

/// A table with a line under its header, columns aligned to the right except those named in `left`.
pub(super) fn table(header: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>, left: &[usize]) -> String {
    const STYLE: TableStyle = NOTHING.header_separator(comfy_table::LineStyle::none().fill('─').junction('─'));
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1)).set_cell_alignment(if left.contains(&index) {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}
