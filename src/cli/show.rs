//! `sim show RUN`: the tables of a run, read back from its folder.

use super::{
    args::ShowArguments,
    error::CliError,
    price_path, print, slot_table, summary,
    text::{AMOUNT, PRICE, bold, cell, count, fixed, wrapped},
    trade_matrix,
};
use crate::{
    record::{CaseEntry, ConvergenceRow, ProsumerRow, RecordError, Row, Run, SlotRow, TradeRow},
    scenario::schema::Record,
};
use microgrid_agents::ids::Slot;
use std::collections::BTreeMap;

/// Prints the run's slots or, with a slot given, that slot's trades and prosumers.
pub(super) fn show(arguments: &ShowArguments) -> Result<(), CliError> {
    let run = Run::open(&arguments.run).map_err(CliError::BadRun)?;
    let only = arguments.case.map(|number| case_with_results(&run, number)).transpose()?;
    match arguments.slot {
        None => print(&summary::summary(&run, only).map_err(CliError::BadRun)?),
        Some(slot) => print(&show_slot(&run, slot, only)?),
    }
}

fn case_with_results(run: &Run, number: u32) -> Result<&CaseEntry, CliError> {
    let last = run.last_slot().map_err(CliError::BadRun)?.map_or(0, |(case, _)| case);
    run.case(number).filter(|case| case.case <= last).ok_or(CliError::NoCase { case: number, last })
}

/// The slot in all cases or in `only` one.
fn show_slot(run: &Run, slot: Slot, only: Option<&CaseEntry>) -> Result<String, CliError> {
    let slots = rows(run, true, |row: &SlotRow| row.slot == slot).map_err(CliError::BadRun)?;
    let full = run.record() == Record::Full;
    let wanted = |case: u32, of: Slot| full && of == slot && only.is_none_or(|only| only.case == case);
    let trades = rows(run, full, |row: &TradeRow| wanted(row.case, row.slot)).map_err(CliError::BadRun)?;
    let prosumers = rows(run, full, |row: &ProsumerRow| wanted(row.case, row.slot)).map_err(CliError::BadRun)?;
    let quotes = rows(run, full, |row: &ConvergenceRow| wanted(row.case, row.slot)).map_err(CliError::BadRun)?;
    let (trades, prosumers) = (by_case(&trades, |trade| trade.case), by_case(&prosumers, |prosumer| prosumer.case));
    let quotes = by_case(&quotes, |quote| quote.case);
    let mut text = String::new();
    for row in slots.iter().filter(|row| only.is_none_or(|only| only.case == row.case)) {
        let Some(case) = run.case(row.case) else { continue };
        let prosumers = prosumers.get(&row.case).map_or(&[][..], Vec::as_slice);
        let trades = trades.get(&row.case).map_or(&[][..], Vec::as_slice);
        let title = format!("{}, slot {slot}", summary::title(run, case));
        text += &format!("{}\n{}\n", bold(&wrapped(&title)), headline(row));
        if full {
            text += &price_path::game(quotes.get(&row.case).map_or(&[][..], Vec::as_slice));
            text += &trade_matrix::trade_matrix(trades, prosumers);
            text += &trade_matrix::balances(prosumers);
        } else {
            text += "trades and prosumers were not recorded: the scenario has `record: Slots`\n";
        }
        text.push('\n');
    }
    if text.is_empty() { Err(CliError::NoSlot(slot)) } else { Ok(text) }
}

fn headline(row: &SlotRow) -> String {
    let ended = format!("{:?} after {} rounds", row.outcome, row.rounds);
    let price = cell(row.price_mean_cny_per_kwh, PRICE);
    let theory = cell(row.equilibrium_price_cny_per_kwh, PRICE);
    let energy = [row.consumption_kwh, row.load_kwh].map(|amount| fixed(amount.value(), AMOUNT));
    let [consumed, load] = energy;
    let line = wrapped(&format!(
        "{ended}, mean price {price}, equilibrium price {theory} CNY/kWh, {consumed} kWh consumed of a load of {load} kWh, \
         {} worse off than alone\n",
        count(row.worse_off as usize, "prosumer")
    ));
    let outcome = slot_table::outcome(row.outcome);
    line.replacen(outcome.text(), &outcome.shown(), 1)
}

/// The rows that are `wanted` of a table, none where it is not `kept`.
fn rows<R: Row>(run: &Run, kept: bool, wanted: impl Fn(&R) -> bool) -> Result<Vec<R>, RecordError> {
    if !kept {
        return Ok(Vec::new());
    }
    run.rows()?.filter(|row| row.as_ref().map_or(true, &wanted)).collect()
}

fn by_case<R>(rows: &[R], case: impl Fn(&R) -> u32) -> BTreeMap<u32, Vec<&R>> {
    let mut cases = BTreeMap::<u32, Vec<&R>>::new();
    for row in rows {
        cases.entry(case(row)).or_default().push(row);
    }
    cases
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
        let market = plain(&show_slot(&run, 2, None).unwrap());
        assert!(market.contains("Equilibrium after 7 rounds, mean price 1.2000, equilibrium price 1.2000 CNY/kWh"));
        assert!(market.contains("from 2") && market.contains("sold"));
        assert!(show_slot(&run, 3, None).unwrap().contains("no trades"));
    }

    #[test]
    fn an_unknown_slot_or_case_is_bad_input() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        assert!(matches!(show_slot(&run, 4, None), Err(CliError::NoSlot(4))));
        let error = case_with_results(&run, 2).unwrap_err();
        assert!(matches!(error, CliError::NoCase { case: 2, last: 1 }));
        assert_eq!(error.to_string(), "error: the run has no results of case 2; it has those of case 1");
        assert!(case_with_results(&run, 1).is_ok() && case_with_results(&run, 0).is_err());
    }
}
