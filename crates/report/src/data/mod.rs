//! The run's tables, read once and thinned to what can be seen.

pub mod extent;
pub mod flows;
pub mod gains;
pub mod game;
pub mod mechanisms;
pub mod thin;

use extent::Extent;
use flows::{Energy, Flows, Sums};
use gains::{Gain, Gains};
use game::{Game, MOST_SELLERS, Reading};
use mechanisms::Mechanisms;
use microgrid_agents::{ids::Slot, statement::Outcome};
use microgrid_record::{
    AgeRow, BillRow, CaseEntry, ConvergenceRow, KeyFigures, Manifest, ProsumerRow, Record, RecordError, Row, Run,
    SCENARIO, Section, SlotRow, Summary, TradeRow,
};
use microgrid_scenario::{self as scenario, Case, LastPopulation, Overrides, Plan, calendar::Dates};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

/// All paths together have about so many points at most.
const MOST_POINTS: usize = 500_000;

/// No path is thinned to fewer points than the first, none has more than the second.
const POINTS: (usize, usize) = (48, 400);

/// Populations larger than this are not drawn again for a chart.
const MOST_PROSUMERS: usize = 2000;
const DAY: Duration = Duration::from_hours(24);

/// What the charts of a run are made from.
#[derive(Clone, Debug)]
pub struct Data {
    /// What was run, when, and how it ended.
    pub manifest: Manifest,
    /// The resolved scenario; `None` where this version of the program cannot read it, or it is not the run's.
    pub plan: Option<Plan>,
    /// The cases that have come to anything, in order.
    pub cases: Vec<CaseData>,
    /// What each combination of the varied knobs came to.
    pub summaries: Vec<Summary>,
    /// The mechanisms that the study compares, if it does.
    pub mechanisms: Option<Mechanisms>,
}

/// What the charts of a case are made from.
#[derive(Clone, Debug, Default)]
pub struct CaseData {
    /// Its number, knobs and seed.
    pub entry: CaseEntry,
    /// Its slots that are closed, in order; none where the run does not keep them.
    pub slots: Vec<SlotRow>,
    /// The dates of its slots, if they have any.
    pub dates: Option<Arc<Dates>>,
    /// What prosumers are called that have a name, by their numbers.
    pub names: BTreeMap<u32, String>,
    /// Its key figures, if it is complete.
    pub key_figures: Option<KeyFigures>,
    /// The slot that stands for the day where only one is drawn: the scenario's choice or, without one, that with most
    /// traded energy; `None` without a slot that had a market.
    pub shown: Option<Slot>,
    /// Where energy came from in each slot.
    pub energy: Vec<Energy>,
    /// What each prosumer gained in all slots with a market; none where that was not kept, or all are as far from the ledger.
    pub gains: Vec<Gain>,
    /// Who traded with whom over the day; `None` where that was not kept or read.
    pub flows: Option<Flows>,
    /// Who traded with whom in a slot, where that was read.
    pub slot_flows: BTreeMap<Slot, Flows>,
    /// How the games went that were read.
    pub games: BTreeMap<Slot, Game>,
    /// How many games were kept but not read, because all together would take too long.
    pub games_left_out: usize,
    /// How old the news was at how many decisions.
    pub ages: BTreeMap<Slot, Vec<AgeRow>>,
}

impl Data {
    /// Reads the tables of a run.
    pub fn read(run: &Run) -> Result<Self, RecordError> {
        let Manifest { slots, replicates, .. } = *run.manifest();
        let of_run = |plan: &Plan| {
            let found = (plan.case_count(), plan.scenario.market.slots, plan.scenario.replicates.count());
            found == (run.manifest().study_cases(), slots, replicates as usize)
        };
        let plan = scenario::load(&run.folder().join(SCENARIO), &Overrides::default()).ok().filter(of_run);
        let summaries: Vec<Summary> = run.summaries()?.collect::<Result<_, _>>()?;
        let mechanisms = Mechanisms::read(run, &summaries)?;
        let mut cases = cases(run, plan.as_ref())?;
        let extents = extent::extents(run, &cases)?;
        let most_points = most_points(&cases, &extents);
        let slot_length = plan.as_ref().map_or(0.0, |plan| plan.scenario.market.slot_length.as_secs_f64());
        let dates = plan.as_ref().and_then(|plan| plan.scenario.market.dates()).map(Arc::new);
        cases.iter_mut().for_each(|case| case.dates.clone_from(&dates));
        read_names(run, &mut cases)?;
        let read = |(case, extent): (&mut CaseData, Extent)| case.fill(run, extent, slot_length, most_points);
        cases.par_iter_mut().zip(extents).try_for_each(read)?;
        Ok(Self { manifest: run.manifest().clone(), plan, cases, summaries, mechanisms })
    }

    /// The key figures of the cases that are complete, with these.
    pub fn complete(&self) -> impl Iterator<Item = (&CaseData, &KeyFigures)> {
        self.cases.iter().filter_map(|case| Some((case, case.key_figures.as_ref()?)))
    }

