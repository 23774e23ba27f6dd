//! Who did what in each slot: as many prosumers and trades as the page has room for, those that moved most energy.

use crate::record::{ProsumerRow, RecordError, Row, Run, TradeRow};
use microgrid_agents::ids::Slot;
use std::collections::BTreeMap;

/// The page has room for about so many prosumers' slots.
const MOST_PROSUMERS: usize = 24_000;
/// The page has room for about so many trades.
const MOST_TRADES: usize = 24_000;
/// So many of a slot are shown, however many slots there are.
const LEAST: usize = 10;

/// Rows of the slots, by case and slot.
#[derive(Debug)]
pub(super) struct Details<R>(BTreeMap<(u32, Slot), Most<R>>);

/// Those rows of a slot that moved most energy, in the order of the table.
#[derive(Debug)]
pub(super) struct Most<R> {
    pub(super) rows: Vec<R>,
    /// How many rows the slot has.
    pub(super) of: usize,
}

/// A row that tells who did what in a slot.
pub(super) trait Detail: Row {
    /// Case and slot.
    fn place(&self) -> (u32, Slot);

    /// How much energy it moved between prosumers [kWh].
    fn moved(&self) -> f64;
}

impl Detail for ProsumerRow {
    fn place(&self) -> (u32, Slot) {
        (self.case, self.slot)
    }

    fn moved(&self) -> f64 {
        self.bought_kwh.value() + self.sold_kwh.value()
    }
}

impl Detail for TradeRow {
    fn place(&self) -> (u32, Slot) {
        (self.case, self.slot)
    }

    fn moved(&self) -> f64 {
        self.traded_kwh.value()
    }
}

/// The prosumers of a run with so many `slots` in all.
///
/// # Errors
/// If the table cannot be read.
pub(super) fn prosumers(run: &Run, slots: usize) -> Result<Details<ProsumerRow>, RecordError> {
    Details::read(run, MOST_PROSUMERS / slots.max(1))
}

/// The trades of a run with so many `slots` in all.
///
/// # Errors
/// If the table cannot be read.
pub(super) fn trades(run: &Run, slots: usize) -> Result<Details<TradeRow>, RecordError> {
    Details::read(run, MOST_TRADES / slots.max(1))
}

impl<R: Detail> Details<R> {
    fn read(run: &Run, most: usize) -> Result<Self, RecordError> {
        let (most, mut slots) = (most.max(LEAST), BTreeMap::<_, Most<R>>::new());
        for row in run.rows::<R>()? {
            let row = row?;
            slots.entry(row.place()).or_insert_with(|| Most { rows: Vec::new(), of: 0 }).add(row, most);
        }
        slots.values_mut().for_each(|slot| slot.shorten(most));
        Ok(Self(slots))
    }

    /// The rows of a slot.
    pub(super) fn of(&self, case: u32, slot: Slot) -> Option<&Most<R>> {
        self.0.get(&(case, slot))
    }
}

impl<R: Detail> Most<R> {
    /// Never holds more than twice as many as are wanted.
    fn add(&mut self, row: R, most: usize) {
        self.of += 1;
        self.rows.push(row);
        if self.rows.len() >= 2 * most {
            self.shorten(most);
        }
    }

    fn shorten(&mut self, most: usize) {
        if self.rows.len() <= most {
            return;
        }
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by(|&one, &other| self.rows[other].moved().total_cmp(&self.rows[one].moved()).then(one.cmp(&other)));
        let mut kept = vec![false; self.rows.len()];
        order[..most].iter().for_each(|&index| kept[index] = true);
        let mut kept = kept.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(false));
    }

    /// What was left out, if anything was, and which table has it.
    pub(super) fn note(&self, what: &str) -> Option<String> {
        let shown = self.rows.len();
        let file = R::FILE.trim_end_matches(".csv");
        let text = || format!("The {shown} of {} {what} that moved most energy; the table {file} has all.", self.of);
        (shown < self.of).then(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(buyer: u32, kwh: f64) -> TradeRow {
        let header = TradeRow::COLUMNS.join(",");
        let text = format!("{header}\n1,2,{buyer},9,,{kwh},0.7,0,0\n");
        csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap()
    }

    #[test]
    fn the_trades_that_moved_most_stay_in_their_order() {
        let mut most = Most { rows: Vec::new(), of: 0 };
        for (buyer, kwh) in (1..).zip([0.0, 5.0, 1.0, 4.0, 2.0, 3.0, 0.5]) {
            most.add(trade(buyer, kwh), 3);
            assert!(most.rows.len() < 6);
        }
        most.shorten(3);
        assert_eq!(most.rows.iter().map(|row| row.buyer).collect::<Vec<_>>(), [2, 4, 6]);
        assert_eq!(most.note("trades").unwrap(), "The 3 of 7 trades that moved most energy; the table trades has all.");
    }

    #[test]
    fn nothing_is_said_where_nothing_is_left_out() {
        let mut most = Most { rows: Vec::new(), of: 0 };
        most.add(trade(1, 1.0), 3);
        most.shorten(3);
        assert_eq!(most.note("trades"), None);
    }
}
