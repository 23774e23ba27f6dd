//! The data of a scenario: who takes part and what the grid asks for energy, from CSV files or given in code.

use super::{
    error::{Report, ScenarioError, Violation, did_you_mean},
    population::{LARGEST_ENERGY, Member, Population, SlotProfile},
    schema::{GridTariff, Market, PopulationSource, Preferences, Scenario},
    text::TextFile,
    validate,
};
use csv::{ReaderBuilder, StringRecord, Trim};
use microgrid_agents::{ids::Slot, units::Energy};
use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

/// Smallest and largest preference [CNY/kWh]; one of zero would leave nothing to want.
const PREFERENCE: (f64, f64) = (1e-6, 1e4);
/// Largest tariff [CNY/kWh].
const LARGEST_TARIFF: f64 = 1e4;
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

/// Where data come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// What the paths of files are relative to.
    pub(super) folder: &'a Path,
    /// Files that are given in code.
    pub(super) files: &'a [DataFile],
    /// A population that is given in code.
    pub(super) population: Option<&'a Population>,
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
    /// Reads what `scenario` names; returns it with the files. `shown` makes an error of what is wrong in the scenario.
    pub(super) fn read(
        scenario: &Scenario,
        sources: Sources<'_>,
        shown: impl Fn(Violation) -> ScenarioError,
    ) -> Result<(Self, Vec<DataFile>), ScenarioError> {
        let (market, preferences, mut inputs) = (&scenario.market, &scenario.preferences, Vec::new());
        let profiles = match (&scenario.population, sources.population) {
            (PopulationSource::Synthetic(_), _) => None,
            (PopulationSource::Profiles(path), Some(given)) if path == Path::new(GIVEN_PROFILES) => {
                let population = checked(given, market.slots, preferences)
                    .map_err(|violation| ScenarioError::Data(violation.report()))?;
                inputs.push(DataFile { name: GIVEN_PROFILES.to_owned(), text: population.to_csv().into() });
                Some(population)
            }
            (PopulationSource::Profiles(path), _) => {
                let file = sources.open("population.Profiles", path, &shown)?;
                inputs.push(data_file(path, &file));
                Some(population(&file, market.slots, preferences)?)
            }
        };
        let grid_tariffs = match &market.grid_tariff {
            GridTariff::Constant(tariff) => vec![*tariff; market.slots as usize],
            GridTariff::Csv(path) => {
                let place = "market.grid_tariff.Csv";
                let file = sources.open(place, path, &shown)?;
                let tariffs = data_file(path, &file);
                // Runs keep copies of their data files in one folder.
                if inputs.iter().any(|profiles: &DataFile| profiles.name == tariffs.name) {
                    let problem = "the profiles are in a file of the same name";
                    return Err(shown(Violation::new(
                        place,
                        problem,
                        &file.path,
                        "data files with names of their own",
                    )));
                }
                inputs.push(tariffs);
                self::tariffs(&file, market)?
            }
        };
        Ok((Self { profiles: profiles.map(Arc::new), grid_tariffs: grid_tariffs.into() }, inputs))
    }

    /// Checks that they fit a `scenario` that differs from the one they were read for, `base`, in what is varied, and
    /// says how many prosumers it has.
    pub(super) fn check(&self, scenario: &Scenario, base: &Scenario) -> Result<usize, Violation> {
        let tariffs = self.tariffs(&scenario.market);
        let [lowest, dearest] =
            [f64::min, f64::max].map(|pick| tariffs.iter().copied().reduce(pick).unwrap_or_default());
        let feed_in = scenario.market.feed_in_tariff;
        if feed_in > lowest {
            let allowed = format!("at most the lowest grid tariff of {lowest}");
            return Err(Violation::new(
                "market.feed_in_tariff",
                "the grid would pay more than it asks",
                feed_in,
                allowed,
            ));
        }
        let prosumers = match (&scenario.population, &self.profiles) {
            (PopulationSource::Synthetic(what), _) => what.count as usize,
            (PopulationSource::Profiles(_), profiles) => {
                let (now, before) = (&scenario.preferences, &base.preferences);
                for (name, now, before) in [
                    ("preferences.preference_pv", now.preference_pv, before.preference_pv),
                    ("preferences.preference_grid", now.preference_grid, before.preference_grid),
                ] {
                    if now.is_some() != before.is_some() {
                        let found = now.map_or_else(|| "None".to_owned(), |value| value.to_string());
                        let allowed = if now.is_some() { "None" } else { "a number" };
                        return Err(Violation::new(name, "the profiles say this, or do not", found, allowed));
                    }
                }
                let profiles = profiles.as_ref().expect("profiles were read with the scenario");
                validate::network_among(&scenario.network, profiles)?;
                profiles.prosumers.len()
            }
        };
        validate::turnover(&scenario.market, dearest, prosumers)?;
        Ok(prosumers)
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

impl Sources<'_> {
    /// The file at `path`, which stands at this `place` in the scenario.
    fn open(
        &self,
        place: &str,
        path: &Path,
        shown: impl Fn(Violation) -> ScenarioError,
    ) -> Result<TextFile, ScenarioError> {
        if let Some(given) = self.files.iter().find(|file| Path::new(&file.name) == path) {
            return Ok(TextFile { path: given.name.clone(), text: given.text.clone() });
        }
        let path = self.folder.join(path);
        TextFile::read(&path)?.map_err(|reason| {
            let allowed = "a CSV file, its path relative to the scenario's file";
            shown(Violation::new(place, &format!("cannot be read: {reason}"), path.display(), allowed))
        })
    }
}

