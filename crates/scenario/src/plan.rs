//! A scenario that has been read and checked, and the cases it consists of.

use super::{
    calendar::Dates,
    custom::Custom,
    data::{Data, DataFile},
    error::{Mistake, Warning},
    notation,
    part::{Part, PartError},
    path,
    population::Population,
    schema::{
        Clock, Community, InitialPrice, Market, Open, PopulationSource, Preferences, Record, Replicates, Scenario,
        Storage, Synthetic, Tariff, Value,
    },
    synthetic,
    tariffs::Tariffs,
};
use indexmap::IndexMap;
use microgrid_agents::{
    chain::genesis::Signatures,
    market::{mechanism::Mechanism, opening::OpenSlots, pricing::PriceBand},
};
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A scenario that has been read and checked: none of its cases can fail to come about.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario with what the command line has set.
    pub scenario: Scenario,
    /// The scenario's file.
    pub source: PathBuf,
    /// What was set in it from outside to a single value, as written; not its name and seed, which it has itself.
    pub set: Vec<(String, String)>,
    /// The data files it reads; no two have the same name.
    pub inputs: Vec<DataFile>,
    /// What it says in vain, and that it is huge if it is.
    pub warnings: Vec<Warning>,
    /// What all cases do in their own way.
    pub custom: Custom,
    /// The part of it that is run, if it is not all of it.
    pub(super) part: Option<Part>,
    pub(super) data: Data,
    /// How many prosumers the smallest and the largest population of a case have.
    pub(super) population_sizes: (usize, usize),
    /// What it is expected to leave on disk, in words.
    pub(super) on_disk: String,
}

/// One combination of what is varied, with everything it needs to run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Counts the cases of a study from 1.
    pub number: u32,
    /// What is varied with its values as written, in the order of the scenario's `vary`.
    pub knobs: Vec<(String, String)>,
    /// Seed of this case.
    pub seed: u64,
    /// The scenario with these values set.
    pub scenario: Arc<Scenario>,
    /// Who takes part, slot by slot.
    pub population: Arc<Population>,
    /// What the grid asks and pays in each slot.
    pub tariffs: Arc<Tariffs>,
    /// The slots in which the market opens.
    pub open: OpenSlots,
    /// The dates of its slots, if they have any.
    pub dates: Option<Arc<Dates>>,
    /// What it does in its own way.
    pub custom: Custom,
}

impl Case {
    /// When a slot begins, by RFC 3339 with offset, where slots have dates.
    pub fn time_of(&self, slot: u32) -> Option<String> {
        self.dates.as_ref().map(|dates| dates.time(slot))
    }

    /// The storage of the prosumer at this place, if it has one: its own, or everybody's.
    pub fn storage(&self, place: usize) -> Option<&Storage> {
        self.population.prosumers[place].storage.as_ref().or(self.scenario.storage.as_ref())
    }

    /// Whether anybody has a storage.
    pub fn has_storages(&self) -> bool {
        (0..self.population.prosumers.len()).any(|place| self.storage(place).is_some())
    }

    /// Its days, if there are several and nothing links them, so that each is a simulation of its own: no storage that is
    /// full in the morning, no price from the day before, no rule that may have learned, no chain that is kept. Says nothing
    /// of who watches, or of the machine.
    pub fn independent_days(&self) -> Option<&Dates> {
        let Scenario { record, clock, learning, .. } = &*self.scenario;
        let dates = self.dates.as_deref().filter(|dates| dates.days() > 1)?;
        let begins_anew = *record != Record::Full && learning.initial_price == InitialPrice::Random;
        let linked = *clock != Clock::Virtual || self.custom.changes_results() || self.has_storages();
        (begins_anew && !linked).then_some(dates)
    }

    /// By which mechanism its trades come about.
    pub fn mechanism(&self) -> Mechanism {
        self.scenario.market.mechanism
    }
}

