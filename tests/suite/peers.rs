//! A ledger of several peers: the same market and the same money as with one, whoever of them is slow, cut off or gone; equal
//! chains at all that are there; and a run that stops where one comes to another result.

use crate::{
    adversity::assert_settled_once,
    conservation::assert_conserved,
    support::{Log, only_case, recorded, repository, run, try_run, written},
};
use microgrid_agents::{
    actor::{Actor, Context, Effect, MarketProtocol, Wake},
    chain::hash::Digest,
    ids::{ActorId, Slot},
    market::settlement::Trade,
    message::Message,
    observation::Observation,
    statement::Outcome,
};
use microgrid_sim::{
    ledger::{schema, verify::verify},
    record::{ProsumerRow, Row, Run, SlotRow},
    runtime::{RuntimeError, Shards},
    scenario::{Case, Plan},
    simulation::{actors, simulate_with},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Slots 9 to 12 of the published day, of which the last three have a market, with this ledger and this network.
fn day(ledger: &str, network: &str, more: &str) -> Plan {
    let [profiles, tariff] = ["5_prosumers.csv", "tariff.csv"].map(|file| repository("scenarios/data").join(file));
    let text = format!(
        r#"Scenario(
            name: "peers",
            market: (slots: 24, open: (10, 12), feed_in_tariff: 0.45, grid_tariff: Csv({tariff:?})),
            population: Profiles({profiles:?}),
            ledger: ({ledger}),
            network: ({network}),
            {more}
        )"#
    );
    written(&text, "")
}

/// A noon slot of so many synthetic prosumers.
fn noon(count: u32, ledger: &str, network: &str) -> Plan {
    let text = format!(
        r#"Scenario(
            name: "noon",
            market: (slots: 1, starts_at: "12h", open: (1, 1), feed_in_tariff: 0.45, grid_tariff: Constant(1.05)),
            population: Synthetic(count: {count}, pv_share: 0.25, workplace_share: 0.0,
                pv_peak_kw: LogNormal(median: 11.0, sigma: 0.3)),
            learning: (choice_set: Sample(8), tolerance: 1e-5),
            ledger: ({ledger}),
            network: ({network}),
        )"#
    );
    written(&text, "")
}

/// What was settled, slot by slot.
fn settled(log: &Log) -> BTreeMap<Slot, Vec<Trade>> {
    let settled = |what: &Observation| match what {
        Observation::Settled(slot, trades) => Some((*slot, trades.to_vec())),
        _ => None,
    };
    log.observed.iter().filter_map(|observed| settled(&observed.what)).collect()
}

/// How far each peer has come, and to what.
fn replicas(log: &Log) -> BTreeMap<ActorId, (u64, Digest)> {
    let replicated = log.observed.iter().filter_map(|observed| match observed.what {
        Observation::Replicated(blocks, outcome) => Some((observed.actor, (blocks, outcome))),
        _ => None,
    });
    replicated.collect()
}

/// How many blocks the ledger has, and what the last has come to.
fn ledger(log: &Log) -> (u64, Digest) {
    let mut sealed = log.observed.iter().filter_map(|observed| match &observed.what {
        Observation::Sealed(block) => Some((block.header.position + 1, block.commit_hash)),
        _ => None,
    });
    sealed.next_back().expect("there are blocks")
}

/// The rows of a recorded table.
fn rows<R: Row>(folder: &Path) -> Vec<R> {
    let run = Run::open(folder).expect("a run");
    run.rows().expect("a table").map(|row| row.expect("a row")).collect()
}

/// Asserts that the recorded ledger of a plan verifies.
fn assert_verifies(plan: &Plan) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let run = recorded(plan, root.path());
    let report = verify(&run.join(schema::FILE), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.cases[0].closed, plan.scenario.market.slots);
}

#[test]
fn four_peers_settle_the_same_as_one() {
    let alone = run(&only_case(&day("", "", "")));
    for ledger_of in ["peers: 4", "peers: 2, policy: All", "peers: 5, policy: Majority, signatures: Everything"] {
        let plan = day(ledger_of, "", "");
        let log = run(&only_case(&plan));
        assert_conserved(&log, 24, 5);
        assert_settled_once(&log);
        assert_eq!(settled(&log), settled(&alone), "{ledger_of}");
        let replicas = replicas(&log);
        assert!(!replicas.is_empty() && replicas.values().all(|replica| *replica == ledger(&log)), "{ledger_of}");
        assert_verifies(&plan);
    }
}

