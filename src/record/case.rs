//! A case under way: what is known of its open slots, and what its closed ones add up to.

use super::{
    ages,
    convergence::{self, Game},
    error::RecordError,
    gathered::{Gathered, slot_of},
    key_figures::{KeyFigures, Tally},
    ledger::Traffic,
    prosumers, slots,
    tables::Tables,
    theory::{Target, Theory},
    trades,
};
use crate::{analysis::distance::mean, runtime, scenario::Case};
use microgrid_agents::{
    ids::Slot,
    observation::{Observation, Observed},
    units::Energy,
};
use std::collections::BTreeMap;

/// A case under way.
#[derive(Debug)]
pub(super) struct CaseRecord {
    case: Case,
    /// The slot to be written next.
    next: Slot,
    /// The last slot whose blocks are all on disk.
    on_disk: Slot,
    /// What is known of it and of later ones.
    slots: BTreeMap<Slot, Gathered>,
    /// What became of messages since the last slot was closed.
    sent: runtime::Traffic,
    /// Content of each prosumer's storage at the start of the next slot.
    contents: Vec<Energy>,
    tally: Tally,
    traffic: Traffic,
}

impl CaseRecord {
    /// The record of a case that begins.
    pub(super) fn new(case: &Case) -> Self {
        let initial = case.scenario.storage.as_ref().map_or(0.0, |storage| storage.initial_kwh);
        Self {
            case: case.clone(),
            next: 1,
            on_disk: 0,
            slots: BTreeMap::new(),
            sent: runtime::Traffic::default(),
            contents: vec![Energy::nearest(initial); case.population.prosumers.len()],
            tally: Tally::default(),
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
        tables: &mut Tables,
    ) -> Result<(), RecordError> {
        self.sent += traffic;
        for Observed { what, time, .. } in observed {
            self.traffic.add(&what);
            if let Some(full) = &mut tables.full {
                full.chains.add(self.case.number, &what)?;
            }
            if let Observation::Checkpoint(signed) = &what {
                self.on_disk = signed.checkpoint.closed;
            }
            let Some(slot) = slot_of(&what) else { continue };
            let gathered = self.slots.entry(slot).or_default();
            if let (Observation::Committed(commit), Some(market), Some(full)) =
                (&what, gathered.market.as_deref(), &mut tables.full)
            {
                let target = || (Target::of(&self.case, slot), mean(&market.surplus));
                let (target, mean_surplus) = *gathered.target.get_or_insert_with(target);
                let (case, population, traffic) = (self.case.number, &*self.case.population, self.sent);
                let game = Game { case, market, population, target, mean_surplus, traffic };
                full.convergence.append(convergence::rows(game, commit))?;
            }
            gathered.add(time, what);
        }
        while self.slots.get(&self.next).is_some_and(|gathered| gathered.closed) {
            let slot = self.next;
            if self.on_disk < slot {
                return Err(RecordError::WithoutCheckpoint(slot));
            }
            let gathered = self.slots.remove(&slot).expect("the slot was just found");
            self.write(slot, &gathered, tables)?;
            self.next += 1;
            self.sent = runtime::Traffic::default();
        }
        Ok(())
    }

    /// Writes a closed slot.
    fn write(&mut self, slot: Slot, gathered: &Gathered, tables: &mut Tables) -> Result<(), RecordError> {
        let (number, population) = (self.case.number, &self.case.population);
        let members = &population.prosumers;
        if let Some(missing) = gathered.missing(members.len()) {
            return Err(RecordError::Incomplete { slot, prosumer: members[missing].number });
        }
        let (first, last) = self.case.scenario.market.open;
        let open = (first..=last).contains(&slot);
        let theory = Theory::of(&self.case, slot, &self.contents, open);
        let done = || gathered.prosumers();
        if let Some(full) = &mut tables.full {
            let each = members.iter().zip(done()).zip(&theory.peer_to_grid);
            full.prosumers
                .append(each.map(|((member, done), without)| prosumers::row(number, member.number, done, without)))?;
            full.trades.append(trades::rows(number, slot, gathered, population))?;
        }
        if let Some(ages) = &mut tables.ages {
            ages.append(ages::rows(number, slot, &gathered.ages))?;
        }
        tables.slots.append([slots::row(number, slot, gathered, &theory, self.sent)])?;
        tables.flush()?;
        self.tally.add(open, gathered, &theory, self.sent.sent);
        self.contents = done().map(|done| done.content).collect();
        Ok(())
    }

    /// Ends the case: writes what its ledger carried, and the key figures of the slots that were closed.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn end(self, tables: &mut Tables) -> Result<(), RecordError> {
        let rows = self.traffic.rows(self.case.number, self.case.scenario.ledger.block.max_transactions);
        tables.end_case(self.case.number)?;
        tables.ledger.append(rows)?;
        tables.ledger.flush()?;
        tables.key_figures.push(&self.key_figures())
    }

    /// The key figures of the slots closed so far.
    fn key_figures(&self) -> KeyFigures {
        self.tally.key_figures(&self.case)
    }
}
