//! `sim show RUN`: the tables of a run, read back from its folder.

use super::{args::ShowArguments, error::CliError, print, summary, text::PRICE, text::cell, trade_matrix};
use crate::record::{CaseEntry, ProsumerRow, RecordError, Row, Run, SlotRow, TradeRow};
use microgrid_agents::ids::Slot;

/// Prints the run's slots or, with a slot given, that slot's trades and prosumers.
pub(super) fn show(arguments: &ShowArguments) -> Result<(), CliError> {
    let run = Run::open(&arguments.run).map_err(CliError::BadRun)?;
    let only = arguments.case.map(|number| case(&run, number)).transpose()?;
    match arguments.slot {
        None => print(&summary::summary(&run, only).map_err(CliError::BadRun)?),
        Some(slot) => print(&show_slot(&run, slot, only)?),
    }
}

fn case(run: &Run, number: u32) -> Result<&CaseEntry, CliError> {
    run.case(number).ok_or(CliError::NoCase { case: number, last: run.manifest().cases.len() })
}

/// The slot in all cases or in `only` one.
fn show_slot(run: &Run, slot: Slot, only: Option<&CaseEntry>) -> Result<String, CliError> {
    let slots = rows(run, |row: &SlotRow| row.slot == slot).map_err(CliError::BadRun)?;
    let trades = rows(run, |row: &TradeRow| row.slot == slot).map_err(CliError::BadRun)?;
    let prosumers = rows(run, |row: &ProsumerRow| row.slot == slot).map_err(CliError::BadRun)?;
    let mut text = String::new();
    for row in slots.iter().filter(|row| only.is_none_or(|only| only.case == row.case)) {
        let prosumers: Vec<_> = prosumers.iter().filter(|prosumer| prosumer.case == row.case).collect();
        let trades: Vec<_> = trades.iter().filter(|trade| trade.case == row.case).collect();
        text += &format!("{}, slot {slot}\n{}\n", summary::title(run, case(run, row.case)?), headline(row));
        text += &trade_matrix::trade_matrix(&trades, &prosumers);
        text += &trade_matrix::balances(&prosumers);
        text.push('\n');
    }
    if text.is_empty() { Err(CliError::NoSlot(slot)) } else { Ok(text) }
}

fn headline(row: &SlotRow) -> String {
    format!(
        "{:?} after {} rounds, mean price {}, equilibrium price {} CNY/kWh\n",
        row.outcome,
        row.rounds,
        cell(row.price_mean_cny_per_kwh, PRICE),
        cell(row.equilibrium_price_cny_per_kwh, PRICE),
    )
}

fn rows<R: Row>(run: &Run, wanted: impl Fn(&R) -> bool) -> Result<Vec<R>, RecordError> {
    run.rows()?.filter(|row| row.as_ref().map_or(true, &wanted)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{day::Day, whole_case};

    #[test]
    fn a_slot_shows_its_trades_or_that_there_are_none() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let market = show_slot(&run, 2, None).unwrap();
        assert!(market.contains("Equilibrium after 7 rounds, mean price 1.2000, equilibrium price 1.2000 CNY/kWh"));
        assert!(market.contains("from 2") && market.contains("sold"));
        assert!(show_slot(&run, 3, None).unwrap().contains("no trades"));
    }

    #[test]
    fn an_unknown_slot_or_case_is_bad_input() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        assert!(matches!(show_slot(&run, 4, None), Err(CliError::NoSlot(4))));
        assert!(matches!(case(&run, 2), Err(CliError::NoCase { case: 2, last: 1 })));
    }
}
