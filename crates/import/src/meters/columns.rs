//! Which column is what of whom.

use super::{Layout, Meters, Unit};
use crate::{error::refused, table::Table};
use microgrid_scenario::ScenarioError;
use std::collections::BTreeMap;

/// Stands for the member's name in a pattern.
const NAME: &str = "{}";

/// What is declared of the columns of all tables.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    time: &'a str,
    unit: Unit,
    layout: &'a Layout,
    /// Flag and pattern of import, export and generation, in this order.
    patterns: [(&'static str, Option<&'a str>); 3],
}

/// The columns of one table.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) time: usize,
    /// The column with members' names, in a long table.
    pub(super) member: Option<usize>,
    /// Whose columns, in a wide one; of a long one it has a single entry without a name.
    pub(super) of: Vec<(String, Quantities)>,
    /// Those that are not declared.
    pub(super) unused: Vec<String>,
}

/// Columns of import, export and generation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quantities(pub(super) [Option<usize>; 3]);

impl<'a> Declared<'a> {
    pub(super) fn of(meters: &'a Meters) -> Result<Self, ScenarioError> {
        let patterns = [
            ("--import", meters.import.as_deref()),
            ("--export", meters.export.as_deref()),
            ("--generation", meters.generation.as_deref()),
        ];
        for (flag, pattern) in patterns {
            let Some(pattern) = pattern else { continue };
            if pattern.matches(NAME).count() > 1 {
                let mend = "allowed: one `{}`, for the member's name".to_owned();
                return Err(refused(format!("{flag}: `{pattern}` has several `{{}}`"), [mend]));
            }
            if let Layout::Long { .. } = meters.layout
                && pattern.contains(NAME)
            {
                let mend = "allowed: the name of a column; a long table has members' names in `--member`".to_owned();
                return Err(refused(format!("{flag}: `{pattern}` is no column of a long table"), [mend]));
            }
        }
        if meters.import.is_none() && meters.generation.is_none() {
            let mend = "allowed: at least `--import` or `--generation`".to_owned();
            return Err(refused("no column is declared that has load or generation", [mend]));
        }
        Ok(Self { time: &meters.time, unit: meters.unit, layout: &meters.layout, patterns })
    }

    /// The columns of this table, of a file of this name without its ending.
    pub(super) fn columns(&self, table: &Table, stem: &str) -> Result<Columns, ScenarioError> {
        let time = table.column(self.time)?;
        let mut of = BTreeMap::<String, Quantities>::new();
        let mut order = Vec::new();
        let mut unused = Vec::new();
        let member = match self.layout {
            Layout::Long { member } => Some(table.column(member)?),
            Layout::Wide => None,
        };
        for (n, column) in table.columns.iter().enumerate() {
            if n == time || Some(n) == member {
                continue;
            }
            let fits = self.patterns.iter().enumerate().filter_map(|(quantity, (_, pattern))| {
                let (length, name) = ((*pattern)?.len(), named(column, (*pattern)?, stem)?);
                Some((length, quantity, name))
            });
            let mut fits: Vec<_> = fits.collect();
            fits.sort();
            // The pattern that says most is meant: `{} out` before `{}`.
            match fits.as_slice() {
                [] => unused.push(column.clone()),
                [.., before, last] if before.0 == last.0 => {
                    let (one, other) = (self.patterns[before.1].0, self.patterns[last.1].0);
                    let mend = "write more of the columns' names in one of the patterns".to_owned();
                    return Err(table.at_column(n, format!("the column `{column}` fits {one} and {other}"), [mend]));
                }
                [.., (_, quantity, name)] => {
                    let name = if member.is_some() { String::new() } else { name.clone() };
                    if !of.contains_key(&name) {
                        order.push(name.clone());
                    }
                    of.entry(name).or_default().0[*quantity] = Some(n);
                }
            }
        }
        for (flag, pattern) in self.patterns.iter().filter_map(|(flag, pattern)| Some((flag, (*pattern)?))) {
            if !table.columns.iter().any(|column| named(column, pattern, stem).is_some()) {
                let error = if pattern.contains(NAME) {
                    let mend =
                        format!("allowed: a pattern that fits some column, with `{{}}` for the member's name: {flag}");
                    let (n, capitals) = in_other_capitals(table, pattern).unzip();
                    let problem = format!("no column fits `{pattern}`");
                    table.at_column(n.unwrap_or(0), problem, capitals.into_iter().chain([mend]))
                } else {
                    let missing = table.column(pattern).map(drop);
                    missing
                        .err()
                        .unwrap_or_else(|| table.at_column(time, format!("{flag} is the column of the time"), []))
                };
                return Err(error);
            }
        }
        let of: Vec<_> = order.into_iter().map(|name| (name.clone(), of[&name])).collect();
        for (name, Quantities([import, export, generation])) in &of {
            let (n, problem) = match (import, export, generation) {
                (None, Some(n), _) => (*n, "is exported, and nothing tells what is imported"),
                (Some(_), None, Some(n)) => (*n, "is generated, and nothing tells what of it is exported"),
                _ => continue,
            };
            let whose = if name.is_empty() { String::new() } else { format!("`{name}`: ") };
            let mend =
                "load is import + generation - export: declare the other column too, of zeros if there is nothing";
            return Err(table.at_column(n, format!("{whose}energy {problem}"), [mend.to_owned()]));
        }
        for n in of.iter().flat_map(|(_, Quantities(all))| all.iter().flatten()) {
            self.check_unit(table, *n)?;
        }
        Ok(Columns { time, member, of, unused })
    }
}

