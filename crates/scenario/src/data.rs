//! The data of a scenario: who takes part and what the grid asks for energy, from CSV files or given in code.

mod members;
mod profiles;
mod series;
mod table;
mod tariffs;

use super::{
    calendar::Dates,
    error::{Mistake, Report, ScenarioError, did_you_mean},
    path,
    population::{LARGEST_ENERGY, Member, Population, Profile, SlotProfile},
    schema::{Market, PopulationSource, Preferences, Scenario, Tariff, Unit},
    tariffs::Tariffs,
    text::TextFile,
    validate::{self, Known},
};
use members::Members;
use microgrid_agents::{
    market::{opening::OpenSlots, role::Role},
    units::Energy,
};
use profiles::Slots;
pub use series::LARGEST_VALUE;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use tariffs::Prices;

/// Smallest and largest preference [CNY/kWh]; one of zero would leave nothing to want.
const PREFERENCE: (f64, f64) = (1e-6, 1e4);
/// More generation or load than this, on average over all slots, no house has [kWh in an hour].
const LARGEST_MEAN: f64 = 100.0;
/// Name of the profiles of a population that was made in code, among the data files of a run.
pub(super) const GIVEN_PROFILES: &str = "profiles.csv";

/// A data file of a scenario, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its name, without the folder it lies in.
    pub name: String,
    /// All it holds.
    pub text: Arc<str>,
}

/// What the data say.
#[derive(Clone, Debug)]
pub(super) struct Data {
    who: Prosumers,
    prices: Prices,
    /// The dates of slots, if they have any.
    pub(super) dates: Option<Arc<Dates>>,
    /// When the market opens.
    pub(super) open: OpenSlots,
}

/// Who takes part.
#[derive(Clone, Debug)]
enum Prosumers {
    Synthetic,
    Profiles(Arc<Population>),
    Members(Arc<Members>),
}

/// Opens the file of a path that stands at a place in the scenario.
type Open<'a> = &'a dyn Fn(&str, &Path) -> Result<TextFile, ScenarioError>;

impl Data {
    /// Reads what `scenario` names; returns it with the files. `open` finds the file of a path that stands at this place in
    /// the scenario, and `shown` makes an error of what is wrong there. A population `given` in code needs no reading.
    pub(super) fn read(
        scenario: &Scenario,
        given: Option<&Population>,
        open: Open<'_>,
        shown: &dyn Fn(Mistake) -> ScenarioError,
    ) -> Result<(Self, Vec<DataFile>), ScenarioError> {
        let market = &scenario.market;
        let mut inputs = Inputs { open, shown, files: Vec::new() };
        let dates = market.dates().map(Arc::new);
        let slots = Slots { due: market.slots, shown };
        let who = match (&scenario.population, given) {
            (PopulationSource::Synthetic(_), _) => Prosumers::Synthetic,
            (PopulationSource::Profiles(path), Some(given)) if path == Path::new(GIVEN_PROFILES) => {
                check_given(given, market.slots, &scenario.preferences).map_err(unplaced)?;
                inputs.files.push(DataFile { name: GIVEN_PROFILES.to_owned(), text: given.to_csv().into() });
                Prosumers::Profiles(Arc::new(given.clone()))
            }
            (PopulationSource::Profiles(path), _) => {
                let file = inputs.read("population.Profiles", path)?;
                Prosumers::Profiles(Arc::new(profiles::population(&file, &slots, &scenario.preferences)?))
            }
            (PopulationSource::Members(community), _) => {
                let read = |inputs: &mut Inputs<'_>, path| inputs.read("population.Members.profiles", path);
                let file = community.profiles.as_ref().map(|path| read(&mut inputs, path)).transpose()?;
                let profiles = file.map(|file| series::read(&file, community.unit, market, dates.as_deref()));
                let profiles = profiles.transpose()?.unwrap_or_default();
                let table = inputs.read("population.Members.members", &community.members)?;
                let (dates, preferences) = (dates.as_deref(), &scenario.preferences);
                let members = Members::read(&table, community, &profiles, market, dates, preferences)?;
                Prosumers::Members(Arc::new(members))
            }
        };
        let varies = |path: &str| scenario.vary.keys().any(|name| path::overlaps(name, path));
        let mut prices = Prices::new();
        for (path, tariff) in market.all_tariffs() {
            let Tariff::Csv(file) = tariff else { continue };
            let text = inputs.read(&format!("{path}.Csv"), file)?;
            let least = match &market.feed_in_tariff {
                Tariff::Constant(feed_in) if path == "market.grid_tariff" && !varies("market.feed_in_tariff") => {
                    Some(*feed_in)
                }
                _ => None,
            };
            let told = tariffs::told_at(&path);
            prices.insert((told, file.clone()), tariffs::read(told, &text, market, dates.as_deref(), &slots, least)?);
        }
        let data = Self { who, prices, dates, open: market.open_slots() };
        Ok((data, inputs.files))
    }

