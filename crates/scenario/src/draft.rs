//! From a scenario that was read or made in code, and what is set in it, to a plan: everything is checked here.

use super::{
    custom::Custom,
    data::{Data, DataFile, GIVEN_PROFILES},
    error::{Mistake, Report, ScenarioError, Warning},
    expected::Expected,
    files,
    mend::{decimal, mend},
    notation,
    outline::Outline,
    path,
    plan::{Case, Plan, picks, turn},
    population::Population,
    schema::{Community, Initial, InitialPrice, LARGEST_COUNT, Learning, PopulationSource, Scenario, Tariff, Value},
    signs::looks_alike,
    text::{LARGEST_DATA, LARGEST_SCENARIO, TextFile, composed},
    vain,
    validate::{self, Checked},
};
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

/// Reads the scenario at `path` with its data files, sets what `overrides` say and checks everything. The error is the
/// first mistake found, with its place. The scenario's file has to be right even where an override replaces a value.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Plan, ScenarioError> {
    let mut draft = Draft::read(path)?;
    draft.overrides(overrides)?;
    draft.plan()
}

/// What the command line sets in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Takes the place of the scenario's seed.
    pub seed: Option<u64>,
    /// Knobs and paths as `NAME=VALUE`; several values with commas between them are varied.
    pub set: Vec<String>,
}

/// A scenario on its way to a plan: read from a file or made in code, and not checked yet.
#[derive(Clone, Debug)]
pub struct Draft {
    scenario: Scenario,
    unedited: Option<Scenario>,
    /// Without what is set from outside.
    unset: Option<Scenario>,
    /// The text that says what it is, if there is one.
    file: Option<TextFile>,
    source: PathBuf,
    data: Vec<DataFile>,
    population: Option<Population>,
    overrides: Vec<Override>,
}

/// What is set from outside of the scenario.
#[derive(Clone, Debug)]
struct Override {
    name: String,
    /// Several are varied; each with its place in the argument.
    values: Vec<(String, Range<usize>)>,
    /// What it is called in messages, and the argument of the command line if it is one.
    title: String,
    argument: Option<TextFile>,
}

impl Overrides {
    fn read(&self) -> Result<Vec<Override>, ScenarioError> {
        let seed = self.seed.map(|seed| {
            let text = seed.to_string();
            let values = vec![(text.clone(), 0..text.len())];
            let argument = Some(TextFile { path: None, text: text.into() });
            Override { name: "seed".to_owned(), values, title: "--seed".to_owned(), argument }
        });
        let set = self.set.iter().map(|text| {
            let text = &*composed(text);
            let argument = TextFile { path: None, text: text.into() };
            let Some((name, values)) = text.split_once('=') else {
                let allowed = "allowed: NAME=VALUE, or NAME=VALUE,VALUE to vary it".to_owned();
                let (problem, found) = ("--set: there is no `=`".to_owned(), format!("found {text}"));
                let notes = looks_alike(text).into_iter().chain([allowed]);
                return Err(ScenarioError::Argument(argument.report(problem, 0..text.len(), found, notes)));
            };
            // The place of a value is the difference of its address and that of the text.
            let place = |value: &str| value.as_ptr() as usize - text.as_ptr() as usize;
            let values = notation::split(values, &[',']).into_iter();
            let values = values.map(|value| (value.to_owned(), place(value)..place(value) + value.len())).collect();
            let name = name.trim().to_owned();
            Ok(Override { title: format!("--set {name}"), name, values, argument: Some(argument) })
        });
        seed.map(Ok).into_iter().chain(set).collect()
    }
}

/// Of a folder so many scenarios are named.
const MOST_FILES: usize = 8;

/// A hint at the scenario's file that is meant by a path that leads to none: one in that folder, or the one that looks
/// most like it, beside it or in `scenarios`.
fn similar_file(path: &Path) -> Option<String> {
    if let Some(meant) = files::meant(path) {
        return Some(format!("did you mean {}?", meant.display()));
    }
    let is_scenario = |path: &Path| path.extension() == Some("ron".as_ref());
    if path.is_dir() {
        let mut files: Vec<PathBuf> = fs::read_dir(path).ok()?.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| is_scenario(file));
        files.sort();
        let shown: Vec<_> = files.iter().take(MOST_FILES).map(|file| file.display().to_string()).collect();
        let more = if files.len() > shown.len() { ", ..." } else { "" };
        return Some(format!("it holds {}{more}", shown.join(", "))).filter(|_| !files.is_empty());
    }
    let beside = path.parent().filter(|_| !path.exists())?;
    let similar = files::similar(path, &[beside, &beside.join("scenarios")], is_scenario)?;
    Some(format!("did you mean {}?", similar.display()))
}

/// The name of something varied, in full.
fn whole<'a>((name, values): (&'a String, &Vec<Value>)) -> &'a str {
    path::whole(name, values.first().map(Value::text).as_deref().unwrap_or_default())
}

impl Override {
    fn whole(&self) -> &str {
        path::whole(&self.name, &self.values[0].0)
    }

    /// Sets it in the scenario or, with several values, varies it there.
    fn apply(&self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        let same = |name: &String| path::covers(name, &self.name) && path::covers(&self.name, name);
        let varied = scenario.vary.keys().position(same);
        let mut vary = std::mem::take(&mut scenario.vary);
        varied.map(|at| vary.shift_remove_index(at));
        if let [(value, _)] = self.values.as_slice() {
            *scenario =
                path::set(scenario, &self.name, value).map_err(|mistake| self.blamed(Some(0), mistake, scenario))?;
        } else {
            let values = self.values.iter().map(|(value, _)| Value::new(value)).collect();
            vary.shift_insert(varied.unwrap_or(vary.len()), self.name.clone(), values);
        }
        scenario.vary = vary;
        Ok(())
    }

