//! A scenario that has been read and checked, and the cases it consists of.

use super::{
    Case,
    custom::Custom,
    data::Data,
    knobs::{self, Knob},
    parse,
    population::Population,
    schema::{GridTariff, PopulationSource, Replicates, Scenario},
    synthetic,
};
use microgrid_agents::market::pricing::PriceBand;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A scenario that has been read and checked: none of its cases can fail to come about.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario with what the command line has set.
    pub scenario: Scenario,
    /// The scenario's file.
    pub source: PathBuf,
    /// The data files it reads; no two have the same name.
    pub inputs: Vec<DataFile>,
    /// What all cases do in their own way.
    pub custom: Custom,
    pub(super) data: Data,
}

/// A data file of a scenario, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its name, without the folder it lies in.
    pub name: String,
    /// All it holds.
    pub text: Arc<str>,
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

impl Plan {
    /// How many cases there are: combinations of the varied knobs times replicates.
    pub fn case_count(&self) -> u32 {
        let combinations = self.scenario.vary.values().map(|values| values.len() as u32).product::<u32>();
        combinations * self.scenario.replicates.count() as u32
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
        let base = self.base();
        (1..=self.case_count()).map(move |number| setting(number, base.clone(), &self.scenario))
    }

    /// What sets the case with this number apart, from 1.
    pub fn setting(&self, number: u32) -> Setting {
        setting(number, self.base(), &self.scenario)
    }

    /// The grid's tariff of each slot [CNY/kWh].
    pub fn grid_tariffs(&self) -> &[f64] {
        &self.data.grid_tariffs
    }

    /// Between which prices the market of each slot may move: from the feed-in tariff to the grid's less the fee.
    pub fn price_bands(&self) -> impl Iterator<Item = PriceBand> + '_ {
        let market = &self.scenario.market;
        self.grid_tariffs().iter().map(|&tariff| PriceBand::between(market.feed_in_tariff, tariff, market.service_fee))
    }

    /// In how many of the slots in which the market opens the fee leaves no room for a price, and how many these are.
    pub fn slots_without_room(&self) -> (usize, usize) {
        let (first, last) = self.scenario.market.open;
        let open = || self.price_bands().take(last as usize).skip(first as usize - 1);
        (open().filter(|band| !band.has_room()).count(), open().count())
    }

    /// Whether the scenario has this value of a knob already, with nothing varied: turning it to that changes nothing.
    pub fn has(&self, knob: &str, value: &str) -> bool {
        let base = self.base();
        let mut turned = base.clone();
        Knob::named(knob).is_ok_and(|knob| knob.turn(&mut turned, value).is_ok()) && turned == base
    }

    /// How many prosumers the smallest and the largest population of a case have.
    pub fn population_sizes(&self) -> (usize, usize) {
        let synthetic = match (&self.scenario.population, &self.data.profiles) {
            (PopulationSource::Profiles(_), profiles) => {
                let count = profiles.as_ref().map_or(0, |profiles| profiles.prosumers.len());
                return (count, count);
            }
            (PopulationSource::Synthetic(what), _) => what.count as usize,
        };
        let varied = self.scenario.vary.get("population").into_iter().flatten();
        let sizes: Vec<usize> = varied.filter_map(|value| knobs::text(value).parse().ok()).collect();
        let or_all = |size: Option<&usize>| size.copied().unwrap_or(synthetic);
        (or_all(sizes.iter().min()), or_all(sizes.iter().max()))
    }

    /// Whether some case has a prosumer with this number.
    pub fn includes(&self, number: u32) -> bool {
        match &self.data.profiles {
            Some(profiles) => profiles.position(number).is_some(),
            None => (1..=self.population_sizes().1).contains(&(number as usize)),
        }
    }

    /// The scenario with nothing to vary.
    fn base(&self) -> Scenario {
        Scenario { replicates: Replicates::default(), ..self.scenario.unvaried() }
    }

    fn case_of(&self, setting: Setting, drawn: &LastPopulation) -> Case {
        Case {
            number: setting.number,
            knobs: setting.knobs,
            seed: setting.seed,
            population: self.population(&setting.scenario, drawn),
            grid_tariffs: self.data.grid_tariffs.clone(),
            custom: self.custom.clone(),
            scenario: Arc::new(setting.scenario),
        }
    }

    /// The scenario with every default written out, and its data files in a folder `data` beside it.
    pub fn resolved_ron(&self) -> String {
        let mut scenario = self.scenario.clone();
        if let PopulationSource::Profiles(path) = &mut scenario.population {
            *path = beside(path);
        }
        if let GridTariff::Csv(path) = &mut scenario.market.grid_tariff {
            *path = beside(path);
        }
        parse::written(&scenario)
    }

    /// The population of a case: the one of the data files, the one drawn last, or a new one.
    fn population(&self, scenario: &Scenario, drawn: &LastPopulation) -> Arc<Population> {
        let what = match (&scenario.population, &self.data.profiles) {
            (PopulationSource::Synthetic(what), _) => what,
            (PopulationSource::Profiles(_), profiles) => {
                return profiles.clone().expect("profiles were read when the scenario was read");
            }
        };
        let last = || drawn.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last().as_ref().filter(|last| (last.seed, last.count) == (scenario.seed, what.count)) {
            return last.population.clone();
        }
        // Whoever needs another one draws it at the same time.
        let market = &scenario.market;
        let population = Arc::new(synthetic::population(what, scenario.seed, market));
        *last() = Some(Drawn { seed: scenario.seed, count: what.count, population: population.clone() });
        population
    }
}

/// The synthetic population drawn last, for the next case that has the same. May be shared between threads.
#[derive(Debug, Default)]
pub struct LastPopulation(Mutex<Option<Drawn>>);

/// A synthetic population, with all that can differ between the cases of a scenario.
#[derive(Debug)]
struct Drawn {
    seed: u64,
    count: u32,
    population: Arc<Population>,
}

/// The case with this `number`, of `base` with the knobs that `varied` turns for it.
fn setting(number: u32, base: Scenario, varied: &Scenario) -> Setting {
    let index = number - 1;
    let replicates = varied.replicates.count() as u32;
    let (mut combination, replicate) = (index / replicates, index % replicates);
    let mut scenario = base;
    let mut knobs = Vec::new();
    for (name, values) in varied.vary.iter().rev() {
        let value = &values[combination as usize % values.len()];
        combination /= values.len() as u32;
        knobs.push((name.clone(), knobs::text(value)));
    }
    knobs.reverse();
    for (name, value) in &knobs {
        let knob = Knob::named(name).expect("the names of knobs were checked when the scenario was read");
        knob.turn(&mut scenario, value).expect("the values of knobs were checked when the scenario was read");
    }
    scenario.seed = varied.replicates.seed(scenario.seed, replicate as usize);
    Setting { number, knobs, seed: scenario.seed, scenario }
}

fn beside(path: &Path) -> PathBuf {
    Path::new("data").join(path.file_name().unwrap_or_default())
}