    /// Checks that they fit a `scenario` that differs from the one they were read for, `base`, in what is varied, and
    /// says how many prosumers it has.
    pub(super) fn check(&self, scenario: &Scenario, base: &Scenario) -> Result<usize, Vec<Mistake>> {
        let market = &scenario.market;
        let tariffs = self.tariffs(market)?;
        validate::tariffs(market, &tariffs, self.dates.as_deref())?;
        let groups = if let Prosumers::Members(members) = &self.who { members.groups() } else { BTreeSet::new() };
        if let Some(name) = market.tariffs.keys().find(|name| !groups.contains(name.as_str())) {
            let known: Vec<&str> = groups.into_iter().collect();
            let allowed = match known.as_slice() {
                [] => "groups of `Members`, of whom some are in one".to_owned(),
                known => format!("a group of the members: {}", known.join(", ")),
            };
            let path = format!("market.tariffs.{name}");
            let mut mistake = Mistake::value(&path, "nobody is in this group", name, allowed);
            mistake.add(Vec::from_iter(did_you_mean(name, known)));
            return Err(mistake.into());
        }
        let prosumers = match (&scenario.population, &self.who) {
            (PopulationSource::Synthetic(what), _) => what.count as usize,
            (PopulationSource::Members(_), Prosumers::Members(members)) => {
                validate::network(&scenario.network, &scenario.ledger, Known::Members(members.count() as u32))?;
                members.count()
            }
            (_, Prosumers::Profiles(profiles)) => {
                let [now, before] = [scenario, base].map(|scenario| scenario.preferences.everybodys());
                for ((name, now), (_, before)) in now.into_iter().zip(before) {
                    if now.is_some() != before.is_some() {
                        let (path, problem) = (format!("preferences.{name}"), "the profiles say this, or do not");
                        let found = now.map_or_else(|| "None".to_owned(), |value| value.to_string());
                        let allowed = if now.is_some() { "None" } else { "a number" };
                        return Err(Mistake::value(&path, problem, found, allowed).into());
                    }
                }
                validate::network(&scenario.network, &scenario.ledger, Known::These(profiles))?;
                profiles.prosumers.len()
            }
            _ => unreachable!("the population was read with the scenario"),
        };
        validate::turnover(market, &tariffs, prosumers)?;
        Ok(prosumers)
    }

    /// What is allowed in the data, but hardly meant.
    pub(super) fn doubts(&self, scenario: &Scenario) -> Vec<Mistake> {
        self.too_much(scenario).into_iter().chain(self.paid_errors(scenario)).collect()
    }

    /// Profiles of a community that none of its members has.
    pub(super) fn unused_profiles(&self) -> &[String] {
        if let Prosumers::Members(members) = &self.who { members.unused() } else { &[] }
    }

    /// Prices of imbalance by which somebody gains who registers less than it has.
    fn paid_errors(&self, scenario: &Scenario) -> Option<Mistake> {
        let market = &scenario.market;
        let tariffs = self.tariffs(market).ok()?;
        let imbalance = tariffs.imbalance.as_ref()?;
        let own = [tariffs.of_group(None)].into_iter().chain(tariffs.groups.values().cloned());
        own.into_iter().find_map(|own| {
            let place = |gains: fn(f64, f64) -> bool, prices: &[f64], usual: &[f64]| {
                let place = prices.iter().zip(usual).position(|(price, usual)| gains(*price, *usual))?;
                let slot = place as u32 + 1;
                let when = self.dates.as_ref().map_or_else(|| format!("slot {slot}"), |dates| dates.time(slot));
                Some((when, prices[place], usual[place]))
            };
            let (problem, field, (when, price, usual), does, most) = if let Some(found) =
                place(|price, usual| price < usual, &imbalance.grid, &own.grid)
            {
                ("who registers less load than it has pays less for the rest", "short", found, "asks", "least")
            } else {
                let found = place(|price, usual| price > usual, &imbalance.feed_in, &own.feed_in)?;
                ("who registers less generation than it has earns more with the rest", "long", found, "pays", "most")
            };
            let note = format!("in {when} the grid {does} {usual}: errors pay unless this is at {most} that");
            let path = format!("market.imbalance.{field}");
            Some(Mistake { path, found: price.to_string(), ..Mistake::new(problem, [note]) })
        })
    }

