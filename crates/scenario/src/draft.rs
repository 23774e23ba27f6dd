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
    collections::{BTreeMap, BTreeSet},
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
            *scenario = path::set(scenario, &self.name, value).map_err(|mistake| self.blamed(Some(0), mistake))?;
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

    /// An error about what a value, or with `None` all of them, leads to.
    fn blamed(&self, value: Option<usize>, mistake: Mistake) -> ScenarioError {
        if mistake.is_of_name {
            return self.unknown(mistake);
        }
        let part = mistake.part.as_deref().cloned();
        let (problem, notes) = because_of(&self.name, mistake);
        self.wrong(value, part, &problem, notes)
    }

    /// An error about a value, or a part of it, or with `None` about all values.
    fn wrong(
        &self,
        value: Option<usize>,
        part: Option<Range<usize>>,
        problem: &str,
        mut notes: Vec<String>,
    ) -> ScenarioError {
        let values = value.map_or(&self.values[..], |n| &self.values[n..=n]);
        let written = self.argument.as_ref().and_then(|argument| Some(argument.text.split_once('=')?.1));
        let number = written.filter(|_| value.is_some()).and_then(decimal);
        let is_told = notes.iter().any(|note| note.contains(": write "));
        let is_number = number.is_some();
        if is_number {
            notes.retain(|note| !note.contains(": write "));
        }
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

/// How many prosumers a combination has and what it is expected to take, or what is wrong with it.
type Judged = Result<(usize, Expected), Mistake>;

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
        validate::scenario(&edited.unvaried()).map_err(|mistake| self.shown(mistake))?;
        self.check_varied()?;
        if !overrides.is_empty() {
            self.check_combinations(&|scenario| validate::scenario(scenario).map(|()| (0, Expected::default())))?;
            self.overrides = overrides;
            self.override_all()?;
            self.check_varied()?;
        }
        self.check_edits(&edited)?;
        let open = |place: &str, path: &Path| self.open(place, path);
        let given = self.population.as_ref();
        let (data, inputs) = Data::read(&self.scenario, given, &open, &|mistake| self.shown(mistake))?;
        let sides = OnceCell::new();
        let (population_sizes, expected) = self.check_combinations(&|scenario| {
            validate::scenario(scenario)?;
            self.check_files(scenario)?;
            let prosumers = data.check(scenario, &self.scenario)?;
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

    /// Sets all that is to be set; together it has to be allowed.
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
        let apply = |check: &dyn Fn(&Override, &Scenario) -> Result<(), ScenarioError>| {
            let mut scenario = self.scenario.clone();
            self.overrides.iter().try_for_each(|set| {
                set.apply(&mut scenario)?;
                check(set, &scenario.unvaried())
            })?;
            Ok(scenario)
        };
        let together = apply(&|_, _| Ok(())).ok().filter(|all| validate::scenario(&all.unvaried()).is_ok());
        // Whoever is the first to make it wrong is to blame.
        let blamed = |set: &Override, scenario: &Scenario| {
            validate::scenario(scenario).map_err(|mistake| set.blamed(Some(0), mistake))
        };
        let scenario = together.map_or_else(|| apply(&blamed), Ok)?;
        for set in self.overrides.iter().filter(|set| set.values.len() == 1) {
            if let Some((name, _)) = scenario.vary.iter().find(|varied| path::covers(whole(*varied), set.whole())) {
                let notes = vec!["allowed: one value for all of it, or several for this alone".to_owned()];
                return Err(set.wrong(Some(0), None, &format!("the scenario varies all of `{name}`"), notes));
            }
        }
        for set in &self.overrides {
            validate::seeds(&scenario.replicates, &set.name, set.values.len())
                .map_err(|mistake| set.blamed(None, mistake))?;
        }
        self.scenario = scenario;
        Ok(())
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
        let count = count * self.scenario.replicates.count() as f64;
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
        let varies_mechanism = vary.keys().any(|name| path::overlaps(name, "market.mechanism"));
        let always = vain::all(&base, varies_mechanism);
        let paths: BTreeSet<&str> = always.iter().map(|mistake| mistake.path.as_str()).collect();
        let is_varied = |mistake: &Mistake| vary.keys().any(|name| path::overlaps(name, &mistake.path));
        let of_all = always.iter().filter(|mistake| !is_varied(mistake)).cloned();
        let of_all = of_all.map(|mistake| match self.setting(&mistake.path) {
            Some(set) => set.blamed(Some(0), mistake),
            None => self.shown(mistake),
        });
        let parts = vary.iter().filter(|(name, _)| vain::PARTS.iter().any(|part| path::overlaps(part, name)));
        let values = parts.flat_map(|(name, values)| values.iter().enumerate().map(move |(n, value)| (name, n, value)));
        let of_values = values.flat_map(|(name, n, value)| {
            let is_new = |path: &str| path::overlaps(name, path) || !paths.contains(path);
            let turned = path::set(&base, name, &value.text());
            let mut vain = turned.map(|turned| vain::all(&turned, varies_mechanism)).unwrap_or_default();
            vain.retain(|mistake| is_new(&mistake.path));
            vain.into_iter().map(move |mistake| self.blamed(name, Some(n), mistake))
        });
        of_all.chain(of_values).take(MOST_WARNINGS).collect()
    }

    /// What from outside of the scenario sets what is at this path, or a part of it.
    fn setting(&self, path: &str) -> Option<&Override> {
        self.overrides.iter().find(|set| set.values.len() == 1 && path::overlaps(&set.name, path))
    }

    /// Checks every combination of what is varied; says how many prosumers the smallest and the largest have, and what
    /// all of them are expected to take.
    fn check_combinations(
        &self,
        check: &dyn Fn(&Scenario) -> Judged,
    ) -> Result<((usize, usize), Expected), ScenarioError> {
        let (base, vary) = (self.scenario.unvaried(), &self.scenario.vary);
        let (mut sizes, mut expected, mut turned) = ((usize::MAX, 0), Expected::default(), Vec::new());
        for combination in 0..vary.values().map(Vec::len).product() {
            let picks = picks(vary, combination);
            turn(&base, vary, &picks, &mut turned)
                .map_err(|(n, mistake)| self.blamed(&vary.keys()[n], Some(picks[n]), mistake))?;
            let scenario = turned.last().map_or(&base, |(_, scenario)| scenario);
            let (prosumers, of_combination) = check(scenario).map_err(|mistake| {
                // Whoever is the first to make it wrong is to blame.
                let mut values = turned.iter().enumerate();
                match values.find_map(|(n, (pick, scenario))| Some((n, *pick, check(scenario).err()?))) {
                    Some((n, pick, mistake)) => self.blamed(&vary.keys()[n], Some(pick), mistake),
                    None => self.shown(mistake),
                }
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
            return set.blamed(value, mistake);
        }
        let path = value.map_or_else(|| format!("vary.{name}"), |n| format!("vary.{name}[{n}]"));
        let found = value.map_or_else(|| mistake.found.clone(), |n| self.scenario.vary[name][n].text());
        let part = mistake.part.as_deref().cloned();
        let (problem, notes) = because_of(name, mistake);
        self.at(&path, part, &problem, &found, notes)
    }

    /// Shows a mistake in what has set the field or, where nothing has, in the scenario's text: at the field, or around where
    /// it would stand if it is there by default.
    fn shown(&self, mistake: Mistake) -> ScenarioError {
        if let Some(set) = self.overrides.iter().rev().find(|set| path::covers(set.whole(), &mistake.path)) {
            return set.blamed(Some(0).filter(|_| set.values.len() == 1), mistake);
        }
        let Mistake { path, problem, found, notes, .. } = mistake;
        self.at(&path, None, &problem, &found, notes)
    }

    /// The number that is meant and its place, if a value of the file is what a decimal comma has made of it.
    fn decimal(file: &TextFile, value: &Range<usize>) -> Option<(String, Range<usize>)> {
        let number = Some(notation::part_of_line(&file.text, value.start)).filter(|part| part.len() > value.len())?;
        Some((decimal_point(decimal(&file.text[number.clone()])?), number))
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
        if let Some((note, number)) = Self::decimal(file, &span).filter(|_| there) {
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
