//! How numbers and words look on the terminal.

use super::table::WIDTH;
use crate::record::{Knobs, Number, knob_text};
use anstyle::{AnsiColor, Style};

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

/// Decimals for amounts of which the largest is among these, so that a column of them stays narrow.
pub(super) fn amounts(values: impl IntoIterator<Item = Option<Number>>) -> usize {
    match values.into_iter().flatten().map(|value| value.value().abs()).fold(0.0, f64::max) {
        ..1e5 => AMOUNT,
        ..1e7 => 1,
        _ => 0,
    }
}

/// How much more `value` is than `base`, in per cent; `-` where `base` is zero.
pub(super) fn gain(value: f64, base: f64) -> String {
    if base == 0.0 {
        return "-".to_owned();
    }
    let percent = fixed(100.0 * (value - base) / base.abs(), 1);
    if percent.starts_with('-') { format!("{percent} %") } else { format!("+{percent} %") }
}

/// A difference with its sign.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.starts_with('-') { text } else { format!("+{text}") }
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

/// A heading.
pub(super) fn bold(text: &str) -> String {
    styled(text, Style::new().bold())
}

/// Text that says that something failed.
pub(super) fn red(text: &str) -> String {
    styled(text, AnsiColor::Red.on_default().bold())
}

fn styled(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// Words in lines of at most [`WIDTH`] characters, as far as no word is longer.
pub(super) fn wrapped(text: &str) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > WIDTH {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines += word;
        length += letters;
    }
    lines
}

/// The same without bold and colours.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
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

    #[test]
    fn long_lines_go_on_below_between_words() {
        let knobs: Vec<String> = (0..20).map(|n| format!("knob_{n} = {n},")).collect();
        let text = wrapped(&knobs.join(" "));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.replace('\n', " "), knobs.join(" "));
        assert_eq!(wrapped("short"), "short");
    }
}
