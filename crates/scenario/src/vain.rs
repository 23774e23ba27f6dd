//! What a scenario may say, but in vain.

use super::{
    error::Mistake,
    schema::{Learning, Scenario},
};
use microgrid_agents::market::mechanism::Mechanism;
use serde::Serialize;
use std::time::Duration;

/// What parts of a scenario these are; nothing else may be in vain.
pub(super) const PARTS: [&str; 4] = ["market.mechanism", "network.conditions", "activation", "learning"];

/// What can never begin, and what the mechanism has no use for unless there are other mechanisms, too.
pub(super) fn all(scenario: &Scenario, varies_mechanism: bool) -> Vec<Mistake> {
    let Scenario { market, network, activation, learning, .. } = scenario;
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
    let at_gate = |path: &str, problem: &str, period: Duration| {
        let gate = market.gate_closure;
        let why = format!("the gate closes {} after a slot has opened: market.gate_closure", written(gate));
        (period > gate).then(|| never(path.to_owned(), problem, period, why))
    };
    let slow = at_gate("activation", "a game may end before anybody acts", activation.period());
    let rare = match market.mechanism {
        Mechanism::UniformPriceAuction { every: Some(every) } => {
            at_gate("market.mechanism.UniformPriceAuction.every", "nothing is cleared before the gate closes", every)
        }
        _ => None,
    };
    let unheeded = if varies_mechanism { Vec::new() } else { unheeded(market.mechanism, learning) };
    late.chain(slow).chain(rare).chain(unheeded).collect()
}

/// Whether a field of `learning` makes a difference to who trades by this mechanism.
fn heeds(mechanism: Mechanism, field: &str) -> bool {
    match mechanism {
        Mechanism::TwoLevelGame => field != "bidding",
        Mechanism::Negotiation { .. } => field == "adaptation",
        Mechanism::UniformPriceAuction { .. } | Mechanism::ContinuousDoubleAuction => field == "bidding",
        Mechanism::MidMarketRate | Mechanism::BillSharing | Mechanism::SupplyDemandRatio => false,
    }
}

/// What is said of how participants learn that makes no difference, as they trade by this mechanism.
fn unheeded(mechanism: Mechanism, learning: &Learning) -> Vec<Mistake> {
    let usual = Learning::default();
    let everybodys = [
        said("behaviour", &learning.behaviour, &usual.behaviour),
        said("fitness", &learning.fitness, &usual.fitness),
        said("replicator_step", &learning.replicator_step, &usual.replicator_step),
        said("price_step", &learning.price_step, &usual.price_step),
        said("exploration", &learning.exploration, &usual.exploration),
        said("adaptation", &learning.adaptation, &usual.adaptation),
        said("mixing", &learning.mixing, &usual.mixing),
        said("regrowth", &learning.regrowth, &usual.regrowth),
        said("bidding", &learning.bidding, &usual.bidding),
    ];
    let everybodys = everybodys.into_iter().flatten().map(|said| ("learning".to_owned(), said));
    let of_parts = (0..).zip(&learning.mix).flat_map(|(n, habit)| {
        let said = [
            said("behaviour", &habit.behaviour, &None),
            said("fitness", &habit.fitness, &None),
            said("replicator_step", &habit.replicator_step, &None),
            said("price_step", &habit.price_step, &None),
            said("exploration", &habit.exploration, &None),
            said("adaptation", &habit.adaptation, &None),
            said("mixing", &habit.mixing, &None),
            said("regrowth", &habit.regrowth, &None),
            said("bidding", &habit.bidding, &None),
        ];
        said.into_iter().flatten().map(move |said| (format!("learning.mix[{n}]"), said))
    });
    let unheeded = everybodys.chain(of_parts).filter(|(_, (field, _))| !heeds(mechanism, field));
    let told = unheeded.map(|(part, (field, found))| Mistake {
        path: format!("{part}.{field}"),
        found,
        ..Mistake::new("it changes nothing", [format!("the mechanism, {}, has no use for it", mechanism.name())])
    });
    told.collect()
}

/// The name of a field and its value, if it is not what it would be otherwise.
fn said<T: PartialEq + Serialize>(field: &'static str, value: &T, otherwise: &T) -> Option<(&'static str, String)> {
    let written = || ron::Options::default().to_string(value).unwrap_or_default();
    (value != otherwise).then(|| (field, written()))
}
