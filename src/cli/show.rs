//! `sim show RUN`: the tables of a run, read back from its folder.

use super::{
    args::SlotName,
    bill,
    case_tables::{clearings, outcome},
    error::CliError,
    price_path, print, summary,
    text::{AMOUNT, PRICE, bold, cell, count, fixed, in_currency, wrapped},
    trade_matrix,
};
use crate::{
    record::{CaseEntry, RecordError, Row, Run, SlotRow},
    scenario::schema::Record,
};
use microgrid_agents::{ids::Slot, statement::Outcome};
use std::path::Path;

/// Prints the run's slots, a slot's trades and prosumers, or a member's bills.
pub(super) fn show(
    run: &Path,
    slot: Option<&SlotName>,
    member: Option<&str>,
    case: Option<u32>,
) -> Result<(), CliError> {
    print(&told(run, slot, member, case)?)
}

/// What that prints.
pub(super) fn told(
    run: &Path,
    slot: Option<&SlotName>,
    member: Option<&str>,
    case: Option<u32>,
) -> Result<String, CliError> {
    let run = Run::open(run).map_err(CliError::bad_input)?;
    let only = case.map(|number| case_with_results(&run, number)).transpose()?;
    let text = match (slot, member) {
        (_, Some(member)) => bill::bills(&run, member, only)?,
        (None, None) => summary::summary(&run, only).map_err(CliError::bad_input)?,
        (Some(slot), None) => {
            let text = show_slot(&run, slot, only).map_err(CliError::bad_input)?;
            if text.is_empty() {
                return Err(no_slot(&run, slot, only));
            }
            text
        }
    };
    Ok(in_currency(&text, &run.manifest().currency).into_owned())
}

fn case_with_results(run: &Run, number: u32) -> Result<&CaseEntry, CliError> {
    let last = run.last_slot().map_err(CliError::bad_input)?.map_or(0, |(case, _)| case);
    run.case(number).filter(|case| case.case <= last).ok_or_else(|| {
        let others = match last {
            0 => "it has none at all".to_owned(),
            1 => "it has those of case 1".to_owned(),
            last => format!("it has those of cases 1 to {last}"),
        };
        CliError::bad_input(format!("the run has no results of case {number}; {others}"))
    })
}

/// Which slots there are of all cases, or of `only` one, beside the one that is not.
fn no_slot(run: &Run, slot: &SlotName, only: Option<&CaseEntry>) -> CliError {
    let rows = run.rows::<SlotRow>().into_iter().flatten().flatten();
    let slots = rows.filter(|row| only.is_none_or(|only| only.case == row.case)).map(|row| row.slot);
    let (first, last) = slots.fold((Slot::MAX, 0), |(first, last), slot| (first.min(slot), last.max(slot)));
    let others =
        if last == 0 { "it has those of none".to_owned() } else { format!("it has those of slots {first} to {last}") };
    CliError::bad_input(format!("the run has no results of {slot}; {others}"))
}

/// The slot in all cases or in `only` one; empty where there are no results of it.
fn show_slot(run: &Run, wanted: &SlotName, only: Option<&CaseEntry>) -> Result<String, RecordError> {
    let mut text = String::new();
    // Where clocks show a time twice, the first slot is meant.
    let mut shown = 0;
    for row in run.rows::<SlotRow>()? {
        let row = row?;
        let is_it = match wanted {
            SlotName::Number(slot) => row.slot == *slot,
            SlotName::Time(time) => {
                shown != row.case && row.time.as_ref().is_some_and(|begins| begins.starts_with(time.as_str()))
            }
        };
        let is_wanted = is_it && only.is_none_or(|only| only.case == row.case);
        let Some(case) = run.case(row.case).filter(|_| is_wanted) else { continue };
        shown = row.case;
        let at = row.time.as_ref().map_or_else(String::new, |time| format!(" at {time}"));
        let title = format!("{}, slot {}{at}", summary::title(run, case), row.slot);
        text += &format!("{}\n{}\n", bold(&wrapped(&title)), headline(&row));
        if run.record() == Record::Full {
            let (trades, prosumers) = (rows(run, &row)?, rows(run, &row)?);
            text += &price_path::game(&rows(run, &row)?);
            text += &clearings(&rows(run, &row)?);
            text += &trade_matrix::trade_matrix(&trades, &prosumers);
            text += &trade_matrix::balances(&prosumers);
        } else {
            text += "trades and prosumers were not recorded: the scenario has `record: Slots`\n";
        }
        text.push('\n');
    }
    Ok(text)
}

/// The rows that a table has of a slot.
fn rows<R: Row>(run: &Run, slot: &SlotRow) -> Result<Vec<R>, RecordError> {
    run.rows_of(&run.section::<R>(slot.case, slot.slot..=slot.slot)?)?.collect()
}

fn headline(row: &SlotRow) -> String {
    let ended = match (row.outcome, row.time_to_end_s) {
        (Outcome::Cleared, Some(time)) => {
            format!("{:?} by {} after {} s", row.outcome, row.mechanism, fixed(time.value(), 1))
        }
        _ => format!("{:?} after {} rounds", row.outcome, row.rounds),
    };
    let price = cell(row.price_mean_cny_per_kwh, PRICE);
    let theory = cell(row.equilibrium_price_cny_per_kwh, PRICE);
    let [consumed, load] = [row.consumption_kwh, row.load_kwh].map(|amount| fixed(amount.value(), AMOUNT));
    let line = wrapped(&format!(
        "{ended}, mean price {price}, equilibrium price {theory} CNY/kWh, {consumed} kWh consumed of a load of {load} kWh, \
         {} worse off than alone\n",
        count(row.worse_off as usize, "prosumer")
    ));
    let outcome = outcome(row.outcome);
    line.replacen(&outcome.text, &outcome.shown(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::fixtures::{day::Day, whole_case},
    };

    #[test]
    fn a_slot_shows_its_trades_or_that_there_are_none() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let market = plain(&show_slot(&run, &SlotName::Number(2), None).unwrap());
        assert!(market.contains("Equilibrium after 7 rounds, mean price 1.2000, equilibrium price 1.2000 CNY/kWh"));
        assert!(market.contains("from 2") && market.contains("sold"));
        assert!(show_slot(&run, &SlotName::Number(3), None).unwrap().contains("no trades"));
    }

    #[test]
    fn an_unknown_slot_or_case_is_bad_input() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        assert_eq!(show_slot(&run, &SlotName::Number(4), None).unwrap(), "");
        assert_eq!(
            no_slot(&run, &SlotName::Number(4), None).text,
            "error: the run has no results of slot 4; it has those of slots 1 to 3"
        );
        let error = case_with_results(&run, 2).unwrap_err();
        assert_eq!(error.text, "error: the run has no results of case 2; it has those of case 1");
        assert!(case_with_results(&run, 1).is_ok() && case_with_results(&run, 0).is_err());
    }
}
