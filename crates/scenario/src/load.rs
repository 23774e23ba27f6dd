//! Reads and checks a scenario: its file, then what the command line sets, then its data.

use super::{
    custom::Custom,
    data::{self, DataError, Sources},
    draft::Draft,
    error::ScenarioError,
    knobs::{self, Knob},
    locate::Outline,
    overrides::Overrides,
    parse,
    plan::Plan,
    schema::{Initial, Learning, Scenario},
    text_file::TextFile,
    validate::{self, LARGEST_COUNT, Violation},
};
use std::{ops::Range, path::Path};

/// Reads the scenario at `path` with its data files, sets what `overrides` say and checks everything.
///
/// # Errors
/// The first mistake found, with its place. The scenario's file has to be right even where an override replaces a value.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Plan, ScenarioError> {
    Draft::read(path)?.plan(overrides)
}

/// The plan of the scenario in `file`, which came from `source`.
pub(super) fn plan(
    file: &TextFile,
    source: &Path,
    sources: Sources<'_>,
    overrides: &Overrides,
) -> Result<Plan, ScenarioError> {
    let mut scenario = parse::scenario(file)?;
    let shown = |violation| show(file, violation);
    check_vary(&scenario, file)?;
    overrides.apply(&mut scenario)?;
    check_case_count(&scenario).map_err(shown)?;
    let (data, inputs) = data::read(&scenario, sources).map_err(|error| match error {
        DataError::Scenario(violation) => shown(violation),
        DataError::Data(error) => error,
    })?;
    if let Some(population) = &data.profiles {
        validate::network_among(&scenario.network, population).map_err(shown)?;
    }
    let plan = Plan { scenario, source: source.to_owned(), inputs, custom: Custom::default(), data };
    let dearest = plan.grid_tariffs().iter().copied().fold(0.0, f64::max);
    validate::turnover(&plan.scenario.market, dearest, plan.population_sizes().1).map_err(shown)?;
    let Learning { initial_price, initial_choice, .. } = &plan.scenario.learning;
    if [initial_price, initial_choice].iter().any(|initial| matches!(initial, Initial::Fixed(_))) {
        plan.cases().try_for_each(|case| validate::starts(&case)).map_err(shown)?;
    }
    Ok(plan)
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
            validate::turn(&mut unvaried.clone(), knob, &knobs::text(value))
                .map_err(|violation| shown(Violation { path: format!("{path}[{n}]"), ..violation }))?;
        }
        validate::replicates(scenario, knob, values.len())
            .map_err(|violation| shown(Violation { path, ..violation }))?;
    }
    Ok(())
}

fn check_case_count(scenario: &Scenario) -> Result<(), Violation> {
    let sizes = scenario.vary.values().map(|values| values.len() as u64);
    let count = sizes.fold(scenario.replicates.count() as u64, u64::saturating_mul);
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
