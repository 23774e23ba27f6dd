//! How numbers and knobs read, wherever they are read: on the terminal and on the page.

use crate::record::{Knobs, knob_text};

/// `value` with this many decimals, never as a negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

/// How much more `value` is than `base`, in per cent; `-` where `base` is zero.
pub(crate) fn gain(value: f64, base: f64) -> String {
    if base == 0.0 {
        return "-".to_owned();
    }
    let percent = fixed(100.0 * (value - base) / base.abs(), 1);
    if percent.starts_with('-') { format!("{percent} %") } else { format!("+{percent} %") }
}

/// A number of things: `1 case`, `2 cases`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Knobs and their values as `mu = 1, delay = 10ms`.
pub(crate) fn knobs(knobs: &Knobs) -> String {
    let each = knobs.iter().map(|(name, value)| format!("{name} = {}", knob_text(value)));
    each.collect::<Vec<_>>().join(", ")
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
