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
