//! What a scenario may say, but in vain.

use super::{error::Mistake, schema::Scenario};
use std::time::Duration;

/// What parts of a scenario these are; nothing else may be in vain.
pub(super) const PARTS: [&str; 2] = ["network.conditions", "activation"];

/// What can never begin.
pub(super) fn all(scenario: &Scenario) -> Vec<Mistake> {
    let Scenario { market, network, activation, .. } = scenario;
    let end = market.slot_length * market.slots;
    let written = |duration: Duration| humantime::format_duration(duration).to_string();
    let never = |path: String, problem: &str, found: Duration, why: String| Mistake {
        path,
        found: written(found),
        ..Mistake::new(problem, [why])
    };
    let late = (0..).zip(&network.conditions).filter(|(_, condition)| condition.at >= end).map(|(n, condition)| {
        let length = written(market.slot_length);
        let why = format!("the run ends after {}: market.slots is {} of {length}", written(end), market.slots);
        never(format!("network.conditions[{n}].at"), "it never begins", condition.at, why)
    });
    let (period, gate) = (activation.period(), market.gate_closure);
    let slow = (period > gate).then(|| {
        let why = format!("the gate closes {} after a slot has opened: market.gate_closure", written(gate));
        never("activation".to_owned(), "a game may end before anybody acts", period, why)
    });
    late.chain(slow).collect()
}