    fn unknown(&self, mistake: Mistake) -> ScenarioError {
        let option = self.title.split(' ').next().filter(|_| self.argument.is_some());
        let problem = option.map_or_else(|| mistake.problem.clone(), |option| format!("{option}: {}", mistake.problem));
        let end = self.argument.as_ref().map_or(0, |argument| argument.text.find('=').unwrap_or(argument.text.len()));
        self.error(problem, 0..end, mistake.notes)
    }

    /// An error about a part of the argument, if it is one.
    fn error(&self, problem: String, span: Range<usize>, notes: Vec<String>) -> ScenarioError {
        let Some(argument) = &self.argument else { return made_in_code(problem, notes) };
        let found = format!("found {}", &argument.text[span.clone()]);
        ScenarioError::Argument(argument.report(problem, span, found, notes))
    }

    /// An error about what a value, or with `None` all of them, leads to in this scenario.
    fn blamed(&self, value: Option<usize>, mistake: Mistake, scenario: &Scenario) -> ScenarioError {
        if mistake.is_of_name {
            return self.unknown(mistake);
        }
        let part = value.and_then(|n| part(&self.name, &self.values[n].0, &mistake));
        let (problem, notes) = because_of(&self.name, mistake);
        self.wrong(value, part, &problem, notes, scenario)
    }

    /// An error about a value, or a part of it, or with `None` about all values.
    fn wrong(
        &self,
        value: Option<usize>,
        part: Option<Range<usize>>,
        problem: &str,
        mut notes: Vec<String>,
        scenario: &Scenario,
    ) -> ScenarioError {
        let values = value.map_or(&self.values[..], |n| &self.values[n..=n]);
        let written = self.argument.as_ref().and_then(|argument| Some(argument.text.split_once('=')?.1));
        let number = written.filter(|_| value.is_some()).and_then(decimal);
        let is_told = notes.iter().any(|note| note.contains(": write "));
        // What is offered is meant for a part of it.
        if number.is_some() {
            notes.retain(|note| !note.contains(": write "));
        }
        let number = number.filter(|number| path::set(scenario, &self.name, number).is_ok());
        let is_number = number.is_some();
        // Where one of the two numbers is none itself, neither is the whole.
        let number = number.map(|number| if is_told { COMMA.to_owned() } else { decimal_point(number) });
        let another =
            values.iter().any(|(value, _)| value.find('=').is_some_and(|at| at > 0) && !value.contains(['(', '"']));
        let another = another.then(|| "each knob has a `--set` of its own".to_owned());
        notes.splice(0..0, another.or(number));
        if self.argument.is_none() {
            let found: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
            notes.insert(0, format!("found: {}", found.join(", ")));
        }
        let values = if is_number { &self.values[..] } else { values };
        let [from, to] = [values.first(), values.last()].map(|value| value.map_or(0..0, |(_, span)| span.clone()));
        let part = part.filter(|part| !is_number && part.end <= to.end - from.start);
        let span = part.map_or(from.start..to.end, |part| from.start + part.start..from.start + part.end);
        self.error(format!("{}: {problem}", self.title), span, notes)
    }
}

/// How many prosumers a combination has and what it is expected to take, or all that is wrong with it.
type Judged = Result<(usize, Expected), Vec<Mistake>>;
type Check<'a> = &'a dyn Fn(&Scenario) -> Judged;

/// Whether this is wrong with a scenario.
fn has(check: Check<'_>, scenario: &Scenario, mistake: &Mistake) -> bool {
    check(scenario).is_err_and(|found| found.contains(mistake))
}

/// Checks a scenario without its data.
fn without_data(scenario: &Scenario) -> Judged {
    validate::scenario(scenario).map(|()| (0, Expected::default()))
}

/// More of one kind are of no use to anybody.
const MOST_WARNINGS: usize = 10;
const MADE_IN_CODE: &str = "a scenario made in code";

