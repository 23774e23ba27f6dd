//! `sim compare RUN RUN`: in what two runs differ, from their scenarios to their slots; `sim compare RUN`: what the
//! knobs of one change.

mod figures;
mod knobs;
mod pairs;
mod scenarios;
mod slots;

use super::{
    error::CliError,
    print,
    text::{bold, count, in_currency, wrapped},
};
use crate::record::{RecordError, Run, Status};
use pairs::Paired;
use std::path::Path;

/// More pairs of cases than this are shown in a line each.
const MOST_PAIRS: usize = 4;
/// More lines than this are not shown of a table.
const MOST_LINES: usize = 20;

/// Prints in what the runs differ, or the combinations of one. That they differ is no failure.
pub(super) fn compare(a: &Path, b: Option<&Path>) -> Result<(), CliError> {
    print(&told(a, b).map_err(CliError::bad_input)?)
}

/// What that prints.
pub(super) fn told(a: &Path, b: Option<&Path>) -> Result<String, RecordError> {
    let a = Run::open(a)?;
    match b {
        Some(b) => difference(&a, &Run::open(b)?),
        None => knobs::differences(&a),
    }
}

fn difference(a: &Run, b: &Run) -> Result<String, RecordError> {
    let mut text = format!("{}{}\n{}\n", introduced("A", a), introduced("B", b), scenarios::difference(a, b)?);
    let (figures_a, figures_b) = (a.key_figures()?, b.key_figures()?);
    let paired = Paired::new(a, &figures_a, b, &figures_b);
    text += &paired.unpaired();
    if paired.pairs.is_empty() {
        return Ok(text + "No case of one has the same knobs as a case of the other.\n");
    }
    let mut figures = figures::differences(&paired.names, &paired.pairs);
    if !figures.is_empty() {
        figures += &format!("{}\n", wrapped(figures::SCOPE));
    }
    let slots = slots::difference(a, b, &paired.pairs)?;
    let pairs = count(paired.pairs.len(), "pair");
    let [of_a, of_b] = [a, b].map(|run| run.manifest().currency.as_str());
    let currency = if of_a == of_b { of_a.to_owned() } else { format!("{of_a} or {of_b}") };
    if of_a != of_b {
        text += &wrapped(&format!("Money is in {of_a} in A and in {of_b} in B: it is compared number by number.\n"));
        text += "\n";
    }
    let differences = match (figures.is_empty(), slots.as_deref()) {
        (true, Some("")) => format!("All key figures and slots are the same in {pairs} of cases.\n"),
        (true, None) => format!("All key figures are the same in {pairs} of cases.\n"),
        (true, Some(slots)) => format!("All key figures are the same in {pairs} of cases.\n\n{slots}"),
        (false, Some("")) => figures + "All slots are the same.\n",
        (false, Some(slots)) => figures + slots,
        (false, None) => figures + "Slots cannot be compared: not both runs have recorded them.\n",
    };
    Ok(text + &in_currency(&differences, &currency))
}

/// `A: results/day/2026-11-25T19-31-59Z-seed7, day, delay = 1s, 2 cases, finished`.
fn introduced(name: &str, run: &Run) -> String {
    let manifest = run.manifest();
    let status = match &manifest.status {
        Status::Unfinished => "not finished",
        Status::Finished => "finished",
        Status::Failed(_) => "failed",
        Status::Interrupted => "interrupted",
    };
    let cases = count(manifest.case_count as usize, "case");
    wrapped(&format!("{}: {}, {}, {cases}, {status}\n", bold(name), run.folder().display(), manifest.title()))
}
