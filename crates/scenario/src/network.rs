//! The network of a scenario in terms of actors, and how much patience it takes.

use crate::{
    Case,
    population::Population,
    schema::{self, Clients, Clock, Condition, Incident, Link, Scenario, Who},
};
use microgrid_agents::{
    ids::{ActorId, FIRST_PROSUMER, GRID, LEDGER, ProsumerId, peer},
    streams::{Purpose, stream},
    time::{Time, nanos},
};
use microgrid_network::{self as network, Change, Crash, Members, Network, Quality, Route, Timing, rhythm};
use rand::RngExt;
use std::{collections::BTreeMap, time::Duration};

impl Case {
    /// The network of the case, in terms of actors.
    pub fn network(&self) -> Network {
        let described = &self.scenario.network;
        let names = Names { groups: groups(self), population: &self.population, peers: self.peers() };
        let mut network = Network {
            links: described.links.iter().map(|link| names.link(link)).collect(),
            own: self.custom.carrier.clone(),
            ends: Time::after_slots(self.scenario.market.slots, self.scenario.market.slot_length),
            ..Network::uniform(base(described))
        };
        for Condition { at, lasting, every, what } in &described.conditions {
            let timing = Timing { at: Time(nanos(*at)), lasting: *lasting, every: *every };
            let what = match what {
                Incident::Partition { from, to, one_way } => {
                    network::Incident::Partition(names.route(from, to, *one_way))
                }
                Incident::Link(link) => network::Incident::Change(names.link(link)),
                Incident::Crash { who, memory } => {
                    network.crashes.push(Crash { timing, who: names.members(who), memory: *memory });
                    continue;
                }
            };
            network.conditions.push(network::Condition { timing, what });
        }
        network
    }

    /// How long a message takes in the mean between each prosumer and the ledger, one way and the other averaged, over
    /// links as they are while no condition is on; `None` under an own rule, which alone knows.
    pub fn delays(&self) -> Option<Vec<Duration>> {
        let network = self.network();
        let one_way = |from, to| network.usual(from, to).delay.mean();
        let both =
            |way: Vec<ActorId>| way.windows(2).map(|hop| (one_way(hop[0], hop[1]) + one_way(hop[1], hop[0])) / 2).sum();
        network.own.is_none().then(|| self.ways().map(both).collect())
    }

    /// Whom a message of each prosumer passes on its way to the ledger, itself and the ledger included: its peer, if there are
    /// several.
    pub fn ways(&self) -> impl Iterator<Item = Vec<ActorId>> {
        let (homes, prosumers) = (self.homes(), self.population.prosumers.len());
        (0..prosumers as u32).map(ProsumerId).map(move |id| {
            let home = homes.get(id.index()).map(|home| peer(prosumers, home + 1));
            [Some(id.actor()), home, Some(LEDGER)].into_iter().flatten().collect()
        })
    }

    /// How many peers the ledger has beside its orderer; none where it is its only one.
    pub fn peers(&self) -> u32 {
        self.scenario.ledger.beside_orderer()
    }

    /// The place of each prosumer's peer, from 0; nobody's where the ledger is its only one.
    pub fn homes(&self) -> Vec<u32> {
        let (peers, prosumers) = (self.peers(), 0..self.population.prosumers.len() as u32);
        if peers == 0 {
            return Vec::new();
        }
        let groups = groups(self);
        let of_group = |id: u32| match &self.scenario.ledger.clients {
            Clients::ByNumber => None,
            Clients::ByGroup(peers) => {
                let mut of_groups = peers.iter();
                let found = of_groups.find(|(name, _)| groups[name.as_str()].contains(ProsumerId(id).actor()));
                found.map(|(_, number)| number - 1)
            }
        };
        prosumers.map(|id| of_group(id).unwrap_or(id % peers)).collect()
    }

    /// After how long a message counts as unanswered: well beyond two round trips through a block of the ledger, so that
    /// nothing is repeated that is merely under way, on the slowest link at the slowest time. By the machine's clock, its
    /// timers add some milliseconds to each hop.
    pub fn retry_after(&self) -> Duration {
        let scenario = &self.scenario;
        let changes: Vec<Change> = changes(scenario).collect();
        let delay = match &self.custom.carrier {
            Some(own) => own.bounds().almost_longest,
            None => rhythm::almost_longest(&base(&scenario.network), &changes),
        };
        let timers = match scenario.clock {
            Clock::Virtual => Duration::ZERO,
            Clock::Wall { speed } => Duration::from_millis(20).mul_f64(speed),
        };
        let hops = if self.peers() == 0 { 4 } else { 8 };
        hops * delay + 2 * scenario.ledger.block.timeout + Duration::from_secs(1) + timers
    }