/// What sets a case apart from the others.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Counts the cases of a study from 1.
    pub number: u32,
    /// Varied knobs with their values as written, in the order of the scenario's `vary`.
    pub knobs: Vec<(String, String)>,
    /// Seed of the case.
    pub seed: u64,
    scenario: Scenario,
}

impl Setting {
    /// The scenario with these values set.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }
}

impl Plan {
    /// How many cases there are: combinations of the varied knobs times replicates.
    pub fn case_count(&self) -> u32 {
        let combinations = self.scenario.vary.values().map(|values| values.len() as u32).product::<u32>();
        combinations * self.scenario.replicates.count() as u32
    }

    /// The same plan, of which only this part is run, or all of it.
    ///
    /// # Errors
    /// If there are more parts than cases.
    pub fn of_part(self, part: Option<Part>) -> Result<Self, PartError> {
        part.map_or(Ok(()), |part| part.cases(self.case_count()).map(drop))?;
        Ok(Self { part, ..self })
    }

    /// The part of it that is run, if it is not all of it.
    pub fn part(&self) -> Option<Part> {
        self.part
    }

    /// The numbers of the cases that are run: all of them, or those of its part.
    pub fn numbers(&self) -> RangeInclusive<u32> {
        let all = self.case_count();
        self.part.map_or(1..=all, |part| part.cases(all).expect("the part was checked when it was given"))
    }

    /// What its runs are called: the scenario's name, with that of the part.
    pub fn name(&self) -> String {
        let name = &self.scenario.name;
        self.part.map_or_else(|| name.clone(), |part| part.name(name))
    }

    /// The scenario's seed or, where `replicates` lists seeds, the first of these.
    pub fn first_seed(&self) -> u64 {
        self.scenario.replicates.seed(self.scenario.seed, 0)
    }

