//! Reads and checks a scenario: its file, then what the command line sets, then its data.

use super::{
    data::{self, DataError},
    error::{Place, Report, ScenarioError},
    knobs::{self, Knob},
    locate::Outline,
    parse,
    plan::Plan,
    schema::{Initial, Learning, Scenario},
    text_file::TextFile,
    validate::{self, LARGEST_COUNT, Violation},
};
use std::{ops::Range, path::Path};

/// What the command line sets in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Takes the place of the scenario's seed.
    pub seed: Option<u64>,
    /// Knobs as `NAME=VALUE`; several values with commas between them vary the knob.
    pub set: Vec<String>,
}

/// Reads the scenario at `path` with its data files, sets what `overrides` say and checks everything.
///
/// # Errors
/// The first mistake found, with its place. The scenario's file has to be right even where an override replaces a value.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Plan, ScenarioError> {
    let file = read(path)?;
    let mut scenario = parse::scenario(&file)?;
    let shown = |violation| show(&file, violation);
    check_vary(&scenario, &file)?;
    override_knobs(&mut scenario, overrides)?;
    check_case_count(&scenario).map_err(shown)?;
    let (data, inputs) =
        data::read(&scenario, path.parent().unwrap_or(Path::new(""))).map_err(|error| match error {
            DataError::Scenario(violation) => shown(violation),
            DataError::Data(error) => error,
        })?;
    let plan = Plan { scenario, source: path.to_owned(), inputs, data };
    let Learning { initial_price, initial_choice, .. } = &plan.scenario.learning;
    if [initial_price, initial_choice].iter().any(|initial| matches!(initial, Initial::Fixed(_))) {
        plan.cases().try_for_each(|case| validate::starts(&case)).map_err(shown)?;
    }
    Ok(plan)
}

fn read(path: &Path) -> Result<TextFile, ScenarioError> {
    let unreadable = |problem| {
        let notes = vec!["allowed: a scenario, which is a RON file".to_owned()];
        ScenarioError::Unreadable(Box::new(Report { problem, place: None, notes }))
    };
    let file = match TextFile::read(path).map_err(|unreadable| unreadable.reason()) {
        Ok(file) => file,
        Err(Ok(reason)) => return Err(unreadable(format!("cannot read {}: {reason}", path.display()))),
        Err(Err(error)) => return Err(error),
    };
    if file.text.trim().is_empty() {
        return Err(unreadable(format!("{} is empty", path.display())));
    }
    Ok(file)
}

/// Checks the scenario as its file has it, with each value of `vary` in turn.
fn check_vary(scenario: &Scenario, file: &TextFile) -> Result<(), ScenarioError> {
    let shown = |violation| show(file, violation);
    let unvaried = scenario.unvaried();
    validate::scenario(&unvaried).map_err(shown)?;
    let outline = Outline::of(&file.text);
    let keys = outline.keys("vary");
    let not_allowed = |problem, span: &Range<usize>, found: &str, notes: Vec<String>| {
        ScenarioError::NotAllowed(file.report(problem, span.clone(), found.to_owned(), notes))
    };
    for (n, (name, span)) in keys.iter().enumerate() {
        if keys[..n].iter().any(|(other, _)| other == name) {
            let problem = format!("vary.{name}: the knob is given twice");
            return Err(not_allowed(problem, span, "found again here", Vec::new()));
        }
    }
    for (name, values) in &scenario.vary {
        let path = format!("vary.{name}");
        let knob = Knob::named(name).map_err(|notes| {
            let place =
                keys.iter().find(|(key, _)| key == name).map_or(outline.find(&path).0, |(_, span)| span.clone());
            not_allowed(format!("vary: there is no knob `{name}`"), &place, &format!("found {name}"), notes)
        })?;
        if values.is_empty() {
            return Err(shown(Violation::new(&path, "there is nothing to vary", "[]", "at least one value")));
        }
        for (n, value) in values.iter().enumerate() {
            turn(&mut unvaried.clone(), knob, &knobs::text(value))
                .map_err(|violation| shown(Violation { path: format!("{path}[{n}]"), ..violation }))?;
        }
        check_replicates(scenario, knob, values.len()).map_err(|violation| shown(Violation { path, ..violation }))?;
    }
    Ok(())
}

/// Sets a knob and checks the scenario, which was valid before.
fn turn(scenario: &mut Scenario, knob: &Knob, text: &str) -> Result<(), Violation> {
    knob.turn(scenario, text).map_err(|expected| Violation::new(knob.name, "not allowed", text, expected))?;
    validate::scenario(scenario).map_err(|violation| Violation { found: text.to_owned(), ..violation })
}