#[test]
fn sums_of_peers_add_up_to_those_of_one() {
    let alone = run(&only_case(&noon(300, "posts: Last", "")));
    let one = settled(&alone);
    for peers in [2, 3, 7] {
        let plan = noon(300, &format!("peers: {peers}, posts: Last"), "");
        let log = run(&only_case(&plan));
        assert_conserved(&log, 1, 300);
        assert_settled_once(&log);
        let several = settled(&log);
        assert_eq!(several[&1].len(), one[&1].len());
        for (mine, other) in several[&1].iter().zip(&one[&1]) {
            assert_eq!((mine.buyer, mine.seller), (other.buyer, other.seller));
            assert!((mine.price - other.price).abs() < 1e-9 && (mine.energy.0 - other.energy.0).abs() <= 1);
        }
        assert!(replicas(&log).values().all(|replica| *replica == ledger(&log)));
        assert_verifies(&plan);
    }
}

#[test]
fn how_actors_are_spread_changes_nothing() {
    let network = r#"delay: LogNormal(min: "1ms", median: "20ms", sigma: 0.8), loss: 0.05, duplication: 0.05"#;
    for (plan, slots) in [
        (noon(60, "peers: 4, posts: Last", network), 1),
        (noon(24, "peers: 3, posts: Every, on_outage: Switch", network), 1),
        (day("peers: 4, policy: Majority, on_outage: Switch", network, "learning: (adaptation: DelayAware),"), 24),
    ] {
        let case = only_case(&plan);
        let told = |shards| {
            let (log, result) = try_run(&case, Some(shards));
            result.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(log.closed(), slots);
            format!("{:?}", log.observed)
        };
        let one = told(Shards::Fixed(1));
        for shards in [Shards::Fixed(2), Shards::Fixed(4), Shards::PerActor] {
            assert!(told(shards) == one, "{shards:?}");
        }
    }
}

#[test]
fn whoever_loses_its_peer_goes_to_another_and_everything_settles_once() {
    for seed in 1..=5 {
        for (ledger_of, prosumers) in [("posts: Every", 20), ("posts: Last", 60)] {
            let ledger_of = format!("peers: 4, on_outage: Switch, policy: Majority, {ledger_of}");
            let network = r#"conditions: [
                (at: "20s", what: Crash(who: Peer(3), memory: Lost)),
                (at: "25s", lasting: "2min", what: Partition(from: Peer(2), to: Everybody)),
            ]"#;
            let text = noon(prosumers, &ledger_of, network);
            let plan = Plan::clone(&text);
            let case = Case { seed, ..only_case(&plan) };
            let log = run(&case);
            assert_conserved(&log, 1, prosumers as usize);
            assert_settled_once(&log);
            let games: Vec<_> = log.games().collect();
            assert_eq!(games[0].admitted, prosumers, "seed {seed}: all have registered before");
            let replicas = replicas(&log);
            let first_peer = 2 + prosumers;
            let equal = |number: u32| replicas[&ActorId(first_peer + number - 1)] == ledger(&log);
            assert_eq!([1, 2, 3, 4].map(equal), [true, true, false, true], "seed {seed}");
            assert!(settled(&log)[&1].len() as u32 > prosumers / 2, "seed {seed}");
        }
    }
}

