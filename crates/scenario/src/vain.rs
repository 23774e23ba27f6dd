//! What a scenario may say, but in vain.

use super::{
    error::Mistake,
    schema::{Clients, Learning, Ledger, Outage, Scenario},
    validate::lost_peers,
};
use microgrid_agents::{chain::genesis::PeerPolicy, market::mechanism::Mechanism};
use serde::Serialize;
use std::time::Duration;

/// What parts of a scenario these are; nothing else may be in vain.
pub(super) const PARTS: [&str; 5] = ["market.mechanism", "network.conditions", "activation", "learning", "ledger"];

/// What can never begin, what the mechanism or a single peer has no use for unless there are other mechanisms or more peers,
/// too, and what no peers are left for.
pub(super) fn all(scenario: &Scenario, varies: &dyn Fn(&str) -> bool) -> Vec<Mistake> {
    let Scenario { market, network, activation, learning, ledger, .. } = scenario;
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
    let unheeded = if varies("market.mechanism") { Vec::new() } else { unheeded(market.mechanism, learning) };
    let alone = if varies("ledger.peers") { Vec::new() } else { alone(ledger) };
    late.chain(slow).chain(rare).chain(unheeded).chain(alone).chain(unmet(scenario, end)).collect()
}

/// What is said of several peers that makes no difference, as there is one.
fn alone(ledger: &Ledger) -> Vec<Mistake> {
    if ledger.peers.0 > 1 {
        return Vec::new();
    }
    let said = [
        said("clients", &ledger.clients, &Clients::default()),
        said("on_outage", &ledger.on_outage, &Outage::default()),
        // One of one is enough whatever the policy.
        said("policy", &ledger.policy, &PeerPolicy::default()),
    ];
    let why = "there is one peer, which everybody talks with: ledger.peers says how many there are";
    let told = said.into_iter().flatten().map(|(field, found)| Mistake {
        path: format!("ledger.{field}"),
        found,
        ..Mistake::new("it changes nothing", [why.to_owned()])
    });
    told.collect()
}

/// A policy that asks for more peers than are left once some have crashed for good, before this end of the run.
fn unmet(scenario: &Scenario, end: Duration) -> Option<Mistake> {
    let Scenario { network, ledger, .. } = scenario;
    let (peers, wanted) = (ledger.peers.0, ledger.policy.of(ledger.peers.0 as usize));
    let mut lost: Vec<_> = lost_peers(network).into_iter().map(|(peer, n)| (network.conditions[n].at, peer)).collect();
    lost.retain(|(at, peer)| *at < end && peers > 1 && *peer <= peers);
    lost.sort();
    let (at, peer) = *lost.get((peers as usize).checked_sub(wanted)?)?;
    let problem = "every slot is void once too few peers are left to endorse it";
    let (at, left) = (humantime::format_duration(at), wanted - 1);
    let why = format!(
        "{wanted} of {peers} peers have to, and from {at} on, when peer {peer} crashes for good, no more than {left} can: let one \
         come back, with `lasting`, or ask for fewer"
    );
    let found = said("policy", &ledger.policy, &PeerPolicy::default())?.1;
    Some(Mistake { path: "ledger.policy".to_owned(), found, ..Mistake::new(problem, [why]) })
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