/// A population made in code, in ascending order of its numbers: it has to be what a file may hold.
fn checked(population: &Population, slots: u32, preferences: &Preferences) -> Result<Population, Violation> {
    let mut prosumers = population.prosumers.clone();
    prosumers.sort_by_key(|member| member.number);
    if prosumers.is_empty() {
        return Err(Violation::new("population", "nobody takes part", "nobody", "at least one prosumer"));
    }
    for (name, value) in
        [("preference_pv", preferences.preference_pv), ("preference_grid", preferences.preference_grid)]
    {
        if let Some(value) = value {
            let path = format!("preferences.{name}");
            return Err(Violation::new(
                &path,
                "the population has its own",
                value,
                "None with a population made in code",
            ));
        }
    }
    for (n, Member { number, profile }) in prosumers.iter().enumerate() {
        let who = format!("prosumer {number}");
        if *number == 0 {
            return Err(Violation::new(&who, "not allowed", number, "numbers from 1 up"));
        }
        if n > 0 && prosumers[n - 1].number == *number {
            return Err(Violation::new(&who, "is there twice", number, "each number once"));
        }
        if profile.len() != slots as usize {
            let found = format!("{} slots", profile.len());
            return Err(Violation::new(&who, "the profile does not fit the market", found, format!("{slots} slots")));
        }
        for (slot, profile) in (1..).zip(profile.iter()) {
            let SlotProfile { generation, load, preference_pv, preference_grid } = profile;
            for (what, value, (smallest, largest)) in [
                ("generation", generation.value(), (0.0, LARGEST_ENERGY)),
                ("load", load.value(), (0.0, LARGEST_ENERGY)),
                ("preference_pv", *preference_pv, PREFERENCE),
                ("preference_grid", *preference_grid, PREFERENCE),
            ] {
                if !(smallest..=largest).contains(&value) {
                    let path = format!("prosumer {number}, slot {slot}: {what}");
                    let allowed = format!("a number from {smallest} to {largest}");
                    return Err(Violation::new(&path, "not allowed", value, allowed));
                }
            }
        }
    }
    Ok(Population { prosumers })
}

/// Reads who takes part: every prosumer needs one row for each slot from 1 to `slots`, in any order.
fn population(file: &TextFile, slots: u32, preferences: &Preferences) -> Result<Population, ScenarioError> {
    let table = Table::of(file, &["prosumer", "slot", "pv_kwh", "load_kwh"], &["preference_pv", "preference_grid"])?;
    check_preferences(&table, preferences)?;
    let mut members = BTreeMap::<u32, Entries<SlotProfile>>::new();
    for row in table.rows() {
        let row = row?;
        let (number, slot) = (row.whole("prosumer", u32::MAX)?, row.whole("slot", slots)?);
        let profile = slot_profile(&row, preferences)?;
        let member = members.entry(number).or_insert_with(|| Entries::new(slots, row.start));
        if !member.put(slot, profile) {
            return Err(row.report(
                "slot",
                &format!("prosumer {number} has two rows for slot {slot}"),
                one_each(slots),
            ));
        }
    }
    if members.is_empty() {
        return Err(table.report_column("prosumer", "nobody takes part", "allowed: at least one prosumer".to_owned()));
    }
    let members = members.into_iter().map(|(number, entries)| {
        let start = entries.start;
        let profile = entries.complete().map_err(|slot| {
            let problem = format!("prosumer {number} has no row for slot {slot}");
            table.report(start, "prosumer", &problem, one_each(slots))
        })?;
        Ok(Member { number, profile: profile.into() })
    });
    Ok(Population { prosumers: members.collect::<Result<_, ScenarioError>>()? })
}

