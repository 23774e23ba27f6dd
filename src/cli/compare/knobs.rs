//! `sim compare RUN`: what each knob of one run changed.

use super::{MOST_LINES, replicates::cells};
use crate::{
    cli::{
        table::{Column, table},
        text::{AMOUNT, bold, count, wrapped},
    },
    record::{PairedRow, RecordError, Run},
};
use indexmap::IndexMap;

/// What is shown of a pair of values: measure, heading, factor and decimals.
const SHOWN: [(&str, &str, f64, usize); 3] = [
    ("welfare_cny", "welfare\na slot", 1.0, AMOUNT),
    ("share_in_equilibrium", "in equi-\nlibrium [%]", 100.0, 1),
    ("time_to_equilibrium_restricted_s", "time to\nrest or\ngate [s]", 1.0, 1),
];

/// The pairs of a knob's values, over all combinations of the other knobs: from, to and what is shown of them.
type Pairs = IndexMap<(String, String), [Option<PairedRow>; SHOWN.len()]>;

/// A table for each knob, of the differences between its values over all combinations of the others.
pub(super) fn differences(run: &Run) -> Result<String, RecordError> {
    if !run.keeps(PairedRow::FILE) {
        return Ok("No knob was varied, so there is nothing to compare within the run.\n".to_owned());
    }
    let mut knobs: IndexMap<String, (u32, Pairs)> = IndexMap::new();
    for row in run.paired()? {
        let row = row?;
        let Some(place) = SHOWN.iter().position(|(measure, ..)| *measure == row.measure) else { continue };
        let (combinations, pairs) = knobs.entry(row.knob.clone()).or_default();
        // Those over all combinations come last.
        if *combinations != row.combinations {
            (*combinations, *pairs) = (row.combinations, Pairs::new());
        }
        let pair = (row.from.clone(), row.to.clone());
        pairs.entry(pair).or_default()[place] = Some(row);
    }
    Ok(knobs.iter().map(|(knob, (combinations, pairs))| of_knob(knob, *combinations, pairs)).collect())
}

fn of_knob(knob: &str, combinations: u32, pairs: &Pairs) -> String {
    let mut columns = vec![Column::new("from").key(), Column::new("to").key(), Column::new("seeds").spare(0)];
    for (_, heading, ..) in SHOWN {
        columns.extend([Column::new(heading), Column::new("± 95 %")]);
    }
    let line = |((from, to), shown): (&(String, String), &[Option<PairedRow>; SHOWN.len()])| {
        let seeds = shown.iter().flatten().map(|row| row.count).max().unwrap_or_default();
        let mut line = vec![from.clone(), to.clone(), seeds.to_string()];
        for (row, (_, _, factor, decimals)) in shown.iter().zip(SHOWN) {
            let of = |value: fn(&PairedRow) -> Option<f64>| row.as_ref().and_then(value).map(|of| factor * of);
            line.extend(cells(of(|row| row.mean), of(|row| row.ci95), decimals));
        }
        line
    };
    let over = if combinations > 1 {
        format!(", mean over {}", count(combinations as usize, "combination"))
    } else {
        String::new()
    };
    let lines = table(columns, pairs.iter().take(MOST_LINES).map(line));
    let more = match pairs.len().saturating_sub(MOST_LINES) {
        0 => String::new(),
        more => format!("and {}\n", count(more, "more pair")),
    };
    format!("{}\n\n{lines}{more}\n", bold(&wrapped(&format!("What changes with {knob}, paired by seed{over}"))))
}
