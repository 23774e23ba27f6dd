//! How numbers and tables look on the terminal.

use crate::record::{Knobs, Number, knob_text};
use comfy_table::{CellAlignment, Table, TableStyle, presets::NOTHING};

/// Decimals of a price [CNY/kWh].
pub(super) const PRICE: usize = 4;
/// Decimals of an energy [kWh] or an amount of money [CNY].
pub(super) const AMOUNT: usize = 3;

/// `value` with this many decimals, never as a negative zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

/// A cell that may be undefined.
pub(super) fn cell(value: Option<Number>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |number| fixed(number.value(), decimals))
}

/// How much more `value` is than `base`, in per cent; `-` where `base` is zero.
pub(super) fn gain(value: f64, base: f64) -> String {
    if base == 0.0 {
        return "-".to_owned();
    }
    let percent = fixed(100.0 * (value - base) / base.abs(), 1);
    if percent.starts_with('-') { format!("{percent} %") } else { format!("+{percent} %") }
}

/// A number of things: `1 case`, `2 cases`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Knobs and their values as `mu = 1, delay = 10ms`.
pub(super) fn knobs(knobs: &Knobs) -> String {
    let each = knobs.iter().map(|(name, value)| format!("{name} = {}", knob_text(value)));
    each.collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(fixed(-0.0004, 3), "0.000");
        assert_eq!(fixed(-0.0005001, 3), "-0.001");
        assert_eq!(gain(99.99, 100.0), "+0.0 %");
        assert_eq!(gain(90.0, 100.0), "-10.0 %");
    }

    #[test]
    fn a_gain_over_nothing_is_undefined_and_over_a_loss_positive() {
        assert_eq!(gain(1.0, 0.0), "-");
        assert_eq!(gain(-5.0, -10.0), "+50.0 %");
    }
}