    /// The cases in order of their number, made as they are asked for.
    ///
    /// The last knob of `vary` changes fastest, and the replicates of a combination follow each other. Cases with the
    /// same population share it.
    pub fn cases(&self) -> impl Iterator<Item = Case> + '_ {
        let drawn = LastPopulation::default();
        self.settings().map(move |setting| self.case_of(setting, &drawn))
    }

    /// The case with this number, from 1. Its population is the one `drawn` last, if it is the same.
    pub fn case(&self, number: u32, drawn: &LastPopulation) -> Case {
        self.case_of(self.setting(number), drawn)
    }

    /// What sets each case apart, in order of their number, without drawing populations.
    pub fn settings(&self) -> impl Iterator<Item = Setting> + '_ {
        self.settings_of(1..=self.case_count())
    }

    /// The same of the cases with these numbers.
    pub fn settings_of(&self, numbers: RangeInclusive<u32>) -> impl Iterator<Item = Setting> + '_ {
        let mut before = Vec::new();
        numbers.map(move |number| self.setting_after(number, &mut before))
    }

    /// What sets the case with this number apart, from 1.
    pub fn setting(&self, number: u32) -> Setting {
        self.setting_after(number, &mut Vec::new())
    }

    /// The same; `before` has the scenarios of another case as [`turn`] has left them.
    fn setting_after(&self, number: u32, before: &mut Vec<(usize, Scenario)>) -> Setting {
        let (vary, replicates) = (&self.scenario.vary, self.scenario.replicates.count());
        let (combination, replicate) = ((number - 1) as usize / replicates, (number - 1) as usize % replicates);
        let (base, picks) = (self.base(), picks(vary, combination));
        let turned = turn(&base, vary, &picks, before).map_err(|(_, mistake)| mistake);
        turned.expect("what is varied was checked when the scenario was read");
        let mut scenario = before.last().map_or(base, |(_, scenario)| scenario.clone());
        scenario.seed = self.scenario.replicates.seed(scenario.seed, replicate);
        let values = vary.iter().zip(picks);
        let knobs = values.map(|((name, values), pick)| (name.clone(), values[pick].text())).collect();
        Setting { number, knobs, seed: scenario.seed, scenario }
    }

    /// Whether cases may differ in what this knob or path stands for, or in a part of it.
    pub fn varies(&self, name: &str) -> bool {
        self.scenario.vary.keys().any(|varied| path::overlaps(varied, name))
    }

    /// Whether nothing is signed, in some case at least.
    pub fn is_unsigned(&self) -> bool {
        let is_off = |scenario: &Scenario| scenario.ledger.signatures == Signatures::Off;
        match self.varies("ledger.signatures") {
            true => self.settings().any(|setting| is_off(setting.scenario())),
            false => is_off(&self.scenario),
        }
    }

    /// The slots in which the market opens.
    pub fn open(&self) -> OpenSlots {
        match self.scenario.market.open {
            Open::Slots(first, last) => OpenSlots::span(first, last),
            Open::Hours(_) => self.data.open.clone(),
        }
    }

    /// The dates of slots, if they have any.
    pub fn dates(&self) -> Option<&Arc<Dates>> {
        self.data.dates.as_ref()
    }

    /// Between which prices the market of each slot may move in the case with this number: from the feed-in tariff to the
    /// grid's less the fee.
    pub fn price_bands(&self, case: u32) -> Vec<PriceBand> {
        let setting = self.varies("market").then(|| self.setting(case));
        let market = &setting.as_ref().map_or(&self.scenario, |setting| &setting.scenario).market;
        let tariffs = self.tariffs(market);
        (1..=market.slots).map(|slot| tariffs.tariff(slot).band(market.local_fee())).collect()
    }

    /// In how many of the slots in which the market opens the fee leaves no room for a price, and how many these are: in
    /// this case or, with `None`, in the one that has most of them.
    pub fn slots_without_room(&self, case: Option<u32>) -> (usize, usize) {
        let open = self.open();
        let without = |case: u32| {
            let bands = self.price_bands(case);
            open.iter().filter(|slot| !bands[*slot as usize - 1].has_room()).count()
        };
        let most = || (1..=if self.varies("market") { self.case_count() } else { 1 }).map(without).max();
        (case.map(without).or_else(most).unwrap_or(0), open.count())
    }

    /// Whether the scenario has this value of a knob or path already, with nothing varied: setting it changes nothing.
    pub fn has(&self, name: &str, value: &str) -> bool {
        let base = self.base();
        path::set(&base, name, value).is_ok_and(|turned| turned == base)
    }

    /// How many prosumers the smallest and the largest population of a case have.
    pub fn population_sizes(&self) -> (usize, usize) {
        self.population_sizes
    }

    /// What a run of it is expected to leave on disk, its report not counted: `some 11 MB`.
    pub fn on_disk(&self) -> &str {
        &self.on_disk
    }

    /// Profiles of a community that none of its members has.
    pub fn unused_profiles(&self) -> &[String] {
        self.data.unused_profiles()
    }

    /// Whether some case has a prosumer with this number.
    pub fn includes(&self, number: u32) -> bool {
        let drawn = || (1..=self.population_sizes.1).contains(&(number as usize));
        self.data.includes(number).unwrap_or_else(drawn)
    }

    /// What the grid asks and pays in a market.
    fn tariffs(&self, market: &Market) -> Tariffs {
        self.data.tariffs(market).unwrap_or_else(|mistake| panic!("tariffs were checked: {mistake:?}"))
    }

    /// The scenario with nothing to vary.
    fn base(&self) -> Scenario {
        Scenario { replicates: Replicates::default(), ..self.scenario.unvaried() }
    }

    fn case_of(&self, setting: Setting, drawn: &LastPopulation) -> Case {
        let tariffs = self.tariffs(&setting.scenario.market);
        Case {
            number: setting.number,
            knobs: setting.knobs,
            seed: setting.seed,
            population: self.population(&setting.scenario, &tariffs, drawn),
            tariffs: Arc::new(tariffs),
            open: self.open(),
            dates: self.data.dates.clone(),
            custom: self.custom.clone(),
            scenario: Arc::new(setting.scenario),
        }
    }

    /// The scenario with every default written out, and its data files in a folder `data` beside it.
    pub fn resolved_ron(&self) -> String {
        let mut scenario = self.scenario.clone();
        match &mut scenario.population {
            PopulationSource::Profiles(path) => *path = beside(path),
            PopulationSource::Members(Community { members, profiles, .. }) => {
                *members = beside(members);
                profiles.iter_mut().for_each(|path| *path = beside(path));
            }
            PopulationSource::Synthetic(_) => {}
        }
        scenario.market.all_tariffs_mut().for_each(|tariff| {
            if let Tariff::Csv(path) = tariff {
                *path = beside(path);
            }
        });
        notation::written(&scenario)
    }

    /// The population of a case: the one of the profiles, the one drawn last, or a new one.
    fn population(&self, scenario: &Scenario, tariffs: &Tariffs, drawn: &LastPopulation) -> Arc<Population> {
        let Market { slots, slot_length, starts_at, .. } = scenario.market;
        let from = match &scenario.population {
            PopulationSource::Profiles(_) => return self.data.prosumers(scenario, tariffs),
            PopulationSource::Synthetic(what) => {
                DrawnFrom::Synthetic(what.clone(), scenario.seed, slots, [slot_length, starts_at])
            }
            PopulationSource::Members(community) => {
                // Only forecasts are drawn.
                let seed = if community.forecast_error.is_any() { scenario.seed } else { 0 };
                DrawnFrom::Members(community.clone(), seed, scenario.preferences.clone(), tariffs.clone())
            }
        };
        let last = || drawn.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, population)) = last().as_ref().filter(|(last, _)| *last == from) {
            return population.clone();
        }
        // Whoever needs another one draws it at the same time.
        let population = match &scenario.population {
            PopulationSource::Synthetic(what) => Arc::new(synthetic::population(what, scenario.seed, &scenario.market)),
            _ => self.data.prosumers(scenario, tariffs),
        };
        *last() = Some((from, population.clone()));
        population
    }
}

