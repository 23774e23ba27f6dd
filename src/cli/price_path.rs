//! How prices moved: over the day, and over a slot's game.

use super::{
    names::Names,
    text::{PRICE, bold, fixed, minutes, more},
};
use crate::record::{ConvergenceRow, Number, SlotRow};
use std::collections::BTreeMap;

/// So many bars side by side leave room for what is beside them.
const WIDE: usize = 48;
/// Names of so many letters fit beside that many bars less.
const NAME: usize = 22;
const NARROWER: usize = 16;
/// The paths of more sellers than this are not shown.
const MOST_SELLERS: usize = 12;

/// The mean prices of these slots in a line, each slot a bar, or of many slots the mean of some; empty where nothing was
/// traded in any of them.
pub(super) fn day(rows: &[SlotRow]) -> String {
    let prices: Vec<Option<f64>> = rows.iter().map(|row| row.price_mean_cny_per_kwh.map(Number::value)).collect();
    let (Some(range), Some(first), Some(last)) =
        (Range::of(prices.iter().copied().flatten()), rows.first(), rows.last())
    else {
        return String::new();
    };
    let (least, greatest) = (fixed(range.least, PRICE), fixed(range.greatest, PRICE));
    let line = sparkline(thinned(&prices, WIDE), range);
    let slots = match first.time.as_deref().zip(last.time.as_deref()) {
        Some((first, last)) => format!("from {} to {}:\n", minutes(first), minutes(last)),
        None => format!("in slots {} to {}: ", first.slot, last.slot),
    };
    format!("price {slots}{line} {least} to {greatest}\n")
}

/// The prices that each seller has quoted in a game, a line a seller, all over the same time and on the same scale; empty
/// where nobody quoted any.
pub(super) fn game(rows: &[ConvergenceRow], names: &Names) -> String {
    let mut paths = BTreeMap::<u32, Vec<(f64, f64)>>::new();
    for row in rows {
        if let Some(price) = row.price_cny_per_kwh {
            paths.entry(row.seller).or_default().push((row.time_s.value(), price.value()));
        }
    }
    let all = || paths.values().flatten();
    let (Some(times), Some(prices)) = (Range::of(all().map(|step| step.0)), Range::of(all().map(|step| step.1))) else {
        return String::new();
    };
    let seconds = fixed(times.greatest - times.least, 1);
    let (least, greatest) = (fixed(prices.least, PRICE), fixed(prices.greatest, PRICE));
    let title = format!("prices over {seconds} s, from {least} to {greatest} CNY/kWh");
    let mut text = format!("{}\n\n", bold(&title));
    let wide = if names.any() { WIDE - NARROWER } else { WIDE };
    for (seller, path) in paths.iter().take(MOST_SELLERS) {
        let line = sparkline(sampled(path, times.least, times.greatest, wide), prices);
        let (first, last) = (path.first().map_or(0.0, |step| step.1), path.last().map_or(0.0, |step| step.1));
        let path = format!("{seller:>5}  {} {line} {}", fixed(first, PRICE), fixed(last, PRICE));
        text += &format!("{}\n", format!("{path}  {}", names.get(*seller, NAME)).trim_end());
    }
    text + &more(paths.len(), MOST_SELLERS, "seller") + "\n"
}

/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The range of several courses, so that they can be compared with each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Range {
    /// The range of these values; `None` without any.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values.into_iter().fold(None, |range: Option<Self>, value| {
            let Self { least, greatest } = range.unwrap_or(Self { least: value, greatest: value });
            Some(Self { least: least.min(value), greatest: greatest.max(value) })
        })
    }

    /// The bar of a price; the lowest where all prices are the same, as far as decimals are shown of them. A price that rests
    /// between two bars does not go from one to the other, as only these decimals count.
    fn bar(self, price: f64) -> char {
        let scale = 10_f64.powi(PRICE as i32);
        if (self.greatest - self.least) * scale < 1.0 {
            return BARS[0];
        }
        let above_least = |price: f64| (price * scale).round() - (self.least * scale).round();
        let share = above_least(price) * BARS.len() as f64 / above_least(self.greatest);
        BARS[(share as usize).min(BARS.len() - 1)]
    }
}

