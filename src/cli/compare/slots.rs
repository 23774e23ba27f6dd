//! The slots in which cases differ.

use super::{MOST_LINES, pairs::Pair};
use crate::{
    cli::{
        slot_table::outcome,
        table::{Cell, Column, Tone, table},
        text::{AMOUNT, PRICE, bold, cell, count, signed},
    },
    record::{Number, RecordError, Run, SlotRow},
    scenario::schema::Record,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// A slot of both runs.
type Both = (SlotRow, SlotRow);

/// The slots in which pairs of cases differ in outcome, price, rounds or welfare: those that end otherwise first, then the
/// greatest difference in welfare, price and rounds. Empty without any; `None` where one of the runs keeps no slots.
pub(super) fn difference(a: &Run, b: &Run, pairs: &[Pair<'_>]) -> Result<Option<String>, RecordError> {
    if [a, b].iter().any(|run| run.record() == Record::Summary) {
        return Ok(None);
    }
    let mut slots = both(a, b, pairs)?;
    let of_both = slots.len();
    slots.retain(|(a, b)| key(a) != key(b));
    let elsewhere = of_both - slots.len();
    if of_both == 0 {
        return Ok(Some(String::new()));
    }
    slots.sort_by(|one, other| size(other).partial_cmp(&size(one)).unwrap_or(std::cmp::Ordering::Equal));
    let mut text = String::new();
    if !slots.is_empty() {
        let title = format!("{} in outcome, price, rounds or welfare", differ(slots.len()));
        text += &format!("{}\n\n{}", bold(&title), lines(&slots[..slots.len().min(MOST_LINES)], pairs.len() > 1));
    }
    if slots.len() > MOST_LINES {
        text += &format!("and {}\n", count(slots.len() - MOST_LINES, "more slot"));
    }
    if elsewhere > 0 {
        text += &format!("{} in other columns of slots.csv only.\n", differ(elsewhere));
    }
    Ok(Some(text))
}

fn differ(slots: usize) -> String {
    format!("{} {}", count(slots, "slot"), if slots == 1 { "differs" } else { "differ" })
}

/// The slots of the paired cases in which anything differs, in order.
fn both(a: &Run, b: &Run, pairs: &[Pair<'_>]) -> Result<Vec<Both>, RecordError> {
    let partner: BTreeMap<u32, u32> = pairs.iter().map(|pair| (pair.a.case, pair.b.case)).collect();
    let mut of_a = BTreeMap::new();
    for row in a.rows::<SlotRow>()? {
        let row = row?;
        if let Some(b) = partner.get(&row.case) {
            of_a.insert((*b, row.slot), row);
        }
    }
    let mut both = Vec::new();
    for row in b.rows::<SlotRow>()? {
        let row = row?;
        if let Some(of_a) = of_a.remove(&(row.case, row.slot)) {
            // Cases may have other numbers.
            let mut renumbered = of_a.clone();
            renumbered.case = row.case;
            if renumbered != row {
                both.push((of_a, row));
            }
        }
    }
    both.sort_by_key(|(a, _)| (a.case, a.slot));
    Ok(both)
}

/// What a slot came to.
fn key(row: &SlotRow) -> (String, Option<Number>, u32, Option<Number>) {
    (format!("{:?}", row.outcome), row.price_mean_cny_per_kwh, row.rounds, row.welfare_cny)
}

/// By how much a slot differs; differences that are not defined on one side count as none.
fn size((a, b): &Both) -> (bool, f64, f64, u32, Reverse<(u32, u32)>) {
    let apart = |a: Option<Number>, b: Option<Number>| a.zip(b).map_or(0.0, |(a, b)| (a.value() - b.value()).abs());
    (
        a.outcome != b.outcome,
        apart(a.welfare_cny, b.welfare_cny),
        apart(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh),
        a.rounds.abs_diff(b.rounds),
        Reverse((a.case, a.slot)),
    )
}

/// A line a slot, with the case of A where there are `several`.
fn lines(slots: &[Both], several: bool) -> String {
    let mut columns: Vec<Column> = several.then(|| Column::new("case\nof A").key()).into_iter().collect();
    columns.push(Column::new("slot").key());
    columns.push(Column::new("outcome\nof A").left());
    columns.push(Column::new("\nof B").left());
    columns.extend([
        Column::new("price\nof A"),
        Column::new("\nB - A"),
        Column::new("rounds\nof A").spare(0),
        Column::new("\nB - A"),
        Column::new("welfare\nof A").spare(1),
        Column::new("\nB - A"),
    ]);
    let line = |(a, b): &Both| {
        let mut cells: Vec<Cell> = several.then(|| Cell::from(a.case.to_string())).into_iter().collect();
        cells.push(a.slot.to_string().into());
        cells.push(outcome(a.outcome));
        cells.push(if a.outcome == b.outcome { Cell::toned("same", Tone::Plain) } else { outcome(b.outcome) });
        cells.push(cell(a.price_mean_cny_per_kwh, PRICE).into());
        cells.push(change(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh, PRICE));
        cells.push(a.rounds.to_string().into());
        cells.push(signed(f64::from(b.rounds) - f64::from(a.rounds), 0).into());
        cells.push(cell(a.welfare_cny, AMOUNT).into());
        cells.push(change(a.welfare_cny, b.welfare_cny, AMOUNT));
        cells
    };
    table(columns, slots.iter().map(line))
}

fn change(a: Option<Number>, b: Option<Number>, decimals: usize) -> Cell {
    a.zip(b).map_or_else(|| "-".into(), |(a, b)| signed(b.value() - a.value(), decimals).into())
}
