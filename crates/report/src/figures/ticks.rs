//! Where an axis has ticks, and what is written there.

use crate::format::{self, grouped};

/// Ticks at whole multiples of 1, 2 or 5 times a power of ten, at most `most` of them.
pub(super) fn linear(from: f64, to: f64, most: usize) -> Vec<(f64, String)> {
    let rough = (to - from) / most as f64;
    let power = rough.log10().floor();
    let fits = |factor: &f64| factor * 10_f64.powf(power) >= rough * 0.999_999;
    let factor = [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0);
    let (step, decimals) = (factor * 10_f64.powf(power), (-(power + if factor == 10.0 { 1.0 } else { 0.0 })).max(0.0));
    let (first, last) = ((from / step - 1e-6).ceil() as i64, (to / step + 1e-6).floor() as i64);
    let label = |value: f64| {
        if from.abs().max(to.abs()) < 1e-3 { scientific(value, power) } else { fixed(value, decimals as usize) }
    };
    (first..=last).map(|n| n as f64 * step).map(|value| (value, label(value))).collect()
}

/// Ticks at powers of ten, at most `most` of them; where there are fewer than three, at 2 and 5 times these too.
pub(super) fn logarithmic(from: f64, to: f64, most: usize) -> Vec<(f64, String)> {
    let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    let inside = |value: &f64| (from * 0.999_999..=to * 1.000_001).contains(value);
    let powers: Vec<i32> = (first..=last).filter(|power| inside(&10_f64.powi(*power))).collect();
    let tick = |value: f64| (value, short(value));
    if powers.len() < 3 {
        let values = (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10_f64.powi(power)));
        return values.filter(inside).map(tick).collect();
    }
    let step = powers.len().div_ceil(most).max(1) as i32;
    powers.into_iter().filter(|power| power % step == 0).map(|power| tick(10_f64.powi(power))).collect()
}

/// A number in digits down to this power of ten, and the power of its first digit.
fn scientific(value: f64, last: f64) -> String {
    if value.abs() < 0.5 * 10_f64.powf(last) {
        return "0".to_owned();
    }
    let digits = (value.abs().log10() + 1e-9).floor() - last;
    format!("{value:.0$e}", digits.max(0.0) as usize).replace('-', "\u{2212}")
}

/// A number with so many decimals, and commas between thousands.
fn fixed(value: f64, decimals: usize) -> String {
    grouped(&format::fixed(value, decimals), ',', 4)
}

/// A number in about three digits.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        let (digits, power) = (format!("{value:.1e}"), size.log10().floor());
        let digits = digits.split('e').next().unwrap_or_default().trim_end_matches(".0").to_owned();
        format!("{digits}e{power}").replace('-', "\u{2212}")
    } else {
        let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
        let text = fixed(value, decimals);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(texts(linear(0.43, 0.87, 6)), ["0.5", "0.6", "0.7", "0.8"]);
        assert_eq!(texts(linear(-3.0, 3.0, 6)), ["\u{2212}3", "\u{2212}2", "\u{2212}1", "0", "1", "2", "3"]);
        assert_eq!(texts(linear(0.0, 3_000_000.0, 3)), ["0", "1,000,000", "2,000,000", "3,000,000"]);
        assert_eq!(texts(linear(0.699_999_9, 0.700_000_1, 2)), ["0.6999999", "0.7000000", "0.7000001"]);
        assert_eq!(texts(linear(-6e-9, 1.2e-8, 4)), ["\u{2212}5e\u{2212}9", "0", "5e\u{2212}9", "1.0e\u{2212}8"]);
        assert_eq!(texts(logarithmic(1e-7, 1.0, 4)), ["1e\u{2212}6", "1e\u{2212}4", "0.01", "1"]);
        assert_eq!(texts(logarithmic(0.03, 0.6, 6)), ["0.05", "0.1", "0.2", "0.5"]);
    }

    #[test]
    fn numbers_are_short() {
        let short = [0.0, 0.123_45, 21.41, 123_456.0, 1e-9, 2.5e7, -0.5].map(short);
        assert_eq!(short, ["0", "0.123", "21.4", "123,456", "1e\u{2212}9", "2.5e7", "\u{2212}0.5"]);
    }

    proptest! {
        #[test]
        fn every_axis_has_some_ticks_and_not_too_many(from in -1e6..1e6_f64, wide in -9.0..9.0_f64, most in 3..12_usize) {
            let to = from + 10_f64.powf(wide);
            prop_assume!(to - from > 1e-9 * from.abs());
            let ticks = linear(from, to, most);
            prop_assert!((1..=most + 1).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks.is_sorted_by(|a, b| a.0 < b.0));
        }

        #[test]
        fn every_logarithmic_axis_has_some_ticks(power in -9.0..6.0_f64, decades in 1.0..12.0_f64, most in 3..12_usize) {
            let from = 10_f64.powf(power);
            let ticks = logarithmic(from, from * 10_f64.powf(decades), most);
            prop_assert!((1..=most.max(9)).contains(&ticks.len()), "{ticks:?}");
        }
    }
}