/// A bar for each value, a blank where there is none.
fn sparkline(values: impl IntoIterator<Item = Option<f64>>, range: Range) -> String {
    values.into_iter().map(|value| value.map_or(' ', |value| range.bar(value))).collect()
}

/// At most `most` values: each stands for as many of `values`, and is the mean of those that are known.
fn thinned(values: &[Option<f64>], most: usize) -> Vec<Option<f64>> {
    let mean = |values: &[Option<f64>]| {
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    values.chunks(values.len().div_ceil(most).max(1)).map(mean).collect()
}

/// The values of a step function, given by the times at which it changes, at the ends of `count` equal parts of the time
/// from `from` to `to`.
fn sampled(steps: &[(f64, f64)], from: f64, to: f64, count: usize) -> Vec<Option<f64>> {
    let at = |part: usize| from + (to - from) * (part + 1) as f64 / count as f64;
    let value = |time: f64| {
        let after = steps.partition_point(|(changed, _)| *changed <= time);
        Some(steps.get(after.checked_sub(1)?)?.1)
    };
    // The last part ends with the last value, whatever rounding does to its time.
    (0..count).map(|part| value(if part + 1 == count { to } else { at(part) })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_and_the_highest_value_have_the_lowest_and_the_highest_bar() {
        let values = [0.45, 0.51, 0.66, 0.85];
        let range = Range::of(values).unwrap();
        assert_eq!(range, Range { least: 0.45, greatest: 0.85 });
        assert_eq!(sparkline(values.map(Some), range), "▁▂▅█");
        assert_eq!(sparkline([Some(0.45), None, Some(0.85)], range), "▁ █");
        // At rest between two bars.
        assert_eq!(sparkline([0.7 - 1e-9, 0.7 + 1e-9, 0.7].map(Some), range), "▆▆▆");
    }

    #[test]
    fn what_never_moves_lies_low_and_nothing_has_no_range() {
        let range = Range::of([0.7; 3]).unwrap();
        assert_eq!(sparkline([Some(0.7); 3], range), "▁▁▁");
        // What differs by rounding, or by less than is shown.
        for apart in [1e-12, 2e-5, 9e-5] {
            let values = [0.7, 0.7 + apart, 0.7];
            assert_eq!(sparkline(values.map(Some), Range::of(values).unwrap()), "▁▁▁", "{apart}");
        }
        let values = [0.7, 0.7002, 0.7001];
        assert_eq!(sparkline(values.map(Some), Range::of(values).unwrap()), "▁█▅");
        assert_eq!(Range::of([]), None);
    }

    #[test]
    fn thinning_keeps_means_and_gaps() {
        let values = [Some(1.0), Some(3.0), None, Some(5.0), None, None, Some(7.0)];
        assert_eq!(thinned(&values, 4), [Some(2.0), Some(5.0), None, Some(7.0)]);
        assert_eq!(thinned(&values, 7), values);
        assert!(thinned(&[], 7).is_empty());
    }

    #[test]
    fn a_step_function_keeps_its_value_until_it_changes() {
        let steps = [(1.0, 0.5), (3.0, 0.6), (3.5, 0.7)];
        assert_eq!(sampled(&steps, 0.0, 4.0, 4), [Some(0.5), Some(0.5), Some(0.6), Some(0.7)]);
        assert_eq!(sampled(&steps, -2.0, 2.0, 4), [None, None, Some(0.5), Some(0.5)]);
        assert_eq!(sampled(&[(0.1, 1.0), (0.3, 2.0)], 0.1, 0.3, 3).last(), Some(&Some(2.0)));
    }
}