    /// What money is called.
    pub fn currency(&self) -> &str {
        &self.manifest.currency
    }

    /// The names of the varied knobs.
    pub fn knobs(&self) -> impl Iterator<Item = &String> + Clone {
        self.manifest.cases.first().into_iter().flat_map(|case| case.knobs.keys())
    }

    /// The value of a knob in the case with this number, or in the combination of which it is the first.
    pub(crate) fn knob(&self, case: u32, knob: &str) -> Option<&serde_json::Value> {
        self.manifest.knobs_of(case)?.get(knob)
    }

    /// The case with this number, if it has come to anything.
    pub fn case(&self, number: u32) -> Option<&CaseData> {
        let at = self.cases.binary_search_by_key(&number, |case| case.entry.case).ok()?;
        self.cases.get(at)
    }

    /// Whether the scenario has storages, or a member used its own.
    pub fn has_storages(&self) -> bool {
        let of_all = |plan: &Plan| plan.scenario.storage.is_some() || plan.varies("storage");
        self.plan.as_ref().is_some_and(of_all) || self.complete().any(|(_, figures)| figures.used_storages())
    }

    /// What P2G is, for who reads of it: `a day without a local market`, or the same days or slots.
    pub fn without_market(&self) -> String {
        let days = self.cases.iter().filter_map(|case| case.dates.as_ref()).map(|dates| dates.days()).max();
        let market = self.plan.as_ref().map(|plan| &plan.scenario.market);
        let is_day = || market.is_none_or(|market| market.slot_length * market.slots == DAY);
        match days {
            Some(2..) => format!("the same {} days without a local market", days.unwrap_or_default()),
            None if !is_day() => "the same slots without a local market".to_owned(),
            _ => "a day without a local market".to_owned(),
        }
    }

    /// The case with this number as it was simulated, with its population; `None` where the scenario cannot be read, or
    /// its population is so large that drawing it again would take too long.
    pub fn simulated(&self, number: u32) -> Option<Case> {
        let plan = self.plan.as_ref().filter(|plan| plan.population_sizes().1 <= MOST_PROSUMERS)?;
        (1..=plan.case_count()).contains(&number).then(|| plan.case(number, &LastPopulation::default()))
    }
}

/// The cases of a run with their slots and key figures.
fn cases(run: &Run, plan: Option<&Plan>) -> Result<Vec<CaseData>, RecordError> {
    let mut slots = BTreeMap::<u32, Vec<SlotRow>>::new();
    if run.record() != Record::Summary {
        for row in run.rows::<SlotRow>()? {
            let row = row?;
            slots.entry(row.case).or_default().push(row);
        }
    }
    let mut figures: BTreeMap<_, _> = run.key_figures()?.into_iter().map(|figures| (figures.case, figures)).collect();
    let choice = plan.and_then(|plan| plan.scenario.report.slot);
    let case = |entry: &CaseEntry| {
        let (slots, key_figures) = (slots.remove(&entry.case).unwrap_or_default(), figures.remove(&entry.case));
        let begun = !slots.is_empty() || key_figures.is_some();
        begun.then(|| CaseData::new(entry.clone(), slots, key_figures, choice))
    };
    Ok(run.manifest().cases.iter().filter_map(case).collect())
}

/// Reads what members are called where the run has bills.
fn read_names(run: &Run, cases: &mut [CaseData]) -> Result<(), RecordError> {
    if !run.keeps(BillRow::FILE) {
        return Ok(());
    }
    let mut names = BTreeMap::<u32, BTreeMap<u32, String>>::new();
    for row in run.rows::<BillRow>()? {
        let row = row?;
        let of_case = names.entry(row.case).or_default();
        of_case.extend(row.name.map(|name| (row.prosumer, name)));
    }
    cases.iter_mut().for_each(|case| case.names = names.remove(&case.entry.case).unwrap_or_default());
    Ok(())
}

/// How many points a path may have, so that all are not too many.
fn most_points(cases: &[CaseData], extents: &[Extent]) -> usize {
    let paths = |(case, extent): (&CaseData, &Extent)| {
        let read = case.slots.iter().filter(|row| extent.paths.iter().any(|path| path.slots.contains(&row.slot)));
        read.map(|row| 4 * (row.sellers as usize).min(MOST_SELLERS)).sum::<usize>()
    };
    let paths: usize = cases.iter().zip(extents).map(paths).sum();
    (MOST_POINTS / paths.max(1)).clamp(POINTS.0, POINTS.1)
}

impl CaseData {
    fn new(entry: CaseEntry, slots: Vec<SlotRow>, key_figures: Option<KeyFigures>, choice: Option<Slot>) -> Self {
        let mut case = Self { entry, slots, key_figures, ..Self::default() };
        let chosen = choice.filter(|slot| case.markets().any(|market| market.slot == *slot));
        case.shown = chosen.or_else(|| case.busiest());
        case
    }

