//! What prosumers are called where tables tell of them by their numbers.

use super::text::short;
use crate::record::{BillRow, ProsumerRow, RecordError, Row, Run};
use std::collections::BTreeMap;

/// The names of those that have one, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<u32, String>);

impl Names {
    pub(super) fn of(rows: &[ProsumerRow]) -> Self {
        Self(rows.iter().filter_map(|row| Some((row.prosumer, row.name.clone()?))).collect())
    }

    /// Those of the members of a case, as far as the run has bills.
    pub(super) fn of_case(run: &Run, case: u32) -> Result<Self, RecordError> {
        let mut names = Self::default();
        if run.keeps(BillRow::FILE) {
            for row in run.rows::<BillRow>()? {
                let row = row?;
                names.0.extend(row.name.filter(|_| row.case == case).map(|name| (row.prosumer, name)));
            }
        }
        Ok(names)
    }

    /// Whether anybody has one.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// The name of a prosumer in up to so many letters; empty without one.
    pub(super) fn get(&self, prosumer: u32, most: usize) -> String {
        self.0.get(&prosumer).map_or_else(String::new, |name| short(name, most))
    }
}
