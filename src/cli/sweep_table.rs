//! The table of a sweep: what each combination of the varied knobs came to.

use super::{
    table::{Table, key, spare},
    text::{AMOUNT, more, number, percent},
};
use crate::record::{Knobs, RecordError, Run, Statistics, Summary, knob_text};

/// More combinations than this are not shown.
const MOST_LINES: usize = 20;

/// One line a combination of which a case is complete, up to [`MOST_LINES`], and where the rest is.
pub(super) fn sweep_table(run: &Run) -> Result<String, RecordError> {
    let summaries = run.summaries()?.collect::<Result<Vec<_>, _>>()?;
    let no_knobs = Knobs::new();
    let knobs_of = |summary: &Summary| run.case(summary.first_case).map_or(&no_knobs, |case| &case.knobs);
    Ok(lines(&summaries, knobs_of, run.manifest().replicates) + &rest(summaries.len()))
}

fn rest(combinations: usize) -> String {
    let more = more(combinations, MOST_LINES, "combination");
    more + "summary.csv has every measure: mean, standard deviation, 95 % interval\n"
}

fn lines<'a>(summaries: &[Summary], knobs_of: impl Fn(&Summary) -> &'a Knobs, replicates: u32) -> String {
    let mean = |of: &Summary, name: &str| of.measure(name).and_then(Statistics::mean);
    let half_width = |of: &Summary| of.measure("welfare_cny").and_then(Statistics::half_width);
    let names = summaries.first().map(|first| knobs_of(first).keys().map(key).collect::<Vec<_>>()).unwrap_or_default();
    Table::of(summaries.iter().take(MOST_LINES))
        .column(key("case"), |of| of.first_case)
        .columns(names, |of, n| knobs_of(of).values().nth(n).map_or_else(String::new, knob_text))
        .column_if(replicates > 1, spare(0, "seeds"), |of| of.replicates)
        .column("in equi-\nlibrium", |of| percent(of.share_in_equilibrium))
        .column(spare(3, "rounds"), |of| number(mean(of, "rounds"), 1))
        .column("price\ngap", |of| small(mean(of, "price_gap")))
        .column(spare(1, "ampli-\ntude"), |of| small(mean(of, "oscillation_amplitude")))
        .column(spare(2, "news\nage [s]"), |of| number(mean(of, "information_age_mean_s"), 3))
        .column("welfare", |of| number(mean(of, "welfare_cny"), AMOUNT))
        .column_if(replicates > 1, "± 95 %", |of| number(half_width(of), AMOUNT))
        .draw()
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
        let text = plain(&lines(&summaries(3), |_| &knobs, 3)) + &rest(MOST_LINES + 4);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn without_replicates_there_is_no_interval() {
        let none = Knobs::new();
        let text = plain(&lines(&summaries(1), |_| &none, 1)) + &rest(2);
        insta::assert_snapshot!(text);
    }
}
