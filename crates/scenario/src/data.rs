//! The data of a scenario: who takes part and what the grid asks for energy, from CSV files or given in code.

use super::{
    error::{Mistake, Report, ScenarioError, most_like},
    mend::mend_cell,
    population::{LARGEST_ENERGY, Member, Population, SlotProfile},
    schema::{GridTariff, Market, PopulationSource, Preferences, Scenario},
    signs::looks_alike,
    text::{TextFile, line_at},
    validate::{self, Known},
};
use csv::{ReaderBuilder, StringRecord, Trim};
use microgrid_agents::{ids::Slot, units::Energy};
use std::{collections::BTreeMap, ops::Range, path::Path, str::FromStr, sync::Arc};

/// Smallest and largest preference [CNY/kWh]; one of zero would leave nothing to want.
const PREFERENCE: (f64, f64) = (1e-6, 1e4);
/// Largest tariff [CNY/kWh].
const LARGEST_TARIFF: f64 = 1e4;
/// More generation or load than this, on average over all slots, no house has [kWh in an hour].
const LARGEST_MEAN: f64 = 100.0;
/// Columns of profiles, and those that the scenario may stand in for.
const PROFILES: [&str; 4] = ["prosumer", "slot", "pv_kwh", "load_kwh"];
const PREFERENCES: [&str; 2] = ["preference_pv", "preference_grid"];
/// The column of the grid's tariffs.
const TARIFF: &str = "grid_tariff_cny_per_kwh";
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
    /// The prosumers, unless they are synthetic.
    pub(super) profiles: Option<Arc<Population>>,
    /// The grid's tariff of each slot [CNY/kWh].
    pub(super) grid_tariffs: Arc<[f64]>,
}

impl Data {
    /// Reads what `scenario` names; returns it with the files. `open` finds the file of a path that stands at this place in
    /// the scenario, and `shown` makes an error of what is wrong there. A population `given` in code needs no reading.
    pub(super) fn read(
        scenario: &Scenario,
        given: Option<&Population>,
        open: impl Fn(&str, &Path) -> Result<TextFile, ScenarioError>,
        shown: impl Fn(Mistake) -> ScenarioError,
    ) -> Result<(Self, Vec<DataFile>), ScenarioError> {
        let (market, mut inputs) = (&scenario.market, Vec::new());
        let profiles = match (&scenario.population, given) {
            (PopulationSource::Synthetic(_), _) => None,
            (PopulationSource::Profiles(path), Some(given)) if path == Path::new(GIVEN_PROFILES) => {
                check_given(given, market.slots, &scenario.preferences).map_err(unplaced)?;
                inputs.push(DataFile { name: GIVEN_PROFILES.to_owned(), text: given.to_csv().into() });
                Some(Arc::new(given.clone()))
            }
            (PopulationSource::Profiles(path), _) => {
                let file = open("population.Profiles", path)?;
                inputs.push(data_file(path, &file));
                let slots = Slots { due: market.slots, shown: &shown };
                Some(Arc::new(population(&file, &slots, &scenario.preferences)?))
            }
        };
        let grid_tariffs = match &market.grid_tariff {
            GridTariff::Constant(tariff) => vec![*tariff; market.slots as usize],
            GridTariff::Csv(path) => {
                let place = "market.grid_tariff.Csv";
                let file = open(place, path)?;
                let input = data_file(path, &file);
                // Runs keep copies of their data files in one folder.
                if inputs.iter().any(|profiles: &DataFile| profiles.name == input.name) {
                    let (problem, allowed) =
                        ("the profiles are in a file of the same name", "data files with names of their own");
                    return Err(shown(Mistake::value(place, problem, file.path.unwrap_or_default(), allowed)));
                }
                inputs.push(input);
                tariffs(&file, market, &Slots { due: market.slots, shown: &shown })?
            }
        };
        Ok((Self { profiles, grid_tariffs: grid_tariffs.into() }, inputs))
    }

