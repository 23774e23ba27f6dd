//! What meters read, moment by moment.

use super::columns::{Columns, Quantities};
use crate::{
    clock::{Axis, Stamps, in_words},
    decimal::Decimal,
    table::{Row, Table},
};
use jiff::Timestamp;
use microgrid_scenario::ScenarioError;
use std::collections::BTreeMap;

/// Load and generation of an interval; `None` where the meter has no value.
#[derive(Clone, Copy, Debug)]
struct Reading {
    load: Option<Decimal>,
    generation: Option<Decimal>,
}

/// All readings of a member, by the beginning of their intervals.
#[derive(Debug, Default)]
struct Series {
    readings: Vec<(Timestamp, Reading)>,
    has_load: bool,
    has_generation: bool,
}

/// All readings of all members, with the tables they come from.
pub(super) struct Readings<'a> {
    tables: &'a [(Table, Columns)],
    stamps: &'a Stamps,
    members: BTreeMap<String, Series>,
    /// Members in the order in which they are met.
    names: Vec<String>,
    step: i64,
}

/// A member's values on an axis, if it has any.
pub(super) struct OnAxis {
    pub(super) load: Option<Vec<Option<Decimal>>>,
    pub(super) generation: Option<Vec<Option<Decimal>>>,
}

impl<'a> Readings<'a> {
    pub(super) fn read(tables: &'a [(Table, Columns)], stamps: &'a Stamps, step: i64) -> Result<Self, ScenarioError> {
        let mut readings = Self { tables, stamps, members: BTreeMap::new(), names: Vec::new(), step };
        for (table, columns) in tables {
            let mut new = BTreeMap::<String, Series>::new();
            let kept = kept(table, columns)?;
            let (members, names) = (&mut readings.members, &mut readings.names);
            let mut rows = 0;
            visit(table, columns, stamps, |row, name, at, quantities| {
                rows += 1;
                let quantities = kept.get(name).copied().unwrap_or(quantities);
                let wrong = |problem: String, mend: &str| Err(row.wrong(columns.time, problem, [mend.to_owned()]));
                let local = at.as_second() + i64::from(stamps.zone.to_offset(at).seconds());
                if local % step != 0 {
                    let clock = at.to_zoned(stamps.zone.clone()).strftime("%H:%M:%S");
                    let mend =
                        "intervals are whole numbers of `--step` from midnight on: is `--step` or the zone another?";
                    let (step, zone) = (in_words(step), &stamps.zone_name);
                    return wrong(
                        format!("no interval of {step} begins here, at {clock} by the clock of {zone}"),
                        mend,
                    );
                }
                if !new.contains_key(name) {
                    if !members.contains_key(name) {
                        names.push(name.to_owned());
                    }
                    new.insert(name.to_owned(), Series::default());
                }
                let series = new.get_mut(name).expect("it is there by now");
                if series.readings.last().is_some_and(|(last, _)| *last >= at) {
                    let mend = "rows are in the order of time, and none is there twice: sort them by it";
                    return wrong(format!("`{name}` has this interval, or a later one, above"), mend);
                }
                if members.get(name).is_some_and(|before| before.at(at).is_some()) {
                    let mend = "a meter's intervals are in one table each: take them out of one of them";
                    return wrong(format!("`{name}` has this interval in another file, too"), mend);
                }
                series.has_load |= quantities.0[0].is_some();
                series.has_generation |= quantities.0[1].is_some() || quantities.0[2].is_some();
                series.readings.push((at, reading(row, quantities)?));
                Ok(())
            })?;
            if rows == 0 {
                return Err(table.at_end("there is no reading", ["allowed: at least a day of them".to_owned()]));
            }
            for (name, series) in new {
                let all = readings.members.entry(name).or_default();
                all.has_load |= series.has_load;
                all.has_generation |= series.has_generation;
                all.readings.extend(series.readings);
                all.readings.sort_by_key(|(at, _)| *at);
            }
        }
        Ok(readings)
    }

