//! A case under way: what is known of its open slots, what its closed ones add up to, and the tables that it writes.

use super::{
    error::RecordError,
    gains::Gains,
    key_figures::Tally,
    recorded::{ClosedSlot, CommittedBlock},
    slot_observations::{SlotObservations, slot_of},
    sums::Sums,
    tables::Tables,
    theory::Theory,
};
use microgrid_agents::{
    actor::MarketProtocol,
    ids::Slot,
    observation::{Observation, Observed},
    units::Energy,
};
use microgrid_runtime::{Traffic, WatchError, Watcher};
use microgrid_scenario::Case;
use std::{collections::BTreeMap, fs, mem, path::PathBuf, time::Duration};

/// Watches a case and records it: into the tables of its run, if these have all cases before, into a folder of its own, or
/// in memory.
#[derive(Debug)]
pub struct CaseRecorder {
    pub(super) case: Case,
    pub(super) tables: Tables,
    pub(super) folder: Option<PathBuf>,
    pub(super) complete: bool,
    /// The slot to be written next.
    next: Slot,
    /// The last slot whose blocks are all on disk.
    on_disk: Slot,
    /// What is known of it and of later ones.
    slots: BTreeMap<Slot, SlotObservations>,
    /// What became of messages since the last slot was closed.
    sent: Traffic,
    /// Length of what was put on the chains since then, their first blocks not counted [bytes].
    bytes: u64,
    /// How far each prosumer is from the ledger, where that is known.
    delays: Option<Vec<Duration>>,
    /// Content of each prosumer's storage at the start of the next slot.
    contents: Vec<Energy>,
    /// What that content would be had there never been a local market.
    alone: Vec<Energy>,
    tally: Tally,
}

impl CaseRecorder {
    /// Ends the folder of a case that is not complete, until it is renamed to the same without that.
    pub(super) const PARTIAL: &str = "partial";

    pub(super) fn new(case: &Case, tables: Tables, folder: Option<PathBuf>) -> Self {
        let initial = |place| case.storage(place).map_or(0.0, |storage| storage.initial_kwh);
        let contents: Vec<_> = (0..case.population.prosumers.len()).map(|n| Energy::nearest(initial(n))).collect();
        Self {
            case: case.clone(),
            tables,
            folder,
            complete: false,
            next: 1,
            on_disk: 0,
            slots: BTreeMap::new(),
            sent: Traffic::default(),
            bytes: 0,
            delays: case.delays(),
            alone: contents.clone(),
            contents,
            tally: Tally::new(case),
        }
    }

    /// Ends the case, which is complete: writes what its ledger carried and its key figures. A folder of its own is whole
    /// then, whoever ends the program.
    pub fn end(&mut self) -> Result<(), RecordError> {
        self.tables.end_case(&self.case, self.tally.key_figures(&self.case))?;
        if let Some(partial) = &mut self.folder {
            self.tables.close()?;
            let whole = partial.with_extension("");
            fs::rename(&*partial, &whole).map_err(RecordError::file("rename", partial))?;
            *partial = whole;
        }
        self.complete = true;
        Ok(())
    }

    /// Takes in a window of the simulation and writes the slots that were closed in it.
    ///
    /// Slots are looked at only after the whole window: within an instant, the ledger's report that a slot is closed
    /// may come before the prosumers' on the same slot. By then the ledger's blocks of the slot are on disk.
    fn take_in(&mut self, observed: impl Iterator<Item = Observed>, traffic: Traffic) -> Result<(), RecordError> {
        self.sent += traffic;
        for Observed { what, time, .. } in observed {
            self.tables.observe(&self.case, &what)?;
            match &what {
                Observation::Checkpoint(signed) => self.on_disk = signed.checkpoint.closed,
                Observation::Sealed(block) if block.header.number > 0 => self.bytes += block.bytes(),
                _ => {}
            }
            let Some(slot) = slot_of(&what) else { continue };
            let observed = self.slots.entry(slot).or_default();
            if let (Observation::Committed(commit), Some(market)) = (&what, observed.market.as_deref()) {
                let (case, traffic, target) = (&self.case, self.sent, &observed.target);
                let block = CommittedBlock { case, market, commit, traffic, target };
                self.tables.sheets.all().try_for_each(|sheet| sheet.block(&block))?;
            }
            if let Observation::SlotClosed(_) = what {
                observed.bytes = mem::take(&mut self.bytes);
            }
            observed.add(time, what);
        }
        while self.slots.get(&self.next).is_some_and(|observed| observed.closed) {
            let slot = self.next;
            if self.on_disk < slot {
                return Err(RecordError::WithoutCheckpoint(slot));
            }
            let observed = self.slots.remove(&slot).expect("the slot was just found");
            self.write(slot, &observed)?;
            self.next += 1;
            self.sent = Traffic::default();
        }
        Ok(())
    }

    fn write(&mut self, slot: Slot, observed: &SlotObservations) -> Result<(), RecordError> {
        let case = &self.case;
        let members = &case.population.prosumers;
        if let Some(missing) = observed.missing(members.len()) {
            return Err(RecordError::Incomplete { slot, prosumer: members[missing].number });
        }
        let open = case.open.contains(slot);
        let theory = Theory::of(case, slot, &self.contents, &self.alone, observed.market.as_deref(), open);
        let gains = Gains::of(observed, &theory, &self.contents, &self.alone);
        let sums = Sums::of(case, slot, observed, &theory, self.sent);
        let (delays, traffic) = (self.delays.as_deref(), self.sent);
        let closed = ClosedSlot { case, slot, observed, theory: &theory, gains: &gains, sums: &sums, traffic, delays };
        self.tables.sheets.all().try_for_each(|sheet| sheet.slot(&closed))?;
        self.tally.add(open, &closed);
        self.contents = observed.prosumers().map(|done| done.balance.content).collect();
        self.alone = theory.alone().iter().map(|alone| alone.content).collect();
        Ok(())
    }
}

impl Watcher<MarketProtocol> for CaseRecorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        Ok(self.take_in(observed.drain(..), traffic)?)
    }
}
