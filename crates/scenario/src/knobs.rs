//! The knobs that `vary` and the command line can turn.

use super::{
    error::did_you_mean,
    parse,
    schema::{Activation, Members, PopulationSource, Scenario},
};
use microgrid_agents::market::step::StepSize;
use microgrid_network::Delay;
use ron::value::RawValue;
use serde::de::DeserializeOwned;
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
    Knob { name: "jitter", turn: |scenario, text| put(&mut scenario.network.jitter, number(text)) },
    Knob { name: "loss", turn: |scenario, text| put(&mut scenario.network.loss, number(text)) },
    Knob { name: "duplication", turn: |scenario, text| put(&mut scenario.network.duplication, number(text)) },
    Knob { name: "group_share", turn: group_share },
    Knob { name: "lasting", turn: lasting },
    Knob { name: "behaviour", turn: |scenario, text| put(&mut scenario.learning.behaviour, ron(text, BEHAVIOUR)) },
    Knob { name: "choice_set", turn: |scenario, text| put(&mut scenario.learning.choice_set, ron(text, CHOICE_SET)) },
    Knob { name: "fitness", turn: |scenario, text| put(&mut scenario.learning.fitness, ron(text, FITNESS).map(Some)) },
    Knob { name: "adaptation", turn: |scenario, text| put(&mut scenario.learning.adaptation, ron(text, ADAPTATION)) },
    Knob { name: "mixing", turn: |scenario, text| put(&mut scenario.learning.mixing, ron(text, MIXING)) },
    Knob { name: "regrowth", turn: |scenario, text| put(&mut scenario.learning.regrowth, number(text)) },
    Knob { name: "price_every", turn: |scenario, text| put(&mut scenario.learning.price_every, whole(text)) },
    Knob { name: "exploration", turn: |scenario, text| put(&mut scenario.learning.exploration, number(text)) },
    Knob { name: "replicator_step", turn: |scenario, text| step(&mut scenario.learning.replicator_step, text) },
    Knob { name: "price_step", turn: |scenario, text| step(&mut scenario.learning.price_step, text) },
    Knob { name: "ramp", turn: |scenario, text| put(&mut scenario.learning.ramp, number(text)) },
    Knob { name: "activation", turn: |scenario, text| put(&mut scenario.activation, ron(text, ACTIVATION)) },
    Knob { name: "period", turn: period },
    Knob { name: "block_timeout", turn: |scenario, text| put(&mut scenario.ledger.block.timeout, duration(text)) },
    Knob { name: "seed", turn: |scenario, text| put(&mut scenario.seed, whole(text)) },
];

/// Names of all knobs.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOBS.iter().map(|knob| knob.name)
}

impl Knob {
    /// The knob of this name; the error lists those that exist.
    pub(super) fn named(name: &str) -> Result<&'static Self, Vec<String>> {
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

const BEHAVIOUR: &str = "Replicator, BestResponse(noise: number) or Imitation";
const CHOICE_SET: &str = "All or Sample(number)";
const FITNESS: &str = "Public or Private";
const ADAPTATION: &str = "None, HalveOnOscillation, DelayAware or Predictive";
const MIXING: &str = "None or Informed(first: 0.1, halved_every: 10)";
const ACTIVATION: &str = "LockStep(period: \"1s\"), Independent(period: \"1s\", jitter: 0.2), Poisson(period: \"1s\") or \
                          Reactive(min_interval: \"1s\")";

/// A value in the scenario's own notation; `allowed` says which there are.
fn ron<T: DeserializeOwned>(text: &str, allowed: &'static str) -> Result<T, &'static str> {
    parse::options().from_str(text).map_err(|_| allowed)
}

fn delay(text: &str) -> Result<Delay, &'static str> {
    let fixed = || duration(text).map(Delay::Constant);
    parse::options()
        .from_str(text)
        .or_else(|_| fixed())
        .map_err(|_| "a duration such as 10ms, or a distribution such as Uniform(min: \"5ms\", max: \"2s\")")
}

/// Sets the share of all groups that are given by one.
fn group_share(scenario: &mut Scenario, text: &str) -> Result<(), &'static str> {
    let share = number(text)?;
    let mut shares = scenario.network.groups.values_mut().filter_map(|members| match members {
        Members::Share(share) => Some(share),
        Members::Prosumers(_) => None,
    });
    let first = shares.next().ok_or("a scenario with a group in network.groups that is a Share")?;
    [first].into_iter().chain(shares).for_each(|place| *place = share);
    Ok(())
}

/// Sets how long each condition lasts.
fn lasting(scenario: &mut Scenario, text: &str) -> Result<(), &'static str> {
    let lasting = duration(text)?;
    if scenario.network.conditions.is_empty() {
        return Err("a scenario with network.conditions");
    }
    scenario.network.conditions.iter_mut().for_each(|condition| condition.lasting = Some(lasting));
    Ok(())
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
        Activation::LockStep { period }
        | Activation::Independent { period, .. }
        | Activation::Poisson { period }
        | Activation::Reactive { min_interval: period } => put(period, duration(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_is_explained() {
        let text = include_str!("../../../docs/scenario.md");
        let section = text.split("\n## ").find(|section| section.starts_with("Knobs\n")).unwrap();
        let first_cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let explained: Vec<&str> =
            first_cells.flat_map(|cell| cell.split(',')).map(|name| name.trim_matches([' ', '`'])).collect();
        let mut missing: Vec<_> = names().filter(|name| !explained.contains(name)).collect();
        missing.extend(explained.iter().filter(|name| !names().any(|known| known == **name)));
        assert!(missing.is_empty(), "{missing:?}");
    }
}
