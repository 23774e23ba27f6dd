//! `progress.json`: how far a run has come.

use microgrid_agents::ids::Slot;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `progress.json`: how far a run has come, so that it can be resumed where it was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The results of so many cases, from the first on, are in the run's tables.
    pub(super) cases: u32,
    /// And of the next one so many slots, if it has been left between two of them.
    #[serde(skip)]
    pub(super) slots: Slot,
    /// How long each growing file is up to there [bytes].
    pub(super) lengths: BTreeMap<String, u64>,
}

impl Journal {
    pub(super) const FILE: &str = "progress.json";
}
