//! A year of profiles, row by row.

use super::{STEP, source::Source};
use crate::{clock::Axis, community::Profile, decimal::Decimal};
use jiff::civil::Date;
use microgrid_scenario::{ScenarioError, did_you_mean};
use std::collections::BTreeSet;

/// The clock of the stamps.
pub(super) const ZONE: &str = "Europe/Berlin";
/// Values between this and zero are measured as noise, not as what somebody gave back [share of the peak].
const NOISE: f64 = -1e-4;

/// The quarter-hours of 2016, the year of all SimBench's profiles.
pub(super) fn axis() -> Result<Axis, ScenarioError> {
    Axis::of_days(ZONE, Date::constant(2016, 1, 1), 366, STEP)
}

/// Reads these profiles of a table, each from the column of its name with `ending`, in alphabetical order. Says how
/// many values were noise.
pub(super) fn profiles(
    source: &mut Source,
    file: &str,
    axis: &Axis,
    names: &BTreeSet<String>,
    ending: &str,
) -> Result<(Vec<Profile>, usize), ScenarioError> {
    let table = source.table(file)?;
    let time = table.column("time")?;
    let mut columns = Vec::new();
    for name in names {
        let column = format!("{name}{ending}");
        let n = table.find(&column).ok_or_else(|| {
            let meant = did_you_mean(&column, table.columns.iter().map(String::as_str));
            let mend = "the profiles that Load.csv and RES.csv name have columns here".to_owned();
            table.at_column(0, format!("the column `{column}` is missing"), meant.into_iter().chain([mend]))
        })?;
        columns.push((n, Profile { name: name.clone(), values: Vec::with_capacity(axis.slots) }));
    }
    let due = format!("a year here is 2016 by the clock of {ZONE}, a row for each of its {} quarter-hours", axis.slots);
    let (mut count, mut noise) = (0, 0);
    for row in table.rows() {
        let row = row?;
        if count == axis.slots {
            return Err(row.wrong(time, "a row too many", [due]));
        }
        let stamp = axis.local(count).strftime("%d.%m.%Y %H:%M").to_string();
        if row.text(time) != stamp {
            let problem = format!("row {} of the year is to be {stamp}", count + 1);
            return Err(row.wrong(time, problem, [due]));
        }
        for (n, profile) in &mut columns {
            let value = row.number(*n)?;
            let text = if value.is_negative() && value.value() >= NOISE {
                noise += 1;
                Decimal::ZERO.to_string()
            } else {
                // Checked, and then kept as it is written.
                row.positive(*n)?;
                row.text(*n).to_owned()
            };
            profile.values.push(text);
        }
        count += 1;
    }
    if count < axis.slots {
        return Err(table.at_end(format!("the year ends after {count} rows"), [due]));
    }
    Ok((columns.into_iter().map(|(_, profile)| profile).collect(), noise))
}