impl Draft {
    /// Reads the scenario at `path`, whose data files are relative to it. Fails if there is none.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let unreadable = |problem| {
            let allowed = "allowed: a scenario, which is a RON file".to_owned();
            let notes = similar_file(path).into_iter().chain([allowed]).collect();
            ScenarioError::Unreadable(Box::new(Report { problem, place: None, notes }))
        };
        let file = TextFile::read(path, LARGEST_SCENARIO)?
            .map_err(|reason| unreadable(format!("cannot read {}: {reason}", path.display())))?;
        if file.text.trim().is_empty() {
            return Err(unreadable(format!("{} is empty", path.display())));
        }
        Self::parse(file)
    }

    /// The scenario with this RON text. Fails if the text is no scenario.
    pub fn ron(text: &str) -> Result<Self, ScenarioError> {
        Self::parse(TextFile { path: Some(MADE_IN_CODE.to_owned()), text: text.into() })
    }

    /// The same of a file of this name that is still to be written.
    pub fn named(name: &str, text: &str) -> Result<Self, ScenarioError> {
        Self::parse(TextFile { path: Some(name.to_owned()), text: text.into() })
    }

    fn parse(file: TextFile) -> Result<Self, ScenarioError> {
        let draft = Self::of(notation::scenario(&file)?);
        Ok(Self { source: file.path.clone().unwrap_or_default().into(), file: Some(file), ..draft })
    }

    /// The scenario made in code.
    pub fn of(scenario: Scenario) -> Self {
        Self {
            scenario,
            unedited: None,
            unset: None,
            file: None,
            source: MADE_IN_CODE.into(),
            data: Vec::new(),
            population: None,
            overrides: Vec::new(),
        }
    }

    /// Gives a data file of the scenario in code; it takes the place of one that would be read from disk.
    pub fn give(&mut self, name: &str, text: &str) {
        self.data.retain(|file| file.name != name);
        self.data.push(DataFile { name: name.to_owned(), text: text.into() });
    }

    /// Gives the population in code, in the place of the scenario's. Fails if it is given already.
    pub fn populate(&mut self, mut population: Population) -> Result<(), ScenarioError> {
        population.prosumers.sort_by_key(|member| member.number);
        if self.population.replace(population).is_some() { Err(given_twice()) } else { Ok(()) }
    }

    /// Changes whatever there is in the scenario, before anything is set; what it has become is checked later.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Scenario)) {
        self.unedited.get_or_insert_with(|| self.scenario.clone());
        // What the text says does not hold any more.
        self.file = None;
        edit(&mut self.scenario);
    }

    /// Sets what the command line says. Fails if an argument is not of the form `NAME=VALUE`.
    pub fn overrides(&mut self, overrides: &Overrides) -> Result<(), ScenarioError> {
        self.overrides.extend(overrides.read()?);
        Ok(())
    }

    /// Sets a knob or a path; several values vary it. Each may be given once.
    pub fn set(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values = values.into_iter().map(|value| (value, 0..0)).collect();
        self.overrides.push(Override { name: name.to_owned(), values, title: name.to_owned(), argument: None });
    }

    /// Sets what is to be set, reads the data files and checks everything. The error is the first mistake found, with
    /// its place. The scenario has to be right even where something else is set.
    pub fn plan(mut self) -> Result<Plan, ScenarioError> {
        if self.population.is_some() {
            if self.unedited.as_ref().is_some_and(|before| before.population != self.scenario.population) {
                return Err(given_twice());
            }
            self.scenario.population = PopulationSource::Profiles(GIVEN_PROFILES.into());
        }
        let edited = self.scenario.clone();
        // The scenario itself, and what it varies, has to be right before anything takes its place.
        let overrides = std::mem::take(&mut self.overrides);
        self.check_scenario()?;
        if !overrides.is_empty() {
            self.check_combinations(&without_data)?;
            self.overrides = overrides;
            self.override_all()?;
            self.check_scenario()?;
        }
        self.check_edits(&edited)?;
        let open = |place: &str, path: &Path| self.open(place, path);
        let given = self.population.as_ref();
        let base = self.readable();
        let (data, inputs) = Data::read(&base, given, &open, &|mistake| self.shown(mistake))?;
        let sides = OnceCell::new();
        let (population_sizes, expected) = self.check_combinations(&|scenario| {
            validate::scenario(scenario)?;
            self.check_files(scenario)?;
            let prosumers = data.check(scenario, &base)?;
            let sides: &Option<_> = sides.get_or_init(|| data.sides(scenario));
            Ok((prosumers, Expected::of(scenario, prosumers, sides.as_deref())))
        })?;
        let expected = expected.times(self.scenario.replicates.count());
        let huge = expected.warning().map(|(problem, notes)| made_in_code(problem, notes));
        let doubts = data.doubts(&self.scenario).into_iter().map(|mistake| self.shown(mistake));
        let warnings = self.vain().into_iter().chain(doubts).chain(huge).map(Warning::from).collect();
        let (scenario, source) = (self.scenario.clone(), self.source.clone());
        let set = self.overrides.iter().filter(|set| !["name", "seed"].contains(&&*set.name));
        let set = set.filter_map(|set| match set.values.as_slice() {
            [(value, _)] => Some((set.name.clone(), value.clone())),
            _ => None,
        });
        let set = set.collect();
        let (custom, on_disk) = (Custom::default(), expected.on_disk());
        let plan =
            Plan { scenario, source, set, inputs, warnings, custom, part: None, data, population_sizes, on_disk };
        let Learning { initial_price, initial_choice, .. } = &plan.scenario.learning;
        let are_fixed = matches!(initial_price, InitialPrice::Fixed(_)) || matches!(initial_choice, Initial::Fixed(_));
        if are_fixed || ["learning.initial_price", "learning.initial_choice"].iter().any(|path| plan.varies(path)) {
            let starts = |case: Case| validate::starts(&case.scenario, &case.population, &case.tariffs, &case.open);
            plan.cases().try_for_each(starts).map_err(|mistake| self.shown(mistake))?;
        }
        Ok(plan)
    }

    /// The data file at `path`, which stands at this `place` in the scenario.
    fn open(&self, place: &str, path: &Path) -> Result<TextFile, ScenarioError> {
        if let Some(given) = self.data.iter().find(|file| Path::new(&file.name) == path) {
            return Ok(TextFile { path: Some(given.name.clone()), text: given.text.clone() });
        }
        let folder = self.source.parent().unwrap_or(Path::new(""));
        let path = folder.join(path);
        TextFile::read(&path, LARGEST_DATA)?.map_err(|reason| {
            let allowed = "a CSV file, its path relative to the scenario's file";
            let mut mistake = Mistake::value(place, &format!("cannot be read: {reason}"), path.display(), allowed);
            let meant = files::meant(&path).map(|meant| meant.strip_prefix(folder).unwrap_or(&meant).to_owned());
            mistake.add(meant.map(|meant| format!("did you mean {}?", meant.display())).into_iter().collect());
            self.shown(mistake)
        })
    }

    /// A run keeps its data files in a folder of its own, where values of `vary` would not find them.
    fn check_files(&self, scenario: &Scenario) -> Checked {
        let varies = |path: &str| self.scenario.vary.keys().any(|name| path::overlaps(name, path));
        let of_population = match &scenario.population {
            PopulationSource::Profiles(file) => Some(("population.Profiles", file)),
            PopulationSource::Members(Community { members, .. }) => Some(("population.Members.members", members)),
            PopulationSource::Synthetic(_) => None,
        };
        let tariffs = scenario.market.all_tariffs().into_iter().filter_map(|(path, tariff)| match tariff {
            Tariff::Csv(file) if varies(&path) => Some((format!("{path}.Csv"), file)),
            _ => None,
        });
        let of_population = of_population.filter(|(path, _)| varies(path)).map(|(path, file)| (path.to_owned(), file));
        match of_population.into_iter().chain(tariffs).next() {
            Some((path, file)) => {
                Err(Mistake::value(&path, "data files cannot be varied", file.display(), "anything but a file"))
            }
            None => Ok(()),
        }
    }

    /// Sets all that is to be set; what it comes to is checked later.
    fn override_all(&mut self) -> Result<(), ScenarioError> {
        for (n, set) in self.overrides.iter().enumerate() {
            if let Some(earlier) = self.overrides[..n].iter().find(|earlier| path::covers(set.whole(), earlier.whole()))
            {
                let problem = if earlier.name == set.name {
                    format!("`{}` is given twice", set.name)
                } else {
                    format!("`{}` sets again what `{}` has set", set.name, earlier.name)
                };
                let is_part = !path::covers(earlier.whole(), set.whole());
                let order = is_part.then(|| format!("a part is set after the whole: `{}` first", set.name));
                return Err(set.unknown(Mistake::new(problem, Vec::from_iter(order))));
            }
        }
        let mut scenario = self.scenario.clone();
        self.overrides.iter().try_for_each(|set| set.apply(&mut scenario))?;
        for set in self.overrides.iter().filter(|set| set.values.len() == 1) {
            if let Some((name, _)) = scenario.vary.iter().find(|varied| path::covers(whole(*varied), set.whole())) {
                let notes = vec!["allowed: one value for all of it, or several for this alone".to_owned()];
                let problem = format!("the scenario varies all of `{name}`");
                return Err(set.wrong(Some(0), None, &problem, notes, &scenario));
            }
        }
        for set in &self.overrides {
            validate::seeds(&scenario.replicates, &set.name, set.values.len())
                .map_err(|mistake| set.blamed(None, mistake, &scenario))?;
        }
        self.unset = Some(std::mem::replace(&mut self.scenario, scenario));
        Ok(())
    }

    /// Checks the scenario without its data, and what is to be varied. Where the scenario is wrong by itself, what is varied
    /// may make it right in every case.
    fn check_scenario(&self) -> Result<(), ScenarioError> {
        let (base, varied) = (self.scenario.unvaried(), self.check_varied());
        let Err(found) = validate::scenario(&base) else { return varied };
        // No case has numbers that are none, or infinite.
        let has_numbers = path::set(&base, "seed", &base.seed.to_string()).is_ok_and(|same| same == base);
        if let Err(wrong) = varied {
            let own = found.into_iter().filter(|mistake| self.deciding(mistake, &without_data).is_none());
            return Err(self.first(own.map(|mistake| self.shown(mistake)).chain([wrong])));
        }
        if !has_numbers {
            return Err(self.first(found.into_iter().map(|mistake| self.shown(mistake))));
        }
        self.check_combinations(&without_data).map(|_| ())
    }

    /// Of several errors, of which there is at least one, what stands first: on the command line, or in the scenario.
    fn first(&self, errors: impl IntoIterator<Item = ScenarioError>) -> ScenarioError {
        let place = |error: &ScenarioError| {
            let place = error.report().place.as_ref()?;
            let is_there = |set: &Override| set.argument.as_ref().is_some_and(|argument| argument.text == place.text);
            let set = self.overrides.iter().position(is_there).unwrap_or(self.overrides.len());
            Some((set, place.span.start))
        };
        errors.into_iter().min_by_key(place).expect("something is wrong")
    }

    /// Which of what is varied has a value that, set alone, takes this mistake from the scenario.
    fn deciding(&self, mistake: &Mistake, check: Check<'_>) -> Option<usize> {
        let base = self.scenario.unvaried();
        let decides = |name: &str, value: &Value| {
            path::set(&base, name, &value.text()).is_ok_and(|turned| !has(check, &turned, mistake))
        };
        self.scenario.vary.iter().position(|(name, values)| values.iter().any(|value| decides(name, value)))
    }

    /// The scenario as its data are read: with preferences as the first case has them, which data have or have not.
    fn readable(&self) -> Scenario {
        let (base, vary) = (self.scenario.clone(), &self.scenario.vary);
        let mut turned = Vec::new();
        let first = turn(&base.unvaried(), vary, &picks(vary, 0), &mut turned).ok().and_then(|()| turned.pop());
        let preferences = first.map_or_else(|| base.preferences.clone(), |(_, first)| first.preferences);
        Scenario { preferences, ..base }
    }

    /// Checks what is to be varied, but not yet the values.
    fn check_varied(&self) -> Result<(), ScenarioError> {
        let vary = &self.scenario.vary;
        for (n, (name, values)) in vary.iter().enumerate() {
            let unknown = |problem: String, allowed: &str| {
                Err(self.unknown(name, Mistake::new(problem, [format!("allowed: {allowed}")])))
            };
            if path::is_of_the_run(name) {
                let problem = format!("`{name}` is the same in all cases of a run");
                let values = values.iter().map(Value::text).collect::<Vec<_>>().join(", ");
                let fits = |value: &str| path::set(&self.scenario, name, value).is_ok();
                let one = [format!("({values})"), format!("[{values}]")].into_iter().find(|value| fits(value));
                let one = one.map(|value| format!("one value, which stands in brackets: write {value}"));
                let one = one.or_else(|| mend(&values, name, fits));
                let allowed = one.unwrap_or("what belongs to a single case, such as market.feed_in_tariff".to_owned());
                return unknown(problem, &allowed);
            }
            let this = whole((name, values));
            if let Some((earlier, _)) = vary.iter().take(n).find(|earlier| path::covers(this, whole(*earlier))) {
                return unknown(format!("`{name}` sets again what `{earlier}` has set"), "each value from one place");
            }
            if values.is_empty() {
                let path = format!("vary.{name}");
                return Err(self.shown(Mistake::value(&path, "there is nothing to vary", "[]", "at least one value")));
            }
            validate::seeds(&self.scenario.replicates, name, values.len())
                .map_err(|mistake| self.blamed(name, None, mistake))?;
        }
        let count = vary.values().map(|values| values.len() as f64).product::<f64>();
        // What is wrong with the replicates alone is told of them.
        let replicates =
            validate::replicates(&self.scenario.replicates).map_or(1, |()| self.scenario.replicates.count());
        let count = count * replicates as f64;
        if count > f64::from(LARGEST_COUNT) {
            let allowed = format!("at most {LARGEST_COUNT}, replicates included");
            return Err(self.shown(Mistake::value("vary", "too many cases", format!("{count} cases"), allowed)));
        }
        Ok(())
    }

    /// With a value twice, cases would be the same.
    fn check_distinct(&self) -> Result<(), ScenarioError> {
        for (name, values) in &self.scenario.vary {
            let mut earlier = BTreeMap::new();
            for (n, value) in values.iter().enumerate() {
                let Some(same) = earlier.insert(value.words(), n) else { continue };
                let problem = format!("value {} is the same as value {}, {}", n + 1, same + 1, values[same].text());
                let notes = vec!["allowed: each value once".to_owned()];
                return Err(match self.varying(name) {
                    Some(set) => set.error(format!("{}: {problem}", set.title), set.values[n].1.clone(), notes),
                    None => self.at(&format!("vary.{name}[{n}]"), None, &problem, &value.text(), notes),
                });
            }
        }
        Ok(())
    }

    /// An edit of what is varied would change nothing.
    fn check_edits(&self, edited: &Scenario) -> Result<(), ScenarioError> {
        let Some(before) = &self.unedited else { return Ok(()) };
        match self.scenario.vary.keys().find(|name| path::differ_in(name, before, edited)) {
            None => Ok(()),
            Some(name) => {
                let allowed = "allowed: an edit of what is not varied, or one that takes it out of `vary`".to_owned();
                Err(made_in_code(format!("{name}: edited and varied, so that the edit changes nothing"), vec![allowed]))
            }
        }
    }

    /// What the scenario says in vain: in itself, and by a value of what is varied, whatever else is.
    fn vain(&self) -> Vec<ScenarioError> {
        let (base, vary) = (self.scenario.unvaried(), &self.scenario.vary);
        let varies = |path: &str| vary.keys().any(|name| path::overlaps(name, path));
        let of_base = vain::all(&base, &varies);
        let is_in = |vain: &[Mistake], path: &str| vain.iter().any(|mistake| mistake.path == path);
        let parts = vary.iter().filter(|(name, _)| vain::PARTS.iter().any(|part| path::overlaps(part, name)));
        let of_value = |name: &str, value: &Value| {
            let turned = path::set(&base, name, &value.text());
            turned.map_or_else(|_| of_base.clone(), |turned| vain::all(&turned, &varies))
        };
        let of_parts: Vec<(&String, Vec<Vec<Mistake>>)> =
            parts.map(|(name, values)| (name, values.iter().map(|value| of_value(name, value)).collect())).collect();
        // What is in vain only with some values is told of those.
        let decides = |values: &[Vec<Mistake>], path: &str| values.iter().any(|vain| !is_in(vain, path));
        let always = of_base.iter().filter(|mistake| {
            !varies(&mistake.path) && !of_parts.iter().any(|(_, values)| decides(values, &mistake.path))
        });
        let of_all = always.cloned().map(|mistake| match self.setting(&mistake.path) {
            Some(set) => set.blamed(Some(0), mistake, &self.scenario),
            None => self.shown(mistake),
        });
        let of_values = of_parts.iter().flat_map(|(name, values)| {
            let known = of_base.iter().filter(|mistake| !path::overlaps(name, &mistake.path));
            let known: Vec<_> = known.filter(|mistake| !decides(values, &mistake.path)).cloned().collect();
            values.iter().enumerate().flat_map(move |(n, vain)| {
                let new: Vec<_> = vain.iter().filter(|mistake| !is_in(&known, &mistake.path)).cloned().collect();
                new.into_iter().map(move |mistake| self.blamed(name, Some(n), mistake))
            })
        });
        of_all.chain(of_values).take(MOST_WARNINGS).collect()
    }

    /// What from outside of the scenario sets what is at this path, or a part of it.
    fn setting(&self, path: &str) -> Option<&Override> {
        self.overrides.iter().find(|set| set.values.len() == 1 && path::overlaps(&set.name, path))
    }

    /// Checks every combination of what is varied; says how many prosumers the smallest and the largest have, and what
    /// all of them are expected to take.
    fn check_combinations(&self, check: Check<'_>) -> Result<((usize, usize), Expected), ScenarioError> {
        let (base, vary) = (self.scenario.unvaried(), &self.scenario.vary);
        let (mut sizes, mut expected, mut turned) = ((usize::MAX, 0), Expected::default(), Vec::new());
        for combination in 0..vary.values().map(Vec::len).product() {
            let picks = picks(vary, combination);
            turn(&base, vary, &picks, &mut turned)
                .map_err(|(n, mistake)| self.blamed(&vary.keys()[n], Some(picks[n]), mistake))?;
            let scenario = turned.last().map_or(&base, |(_, scenario)| scenario);
            let (prosumers, of_combination) = check(scenario).map_err(|found| {
                // Whoever is the first to make it wrong is to blame, or does not make it right.
                let by = |mistake: &Mistake| match has(check, &base, mistake) {
                    true => self.deciding(mistake, check),
                    false => turned.iter().position(|(_, scenario)| has(check, scenario, mistake)),
                };
                self.first(found.into_iter().map(|mistake| match by(&mistake) {
                    Some(n) => self.blamed(&vary.keys()[n], Some(picks[n]), mistake),
                    None => self.shown(mistake),
                }))
            })?;
            sizes = (sizes.0.min(prosumers), sizes.1.max(prosumers));
            expected = expected + of_combination;
        }
        self.check_distinct()?;
        Ok((sizes, expected))
    }

    /// What from outside of the scenario varies this.
    fn varying(&self, name: &str) -> Option<&Override> {
        self.overrides.iter().find(|set| set.name == name && set.values.len() > 1)
    }

    /// An error about the name of something varied.
    fn unknown(&self, name: &str, mistake: Mistake) -> ScenarioError {
        match (self.varying(name), &self.file) {
            (Some(set), _) => set.unknown(mistake),
            (None, None) => made_in_code(format!("vary: {}", mistake.problem), mistake.notes),
            (None, Some(file)) => {
                let span = Outline::of(&file.text).key("vary", name);
                let (problem, found) = (format!("vary: {}", mistake.problem), format!("found {name}"));
                ScenarioError::NotAllowed(file.report(problem, span, found, mistake.notes))
            }
        }
    }

    /// An error about what a varied value, or with `None` all of them, leads to.
    fn blamed(&self, name: &str, value: Option<usize>, mistake: Mistake) -> ScenarioError {
        if mistake.is_of_name {
            return self.unknown(name, mistake);
        }
        if let Some(set) = self.varying(name) {
            return set.blamed(value, mistake, &self.scenario);
        }
        let path = value.map_or_else(|| format!("vary.{name}"), |n| format!("vary.{name}[{n}]"));
        let mut found = value.map_or_else(|| mistake.found.clone(), |n| self.scenario.vary[name][n].text());
        let mut place = value.and_then(|_| part(name, &found, &mistake));
        if let Some(file) = self.file.as_ref().filter(|_| place.is_some() && mistake.part.is_none()) {
            // As it is laid out there.
            file.text[Outline::of(&file.text).find(&path).0].clone_into(&mut found);
            place = part(name, &found, &mistake);
        }
        let (problem, notes) = because_of(name, mistake);
        self.at(&path, place, &problem, &found, notes)
    }

    /// Shows a mistake in what has set the field or, where nothing has, in the scenario's text: at the field, or around where
    /// it would stand if it is there by default.
    fn shown(&self, mistake: Mistake) -> ScenarioError {
        let set = self.overrides.iter().rev().find(|set| path::covers(set.whole(), &mistake.path));
        if let Some(set) = set.or_else(|| self.bringing(&mistake)) {
            return set.blamed(Some(0).filter(|_| set.values.len() == 1), mistake, &self.scenario);
        }
        let Mistake { path, problem, found, notes, .. } = mistake;
        self.at(&path, None, &problem, &found, notes)
    }

    /// What has first made this mistake of what is set from outside.
    fn bringing(&self, mistake: &Mistake) -> Option<&Override> {
        let mut scenario = self.unset.clone()?;
        let mut before = has(&without_data, &scenario.unvaried(), mistake);
        self.overrides.iter().find(|set| {
            let now = set.apply(&mut scenario).is_ok() && has(&without_data, &scenario.unvaried(), mistake);
            !std::mem::replace(&mut before, now) && now
        })
    }

    /// The number that is meant and its place, if the value of the file at this path is what a decimal comma has made of it.
    fn decimal(&self, file: &TextFile, path: &str, value: &Range<usize>) -> Option<(String, Range<usize>)> {
        let number = Some(notation::part_of_line(&file.text, value.start)).filter(|part| part.len() > value.len())?;
        let meant = decimal(&file.text[number.clone()])?;
        let varied = path.strip_prefix("vary.").and_then(|value| Some(value.rsplit_once('[')?.0));
        path::set(&self.scenario, varied.unwrap_or(path), &meant).ok()?;
        Some((decimal_point(meant), number))
    }

    /// An error about the value at a path, or a part of it.
    fn at(
        &self,
        path: &str,
        part: Option<Range<usize>>,
        problem: &str,
        found: &str,
        mut notes: Vec<String>,
    ) -> ScenarioError {
        let problem = format!("{path}: {problem}");
        let Some(file) = &self.file else {
            notes.insert(0, format!("found: {found}"));
            return made_in_code(problem, notes);
        };
        let outline = Outline::of(&file.text);
        // A constant may stand there without its name.
        let bare = path.strip_suffix(".Constant").unwrap_or(path);
        let (span, there) = Some(outline.find(path)).filter(|(_, there)| *there).unwrap_or_else(|| outline.find(bare));
        if let Some((note, number)) = self.decimal(file, path, &span).filter(|_| there) {
            notes.retain(|note| !note.contains(": write "));
            notes.insert(0, note);
            let found = format!("found {}", &file.text[number.clone()]);
            return ScenarioError::NotAllowed(file.report(problem, number, found, notes));
        }
        // What is varied stands in the file word for word, but perhaps for remarks.
        let part = part.filter(|part| there && file.text[span.clone()] == *found && part.end <= span.len());
        if let Some(part) = part.map(|part| span.start + part.start..span.start + part.end) {
            let found = format!("found {}", &file.text[part.clone()]);
            return ScenarioError::NotAllowed(file.report(problem, part, found, notes));
        }
        let found = if there { format!("found {found}") } else { format!("not given here, so it is {found}") };
        ScenarioError::NotAllowed(file.report(problem, span, found, notes))
    }
}

