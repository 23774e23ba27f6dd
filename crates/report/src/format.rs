//! How numbers and knobs read, wherever they are read: on the terminal and on the page.

use microgrid_record::{Knobs, knob_text};
use microgrid_scenario::schema::Market;
use std::borrow::Cow;

/// What money is called in the program's own texts.
const CURRENCY: &str = "CNY";

/// A text in which money is called as a scenario calls it, wherever it stands by itself: not within a name or a path.
pub fn in_currency<'a>(text: &'a str, currency: &str) -> Cow<'a, str> {
    if currency == CURRENCY || !text.contains(CURRENCY) {
        return text.into();
    }
    let within = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || "_-./".contains(sign));
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once(CURRENCY) {
        let ends = behind.strip_prefix('/').is_some_and(|unit| unit.starts_with("kWh"));
        let last = before.chars().next_back().or(shown.chars().next_back());
        let next = behind.chars().next().filter(|sign| *sign != '.' && !ends);
        shown += before;
        shown += if within(last) || within(next) { CURRENCY } else { currency };
        rest = behind;
    }
    (shown + rest).into()
}

/// `value` with this many decimals, never as a negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if is_nothing(digits) => digits.to_owned(),
        _ => text,
    }
}

/// A difference with its sign, if anything is left of it.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.starts_with('-') || is_nothing(&text) { text } else { format!("+{text}") }
}

/// Whether a number that is written so has no digit but zeros.
pub fn is_nothing(text: &str) -> bool {
    text.chars().all(|digit| matches!(digit, '0' | '.'))
}

/// How much more `value` is than `base`, in per cent; `-` where `base` is zero.
pub fn gain(value: f64, base: f64) -> String {
    if base == 0.0 {
        return "-".to_owned();
    }
    format!("{} %", signed(100.0 * (value - base) / base.abs(), 1))
}

/// The first and the last of those of these whole numbers, in ascending order, that follow each other.
pub(crate) fn runs(numbers: impl IntoIterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut runs = Vec::<(u32, u32)>::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// Whole numbers in ascending order, of which three or more that follow each other are a range: `1 to 3`, `7`.
pub fn ranges(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    // Two neighbours are no range.
    let texts = |(first, last): (u32, u32)| match last - first {
        0 => vec![first.to_string()],
        1 => vec![first.to_string(), last.to_string()],
        _ => vec![format!("{first} to {last}")],
    };
    runs(numbers).into_iter().flat_map(texts).collect()
}

/// Between which prices of the grid those of the market lie: what it pays, and what it asks, as a sentence names it.
pub fn bounds(market: &Market) -> [&'static str; 2] {
    match market.tariffs.is_empty() {
        true => ["the feed-in tariff", "the grid's tariff"],
        false => ["the highest feed-in tariff", "the grid's lowest tariff"],
    }
}

/// A number of things: `1 case`, `2 cases`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A narrow space that does not break.
pub(crate) const NARROW: char = '\u{202f}';

/// A number in groups of three digits, where it has as many as `least` before the point, and with a minus sign.
pub(crate) fn grouped(number: &str, separator: char, least: usize) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("\u{2212}", digits));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && whole.len() >= least && (whole.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text + rest
}

/// Knobs and their values as `mu = 1, delay = 10ms`.
pub fn knobs(knobs: &Knobs) -> String {
    let each = knobs.iter().map(|(name, value)| format!("{name} = {}", knob_text(value)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_called_as_the_scenario_calls_it_but_not_within_names() {
        let called = |text| in_currency(text, "EUR").into_owned();
        assert_eq!(called("0.3 CNY/kWh, and [CNY]. 2 CNY."), "0.3 EUR/kWh, and [EUR]. 2 EUR.");
        assert_eq!(called("results/CNY/A, CNY_1, XCNY, CNY-a"), "results/CNY/A, CNY_1, XCNY, CNY-a");
        assert_eq!(called("net_cost_cny"), "net_cost_cny");
        assert_eq!(in_currency("CNY", "CNY"), "CNY");
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(fixed(-0.0004, 3), "0.000");
        assert_eq!(fixed(-0.0005001, 3), "-0.001");
        assert_eq!(gain(90.0, 100.0), "-10.0 %");
    }

    #[test]
    fn a_difference_has_its_sign_if_anything_is_left_of_it() {
        assert_eq!([94.150, 94.189, 94.3].map(|value| gain(value, 94.189)), ["0.0 %", "0.0 %", "+0.1 %"]);
        assert_eq!(
            [-0.0004, 0.0, 0.0005001, -1.5].map(|value| signed(value, 3)),
            ["0.000", "0.000", "+0.001", "-1.500"]
        );
    }

    #[test]
    fn whole_numbers_are_grouped_by_thousands() {
        let texts = ["0", "999", "1000", "-1234567.1234"].map(|number| grouped(number, NARROW, 4));
        assert_eq!(texts, ["0", "999", "1\u{202f}000", "\u{2212}1\u{202f}234\u{202f}567.1234"]);
    }

    #[test]
    fn neighbours_read_as_a_range() {
        assert_eq!(ranges([]), [""; 0]);
        assert_eq!(ranges([1, 3, 4, 6, 7, 8, 108]), ["1", "3", "4", "6 to 8", "108"]);
    }

    #[test]
    fn a_gain_over_nothing_is_undefined_and_over_a_loss_positive() {
        assert_eq!(gain(1.0, 0.0), "-");
        assert_eq!(gain(-5.0, -10.0), "+50.0 %");
    }
}
