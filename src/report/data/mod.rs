//! The run's tables, read once and thinned to what can be seen.

use crate::{
    record::{CaseEntry, KeyFigures, Manifest, RecordError, Run, SlotRow, Summary},
    scenario::{self, Overrides, Plan},
};
use microgrid_agents::ids::Slot;

/// What the charts of a run are made from.
#[derive(Clone, Debug)]
pub struct Data {
    /// What was run, when, and how it ended.
    pub manifest: Manifest,
    /// The resolved scenario; `None` where this version of the program cannot read it.
    pub plan: Option<Plan>,
    /// The cases that have come to anything, in order.
    pub cases: Vec<CaseData>,
    /// What each combination of the varied knobs came to.
    pub summaries: Vec<Summary>,
}

/// What the charts of a case are made from.
#[derive(Clone, Debug)]
pub struct CaseData {
    /// Its number, knobs and seed.
    pub entry: CaseEntry,
    /// Its slots that are closed, in order; none where the run does not keep them.
    pub slots: Vec<SlotRow>,
    /// Its key figures, if it is complete.
    pub key_figures: Option<KeyFigures>,
    /// The slot that stands for the day where only one is drawn: the scenario's choice or, without one, that with most
    /// traded energy; `None` without a slot that had a market.
    pub shown: Option<Slot>,
}

impl Data {
    /// Reads the tables of a run.
    ///
    /// # Errors
    /// If a table that the run keeps cannot be read.
    pub fn read(run: &Run) -> Result<Self, RecordError> {
        let plan = scenario::load(&run.folder().join(crate::record::SCENARIO), &Overrides::default()).ok();
        Ok(Self { manifest: run.manifest().clone(), plan, cases: Vec::new(), summaries: Vec::new() })
    }

    /// The case with this number, if it has come to anything.
    pub fn case(&self, number: u32) -> Option<&CaseData> {
        let at = self.cases.binary_search_by_key(&number, |case| case.entry.case).ok()?;
        self.cases.get(at)
    }
}

impl CaseData {
    /// The row of this slot, if it is closed.
    pub fn slot(&self, slot: Slot) -> Option<&SlotRow> {
        let at = self.slots.binary_search_by_key(&slot, |row| row.slot).ok()?;
        self.slots.get(at)
    }
}