    /// The row of this slot, if it is closed.
    pub fn slot(&self, slot: Slot) -> Option<&SlotRow> {
        let at = self.slots.binary_search_by_key(&slot, |row| row.slot).ok()?;
        self.slots.get(at)
    }

    /// When a slot begins, as it reads; `None` where slots have no dates. What clocks show twice has its offset.
    pub fn time(&self, slot: Slot) -> Option<String> {
        let dates = self.dates.as_ref().filter(|dates| slot <= dates.slots())?;
        let begins = dates.begin(slot);
        let twice = begins.time_zone().to_ambiguous_zoned(begins.datetime()).is_ambiguous();
        Some(begins.strftime(if twice { "%a %-d %b %H:%M (%:z)" } else { "%a %-d %b %H:%M" }).to_string())
    }

    /// A slot with its moment, where slots have dates: `slot 17`, `slot 49 (Wed 1 Jun 12:00)`.
    pub fn slot_name(&self, slot: Slot) -> String {
        self.time(slot).map_or_else(|| format!("slot {slot}"), |time| format!("slot {slot} ({time})"))
    }

    /// What a prosumer is called: its name, with its number where another has the same, or its number.
    pub fn name(&self, number: u32) -> String {
        let Some(name) = self.names.get(&number) else { return number.to_string() };
        let is_shared = self.names.iter().any(|(other, of)| *other != number && of == name);
        if is_shared { format!("{name} ({number})") } else { name.clone() }
    }

    /// The same beside others: `seller 3` where it has no name.
    pub fn who(&self, role: &str, number: u32) -> String {
        if self.names.contains_key(&number) { self.name(number) } else { format!("{role} {number}") }
    }

    /// The slots that had a market.
    pub fn markets(&self) -> impl Iterator<Item = &SlotRow> {
        self.slots.iter().filter(|row| row.outcome != Outcome::NoMarket)
    }

    /// The slot with a market in which most energy was traded, the first of several.
    fn busiest(&self) -> Option<Slot> {
        let busiest = self.markets().reduce(|most, row| if row.traded_kwh > most.traded_kwh { row } else { most });
        busiest.map(|row| row.slot)
    }

    /// Its closed slots.
    pub(crate) fn day(&self) -> Option<RangeInclusive<Slot>> {
        Some(self.slots.first()?.slot..=self.slots.last()?.slot)
    }

    /// Reads what `extent` says of its large tables.
    fn fill(&mut self, run: &Run, extent: Extent, slot_length: f64, most_points: usize) -> Result<(), RecordError> {
        let mut gains = Gains::default();
        let markets: BTreeSet<Slot> = self.markets().map(|market| market.slot).collect();
        each::<ProsumerRow>(run, extent.prosumers.as_ref(), |row| {
            if markets.contains(&row.slot) {
                gains.add(&row);
            }
            if let Some(name) = &row.name {
                self.names.entry(row.prosumer).or_insert_with(|| name.clone());
            }
            if self.energy.last().is_none_or(|energy| energy.slot != row.slot) {
                self.energy.push(Energy { slot: row.slot, ..Energy::default() });
            }
            self.energy.iter_mut().next_back().into_iter().for_each(|energy| energy.add(&row));
        })?;
        if self.energy.is_empty() {
            self.energy = self.slots.iter().map(Energy::of_all).collect();
        }
        self.gains = gains.unequal();
        each::<AgeRow>(run, extent.ages.as_ref(), |row| self.ages.entry(row.slot).or_default().push(row))?;
        let (mut day, mut slots) = (Sums::default(), BTreeMap::<Slot, Sums>::new());
        for section in [&extent.trades, &extent.shown_trades] {
            each::<TradeRow>(run, section.as_ref(), |row| {
                day.add(&row);
                slots.entry(row.slot).or_default().add(&row);
            })?;
        }
        self.flows = extent.trades.and_then(|_| day.flows());
        self.slot_flows = slots.iter().filter_map(|(slot, sums)| Some((*slot, sums.flows()?))).collect();
        self.games_left_out = extent.paths_left_out;
        for section in &extent.paths {
            let mut reading: Option<(Slot, Reading)> = None;
            each::<ConvergenceRow>(run, Some(section), |row| {
                // Slots are read one after the other: what is complete is thinned at once.
                let done = reading.take_if(|(slot, _)| *slot != row.slot);
                self.games.extend(done.map(|(slot, reading)| (slot, reading.end())));
                let begin = f64::from(row.slot - 1) * slot_length;
                reading.get_or_insert_with(|| (row.slot, Reading::new(begin, most_points))).1.add(&row);
            })?;
            self.games.extend(reading.map(|(slot, reading)| (slot, reading.end())));
        }
        Ok(())
    }
}

/// Looks at the rows of a section, one after the other.
fn each<R: Row>(run: &Run, section: Option<&Section>, mut look: impl FnMut(R)) -> Result<(), RecordError> {
    let Some(section) = section else { return Ok(()) };
    run.rows_of::<R>(section)?.try_for_each(|row| row.map(&mut look))
}