/// Reads the grid's tariff of each slot [CNY/kWh]; none may be below the market's feed-in tariff.
fn tariffs(file: &TextFile, market: &Market) -> Result<Vec<f64>, ScenarioError> {
    const TARIFF: &str = "grid_tariff_cny_per_kwh";
    let table = Table::of(file, &["slot", TARIFF], &[])?;
    let mut tariffs = Entries::new(market.slots, 0);
    for row in table.rows() {
        let row = row?;
        let slot = row.whole("slot", market.slots)?;
        let tariff = row.number(TARIFF, 0.0, LARGEST_TARIFF)?;
        if let Err(violation) = validate::price(TARIFF, tariff) {
            let Violation { problem, allowed, .. } = violation;
            return Err(row.report(TARIFF, &problem, format!("allowed: {allowed}")));
        }
        if tariff < market.feed_in_tariff {
            let allowed = format!("allowed: at least the feed-in tariff of {}", market.feed_in_tariff);
            return Err(row.report(TARIFF, "the grid would pay more than it asks", allowed));
        }
        if !tariffs.put(slot, tariff) {
            return Err(row.report("slot", &format!("there are two rows for slot {slot}"), one_each(market.slots)));
        }
    }
    tariffs.complete().map_err(|slot| {
        table.report_column("slot", &format!("there is no row for slot {slot}"), one_each(market.slots))
    })
}

fn one_each(slots: u32) -> String {
    format!("allowed: one row for each slot from 1 to {slots}")
}

