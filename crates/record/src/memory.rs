//! The results of a study in memory, for programs that go on with them.

use super::{
    case::CaseRecorder,
    error::RecordError,
    manifest::gate_closure_s,
    measures::{CaseMeasures, complete_cases},
    paired::{self, PairedRow},
    recorder::CaseStore,
    sheet::{Format, Place},
    summary::{Summary, summaries},
    tables::{CaseRows, Tables},
};
use microgrid_scenario::{Case, Plan, schema::Record};
use std::{collections::BTreeMap, env};

/// What a study came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Results {
    /// The cases in the order of their numbers: one for each combination of varied knobs and replicate.
    pub cases: Vec<CaseRows>,
    /// What each combination of the varied knobs came to, over its replicates, as `summary.csv` has it.
    pub summaries: Vec<Summary>,
    /// What turning each knob changed, seed by seed, as `paired.csv` has it; none where no knob is varied.
    pub paired: Vec<PairedRow>,
}

/// Keeps the rows of a study in memory.
#[derive(Debug)]
pub struct MemoryRecorder {
    plan: Plan,
    cases: BTreeMap<u32, (CaseRows, Option<CaseMeasures>)>,
}

impl MemoryRecorder {
    /// A recorder without a case of this plan.
    pub fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), cases: BTreeMap::new() }
    }

    /// What the cases that were completed came to.
    pub fn finish(self) -> Result<Results, RecordError> {
        let (cases, measures): (Vec<_>, Vec<_>) = self.cases.into_values().unzip();
        let measures = || measures.iter().flatten();
        let replicates = self.plan.scenario.replicates.count() as u32;
        let summaries = summaries(measures().cloned().map(Ok), replicates).collect::<Result<_, _>>()?;
        let mut paired = Vec::new();
        if paired::has_pairs(&self.plan) {
            let mut values = paired::Values::new(&env::temp_dir());
            measures().try_for_each(|case| values.put(case))?;
            paired = paired::in_memory(&self.plan, values)?;
        }
        Ok(Results { cases, summaries, paired })
    }
}

impl CaseStore for MemoryRecorder {
    fn has(&self, case: u32) -> bool {
        self.cases.contains_key(&case)
    }

    fn begin(&mut self, case: &Case) -> Result<CaseRecorder, RecordError> {
        Ok(CaseRecorder::new(case, Tables::open(Place::Memory, case.scenario.record, Format::Csv)?, None))
    }

    fn take_in(&mut self, case: CaseRecorder) -> Result<(), RecordError> {
        let number = case.case.number;
        let Some(mut rows) = case.tables.into_rows(number) else { return Ok(()) };
        let slots = rows.slots.iter().cloned().map(Ok);
        let gate = Some(gate_closure_s(&self.plan));
        let measures = complete_cases(slots, self.plan.scenario.market.slots, gate).next().transpose()?;
        if self.plan.scenario.record == Record::Summary {
            rows.slots.clear();
        }
        self.cases.insert(number, (rows, measures));
        Ok(())
    }
}
