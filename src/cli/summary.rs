//! What a run came to: its slots, how its cases compare, and where everything is.

use super::{
    comparison::comparison,
    slot_table::slot_table,
    text::{count, fixed, knobs},
};
use crate::record::{CaseEntry, RecordError, Run, SlotRow, Status};

/// Tables of the open slots of every case, or of `only` one, and the comparison of all cases that are done.
pub(super) fn summary(run: &Run, only: Option<&CaseEntry>) -> Result<String, RecordError> {
    let cases: Vec<&CaseEntry> =
        run.manifest().cases.iter().filter(|case| only.is_none_or(|only| only == *case)).collect();
    let open_rows = open_rows(run, &cases)?;
    let mut text = String::new();
    for (case, rows) in cases.iter().zip(&open_rows) {
        text += &format!("{}: prices in CNY/kWh, welfare in CNY\n\n{}\n", title(run, case), slot_table(rows));
    }
    if !run.key_figures().is_empty() {
        text += &comparison(run.key_figures());
        text.push('\n');
    }
    text += "The market was closed in all other slots; slots.csv has them too.\n";
    text += &ending(run);
    Ok(text)
}

/// `5_prosumers, case 2 of 2, mu = 1, seed 2023`.
pub(super) fn title(run: &Run, case: &CaseEntry) -> String {
    let manifest = run.manifest();
    let knobs = knobs(&case.knobs);
    let separator = if knobs.is_empty() { "" } else { ", " };
    format!(
        "{}, case {} of {}, {knobs}{separator}seed {}",
        manifest.scenario, case.case, manifest.case_count, case.seed
    )
}

/// The rows of the open slots, case by case.
fn open_rows(run: &Run, cases: &[&CaseEntry]) -> Result<Vec<Vec<SlotRow>>, RecordError> {
    let mut rows: Vec<Vec<SlotRow>> = cases.iter().map(|_| Vec::new()).collect();
    for row in run.rows::<SlotRow>()? {
        let row = row?;
        let of = cases.iter().position(|case| case.case == row.case);
        if let Some(index) = of.filter(|&index| (cases[index].open.0..=cases[index].open.1).contains(&row.slot)) {
            rows[index].push(row);
        }
    }
    Ok(rows)
}

/// Where the results are, and how the run ended.
fn ending(run: &Run) -> String {
    let manifest = run.manifest();
    let wall = manifest.wall_seconds.map_or_else(String::new, |seconds| format!(" in {} s", fixed(seconds, 2)));
    let status = match &manifest.status {
        Status::Unfinished => "not finished".to_owned(),
        Status::Finished => format!("finished{wall}"),
        Status::Failed(reason) => format!("failed{wall}: {reason}"),
        Status::Interrupted => format!("interrupted{wall}"),
    };
    let cases = count(manifest.case_count as usize, "case");
    format!("{cases}, {status}\nresults: {}\n", run.folder().display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{day::Day, whole_case};

    #[test]
    fn only_open_slots_are_shown_and_the_rest_is_told() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let text = summary(&run, None).unwrap();
        let (title, rest) = text.split_once('\n').unwrap();
        assert_eq!(title, "day, case 1 of 2, mu = 0, seed 7: prices in CNY/kWh, welfare in CNY");
        let table: Vec<&str> = rest.split("\n\n").next().unwrap().trim_start().lines().skip(3).collect();
        assert_eq!(table.len(), 2);
        assert!(table[0].trim_start().starts_with('2') && table[0].contains("1.2000  "), "{}", table[0]);
        assert!(table[1].trim_start().starts_with('3') && table[1].contains("NoMarket"), "{}", table[1]);
        assert!(text.contains("welfare over the 2 open slots"));
        assert!(text.ends_with(&format!("2 cases, not finished\nresults: {}\n", run.folder().display())));
    }
}