const COMMA: &str = "a comma begins another value, and a number has a point";

fn decimal_point(meant: String) -> String {
    format!("{COMMA}: write {meant}")
}

/// The part of a value of this knob or path, written so, that a mistake is about, if it is not all of it.
fn part(name: &str, value: &str, mistake: &Mistake) -> Option<Range<usize>> {
    // What cannot be read tells its part itself, or is mended as a whole.
    let is_within = !mistake.found.is_empty() && path::covers(path::whole(name, value), &mistake.path);
    let part = || notation::part_at(value, &mistake.path).filter(|_| is_within);
    mistake.part.as_deref().cloned().or_else(part)
}

/// What is wrong with a value of this knob or path, and what is allowed: it may leave something else in the wrong.
fn because_of(name: &str, mistake: Mistake) -> (String, Vec<String>) {
    let Mistake { path, problem, found, mut notes, .. } = mistake;
    if path.is_empty() || path::is_at(name, &path) {
        return (problem, notes);
    }
    if path::overlaps(name, &path) {
        return (format!("{path}: {problem}"), notes);
    }
    notes.insert(0, format!("found there: {found}"));
    (format!("with it, {path}: {problem}"), notes)
}

fn made_in_code(problem: String, notes: Vec<String>) -> ScenarioError {
    ScenarioError::NotAllowed(Box::new(Report { problem, place: None, notes }))
}

