//! A case under way: what is known of its open slots, and what its closed ones add up to.

use super::{
    ages::{self, AgeRow},
    convergence::{self, ConvergenceRow, Game},
    error::RecordError,
    gains::Gains,
    key_figures::{KeyFigures, Tally},
    ledger::{LedgerRow, Traffic},
    prosumers::{self, ProsumerRow},
    slot_observations::{SlotObservations, slot_of},
    slots::{self, SlotRow},
    tables::Tables,
    theory::{Target, Theory},
    trades::{self, TradeRow},
};
use microgrid_agents::{
    ids::Slot,
    observation::{Observation, Observed},
    units::Energy,
};
use microgrid_analysis::distance::mean;
use microgrid_runtime as runtime;
use microgrid_scenario::{Case, population::Member};
use std::collections::BTreeMap;

/// What takes the rows of a case as they are formed: files or memory.
pub(super) trait Sink {
    /// Whether it takes what only `record: Full` keeps.
    fn is_full(&self) -> bool;

    /// Takes note of an observation that becomes no row.
    ///
    /// # Errors
    /// If it cannot be written.
    fn observed(&mut self, case: u32, what: &Observation) -> Result<(), RecordError>;

    /// Takes the rows of a committed block, if it is full.
    ///
    /// # Errors
    /// If they cannot be written.
    fn convergence(&mut self, rows: impl Iterator<Item = ConvergenceRow>) -> Result<(), RecordError>;

    /// Takes what all prosumers did in a slot, if it is full.
    ///
    /// # Errors
    /// If it cannot be written.
    fn prosumers(&mut self, rows: impl Iterator<Item = ProsumerRow>) -> Result<(), RecordError>;

    /// Takes the trades of a slot, if it is full.
    ///
    /// # Errors
    /// If they cannot be written.
    fn trades(&mut self, rows: Vec<TradeRow>) -> Result<(), RecordError>;

    /// Takes how old the news was that was decided on in a slot.
    ///
    /// # Errors
    /// If it cannot be written.
    fn ages(&mut self, rows: impl Iterator<Item = AgeRow>) -> Result<(), RecordError>;

    /// Takes the row of a slot, after all others of it.
    ///
    /// # Errors
    /// If it cannot be written.
    fn close_slot(&mut self, row: SlotRow) -> Result<(), RecordError>;
}

/// A case under way.
#[derive(Debug)]
pub(super) struct CaseRecord {
    case: Case,
    /// The slot to be written next.
    next: Slot,
    /// The last slot whose blocks are all on disk.
    on_disk: Slot,
    /// What is known of it and of later ones.
    slots: BTreeMap<Slot, SlotObservations>,
    /// What became of messages since the last slot was closed.
    sent: runtime::Traffic,
    /// Content of each prosumer's storage at the start of the next slot.
    contents: Vec<Energy>,
    /// What that content would be had there never been a local market.
    alone: Vec<Energy>,
    tally: Tally,
    traffic: Traffic,
}

impl CaseRecord {
    /// The record of a case that begins.
    pub(super) fn new(case: &Case) -> Self {
        let initial = case.scenario.storage.as_ref().map_or(0.0, |storage| storage.initial_kwh);
        let contents = vec![Energy::nearest(initial); case.population.prosumers.len()];
        Self {
            case: case.clone(),
            next: 1,
            on_disk: 0,
            slots: BTreeMap::new(),
            sent: runtime::Traffic::default(),
            alone: contents.clone(),
            contents,
            tally: Tally::new(case),
            traffic: Traffic::default(),
        }
    }

    /// Number of the case.
    pub(super) fn number(&self) -> u32 {
        self.case.number
    }

