//! One case as a simulation, or one for each of its days: makes the actors that the scenario describes, and runs them.

use crate::{
    analysis::slot::facts,
    days::Days,
    network::Network,
    ranks::Ranks,
    runtime::{
        self, Host, RuntimeError, Shards, Stretch, Watcher,
        ranks::{Exchange, run_among},
        wall,
    },
    scenario::{
        Case,
        calendar::Dates,
        population::Profile,
        schema::{Activation, Clock, Initial, InitialPrice, Learning, Outage, Record, Scenario},
    },
};
use microgrid_agents::{
    actor::{Actor, MarketProtocol},
    chain::{
        self,
        genesis::{Genesis, Policies, Posts, Signatures},
        hash::Digest,
        identity::{Party, SecretKey},
    },
    grid::{Grid, GridRules},
    ids::{ActorId, GRID, LEDGER, ProsumerId, Slot, peer},
    ledger::{FloorRules, Ledger, LedgerRules, Peer, PeerRules},
    market::balance::{Metered, SlotFacts},
    member::Member,
    prosumer::{Desk, FirstPrices, Habits, Needs, Peers, Prosumer, Rules, Strategy},
    streams::{Purpose, slot_stream, stream},
    time::Time,
    units::Energy,
};
use rand::Rng;
use rayon::prelude::*;
use std::{
    ops::RangeInclusive,
    sync::{Arc, atomic::AtomicBool},
};

/// Runs one case to its end; gives the watcher back with the outcome.
pub fn simulate<W: Watcher<MarketProtocol> + 'static>(
    case: &Case,
    shards: Option<Shards>,
    interrupted: &Arc<AtomicBool>,
    watcher: W,
) -> (W, Result<(), RuntimeError>) {
    simulate_days(case, shards, 1, None, interrupted, watcher)
}

/// From this many prosumers on, what is observed of a day is too much to be kept until its turn.
const MOST_KEPT: usize = 500;

/// The same, with all `ranks` if there are several; where nothing links its days, each is a simulation of its own, and so many
/// are played at the same time, if it has not too many prosumers for that.
#[doc(hidden)] // Hidden: for the study.
pub fn simulate_days<W: Watcher<MarketProtocol> + 'static>(
    case: &Case,
    shards: Option<Shards>,
    at_a_time: usize,
    ranks: Option<&Ranks>,
    interrupted: &Arc<AtomicBool>,
    watcher: W,
) -> (W, Result<(), RuntimeError>) {
    let Some(dates) = case.independent_days() else {
        return match ranks {
            None => simulate_with(actors(case), case, shards, interrupted, watcher),
            Some(ranks) => {
                ranks.play((case.number, None), |exchange| simulate_among(case, None, exchange, interrupted, watcher))
            }
        };
    };
    let prosumers = case.population.prosumers.len();
    let are_kept = prosumers < MOST_KEPT;
    let at_a_time = if are_kept && ranks.is_none() { at_a_time.clamp(1, dates.days()) } else { 1 };
    let shards = shards.or_else(|| (at_a_time > 1).then(|| Shards::beside_others(prosumers + 2)));
    let (cast, host) = (Cast::of(case), host(case, case.network(), shards, interrupted));
    let days = Days { count: dates.days(), at_a_time, are_kept, interrupted };
    days.play(watcher, |day, witness| match ranks {
        None => {
            let (slots, stretch, host) = of_day(dates, day as u32, &host);
            runtime::run_stretch(cast.actors(slots, stretch.number, |_| true), &host, stretch, witness)
        }
        Some(ranks) => {
            let day = Some(day as u32);
            ranks.play((case.number, day), |exchange| simulate_among(case, day, exchange, interrupted, witness))
        }
    })
}

/// The slots of a day, which stretch it is, and its host.
fn of_day(dates: &Dates, number: u32, host: &Host) -> (RangeInclusive<Slot>, Stretch, Host) {
    let slots = dates.slots_of(number as usize);
    let begins = Time::after_slots(slots.start() - 1, dates.slot_length());
    let ends = Time::after_slots(*slots.end(), dates.slot_length());
    let host = Host { network: Network { ends, ..host.network.clone() }, ..host.clone() };
    (slots, Stretch { begins, number }, host)
}