    /// Checks that they fit a `scenario` that differs from the one they were read for, `base`, in what is varied, and
    /// says how many prosumers it has.
    pub(super) fn check(&self, scenario: &Scenario, base: &Scenario) -> Result<usize, Mistake> {
        let tariffs = self.tariffs(&scenario.market);
        let [lowest, dearest] =
            [f64::min, f64::max].map(|pick| tariffs.iter().copied().reduce(pick).unwrap_or_default());
        let feed_in = scenario.market.feed_in_tariff;
        if feed_in > lowest {
            let (path, problem) = ("market.feed_in_tariff", "the grid would pay more than it asks");
            return Err(Mistake::value(path, problem, feed_in, format!("at most the lowest grid tariff of {lowest}")));
        }
        let prosumers = match (&scenario.population, &self.profiles) {
            (PopulationSource::Synthetic(what), _) => what.count as usize,
            (PopulationSource::Profiles(_), profiles) => {
                let [now, before] = [scenario, base].map(|scenario| scenario.preferences.everybodys());
                for ((name, now), (_, before)) in now.into_iter().zip(before) {
                    if now.is_some() != before.is_some() {
                        let (path, problem) = (format!("preferences.{name}"), "the profiles say this, or do not");
                        let found = now.map_or_else(|| "None".to_owned(), |value| value.to_string());
                        let allowed = if now.is_some() { "None" } else { "a number" };
                        return Err(Mistake::value(&path, problem, found, allowed));
                    }
                }
                let profiles = profiles.as_ref().expect("profiles were read with the scenario");
                validate::network(&scenario.network, Known::These(profiles))?;
                profiles.prosumers.len()
            }
        };
        validate::turnover(&scenario.market, dearest, prosumers)?;
        Ok(prosumers)
    }

