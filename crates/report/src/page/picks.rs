//! The cases and slots that can be picked on the page, each with its charts and tables.

use super::{
    Json,
    details::{BUDGET, Details},
    file_of, outcome,
    payload::Payload,
    tables::{self, Table, case_name},
};
use crate::{
    charts,
    data::{CaseData, Data},
    format,
};
use microgrid_agents::{ids::Slot, statement::Outcome};
use microgrid_record::{ConvergenceRow, ProsumerRow, RecordError, Run, SlotRow, TradeRow};
use microgrid_scenario::schema::Record;
use serde::Serialize;

/// The page has room for so many slots.
const MOST_SLOTS: usize = 2_500;

/// Of cases that have more than that there are about so many in all, evenly from the first to the last.
const SOME_SLOTS: usize = 500;

pub(super) struct Picks {
    pub(super) cases: Vec<CasePick>,
    pub(super) trades: Details<TradeRow>,
    prosumers: Details<ProsumerRow>,
    /// How many slots of how many were left out of cases that have too many by themselves.
    thinned: (usize, usize),
    /// How many slots were left out because those of earlier cases are too many.
    left_out: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct CasePick {
    case: u32,
    name: String,
    slots: Vec<SlotPick>,
    /// The slot that is picked first.
    shown: Option<Slot>,
}

#[derive(Debug, Serialize)]
struct SlotPick {
    slot: Slot,
    label: String,
}

/// What is picked first, and what can be.
#[derive(Debug, Serialize)]
struct Index<'a> {
    shown: u32,
    cases: &'a [CasePick],
}

#[derive(Debug, Serialize)]
struct SlotData {
    reading: String,
    #[serde(flatten)]
    charts: Payload,
    trades: Option<Table>,
    prosumers: Option<Table>,
}

impl Picks {
    pub(super) fn read(run: &Run, data: &Data) -> Result<Self, RecordError> {
        // Of a run that was killed, large tables may not be there yet.
        let full = run.record() == Record::Full && run.rows::<TradeRow>().is_ok();
        let count = data.cases.iter().map(|case| case.slots.len()).sum::<usize>();
        let kept = if full { MOST_SLOTS.min(count) } else { 0 };
        let (mut thinned, mut left_out, mut room) = ((0, 0), 0, kept);
        let mut cases = Vec::new();
        for case in &data.cases {
            let count = case.slots.len();
            let slots = match full {
                true if count > MOST_SLOTS => some(case, (SOME_SLOTS / data.cases.len()).min(room)),
                true if room >= count => case.slots.iter().collect(),
                _ => Vec::new(),
            };
            room -= slots.len().min(room);
            match full {
                true if slots.is_empty() => left_out += count,
                true if slots.len() < count => thinned = (thinned.0 + count - slots.len(), thinned.1 + count),
                _ => {}
            }
            cases.push(CasePick {
                case: case.entry.case,
                name: case_name(data, &case.entry),
                slots: slots.into_iter().map(|row| SlotPick { slot: row.slot, label: label(case, row) }).collect(),
                shown: shown(case),
            });
        }
        let traded = |row: &TradeRow| (row.slot, row.traded_kwh.value());
        let kept = kept - room;
        let trades = if full { Details::read(run, data, kept, BUDGET, traded)? } else { Details::default() };
        let moved = |row: &ProsumerRow| (row.slot, row.bought_kwh.value() + row.sold_kwh.value());
        let prosumers = if full { Details::read(run, data, kept, BUDGET, moved)? } else { Details::default() };
        Ok(Self { cases, trades, prosumers, thinned, left_out })
    }

    pub(super) fn has_slots(&self) -> bool {
        self.cases.iter().any(|case| !case.slots.is_empty())
    }

    /// Why slots are missing, if any are.
    pub(super) fn note(&self, run: &Run) -> Option<String> {
        let ((thinned, of), later) = (self.thinned, self.left_out);
        let left_out = [
            (thinned > 0).then(|| format!("{thinned} of {of} slots are not on this page, evenly left out")),
            (later > 0).then(|| format!("{} of later cases are not on this page", format::count(later, "slot"))),
        ];
        let left_out: Vec<String> = left_out.into_iter().flatten().collect();
        if !left_out.is_empty() {
            let tables = [file_of::<ConvergenceRow>(run), file_of::<TradeRow>(run), file_of::<ProsumerRow>(run)];
            let tables = tables.map(|file| format!("`{file}`")).join(", ");
            return Some(format!("{}: {tables} have them.", left_out.join(", and ")));
        }
        match run.record() {
            Record::Full if self.has_slots() || self.cases.is_empty() => None,
            Record::Full => Some("The tables of slots are made when the run ends.".to_owned()),
            record => {
                Some(format!("What went on within slots was not recorded: the scenario has `record: {record:?}`."))
            }
        }
    }

