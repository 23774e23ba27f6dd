//! Who did what in each slot: as many prosumers and trades as the page has room for, those that moved most energy.

use crate::data::{CaseData, Data};
use microgrid_agents::ids::Slot;
use microgrid_record::{ProsumerRow, RecordError, Row, Run, TradeRow};
use std::collections::{BTreeMap, BTreeSet};

/// The page has room for about so many prosumers' slots, and trades.
const MOST_ROWS: usize = 24_000;
/// So many of a slot are shown, however many slots there are.
const LEAST: usize = 10;

/// So much of a table is read, counted as text: as much as takes about half a second [bytes].
pub(super) const BUDGET: u64 = 64 << 20;

/// Rows of the slots, by case and slot.
#[derive(Debug)]
pub(super) struct Details<R> {
    slots: BTreeMap<(u32, Slot), Most<R>>,
    /// Cases of which no more than the shown slot is read, because a whole day is too much.
    cut: BTreeSet<u32>,
}

/// Those rows of a slot that moved most energy, in the order of the table.
#[derive(Debug)]
pub(super) struct Most<R> {
    pub(super) rows: Vec<R>,
    /// How many rows the slot has.
    pub(super) of: usize,
}

/// A row that tells who did what in a slot.
pub(super) trait Detail: Row {
    /// In which slot of which case.
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

impl<R: Detail> Details<R> {
    /// Of each case of a run with so many `slots` in all the whole day or, where that is more than is left of the budget
    /// [bytes], the shown slot.
    pub(super) fn read(run: &Run, data: &Data, slots: usize, budget: u64) -> Result<Self, RecordError> {
        let most = (MOST_ROWS / slots.max(1)).max(LEAST);
        let (mut left, mut details) = (budget, Self { slots: BTreeMap::new(), cut: BTreeSet::new() });
        for case in &data.cases {
            let number = case.entry.case;
            let (Some(first), Some(last)) = (case.slots.first(), case.slots.last()) else { continue };
            let mut section = run.section::<R>(number, first.slot..=last.slot)?;
            if section.size > left {
                details.cut.insert(number);
                let Some(shown) = case.shown else { continue };
                section = run.section::<R>(number, shown..=shown)?;
            }
            if section.size > left {
                continue;
            }
            left -= section.size;
            for row in run.rows_of::<R>(&section)? {
                details.add(row?, most);
            }
        }
        details.slots.values_mut().for_each(|slot| slot.shorten(most));
        Ok(details)
    }

    fn add(&mut self, row: R, most: usize) {
        self.slots.entry(row.place()).or_insert_with(|| Most { rows: Vec::new(), of: 0 }).add(row, most);
    }

    /// The rows of a slot.
    pub(super) fn of(&self, case: u32, slot: Slot) -> Option<&Most<R>> {
        self.slots.get(&(case, slot))
    }

    /// Whether a slot's rows are not read because there are too many.
    pub(super) fn lacks(&self, case: &CaseData, slot: Slot) -> bool {
        self.cut.contains(&case.entry.case) && self.of(case.entry.case, slot).is_none()
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
    use microgrid_record::{
        Status,
        fixtures::{day::Day, row_of, whole_case},
    };
    use std::time::Duration;

    fn trade(buyer: u32, kwh: f64) -> TradeRow {
        row_of::<TradeRow>(&[("buyer", &buyer.to_string()), ("traded_kwh", &kwh.to_string())])
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
    fn of_a_day_that_is_too_much_only_the_shown_slot_is_read() {
        let (day, recorder) = whole_case(Day::new());
        let run = Run::open(&recorder.finish(Status::Finished, Duration::ZERO).unwrap()).unwrap();
        let data = Data::read(&run).unwrap();
        let case = &data.cases[0];
        let sizes = [1..=3, 2..=2].map(|slots| run.section::<ProsumerRow>(1, slots).unwrap().size);

        let whole = Details::<ProsumerRow>::read(&run, &data, 24, sizes[0]).unwrap();
        assert!((1..=3).all(|slot| whole.of(1, slot).unwrap().rows.len() == 3 && !whole.lacks(case, slot)));
        let shown = Details::<ProsumerRow>::read(&run, &data, 24, sizes[1]).unwrap();
        assert!((1..=3).all(|slot| shown.lacks(case, slot) == (slot != 2)));
        assert_eq!(shown.of(1, 2).unwrap().rows, whole.of(1, 2).unwrap().rows);
        let none = Details::<ProsumerRow>::read(&run, &data, 24, sizes[1] - 1).unwrap();
        assert!((1..=3).all(|slot| none.lacks(case, slot)));
        drop(day);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_left_out() {
        let mut most = Most { rows: Vec::new(), of: 0 };
        most.add(trade(1, 1.0), 3);
        most.shorten(3);
        assert_eq!(most.note("trades"), None);
    }
}
