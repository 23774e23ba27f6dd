//! `sim compare RUN`: what each knob of one run changed.

use super::MOST_LINES;
use crate::{
    cli::{
        table::{Table, key, spare},
        text::{AMOUNT, bold, change, count, fixed, is_nothing, more, number, wrapped},
    },
    record::{PairedRow, RecordError, Run},
};
use indexmap::IndexMap;

/// What is shown of a pair of values: measure, heading, factor and decimals.
type Shown = [(&'static str, &'static str, f64, usize); 3];
const WELFARE: (&str, &str, f64, usize) = ("welfare_cny", "welfare\na slot", 1.0, AMOUNT);
const OF_A_GAME: Shown = [
    WELFARE,
    ("share_in_equilibrium", "in equi-\nlibrium [%]", 100.0, 1),
    ("time_to_equilibrium_restricted_s", "time to\nrest or\ngate [s]", 1.0, 1),
];
const OF_ANY: Shown =
    [WELFARE, ("savings_cny", "savings\na slot", 1.0, AMOUNT), ("time_to_end_s", "time to\nthe end\n[s]", 1.0, 1)];

/// Whether its values are mechanisms, not all of which look for an equilibrium.
fn is_of_any(knob: &str) -> bool {
    ["mechanism", "market.mechanism"].contains(&knob)
}

fn shown_of(knob: &str) -> Shown {
    if is_of_any(knob) { OF_ANY } else { OF_A_GAME }
}

/// The pairs of a knob's values, over all combinations of the other knobs: from, to and what is shown of them.
type Pairs = IndexMap<(String, String), [Option<PairedRow>; 3]>;

/// A table for each knob, of the differences between its values over all combinations of the others.
pub(super) fn differences(run: &Run) -> Result<String, RecordError> {
    if !run.keeps(PairedRow::FILE) {
        return Ok("No knob was varied, so there is nothing to compare within the run.\n".to_owned());
    }
    let mut knobs: IndexMap<String, (u32, Pairs)> = IndexMap::new();
    for row in run.paired()? {
        let row = row?;
        let Some(place) = shown_of(&row.knob).iter().position(|(measure, ..)| *measure == row.measure) else {
            continue;
        };
        let (combinations, pairs) = knobs.entry(row.knob.clone()).or_default();
        // Those over all combinations come last.
        if *combinations != row.combinations {
            (*combinations, *pairs) = (row.combinations, Pairs::new());
        }
        // The table has a point in every number.
        let short = |value: &str| value.strip_suffix(".0").unwrap_or(value).to_owned();
        let pair = (short(&row.from), short(&row.to));
        pairs.entry(pair).or_default()[place] = Some(row);
    }
    if knobs.is_empty() {
        return Ok("No two cases that differ in a knob alone are complete.\n".to_owned());
    }
    Ok(knobs.iter().map(|(knob, (combinations, pairs))| of_knob(knob, *combinations, pairs)).collect())
}

/// Whether there is anything to see between two values.
fn is_change(knob: &str, shown: &[Option<PairedRow>; 3]) -> bool {
    shown.iter().zip(shown_of(knob)).any(|(row, (.., factor, decimals))| {
        let values = row.iter().flat_map(|row| [row.mean, row.ci95]).flatten();
        values.map(|value| fixed(factor * value, decimals)).any(|text| !is_nothing(&text))
    })
}

fn of_knob(knob: &str, combinations: u32, pairs: &Pairs) -> String {
    let seeds = |shown: &[Option<PairedRow>]| shown.iter().flatten().map(|row| row.count).max().unwrap_or_default();
    let changed: Vec<_> = pairs.iter().filter(|(_, shown)| is_change(knob, shown)).collect();
    let same = match pairs.len() - changed.len() {
        0 => String::new(),
        same => format!("nothing changes between {}\n", count(same, "pair")),
    };
    let mut table = Table::of(changed.iter().take(MOST_LINES))
        .column(key("from"), |((from, _), _)| from.clone())
        .column(key("to"), |((_, to), _)| to.clone())
        .column(spare(0, "seeds"), |(_, shown)| seeds(*shown));
    for (place, (_, heading, factor, decimals)) in shown_of(knob).into_iter().enumerate() {
        // Names of mechanisms are long.
        let is_spare = place == 1 && is_of_any(knob);
        let named = |text: &str| if is_spare { spare(1, text) } else { text.into() };
        table = table.columns([heading, "± 95 %"].map(named), |(_, shown), n| {
            let of = |value: fn(&PairedRow) -> Option<f64>| shown[place].as_ref().and_then(value).map(|of| factor * of);
            if n == 0 { change(of(|row| row.mean), decimals) } else { number(of(|row| row.ci95), decimals) }
        });
    }
    let over = if combinations > 1 {
        format!(", mean over {}", count(combinations as usize, "combination"))
    } else {
        String::new()
    };
    let title = bold(&wrapped(&format!("What changes with {knob}, paired by seed{over}")));
    let table = if changed.is_empty() { String::new() } else { table.draw() };
    format!("{title}\n\n{table}{}{same}\n", more(changed.len(), MOST_LINES, "pair"))
}
