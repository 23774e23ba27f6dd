//! Populations and tariffs from CSV files.

use super::{
    error::ScenarioError,
    population::{Member, Population, SlotProfile},
    schema::{Market, Preferences},
    table::{Row, Table},
    text_file::TextFile,
    validate::{self, Violation},
};
use microgrid_agents::{ids::Slot, units::Energy};
use std::collections::BTreeMap;

/// Largest generation or load of a slot [kWh], of synthetic prosumers too.
pub(super) const LARGEST_ENERGY: f64 = 1e4;
/// Smallest and largest preference [CNY/kWh]; one of zero would leave nothing to want.
const PREFERENCE: (f64, f64) = (1e-6, 1e4);
/// Largest tariff [CNY/kWh].
const LARGEST_TARIFF: f64 = 1e4;

/// Reads who takes part: every prosumer needs one row for each slot from 1 to `slots`, in any order.
pub(super) fn population(file: &TextFile, slots: u32, preferences: &Preferences) -> Result<Population, ScenarioError> {
    let table = Table::of(file, &["prosumer", "slot", "pv_kwh", "load_kwh"], &["preference_pv", "preference_grid"])?;
    check_preferences(&table, preferences)?;
    let mut members = BTreeMap::<u32, Entries<SlotProfile>>::new();
    for row in table.rows() {
        let row = row?;
        let (number, slot) = (row.whole("prosumer", u32::MAX)?, row.whole("slot", slots)?);
        let profile = slot_profile(&row, preferences)?;
        let member = members.entry(number).or_insert_with(|| Entries::new(slots, row.start));
        if !member.put(slot, profile) {
            return Err(row.report(
                "slot",
                &format!("prosumer {number} has two rows for slot {slot}"),
                one_each(slots),
            ));
        }
    }
    if members.is_empty() {
        return Err(table.report_column("prosumer", "nobody takes part", "allowed: at least one prosumer".to_owned()));
    }
    let members = members.into_iter().map(|(number, entries)| {
        let start = entries.start;
        let profile = entries.complete().map_err(|slot| {
            let problem = format!("prosumer {number} has no row for slot {slot}");
            table.report(start, "prosumer", &problem, one_each(slots))
        })?;
        Ok(Member { number, profile: profile.into() })
    });
    Ok(Population { prosumers: members.collect::<Result<_, ScenarioError>>()? })
}

/// Reads the grid's tariff of each slot [CNY/kWh]; none may be below the market's feed-in tariff.
pub(super) fn tariffs(file: &TextFile, market: &Market) -> Result<Vec<f64>, ScenarioError> {
    const TARIFF: &str = "grid_tariff_cny_per_kwh";
    let table = Table::of(file, &["slot", TARIFF], &[])?;
    let mut tariffs = Entries::new(market.slots, 0);
    for row in table.rows() {
        let row = row?;
        let slot = row.whole("slot", market.slots)?;
        let tariff = row.number(TARIFF, 0.0, LARGEST_TARIFF)?;
        if let Err(violation) = validate::price(TARIFF, tariff) {
            let Violation { problem, allowed, .. } = violation;
            return Err(row.report(TARIFF, &problem, format!("allowed: {allowed}")));
        }
        if tariff < market.feed_in_tariff {
            let allowed = format!("allowed: at least the feed-in tariff of {}", market.feed_in_tariff);
            return Err(row.report(TARIFF, "the grid would pay more than it asks", allowed));
        }
        if !tariffs.put(slot, tariff) {
            return Err(row.report("slot", &format!("there are two rows for slot {slot}"), one_each(market.slots)));
        }
    }
    tariffs.complete().map_err(|slot| {
        table.report_column("slot", &format!("there is no row for slot {slot}"), one_each(market.slots))
    })
}

fn one_each(slots: u32) -> String {
    format!("allowed: one row for each slot from 1 to {slots}")
}

/// Each preference has to be given once: by a column, or by the scenario.
fn check_preferences(table: &Table<'_>, preferences: &Preferences) -> Result<(), ScenarioError> {
    let given = [("preference_pv", preferences.preference_pv), ("preference_grid", preferences.preference_grid)];
    for (column, value) in given {
        let problem = match (table.has(column), value) {
            (false, None) => "the column is missing",
            (true, Some(_)) => "given here and in the scenario",
            _ => continue,
        };
        let allowed = format!("allowed: this column, or preferences.{column} in the scenario");
        return Err(table.report_column(column, problem, allowed));
    }
    Ok(())
}

fn slot_profile(row: &Row<'_>, preferences: &Preferences) -> Result<SlotProfile, ScenarioError> {
    let energy = |column| row.number(column, 0.0, LARGEST_ENERGY).map(Energy::nearest);
    let preference = |column, given: Option<f64>| match given {
        Some(value) => Ok(value),
        None => row.number(column, PREFERENCE.0, PREFERENCE.1),
    };
    Ok(SlotProfile {
        generation: energy("pv_kwh")?,
        load: energy("load_kwh")?,
        preference_pv: preference("preference_pv", preferences.preference_pv)?,
        preference_grid: preference("preference_grid", preferences.preference_grid)?,
    })
}

/// One entry a slot, filled in any order.
struct Entries<T> {
    slots: Vec<Option<T>>,
    /// Where the first of them stands in the file [bytes].
    start: usize,
}

impl<T> Entries<T> {
    fn new(slots: u32, start: usize) -> Self {
        Self { slots: (0..slots).map(|_| None).collect(), start }
    }

    /// Enters a value; false if the slot has one already.
    fn put(&mut self, slot: Slot, value: T) -> bool {
        self.slots[slot as usize - 1].replace(value).is_none()
    }

    /// All entries, or the first slot without one.
    fn complete(self) -> Result<Vec<T>, Slot> {
        let numbered = (1..).zip(self.slots);
        numbered.map(|(slot, entry)| entry.ok_or(slot)).collect()
    }
}