/// Replicates take the seeds that follow, so that with several seeds some runs would be there twice.
fn check_replicates(scenario: &Scenario, knob: &Knob, values: usize) -> Result<(), Violation> {
    if knob.name != "seed" || values == 1 || scenario.replicates == 1 {
        return Ok(());
    }
    let allowed = "one seed, with as many replicates as there are to be seeds; or several seeds with `replicates: 1`";
    let found = format!("{values} seeds, each for {} replicates", scenario.replicates);
    Err(Violation::new("seed", "several seeds and replicates do not go together", found, allowed))
}

/// Sets what the command line says; each knob may be given once.
fn override_knobs(scenario: &mut Scenario, overrides: &Overrides) -> Result<(), ScenarioError> {
    let mut given = Vec::new();
    if let Some(seed) = overrides.seed {
        let text = seed.to_string();
        let knob = Knob::named("seed").expect("the seed is a knob");
        set(scenario, &Argument { option: "--seed".to_owned(), text: &text }, knob, &text)?;
        given.push(knob.name);
    }
    for text in &overrides.set {
        let argument = Argument { option: "--set".to_owned(), text };
        let Some((name, values)) = text.split_once('=') else {
            let allowed = "allowed: NAME=VALUE, or NAME=VALUE,VALUE to vary the knob".to_owned();
            return Err(argument.wrong("there is no `=`", text, vec![allowed]));
        };
        let knob =
            Knob::named(name).map_err(|notes| argument.wrong(&format!("there is no knob `{name}`"), name, notes))?;
        if given.contains(&knob.name) {
            return Err(argument.wrong(&format!("the knob `{name}` is given twice"), name, Vec::new()));
        }
        given.push(knob.name);
        set(scenario, &Argument { option: format!("--set {name}"), text }, knob, values)?;
    }
    Ok(())
}

/// Sets a knob or, with several values, varies it.
fn set(scenario: &mut Scenario, argument: &Argument<'_>, knob: &Knob, values: &str) -> Result<(), ScenarioError> {
    let wrong = |part: &str, violation: Violation| {
        argument.wrong(&violation.problem, part, vec![format!("allowed: {}", violation.allowed)])
    };
    let unvaried = scenario.unvaried();
    let all: Vec<_> = values.split(',').map(str::trim).collect();
    for value in &all {
        turn(&mut unvaried.clone(), knob, value).map_err(|violation| wrong(value, violation))?;
    }
    check_replicates(scenario, knob, all.len()).map_err(|violation| wrong(values, violation))?;
    if let [value] = all.as_slice() {
        scenario.vary.shift_remove(knob.name);
        knob.turn(scenario, value).map_err(|_| ()).expect("the value was tried above");
    } else {
        scenario.vary.insert(knob.name.to_owned(), all.into_iter().map(knobs::value).collect());
    }
    Ok(())
}

/// An argument of the command line.
struct Argument<'a> {
    /// What it is called in messages.
    option: String,
    text: &'a str,
}

impl Argument<'_> {
    /// A report about `part`, which has to be cut from the argument's text.
    fn wrong(&self, problem: &str, part: &str, notes: Vec<String>) -> ScenarioError {
        // Its place is the difference of their addresses.
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        let place = Place {
            file: None,
            text: self.text.into(),
            span: start..start + part.len(),
            found: format!("found {part}"),
        };
        let problem = format!("{}: {problem}", self.option);
        ScenarioError::Argument(Box::new(Report { problem, place: Some(place), notes }))
    }
}

fn check_case_count(scenario: &Scenario) -> Result<(), Violation> {
    let sizes = scenario.vary.values().map(|values| values.len() as u64);
    let count = sizes.fold(u64::from(scenario.replicates), u64::saturating_mul);
    if count <= u64::from(LARGEST_COUNT) {
        return Ok(());
    }
    let allowed = format!("at most {LARGEST_COUNT}, replicates included");
    Err(Violation::new("vary", "too many cases", format!("{count} cases"), allowed))
}

/// Shows a violation in the scenario's file: at the field, or around where it would stand if it is there by default.
fn show(file: &TextFile, violation: Violation) -> ScenarioError {
    let Violation { path, problem, found, allowed } = violation;
    let (span, there) = Outline::of(&file.text).find(&path);
    let found = if there { format!("found {found}") } else { format!("not given here, so it is {found}") };
    ScenarioError::NotAllowed(file.report(format!("{path}: {problem}"), span, found, [format!("allowed: {allowed}")]))
}
