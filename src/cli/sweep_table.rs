//! The table of a sweep: what each combination of the varied knobs came to.

use super::{
    table::{Column, table},
    text::{AMOUNT, count, fixed},
};
use crate::record::{Knobs, RecordError, Run, Statistics, Summary, knob_text};

/// More combinations than this are not shown.
const MOST_LINES: usize = 20;

/// One line a combination of which a case is complete, up to [`MOST_LINES`], and where the rest is.
pub(super) fn sweep_table(run: &Run) -> Result<String, RecordError> {
    let (mut shown, mut more) = (Vec::new(), 0);
    for summary in run.summaries()? {
        let summary = summary?;
        if shown.len() < MOST_LINES {
            shown.push(summary);
        } else {
            more += 1;
        }
    }
    let no_knobs = Knobs::new();
    let knobs_of = |summary: &Summary| run.case(summary.first_case).map_or(&no_knobs, |case| &case.knobs);
    let replicates = run.manifest().replicates;
    Ok(lines(&shown, knobs_of, replicates) + &rest(more))
}

fn rest(more: usize) -> String {
    let all = "summary.csv has every measure: mean, standard deviation, 95 % interval";
    if more == 0 { format!("{all}\n") } else { format!("and {}\n{all}\n", count(more, "more combination")) }
}

fn lines<'a>(summaries: &[Summary], knobs_of: impl Fn(&Summary) -> &'a Knobs, replicates: u32) -> String {
    let names = summaries.first().map(|first| knobs_of(first).keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let several = replicates > 1;
    let mut columns = vec![Column::new("case").key()];
    columns.extend(names.into_iter().map(|name| Column::new(name).key()));
    columns.extend(several.then(|| Column::new("seeds").spare(0)));
    columns.extend([
        Column::new("in equi-\nlibrium"),
        Column::new("rounds").spare(3),
        Column::new("price\ngap"),
        Column::new("ampli-\ntude").spare(1),
        Column::new("news\nage [s]").spare(2),
        Column::new("welfare"),
    ]);
    columns.extend(several.then(|| Column::new("± 95 %")));
    let line = |summary: &Summary| {
        let mean = |name| summary.measure(name).and_then(Statistics::mean);
        let rounded = |name, decimals| mean(name).map_or_else(|| "-".to_owned(), |value| fixed(value, decimals));
        let mut cells = vec![summary.first_case.to_string()];
        cells.extend(knobs_of(summary).values().map(knob_text));
        cells.extend(several.then(|| summary.replicates.to_string()));
        let share = summary.share_in_equilibrium;
        cells.extend([
            share.map_or_else(|| "-".to_owned(), |share| format!("{} %", fixed(100.0 * share, 1))),
            rounded("rounds", 1),
            small(mean("price_gap")),
            small(mean("oscillation_amplitude")),
            rounded("information_age_mean_s", 3),
            rounded("welfare_cny", AMOUNT),
        ]);
        let half_width = || summary.measure("welfare_cny").and_then(Statistics::half_width);
        cells.extend(several.then(|| half_width().map_or_else(|| "-".to_owned(), |width| fixed(width, AMOUNT))));
        cells
    };
    table(columns, summaries.iter().map(line))
}

/// A number of which the order of magnitude matters.
fn small(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::{
            SlotRow,
            fixtures::{row_of, summaries_of},
        },
    };
    use serde_json::json;

    /// Summaries of two combinations with these replicates, of a slot with a market each.
    fn summaries(replicates: u32) -> Vec<Summary> {
        let rows = (1..=2 * replicates).map(|case| {
            let (outcome, gap, welfare) =
                if case <= replicates { ("Equilibrium", "0", 24.0) } else { ("GateClosure", "0.0123456", 22.5) };
            let welfare = (welfare + f64::from(case) / 10.0).to_string();
            let rounds = (case * 70).to_string();
            row_of::<SlotRow>(&[
                ("case", &case.to_string()),
                ("slot", "1"),
                ("sellers", "3"),
                ("buyers", "2"),
                ("admitted", "5"),
                ("outcome", outcome),
                ("rounds", &rounds),
                ("price_gap", gap),
                ("information_age_mean_s", "0.07"),
                ("welfare_cny", &welfare),
                ("oscillation_amplitude", gap),
                ("updates_per_actor", "70"),
            ])
        });
        summaries_of(rows, replicates)
    }

    #[test]
    fn combinations_read_like_this() {
        let knobs: Knobs = serde_json::from_value(json!({"delay": "1500ms", "replicator_step": 0.3})).unwrap();
        let text = plain(&lines(&summaries(3), |_| &knobs, 3)) + &rest(4);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn without_replicates_there_is_no_interval() {
        let none = Knobs::new();
        let text = plain(&lines(&summaries(1), |_| &none, 1)) + &rest(0);
        insta::assert_snapshot!(text);
    }
}
