//! How prices moved: over the day, and over a slot's game.

use super::{
    sparkline::{Range, sampled, sparkline, thinned},
    text::{PRICE, bold, count, fixed},
};
use crate::record::{ConvergenceRow, Number, SlotRow};
use std::collections::BTreeMap;

/// So many bars side by side leave room for what is beside them.
const BARS: usize = 48;
/// The paths of more sellers than this are not shown.
const MOST_SELLERS: usize = 12;

/// The mean prices of these slots in a line, each slot a bar; empty where nothing was traded in any of them.
pub(super) fn day(rows: &[SlotRow]) -> String {
    let prices: Vec<Option<f64>> = rows.iter().map(|row| row.price_mean_cny_per_kwh.map(Number::value)).collect();
    let prices = thinned(&prices, BARS);
    let (Some(range), Some(first), Some(last)) =
        (Range::of(prices.iter().copied().flatten()), rows.first(), rows.last())
    else {
        return String::new();
    };
    let (least, greatest) = (fixed(range.least, PRICE), fixed(range.greatest, PRICE));
    let line = sparkline(prices, range);
    format!("price in slots {} to {}: {line} {least} to {greatest}\n", first.slot, last.slot)
}

/// The prices that each seller has quoted in a game, a line a seller, all over the same time and on the same scale; empty
/// where nobody quoted any.
pub(super) fn game(rows: &[&ConvergenceRow]) -> String {
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
    for (seller, path) in paths.iter().take(MOST_SELLERS) {
        let line = sparkline(sampled(path, times.least, times.greatest, BARS), prices);
        let (first, last) = (path.first().map_or(0.0, |step| step.1), path.last().map_or(0.0, |step| step.1));
        text += &format!("{seller:>5}  {} {line} {}\n", fixed(first, PRICE), fixed(last, PRICE));
    }
    match paths.len().saturating_sub(MOST_SELLERS) {
        0 => text + "\n",
        more => text + &format!("and {}\n\n", count(more, "more seller")),
    }
}
