//! What befalls messages on the way and actors at home: partitions, slow links, jitter, crashes; and that a market
//! comes through it the same whatever the shards.

use crate::{
    determinism::{ALL_SHARDS, assert_same_whatever_the_shards},
    support::{Log, only_case, recorded, run, shipped},
};
use assert_cmd::Command;
use microgrid_agents::{
    actor::{Actor, Context, Wake},
    chain::refusal::Refusal,
    ids::ActorId,
    market::step::StepSize,
    message::Message,
    observation::{Observation, Observed, Refused},
    statement::Outcome,
    time::Time,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    network::{Change, Condition, Crash, Delay, Incident, Link, Members, Memory, Network, Quality, Route, Timing},
    runtime::{self, Host, Shards, Traffic, WatchError, Watcher},
    scenario::{
        Plan,
        schema::{self, Condition as Described, Who},
    },
};
use std::{sync::Arc, time::Duration};

const SECOND: u64 = 1_000_000_000;

/// Once a second sends the number of the second to all others, up to `ticks` times, and tells all that happens to it.
#[derive(Debug)]
struct Ticker {
    others: Vec<ActorId>,
    ticks: u32,
}

/// The number with which a ticker goes on after it has lost its memory.
const RESTARTED: u32 = 100;

impl Actor<MarketProtocol> for Ticker {
    fn start(&mut self, context: &mut Context<'_>) {
        self.wake(Wake::Act(0), context);
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let Message::MeterRecorded(tick) = message else { return };
        context.observe(Observation::Decided(tick, Duration::from_secs(from.0.into()), 1));
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        let Wake::Act(tick) = wake else { return };
        if tick % RESTARTED < self.ticks {
            context.observe(Observation::SlotClosed(tick));
            self.others.iter().for_each(|&to| context.send(to, Message::MeterRecorded(tick)));
            context.wake_after(Duration::from_secs(1), Wake::Act(tick + 1));
        }
    }

    fn restart(&mut self, context: &mut Context<'_>) {
        self.wake(Wake::Act(RESTARTED), context);
    }

    fn name(&self) -> String {
        "ticker".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

/// What happened, as (time [ms], actor, tick): ticks done, and ticks heard with the sender.
#[derive(Default)]
pub(crate) struct Notes {
    done: Vec<(u64, u32, u32)>,
    heard: Vec<(u64, u32, u32, u64)>,
    pub(crate) traffic: Traffic,
}

impl Watcher<MarketProtocol> for Notes {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        for Observed { time, actor, what } in observed.drain(..) {
            let time = time.0 / 1_000_000;
            match what {
                Observation::SlotClosed(tick) => self.done.push((time, actor.0, tick)),
                Observation::Decided(tick, from, _) => self.heard.push((time, actor.0, tick, from.as_secs())),
                _ => {}
            }
        }
        self.traffic += traffic;
        Ok(())
    }
}

impl Notes {
    /// Which ticks of `from` the actor `at` heard, in the order of their arrival.
    pub(crate) fn heard(&self, at: u32, from: u64) -> Vec<u32> {
        self.heard.iter().filter(|h| (h.1, h.3) == (at, from)).map(|h| h.2).collect()
    }

