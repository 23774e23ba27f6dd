//! Which column is what of whom.

use super::{Layout, Meters};
use crate::{error::refused, table::Table};
use microgrid_scenario::ScenarioError;
use std::collections::BTreeMap;

/// Stands for the member's name in a pattern.
const NAME: &str = "{}";

/// What is declared of the columns of all tables.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    time: &'a str,
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
        Ok(Self { time: &meters.time, layout: &meters.layout, patterns })
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
                    table.at_column(0, format!("no column fits `{pattern}`"), [mend])
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
        Ok(Columns { time, member, of, unused })
    }
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
