//! Who takes part, from a table with a row for each prosumer and slot.

use super::{
    PREFERENCE,
    table::{Row, Table},
};
use crate::{
    error::{Mistake, ScenarioError},
    population::{Member, Population, SlotProfile},
    schema::Preferences,
    text::TextFile,
};
use microgrid_agents::ids::Slot;
use std::collections::BTreeMap;

/// Columns of profiles, and those that the scenario may stand in for.
const PROFILES: [&str; 4] = ["prosumer", "slot", "pv_kwh", "load_kwh"];
const PREFERENCES: [&str; 2] = ["preference_pv", "preference_grid"];

/// How many slots the market has, for each of which a table is to have a row.
pub(super) struct Slots<'a> {
    pub(super) due: u32,
    /// Makes an error of what is wrong in the scenario.
    pub(super) shown: &'a dyn Fn(Mistake) -> ScenarioError,
}

impl Slots<'_> {
    /// Fails if a table is whole, but for another number of slots. `of` is what its rows are of beside slots, if anything.
    pub(super) fn check(&self, table: &Table<'_>, of: Option<&str>) -> Result<(), ScenarioError> {
        let mut slots = BTreeMap::<String, (u32, u32)>::new();
        for row in table.rows() {
            // What is wrong elsewhere is told with its place.
            let Ok(row) = row else { return Ok(()) };
            let Ok(slot) = row.text("slot").parse::<u32>() else { return Ok(()) };
            let (count, last) = slots.entry(of.map_or("", |of| row.text(of)).to_owned()).or_default();
            (*count, *last) = (*count + 1, slot.max(*last));
        }
        let mut numbers = slots.values();
        let Some(&(there, last)) = numbers.next() else { return Ok(()) };
        if there == self.due || there != last || numbers.any(|of| *of != (there, last)) {
            return Ok(());
        }
        let file = table.file.path.as_deref().unwrap_or_default();
        let problem = format!("{file} has rows for {there} slot{}", if there == 1 { "" } else { "s" });
        let allowed = format!("{there}, or a table with a row for each slot from 1 to {}", self.due);
        Err((self.shown)(Mistake::value("market.slots", &problem, self.due, allowed)))
    }
}

/// Reads who takes part: every prosumer needs one row for each slot, in any order.
pub(super) fn population(
    file: &TextFile,
    slots: &Slots<'_>,
    preferences: &Preferences,
) -> Result<Population, ScenarioError> {
    read_population(file, slots.due, preferences).or_else(|error| {
        let table = Table::of(file, &PROFILES, &PREFERENCES)?;
        check_preferences(&table, preferences, false)?;
        slots.check(&table, Some("prosumer")).and(Err(error))
    })
}

pub(super) fn read_population(
    file: &TextFile,
    slots: u32,
    preferences: &Preferences,
) -> Result<Population, ScenarioError> {
    let table = Table::of(file, &PROFILES, &PREFERENCES)?;
    check_preferences(&table, preferences, false)?;
    // With where the first row of each stands in the file [bytes]. No more is kept than there are rows.
    let mut members = BTreeMap::<u32, (usize, BTreeMap<Slot, SlotProfile>)>::new();
    for row in table.rows() {
        let row = row?;
        let (number, slot) = (row.whole("prosumer", u32::MAX)?, row.whole("slot", slots)?);
        let profile = slot_profile(&row, preferences)?;
        let (_, profiles) = members.entry(number).or_insert_with(|| (row.start, BTreeMap::new()));
        if profiles.insert(slot, profile).is_some() {
            let problem = format!("prosumer {number} has two rows for slot {slot}");
            return Err(row.report("slot", &problem, one_each(slots)));
        }
    }
    if members.is_empty() {
        return Err(table.report_column("prosumer", "nobody takes part", "allowed: at least one prosumer".to_owned()));
    }
    let members = members.into_iter().map(|(number, (start, profiles))| match complete(profiles, slots) {
        Ok(profiles) => Ok(Member::new(number, profiles)),
        Err(slot) => {
            let problem = format!("prosumer {number} has no row for slot {slot}");
            Err(table.report(start, "prosumer", &problem, [one_each(slots)]))
        }
    });
    Ok(Population { prosumers: members.collect::<Result<_, ScenarioError>>()? })
}

pub(super) fn one_each(slots: u32) -> String {
    format!("allowed: one row for each slot from 1 to {slots}")
}

/// Each preference has to be given: by a column, or by the scenario, or by both where the column's goes before.
pub(super) fn check_preferences(
    table: &Table<'_>,
    preferences: &Preferences,
    may_be_both: bool,
) -> Result<(), ScenarioError> {
    for (column, value) in preferences.everybodys() {
        let problem = match (table.position(column).is_some(), value) {
            (false, None) => "the column is missing",
            (true, Some(_)) if !may_be_both => "given here and in the scenario",
            _ => continue,
        };
        let allowed = format!("allowed: this column, or preferences.{column} in the scenario");
        return Err(table.report_column(column, problem, allowed));
    }
    Ok(())
}

pub(super) fn slot_profile(row: &Row<'_>, preferences: &Preferences) -> Result<SlotProfile, ScenarioError> {
    let preference = |column, given: Option<f64>| match given {
        Some(value) => Ok(value),
        None => row.number(column, PREFERENCE.0, PREFERENCE.1),
    };
    Ok(SlotProfile {
        generation: row.energy("pv_kwh")?,
        load: row.energy("load_kwh")?,
        preference_pv: preference("preference_pv", preferences.preference_pv)?,
        preference_grid: preference("preference_grid", preferences.preference_grid)?,
    })
}

/// The entries of all slots, or the first slot without one.
pub(super) fn complete<T>(entries: BTreeMap<Slot, T>, slots: u32) -> Result<Vec<T>, Slot> {
    match (1..=slots).zip(entries.keys()).find(|(slot, there)| slot != *there) {
        Some((slot, _)) => Err(slot),
        None if entries.len() < slots as usize => Err(entries.len() as Slot + 1),
        None => Ok(entries.into_values().collect()),
    }
}
