//! The knobs that `vary` and the command line can turn.

use super::{
    error::did_you_mean,
    parse,
    schema::{Activation, Delay, PopulationSource, Scenario},
};
use microgrid_agents::market::replicator::StepSize;
use ron::value::RawValue;
use std::{str::FromStr, time::Duration};

/// A quantity of the scenario that can be set by name.
pub(super) struct Knob {
    /// Its name.
    pub(super) name: &'static str,
    turn: fn(&mut Scenario, &str) -> Result<(), &'static str>,
}

/// All knobs.
pub(super) const KNOBS: &[Knob] = &[
    Knob { name: "population", turn: population },
    Knob { name: "eta", turn: |scenario, text| put(&mut scenario.preferences.eta, number(text)) },
    Knob { name: "mu", turn: |scenario, text| put(&mut scenario.preferences.mu, number(text)) },
    Knob { name: "alpha", turn: |scenario, text| put(&mut scenario.preferences.alpha, number(text)) },
    Knob { name: "delay", turn: |scenario, text| put(&mut scenario.network.delay, delay(text)) },
    Knob { name: "loss", turn: |scenario, text| put(&mut scenario.network.loss, number(text)) },
    Knob { name: "replicator_step", turn: |scenario, text| step(&mut scenario.learning.replicator_step, text) },
    Knob { name: "price_step", turn: |scenario, text| step(&mut scenario.learning.price_step, text) },
    Knob { name: "ramp", turn: |scenario, text| put(&mut scenario.learning.ramp, number(text)) },
    Knob { name: "period", turn: period },
    Knob { name: "block_timeout", turn: |scenario, text| put(&mut scenario.ledger.block.timeout, duration(text)) },
    Knob { name: "seed", turn: |scenario, text| put(&mut scenario.seed, whole(text)) },
];

impl Knob {
    /// The knob of this name; the error lists those that exist.
    pub(super) fn named(name: &str) -> Result<&'static Self, Vec<String>> {
        let names = || KNOBS.iter().map(|knob| knob.name);
        KNOBS.iter().find(|knob| knob.name == name).ok_or_else(|| {
            let known = format!("allowed: {}", names().collect::<Vec<_>>().join(", "));
            did_you_mean(name, names()).into_iter().chain([known]).collect()
        })
    }

    /// Sets the knob to the value that `text` means; whether the scenario allows it is not checked.
    ///
    /// # Errors
    /// What the value should have been.
    pub(super) fn turn(&self, scenario: &mut Scenario, text: &str) -> Result<(), &'static str> {
        (self.turn)(scenario, text)
    }
}

/// The text of a value in `vary`; quotes around it make no difference.
pub(super) fn text(value: &RawValue) -> String {
    value.into_rust().unwrap_or_else(|_| value.get_ron().trim().to_owned())
}

/// A value of the command line as `vary` holds it: as RON where it is RON, else in quotes.
pub(super) fn value(text: &str) -> Box<RawValue> {
    let quoted = || RawValue::from_rust(&text).expect("any text can be quoted");
    RawValue::from_ron(text).map_or_else(|_| quoted(), |value| value.trim().to_owned())
}

fn put<T>(field: &mut T, value: Result<T, &'static str>) -> Result<(), &'static str> {
    *field = value?;
    Ok(())
}

fn number(text: &str) -> Result<f64, &'static str> {
    text.parse().map_err(|_| "a number")
}

fn whole<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a whole number that is neither negative nor too large")
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "a duration such as 10ms or 1s")
}

fn delay(text: &str) -> Result<Delay, &'static str> {
    let fixed = || duration(text).map(Delay::Constant);
    parse::options().from_str(text).or_else(|_| fixed()).map_err(|_| "a duration such as 10ms, or Constant(\"10ms\")")
}

/// A number changes the size of the step and keeps its kind.
fn step(field: &mut StepSize, text: &str) -> Result<(), &'static str> {
    *field = match (number(text), &field) {
        (Ok(size), StepSize::Fixed(_)) => StepSize::Fixed(size),
        (Ok(size), StepSize::Scaled(_)) => StepSize::Scaled(size),
        (Err(_), _) => parse::options().from_str(text).map_err(|_| "a number, Scaled(number) or Fixed(number)")?,
    };
    Ok(())
}

fn population(scenario: &mut Scenario, text: &str) -> Result<(), &'static str> {
    match &mut scenario.population {
        PopulationSource::Synthetic(synthetic) => put(&mut synthetic.count, whole(text)),
        PopulationSource::Profiles(_) => Err("a Synthetic population, as profiles cannot be resized"),
    }
}

fn period(scenario: &mut Scenario, text: &str) -> Result<(), &'static str> {
    match &mut scenario.activation {
        Activation::LockStep { period } => put(period, duration(text)),
    }
}