#[test]
fn what_a_lost_peer_has_not_handed_in_is_settled_with_the_grid() {
    for (lasting, what) in [
        ("50min", "Crash(who: Peer(3), memory: Lost)"),
        ("57min", "Partition(from: Peer(3), to: Orderer)"),
        ("2min", "Crash(who: Peer(3), memory: Lost)"),
    ] {
        for outage in ["Wait", "Switch"] {
            let ledger_of = format!("peers: 4, on_outage: {outage}, policy: Majority, posts: Last");
            let network = format!(r#"conditions: [(at: "20s", lasting: "{lasting}", what: {what})]"#);
            let plan = noon(40, &ledger_of, &network);
            let log = run(&only_case(&plan));
            assert_conserved(&log, 1, 40);
            assert_settled_once(&log);
            assert!(!settled(&log)[&1].is_empty(), "{what} {outage}");
            assert_verifies(&plan);
        }
    }
}

#[test]
fn without_a_majority_of_peers_nothing_is_settled_and_the_slot_says_so() {
    let lost = |number: u32, lasting: &str| {
        format!(r#"(at: "11h 10s", {lasting} what: Crash(who: Peer({number}), memory: Kept)),"#)
    };
    let with = |policy: &str, conditions: &str| {
        day(&format!("peers: 4, on_outage: Switch, policy: {policy}"), &format!("conditions: [{conditions}]"), "")
    };
    let [third, fourth] = [3, 4].map(|number| lost(number, r#"lasting: "50min","#));
    let both = format!("{third}{fourth}");
    let outcomes = |plan: &Plan| {
        let log = run(&only_case(plan));
        assert_conserved(&log, 24, 5);
        assert_settled_once(&log);
        let void: Vec<Slot> = log
            .observed
            .iter()
            .filter_map(|observed| if let Observation::Voided(slot) = observed.what { Some(slot) } else { None })
            .collect();
        assert!(void.iter().all(|slot| settled(&log)[slot].is_empty()));
        assert_verifies(plan);
        void
    };
    assert_eq!(outcomes(&with("Majority", &both)), [12]);
    assert_eq!(outcomes(&with("Majority", &third)), [] as [Slot; 0]);
    assert_eq!(outcomes(&with("Any", &both)), [] as [Slot; 0]);
    assert_eq!(outcomes(&with("All", &third)), [12]);
    let root = tempfile::tempdir().expect("a temporary folder");
    let run = recorded(&with("AtLeast(3)", &both), root.path());
    let slots = std::fs::read_to_string(run.join("slots.csv")).expect("a table");
    let row = slots.lines().find(|row| row.starts_with("1,12,")).expect("slot 12");
    assert!(row.contains(&format!(",{:?},", Outcome::Void)), "{row}");
    let markets = slots.lines().skip(1).filter(|row| !row.contains(",NoMarket,")).count();
    let figures = std::fs::read_to_string(run.join("kpis.json")).expect("key figures");
    let figures: serde_json::Value = serde_json::from_str(&figures).expect("JSON");
    let share = figures[0]["equilibrium_share"].as_f64();
    assert_eq!(share, Some((markets - 1) as f64 / markets as f64), "the void slot is one of those that did not settle");
}

#[test]
fn a_void_slot_is_worth_what_trading_with_the_grid_alone_is() {
    let lost = |number: u32| format!(r#"(at: "11h 10s", lasting: "50min", what: Crash(who: Peer({number}))),"#);
    let conditions = format!("conditions: [{}{}]", lost(3), lost(4));
    for (mu, is_more) in [("0.0", false), ("1.0", true)] {
        let plan =
            day("peers: 4, on_outage: Switch, policy: Majority", &conditions, &format!("preferences: (mu: {mu}),"));
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = recorded(&plan, root.path());
        let slots: Vec<SlotRow> = rows(&folder);
        let void = &slots[11];
        assert_eq!(
            (void.outcome, void.time_to_equilibrium_s, void.price_mean_cny_per_kwh),
            (Outcome::Void, None, None)
        );
        assert!(void.price_gap.is_some() && void.time_to_end_s.is_some(), "the game was played");
        assert_eq!(void.welfare_cny > void.p2g_welfare_cny, is_more, "trust in own energy needs no trade");
        assert!(is_more || void.welfare_cny == void.p2g_welfare_cny);
        assert!(slots[10].time_to_equilibrium_s.is_some() && slots[10].welfare_cny > slots[10].p2g_welfare_cny);
        let database = rusqlite::Connection::open(folder.join(schema::FILE)).expect("a ledger");
        let mut query = database.prepare("SELECT slot FROM settlements WHERE void ORDER BY slot").expect("a view");
        let found = query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<Vec<Slot>, _>>();
        assert_eq!(found.expect("slots"), [12]);
    }
}

#[test]
fn a_table_says_whose_client_each_prosumer_is_and_at_the_end_of_which_slots_another_s() {
    let crash = r#"conditions: [(at: "11h 10s", lasting: "50min", what: Crash(who: Peer(3)))]"#;
    let peers = |ledger: &str, network: &str| -> BTreeMap<(Slot, u32), [u32; 2]> {
        let root = tempfile::tempdir().expect("a temporary folder");
        let rows: Vec<ProsumerRow> = rows(&recorded(&day(ledger, network, ""), root.path()));
        rows.iter().map(|row| ((row.slot, row.prosumer), [row.peer, row.peer_at_end])).collect()
    };
    let several = peers("peers: 4, on_outage: Switch", crash);
    for slot in 1..=24 {
        let of = |prosumer| several[&(slot, prosumer)];
        assert_eq!([1, 2, 4, 5].map(of), [[1, 1], [2, 2], [4, 4], [1, 1]], "slot {slot}");
        assert_eq!(of(3), [3, if slot < 12 { 3 } else { 4 }], "slot {slot}: it goes to the next, and stays");
    }
    assert!(peers("", "").values().all(|peers| *peers == [1, 1]), "the only peer is the first");
}

#[test]
fn a_run_ends_though_a_peer_never_comes_back() {
    for delay in ["10ms", "50ms"] {
        let text = format!(
            r#"Scenario(
                name: "gone",
                seed: 1,
                market: (slots: 2, slot_length: "15min", gate_closure: "10min", starts_at: "11h", open: (1, 2)),
                population: Synthetic(count: 12),
                network: (delay: Constant("{delay}"), conditions: [(at: "5min", what: Crash(who: Peer(1)))]),
                ledger: (peers: 4, on_outage: Switch),
            )"#
        );
        let log = run(&only_case(&written(&text, "")));
        assert_conserved(&log, 2, 12);
        assert_settled_once(&log);
    }
}

#[test]
fn clients_that_come_back_to_a_peer_while_the_orderer_is_away_are_nobody_else_s() {
    let text = r#"Scenario(
        name: "away",
        market: (slots: 3, starts_at: "10h", open: (1, 3)),
        population: Synthetic(count: 12),
        network: (conditions: [(at: "20min", lasting: "5min", what: Crash(who: Orderer))]),
        ledger: (peers: 2, on_outage: Switch, posts: Last),
    )"#;
    let log = run(&only_case(&written(text, "")));
    assert_conserved(&log, 3, 12);
    let outcome = |what: &Observation| if let Observation::GameOver(game) = what { Some(game.outcome) } else { None };
    let outcomes: Vec<Outcome> = log.observed.iter().filter_map(|observed| outcome(&observed.what)).collect();
    assert_eq!(outcomes, [Outcome::Equilibrium; 3]);
}

/// A peer that comes to something else from some block on.
#[derive(Debug)]
struct Wrong(Box<dyn Actor<MarketProtocol>>, u64);

impl Wrong {
    fn act(&mut self, context: &mut Context<'_>, act: impl FnOnce(&mut dyn Actor<MarketProtocol>, &mut Context<'_>)) {
        let (now, me, mut effects) = (context.now(), context.me(), Vec::new());
        act(&mut *self.0, &mut Context::new(now, me, context.random(), &mut effects));
        for effect in effects {
            match effect {
                Effect::Send(to, Message::HandedIn(mut handed)) => {
                    if handed.blocks >= self.1 {
                        handed.outcome = Digest([7; 32]);
                    }
                    context.send(to, Message::HandedIn(handed));
                }
                Effect::Send(to, message) => context.send(to, message),
                Effect::Broadcast(to, message) => context.broadcast(&to, message),
                Effect::Announce(to, message) => context.announce(&to, message),
                Effect::Wake(after, wake) => context.wake_after(after, wake),
                Effect::Observe(what) => context.observe(what),
                Effect::Halt(why) => context.halt(why),
            }
        }
    }
}

impl Actor<MarketProtocol> for Wrong {
    fn start(&mut self, context: &mut Context<'_>) {
        self.act(context, |peer, context| peer.start(context));
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        self.act(context, |peer, context| peer.receive(from, message, context));
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        self.act(context, |peer, context| peer.wake(wake, context));
    }

    fn name(&self) -> String {
        self.0.name()
    }

    fn waiting_for(&self) -> Option<String> {
        self.0.waiting_for()
    }
}

#[test]
fn a_peer_that_comes_to_another_result_stops_the_run() {
    let case = only_case(&day("peers: 3", "", ""));
    let mut cast = actors(&case);
    // The ledger, the grid, five prosumers, and the first peer come before it.
    let second = cast.remove(8);
    cast.insert(8, Box::new(Wrong(second, 40)));
    let (_, result) = simulate_with(cast, &case, None, &Arc::default(), Log::default());
    let Err(RuntimeError::Failed(failure)) = result else { panic!("{result:?}") };
    let text = failure.to_string();
    assert!(text.starts_with("ledger has stopped the run at "), "{text}");
    assert!(text.contains("peer 2 comes to another result of block ") && text.contains(" of channel "), "{text}");
    assert!(text.contains("0707070707"), "{text}");
}

#[test]
fn clients_of_a_slow_peer_decide_on_older_news() {
    let ages = |network: &str| {
        let log = run(&only_case(&day("peers: 4", network, "")));
        let mut ages: BTreeMap<ActorId, Vec<u128>> = BTreeMap::new();
        for observed in &log.observed {
            if let Observation::Decided(_, age, count) = observed.what {
                ages.entry(observed.actor).or_default().extend(vec![age.as_millis(); count as usize]);
            }
        }
        let mean = |ages: &Vec<u128>| ages.iter().sum::<u128>() as f64 / ages.len() as f64;
        (2..7).map(|actor| mean(&ages[&ActorId(actor)])).collect::<Vec<f64>>()
    };
    let even = ages("");
    let slow = ages(r#"links: [(from: Peer(2), to: Orderer, delay: Constant("3s"))]"#);
    // Prosumer 2 is the client of peer 2.
    assert!(slow[1] > even[1] + 2000.0, "{slow:?} {even:?}");
    assert!([0, 2, 3, 4].iter().all(|&other| slow[other] < slow[1] - 1000.0), "{slow:?}");
}

#[test]
fn blocks_that_overtake_each_other_have_nobody_told_again() {
    let rounds = |peers: u32| {
        let text = format!(
            r#"Scenario(
                name: "overtaken",
                market: (slots: 1, starts_at: "11h", open: (1, 1), mechanism: UniformPriceAuction(), gate_closure: "30s"),
                population: Synthetic(count: 12, pv_share: 0.4),
                network: (jitter: 0.5),
                ledger: (peers: {peers}, block: (timeout: "0s")),
            )"#
        );
        let log = run(&only_case(&written(&text, "")));
        assert_settled_once(&log);
        let [game] = log.games().collect::<Vec<_>>()[..] else { panic!("a slot has a game") };
        (game.outcome, game.rounds)
    };
    assert_eq!(rounds(4), rounds(1));
}

#[test]
fn who_registers_while_peers_endorse_that_there_is_no_market_is_told_so() {
    for posts in ["Every", "Last"] {
        let text = format!(
            r#"Scenario(
                name: "late",
                market: (slots: 1, starts_at: "12h", open: (1, 1)),
                population: Synthetic(count: 3, pv_share: 0.0),
                network: (delay: "9300ms", conditions: [
                    (at: "0s", lasting: "310s", what: Partition(from: Prosumer(3), to: Ledger, one_way: true)),
                ]),
                ledger: (peers: 3, posts: {posts}),
            )"#
        );
        let plan = written(&text, "");
        let log = run(&only_case(&plan));
        assert_conserved(&log, 1, 3);
        let outcomes: Vec<_> = log.games().map(|game| (game.outcome, game.admitted)).collect();
        assert_eq!(outcomes, [(Outcome::NoMarket, 2)]);
        assert_verifies(&plan);
    }
}

#[test]
fn what_comes_twice_to_a_peer_or_the_orderer_counts_once() {
    let refused = |duplication: f64| {
        let text = format!(
            r#"Scenario(
                name: "twice",
                seed: 308205,
                market: (slots: 1, slot_length: "10min", starts_at: "12h", open: (1, 1)),
                population: Synthetic(count: 3, pv_share: 0.5),
                activation: LockStep(period: "1s"),
                network: (delay: "1s", links: [(from: Orderer, to: Ledger, duplication: {duplication:?})]),
                ledger: (peers: 2, block: (max_transactions: 1)),
            )"#
        );
        let log = run(&only_case(&written(&text, "")));
        assert_settled_once(&log);
        log.observed.iter().filter(|observed| matches!(observed.what, Observation::Refused(_))).count()
    };
    assert_eq!(refused(0.9), refused(0.0));
}
