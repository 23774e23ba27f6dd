//! What a run came to: its slots, how its cases compare, and where everything is.

use super::{
    case_tables::{ledger_table, slot_table},
    comparison::{comparison, sweep_table},
    periods, price_path,
    text::{self, MOST_SLOTS, bold, count, fixed, red, tally, values, wrapped},
};
use crate::{
    framework::quoted,
    record::{CaseEntry, LedgerRow, Manifest, PartOf, RecordError, Run, SlotRow, Status, knob_text},
    report,
    scenario::{Part, schema::Record},
};
use microgrid_agents::ids::Slot;
use std::path::Path;

/// A study of more cases than this is a sweep, of which not every slot is of interest.
const MOST_CASES: u32 = 4;

/// Tables of the open slots of every case that has results, or of `only` one, and the comparison of all cases that are
/// done; of many slots, unless one case is asked for, how many ended how; of a sweep, and of a run that keeps no slots, the
/// table of its combinations.
pub(super) fn summary(run: &Run, only: Option<&CaseEntry>) -> Result<String, RecordError> {
    let sweep = run.manifest().study_cases() > MOST_CASES || run.record() == Record::Summary;
    if sweep && only.is_none() {
        let means = "means over the slots with a market, prices in CNY/kWh, welfare in CNY";
        let title = bold(&wrapped(&format!("{}: {means}", run.manifest().title())));
        let text = format!("{title}\n\n{}\n", sweep_table(run)?);
        return Ok(text + &rest(run.manifest(), run.record(), run.last_slot()?) + &ending(run));
    }
    let mut text = String::new();
    for case in run.manifest().cases.iter().filter(|case| only.is_none_or(|only| only.case == case.case)) {
        let Some((first, last)) = case.open.ends() else { continue };
        let open = run.section::<SlotRow>(case.case, first..=last)?;
        let is_open = |row: &Result<SlotRow, _>| row.as_ref().map_or(true, |row| case.open.contains(row.slot));
        let rows = run.rows_of(&open)?.filter(is_open).collect::<Result<Vec<SlotRow>, _>>()?;
        if rows.is_empty() {
            continue;
        }
        let title = bold(&wrapped(&format!("{}: prices in CNY/kWh, welfare in CNY", title(run, case))));
        let many = rows.len() > MOST_SLOTS;
        let slots = match periods::table(run, case)?.filter(|_| many) {
            Some(table) => table + &tally_line(&rows) + &look(run, &rows),
            None if many && only.is_none() => outcomes(run, &rows),
            None => slot_table(&rows),
        };
        text += &format!("{title}\n\n{slots}{}\n", price_path::day(&rows));
        let channels = run.rows::<LedgerRow>()?.filter(|row| row.as_ref().map_or(true, |row| row.case == case.case));
        let channels = channels.collect::<Result<Vec<_>, _>>()?;
        if !channels.is_empty() {
            text += &(ledger_table(&channels) + "\n");
        }
    }
    if !sweep {
        let figures = run.key_figures()?;
        if !figures.is_empty() {
            text += &(comparison(&figures) + "\n");
            if periods::has_dates(run)? {
                text += &(periods::figures(&figures) + "\n");
            }
        }
    }
    Ok(text + &rest(run.manifest(), run.record(), run.last_slot()?) + &ending(run))
}

/// How many of these slots of a case ended how, and where to look at each.
fn outcomes(run: &Run, rows: &[SlotRow]) -> String {
    let folder = quoted(&run.folder().display().to_string());
    let case = rows.first().map_or(1, |row| row.case);
    format!(
        "{}each in a line: `sim show {folder} --case {case}`\none in detail: `sim show {folder} --slot K`\n",
        tally_line(rows)
    )
}

fn tally_line(rows: &[SlotRow]) -> String {
    let outcomes = tally(rows.iter().map(|row| format!("{:?}", row.outcome)));
    wrapped(&format!("{}: {outcomes}", count(rows.len(), "slot"))) + "\n"
}

/// Where to look at what has dates: at the slot with most trade, for example.
fn look(run: &Run, rows: &[SlotRow]) -> String {
    let folder = quoted(&run.folder().display().to_string());
    let busiest = rows.iter().max_by(|one, other| one.traded_kwh.value().total_cmp(&other.traded_kwh.value()));
    // Without seconds and offset, where clocks show it once.
    let whole = busiest.and_then(|row| row.time.as_deref()).unwrap_or("TIME");
    let short = whole.get(..16).unwrap_or(whole);
    let is_shown_once =
        rows.iter().filter(|row| row.time.as_deref().is_some_and(|time| time.starts_with(short))).count() <= 1;
    let time = if is_shown_once { short } else { whole };
    format!("one slot: `sim show {folder} --slot {time}`\none member: `sim show {folder} --member NAME`\n")
}

/// What the tables do not show: the slots in which the market was closed or, where the run ended early, those without
/// results.
fn rest(manifest: &Manifest, record: Record, last: Option<(u32, Slot)>) -> String {
    let (slots, numbers) = (manifest.slots, manifest.numbers());
    let end = *numbers.end();
    let (case, slot) = last.unwrap_or((numbers.start() - 1, slots));
    let mut missing = Vec::new();
    if slot < slots {
        missing.push(format!("case {case} from slot {} on", slot + 1));
    }
    match end - case {
        0 => {}
        1 => missing.push(format!("case {end}")),
        _ => missing.push(format!("cases {} to {end}", case + 1)),
    }
    if !missing.is_empty() {
        return format!("Without results: {}.\n", missing.join(", "));
    }
    let closed = manifest.cases.iter().any(|case| case.open.count() != slots as usize);
    if record == Record::Summary {
        "No slots were recorded: the scenario has `record: Summary`.\n".to_owned()
    } else if closed {
        "The market was closed in all other slots; slots.csv has them too.\n".to_owned()
    } else {
        String::new()
    }
}

