//! `sim show RUN`: the tables of a run, read back from its folder.

use super::{
    bill,
    case_tables::{clearings, outcome},
    error::CliError,
    names::Names,
    price_path, print,
    slot_name::SlotName,
    summary,
    text::{AMOUNT, PRICE, bold, cell, count, fixed, in_currency, wrapped},
    trade_matrix,
};
use crate::{
    record::{CaseEntry, RecordError, Row, Run, SlotRow},
    scenario::schema::Record,
};
use microgrid_agents::statement::Outcome;
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
            let found = called(&run, slot, only).map_err(CliError::bad_input)?;
            if found.is_empty() {
                return Err(no_slot(&run, slot, only));
            }
            if let Some([one, other]) = of_one_case(&found) {
                let time = |row: &SlotRow| row.time.clone().unwrap_or_default();
                return Err(slot.is_of_two([&time(one), &time(other)]));
            }
            let shown = found.iter().map(|row| show_slot(&run, row)).collect::<Result<_, _>>();
            shown.map_err(CliError::bad_input)?
        }
    };
    Ok(in_currency(&text, &run.manifest().currency).into_owned())
}

fn case_with_results(run: &Run, number: u32) -> Result<&CaseEntry, CliError> {
    let last = run.last_slot().map_err(CliError::bad_input)?.map(|(case, _)| case);
    run.case(number).filter(|case| last >= Some(case.case)).ok_or_else(|| {
        let first = *run.manifest().numbers().start();
        let others = match last {
            None => "it has none at all".to_owned(),
            Some(last) if last == first => format!("it has those of case {first}"),
            Some(last) => format!("it has those of cases {first} to {last}"),
        };
        CliError::bad_input(format!("the run has no results of case {number}; {others}"))
    })
}

/// Which slots there are of all cases, or of `only` one, beside the one that is not.
fn no_slot(run: &Run, slot: &SlotName, only: Option<&CaseEntry>) -> CliError {
    let rows = run.rows::<SlotRow>().into_iter().flatten().flatten();
    let mut rows = rows.filter(|row| only.is_none_or(|only| only.case == row.case));
    let ends = rows.next().map(|row| {
        rows.fold((row.clone(), row), |(first, last), row| {
            if row.slot < first.slot {
                (row, last)
            } else if row.slot > last.slot {
                (first, row)
            } else {
                (first, last)
            }
        })
    });
    let others = match ends {
        None => "it has those of none".to_owned(),
        Some((first, last)) => {
            let times = match (slot, first.time.zip(last.time)) {
                (_, Some((first, last))) => format!(", which begin from {first} to {last}"),
                (SlotName::Time(_), None) => ", which have no dates".to_owned(),
                (SlotName::Number(_), None) => String::new(),
            };
            format!("it has those of slots {} to {}{times}", first.slot, last.slot)
        }
    };
    CliError::bad_input(format!("the run has no results of {slot}; {others}"))
}

/// The slots that are called so in all cases, or in `only` one.
fn called(run: &Run, wanted: &SlotName, only: Option<&CaseEntry>) -> Result<Vec<SlotRow>, RecordError> {
    let is_wanted =
        |row: &SlotRow| wanted.is(row.slot, row.time.as_deref()) && only.is_none_or(|only| only.case == row.case);
    run.rows::<SlotRow>()?.filter(|row| row.as_ref().map_or(true, is_wanted)).collect()
}

/// Two of these slots that are of the same case.
fn of_one_case(rows: &[SlotRow]) -> Option<[&SlotRow; 2]> {
    rows.array_windows().find(|[one, other]| one.case == other.case).map(|[one, other]| [one, other])
}

/// A slot: how it ended, prices, trades and prosumers.
fn show_slot(run: &Run, row: &SlotRow) -> Result<String, RecordError> {
    let Some(case) = run.case(row.case) else { return Ok(String::new()) };
    let at = row.time.as_ref().map_or_else(String::new, |time| format!(" at {time}"));
    let title = format!("{}, slot {}{at}", summary::title(run, case), row.slot);
    let mut text = format!("{}\n{}\n", bold(&wrapped(&title)), headline(row));
    if run.record() == Record::Full {
        let (trades, prosumers) = (rows(run, row)?, rows(run, row)?);
        let names = Names::of(&prosumers);
        text += &price_path::game(&rows(run, row)?, &names);
        text += &clearings(&rows(run, row)?);
        text += &trade_matrix::trade_matrix(&trades, &prosumers);
        text += &trade_matrix::balances(&prosumers);
    } else {
        text += "trades and prosumers were not recorded: the scenario has `record: Slots`\n";
    }
    Ok(text + "\n")
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
         {} with less welfare than alone\n",
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
        let shown = |slot| {
            let found = called(&run, &SlotName::Number(slot), None).unwrap();
            plain(&found.iter().map(|row| show_slot(&run, row).unwrap()).collect::<String>())
        };
        let market = shown(2);
        assert!(market.contains("Equilibrium after 7 rounds, mean price 1.2000, equilibrium price 1.2000 CNY/kWh"));
        assert!(market.contains("from 2") && market.contains("sold"));
        assert!(shown(3).contains("no trades"));
    }

    #[test]
    fn an_unknown_slot_or_case_is_bad_input() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        assert!(called(&run, &SlotName::Number(4), None).unwrap().is_empty());
        assert_eq!(
            no_slot(&run, &SlotName::Number(4), None).text,
            "error: the run has no results of slot 4; it has those of slots 1 to 3"
        );
        assert_eq!(
            no_slot(&run, &"2016-06-05T12:00Z".parse().unwrap(), None).text,
            "error: the run has no results of a slot that begins at 2016-06-05T12:00Z; it has those of slots 1 to 3, which \
             have no dates"
        );
        let error = case_with_results(&run, 2).unwrap_err();
        assert_eq!(error.text, "error: the run has no results of case 2; it has those of case 1");
        assert!(case_with_results(&run, 1).is_ok() && case_with_results(&run, 0).is_err());
    }
}