/// Each preference has to be given once: by a column, or by the scenario.
fn check_preferences(table: &Table<'_>, preferences: &Preferences) -> Result<(), ScenarioError> {
    let given = [("preference_pv", preferences.preference_pv), ("preference_grid", preferences.preference_grid)];
    for (column, value) in given {
        let problem = match (table.has(column), value) {
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
    let energy = |column| row.number(column, 0.0, LARGEST_ENERGY).map(Energy::nearest);
    let preference = |column, given: Option<f64>| match given {
        Some(value) => Ok(value),
        None => row.number(column, PREFERENCE.0, PREFERENCE.1),
    };
    Ok(SlotProfile {
        generation: energy("pv_kwh")?,
        load: energy("load_kwh")?,
        preference_pv: preference("preference_pv", preferences.preference_pv)?,
        preference_grid: preference("preference_grid", preferences.preference_grid)?,
    })
}

/// One entry a slot, filled in any order.
struct Entries<T> {
    slots: Vec<Option<T>>,
    /// Where the first of them stands in the file [bytes].
    start: usize,
}

impl<T> Entries<T> {
    fn new(slots: u32, start: usize) -> Self {
        Self { slots: (0..slots).map(|_| None).collect(), start }
    }

    /// Enters a value; false if the slot has one already.
    fn put(&mut self, slot: Slot, value: T) -> bool {
        self.slots[slot as usize - 1].replace(value).is_none()
    }

    /// All entries, or the first slot without one.
    fn complete(self) -> Result<Vec<T>, Slot> {
        let numbered = (1..).zip(self.slots);
        numbered.map(|(slot, entry)| entry.ok_or(slot)).collect()
    }
}

/// A table of a file, with the names of its columns.
#[derive(Debug)]
struct Table<'a> {
    file: &'a TextFile,
    columns: StringRecord,
    header: Range<usize>,
}

/// A row of a table.
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
        let wanted = format!("columns: {}", [required, optional].concat().join(", "));
        if text.trim().is_empty() {
            return Err(table.wrong_header("the file is empty".to_owned(), start..start, vec![wanted]));
        }
        for (n, name) in table.columns.iter().enumerate() {
            let known = || required.iter().chain(optional).copied();
            let span = table.cell(start, n);
            if !known().any(|known| known == name) {
                let notes = did_you_mean(name, known()).into_iter().chain([wanted]).collect();
                return Err(table.wrong_header(format!("there is no column `{name}`"), span, notes));
            }
            if table.columns.iter().take(n).any(|other| other == name) {
                return Err(table.wrong_header(format!("the column `{name}` is there twice"), span, vec![wanted]));
            }
        }
        match required.iter().find(|name| !table.has(name)) {
            Some(name) => {
                let header = table.header.clone();
                Err(table.wrong_header(format!("the column `{name}` is missing"), header, vec![wanted]))
            }
            None => Ok(table),
        }
    }

    /// Whether there is a column of this name.
    fn has(&self, column: &str) -> bool {
        self.position(column).is_some()
    }

    /// The rows, in the order of the file.
    fn rows(&'a self) -> impl Iterator<Item = Result<Row<'a>, ScenarioError>> {
        reader(&self.file.text).into_records().map(|record| {
            // Text that is UTF-8, with any number of cells a row, cannot fail to be a CSV record.
            let cells = record.expect("text is read from memory and rows may have any length");
            let byte = cells.position().map_or(0, |position| position.byte() as usize);
            let rest = &self.file.text[byte..];
            let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            if cells.len() != self.columns.len() {
                let problem = format!("the row has {} cells, the header has {}", cells.len(), self.columns.len());
                let line = line_at(&self.file.text, start);
                return Err(ScenarioError::Data(self.file.report(problem, line, "in this row".to_owned(), [])));
            }
            Ok(Row { table: self, cells, start })
        })
    }

    /// A report about the cell of `column` in the row that begins at byte `start`.
    fn report(&self, start: usize, column: &str, problem: &str, allowed: String) -> ScenarioError {
        let span = self.position(column).map_or_else(|| line_at(&self.file.text, start), |n| self.cell(start, n));
        let found = format!("found {}", &self.file.text[span.clone()]);
        ScenarioError::Data(self.file.report(format!("{column}: {problem}"), span, found, [allowed]))
    }

    /// A report about the cell of `column` in the header, or about the header where it has no such column.
    fn report_column(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        let span = self.position(column).map_or_else(|| self.header.clone(), |n| self.cell(self.header.start, n));
        self.wrong_header(format!("{column}: {problem}"), span, vec![allowed])
    }

    fn wrong_header(&self, problem: String, span: Range<usize>, notes: Vec<String>) -> ScenarioError {
        let found = if span.is_empty() { "nothing here" } else { "in this header" };
        let report: Box<Report> = self.file.report(problem, span, found.to_owned(), notes);
        ScenarioError::Data(report)
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Where cell `n` stands of the row that begins at byte `start`; the whole row where cells are quoted.
    fn cell(&self, start: usize, n: usize) -> Range<usize> {
        let line = line_at(&self.file.text, start);
        let text = &self.file.text[line.clone()];
        if text.contains('"') {
            return line;
        }
        let before = text.split(',').take(n).map(|cell| cell.len() + 1).sum::<usize>();
        let cell = text.split(',').nth(n).unwrap_or_default();
        let start = line.start + before + cell.len() - cell.trim_start().len();
        start..start + cell.trim().len()
    }
}

impl Row<'_> {
    /// The number in `column`: from `smallest` up, and no larger than `largest`.
    fn number(&self, column: &str, smallest: f64, largest: f64) -> Result<f64, ScenarioError> {
        match self.text(column).parse() {
            Ok(number) if (smallest..=largest).contains(&number) => Ok(number),
            _ => Err(self.report(column, "not allowed", format!("allowed: a number from {smallest} to {largest}"))),
        }
    }

    /// The whole number in `column`, from 1 to `largest`.
    fn whole(&self, column: &str, largest: u32) -> Result<u32, ScenarioError> {
        match self.text(column).parse() {
            Ok(number) if (1..=largest).contains(&number) => Ok(number),
            _ => Err(self.report(column, "not allowed", format!("allowed: a whole number from 1 to {largest}"))),
        }
    }

    /// A report about the cell of `column` in this row.
    fn report(&self, column: &str, problem: &str, allowed: String) -> ScenarioError {
        self.table.report(self.start, column, problem, allowed)
    }

    fn text(&self, column: &str) -> &str {
        self.table.position(column).and_then(|n| self.cells.get(n)).unwrap_or_default()
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes())
}

/// The line that begins at byte `start`.
fn line_at(text: &str, start: usize) -> Range<usize> {
    let line = text[start..].lines().next().unwrap_or_default();
    start..start + line.len()
}
