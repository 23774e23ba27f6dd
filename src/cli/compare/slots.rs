//! The slots in which cases differ.

use super::{MOST_LINES, pairs::Pair};
use crate::{
    cli::{
        case_tables::outcome,
        table::{Cell, Table, key, spare, words},
        text::{AMOUNT, PRICE, bold, cell, change, count, more},
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
    slots.retain(|(a, b)| outcome_of(a) != outcome_of(b));
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
    text += &more(slots.len(), MOST_LINES, "slot");
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
fn outcome_of(row: &SlotRow) -> (String, Option<Number>, u32, Option<Number>) {
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
    let apart = |a: Option<Number>, b: Option<Number>| a.zip(b).map(|(a, b)| b.value() - a.value());
    Table::of(slots)
        .column_if(several, key("case\nof A"), |(a, _)| a.case)
        .column(key("slot"), |(a, _)| a.slot)
        .column(words("outcome\nof A"), |(a, _)| outcome(a.outcome))
        .column(words("\nof B"), |(a, b)| if a.outcome == b.outcome { Cell::from("same") } else { outcome(b.outcome) })
        .column("price\nof A", |(a, _)| cell(a.price_mean_cny_per_kwh, PRICE))
        .column("\nB - A", |(a, b)| change(apart(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh), PRICE))
        .column(spare(0, "rounds\nof A"), |(a, _)| a.rounds)
        .column("\nB - A", |(a, b)| change(Some(f64::from(b.rounds) - f64::from(a.rounds)), 0))
        .column(spare(1, "welfare\nof A"), |(a, _)| cell(a.welfare_cny, AMOUNT))
        .column("\nB - A", |(a, b)| change(apart(a.welfare_cny, b.welfare_cny), AMOUNT))
        .draw()
}