    /// What is allowed in the profiles, but hardly meant: more energy than any house has.
    pub(super) fn doubt(&self, scenario: &Scenario) -> Option<Mistake> {
        let hours = scenario.market.slot_length.as_secs_f64() * f64::from(scenario.market.slots) / 3600.0;
        let PopulationSource::Profiles(file) = &scenario.population else { return None };
        let (generation, load) = (|of: &SlotProfile| of.generation, |of: &SlotProfile| of.load);
        self.profiles.as_ref()?.prosumers.iter().find_map(|Member { number, profile }| {
            let means = [("generates", generation as fn(&SlotProfile) -> Energy), ("wants", load)];
            let (does, mean) = means
                .map(|(does, of)| (does, profile.iter().map(|slot| of(slot).value()).sum::<f64>() / hours))
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

    /// The grid's tariff of each slot in a market [CNY/kWh].
    pub(super) fn tariffs(&self, market: &Market) -> Arc<[f64]> {
        match market.grid_tariff {
            GridTariff::Constant(tariff) if self.grid_tariffs.iter().any(|before| *before != tariff) => {
                self.grid_tariffs.iter().map(|_| tariff).collect()
            }
            _ => self.grid_tariffs.clone(),
        }
    }

    /// The prosumers of the profiles with these preferences.
    pub(super) fn prosumers(&self, preferences: &Preferences) -> Arc<Population> {
        let profiles = self.profiles.as_ref().expect("profiles were read with the scenario");
        let given = |profile: &SlotProfile| SlotProfile {
            preference_pv: preferences.preference_pv.unwrap_or(profile.preference_pv),
            preference_grid: preferences.preference_grid.unwrap_or(profile.preference_grid),
            ..*profile
        };
        let first = profiles.prosumers.iter().find_map(|member| member.profile.first());
        if first.is_none_or(|first| given(first) == *first) {
            return profiles.clone();
        }
        let member = |member: &Member| Member { profile: member.profile.iter().map(given).collect(), ..member.clone() };
        Arc::new(Population { prosumers: profiles.prosumers.iter().map(member).collect() })
    }
}

fn data_file(path: &Path, file: &TextFile) -> DataFile {
    DataFile { name: path.file_name().unwrap_or_default().display().to_string(), text: file.text.clone() }
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
    for Member { number, profile } in &population.prosumers {
        let wrong = |problem, found: String, allowed: String| {
            Err(Mistake::value(&format!("prosumer {number}"), problem, found, allowed))
        };
        if *number == 0 {
            return wrong("not allowed", "0".to_owned(), "numbers from 1 up".to_owned());
        }
        if before.replace(*number) == Some(*number) {
            return wrong("is there twice", number.to_string(), "each number once".to_owned());
        }
        if profile.len() != slots as usize {
            let found = format!("{} slots", profile.len());
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

/// How many slots the market has, for each of which a table is to have a row.
struct Slots<'a> {
    due: u32,
    /// Makes an error of what is wrong in the scenario.
    shown: &'a dyn Fn(Mistake) -> ScenarioError,
}

impl Slots<'_> {
    /// Fails if a table is whole, but for another number of slots. `of` is what its rows are of beside slots, if anything.
    fn check(&self, table: &Table<'_>, of: Option<&str>) -> Result<(), ScenarioError> {
        let mut slots = BTreeMap::<String, (u32, u32)>::new();
        for row in table.rows() {
            // What is wrong elsewhere is told with its place.
            let Ok(row) = row else { return Ok(()) };
            let Ok(slot) = row.text("slot").parse::<u32>() else { return Ok(()) };
            let (count, last) = slots.entry(of.map_or("", |of| row.text(of)).to_owned()).or_default();
            (*count, *last) = (*count + 1, slot.max(*last));
        }
        let mut numbers = slots.values();
        let Some(&(there, last)) = numbers.next() else { return Ok(()) };
        if there == self.due || there != last || numbers.any(|of| *of != (there, last)) {
            return Ok(());
        }
        let file = table.file.path.as_deref().unwrap_or_default();
        let problem = format!("{file} has rows for {there} slot{}", if there == 1 { "" } else { "s" });
        let allowed = format!("{there}, or a table with a row for each slot from 1 to {}", self.due);
        Err((self.shown)(Mistake::value("market.slots", &problem, self.due, allowed)))
    }
}

/// Reads who takes part: every prosumer needs one row for each slot, in any order.
fn population(file: &TextFile, slots: &Slots<'_>, preferences: &Preferences) -> Result<Population, ScenarioError> {
    read_population(file, slots.due, preferences).or_else(|error| {
        let table = Table::of(file, &PROFILES, &PREFERENCES)?;
        check_preferences(&table, preferences)?;
        slots.check(&table, Some("prosumer")).and(Err(error))
    })
}

fn read_population(file: &TextFile, slots: u32, preferences: &Preferences) -> Result<Population, ScenarioError> {
    let table = Table::of(file, &PROFILES, &PREFERENCES)?;
    check_preferences(&table, preferences)?;
    // With where the first row of each stands in the file [bytes]. No more is kept than there are rows.
    let mut members = BTreeMap::<u32, (usize, BTreeMap<Slot, SlotProfile>)>::new();
    for row in table.rows() {
        let row = row?;
        let (number, slot) = (row.whole("prosumer", u32::MAX)?, row.whole("slot", slots)?);
        let profile = slot_profile(&row, preferences)?;
        let (_, profiles) = members.entry(number).or_insert_with(|| (row.start, BTreeMap::new()));
        if profiles.insert(slot, profile).is_some() {
            let problem = format!("prosumer {number} has two rows for slot {slot}");
            return Err(row.report("slot", &problem, one_each(slots)));
        }
    }
    if members.is_empty() {
        return Err(table.report_column("prosumer", "nobody takes part", "allowed: at least one prosumer".to_owned()));
    }
    let members = members.into_iter().map(|(number, (start, profiles))| match complete(profiles, slots) {
        Ok(profiles) => Ok(Member { number, profile: profiles.into() }),
        Err(slot) => {
            let problem = format!("prosumer {number} has no row for slot {slot}");
            Err(table.report(start, "prosumer", &problem, [one_each(slots)]))
        }
    });
    Ok(Population { prosumers: members.collect::<Result<_, ScenarioError>>()? })
}

/// Reads the grid's tariff of each slot [CNY/kWh]; none may be below the market's feed-in tariff.
fn tariffs(file: &TextFile, market: &Market, slots: &Slots<'_>) -> Result<Vec<f64>, ScenarioError> {
    read_tariffs(file, market).or_else(|error| {
        let table = Table::of(file, &["slot", TARIFF], &[])?;
        slots.check(&table, None).and(Err(error))
    })
}

fn read_tariffs(file: &TextFile, market: &Market) -> Result<Vec<f64>, ScenarioError> {
    let table = Table::of(file, &["slot", TARIFF], &[])?;
    let mut tariffs = BTreeMap::new();
    for row in table.rows() {
        let row = row?;
        let slot = row.whole("slot", market.slots)?;
        let tariff = row.number(TARIFF, 0.0, LARGEST_TARIFF)?;
        if let Err(mistake) = validate::price(TARIFF, tariff) {
            return Err(row.report(TARIFF, &mistake.problem, mistake.notes.concat()));
        }
        if tariff < market.feed_in_tariff {
            let allowed = format!("allowed: at least the feed-in tariff of {}", market.feed_in_tariff);
            return Err(row.report(TARIFF, "the grid would pay more than it asks", allowed));
        }
        if tariffs.insert(slot, tariff).is_some() {
            return Err(row.report("slot", &format!("there are two rows for slot {slot}"), one_each(market.slots)));
        }
    }
    complete(tariffs, market.slots).map_err(|slot| {
        table.report_column("slot", &format!("there is no row for slot {slot}"), one_each(market.slots))
    })
}

fn one_each(slots: u32) -> String {
    format!("allowed: one row for each slot from 1 to {slots}")
}

/// Each preference has to be given once: by a column, or by the scenario.
fn check_preferences(table: &Table<'_>, preferences: &Preferences) -> Result<(), ScenarioError> {
    for (column, value) in preferences.everybodys() {
        let problem = match (table.position(column).is_some(), value) {
            (false, None) => "the column is missing",
            (true, Some(_)) => "given here and in the scenario",
            _ => continue,
        };
        let allowed = format!("allowed: this column, or preferences.{column} in the scenario");
        return Err(table.report_column(column, problem, allowed));
    }
    Ok(())
}

fn slot_profile(row: &Row<'_>, preferences: &Preferences) -> Result<SlotProfile, ScenarioError> {
    let preference = |column, given: Option<f64>| match given {
        Some(value) => Ok(value),
        None => row.number(column, PREFERENCE.0, PREFERENCE.1),
    };
    Ok(SlotProfile {
        generation: row.energy("pv_kwh")?,
        load: row.energy("load_kwh")?,
        preference_pv: preference("preference_pv", preferences.preference_pv)?,
        preference_grid: preference("preference_grid", preferences.preference_grid)?,
    })
}

/// The entries of all slots, or the first slot without one.
fn complete<T>(entries: BTreeMap<Slot, T>, slots: u32) -> Result<Vec<T>, Slot> {
    match (1..=slots).zip(entries.keys()).find(|(slot, there)| slot != *there) {
        Some((slot, _)) => Err(slot),
        None if entries.len() < slots as usize => Err(entries.len() as Slot + 1),
        None => Ok(entries.into_values().collect()),
    }
}

/// A table of a file, with the names of its columns.
#[derive(Debug)]
struct Table<'a> {
    file: &'a TextFile,
    columns: StringRecord,
    header: Range<usize>,
}

#[derive(Debug)]
struct Row<'a> {
    table: &'a Table<'a>,
    cells: StringRecord,
    /// Where the row begins in the file [bytes].
    start: usize,
}

impl<'a> Table<'a> {
    /// The table in `file`, whose columns are to be `required`, perhaps some of `optional`, and no others.
    fn of(file: &'a TextFile, required: &[&str], optional: &[&str]) -> Result<Self, ScenarioError> {
        let text = &file.text;
        let start = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let columns = reader(text).headers().cloned().unwrap_or_default();
        let table = Self { file, columns, header: line_at(text, start) };
        let known = || required.iter().chain(optional).copied();
        let wanted = format!("columns: {}", known().collect::<Vec<_>>().join(", "));
        let wrong = |problem: String, span: Range<usize>, hints: Vec<String>| {
            let found = if span.is_empty() { "nothing here" } else { "in this header" };
            let notes = hints.into_iter().chain([wanted.clone()]);
            Err(ScenarioError::Data(file.report(problem, span, found.to_owned(), notes)))
        };
        if text.trim().is_empty() {
            return wrong("the file is empty".to_owned(), start..start, Vec::new());
        }
        if let Some((problem, mend)) = no_header(&text[table.header.clone()], known().count()) {
            let found = "in the first line".to_owned();
            return Err(ScenarioError::Data(file.report(
                problem.to_owned(),
                table.header,
                found,
                [mend.to_owned(), wanted],
            )));
        }
        if let Some(hints) = table.made_long(required, optional) {
            let problem = "the table is wide: it has a column for each prosumer or for each slot".to_owned();
            return wrong(problem, table.header, hints);
        }
        for (n, name) in table.columns.iter().enumerate() {
            if !known().any(|known| known == name) {
                let meant = table.meant(n, &known().collect::<Vec<_>>());
                let hints = looks_alike(name).into_iter().chain(meant).collect();
                let problem = match name.trim() {
                    "" => format!("column {} has no name", n + 1),
                    name => format!("there is no column `{name}`"),
                };
                return wrong(problem, table.cell(start, n), hints);
            }
            if table.columns.iter().take(n).any(|other| other == name) {
                return wrong(format!("the column `{name}` is there twice"), table.cell(start, n), Vec::new());
            }
        }
        match required.iter().find(|name| table.position(name).is_none()) {
            Some(name) => wrong(format!("the column `{name}` is missing"), table.header, Vec::new()),
            None => Ok(table),
        }
    }

    /// How the table becomes one of the `required` columns if it is wide: if it has more others than there are, or several
    /// that are the same but for their digits.
    fn made_long(&self, required: &[&str], optional: &[&str]) -> Option<Vec<String>> {
        let has = |name: &&str| self.position(name).is_some();
        let others = self.columns.iter().filter(|name| !required.contains(name) && !optional.contains(name));
        let mut kinds: Vec<String> = others.map(|name| name.replace(|c: char| c.is_ascii_digit(), "#")).collect();
        let many = kinds.len() > required.len() + optional.len();
        kinds.retain(|kind| kind.contains('#'));
        kinds.iter_mut().for_each(|kind| {
            while kind.contains("##") {
                *kind = kind.replace("##", "#")
            }
        });
        kinds.sort();
        if required.iter().all(has) || !many && kinds.windows(2).all(|two| two[0] != two[1]) {
            return None;
        }
        let (keys, values): (Vec<&str>, Vec<&str>) =
            required.iter().partition(|name| ["prosumer", "slot"].contains(*name));
        let long = format!("a table is long: it has a row for each {}", keys.join(" and "));
        let mut several = kinds.clone();
        several.dedup();
        several.retain(|kind| kinds.iter().filter(|other| *other == kind).count() > 1);
        if several.len() > 1 {
            let kinds = several.join("`, `");
            let each = format!("its columns are of {} kinds, `{kinds}`: of each becomes one column", several.len());
            return Some(vec![long, each]);
        }
        let id = keys.iter().find(|key| has(key)).or(keys.get(1)).copied();
        let variable = keys.iter().find(|key| Some(**key) != id)?;
        let values: Vec<&str> = values.into_iter().filter(|value| !has(value)).collect();
        let (value, rest) = values.split_first()?;
        let id_name = id.filter(|id| !has(id)).map(|id| (&self.columns[0], id));
        let renamed = id_name.map(|(now, id)| format!(".rename(columns={{\"{now}\": \"{id}\"}})"));
        let id = id.map_or_else(String::new, |id| format!("\"{id}\", "));
        let melted = format!(
            "with pandas: `wide{}.melt({id}var_name=\"{variable}\", value_name=\"{value}\")`",
            renamed.unwrap_or_default()
        );
        let others = rest.iter().map(|other| format!("the same with {other}, and then `merge` puts them side by side"));
        let is_number = |name: &&str| name.chars().all(|c| c.is_ascii_digit());
        let mut names = self.columns.iter().skip(1).filter(|name| !has(name) && !is_number(name));
        let number = |name| format!("what `{name}` and the others become is each a number, the {variable}, from 1 on");
        let numbers = names.next().map(number);
        Some([long, melted].into_iter().chain(numbers).chain(others).collect())
    }

    /// Which of the `known` columns the one at place `n` may be that is called otherwise: one that the header does not have,
    /// the most similar or, if none is, the one at its place.
    fn meant(&self, n: usize, known: &[&str]) -> Vec<String> {
        let name = &self.columns[n];
        if n == 0 && self.columns.len() > 1 && ["", "index", "Unnamed: 0", "X"].contains(&name) {
            let mend = "the index of pandas, or R's names of rows, is no column: write the table with \
                        `to_csv(.., index=False)` or `write.csv(.., row.names = FALSE)`";
            return vec![mend.to_owned()];
        }
        if name.is_empty() {
            return vec!["a column has a name, and a line does not end in a comma".to_owned()];
        }
        let missing = || known.iter().copied().filter(|known| self.position(known).is_none());
        let at_its_place = || known.get(n).copied().filter(|there| missing().any(|known| known == *there));
        let like = most_like(name, missing());
        let Some(meant) = like.or_else(at_its_place) else {
            return vec!["a table has no other columns: take it out".to_owned()];
        };
        let unlike = like.is_none().then(|| "if not, take it out: a table has no other columns".to_owned());
        let name = name.to_lowercase();
        let unit = name.trim_end_matches([')', ']']).rsplit([' ', '_', '(', '[']).next().unwrap_or_default();
        let other_unit = meant.ends_with("_kwh") && ["w", "kw", "mw", "wh", "mwh"].contains(&unit);
        let units = other_unit.then(|| "its unit is kWh in the slot: power [kW] times the slot's hours".to_owned());
        [format!("did you mean `{meant}`?")].into_iter().chain(units).chain(unlike).collect()
    }

    fn rows(&'a self) -> impl Iterator<Item = Result<Row<'a>, ScenarioError>> {
        // Text that is UTF-8, with any number of cells a row, cannot fail to be a CSV record.
        let records = reader(&self.file.text).into_records();
        let records = records.map(|record| record.expect("text is read from memory and rows may have any length"));
        // A line of blanks is as good as one of nothing.
        records.filter(|cells| cells.len() > 1 || !cells[0].is_empty()).map(|cells| {
            let byte = cells.position().map_or(0, |position| position.byte() as usize);
            let rest = &self.file.text[byte..];
            let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            let wrong = |problem: String, mend: &str| {
                let (line, found) = (line_at(&self.file.text, start), "in this row".to_owned());
                Err(ScenarioError::Data(self.file.report(problem, line, found, [mend.to_owned()])))
            };
            if cells.iter().all(str::is_empty) {
                return wrong("the row is empty".to_owned(), "take it out");
            }
            if cells == self.columns {
                return wrong("the header is there twice".to_owned(), "take it out here");
            }
            if cells.len() != self.columns.len() {
                let plural = if cells.len() == 1 { "" } else { "s" };
                let problem =
                    format!("the row has {} cell{plural}, the header has {}", cells.len(), self.columns.len());
                let line = &self.file.text[line_at(&self.file.text, start)];
                return wrong(problem, mend_row(line, self.columns.len()));
            }
            Ok(Row { table: self, cells, start })
        })
    }

    /// A report about the cell of `column` in the row that begins at byte `start`, or about the row if it has no such cell.
    fn report(
        &self,
        start: usize,
        column: &str,
        problem: &str,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        let span = self.position(column).map_or_else(|| line_at(&self.file.text, start), |n| self.cell(start, n));
        let found = match &self.file.text[span.clone()] {
            _ if start == self.header.start => "in this header".to_owned(),
            "" => "nothing here".to_owned(),
            cell => format!("found {cell}"),
        };
        ScenarioError::Data(self.file.report(format!("{column}: {problem}"), span, found, notes))
    }

    /// The same of the header.
    fn report_column(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.report(self.header.start, column, problem, [allowed])
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Where cell `n` stands of the row that begins at byte `start`.
    fn cell(&self, start: usize, n: usize) -> Range<usize> {
        self.file.cell(start, n, ',')
    }
}

impl Row<'_> {
    /// The number in `column`: from `smallest` up, and no larger than `largest`.
    fn number(&self, column: &str, smallest: f64, largest: f64) -> Result<f64, ScenarioError> {
        let allowed = || format!("a number from {smallest} to {largest}");
        self.read(column, |number| (smallest..=largest).contains(number), allowed)
    }

    /// The amount of energy in `column` [kWh].
    fn energy(&self, column: &str) -> Result<Energy, ScenarioError> {
        // What is 0 when it is rounded to a whole amount is not negative.
        let fits = |number: &f64| *number <= LARGEST_ENERGY && Energy::nearest(*number) >= Energy::ZERO;
        self.read(column, fits, || format!("a number from 0 to {LARGEST_ENERGY}")).map(Energy::nearest)
    }

    /// The whole number in `column`, from 1 to `largest`.
    fn whole(&self, column: &str, largest: u32) -> Result<u32, ScenarioError> {
        self.read(column, |number| (1..=largest).contains(number), || format!("a whole number from 1 to {largest}"))
    }

    fn read<T: FromStr>(
        &self,
        column: &str,
        fits: impl Fn(&T) -> bool,
        allowed: impl Fn() -> String,
    ) -> Result<T, ScenarioError> {
        let text = self.text(column);
        let read = |text: &str| text.parse().ok().filter(&fits);
        read(text).ok_or_else(|| {
            let is_name = column == "prosumer" && !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit());
            let named = || "a prosumer is called by a number; rows of totals and of units are taken out".to_owned();
            let mend = mend_cell(text, column, |meant| read(meant).is_some()).or_else(|| is_name.then(named));
            self.table.report(
                self.start,
                column,
                "not allowed",
                mend.into_iter().chain([format!("allowed: {}", allowed())]),
            )
        })
    }

    fn report(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.table.report(self.start, column, problem, [allowed])
    }

    fn text(&self, column: &str) -> &str {
        self.table.position(column).and_then(|n| self.cells.get(n)).unwrap_or_default()
    }
}

/// Why a table's first line, where `count` columns are wanted, is no header in so many cells, with the mend.
fn no_header(line: &str, count: usize) -> Option<(&'static str, &'static str)> {
    if line.trim().is_empty() {
        return Some(("the first line is no header", "it is blank: take it out"));
    }
    if is_quoted_whole(line) {
        return Some(("the header is a single cell", WHOLE));
    }
    let cells = || line.split(',').map(str::trim);
    let in_one = cells().count() == 1 && line.split_whitespace().count() == count;
    if line.starts_with("sep=") || in_one || cells().count() < count && line.contains([';', '\t', '|']) {
        return Some(("cells are not separated by commas", "write commas between cells, and points within numbers"));
    }
    if line.starts_with(['#', '/']) {
        return Some(("the first line is no header", "a table has no comments: take them out"));
    }
    if !line.starts_with(['(', '[', '{', '<']) && !line.starts_with("Scenario") && cells().count() == 1 {
        return Some((
            "the first line is no header",
            "it is to have the names of the columns, with commas between them",
        ));
    }
    if line.starts_with("Scenario") || line.starts_with(['{', '<', '[', '(']) {
        return Some((
            "the file is no CSV table",
            "its first line is to have names of columns with commas between them",
        ));
    }
    let is_data = cells().all(|cell| cell.parse::<f64>().is_ok());
    is_data.then_some(("the header is missing", "put a line with the names of the columns before the numbers"))
}

const WHOLE: &str = "quotes stand around a cell, and not around a whole line: take them out";

/// Whether a line of several cells stands in quotes as if it were one.
fn is_quoted_whole(line: &str) -> bool {
    let mut cells = reader(line);
    let cells = cells.headers().map(|cells| (cells.len(), cells[0].contains(',')));
    line.trim_start().starts_with('"') && cells.is_ok_and(|cells| cells == (1, true))
}

/// How a row is to be written that has not as many cells as its header.
fn mend_row(line: &str, columns: usize) -> &'static str {
    let cells = line.split(',').count();
    if line.starts_with(['#', '/']) {
        "a table has no comments: take them out"
    } else if is_quoted_whole(line) {
        WHOLE
    } else if line.matches('"').count() % 2 == 1 {
        "a quote that opens in this row is not closed in it"
    } else if line.contains([';', '\t', '|']) {
        "write commas between cells, and points within numbers"
    } else if line.contains(char::is_control) {
        "it has signs that are not seen: take them out"
    } else if line.trim_end().ends_with(',') && cells == columns + 1 {
        "a line does not end in a comma"
    } else if cells > columns {
        "a comma begins a new cell: numbers have a point, and nothing between their thousands"
    } else {
        "a row has a cell for each column, with commas between them"
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes())
}