/// Runs one case, or a day of it, together with other ranks, which do the same; rank 0 has the watcher.
pub(crate) fn simulate_among<W: Watcher<MarketProtocol> + 'static>(
    case: &Case,
    day: Option<u32>,
    exchange: &mut dyn Exchange,
    interrupted: &Arc<AtomicBool>,
    watcher: W,
) -> (W, Result<(), RuntimeError>) {
    let (cast, host) = (Cast::of(case), host(case, case.network(), None, interrupted));
    let whole = || (1..=case.scenario.market.slots, Stretch::default(), host.clone());
    let of_days = case.independent_days().zip(day);
    let (slots, stretch, host) = of_days.map_or_else(whole, |(dates, day)| of_day(dates, day, &host));
    let (rank, ranks) = (exchange.rank(), exchange.ranks());
    let actors = cast.actors(slots, stretch.number, |actor| host.is_home(rank, ranks, actor));
    run_among(actors, cast.keys.len() + 2 + case.peers() as usize, &host, stretch, exchange, watcher)
}

/// Runs one case with these `actors` in the place of its own, which [`actors`] makes; otherwise like [`simulate`].
pub fn simulate_with<W: Watcher<MarketProtocol> + 'static>(
    actors: Vec<Box<dyn Actor<MarketProtocol>>>,
    case: &Case,
    shards: Option<Shards>,
    interrupted: &Arc<AtomicBool>,
    watcher: W,
) -> (W, Result<(), RuntimeError>) {
    let Scenario { clock, market, .. } = &*case.scenario;
    let host = host(case, case.network(), shards, interrupted);
    match *clock {
        Clock::Virtual => runtime::run(actors, &host, watcher),
        Clock::Wall { speed } => wall::run(actors, &host, wall::Pace { speed, last_milestone: market.slots }, watcher),
    }
}

/// Where and how the actors of a case live.
fn host(case: &Case, network: Network, shards: Option<Shards>, interrupted: &Arc<AtomicBool>) -> Host {
    let Scenario { clock, activation, .. } = &*case.scenario;
    let together = matches!(activation, Activation::LockStep { .. }) && network.constant().is_some();
    let default = || match clock {
        Clock::Virtual => Shards::suited_to(case.population.prosumers.len() + 2, together),
        Clock::Wall { .. } => Shards::Fixed(2),
    };
    Host {
        seed: case.seed,
        network,
        shards: shards.unwrap_or_else(default),
        stall_after: case.stall_after(),
        interrupted: Arc::clone(interrupted),
        homes: homes(case),
    }
}

/// Where actors live: peers with their clients, and the orderer and the grid with the first of them; wherever it comes to, where
/// the ledger is its only peer.
fn homes(case: &Case) -> Option<Arc<[u32]>> {
    let peers = 0..case.peers();
    let homes = case.homes();
    (!peers.is_empty()).then(|| [0, 0].into_iter().chain(homes).chain(peers).collect())
}

/// The ledger, the grid, all prosumers of a case and the ledger's peers, in the order of their addresses.
pub fn actors(case: &Case) -> Vec<Box<dyn Actor<MarketProtocol>>> {
    Cast::of(case).actors(1..=case.scenario.market.slots, 0, |_| true)
}

/// Who plays a case, whichever of its slots.
struct Cast<'a> {
    case: &'a Case,
    /// The prosumers' keys.
    keys: Vec<Option<SecretKey>>,
    genesis: Arc<Genesis>,
    chain: Digest,
    /// The prosumers' rules.
    rules: Vec<Arc<Rules>>,
    /// The place of each prosumer's peer.
    homes: Arc<[u32]>,
}

impl<'a> Cast<'a> {
    fn of(case: &'a Case) -> Self {
        let prosumers = 0..case.population.prosumers.len() as u32;
        let keys: Vec<_> = prosumers.into_par_iter().map(|id| key(case, ProsumerId(id).actor())).collect();
        let genesis = Arc::new(genesis(case, &keys));
        Self { case, chain: genesis.id(), genesis, rules: habits(case), keys, homes: case.homes().into() }
    }

    fn member(&self, party: Party, key: Option<SecretKey>) -> Member {
        let keeps_chains = self.case.scenario.record == Record::Full;
        Member::new(party, key, keeps_chains, Arc::clone(&self.genesis), self.chain)
    }