    /// More energy than any house has.
    fn too_much(&self, scenario: &Scenario) -> Option<Mistake> {
        if let (PopulationSource::Members(community), Prosumers::Members(members)) = (&scenario.population, &self.who) {
            let (name, does, mean) = members.more_than(LARGEST_MEAN).filter(|_| community.unit != Unit::Share)?;
            let problem = format!("`{name}` {does} {mean:.0} kWh an hour on average, as no house does");
            let note = match community.unit {
                Unit::Kw => "with `unit: Kw` profiles are in kW: 1000 W are 1 kW",
                _ => "with `unit: Kwh` profiles are in kWh in a row's time: 1000 Wh are 1 kWh",
            };
            let path = "population.Members.profiles".to_owned();
            let found = community.profiles.as_ref().map_or_else(String::new, |file| file.display().to_string());
            return Some(Mistake { path, found, ..Mistake::new(problem, [note.to_owned()]) });
        }
        let hours = scenario.market.slot_length.as_secs_f64() * f64::from(scenario.market.slots) / 3600.0;
        let (PopulationSource::Profiles(file), Prosumers::Profiles(profiles)) = (&scenario.population, &self.who)
        else {
            return None;
        };
        let (generation, load) = (|of: &SlotProfile| of.generation, |of: &SlotProfile| of.load);
        profiles.prosumers.iter().find_map(|Member { number, profile, .. }| {
            let means = [("generates", generation as fn(&SlotProfile) -> Energy), ("wants", load)];
            let (does, mean) = means
                .map(|(does, of)| (does, profile.iter().map(|slot| of(&slot).value()).sum::<f64>() / hours))
                .into_iter()
                .find(|(_, mean)| *mean > LARGEST_MEAN)?;
            let problem = format!("prosumer {number} {does} {mean:.0} kWh an hour on average, as no house does");
            let note =
                "energy is in kWh in the slot: 1000 Wh are 1 kWh, and 1 kW for 15 minutes is 0.25 kWh".to_owned();
            Some(Mistake {
                path: "population.Profiles".to_owned(),
                found: file.display().to_string(),
                ..Mistake::new(problem, [note])
            })
        })
    }

    /// What the grid asks and pays in each slot of a market.
    pub(super) fn tariffs(&self, market: &Market) -> Result<Tariffs, Mistake> {
        tariffs::tariffs(market, self.dates.as_deref(), &self.prices)
    }

    /// The prosumers of a scenario that are not drawn.
    pub(super) fn prosumers(&self, scenario: &Scenario, tariffs: &Tariffs) -> Arc<Population> {
        match (&self.who, &scenario.population) {
            (Prosumers::Members(members), PopulationSource::Members(community)) => {
                Arc::new(members.population(community, &scenario.preferences, tariffs, scenario.seed))
            }
            (Prosumers::Profiles(profiles), _) => with_preferences(profiles, &scenario.preferences),
            _ => unreachable!("the population was read with the scenario"),
        }
    }

    /// About how many prosumers are to sell and to buy in each slot of a scenario, if they are not drawn; where it takes
    /// long to look at all slots, some stand for those behind them.
    pub(super) fn sides(&self, scenario: &Scenario) -> Option<Vec<[u32; 2]>> {
        if matches!(self.who, Prosumers::Synthetic) {
            return None;
        }
        let tariffs = self.tariffs(&scenario.market).ok()?;
        let (members, slots) = (&self.prosumers(scenario, &tariffs).prosumers, scenario.market.slots as usize);
        let step = (members.len() * slots / 1_000_000).clamp(1, 4);
        let of_slot = |slot| {
            let roles = members.iter().map(|member| {
                let SlotProfile { generation, load, .. } = member.profile.foreseen(slot);
                Role::of(generation, load)
            });
            roles.fold([0; 2], |[sellers, buyers], role| {
                [sellers + u32::from(role == Role::Seller), buyers + u32::from(role == Role::Buyer)]
            })
        };
        let looked_at: Vec<_> = (1..=scenario.market.slots).step_by(step).map(of_slot).collect();
        Some((0..slots).map(|place| looked_at[place / step]).collect())
    }