    /// How long a run may go on without a slot closing before it has stalled: a few slots, and as many repeats as make it
    /// all but certain (1e-12 for the whole run) that every question of every prosumer has been answered on the worst link.
    /// All that happens once may happen in that time, and all that recurs stretches it by the part of it that it takes.
    pub fn stall_after(&self) -> Duration {
        let scenario = &self.scenario;
        let questions = 5.0 * self.population.prosumers.len() as f64 * f64::from(scenario.market.slots);
        let loss = match &self.custom.carrier {
            Some(own) => own.bounds().loss,
            None => changes(scenario).filter_map(|change| change.loss).fold(scenario.network.loss, f64::max),
        };
        // To the ledger and back; with several peers, to the orderer through one, and back.
        let ways = if self.peers() == 0 { 2 } else { 4 };
        let unanswered = 1.0 - (1.0 - loss).powi(ways);
        let repeats = (1e-12 / questions).ln() / unanswered.ln();
        let undisturbed =
            3 * scenario.market.slot_length + (5.0 * repeats).clamp(20.0, 1e5) as u32 * self.retry_after();
        let (mut disturbed, mut open) = (Duration::ZERO, 1.0);
        for Condition { lasting, every, what, .. } in &scenario.network.conditions {
            let (Some(lasting), Incident::Partition { .. } | Incident::Crash { .. }) = (lasting, what) else {
                continue;
            };
            disturbed += *lasting;
            if let Some(every) = every {
                open *= 1.0 - lasting.as_secs_f64() / every.as_secs_f64();
            }
        }
        // Where almost nothing is open, nothing is certain.
        (undisturbed + disturbed).div_f64(f64::max(open, 1e-3))
    }
}

fn base(network: &schema::Network) -> Quality {
    let schema::Network { delay, jitter, loss, duplication, .. } = *network;
    Quality { delay, jitter, loss, duplication }
}

impl Link {
    pub(crate) fn change(&self) -> Change {
        let Self { delay, jitter, loss, duplication, .. } = *self;
        Change { delay, jitter, loss, duplication }
    }
}

/// The groups of a case by name.
///
/// Every prosumer draws one number for each group, in the order of the groups' names. A group that is a share of the
/// population holds those who draw the smallest, so a larger share holds a smaller one.
fn groups(case: &Case) -> BTreeMap<&str, Members> {
    let mut described: Vec<(&str, &schema::Members)> =
        case.scenario.network.groups.iter().map(|(name, members)| (name.as_str(), members)).collect();
    described.sort_by_key(|(name, _)| *name);
    let prosumers = (0..case.population.prosumers.len() as u32).map(ProsumerId);
    let draw = |prosumer: ProsumerId| -> Vec<f64> {
        let mut random = stream(case.seed, prosumer.actor(), Purpose::Group);
        described.iter().map(|_| random.random()).collect()
    };
    let is_drawn = described.iter().any(|(_, members)| matches!(members, schema::Members::Share(_)));
    let draws: Vec<Vec<f64>> = if is_drawn { prosumers.clone().map(draw).collect() } else { Vec::new() };
    let members = |number: usize, members: &schema::Members| -> Vec<ProsumerId> {
        match members {
            schema::Members::Prosumers(numbers) => numbers.iter().map(|&n| position(&case.population, n)).collect(),
            schema::Members::Share(share) => {
                let mut by_draw: Vec<ProsumerId> = prosumers.clone().collect();
                by_draw.sort_by(|a, b| draws[a.index()][number].total_cmp(&draws[b.index()][number]));
                by_draw.truncate((share * by_draw.len() as f64).round() as usize);
                by_draw
            }
        }
    };
    let group = |number: usize, of| Members::group(members(number, of).into_iter().map(ProsumerId::actor));
    described.iter().enumerate().map(|(number, &(name, of))| (name, group(number, of))).collect()
}

fn position(population: &Population, number: u32) -> ProsumerId {
    population.position(number).expect("the numbers of prosumers were checked when the scenario was read")
}