    /// Those of the ledger, the grid, all prosumers and the peers that are wanted, to play these slots, which are the stretch of the case
    /// with this number.
    fn actors(
        &self,
        slots: RangeInclusive<Slot>,
        stretch: u32,
        is_wanted: impl Fn(ActorId) -> bool,
    ) -> Vec<Box<dyn Actor<MarketProtocol>>> {
        let Self { case, keys, genesis, rules, homes, .. } = self;
        let peers = case.peers();
        let [ledger, grid] =
            [(Party::Ledger, LEDGER), (Party::Grid, GRID)].map(|(party, actor)| self.member(party, key(case, actor)));
        let mut actors: Vec<Box<dyn Actor<MarketProtocol>>> = Vec::new();
        if is_wanted(LEDGER) {
            actors.push(Box::new(Ledger::new(ledger_rules(case, slots.clone(), Arc::clone(homes)), ledger)));
        }
        if is_wanted(GRID) {
            actors.push(Box::new(Grid::new(grid_rules(case, slots.clone()), grid)));
        }
        let members = (0..).map(ProsumerId).zip(&case.population.prosumers).zip(keys).zip(rules);
        for (((id, profile), key), rules) in members.filter(|(((id, _), _), _)| is_wanted(id.actor())) {
            let (profile, scenario, slots) = (profile.profile.clone(), Arc::clone(&case.scenario), slots.clone());
            let needs = Arc::new(Profiled { profile, scenario, slots });
            let storage = case.storage(id.index()).map(|of| (of.limits(), Energy::nearest(of.initial_kwh)));
            let member = self.member(genesis.prosumer(id), key.clone());
            let moments = slot_stream(case.seed, id.actor(), Purpose::Activation, stretch);
            let home = homes.get(id.index()).map(|home| peer(keys.len(), home + 1));
            let desk = Desk::at(home.unwrap_or(LEDGER));
            actors.push(Box::new(Prosumer::new(id, member, Arc::clone(rules), needs, storage, desk, moments)));
        }
        let mut clients = vec![Vec::new(); peers as usize];
        for (id, home) in (0..).map(ProsumerId).zip(homes.iter()) {
            clients[*home as usize].push(id);
        }
        let peers = (1..).zip(clients).filter(|(number, _)| is_wanted(peer(keys.len(), *number)));
        for (number, clients) in peers {
            let member = self.member(Party::Peer(number), key(case, peer(keys.len(), number)));
            actors.push(Box::new(Peer::new(peer_rules(case), member, clients)));
        }
        actors
    }
}

/// What a prosumer brings to each slot by its profile.
#[derive(Debug)]
struct Profiled {
    profile: Profile,
    scenario: Arc<Scenario>,
    slots: RangeInclusive<Slot>,
}

impl Needs for Profiled {
    fn slots(&self) -> RangeInclusive<Slot> {
        self.slots.clone()
    }

    fn foreseen(&self, slot: Slot) -> SlotFacts {
        facts(&self.profile.foreseen(slot), &self.scenario.preferences)
    }

    fn metered(&self, slot: Slot) -> Metered {
        let profile = self.profile.slot(slot);
        Metered { generation: profile.generation, load: profile.load }
    }
}

/// An actor's secret key, where anything is signed; or what stands in for it, where nobody keeps the chain.
fn key(case: &Case, actor: ActorId) -> Option<SecretKey> {
    let key = match case.scenario.record {
        Record::Full => SecretKey::derive,
        _ => SecretKey::stand_in_for,
    };
    (case.scenario.ledger.signatures != Signatures::Off).then(|| key(case.seed, actor))
}

/// What everybody in a case agrees on beforehand.
fn genesis(case: &Case, keys: &[Option<SecretKey>]) -> Genesis {
    let public = |key: &Option<SecretKey>| key.as_ref().map(SecretKey::public);
    let scenario = &case.scenario;
    let members = &case.population.prosumers;
    Genesis {
        scenario: scenario.name.clone(),
        case: case.number,
        seed: case.seed,
        rules: chain::genesis::Rules {
            slots: scenario.market.slots,
            open: case.open.clone(),
            demand: scenario.preferences.demand,
            service_fee: scenario.market.service_fee,
            grid_fee: scenario.market.grid_fee,
            ramp: scenario.learning.ramp,
            choice_set: scenario.learning.choice_set,
            posts: scenario.posts(members.len()),
            max_transactions: scenario.ledger.block.max_transactions,
            timeout: scenario.ledger.block.timeout,
            late_blocks: scenario.clock != Clock::Virtual || scenario.ledger_crashes(),
            mechanism: case.mechanism(),
        },
        policies: Policies { peers: scenario.ledger.policy, ..Policies::new(scenario.ledger.signatures) },
        ledger: public(&key(case, LEDGER)),
        grid: public(&key(case, GRID)),
        peers: (1..=case.peers()).map(|number| public(&key(case, peer(keys.len(), number)))).collect(),
        prosumers: members.iter().zip(keys).map(|(member, key)| (member.number, public(key))).collect(),
        tariff_groups: tariff_groups(case),
    }
}