fn given_twice() -> ScenarioError {
    let notes = vec!["allowed: one population, made in code or said by the scenario".to_owned()];
    made_in_code("population: given twice".to_owned(), notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::{Member, SlotProfile};
    use microgrid_agents::{market::mechanism::Mechanism, units::Energy};
    use std::time::Duration;

    /// The plan of a small scenario with this beside, and with this set.
    fn plan(beside: &str, set: &[&str], seed: Option<u64>) -> Result<Plan, ScenarioError> {
        let text = format!(r#"(name: "small", population: Synthetic(count: 5), {beside})"#);
        let mut draft = Draft::ron(&text)?;
        draft.overrides(&Overrides { seed, set: set.iter().map(|&text| text.to_owned()).collect() })?;
        draft.plan()
    }

    /// Two prosumers of two slots, the later number first, in a scenario that varies nothing.
    fn given(change: impl FnOnce(&mut Vec<Member>), data: &[(&str, &str)]) -> Result<Plan, ScenarioError> {
        let slot = SlotProfile {
            generation: Energy(1),
            load: Energy::ZERO,
            preference_pv: 0.1 + 0.2,
            preference_grid: 1e-6_f64.next_up(),
        };
        let mut prosumers = vec![Member::new(9, vec![slot; 2]), Member::new(2, vec![slot; 2])];
        change(&mut prosumers);
        let mut draft =
            Draft::ron(r#"(name: "x", population: Profiles("profiles.csv"), market: (slots: 2, open: (1, 2)))"#)?;
        data.iter().for_each(|(name, text)| draft.give(name, text));
        draft.populate(Population { prosumers })?;
        draft.plan()
    }

    #[test]
    fn a_population_made_in_code_is_kept_to_the_bit_whatever_file_has_its_name() {
        let plan = given(|_| {}, &[(GIVEN_PROFILES, "no profiles")]).unwrap();
        let population = plan.cases().next().unwrap().population;
        assert_eq!(population.prosumers.iter().map(|member| member.number).collect::<Vec<_>>(), [2, 9]);
        let slot = population.prosumers[1].profile.slot(2);
        assert_eq!((slot.preference_pv, slot.preference_grid), (0.1 + 0.2, 1e-6_f64.next_up()));
        // A run that is resumed reads them from the file that it has kept.
        let mut again =
            Draft::ron(r#"(name: "x", population: Profiles("p.csv"), market: (slots: 2, open: (1, 2)))"#).unwrap();
        again.give("p.csv", &plan.inputs[0].text);
        assert_eq!(again.plan().unwrap().cases().next().unwrap().population, population);
    }

    #[test]
    fn a_population_made_in_code_is_refused_by_prosumer_slot_and_field() {
        let said = |change: fn(&mut Vec<Member>)| given(change, &[]).unwrap_err().to_string();
        let slot = |change: fn(&mut SlotProfile)| {
            let change = move |prosumers: &mut Vec<Member>| {
                let mut profile: Vec<_> = prosumers[1].profile.iter().collect();
                change(&mut profile[1]);
                prosumers[1].profile = profile.into();
            };
            given(change, &[]).unwrap_err().to_string()
        };
        for (message, wrong) in [
            (said(Vec::clear), "population: nobody takes part"),
            (said(|prosumers| prosumers[1].number = 0), "prosumer 0: not allowed"),
            (said(|prosumers| prosumers[1].number = 9), "prosumer 9: is there twice"),
            (said(|prosumers| prosumers[1].profile = [].into()), "prosumer 2: the profile does not fit the market"),
            (slot(|slot| slot.generation = Energy(-1)), "prosumer 2, slot 2: generation: not allowed"),
            (slot(|slot| slot.load = Energy::nearest(1e5)), "prosumer 2, slot 2: load: not allowed"),
            (slot(|slot| slot.preference_pv = f64::INFINITY), "prosumer 2, slot 2: preference_pv: not allowed"),
            (slot(|slot| slot.preference_grid = -0.0), "prosumer 2, slot 2: preference_grid: not allowed"),
        ] {
            assert!(message.starts_with(&format!("error: {wrong}\n")), "{message}");
        }
    }

    #[test]
    fn what_is_left_out_may_be_set_by_its_knob() {
        let auction = plan("market: (mechanism: UniformPriceAuction())", &["every=1s"], None).unwrap();
        let every = Some(Duration::from_secs(1));
        assert_eq!(auction.scenario.market.mechanism, Mechanism::UniformPriceAuction { every });
        for other in ["MidMarketRate", "Negotiation()"] {
            let error = plan(&format!("market: (mechanism: {other})"), &["every=1s"], None).unwrap_err().to_string();
            assert!(error.contains("there is nothing to set"), "{error}");
        }
    }

    fn groups(plan: &Plan) -> Vec<(&str, f64)> {
        let share = |members: &_| match members {
            crate::schema::Members::Share(share) => *share,
            crate::schema::Members::Prosumers(_) => f64::NAN,
        };
        plan.scenario.network.groups.iter().map(|(name, members)| (name.as_str(), share(members))).collect()
    }

    #[test]
    fn groups_may_have_any_name() {
        let named = r#"network: (groups: {"*": Share(0.1), "a.b": Share(0.2), "c[0]": Share(0.3)})"#;
        let all = plan(named, &["group_share=0.5"], None).unwrap();
        assert_eq!(groups(&all), [("*", 0.5), ("a.b", 0.5), ("c[0]", 0.5)]);
        let one = plan(named, &[r#"network.groups."a.b"=0.5"#], None).unwrap();
        assert_eq!(groups(&one), [("*", 0.1), ("a.b", 0.5), ("c[0]", 0.3)]);
        let other = plan(named, &[r#"network.groups["c[0]"]=0.5"#], None).unwrap();
        assert_eq!(groups(&other), [("*", 0.1), ("a.b", 0.2), ("c[0]", 0.5)]);
    }

    #[test]
    fn what_a_scenario_varies_is_blamed_on_it_also_where_something_else_is_set() {
        for values in ["[0, 0.5, 1.5]", "[0, 0.5, true]"] {
            let error = plan(&format!(r#"vary: {{"mu": {values}}}"#), &["mu=0,1"], None).unwrap_err().to_string();
            assert!(error.contains("vary.mu[2]"), "{error}");
        }
    }

    #[test]
    fn nothing_is_set_twice_whatever_it_is_called() {
        let refused = |beside: &str, set: &[&str], seed| plan(beside, set, seed).unwrap_err().to_string();
        let whole = "Synthetic(count: 4),Synthetic(count: 6)";
        let part = refused("", &["population.load_kw=7", "population=Synthetic(count: 4)"], None);
        assert!(part.contains("sets again"), "{part}");
        let varied = refused("", &["population.load_kw=2,7", &format!("population={whole}")], None);
        assert!(varied.contains("sets again"), "{varied}");
        let inner = refused(
            r#"vary: {"population": [Synthetic(count: 4), Synthetic(count: 6)]}"#,
            &["population.load_kw=7"],
            None,
        );
        assert!(inner.contains("varies all of"), "{inner}");
        assert!(plan("", &["population.load_kw=7", "population=4"], None).is_ok(), "their number is another part");
        let links = r#"network: (links: [(from: Ledger, to: Grid, loss: 0.1)])"#;
        assert!(refused(links, &["network.links[00].loss=0.4"], None).contains("00"));
        assert!(plan(links, &["network.links[0].loss=0.4"], None).is_ok());
        for (set, seed) in [(&["replicates=[4, 5]"][..], Some(3)), (&["seed=3", "replicates=[4, 5]"], None)] {
            assert!(plan("", set, seed).is_err(), "a seed beside a list of seeds");
        }
    }
}