impl Declared<'_> {
    /// Fails if a column's name ends in another unit than the one that is declared.
    fn check_unit(&self, table: &Table, n: usize) -> Result<(), ScenarioError> {
        let column = &table.columns[n];
        let own = match self.unit {
            Unit::Kwh => "kwh",
            Unit::Kw => "kw",
        };
        let inner = column.trim_end_matches([')', ']']);
        let unit = inner.rsplit([' ', '_', '-', '(', '[', '/', '.']).next().unwrap_or_default();
        // A single W may be any word.
        let is_unit = ["wh", "kwh", "mwh", "kw", "mw"].contains(&unit.to_lowercase().as_str())
            || unit == "W" && inner.len() < column.len();
        if !is_unit || unit.to_lowercase() == own {
            return Ok(());
        }
        let mend = match unit.to_lowercase().as_str() {
            "kw" => "declare `--unit kw`".to_owned(),
            "kwh" => "declare `--unit kwh`".to_owned(),
            "w" | "wh" => format!("divide the numbers by 1000, so that they are in k{unit}"),
            _ => format!("multiply the numbers by 1000, so that they are in k{}", &unit[1..]),
        };
        let notes = [mend, "if the name is wrong, and not the flag, rename the column".to_owned()];
        Err(table.at_column(n, format!("`{column}` is in {unit} by its name, and `--unit {own}` is declared"), notes))
    }
}

/// The first column that would fit a pattern but for capitals, and a hint at it.
fn in_other_capitals(table: &Table, pattern: &str) -> Option<(usize, String)> {
    let (before, after) = pattern.split_once(NAME)?;
    let fits = |column: &String| named(&column.to_lowercase(), &pattern.to_lowercase(), "").is_some();
    let (n, column) = table.columns.iter().enumerate().find(|(_, column)| fits(column))?;
    let name = column.get(before.len()..column.len().checked_sub(after.len())?)?;
    let meant = format!("{}{NAME}{}", column.get(..before.len())?, column.get(column.len() - after.len()..)?);
    Some((n, format!("the column of `{name}` differs in capitals only: write '{meant}'")))
}

/// The member's name, if a column fits a pattern: what stands for `{}`, or the file's name where there is none.
fn named(column: &str, pattern: &str, stem: &str) -> Option<String> {
    match pattern.split_once(NAME) {
        None => (column == pattern).then(|| stem.to_owned()),
        Some((before, after)) => {
            let name = column.strip_prefix(before)?.strip_suffix(after)?.trim();
            (!name.is_empty()).then(|| name.to_owned())
        }
    }
}
