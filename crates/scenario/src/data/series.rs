//! Profiles that members name: tables by slots or by time stamps, wide or long, of powers, energies or shares.

use super::{
    profiles::one_each,
    table::{Row, Table},
};
use crate::{
    calendar::Dates,
    error::ScenarioError,
    schema::{Market, Unit},
    text::TextFile,
};
use indexmap::IndexMap;
use std::{collections::BTreeMap, sync::Arc};

/// Largest value of a profile.
pub const LARGEST_VALUE: f64 = 1e4;

/// A profile: its values by slot, and what they are on average.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it has come to by the end of each slot [kWh], or [kWh per kW] of a share.
    pub(super) upto: Arc<[f64]>,
    /// Mean over all rows of the file [kW], or of a share.
    pub(super) mean: f64,
}

/// The profiles of a file by their names.
pub(super) type Profiles = IndexMap<String, Series>;

/// The values of a row, in the order of the profiles; not a number where there are none.
struct Values {
    /// Where the row stands in the file [bytes].
    start: usize,
    values: Vec<f64>,
}

/// Reads the profiles in a file.
pub(super) fn read(
    file: &TextFile,
    unit: Unit,
    market: &Market,
    dates: Option<&Dates>,
) -> Result<Profiles, ScenarioError> {
    let names = Table::names(file);
    let by = if names.iter().any(|name| name == "time") { "time" } else { "slot" };
    let is_long = names.len() == 3 && ["profile", "value"].iter().all(|name| names.iter().any(|there| there == name));
    let table = if is_long { Table::of(file, &[by, "profile", "value"], &[])? } else { Table::wide(file, by)? };
    if by == "time" && dates.is_none() {
        let allowed = "allowed: `slot`, or `time` in a scenario with a market.calendar".to_owned();
        return Err(table.report_column("time", "the scenario has no dates", allowed));
    }
    if by == "time" && names.iter().any(|name| name == "slot") {
        let mend = "take the other column out, or rename it if it is a profile";
        return Err(table.report_column("slot", "the table has both `time` and `slot`", mend.to_owned()));
    }
    let mut names: Vec<String> =
        if is_long { Vec::new() } else { table.columns().filter(|name| *name != by).map(str::to_owned).collect() };
    // By seconds from the begin of the first slot.
    let mut rows = BTreeMap::<i64, Values>::new();
    let length = market.slot_length.as_secs_f64();
    for row in table.rows() {
        let row = row?;
        let key = match dates.filter(|_| by == "time") {
            Some(dates) => (dates.slots_before(row.time("time")?) * length).round() as i64,
            None => (f64::from(row.whole("slot", market.slots)? - 1) * length).round() as i64,
        };
        let values = rows.entry(key).or_insert_with(|| Values { start: row.start, values: Vec::new() });
        if is_long {
            let name = row.text("profile");
            let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            values.values.resize(names.len().max(values.values.len()), f64::NAN);
            if !values.values[place].is_nan() {
                return Err(row.report(
                    by,
                    &format!("`{name}` has two rows for it"),
                    "allowed: one row each".to_owned(),
                ));
            }
            values.values[place] = value(&row, "value")?;
        } else if values.values.is_empty() {
            values.values = names.iter().map(|name| value(&row, name)).collect::<Result<_, _>>()?;
        } else {
            let allowed = "allowed: one row each".to_owned();
            return Err(row.report(by, "there are two rows for it", allowed));
        }
    }
    let step = step(&table, by, &rows, length)?;
    let each = |(place, name): (usize, &String)| {
        let of =
            |key: &i64| rows.get(key).and_then(|row| row.values.get(place)).copied().filter(|value| !value.is_nan());
        let slots = (1..=market.slots).map(|slot| {
            let begin = (f64::from(slot - 1) * length).round() as i64;
            in_slot(begin, length, step, unit, &of).ok_or_else(|| {
                if let Some(own) = own_step(&rows, place).filter(|own| is_long && by == "time" && *own != step) {
                    let problem = format!("`{name}` has {own} s from row to row, and the table {step} s");
                    let allowed = "allowed: the same time from row to row for all profiles of a table".to_owned();
                    return table.report_column(by, &problem, allowed);
                }
                let when =
                    dates.filter(|_| by == "time").map(|dates| format!(", which begins at {}", dates.time(slot)));
                let problem = format!("`{name}` has no value for slot {slot}{}", when.unwrap_or_default());
                table.report_column(by, &problem, one_each(market.slots))
            })
        });
        let mut upto = slots.collect::<Result<Vec<f64>, _>>()?;
        let mut sum = 0.0;
        upto.iter_mut().for_each(|kwh| {
            sum += *kwh;
            *kwh = sum;
        });
        let powers = rows.values().filter_map(|row| row.values.get(place)).filter(|value| !value.is_nan());
        let (sum, count) = powers.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
        let hours = if unit == Unit::Kwh { step as f64 / 3600.0 } else { 1.0 };
        Ok((name.clone(), Series { upto: upto.into(), mean: sum / f64::from(count.max(1)) / hours }))
    };
    names.iter().enumerate().map(each).collect()
}