    /// Takes in a window of the simulation and writes the slots that were closed in it.
    ///
    /// Slots are looked at only after the whole window: within an instant, the ledger's report that a slot is closed
    /// may come before the prosumers' on the same slot. By then the ledger's blocks of the slot are on disk.
    ///
    /// # Errors
    /// If a table cannot be written, or a closed slot lacks a prosumer or the ledger's checkpoint.
    pub(super) fn window(
        &mut self,
        observed: impl Iterator<Item = Observed>,
        traffic: runtime::Traffic,
        sink: &mut impl Sink,
    ) -> Result<(), RecordError> {
        self.sent += traffic;
        for Observed { what, time, .. } in observed {
            self.traffic.add(&what);
            sink.observed(self.case.number, &what)?;
            if let Observation::Checkpoint(signed) = &what {
                self.on_disk = signed.checkpoint.closed;
            }
            let Some(slot) = slot_of(&what) else { continue };
            let gathered = self.slots.entry(slot).or_default();
            if let (Observation::Committed(commit), Some(market), true) =
                (&what, gathered.market.as_deref(), sink.is_full())
            {
                let target = || (Target::of(&self.case, market), mean(&market.surplus));
                let (target, mean_surplus) = *gathered.target.get_or_insert_with(target);
                let (case, population, traffic) = (self.case.number, &*self.case.population, self.sent);
                let game = Game { case, market, population, target, mean_surplus, traffic };
                sink.convergence(convergence::rows(game, commit))?;
            }
            gathered.add(time, what);
        }
        while self.slots.get(&self.next).is_some_and(|gathered| gathered.closed) {
            let slot = self.next;
            if self.on_disk < slot {
                return Err(RecordError::WithoutCheckpoint(slot));
            }
            let gathered = self.slots.remove(&slot).expect("the slot was just found");
            self.write(slot, &gathered, sink)?;
            self.next += 1;
            self.sent = runtime::Traffic::default();
        }
        Ok(())
    }

    /// Writes a closed slot.
    fn write(&mut self, slot: Slot, gathered: &SlotObservations, sink: &mut impl Sink) -> Result<(), RecordError> {
        let (number, population) = (self.case.number, &self.case.population);
        let members = &population.prosumers;
        if let Some(missing) = gathered.missing(members.len()) {
            return Err(RecordError::Incomplete { slot, prosumer: members[missing].number });
        }
        let (first, last) = self.case.scenario.market.open;
        let open = (first..=last).contains(&slot);
        let theory = Theory::of(&self.case, slot, &self.contents, &self.alone, gathered.market.as_deref(), open);
        let gains = Gains::of(gathered, &theory, &self.contents, &self.alone);
        let done = || gathered.prosumers();
        if sink.is_full() {
            let baselines = theory.peer_to_grid.iter().zip(theory.alone());
            let each = members.iter().zip(done()).zip(baselines);
            let row = |((member, done), (without, alone)): ((&Member, _), _)| {
                prosumers::row(number, member.number, done, without, alone)
            };
            sink.prosumers(each.map(row))?;
            sink.trades(trades::rows(number, slot, gathered, population))?;
        }
        sink.ages(ages::rows(number, slot, &gathered.ages))?;
        sink.close_slot(slots::row(number, slot, gathered, &theory, gains.worse_off(), self.sent))?;
        self.tally.add(open, gathered, &theory, &gains, self.sent.sent);
        self.contents = done().map(|done| done.content).collect();
        self.alone = theory.alone().iter().map(|alone| alone.content).collect();
        Ok(())
    }

    /// Ends the case: writes what its ledger carried, and the key figures of the slots that were closed.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn end(self, tables: &mut Tables) -> Result<(), RecordError> {
        tables.end_case(self.case.number)?;
        let (rows, key_figures) = self.ended();
        tables.ledger.append(rows)?;
        tables.ledger.flush()?;
        tables.key_figures.push(&key_figures)
    }

    /// Ends the case: what its ledger carried, and the key figures of the slots that were closed.
    pub(super) fn ended(self) -> (Vec<LedgerRow>, KeyFigures) {
        let rows = self.traffic.rows(self.case.number, self.case.scenario.ledger.block.max_transactions);
        (rows.into_iter().collect(), self.tally.key_figures(&self.case))
    }
}