    /// Names of all members, in the order in which they are met.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// From the beginning of the first interval to the end of the last.
    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        let of =
            self.members.values().filter_map(|series| Some((series.readings.first()?.0, series.readings.last()?.0)));
        let both = of.reduce(|(first, last), (begin, end)| (first.min(begin), last.max(end)));
        let (first, last) = both.unwrap_or_default();
        (first, last + jiff::SignedDuration::from_secs(self.step))
    }

    /// The same of a member.
    pub(super) fn span_of(&self, name: &str) -> (Timestamp, Timestamp) {
        let readings = &self.members[name].readings;
        let of = readings.first().zip(readings.last()).map(|((first, _), (last, _))| (*first, *last));
        let (first, last) = of.unwrap_or_default();
        (first, last + jiff::SignedDuration::from_secs(self.step))
    }

    /// How many readings are of no slot of the axis.
    pub(super) fn outside(&self, axis: &Axis) -> usize {
        let all = self.members.values().flat_map(|series| &series.readings);
        all.filter(|(at, _)| axis.slot(*at).is_none()).count()
    }

    /// A member's values in the slots of the axis.
    pub(super) fn on(&self, name: &str, axis: &Axis) -> OnAxis {
        let series = &self.members[name];
        let values = |of: fn(&Reading) -> Option<Decimal>| {
            let mut values = vec![None; axis.slots];
            for (at, reading) in &series.readings {
                if let Some(slot) = axis.slot(*at) {
                    values[slot] = of(reading);
                }
            }
            values
        };
        OnAxis {
            load: series.has_load.then(|| values(|reading| reading.load)),
            generation: series.has_generation.then(|| values(|reading| reading.generation)),
        }
    }

    /// An error about a member's missing values, at the first row with a stamp from there on.
    pub(super) fn placed(&self, name: &str, missing: Timestamp, problem: &str, mend: &str) -> ScenarioError {
        for (table, columns) in self.tables {
            let found = visit(table, columns, self.stamps, |row, of, at, quantities| {
                if of != name || at < missing {
                    return Ok(());
                }
                let empty = quantities.0.into_iter().flatten().find(|n| at == missing && row.text(*n).is_empty());
                Err(row.wrong(empty.unwrap_or(columns.time), problem, [mend.to_owned()]))
            });
            if let Err(error) = found {
                return error;
            }
        }
        let (last, _) = self.tables.last().expect("whoever has a value has it from a table");
        last.at_end(format!("{problem}, up to the end"), [mend.to_owned()])
    }
}

impl Series {
    fn at(&self, at: Timestamp) -> Option<&Reading> {
        let place = self.readings.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(&self.readings[place].1)
    }
}

/// What each member of a long table is metered for: columns in which all its cells are empty are not its own.
fn kept(table: &Table, columns: &Columns) -> Result<BTreeMap<String, Quantities>, ScenarioError> {
    let mut kept = BTreeMap::<String, Quantities>::new();
    let (Some(member), [(_, Quantities(declared))]) = (columns.member, columns.of.as_slice()) else { return Ok(kept) };
    for row in table.rows() {
        let row = row?;
        let Quantities(own) = kept.entry(row.text(member).to_owned()).or_default();
        for (own, n) in own.iter_mut().zip(declared) {
            *own = own.or(n.filter(|n| !row.text(*n).is_empty()));
        }
    }
    let [declared_import, declared_export, _] = *declared;
    for Quantities(own) in kept.values_mut() {
        let [import, export, generation] = *own;
        // Of what is generated, and used or exported, both have to be known.
        let needs_export = import.is_some() && generation.is_some();
        let needs_import = export.is_some() || generation.is_none();
        own[0] = import.or(declared_import.filter(|_| needs_import));
        own[1] = export.or(declared_export.filter(|_| needs_export));
    }
    Ok(kept)
}

/// Shows each row's members with the beginning of the interval.
fn visit(
    table: &Table,
    columns: &Columns,
    stamps: &Stamps,
    mut each: impl FnMut(&Row<'_>, &str, Timestamp, Quantities) -> Result<(), ScenarioError>,
) -> Result<(), ScenarioError> {
    // The moment before, of all in a wide table and of each in a long one.
    let mut before = BTreeMap::<String, Timestamp>::new();
    for row in table.rows() {
        let row = row?;
        let name = columns.member.map_or("", |n| row.text(n));
        if let Some(n) = columns.member
            && name.is_empty()
        {
            return Err(row.wrong(n, "the name is missing", ["allowed: the name of a meter".to_owned()]));
        }
        let text = row.text(columns.time);
        let at = stamps.begin(text, before.get(name).copied());
        let at = at.map_err(|(problem, mend)| row.wrong(columns.time, problem, [mend]))?;
        match before.get_mut(name) {
            Some(before) => *before = at,
            None => drop(before.insert(name.to_owned(), at)),
        }
        for (of, quantities) in &columns.of {
            each(&row, if columns.member.is_some() { name } else { of }, at, *quantities)?;
        }
    }
    Ok(())
}

/// Load and generation by what was metered.
fn reading(row: &Row<'_>, quantities: Quantities) -> Result<Reading, ScenarioError> {
    let mut metered = [None; 3];
    for (value, n) in metered.iter_mut().zip(quantities.0) {
        let Some(n) = n.filter(|n| !row.text(*n).is_empty()) else { continue };
        *value = Some(row.energy(n)?);
    }
    let [import, export, generation] = metered;
    Ok(match (quantities.0, import, export, generation) {
        ([None, _, _], ..) => Reading { load: None, generation },
        ([Some(_), _, None], ..) => Reading { load: import, generation: export },
        ([Some(n), ..], Some(import), Some(export), Some(generation)) => {
            let load = import.plus(generation).and_then(|sum| sum.minus(export));
            let too_long = || row.wrong(n, "too many digits", ["allowed: up to 28".to_owned()]);
            let load = load.ok_or_else(too_long)?;
            if load.is_negative() {
                let problem =
                    format!("load would be {load}: import {import} + generation {generation} - export {export}");
                let mend = "more is exported than there is: are columns, units or stamps of meters mixed up?";
                return Err(row.wrong(n, problem, [mend.to_owned()]));
            }
            Reading { load: Some(load), generation: Some(generation) }
        }
        _ => Reading { load: None, generation },
    })
}