/// The population drawn or planned last, for the next case that has the same. May be shared between threads.
#[derive(Debug, Default)]
pub struct LastPopulation(Mutex<Option<(DrawnFrom, Arc<Population>)>>);

/// All that a population depends on that is drawn or planned.
#[derive(Debug, PartialEq)]
enum DrawnFrom {
    /// What it is to be, the seed and the market's times.
    Synthetic(Synthetic, u64, u32, [Duration; 2]),
    /// What it is to be, the seed of its forecasts, what energy is worth and what it costs.
    Members(Community, u64, Preferences, Tariffs),
}

/// What is varied, with its values.
type Varied = IndexMap<String, Vec<Value>>;

/// Which value each of what is varied has in a combination, counted from 0: the last one changes fastest.
pub(super) fn picks(vary: &Varied, mut combination: usize) -> Vec<usize> {
    let mut picks = vec![0; vary.len()];
    for (pick, values) in picks.iter_mut().zip(vary.values()).rev() {
        *pick = combination % values.len();
        combination /= values.len();
    }
    picks
}

/// Sets what is varied to these of its values, one after the other. `turned` has the scenario after each, as another
/// combination has left it: neighbours have most of them in common. Fails with the number of what cannot be set.
pub(super) fn turn(
    base: &Scenario,
    vary: &Varied,
    picks: &[usize],
    turned: &mut Vec<(usize, Scenario)>,
) -> Result<(), (usize, Mistake)> {
    turned.truncate(turned.iter().zip(picks).take_while(|((before, _), pick)| before == *pick).count());
    for (n, ((name, values), pick)) in vary.iter().zip(picks).enumerate().skip(turned.len()) {
        let before = turned.last().map_or(base, |(_, scenario)| scenario);
        let scenario = path::set(before, name, &values[*pick].text()).map_err(|mistake| (n, mistake))?;
        turned.push((*pick, scenario));
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    Path::new("data").join(path.file_name().unwrap_or_default())
}
