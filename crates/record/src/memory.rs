//! The rows of a case in memory, for programs that go on with them.

use super::{
    ages::AgeRow,
    case::{CaseRecord, Sink},
    convergence::ConvergenceRow,
    error::RecordError,
    key_figures::KeyFigures,
    ledger::LedgerRow,
    prosumers::ProsumerRow,
    slots::SlotRow,
    trades::TradeRow,
};
use microgrid_agents::{
    actor::MarketProtocol,
    chain::refusal::Refusal,
    ids::{ProsumerId, Slot},
    observation::{Observation, Observed},
};
use microgrid_runtime::{Traffic, WatchError, Watcher};
use microgrid_scenario::{Case, population::Population, schema::Record};
use std::{collections::BTreeMap, sync::Arc};

/// What a case came to: the rows that its tables would have, as far as the scenario's `record` has them kept.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRows {
    /// Number of the case.
    pub case: u32,
    /// Every slot at a glance.
    pub slots: Vec<SlotRow>,
    /// Every prosumer's slots.
    pub prosumers: Vec<ProsumerRow>,
    /// What every buyer wanted of every seller, and got.
    pub trades: Vec<TradeRow>,
    /// How prices, shares, demands and net utilities moved.
    pub convergence: Vec<ConvergenceRow>,
    /// How old the news was that was decided on.
    pub ages: Vec<AgeRow>,
    /// What each channel of the ledger carried.
    pub ledger: Vec<LedgerRow>,
    /// Totals and shares over all slots; varied knobs and the seed.
    pub key_figures: KeyFigures,
    /// What the ledger refused, by slot, prosumer and reason.
    pub refusals: Vec<Refusals>,
}

/// How often the ledger refused what somebody sent, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// In which slot.
    pub slot: Slot,
    /// Number of the prosumer; `None` for the grid.
    pub prosumer: Option<u32>,
    /// Why.
    pub reason: Refusal,
    /// How often.
    pub count: u64,
}

impl CaseRows {
    /// The row of a slot, if it was recorded.
    pub fn slot(&self, slot: Slot) -> Option<&SlotRow> {
        self.slots.iter().find(|row| row.slot == slot)
    }

    /// The trades of a slot.
    pub fn trades_in(&self, slot: Slot) -> impl Iterator<Item = &TradeRow> {
        self.trades.iter().filter(move |row| row.slot == slot)
    }

    /// The last price of each seller in the game of a slot [CNY/kWh], by the sellers' numbers.
    pub fn prices(&self, slot: Slot) -> BTreeMap<u32, f64> {
        let of_slot = self.convergence.iter().filter(|row| row.slot == slot);
        of_slot.filter_map(|row| Some((row.seller, row.price_cny_per_kwh?.value()))).collect()
    }
}

/// Keeps the rows of one case in memory.
#[derive(Debug)]
pub struct MemoryRecorder {
    record: CaseRecord,
    sheets: Sheets,
}

#[derive(Debug)]
struct Sheets {
    keeps: Record,
    population: Arc<Population>,
    slots: Vec<SlotRow>,
    prosumers: Vec<ProsumerRow>,
    trades: Vec<TradeRow>,
    convergence: Vec<ConvergenceRow>,
    ages: Vec<AgeRow>,
    refusals: BTreeMap<(Slot, Option<u32>, Refusal), u64>,
}

impl MemoryRecorder {
    /// A recorder of a case that begins.
    pub fn new(case: &Case) -> Self {
        let (population, keeps) = (Arc::clone(&case.population), case.scenario.record);
        let (slots, prosumers, trades, convergence, ages, refusals) = Default::default();
        let sheets = Sheets { keeps, population, slots, prosumers, trades, convergence, ages, refusals };
        Self { record: CaseRecord::new(case), sheets }
    }

    /// Ends the case, which is complete.
    pub fn end(self) -> CaseRows {
        let Sheets { slots, prosumers, trades, convergence, ages, refusals, .. } = self.sheets;
        let case = self.record.number();
        let (ledger, key_figures) = self.record.ended();
        let refusals = refusals.into_iter();
        let refusals = refusals.map(|((slot, prosumer, reason), count)| Refusals { slot, prosumer, reason, count });
        let refusals = refusals.collect();
        CaseRows { case, slots, prosumers, trades, convergence, ages, ledger, key_figures, refusals }
    }
}

impl Sink for Sheets {
    fn is_full(&self) -> bool {
        self.keeps == Record::Full
    }

    fn observed(&mut self, _: u32, what: &Observation) -> Result<(), RecordError> {
        if let Observation::Refused(refused) = what {
            let prosumer = ProsumerId::of(refused.from).map(|id| self.population.prosumers[id.index()].number);
            *self.refusals.entry((refused.slot, prosumer, refused.refusal)).or_default() += 1;
        }
        Ok(())
    }

    fn convergence(&mut self, rows: impl Iterator<Item = ConvergenceRow>) -> Result<(), RecordError> {
        self.convergence.extend(rows);
        Ok(())
    }

    fn prosumers(&mut self, rows: impl Iterator<Item = ProsumerRow>) -> Result<(), RecordError> {
        self.prosumers.extend(rows);
        Ok(())
    }

    fn trades(&mut self, rows: Vec<TradeRow>) -> Result<(), RecordError> {
        self.trades.extend(rows);
        Ok(())
    }

    fn ages(&mut self, rows: impl Iterator<Item = AgeRow>) -> Result<(), RecordError> {
        if self.keeps != Record::Summary {
            self.ages.extend(rows);
        }
        Ok(())
    }

    fn close_slot(&mut self, row: SlotRow) -> Result<(), RecordError> {
        if self.keeps != Record::Summary {
            self.slots.push(row);
        }
        Ok(())
    }
}

impl Watcher<MarketProtocol> for MemoryRecorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        Ok(self.record.window(observed.drain(..), traffic, &mut self.sheets)?)
    }
}
