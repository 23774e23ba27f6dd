//! How much of the large tables is read: as much as takes about a second.
//!
//! What prosumers came to in every case comes first, in up to half of the [`BUDGET`], then the shown slot of every case,
//! then the trades of whole days, then the path of every other slot, in the order of cases and slots, while it fits. What
//! does not fit is left out whole: a slot is read completely or not at all. Only the shown slot of the first case may be
//! larger, so that large populations have a game to look at.

use super::CaseData;
use microgrid_agents::ids::Slot;
use microgrid_record::{AgeRow, ConvergenceRow, ProsumerRow, RecordError, Row, Run, Section, TradeRow};
use std::ops::RangeInclusive;

/// So much of the large tables is read, counted as text [bytes].
pub const BUDGET: u64 = 64 << 20;

/// So much of the path of the first case's shown slot is read, whatever is left for the rest [bytes].
pub const SHOWN: u64 = 256 << 20;

#[derive(Debug, Default)]
pub(super) struct Extent {
    pub(super) prosumers: Option<Section>,
    pub(super) ages: Option<Section>,
    /// The trades of the whole day.
    pub(super) trades: Option<Section>,
    /// The trades of the shown slot, where those of the day are not read.
    pub(super) shown_trades: Option<Section>,
    pub(super) paths: Vec<Section>,
    /// How many slots have a path that is not read.
    pub(super) paths_left_out: usize,
}

/// Decides how much of the large tables is read for each of these cases.
pub(super) fn extents(run: &Run, cases: &[CaseData]) -> Result<Vec<Extent>, RecordError> {
    let mut extents: Vec<Extent> = Vec::with_capacity(cases.len());
    let mut left = BUDGET / 2;
    for case in cases {
        let mut extent = Extent::default();
        if let Some(day) = case.day() {
            extent.prosumers = take(&mut left, find::<ProsumerRow>(run, case, day.clone())?);
            extent.ages = take(&mut left, find::<AgeRow>(run, case, day)?);
        }
        extents.push(extent);
    }
    left += BUDGET / 2;
    for (n, (case, extent)) in cases.iter().zip(&mut extents).enumerate() {
        let Some(shown) = case.shown else { continue };
        let path = find::<ConvergenceRow>(run, case, shown..=shown)?;
        let beyond = |path: &Section| (left + 1..=SHOWN).contains(&path.size);
        let first = n == 0 && path.as_ref().is_some_and(beyond);
        extent.paths.extend(if first { path } else { take(&mut left, path) });
    }
    for (case, extent) in cases.iter().zip(&mut extents) {
        let Some(day) = case.day() else { continue };
        extent.trades = take(&mut left, find::<TradeRow>(run, case, day)?);
        if let (None, Some(shown)) = (&extent.trades, case.shown) {
            extent.shown_trades = take(&mut left, find::<TradeRow>(run, case, shown..=shown)?);
        }
    }
    for (case, extent) in cases.iter().zip(&mut extents) {
        other_paths(run, case, extent, &mut left)?;
    }
    Ok(extents)
}

/// Takes the paths of all slots of a case or, where they do not all fit, of those that do.
fn other_paths(run: &Run, case: &CaseData, extent: &mut Extent, left: &mut u64) -> Result<(), RecordError> {
    let Some(day) = case.day() else { return Ok(()) };
    let Some(whole) = find::<ConvergenceRow>(run, case, day)? else { return Ok(()) };
    let more = whole.size.saturating_sub(extent.paths.iter().map(|path| path.size).sum());
    if more <= *left {
        *left -= more;
        extent.paths = vec![whole];
        return Ok(());
    }
    let shown = case.shown.filter(|_| !extent.paths.is_empty());
    for slot in case.markets().map(|row| row.slot).filter(|slot| Some(*slot) != shown) {
        // Bisection takes a moment for each slot too.
        let path = if *left == 0 { None } else { find::<ConvergenceRow>(run, case, slot..=slot)? };
        match take(left, path) {
            Some(path) => extent.paths.push(path),
            None => (extent.paths_left_out, *left) = (extent.paths_left_out + 1, 0),
        }
    }
    Ok(())
}

/// Finds the rows of some slots of a case; `None` where the run does not keep the table, or not yet.
fn find<R: Row>(run: &Run, case: &CaseData, slots: RangeInclusive<Slot>) -> Result<Option<Section>, RecordError> {
    match run.section::<R>(case.entry.case, slots) {
        Err(RecordError::NotRecorded { .. } | RecordError::NotUnited(_)) => Ok(None),
        section => section.map(Some),
    }
}

/// Takes a section if it fits into what is left of the budget [bytes].
fn take(left: &mut u64, section: Option<Section>) -> Option<Section> {
    let section = section.filter(|section| section.size <= *left)?;
    *left -= section.size;
    Some(section)
}