    /// Whether some prosumer that is not drawn has this number.
    pub(super) fn includes(&self, number: u32) -> Option<bool> {
        match &self.who {
            Prosumers::Synthetic => None,
            Prosumers::Profiles(profiles) => Some(profiles.position(number).is_some()),
            Prosumers::Members(members) => Some((1..=members.count() as u32).contains(&number)),
        }
    }
}

/// The files that a scenario reads.
struct Inputs<'a> {
    open: Open<'a>,
    shown: &'a dyn Fn(Mistake) -> ScenarioError,
    files: Vec<DataFile>,
}

impl Inputs<'_> {
    /// Reads the file of a path that stands at this place. Runs keep copies of their data files in one folder, so no two
    /// have the same name, unless they are the same.
    fn read(&mut self, place: &str, path: &Path) -> Result<TextFile, ScenarioError> {
        let file = (self.open)(place, path)?;
        let name = path.file_name().unwrap_or_default().display().to_string();
        match self.files.iter().find(|other| other.name == name) {
            Some(same) if same.text == file.text => {}
            Some(_) => {
                let (problem, allowed) = ("another data file has the same name", "data files with names of their own");
                return Err((self.shown)(Mistake::value(place, problem, file.path.unwrap_or_default(), allowed)));
            }
            None => self.files.push(DataFile { name, text: file.text.clone() }),
        }
        Ok(file)
    }
}

/// The prosumers of profiles with these preferences.
fn with_preferences(profiles: &Arc<Population>, preferences: &Preferences) -> Arc<Population> {
    let given = |profile: SlotProfile| SlotProfile {
        preference_pv: preferences.preference_pv.unwrap_or(profile.preference_pv),
        preference_grid: preferences.preference_grid.unwrap_or(profile.preference_grid),
        ..profile
    };
    let first = profiles.prosumers.first().map(|member| member.profile.slot(1));
    if first.is_none_or(|first| given(first) == first) {
        return profiles.clone();
    }
    let member = |member: &Member| {
        let slots: Vec<SlotProfile> = member.profile.iter().map(given).collect();
        Member { profile: Profile::from(slots), ..member.clone() }
    };
    Arc::new(Population { prosumers: profiles.prosumers.iter().map(member).collect() })
}

/// A mistake in a population made in code, of which there is no text to show.
fn unplaced(mistake: Mistake) -> ScenarioError {
    let Mistake { path, problem, found, mut notes, .. } = mistake;
    notes.insert(0, format!("found: {found}"));
    ScenarioError::Data(Box::new(Report { problem: format!("{path}: {problem}"), place: None, notes }))
}

/// Checks a population made in code, in ascending order of its numbers: it has to be what a file may hold.
fn check_given(population: &Population, slots: u32, preferences: &Preferences) -> Result<(), Mistake> {
    if population.prosumers.is_empty() {
        return Err(Mistake::value("population", "nobody takes part", "nobody", "at least one prosumer"));
    }
    for (name, value) in preferences.everybodys() {
        let Some(value) = value else { continue };
        let (path, allowed) = (format!("preferences.{name}"), "None with a population made in code");
        return Err(Mistake::value(&path, "the population has its own", value, allowed));
    }
    let mut before = None;
    for Member { number, profile, .. } in &population.prosumers {
        let wrong = |problem, found: String, allowed: String| {
            Err(Mistake::value(&format!("prosumer {number}"), problem, found, allowed))
        };
        if *number == 0 {
            return wrong("not allowed", "0".to_owned(), "numbers from 1 up".to_owned());
        }
        if before.replace(*number) == Some(*number) {
            return wrong("is there twice", number.to_string(), "each number once".to_owned());
        }
        if profile.slots() != slots {
            let found = format!("{} slots", profile.slots());
            return wrong("the profile does not fit the market", found, format!("{slots} slots"));
        }
        for (slot, of) in (1..).zip(profile.iter()) {
            for (what, value, (smallest, largest)) in [
                ("generation", of.generation.value(), (0.0, LARGEST_ENERGY)),
                ("load", of.load.value(), (0.0, LARGEST_ENERGY)),
                ("preference_pv", of.preference_pv, PREFERENCE),
                ("preference_grid", of.preference_grid, PREFERENCE),
            ] {
                if !(smallest..=largest).contains(&value) {
                    let path = format!("prosumer {number}, slot {slot}: {what}");
                    let allowed = format!("a number from {smallest} to {largest}");
                    return Err(Mistake::value(&path, "not allowed", value, allowed));
                }
            }
        }
    }
    Ok(())
}
