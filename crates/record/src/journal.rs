//! `progress.json`: how far a run has come.

use microgrid_agents::ids::Slot;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Where runs of older versions begin.
fn one() -> u32 {
    1
}

/// `progress.json`: how far a run has come, so that it can be resumed where it was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// Number of the run's first case: 1, but in a part of a study.
    #[serde(default = "one")]
    pub(super) first: u32,
    /// The results of the cases from the first to the one with this number are in the run's tables.
    pub(super) cases: u32,
    /// And of the next one so many slots, if it has been left between two of them.
    #[serde(skip)]
    pub(super) slots: Slot,
    /// How long each growing file is up to there [bytes].
    pub(super) lengths: BTreeMap<String, u64>,
}

impl Journal {
    pub(super) const FILE: &str = "progress.json";

    /// The numbers of the cases that are in the tables.
    pub(super) fn done(&self) -> RangeInclusive<u32> {
        self.first..=self.cases
    }
}
