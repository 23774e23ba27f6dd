//! What differs between replicates with the same seed, and how sure that is.

use super::{
    MOST_LINES, MOST_PAIRS,
    figures::{FIGURES, Figure, distance},
    pairs::Pair,
};
use crate::{
    cli::{
        table::{Column, columns, table},
        text::{AMOUNT, bold, count, fixed, signed, wrapped},
    },
    record::Statistics,
};
use indexmap::IndexMap;

/// The pairs of cases with the same seed that have the same values of all knobs.
struct Group<'a> {
    knobs: &'a [String],
    pairs: Vec<&'a Pair<'a>>,
}

/// A figure over the pairs in which it is defined.
struct Paired {
    a: Statistics,
    b: Statistics,
    /// B - A of each pair.
    change: Statistics,
}

impl Group<'_> {
    fn figure(&self, (_, value, _): Figure) -> Paired {
        let both: Vec<_> = self.pairs.iter().filter_map(|pair| value(pair.a).zip(value(pair.b))).collect();
        Paired {
            a: both.iter().map(|(a, _)| *a).collect(),
            b: both.iter().map(|(_, b)| *b).collect(),
            change: both.iter().map(|(a, b)| b - a).collect(),
        }
    }
}

impl Paired {
    /// Whether any pair differs.
    fn differs(&self) -> bool {
        self.change.mean() != Some(0.0) || self.change.standard_deviation() != Some(0.0)
    }

    /// The mean change and half the width of its 95 % confidence interval.
    fn cells(&self, decimals: usize) -> [String; 2] {
        cells(self.change.mean(), self.change.half_width(), decimals)
    }
}

/// A mean difference, and half the width of its 95 % confidence interval.
pub(super) fn cells(mean: Option<f64>, half_width: Option<f64>, decimals: usize) -> [String; 2] {
    let shown =
        |value: Option<f64>, text: fn(f64, usize) -> String| value.map_or("-".to_owned(), |of| text(of, decimals));
    [shown(mean, signed), shown(half_width, fixed)]
}

/// What differs between A and B over cases with the same seed, for each combination of the knobs of which there are
/// several; empty where there is none, or nothing differs.
pub(super) fn differences(names: &[&str], pairs: &[Pair<'_>]) -> String {
    let mut groups: IndexMap<&[String], Vec<&Pair<'_>>> = IndexMap::new();
    for pair in pairs.iter().filter(|pair| pair.a.seed == pair.b.seed) {
        groups.entry(&pair.knobs).or_default().push(pair);
    }
    let groups = groups.into_iter().map(|(knobs, pairs)| Group { knobs, pairs }).filter(|group| group.pairs.len() > 1);
    let groups: Vec<Group<'_>> =
        groups.filter(|group| FIGURES.iter().any(|figure| group.figure(*figure).differs())).collect();
    match groups.len() {
        0 => String::new(),
        1..=MOST_PAIRS => groups.iter().map(|group| of_group(names, group)).collect(),
        _ => of_many(names, &groups),
    }
}

/// The figures that differ, the greatest difference first.
fn of_group(names: &[&str], group: &Group<'_>) -> String {
    let knobs: String = names.iter().zip(group.knobs).map(|(name, value)| format!(", {name} = {value}")).collect();
    let title = format!("Paired by seed, means of {} each{knobs}", count(group.pairs.len(), "case"));
    let mut found: Vec<_> = FIGURES.iter().map(|figure| (figure, group.figure(*figure))).collect();
    found.retain(|(_, paired)| paired.change.count > 0 && paired.differs());
    let size = |paired: &Paired| distance(paired.a.mean(), paired.b.mean());
    found.sort_by(|(_, one), (_, other)| size(other).total_cmp(&size(one)));
    let rows = found.into_iter().map(|((name, _, decimals), paired)| {
        let mean = |of: &Statistics| of.mean().map_or_else(|| "-".to_owned(), |mean| fixed(mean, *decimals));
        let [change, half_width] = paired.cells(*decimals);
        let pairs = paired.change.count.to_string();
        vec![(*name).to_owned(), mean(&paired.a), mean(&paired.b), change, half_width, pairs]
    });
    let columns = columns(["figure", "A", "B", "B - A", "± 95 %", "pairs"], &[0]);
    format!("{}\n\n{}\n", bold(&wrapped(&title)), table(columns, rows))
}

/// A line for each of many combinations.
fn of_many(names: &[&str], groups: &[Group<'_>]) -> String {
    let mut columns: Vec<Column> = names.iter().map(|name| Column::new(*name).key()).collect();
    columns.extend([
        Column::new("pairs").spare(0),
        Column::new("welfare\nof A"),
        Column::new("\nB - A"),
        Column::new("\n± 95 %"),
        Column::new("in equi-\nlibrium A"),
        Column::new("\nB - A"),
        Column::new("\n± 95 %"),
    ]);
    let [welfare, share] = ["welfare [CNY]", "in equilibrium [%]"]
        .map(|name| *FIGURES.iter().find(|(known, ..)| *known == name).expect("it is one of the figures"));
    let line = |group: &Group<'_>| {
        let mut line = group.knobs.to_vec();
        line.push(group.pairs.len().to_string());
        for (figure, decimals) in [(welfare, AMOUNT), (share, 1)] {
            let paired = group.figure(figure);
            line.push(paired.a.mean().map_or_else(|| "-".to_owned(), |mean| fixed(mean, decimals)));
            line.extend(paired.cells(decimals));
        }
        line
    };
    let title = format!("Paired by seed, means of each of {}", count(groups.len(), "combination"));
    let lines = table(columns, groups.iter().take(MOST_LINES).map(line));
    let more = match groups.len().saturating_sub(MOST_LINES) {
        0 => String::new(),
        more => format!("and {}\n", count(more, "more combination")),
    };
    format!("{}\n\n{lines}{more}\n", bold(&title))
}
