//! A case under way: what is known of its open slots, what its closed ones add up to, and the tables that it writes.

use super::{
    error::RecordError,
    gains::Gains,
    key_figures::Tally,
    prosumers::ProsumerRow,
    recorded::{ClosedSlot, CommittedBlock, Recorded as _},
    slot_observations::{SlotObservations, slot_of},
    slots::SlotRow,
    snapshot::{Snapshot, Snapshots, Standing},
    sums::Sums,
    tables::Tables,
    theory::Theory,
    trades::TradeRow,
};
use microgrid_agents::{
    actor::MarketProtocol,
    ids::Slot,
    observation::{Observation, Observed},
    saved::Unreadable,
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
    /// What is known of the slot to be written next and of later ones.
    slots: BTreeMap<Slot, SlotObservations>,
    /// How far each prosumer is from the ledger, where that is known.
    delays: Option<Vec<Duration>>,
    /// The place of each prosumer's peer by the scenario; nobody's where the ledger is its only one.
    homes: Vec<u32>,
    /// What all slots before add up to.
    standing: Standing,
    /// Where snapshots go, if it is to be possible to go on between two slots.
    pub(super) snapshots: Option<Snapshots>,
    /// From where the simulation goes on, if the case was left between two slots.
    simulation: Option<Vec<u8>>,
    /// What was closed last, where somebody goes on with it.
    closed: Option<ClosedRows>,
    shows_closed: bool,
}

/// The rows of a slot that has just been closed, whatever the scenario keeps.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClosedRows {
    /// The slot at a glance.
    pub slot: SlotRow,
    /// What it was for each prosumer.
    pub prosumers: Vec<ProsumerRow>,
    /// Who got what from whom.
    pub trades: Vec<TradeRow>,
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
            slots: BTreeMap::new(),
            delays: case.delays(),
            homes: case.homes(),
            standing: Standing {
                next: 1,
                on_disk: 0,
                sent: Traffic::default(),
                bytes: 0,
                alone: contents.clone(),
                contents,
                tally: Tally::new(case),
            },
            snapshots: None,
            simulation: None,
            closed: None,
            shows_closed: false,
        }
    }

    /// Goes on with a case where it was left, in these tables as they were left then.
    pub(super) fn restore(case: &Case, mut tables: Tables, left: Snapshot) -> Result<Self, Unreadable> {
        left.check(case)?;
        tables.restore(&left.tables)?;
        let Snapshot { standing, simulation, .. } = left;
        Ok(Self { standing, simulation: Some(simulation), ..Self::new(case, tables, None) })
    }

    /// Keeps what is closed until it is [taken](Self::take_closed), slot by slot.
    pub fn show_closed(&mut self) {
        self.shows_closed = true;
    }

    /// What has been closed last, once.
    pub fn take_closed(&mut self) -> Option<ClosedRows> {
        self.closed.take()
    }

    /// By the machine's clock, so long at least lies between two snapshots.
    const SNAPSHOTS_EVERY: Duration = Duration::from_secs(1);

    /// Writes what the case has come to, with what its simulation has, unless something is known of its next slot already.
    fn save(&mut self, simulation: Vec<u8>) -> Result<(), RecordError> {
        let Some(snapshots) = self.snapshots.as_ref().filter(|_| self.slots.is_empty()) else { return Ok(()) };
        let tables = self.tables.save(snapshots.first, self.case.number - 1)?;
        tables.map_or(Ok(()), |tables| snapshots.write(&self.standing, tables, simulation))
    }

    /// Ends the case, which is complete: writes what its ledger carried and its key figures. A folder of its own is whole
    /// then, whoever ends the program.
    pub fn end(&mut self) -> Result<(), RecordError> {
        self.tables.end_case(&self.case, self.standing.tally.key_figures(&self.case))?;
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
        self.standing.sent += traffic;
        for Observed { what, time, .. } in observed {
            self.tables.observe(&self.case, &what)?;
            match &what {
                Observation::Checkpoint(signed) => self.standing.on_disk = signed.checkpoint.closed,
                Observation::Sealed(block) if block.header.number > 0 => self.standing.bytes += block.bytes(),
                _ => {}
            }
            let Some(slot) = slot_of(&what) else { continue };
            let observed = self.slots.entry(slot).or_default();
            if let (Observation::Committed(commit), Some(market)) = (&what, observed.market.as_deref()) {
                let (case, traffic, target) = (&self.case, self.standing.sent, &observed.target);
                let block = CommittedBlock { case, market, commit, traffic, target };
                self.tables.sheets.all().try_for_each(|sheet| sheet.block(&block))?;
            }
            if let Observation::SlotClosed(_) = what {
                observed.bytes = mem::take(&mut self.standing.bytes);
            }
            observed.add(time, what);
        }
        while let slot = self.standing.next
            && self.slots.get(&slot).is_some_and(|observed| observed.closed)
        {
            if self.standing.on_disk < slot {
                return Err(RecordError::WithoutCheckpoint(slot));
            }
            let observed = self.slots.remove(&slot).expect("the slot was just found");
            self.write(slot, &observed)?;
            self.standing.next += 1;
            self.standing.sent = Traffic::default();
        }
        Ok(())
    }

    fn write(&mut self, slot: Slot, observed: &SlotObservations) -> Result<(), RecordError> {
        let Self { case, standing, .. } = self;
        let members = &case.population.prosumers;
        if let Some(missing) = observed.missing(members.len()) {
            return Err(RecordError::Incomplete { slot, prosumer: members[missing].number });
        }
        let open = case.open.contains(slot);
        let theory = Theory::of(case, slot, &standing.contents, &standing.alone, observed.market.as_deref(), open);
        let gains = Gains::of(observed, &theory, &standing.contents, &standing.alone);
        let sums = Sums::of(case, slot, observed, &theory, standing.sent);
        let (delays, homes, traffic) = (self.delays.as_deref(), &self.homes[..], standing.sent);
        let (theory, gains, sums) = (&theory, &gains, &sums);
        let closed = ClosedSlot { case, slot, observed, theory, gains, sums, traffic, delays, homes };
        self.tables.sheets.all().try_for_each(|sheet| sheet.slot(&closed))?;
        if self.shows_closed {
            let slot = SlotRow::of_slot(&closed).next().expect("a slot has a row");
            let (prosumers, trades) = (ProsumerRow::of_slot(&closed).collect(), TradeRow::of_slot(&closed).collect());
            self.closed = Some(ClosedRows { slot, prosumers, trades });
        }
        standing.tally.add(open, &closed);
        standing.contents = observed.prosumers().map(|done| done.balance.content).collect();
        standing.alone = theory.alone().iter().map(|alone| alone.content).collect();
        Ok(())
    }
}

impl Watcher<MarketProtocol> for CaseRecorder {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        Ok(self.take_in(observed.drain(..), traffic)?)
    }

    fn snapshots_every(&self) -> Option<Duration> {
        self.snapshots.as_ref().map(|_| Self::SNAPSHOTS_EVERY)
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Result<(), WatchError> {
        // The results are of use without it; what keeps those from being written is told with the next slot.
        if let Err(error) = self.save(snapshot) {
            tracing::warn!(%error, "there is no snapshot");
        }
        Ok(())
    }

    fn resumes_from(&mut self) -> Option<Vec<u8>> {
        self.simulation.take()
    }
}