    /// All this for the page's script; each case and slot by itself, so that only what is picked is read.
    pub(super) fn json(&self, run: &Run, data: &Data) -> Vec<Json> {
        let Some(last) = self.cases.last() else { return Vec::new() };
        let mut json = vec![Json::new("picks", &Index { shown: last.case, cases: &self.cases })];
        for case in &self.cases {
            let day = charts::case(data, case.case);
            json.push(Json::new(format!("case-{}", case.case), &Payload::new(&day, format!("case_{}_", case.case))));
            let slots = case.slots.iter().filter_map(|pick| self.slot(run, data, case.case, pick.slot));
            json.extend(slots);
        }
        json
    }

    fn slot(&self, run: &Run, data: &Data, number: u32, slot: Slot) -> Option<Json> {
        let case = data.case(number)?;
        let (trades, prosumers) = (self.trades.of(number, slot), self.prosumers.of(number, slot));
        let shown = SlotData {
            reading: outcome::slot(data, case, case.slot(slot)?) + &self.too_large(run, case, slot),
            charts: Payload::new(&charts::slot(data, number, slot), format!("case_{number}_slot_{slot}_")),
            trades: trades.map(|trades| tables::trades(&trades.rows, trades.note("trades"))),
            prosumers: prosumers.map(|prosumers| tables::prosumers(&prosumers.rows, prosumers.note("prosumers"))),
        };
        Some(Json::new(format!("slot-{number}-{slot}"), &shown))
    }

    /// What a slot lacks on the page because there is too much of it, and which tables have it.
    fn too_large(&self, run: &Run, case: &CaseData, slot: Slot) -> String {
        let has_path = case.games_left_out == 0 || case.games.contains_key(&slot);
        let played = |market: &SlotRow| market.slot == slot && market.outcome != Outcome::Cleared;
        let path = !has_path && case.markets().any(played);
        let files = [
            path.then(|| file_of::<ConvergenceRow>(run)),
            self.trades.lacks(case, slot).then(|| file_of::<TradeRow>(run)),
            self.prosumers.lacks(case, slot).then(|| file_of::<ProsumerRow>(run)),
        ];
        let files: Vec<String> = files.into_iter().flatten().map(|file| format!("`{file}`")).collect();
        if files.is_empty() {
            return String::new();
        }
        format!(" There is more than this page has room for: see {}.", files.join(" and "))
    }
}

fn label(case: &CaseData, row: &SlotRow) -> String {
    let name = match case.time(row.slot) {
        Some(time) => format!("{} ({time})", row.slot),
        None => row.slot.to_string(),
    };
    match row.outcome {
        Outcome::Equilibrium | Outcome::Cleared => name,
        Outcome::Rest => format!("{name}: came to rest elsewhere"),
        Outcome::GateClosure => format!("{name}: did not settle"),
        Outcome::NoMarket => format!("{name}: no market"),
        Outcome::Void => format!("{name}: settlement void"),
    }
}

/// About so many slots of a case, evenly from those with a market, or of all where none has one; those that are picked first
/// and drawn are among them. None where there is no room.
fn some(case: &CaseData, room: usize) -> Vec<&SlotRow> {
    let markets: Vec<&SlotRow> = case.markets().collect();
    let from = if markets.is_empty() { case.slots.iter().collect() } else { markets };
    if room == 0 {
        return Vec::new();
    }
    let step = from.len().div_ceil(room).max(1);
    let wanted = [shown(case), case.shown];
    let is_wanted = |(n, row): &(usize, &SlotRow)| n % step == 0 || wanted.contains(&Some(row.slot));
    from.into_iter().enumerate().filter(is_wanted).map(|(_, row)| row).collect()
}

/// The slot of a case that is picked first: the one furthest from the closed form that did not settle, if there is one.
fn shown(case: &CaseData) -> Option<Slot> {
    let gap = |row: &SlotRow| row.price_gap.map_or(0.0, |gap| gap.value());
    let unsettled = case.slots.iter().filter(|row| row.outcome == Outcome::GateClosure);
    let worst = unsettled.max_by(|one, other| gap(one).total_cmp(&gap(other)));
    worst.map(|row| row.slot).or(case.shown).or(case.slots.first().map(|row| row.slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::fixtures::row_of;

    #[test]
    fn of_too_many_slots_some_are_picked_evenly_from_those_with_a_market_and_the_shown_one() {
        let row = |slot: Slot| {
            let outcome = if slot.is_multiple_of(2) { "Equilibrium" } else { "NoMarket" };
            row_of::<SlotRow>(&[("slot", &slot.to_string()), ("outcome", outcome)])
        };
        let case = CaseData { slots: (1..=6000).map(row).collect(), shown: Some(16), ..CaseData::default() };
        let picked: Vec<Slot> = some(&case, 500).iter().map(|row| row.slot).collect();
        assert_eq!((picked.len(), &picked[..4], picked[500]), (501, &[2, 14, 16, 26][..], 5990));
        assert!(some(&case, 0).is_empty());
    }
}
