//! Who did what in each slot: as many prosumers and trades as the page has room for, those that moved most energy.

use crate::data::{CaseData, Data};
use microgrid_agents::ids::Slot;
use microgrid_record::{RecordError, Row, Run};
use std::collections::{BTreeMap, BTreeSet};

/// The page has room for about so many prosumers' slots, and trades.
const MOST_ROWS: usize = 24_000;
/// So many of a slot are shown, however many slots there are.
const LEAST: usize = 10;

/// So much of a table is read, counted as text: as much as takes about half a second [bytes].
pub(super) const BUDGET: u64 = 64 << 20;

/// Rows of the slots, by case and slot.
pub(super) struct Details<R> {
    slots: BTreeMap<(u32, Slot), Most<R>>,
    /// Cases of which no more than the shown slot is read, because a whole day is too much.
    cut: BTreeSet<u32>,
}

/// Those rows of a slot that moved most energy, in the order of the table.
pub(super) struct Most<R> {
    pub(super) rows: Vec<R>,
    /// How many rows the slot has.
    pub(super) of: usize,
}

impl<R> Default for Details<R> {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), cut: BTreeSet::new() }
    }
}

impl<R: Row> Details<R> {
    /// Of each case of a run with so many `slots` in all the whole day or, where that is more than is left of the budget
    /// [bytes], the shown slot. `moved` tells of a row in which slot how much energy it moved between prosumers [kWh].
    pub(super) fn read(
        run: &Run,
        data: &Data,
        slots: usize,
        budget: u64,
        moved: fn(&R) -> (Slot, f64),
    ) -> Result<Self, RecordError> {
        let most = (MOST_ROWS / slots.max(1)).max(LEAST);
        let (mut left, mut details) = (budget, Self::default());
        for case in &data.cases {
            let number = case.entry.case;
            let Some(day) = case.day() else { continue };
            let mut section = run.section::<R>(number, day)?;
            if section.size > left {
                details.cut.insert(number);
                let Some(shown) = case.shown else { continue };
                section = run.section::<R>(number, shown..=shown)?;
            }
            if section.size > left {
                continue;
            }
            left -= section.size;
            let mut rows = run.rows_of::<R>(&section)?.peekable();
            while let Some(first) = rows.next().transpose()? {
                let slot = moved(&first).0;
                let same = |row: &Result<R, _>| row.as_ref().map_or(true, |row| moved(row).0 == slot);
                let mut of_slot = Most { rows: vec![first], of: 1 };
                while let Some(row) = rows.next_if(same) {
                    of_slot.add(row?, most, |row| moved(row).1);
                }
                of_slot.shorten(most, |row| moved(row).1);
                details.slots.insert((number, slot), of_slot);
            }
        }
        Ok(details)
    }

    pub(super) fn of(&self, case: u32, slot: Slot) -> Option<&Most<R>> {
        self.slots.get(&(case, slot))
    }

    /// Whether a slot's rows are not read because there are too many.
    pub(super) fn lacks(&self, case: &CaseData, slot: Slot) -> bool {
        self.cut.contains(&case.entry.case) && self.of(case.entry.case, slot).is_none()
    }
}

impl<R: Row> Most<R> {
    /// Never holds more than twice as many as are wanted.
    fn add(&mut self, row: R, most: usize, moved: impl Fn(&R) -> f64) {
        self.rows.push(row);
        self.of += 1;
        if self.rows.len() >= 2 * most {
            self.shorten(most, moved);
        }
    }

    /// Keeps so many rows, in their order, that moved most; of several that moved the same the first.
    fn shorten(&mut self, most: usize, moved: impl Fn(&R) -> f64) {
        let mut rows: Vec<(usize, R)> = self.rows.drain(..).enumerate().collect();
        rows.sort_by(|one, other| moved(&other.1).total_cmp(&moved(&one.1)));
        rows.truncate(most);
        rows.sort_by_key(|row| row.0);
        self.rows.extend(rows.into_iter().map(|(_, row)| row));
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
        ProsumerRow, Status, TradeRow,
        fixtures::{day::Day, row_of, whole_case},
    };
    use std::time::Duration;

    fn trade(buyer: u32, kwh: f64) -> TradeRow {
        row_of::<TradeRow>(&[("buyer", &buyer.to_string()), ("traded_kwh", &kwh.to_string())])
    }

    #[test]
    fn the_trades_that_moved_most_stay_in_their_order() {
        let kwh = [0.0, 5.0, 1.0, 4.0, 2.0, 3.0, 0.5];
        let moved = |row: &TradeRow| row.traded_kwh.value();
        let most = |count| {
            let mut most = Most { rows: Vec::new(), of: 0 };
            for (buyer, kwh) in (1..).zip(kwh) {
                most.add(trade(buyer, kwh), count, moved);
                assert!(most.rows.len() < 2 * count);
            }
            most.shorten(count, moved);
            most
        };
        assert_eq!(most(3).rows.iter().map(|row| row.buyer).collect::<Vec<_>>(), [2, 4, 6]);
        let note = "The 3 of 7 trades that moved most energy; the table trades has all.";
        assert_eq!((&*most(3).note("trades").unwrap(), most(7).note("trades")), (note, None));
    }

    #[test]
    fn of_a_day_that_is_too_much_only_the_shown_slot_is_read() {
        let (day, recorder) = whole_case(Day::new());
        let run = Run::open(&recorder.finish(Status::Interrupted, Duration::ZERO).unwrap()).unwrap();
        let data = Data::read(&run).unwrap();
        let case = &data.cases[0];
        let sizes = [1..=3, 2..=2].map(|slots| run.section::<ProsumerRow>(1, slots).unwrap().size);

        let read =
            |budget| Details::read(&run, &data, 24, budget, |row: &ProsumerRow| (row.slot, row.bought_kwh.value()));
        let whole = read(sizes[0]).unwrap();
        assert!((1..=3).all(|slot| whole.of(1, slot).unwrap().rows.len() == 3 && !whole.lacks(case, slot)));
        let shown = read(sizes[1]).unwrap();
        assert!((1..=3).all(|slot| shown.lacks(case, slot) == (slot != 2)));
        assert_eq!(shown.of(1, 2).unwrap().rows, whole.of(1, 2).unwrap().rows);
        let none = read(sizes[1] - 1).unwrap();
        assert!((1..=3).all(|slot| none.lacks(case, slot)));
        drop(day);
    }
}