/// `5_prosumers, case 2 of 2, mu = 1, seed 2023`.
pub(super) fn title(run: &Run, case: &CaseEntry) -> String {
    let knobs = values(case.knobs.iter().map(|(name, value)| (name, knob_text(value))));
    let (title, cases) = (run.manifest().title(), run.manifest().study_cases());
    format!("{title}, case {} of {cases}{knobs}, seed {}", case.case, case.seed)
}

/// Where the results are, and how the run ended.
fn ending(run: &Run) -> String {
    let manifest = run.manifest();
    let wall = manifest.wall_seconds.map_or_else(String::new, |seconds| format!(" in {} s", fixed(seconds, 2)));
    let status = match &manifest.status {
        Status::Unfinished => "not finished".to_owned(),
        Status::Finished => format!("finished{wall}"),
        Status::Failed(reason) => format!("{}{wall}: {reason}", red("failed")),
        Status::Interrupted => format!("{}{wall}", red("interrupted")),
    };
    let cases = count(manifest.case_count as usize, "case");
    let unsigned = if manifest.unsigned { ", unsigned" } else { "" };
    let report = if run.keeps(report::page::FILE) {
        format!("report: {}\n", run.folder().join(report::page::FILE).display())
    } else {
        String::new()
    };
    let part = manifest.part.map_or_else(String::new, |part| next_step(run, part));
    format!("{cases}{unsigned}, {status}\nresults: {}\n{report}{part}", run.folder().display())
}

/// Of which part these results are, and what becomes of all parts.
fn next_step(run: &Run, part: PartOf) -> String {
    let PartOf { number, of, case_count, .. } = part;
    let numbers: Vec<u32> = run.manifest().numbers().collect();
    let of_study = format!("part {number} of {of}: {} of {case_count}", text::cases(&numbers));
    // Where all parts lie beside each other, unless this one has been moved.
    let home = run.folder().parent().and_then(|home| Some((home.parent()?, home.file_name()?.to_str()?)));
    let usual = Part::named(&run.manifest().scenario, number, of);
    let parts = match home.filter(|(_, name)| *name == usual) {
        Some((root, _)) => all_parts(root, &run.manifest().scenario, of),
        None => "RUNS".to_owned(),
    };
    format!("{of_study}; once all parts are done: `sim merge {parts}`\n")
}

/// What a shell makes the folders of all parts of: `results/sweep.part-*-of-20`.
pub(super) fn all_parts(root: &Path, name: &str, of: u32) -> String {
    let before = root.join(format!("{name}.part-"));
    format!("{}*-of-{of}", quoted(&before.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::fixtures::{day::Day, whole_case},
    };
    use microgrid_agents::market::opening::OpenSlots;

    #[test]
    fn only_open_slots_are_shown_and_the_rest_is_told() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let text = plain(&summary(&run, None).unwrap());
        let (title, rest) = text.split_once('\n').unwrap();
        assert_eq!(title, "day, case 1 of 2, mu = 0, seed 7: prices in CNY/kWh, welfare in CNY");
        let table: Vec<&str> = rest.split("\n\n").next().unwrap().trim_start().lines().skip(3).collect();
        assert_eq!(table.len(), 3);
        assert!(table[0].trim_start().starts_with('2') && table[0].contains("1.2000  "), "{}", table[0]);
        assert!(table[1].trim_start().starts_with('3') && table[1].contains("NoMarket"), "{}", table[1]);
        assert_eq!(table[2], "price in slots 2 to 3: ▁  1.2000 to 1.2000");
        assert!(text.contains("\nrefused: 3 StaleRead\n\n"), "{text}");
        assert!(text.contains("welfare over the 2 open slots"));
        assert!(text.ends_with(&format!("2 cases, not finished\nresults: {}\n", run.folder().display())));
    }

    #[test]
    fn an_unfinished_run_tells_what_has_no_results_and_nothing_of_opening_hours() {
        let (day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let text = summary(&run, None).unwrap();
        assert!(text.contains("\nWithout results: case 2.\n") && !text.contains("The market was closed"), "{text}");
        drop(day);

        let manifest = |case_count, open: (u32, u32)| {
            let mut manifest = run.manifest().clone();
            manifest.case_count = case_count;
            manifest.cases.iter_mut().for_each(|case| case.open = OpenSlots::span(open.0, open.1));
            manifest
        };
        let rest = |case_count, open, last| rest(&manifest(case_count, open), Record::Full, last);
        assert_eq!(rest(2, (2, 3), None), "Without results: cases 1 to 2.\n");
        assert_eq!(rest(4, (2, 3), Some((1, 2))), "Without results: case 1 from slot 3 on, cases 2 to 4.\n");
        assert_eq!(rest(2, (1, 3), Some((2, 1))), "Without results: case 2 from slot 2 on.\n");
        assert_eq!(rest(2, (1, 3), Some((2, 3))), "");
        assert_eq!(
            rest(2, (2, 3), Some((2, 3))),
            "The market was closed in all other slots; slots.csv has them too.\n"
        );
    }
}