/// The time from the first row of a profile to its next [s].
fn own_step(rows: &BTreeMap<i64, Values>, place: usize) -> Option<i64> {
    let mut own = rows.iter().filter(|(_, row)| row.values.get(place).is_some_and(|value| !value.is_nan()));
    let (first, next) = (own.next()?.0, own.next()?.0);
    Some(next - first)
}

fn value(row: &Row<'_>, column: &str) -> Result<f64, ScenarioError> {
    row.number(column, 0.0, LARGEST_VALUE)
}

/// The time from one row to the next [s]: the same for all, and a multiple or a part of a slot.
fn step(table: &Table<'_>, by: &str, rows: &BTreeMap<i64, Values>, length: f64) -> Result<i64, ScenarioError> {
    let keys: Vec<(i64, usize)> = rows.iter().map(|(key, row)| (*key, row.start)).collect();
    let slot = length.round() as i64;
    let Some(&[(first, _), (second, start)]) = keys.first_chunk() else {
        return match keys.is_empty() {
            true => Err(table.report_column(by, "there are no rows", "allowed: a row for each slot".to_owned())),
            false => Ok(slot),
        };
    };
    let step = if by == "slot" { slot } else { second - first };
    let wrong = |start, problem: String| {
        let allowed = "allowed: rows with the same time between them, a multiple or a part of a slot, and none missing";
        Err(table.report(start, by, &problem, [allowed.to_owned()]))
    };
    if step <= 0 || step % slot != 0 && slot % step != 0 {
        return wrong(start, format!("there are {step} s from row to row, and a slot has {slot} s"));
    }
    if let Some(two) = keys.windows(2).find(|two| by == "time" && two[1].0 - two[0].0 != step) {
        return wrong(
            two[1].1,
            format!("there are {} s from the row before, and {step} s elsewhere", two[1].0 - two[0].0),
        );
    }
    if first.rem_euclid(step.min(slot)) != 0 {
        return wrong(keys[0].1, "no slot begins with a row".to_owned());
    }
    Ok(step)
}

/// What the slot that begins then has [kWh], or [kWh per kW] of a share; `None` where a value is missing.
fn in_slot(begin: i64, length: f64, step: i64, unit: Unit, of: &impl Fn(&i64) -> Option<f64>) -> Option<f64> {
    let slot = length.round() as i64;
    let hours = length / 3600.0;
    if step == slot {
        return of(&begin).map(|value| if unit == Unit::Kwh { value } else { value * hours });
    }
    if step > slot {
        // A row holds for several slots, wherever the first of them begins.
        let parts = (step / slot) as f64;
        let value = (0..step / slot).find_map(|before| of(&(begin - before * slot)))?;
        return Some(if unit == Unit::Kwh { value / parts } else { value * hours });
    }
    let parts = slot / step;
    let sum = (0..parts).map(|part| of(&(begin + part * step))).sum::<Option<f64>>()?;
    Some(if unit == Unit::Kwh { sum } else { sum / parts as f64 * hours })
}