    /// Which ticks an actor did, and when [ms].
    pub(crate) fn done(&self, actor: u32) -> Vec<(u64, u32)> {
        self.done.iter().filter(|done| done.1 == actor).map(|done| (done.0, done.2)).collect()
    }
}

/// So many tickers, each of which tells all others ten times.
pub(crate) fn tickers(actors: u32) -> Vec<Box<dyn Actor<MarketProtocol>>> {
    let others = |n| (0..actors).filter(|&other| other != n).map(ActorId).collect();
    (0..actors).map(|n| Box::new(Ticker { others: others(n), ticks: 10 }) as Box<dyn Actor<MarketProtocol>>).collect()
}

fn tick(actors: u32, network: Network) -> Notes {
    let host = Host {
        seed: 2023,
        network,
        shards: Shards::Fixed(2),
        stall_after: Duration::from_secs(1000),
        interrupted: Arc::default(),
        homes: None,
    };
    let (notes, result) = runtime::run(tickers(actors), &host, Notes::default());
    result.expect("tickers end by themselves");
    notes
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn constant(delay: u64) -> Network {
    Network::uniform(Quality::delayed(Delay::Constant(millis(delay))))
}

/// From and how long [s], and perhaps after how long again.
pub(crate) fn timing(at: u64, lasting: u64, every: Option<u64>) -> Timing {
    Timing { at: Time(at * SECOND), lasting: Some(Duration::from_secs(lasting)), every: every.map(Duration::from_secs) }
}

fn one(actor: u32) -> Members {
    Members::One(ActorId(actor))
}

pub(crate) fn partition(timing: Timing, one_way: bool) -> Condition {
    Condition { timing, what: Incident::Partition(Route { from: one(0), to: one(1), one_way }) }
}

fn ticks_but(lost: &[u32]) -> Vec<u32> {
    (0..10).filter(|tick| !lost.contains(tick)).collect()
}

#[test]
fn a_one_way_partition_stops_one_direction_only() {
    let notes = tick(3, Network { conditions: vec![partition(timing(2, 3, None), true)], ..constant(10) });
    assert_eq!(notes.heard(1, 0), ticks_but(&[2, 3, 4]));
    assert_eq!(notes.heard(0, 1), ticks_but(&[]));
    assert_eq!(notes.heard(2, 0), ticks_but(&[]), "others hear everything");
    let notes = tick(3, Network { conditions: vec![partition(timing(2, 3, None), false)], ..constant(10) });
    assert_eq!(notes.heard(1, 0), ticks_but(&[2, 3, 4]));
    assert_eq!(notes.heard(0, 1), ticks_but(&[2, 3, 4]));
}

#[test]
fn what_is_under_way_when_a_partition_begins_arrives() {
    let notes = tick(2, Network { conditions: vec![partition(timing(2, 3, None), true)], ..constant(2500) });
    // What was sent at 0 and 1 s arrives within the partition, at 2.5 and 3.5 s.
    assert_eq!(notes.heard(1, 0), ticks_but(&[2, 3, 4]));
}

#[test]
fn an_outage_recurs() {
    let notes = tick(2, Network { conditions: vec![partition(timing(1, 1, Some(4)), true)], ..constant(10) });
    assert_eq!(notes.heard(1, 0), ticks_but(&[1, 5, 9]));
    assert_eq!(notes.traffic, Traffic { sent: 20, lost: 3, duplicated: 0 });
}

#[test]
fn a_group_is_slow_on_its_links_only_and_only_while_the_change_lasts() {
    let far = Members::group([ActorId(1), ActorId(2)]);
    let change = |delay| Change { delay: Some(Delay::Constant(millis(delay))), ..Change::default() };
    let link = |delay| Link { route: Route { from: far.clone(), to: one(3), one_way: false }, change: change(delay) };
    let condition = Condition { timing: timing(5, 2, None), what: Incident::Change(link(900)) };
    let notes = tick(4, Network { links: vec![link(300)], conditions: vec![condition], ..constant(10) });
    for &(time, to, tick, from) in &notes.heard {
        let is_far = (to == 3 && (from == 1 || from == 2)) || (from == 3 && (to == 1 || to == 2));
        let expected = if !is_far {
            10
        } else if (5..7).contains(&tick) {
            900
        } else {
            300
        };
        assert_eq!(time - u64::from(tick) * 1000, expected, "{from} to {to} at {tick} s");
    }
    assert_eq!(notes.heard.len(), 4 * 3 * 10);
}

#[test]
fn jitter_reorders_and_duplication_doubles() {
    let base = Quality { jitter: 0.9, duplication: 0.5, ..Quality::delayed(Delay::Constant(millis(3000))) };
    let notes = tick(2, Network::uniform(base));
    let heard = notes.heard(1, 0);
    assert!(!heard.is_sorted(), "{heard:?}");
    assert_eq!(heard.len() + notes.heard(0, 1).len(), 20 + notes.traffic.duplicated as usize);
    assert!((3..18).contains(&notes.traffic.duplicated), "{:?}", notes.traffic);
}

#[test]
fn whatever_is_sent_or_copied_arrives_or_counts_as_lost() {
    let network = Network {
        conditions: vec![partition(timing(1, 2, Some(5)), true)],
        crashes: vec![Crash { timing: timing(4, 2, None), who: one(2), memory: Memory::Kept }],
        ..Network::uniform(Quality {
            loss: 0.2,
            duplication: 0.3,
            jitter: 0.5,
            delay: Delay::Exponential { min: millis(10), mean: millis(700) },
        })
    };
    let notes = tick(5, network);
    let Traffic { sent, lost, duplicated } = notes.traffic;
    assert_eq!(sent, notes.done.len() as u64 * 4);
    assert_eq!(sent + duplicated, notes.heard.len() as u64 + lost);
    assert!(lost > 20 && duplicated > 20, "{:?}", notes.traffic);
}

fn crash(timing: Timing, memory: Memory) -> Crash {
    Crash { timing, who: one(2), memory }
}

fn crashing(crashes: Vec<Crash>, ends: u64) -> Network {
    Network { crashes, ends: Time(ends * SECOND), ..constant(10) }
}

#[test]
fn whoever_crashes_hears_nothing_and_does_what_was_due_when_it_is_up_again() {
    let half_past = Timing { at: Time(SECOND * 5 / 2), ..timing(0, 3, None) };
    let notes = tick(3, crashing(vec![crash(half_past, Memory::Kept)], 100));
    let ticks = [(0, 0), (1000, 1), (2000, 2), (5500, 3), (6500, 4), (7500, 5)];
    assert_eq!(notes.done(2)[..6], ticks, "the tick of 3 s waits until 5.5 s");
    assert_eq!(notes.heard(2, 0), ticks_but(&[3, 4, 5]));
    assert_eq!(notes.heard(0, 2), ticks_but(&[]));
    assert_eq!(notes.traffic, Traffic { sent: 60, lost: 6, duplicated: 0 });
}

#[test]
fn whoever_loses_its_memory_restarts_and_is_never_woken_by_what_it_asked_for_before() {
    let lost = crash(Timing { at: Time(SECOND * 5 / 2), ..timing(0, 3, None) }, Memory::Lost);
    let notes = tick(3, crashing(vec![lost], 100));
    let expected: Vec<_> = (0..3).map(|n| (n * 1000, n as u32)).collect();
    let again = (0..10).map(|n| (5500 + n * 1000, RESTARTED + n as u32));
    assert_eq!(notes.done(2), expected.into_iter().chain(again).collect::<Vec<_>>());
    // A short crash: the wake-up for 3 s was asked for before it, and falls due after it.
    let half_past = Timing { at: Time(SECOND * 5 / 2), ..timing(0, 1, None) };
    let short = Timing { lasting: Some(millis(100)), ..half_past };
    let notes = tick(3, crashing(vec![crash(short, Memory::Lost)], 100));
    assert_eq!(notes.done(2)[2..5], [(2000, 2), (2600, RESTARTED), (3600, RESTARTED + 1)]);
}

#[test]
fn overlapping_crashes_end_together_and_take_the_memory_if_one_of_them_does() {
    let crashes = vec![
        crash(timing(2, 4, None), Memory::Kept),
        crash(timing(3, 1, None), Memory::Lost),
        crash(timing(6, 1, None), Memory::Kept),
    ];
    let notes = tick(3, crashing(crashes, 100));
    // The tick of 2 s falls due as the first begins.
    assert_eq!(notes.done(2)[..3], [(0, 0), (1000, 1), (7000, RESTARTED)]);
    assert_eq!(notes.heard(2, 0), [0, 1, 7, 8, 9]);
}

#[test]
fn recurring_crashes_end_with_the_run_and_everybody_begins() {
    let notes = tick(3, crashing(vec![crash(timing(0, 1, Some(3)), Memory::Lost)], 7));
    let restarts: Vec<_> = notes.done(2).into_iter().filter(|done| done.1 == RESTARTED).collect();
    assert_eq!(restarts, [(1000, RESTARTED), (4000, RESTARTED), (7000, RESTARTED)]);
    assert_eq!(notes.done(2)[0], (0, 0), "what happens at the start happens even so");
}

/// The flagship on a network on which everything happens.
fn eventful() -> Plan {
    let mut plan = shipped("5_prosumers.ron", &["mu=1"]);
    let hours = |hours: u64, seconds: u64| Duration::from_secs(hours * 3600 + seconds);
    let network = &mut plan.scenario.network;
    network.delay = Delay::Exponential { min: millis(5), mean: millis(60) };
    (network.jitter, network.loss, network.duplication) = (0.5, 0.05, 0.1);
    network.groups.insert("far".into(), schema::Members::Share(0.4));
    network.links.push(schema::Link {
        from: Who::Group("far".into()),
        to: Who::Ledger,
        one_way: false,
        delay: Some(Delay::LogNormal { min: Duration::ZERO, median: millis(100), sigma: 0.5 }),
        jitter: None,
        loss: None,
        duplication: None,
    });
    let cut = schema::Incident::Partition { from: Who::Prosumers, to: Who::Ledger, one_way: true };
    let crash = schema::Incident::Crash { who: Who::Group("far".into()), memory: Memory::Kept };
    let outage = schema::Incident::Crash { who: Who::Ledger, memory: Memory::Kept };
    network.conditions = vec![
        Described { at: hours(8, 20), lasting: Some(hours(0, 30)), every: Some(hours(1, 0)), what: cut },
        Described { at: hours(7, 10), lasting: Some(hours(0, 25)), every: Some(hours(2, 0)), what: crash },
        Described { at: hours(9, 40), lasting: Some(hours(0, 20)), every: Some(hours(3, 0)), what: outage },
    ];
    plan
}

#[test]
fn a_market_on_a_network_with_everything_is_the_same_whatever_the_shards() {
    assert_same_whatever_the_shards(&eventful(), &ALL_SHARDS[1..]);
}

#[test]
fn a_market_on_a_network_with_everything_settles_every_slot_once() {
    let log = run(&only_case(&eventful()));
    assert_eq!(log.closed(), 24);
    assert_eq!(log.prosumers().count(), 24 * 5);
    let (bought, sold) = log.prosumers().fold((0, 0), |(b, s), p| (b + p.trades.bought.0, s + p.trades.sold.0));
    assert_eq!(bought, sold);
    assert!(bought > 0);
    let refused = |refusal| {
        let is = |o: &&Observed| matches!(o.what, Observation::Refused(Refused { refusal: r, .. }) if r == refusal);
        log.observed.iter().filter(is).count()
    };
    assert!(refused(Refusal::OldVersion) > 0, "some posts arrive twice or after a later one");
}

#[test]
fn the_chains_of_a_market_on_a_network_with_everything_verify() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = recorded(&eventful(), root.path());
    Command::new(env!("CARGO_BIN_EXE_sim")).args(["ledger", "verify"]).arg(&folder).assert().success();
}

#[test]
fn jitter_of_several_periods_leaves_the_newest_post_of_everybody_standing() {
    let only_17 = |change: fn(&mut schema::Scenario)| {
        let mut case = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
        let scenario = Arc::make_mut(&mut case.scenario);
        scenario.market.open = (17, 17).into();
        case.open = scenario.market.open_slots();
        change(scenario);
        run(&case)
    };
    let reference = only_17(|_| {});
    let log = only_17(|scenario| {
        scenario.network.delay = Delay::Uniform { min: Duration::ZERO, max: millis(2500) };
        scenario.learning.replicator_step = StepSize::Scaled(0.03);
        scenario.learning.price_step = StepSize::Scaled(0.05);
    });
    let old = |o: &&Observed| matches!(o.what, Observation::Refused(Refused { refusal: Refusal::OldVersion, .. }));
    assert!(log.observed.iter().filter(old).count() > 100, "many posts are overtaken");
    let prices = |log: &Log| {
        let mut games = log.games();
        games.find_map(|game| game.state.as_ref().map(|state| (game.outcome, state.prices.clone()))).expect("a game")
    };
    let ((outcome, found), (_, expected)) = (prices(&log), prices(&reference));
    assert_eq!(outcome, Outcome::Equilibrium);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-3, "{found} instead of {expected}");
    }
}