/// What the names in a scenario stand for.
struct Names<'a> {
    groups: BTreeMap<&'a str, Members>,
    population: &'a Population,
    /// How many; none where the ledger is its only peer.
    peers: u32,
}

impl Names<'_> {
    fn members(&self, who: &Who) -> Members {
        match who {
            Who::Everybody => Members::Everybody,
            Who::Ledger if self.peers == 0 => Members::One(LEDGER),
            Who::Ledger => Members::group((1..=self.peers).map(|number| self.peer(number)).chain([LEDGER])),
            Who::Orderer => Members::One(LEDGER),
            Who::Peer(_) if self.peers == 0 => Members::One(LEDGER),
            Who::Peer(number) => Members::One(self.peer(*number)),
            Who::Grid => Members::One(GRID),
            Who::Prosumers => Members::Range(FIRST_PROSUMER.0..peer(self.population.prosumers.len(), 1).0),
            Who::Prosumer(number) => Members::One(position(self.population, *number).actor()),
            Who::Group(name) => {
                let group = self.groups.get(name.as_str());
                group.expect("the names of groups were checked when the scenario was read").clone()
            }
        }
    }

    fn peer(&self, number: u32) -> ActorId {
        peer(self.population.prosumers.len(), number)
    }

    fn route(&self, from: &Who, to: &Who, one_way: bool) -> Route {
        Route { from: self.members(from), to: self.members(to), one_way }
    }

    fn link(&self, link: &Link) -> network::Link {
        network::Link { route: self.route(&link.from, &link.to, link.one_way), change: link.change() }
    }
}

/// All that links and conditions change, in the order in which it applies.
fn changes(scenario: &Scenario) -> impl Iterator<Item = Change> {
    let network = &scenario.network;
    let conditions = network.conditions.iter().filter_map(|condition| match &condition.what {
        Incident::Link(link) => Some(link),
        Incident::Partition { .. } | Incident::Crash { .. } => None,
    });
    network.links.iter().chain(conditions).map(Link::change)
}

impl schema::Ledger {
    /// How many peers there are beside the orderer; none where it is the only one.
    pub(crate) fn beside_orderer(&self) -> u32 {
        if self.peers.0 > 1 { self.peers.0 } else { 0 }
    }

    /// Whether the orderer is among these.
    fn is_down_with(&self, who: &Who) -> bool {
        match who {
            Who::Everybody | Who::Ledger | Who::Orderer => true,
            Who::Peer(_) => self.beside_orderer() == 0,
            Who::Grid | Who::Prosumers | Who::Prosumer(_) | Who::Group(_) => false,
        }
    }
}