/// Who is in which group that has tariffs of its own.
fn tariff_groups(case: &Case) -> Vec<Vec<u32>> {
    let of = |name: &String| {
        let members = case.population.prosumers.iter().filter(|member| member.group.as_deref() == Some(name));
        members.map(|member| member.number).collect()
    };
    case.tariffs.groups.keys().map(of).collect()
}

fn first_prices(scenario: &Scenario, initial: &InitialPrice) -> FirstPrices {
    match initial {
        InitialPrice::Random => FirstPrices::Random,
        InitialPrice::Fixed(prices) => FirstPrices::Fixed(prices.as_slice().into()),
        InitialPrice::Previous => FirstPrices::Previous,
        InitialPrice::PreviousDay => FirstPrices::PreviousDay { slots: scenario.market.slots_of_day() },
    }
}

fn fixed(initial: &Initial) -> Option<Arc<[f64]>> {
    match initial {
        Initial::Random => None,
        Initial::Fixed(values) => Some(values.as_slice().into()),
    }
}

/// Everybody's rules: those of its part of a mixed population, or else the scenario's, and on top of them its own.
fn habits(case: &Case) -> Vec<Arc<Rules>> {
    let learning = &case.scenario.learning;
    let members = case.population.prosumers.len();
    let common = Arc::new(prosumer_rules(case, learning));
    let mut everybody = vec![common; members];
    // Whoever draws least comes first, so that a part that grows keeps those who were in it.
    let mut order: Vec<u32> = (0..members as u32).collect();
    order.sort_by_cached_key(|&id| stream(case.seed, ProsumerId(id).actor(), Purpose::Mix).next_u64());
    let mut rest = order.as_slice();
    for habit in &learning.mix {
        let count = (habit.share * members as f64).round() as usize;
        let (part, others) = rest.split_at(count.min(rest.len()));
        let rules = Arc::new(prosumer_rules(case, &learning.with(habit)));
        part.iter().for_each(|&id| everybody[id as usize] = Arc::clone(&rules));
        rest = others;
    }
    for (whose, own) in &case.custom.rules {
        // Whoever shared rules before still does: there may be a million of them.
        let mut changed: Vec<(Arc<Rules>, Arc<Rules>)> = Vec::new();
        let members = everybody.iter_mut().zip(&case.population.prosumers);
        for (rules, _) in members.filter(|(_, member)| whose.includes(member.number)) {
            let known = changed.iter().find(|(before, _)| Arc::ptr_eq(before, rules));
            let after = known.map(|(_, after)| Arc::clone(after)).unwrap_or_else(|| {
                let mut after = Rules::clone(rules);
                own.put_into(&mut after.strategy);
                changed.push((Arc::clone(rules), Arc::new(after)));
                Arc::clone(&changed[changed.len() - 1].1)
            });
            *rules = after;
        }
    }
    everybody
}

fn prosumer_rules(case: &Case, learning: &Learning) -> Rules {
    let scenario = &case.scenario;
    Rules {
        alpha: scenario.alpha_of_slot(),
        demand: scenario.preferences.demand,
        habits: Habits {
            behaviour: learning.behaviour,
            fitness: learning.fitness(),
            exploration: learning.exploration,
            adaptation: learning.adaptation,
            mixing: learning.mixing,
            regrowth: learning.regrowth,
            price_every: learning.price_every,
            replicator_step: learning.replicator_step,
            price_step: learning.price_step,
            ramp: learning.ramp,
            tolerance: learning.tolerance,
            bidding: learning.bidding,
            first_prices: first_prices(scenario, &learning.initial_price),
        },
        strategy: Strategy::default(),
        activation: scenario.activation,
        local_fee: scenario.market.local_fee(),
        hours: scenario.market.hours(),
        retry_after: case.retry_after(),
        posts_alone: scenario.posts(case.population.prosumers.len()) == Posts::Last
            && scenario.ledger.signatures != Signatures::Everything,
        peers: peers(case),
    }
}

