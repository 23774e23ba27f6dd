//! What the command line sets in a scenario.

use super::{
    error::{Place, Report, ScenarioError},
    knobs::{self, Knob},
    schema::Scenario,
    validate::{self, Violation},
};

/// What the command line sets in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Takes the place of the scenario's seed.
    pub seed: Option<u64>,
    /// Knobs as `NAME=VALUE`; several values with commas between them vary the knob.
    pub set: Vec<String>,
}

impl Overrides {
    /// Sets them; each knob may be given once.
    pub(super) fn apply(&self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        let mut given = Vec::new();
        if let Some(seed) = self.seed {
            let text = seed.to_string();
            let knob = Knob::named("seed").expect("the seed is a knob");
            set(scenario, &Argument { option: "--seed".to_owned(), text: &text }, knob, &text)?;
            given.push(knob.name);
        }
        for text in &self.set {
            let argument = Argument { option: "--set".to_owned(), text };
            let Some((name, values)) = text.split_once('=') else {
                let allowed = "allowed: NAME=VALUE, or NAME=VALUE,VALUE to vary the knob".to_owned();
                return Err(argument.wrong("there is no `=`", text, vec![allowed]));
            };
            let knob = Knob::named(name)
                .map_err(|notes| argument.wrong(&format!("there is no knob `{name}`"), name, notes))?;
            if given.contains(&knob.name) {
                return Err(argument.wrong(&format!("the knob `{name}` is given twice"), name, Vec::new()));
            }
            given.push(knob.name);
            set(scenario, &Argument { option: format!("--set {name}"), text }, knob, values)?;
        }
        Ok(())
    }
}

/// Sets a knob or, with several values, varies it.
fn set(scenario: &mut Scenario, argument: &Argument<'_>, knob: &Knob, values: &str) -> Result<(), ScenarioError> {
    let wrong = |part: &str, violation: Violation| {
        argument.wrong(&violation.problem, part, vec![format!("allowed: {}", violation.allowed)])
    };
    let unvaried = scenario.unvaried();
    let all = split(values);
    for value in &all {
        validate::turn(&mut unvaried.clone(), knob, value).map_err(|violation| wrong(value, violation))?;
    }
    validate::replicates(scenario, knob, all.len()).map_err(|violation| wrong(values, violation))?;
    if let [value] = all.as_slice() {
        scenario.vary.shift_remove(knob.name);
        knob.turn(scenario, value).map_err(|_| ()).expect("the value was tried above");
    } else {
        scenario.vary.insert(knob.name.to_owned(), all.into_iter().map(knobs::value).collect());
    }
    Ok(())
}

/// The values between commas that stand neither in brackets nor in quotes.
fn split(values: &str) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_u32, false);
    let between = |letter: char| {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0 && !quoted
    };
    values.split(between).map(str::trim).collect()
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
