//! What a table takes from a case: which rows it has of a committed block, of a closed slot, and of the case as a whole.

// What the file of a table needs, whatever it tells of.
pub(super) use super::{number::Number, table::table};
pub(super) use microgrid_agents::ids::Slot;
pub(super) use microgrid_scenario::schema::Record;

use super::{
    gains::Gains, slot_observations::SlotObservations, sums::Sums, table::Row, theory::Target, theory::Theory,
};
use microgrid_agents::{
    message::MarketOpened,
    observation::{Commit, Observation},
};
use microgrid_runtime::Traffic;
use microgrid_scenario::{Case, calendar::Dates};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    cell::OnceCell,
    fmt::{self, Debug},
    iter,
    time::Duration,
};

/// A table that is recorded case by case. Whoever implements it says only when there are rows; where they go, see
/// [`Sheet`](super::sheet::Sheet).
pub(super) trait Recorded: Row + Send {
    /// How much a scenario has to have recorded, at least, for the table to be kept.
    const KEPT: Record;
    /// Whether it may be large, so that it is written in the format that the run's user asks for; others are CSV.
    const LARGE: bool = false;
    /// Whether a run has it until it ends even where it is not kept, because other files are made from it.
    const SUMMED_UP: bool = false;

    /// What it has to remember of a case under way.
    type Tally: Debug + Default + Send + Serialize + DeserializeOwned;

    /// Takes note of whatever is observed.
    fn observe(_: &mut Self::Tally, _: &Observation) {}

    /// Its rows of a block of the information channel.
    fn of_block(_: &CommittedBlock<'_>) -> impl Iterator<Item = Self> {
        iter::empty()
    }

    /// Its rows of a closed slot.
    fn of_slot(_: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        iter::empty()
    }

    /// Takes note of a closed slot; its rows of what is complete with it, such as a day.
    fn with_slot(_: &mut Self::Tally, _: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        iter::empty()
    }

    /// Its rows of a complete case.
    fn of_case(_: &Case, _: &Self::Tally) -> impl Iterator<Item = Self> {
        iter::empty()
    }
}

/// Whether a scenario that has this `record` keeps what `least` is needed for.
pub(super) fn keeps(record: Record, least: Record) -> bool {
    record as u8 <= least as u8
}

/// A block that was committed in the game of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommittedBlock<'a> {
    pub(super) case: &'a Case,
    pub(super) market: &'a MarketOpened,
    pub(super) commit: &'a Commit,
    /// What became of messages in the slot so far.
    pub(super) traffic: Traffic,
    /// What the game is measured by, once somebody has asked.
    pub(super) target: &'a OnceCell<Target>,
}

/// What slots are summed up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Day,
    Month,
}

/// A day or a month, as the zone's clocks have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    year: i16,
    month: i8,
    day: Option<i8>,
}

impl Span {
    fn at(self, dates: &Dates, slot: Slot) -> Dated {
        let date = dates.begin(slot).date();
        Dated { year: date.year(), month: date.month(), day: (self == Self::Day).then(|| date.day()) }
    }
}

impl fmt::Display for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)?;
        self.day.map_or(Ok(()), |day| write!(f, "-{day:02}"))
    }
}

/// A slot that has been closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClosedSlot<'a> {
    pub(super) case: &'a Case,
    pub(super) slot: Slot,
    pub(super) observed: &'a SlotObservations,
    pub(super) theory: &'a Theory,
    pub(super) gains: &'a Gains,
    /// What its energy and money add up to.
    pub(super) sums: &'a Sums,
    /// What became of messages since the slot before was closed.
    pub(super) traffic: Traffic,
    /// How far each prosumer is from the ledger, where that is known.
    pub(super) delays: Option<&'a [Duration]>,
    /// The place of each prosumer's peer by the scenario, from 0; nobody's where the ledger is its only one.
    pub(super) homes: &'a [u32],
}

impl ClosedSlot<'_> {
    /// When it begins, where slots have dates.
    pub(super) fn time(&self) -> Option<String> {
        self.case.time_of(self.slot)
    }

    /// Its day or month, if it is the last slot of it: of a case without dates all slots are one, without a name.
    pub(super) fn ended(&self, span: Span) -> Option<Option<String>> {
        let here = self.case.dates.as_ref().map(|dates| span.at(dates, self.slot));
        let is_last = self.slot == self.case.scenario.market.slots;
        let next = || self.case.dates.as_ref().map(|dates| span.at(dates, self.slot + 1));
        (is_last || here != next()).then(|| here.map(|here| here.to_string()))
    }
}