impl Scenario {
    /// Whether the ledger is ever down.
    pub fn ledger_crashes(&self) -> bool {
        let down = |condition: &Condition| matches!(&condition.what, Incident::Crash { who, .. } if self.ledger.is_down_with(who));
        self.network.conditions.iter().any(down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Custom, population::Member, tariffs::Tariffs};
    use indexmap::IndexMap;
    use microgrid_agents::market::opening::OpenSlots;
    use ron::extensions::Extensions;
    use std::sync::Arc;

    fn case(numbers: impl IntoIterator<Item = u32>, network: &str) -> Case {
        let text = format!("(name: \"names\", population: Synthetic(count: 100), network: {network})");
        let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES;
        let options = ron::Options::default().with_default_extension(extensions);
        let scenario: Scenario = options.from_str(&text).unwrap();
        let prosumers = numbers.into_iter().map(|number| Member::new(number, [])).collect();
        Case {
            number: 1,
            knobs: Vec::new(),
            seed: scenario.seed,
            scenario: Arc::new(scenario),
            population: Arc::new(Population { prosumers }),
            tariffs: Arc::new(Tariffs {
                grid: [].into(),
                feed_in: [].into(),
                imbalance: None,
                groups: IndexMap::new(),
                co2: None,
            }),
            open: OpenSlots::default(),
            dates: None,
            custom: Custom::default(),
        }
    }

    fn held(members: &Members) -> Vec<u32> {
        (0..102).filter(|&actor| members.contains(microgrid_agents::ids::ActorId(actor))).collect()
    }

    #[test]
    fn a_larger_share_holds_a_smaller_one_and_groups_differ_by_their_names() {
        let group = |text: &str, name: &str| held(&groups(&case(1..=100, &format!("(groups: {{{text}}})")))[name]);
        let small = group(r#""a": Share(0.2)"#, "a");
        let large = group(r#""a": Share(0.5)"#, "a");
        assert_eq!((small.len(), large.len()), (20, 50));
        assert!(small.iter().all(|actor| large.contains(actor)));
        assert_eq!(group(r#""b": Share(0.5), "a": Share(0.2)"#, "a"), small, "the order of their names counts");
        assert_ne!(group(r#""b": Share(0.2), "a": Share(0.2)"#, "b"), small);
        assert_eq!(group(r#""a": Share(1)"#, "a"), (2..102).collect::<Vec<_>>());
    }

    #[test]
    fn prosumers_go_by_the_numbers_of_their_profiles() {
        let case = case(
            [3, 7, 40],
            r#"(groups: {"far": Prosumers([40, 3])}, links: [
            (from: Group("far"), to: Prosumer(7)), (from: Ledger, to: Grid, one_way: true), (from: Prosumers, to: Everybody),
        ])"#,
        );
        let links = case.network().links;
        let sides: Vec<_> = links.iter().map(|link| (held(&link.route.from), held(&link.route.to).len())).collect();
        assert_eq!(sides[0], (vec![2, 4], 1));
        assert_eq!(sides[1], (vec![0], 1));
        assert_eq!((sides[2].0.len(), sides[2].1), (3, 102));
        assert!(links[1].route.one_way && !links[0].route.one_way);
    }

    #[test]
    fn a_prosumer_is_as_far_from_the_ledger_as_its_links_both_ways_are_in_the_mean() {
        let mut case = case(
            [3, 7, 40],
            r#"(delay: Constant("100ms"), jitter: 0.5, links: [
            (from: Prosumer(7), to: Ledger, one_way: true, delay: Uniform(min: "200ms", max: "400ms")),
            (from: Prosumer(40), to: Everybody, delay: Constant("1s")), (from: Prosumer(3), to: Grid, delay: Constant("9s")),
        ], conditions: [(at: "1h", lasting: "1h", what: Link((from: Ledger, to: Prosumer(3), delay: Constant("5s"))))])"#,
        );
        assert_eq!(case.delays(), Some([100, 200, 1000].map(Duration::from_millis).to_vec()));
        case.custom.carrier = Some(Arc::new(Own));
        assert_eq!(case.delays(), None);
    }

    #[derive(Debug)]
    struct Own;

    impl network::Carrier for Own {
        fn carry(&self, _: &network::Letter, _: &mut microgrid_agents::streams::Stream) -> network::Fate {
            network::Fate::Lost
        }

        fn bounds(&self) -> network::Bounds {
            network::Bounds::delays(Duration::ZERO, Duration::ZERO)
        }
    }

    #[test]
    fn patience_grows_with_the_slowest_link_and_with_what_keeps_messages_from_arriving() {
        let of = |network: &str| case(1..=3, network);
        let plain = of("()");
        let slow = r#"(links: [(from: Prosumer(2), to: Ledger, delay: Constant("2s"), jitter: 0.5)])"#;
        assert_eq!(plain.retry_after(), Duration::from_millis(1140));
        assert_eq!(of(slow).retry_after(), Duration::from_millis(13_100));
        let lossy = of("(links: [(from: Grid, to: Ledger, loss: 0.9)])");
        assert!(lossy.stall_after() > 2 * plain.stall_after());
        // Through a peer a question has two ways more to be lost on.
        let mut halved = of("(loss: 0.5)");
        let repeats = |case: &Case| {
            (case.stall_after() - 3 * case.scenario.market.slot_length).div_duration_f64(case.retry_after())
        };
        let direct = repeats(&halved);
        Arc::make_mut(&mut halved.scenario).ledger.peers.0 = 3;
        let expected = f64::ln(1.0 - 1.0 / 4.0) / f64::ln(1.0 - 1.0 / 16.0);
        assert!((repeats(&halved) / direct / expected - 1.0).abs() < 0.01, "{}", repeats(&halved) / direct);
        let condition = |timing: &str| of(&format!("(conditions: [({timing}, what: Crash(who: Ledger))])"));
        let (once, often) = (r#"at: "1h", lasting: "5h""#, r#"at: "1h", lasting: "30min", every: "1h""#);
        assert_eq!(condition(once).stall_after(), plain.stall_after() + Duration::from_secs(5 * 3600));
        assert!(condition(often).stall_after() >= 2 * plain.stall_after());
    }
}
