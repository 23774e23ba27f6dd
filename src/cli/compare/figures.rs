//! The key figures in which cases differ.

use super::{MOST_LINES, pairs::Pair};
use crate::{
    cli::{
        table::{Column, columns, table},
        text::{AMOUNT, bold, count, fixed, gain, signed, wrapped},
    },
    record::KeyFigures,
};

/// A key figure: what it is called here, its value, and with how many decimals it is shown.
pub(super) type Figure = (&'static str, fn(&KeyFigures) -> Option<f64>, usize);

/// All key figures: see [`SCOPE`].
pub(super) const FIGURES: [Figure; 16] = [
    ("welfare [CNY]", |case| Some(case.open_slots.welfare_cny), AMOUNT),
    ("buyers' welfare [CNY]", |case| Some(case.open_slots.buyers_welfare_cny), AMOUNT),
    ("sellers' welfare [CNY]", |case| Some(case.open_slots.sellers_welfare_cny), AMOUNT),
    ("welfare over P2G [%]", |case| case.open_slots.welfare_gain_percent, 1),
    ("devices' gain [CNY]", |case| Some(case.all_slots.devices_gain_with_storage_value_cny), AMOUNT),
    ("market's gain [CNY]", |case| Some(case.all_slots.market_gain_with_storage_value_cny), AMOUNT),
    ("net cost [CNY]", |case| Some(case.open_slots.net_cost_cny), AMOUNT),
    ("worse off [prosumers]", |case| Some(f64::from(case.all_slots.worse_off_prosumers)), 0),
    ("in equilibrium [%]", |case| case.equilibrium_share.map(|share| 100.0 * share), 1),
    ("self-sufficiency [%]", |case| case.self_sufficiency.map(|share| 100.0 * share), 1),
    ("self-consumption [%]", |case| case.self_consumption.map(|share| 100.0 * share), 1),
    ("consumption [kWh]", |case| Some(case.totals.consumption_kwh), AMOUNT),
    ("traded [kWh]", |case| Some(case.totals.traded_kwh), AMOUNT),
    ("grid import [kWh]", |case| Some(case.totals.grid_import_kwh), AMOUNT),
    ("grid export [kWh]", |case| Some(case.totals.grid_export_kwh), AMOUNT),
    ("messages", |case| Some(case.totals.messages as f64), 0),
];

/// Over which slots they are.
pub(super) const SCOPE: &str = "welfare and net cost: over the open slots; all else: over all slots, gains with what \
                                storages hold at the end\n";

/// How far apart two values are, relative to the larger: from 0 where they are the same to 2.
pub(super) fn distance(a: Option<f64>, b: Option<f64>) -> f64 {
    match (a, b) {
        (Some(a), Some(b)) if a == b => 0.0,
        (Some(a), Some(b)) => (a - b).abs() / a.abs().max(b.abs()),
        (None, None) => 0.0,
        _ => f64::INFINITY,
    }
}

/// The figures in which a pair of cases differs, the greatest difference first; empty without any.
pub(super) fn of_pair(names: &[&str], pair: &Pair<'_>) -> String {
    let mut found: Vec<_> = FIGURES
        .iter()
        .map(|(name, value, decimals)| (*name, value(pair.a), value(pair.b), *decimals))
        .map(|figure| (distance(figure.1, figure.2), figure))
        .filter(|(distance, _)| *distance > 0.0)
        .collect();
    if found.is_empty() {
        return String::new();
    }
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let rows = found.into_iter().map(|(_, (name, a, b, decimals))| {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| fixed(value, decimals));
        let both = a.zip(b);
        let change = both.map_or_else(|| "-".to_owned(), |(a, b)| signed(b - a, decimals));
        vec![name.to_owned(), shown(a), shown(b), change, both.map_or_else(|| "-".to_owned(), |(a, b)| gain(b, a))]
    });
    let title = bold(&wrapped(&pair.title(names)));
    format!("{title}\n\n{}\n", table(columns(["figure", "A", "B", "B - A", "B over A"], &[0]), rows))
}

/// Of many pairs a line each, those first whose welfare differs most; empty where no pair differs in any figure.
pub(super) fn of_many(names: &[&str], pairs: &[Pair<'_>]) -> String {
    let welfare = |case: &KeyFigures| case.open_slots.welfare_cny;
    let differs = |pair: &&Pair<'_>| FIGURES.iter().any(|(_, value, _)| distance(value(pair.a), value(pair.b)) > 0.0);
    let mut differing: Vec<&Pair<'_>> = pairs.iter().filter(differs).collect();
    if differing.is_empty() {
        return String::new();
    }
    let size = |pair: &Pair<'_>| distance(Some(welfare(pair.a)), Some(welfare(pair.b)));
    differing.sort_by(|one, other| size(other).total_cmp(&size(one)));
    let mut columns = vec![Column::new("case\nof A").key(), Column::new("case\nof B").spare(0)];
    columns.extend(names.iter().map(|name| Column::new(*name).key()));
    columns.extend([
        Column::new("welfare\nof A"),
        Column::new("welfare\nof B"),
        Column::new("B over\nA"),
        Column::new("in equi-\nlibrium A"),
        Column::new("in equi-\nlibrium B"),
    ]);
    let share = |case: &KeyFigures| {
        case.equilibrium_share.map_or_else(|| "-".to_owned(), |share| format!("{} %", fixed(100.0 * share, 1)))
    };
    let line = |pair: &&Pair<'_>| {
        let Pair { a, b, knobs } = pair;
        let mut cells = vec![a.case.to_string(), b.case.to_string()];
        cells.extend(knobs.iter().cloned());
        cells.extend([welfare(a), welfare(b)].map(|amount| fixed(amount, AMOUNT)));
        cells.extend([gain(welfare(b), welfare(a)), share(a), share(b)]);
        cells
    };
    let title =
        format!("{} of {} differ, welfare [CNY] over the open slots", differing.len(), count(pairs.len(), "pair"));
    let lines = table(columns, differing.iter().take(MOST_LINES).map(line));
    let more = match differing.len().saturating_sub(MOST_LINES) {
        0 => String::new(),
        more => format!("and {}\n", count(more, "more pair")),
    };
    format!("{}\n\n{lines}{more}\n", bold(&title))
}
