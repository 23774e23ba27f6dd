//! The key figures in which cases differ: pair by pair and, over pairs with the same seed, on average.

use super::{MOST_LINES, MOST_PAIRS, pairs::Pair};
use crate::{
    cli::{
        table::{Table, key, spare, words},
        text::{AMOUNT, PRICE, bold, change, count, fixed, gain, is_nothing, more, number, percent, values, wrapped},
    },
    record::{KeyFigures, Statistics},
};
use indexmap::IndexMap;

/// A key figure: what it is called here, its value, and with how many decimals it is shown.
type Figure = (&'static str, fn(&KeyFigures) -> Option<f64>, usize);

/// All key figures: see [`SCOPE`].
const FIGURES: [Figure; 20] = [
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
    ("price spread [CNY/kWh]", |case| case.price_spread_cny_per_kwh, PRICE),
    ("fairness (Jain)", |case| case.all_slots.jain_index, 3),
    ("on the chains [MB]", |case| Some(case.totals.bytes as f64 / 1e6), 2),
    ("time to the end [s]", |case| case.time_to_end_s, 1),
];

/// Over which slots they are.
pub(super) const SCOPE: &str = "welfare and net cost: over the open slots; all else: over all slots, gains with what \
                                storages hold at the end\n";

/// How far apart two values are, relative to the larger: from 0 where they are the same to 2.
fn distance(a: Option<f64>, b: Option<f64>) -> f64 {
    match (a, b) {
        (Some(a), Some(b)) if a == b => 0.0,
        (Some(a), Some(b)) => (a - b).abs() / a.abs().max(b.abs()),
        (None, None) => 0.0,
        _ => f64::INFINITY,
    }
}

/// What differs between A and B: over cases with the same seed, for each combination of the knobs of which there are
/// several, and then for each pair of cases; empty where nothing does.
pub(super) fn differences(names: &[&str], pairs: &[Pair<'_>]) -> String {
    let mut groups: IndexMap<&[String], Vec<&Pair<'_>>> = IndexMap::new();
    for pair in pairs.iter().filter(|pair| pair.a.seed == pair.b.seed) {
        groups.entry(&pair.knobs).or_default().push(pair);
    }
    groups.retain(|_, pairs| pairs.len() > 1 && differ(pairs));
    let seeds = if groups.len() > MOST_PAIRS {
        of_combinations(names, &groups)
    } else {
        let title = |knobs: &[String], pairs: &[_]| {
            let cases = count(pairs.len(), "case");
            format!("Paired by seed, means of {cases} each{}", values(names.iter().zip(knobs)))
        };
        groups.iter().map(|(knobs, pairs)| of_few(&title(knobs, pairs), pairs)).collect()
    };
    let each = if pairs.len() > MOST_PAIRS {
        of_many(names, pairs)
    } else {
        pairs.iter().map(|pair| of_few(&pair.title(names), &[pair])).collect()
    };
    seeds + &each
}

/// Whether any figure differs in any of these pairs.
fn differ(pairs: &[&Pair<'_>]) -> bool {
    FIGURES.iter().any(|figure| Both::of(*figure, pairs).differ)
}

/// A figure over those of several pairs in which it is defined.
struct Both {
    a: Statistics,
    b: Statistics,
    /// B - A of each pair.
    change: Statistics,
    /// Whether it differs in any pair.
    differ: bool,
}

impl Both {
    fn of((_, value, _): Figure, pairs: &[&Pair<'_>]) -> Self {
        let values = || pairs.iter().map(|pair| (value(pair.a), value(pair.b)));
        let mut both: Vec<_> = values().filter(|(a, b)| a.is_some() && b.is_some()).collect();
        if both.is_empty() {
            both = values().collect();
        }
        Self {
            a: both.iter().filter_map(|(a, _)| *a).collect(),
            b: both.iter().filter_map(|(_, b)| *b).collect(),
            change: both.iter().filter_map(|(a, b)| a.zip(*b)).map(|(a, b)| b - a).collect(),
            differ: both.iter().any(|(a, b)| distance(*a, *b) > 0.0),
        }
    }
}

/// The figures that differ in a pair or a few, the greatest difference first; empty without any.
fn of_few(title: &str, pairs: &[&Pair<'_>]) -> String {
    let several = pairs.len() > 1;
    let mut found: Vec<_> = FIGURES.iter().map(|figure| (figure, Both::of(*figure, pairs))).collect();
    found.retain(|(_, of)| of.differ && (of.change.count > 0 || !several));
    if found.is_empty() {
        return String::new();
    }
    let all = found.len();
    found.retain(|((.., decimals), of)| {
        let shown = [of.change.mean(), of.change.half_width()].into_iter().flatten();
        of.change.count == 0 || !shown.map(|value| fixed(value, *decimals)).all(|text| is_nothing(&text))
    });
    let title = bold(&wrapped(title));
    let less = match all - found.len() {
        0 => String::new(),
        less => wrapped(&format!("{} by less than is shown.\n", differ_by(less))),
    };
    if found.is_empty() {
        return format!("{title}\n\n{less}\n");
    }
    let size = |of: &Both| distance(of.a.mean(), of.b.mean());
    found.sort_by(|(_, one), (_, other)| size(other).total_cmp(&size(one)));
    // Beside what is shown as nothing, everything is beyond measure.
    let over = |of: &Both, decimals| match of.a.mean().zip(of.b.mean()) {
        Some((a, b)) if !is_nothing(&fixed(a, decimals)) => gain(b, a),
        _ => "-".to_owned(),
    };
    let table = Table::of(found)
        .column(key(words("figure")), |((name, ..), _)| *name)
        .column("A", |((.., decimals), of)| number(of.a.mean(), *decimals))
        .column("B", |((.., decimals), of)| number(of.b.mean(), *decimals))
        .column("B - A", |((.., decimals), of)| change(of.change.mean(), *decimals))
        .column_if(!several, "B over A", |((.., decimals), of)| over(of, *decimals))
        .column_if(several, "± 95 %", |((.., decimals), of)| number(of.change.half_width(), *decimals))
        .column_if(several, "pairs", |(_, of)| of.change.count);
    format!("{title}\n\n{}{less}\n", table.draw())
}

fn differ_by(figures: usize) -> String {
    format!("{} {}", count(figures, "other figure"), if figures == 1 { "differs" } else { "differ" })
}

/// A line for each of many combinations whose cases are paired by seed.
fn of_combinations(names: &[&str], groups: &IndexMap<&[String], Vec<&Pair<'_>>>) -> String {
    let mut table = Table::of(groups.iter().take(MOST_LINES))
        .columns(names.iter().map(|name| key(*name)), |(knobs, _), n| knobs[n].clone())
        .column(spare(0, "pairs"), |(_, pairs)| pairs.len());
    for (name, header, decimals) in
        [("welfare [CNY]", "welfare\nof A", AMOUNT), ("in equilibrium [%]", "in equi-\nlibrium A", 1)]
    {
        let figure = *FIGURES.iter().find(|(known, ..)| *known == name).expect("it is one of the figures");
        table = table
            .column(header, |(_, pairs)| number(Both::of(figure, pairs).a.mean(), decimals))
            .column("\nB - A", |(_, pairs)| change(Both::of(figure, pairs).change.mean(), decimals))
            .column("\n± 95 %", |(_, pairs)| number(Both::of(figure, pairs).change.half_width(), decimals));
    }
    let title = format!("Paired by seed, means of each of {}", count(groups.len(), "combination"));
    format!("{}\n\n{}{}\n", bold(&title), table.draw(), more(groups.len(), MOST_LINES, "combination"))
}

/// Of many pairs a line each, those first whose welfare differs most; empty where no pair differs in any figure.
fn of_many(names: &[&str], pairs: &[Pair<'_>]) -> String {
    let welfare = |case: &KeyFigures| case.open_slots.welfare_cny;
    let mut differing: Vec<&Pair<'_>> = pairs.iter().filter(|pair| differ(&[pair])).collect();
    if differing.is_empty() {
        return String::new();
    }
    let size = |pair: &Pair<'_>| distance(Some(welfare(pair.a)), Some(welfare(pair.b)));
    differing.sort_by(|one, other| size(other).total_cmp(&size(one)));
    let title =
        format!("{} of {} differ, welfare [CNY] over the open slots", differing.len(), count(pairs.len(), "pair"));
    let table = Table::of(differing.iter().take(MOST_LINES))
        .column(key("case\nof A"), |pair| pair.a.case)
        .column(spare(0, "case\nof B"), |pair| pair.b.case)
        .columns(names.iter().map(|name| key(*name)), |pair, n| pair.knobs[n].clone())
        .column("welfare\nof A", |pair| fixed(welfare(pair.a), AMOUNT))
        .column("welfare\nof B", |pair| fixed(welfare(pair.b), AMOUNT))
        .column("B over\nA", |pair| gain(welfare(pair.b), welfare(pair.a)))
        .column("in equi-\nlibrium A", |pair| percent(pair.a.equilibrium_share))
        .column("in equi-\nlibrium B", |pair| percent(pair.b.equilibrium_share));
    format!("{}\n\n{}{}\n", bold(&title), table.draw(), more(differing.len(), MOST_LINES, "pair"))
}