/// The peers among which prosumers go from one to the next, where they do.
fn peers(case: &Case) -> Option<Peers> {
    let market = &case.scenario.market;
    let patience = (market.gate_closure / 20).max(2 * case.retry_after());
    let goes_on = case.peers() > 0 && case.scenario.ledger.on_outage == Outage::Switch;
    let first = peer(case.population.prosumers.len(), 1);
    goes_on.then_some(Peers { first, count: case.peers(), patience })
}

/// Whether prosumers act by their own clocks alone.
fn acts_by_clock(case: &Case) -> bool {
    !matches!(case.scenario.activation, Activation::Reactive { .. })
}

fn grid_rules(case: &Case, slots: RangeInclusive<Slot>) -> GridRules {
    GridRules {
        slots,
        tariffs: Arc::clone(&case.tariffs) as Arc<_>,
        slot_length: case.scenario.market.slot_length,
        retry_after: case.retry_after(),
    }
}

fn floor_rules(scenario: &Scenario) -> FloorRules {
    FloorRules {
        alpha: scenario.alpha_of_slot(),
        patience: scenario.learning.patience,
        first_choice: fixed(&scenario.learning.initial_choice),
        // Who has next to nothing would be asked for thousands of times that, and negotiated down for as long.
        first_by_surplus: !scenario.market.mechanism.is_game(),
        tells_answered: scenario.learning.predicts(),
    }
}

fn peer_rules(case: &Case) -> PeerRules {
    let scenario = &case.scenario;
    PeerRules {
        floor: floor_rules(scenario),
        // A first post comes when its sender's period says so.
        remind_after: case.retry_after() + 2 * scenario.activation.period(),
        acts_by_clock: acts_by_clock(case),
    }
}

fn ledger_rules(case: &Case, slots: RangeInclusive<Slot>, homes: Arc<[u32]>) -> LedgerRules {
    let scenario = &case.scenario;
    LedgerRules {
        slots,
        floor: floor_rules(scenario),
        slot_length: scenario.market.slot_length,
        gate_closure: scenario.market.gate_closure,
        period: scenario.activation.period(),
        retry_after: case.retry_after(),
        durability: scenario.ledger.durability,
        homes,
        acts_by_clock: acts_by_clock(case),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{self, Overrides, schema::Habit};
    use std::path::Path;

    /// Who explores, and how much, where these parts of a hundred do so by 0.1, 0.2 and so on.
    fn explorers(shares: &[f64]) -> Vec<f64> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/100_prosumers.ron");
        let set = Overrides { seed: None, set: vec!["mu=1".into()] };
        let mut case = scenario::load(&path, &set).unwrap().cases().next().unwrap();
        let habit = |(n, &share): (f64, &f64)| Habit {
            share,
            behaviour: None,
            fitness: None,
            replicator_step: None,
            price_step: None,
            exploration: Some(n / 10.0),
            adaptation: None,
            mixing: None,
            regrowth: None,
            bidding: None,
        };
        Arc::make_mut(&mut case.scenario).learning.mix = [1.0, 2.0, 3.0].into_iter().zip(shares).map(habit).collect();
        habits(&case).iter().map(|rules| rules.habits.exploration).collect()
    }

    #[test]
    fn a_part_of_a_mixed_population_that_grows_keeps_those_who_were_in_it() {
        let count = |found: &[f64], value: f64| found.iter().filter(|&&x| x == value).count();
        let (small, large) = (explorers(&[0.2]), explorers(&[0.45, 0.1]));
        assert_eq!((count(&small, 0.1), count(&small, 0.0)), (20, 80));
        assert_eq!((count(&large, 0.1), count(&large, 0.2), count(&large, 0.0)), (45, 10, 45));
        assert!(small.iter().zip(&large).all(|(small, large)| *small == 0.0 || *large == 0.1));
        assert_eq!(count(&explorers(&[0.5, 0.5]), 0.0), 0);
    }
}
