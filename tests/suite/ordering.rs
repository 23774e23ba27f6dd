//! The ordering contract of the runtime, clause by clause, on actors that do nothing but gossip.

use microgrid_agents::{
    actor::{Actor, Context, Wake},
    ids::ActorId,
    message::Message,
    observation::{Observation, Observed},
    time::Time,
};
use microgrid_sim::{
    agents::{actor::MarketProtocol, ids::FIRST_PROSUMER},
    network::{Change, Condition, Crash, Delay, Incident, Link, Members, Memory, Network, Quality, Route, Timing},
    runtime::{self, Failure, Host, RuntimeError, Shards, Traffic, WatchError, Watcher},
};
use rand::RngExt;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Keeps everything it is shown, as text.
#[derive(Default)]
pub(crate) struct Notebook {
    pub(crate) lines: Vec<String>,
    messages: u64,
}

impl Watcher<MarketProtocol> for Notebook {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.lines.extend(observed.drain(..).map(|o| format!("{} {} {:?}", o.time.0, o.actor.0, o.what)));
        self.messages += traffic.sent;
        Ok(())
    }
}

pub(crate) fn host(delay: Duration, loss: f64, shards: Shards) -> Host {
    Host {
        seed: 2023,
        network: Network::uniform(Quality { loss, ..Quality::delayed(Delay::Constant(delay)) }),
        shards,
        stall_after: Duration::from_secs(10),
        interrupted: Arc::default(),
        homes: None,
    }
}

/// Passes each message on to two actors of its choice until it has made enough hops; also wakes itself now and then.
#[derive(Debug)]
struct Gossip {
    others: u32,
    hops: u32,
}

impl Gossip {
    fn pass_on(&self, hop: u32, context: &mut Context<'_>) {
        if hop < self.hops {
            for _ in 0..2 {
                let to = ActorId(context.random().random_range(0..self.others));
                context.send(to, Message::MeterRecorded(hop + 1));
            }
            let pause = Duration::from_micros(context.random().random_range(0..3) * 500);
            context.wake_after(pause, Wake::SlotBegins(hop));
        }
    }
}

impl Actor<MarketProtocol> for Gossip {
    fn start(&mut self, context: &mut Context<'_>) {
        self.pass_on(0, context);
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let Message::MeterRecorded(hop) = message else { return };
        context.observe(Observation::Decided(hop, Duration::from_nanos(from.0.into()), 1));
        self.pass_on(hop, context);
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        let Wake::SlotBegins(hop) = wake else { return };
        context.observe(Observation::Decided(hop, Duration::MAX, 1));
    }

    fn name(&self) -> String {
        "gossip".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

fn gossip(delay: Duration, loss: f64, shards: Shards) -> Notebook {
    gossip_on(&host(delay, loss, shards))
}

pub(crate) fn gossip_on(host: &Host) -> Notebook {
    let actors = (0..23).map(|_| Box::new(Gossip { others: 23, hops: 7 }) as Box<dyn Actor<MarketProtocol>>).collect();
    let (notebook, result) = runtime::run(actors, host, Notebook::default());
    result.expect("gossip ends by itself");
    notebook
}

#[test]
fn what_every_actor_sees_does_not_depend_on_the_shards() {
    for (delay, loss) in [(0, 0.0), (1_000, 0.0), (1_000, 0.2), (7, 0.1)] {
        let delay = Duration::from_micros(delay);
        let reference = gossip(delay, loss, Shards::Fixed(1));
        assert!(reference.lines.len() > 1_000, "gossip spreads: {} lines", reference.lines.len());
        for shards in [Shards::PerActor, Shards::PerCore, Shards::Fixed(2), Shards::Fixed(3), Shards::Fixed(8)] {
            let other = gossip(delay, loss, shards);
            assert_eq!(reference.messages, other.messages);
            assert!(reference.lines == other.lines, "{shards:?} with delay {delay:?} and loss {loss} differs");
        }
    }
}

/// Everything that can befall a message or an actor, with this base.
pub(crate) fn eventful(base: Quality) -> Network {
    let micros = |micros: u64| Time(micros * 1_000);
    let often = |at, lasting, every| Timing {
        at: micros(at),
        lasting: Some(Duration::from_micros(lasting)),
        every: Some(Duration::from_micros(every)),
    };
    let few = Members::group([3, 7, 11].map(ActorId));
    let route = |from, to| Route { from, to, one_way: true };
    let slow = Delay::LogNormal { min: Duration::ZERO, median: Duration::from_micros(700), sigma: 0.5 };
    let slower = Change { delay: Some(slow), duplication: Some(0.5), ..Change::default() };
    let lossy = Change { loss: Some(0.5), jitter: Some(1.0), ..Change::default() };
    Network {
        links: vec![Link { route: route(few.clone(), Members::Everybody), change: slower }],
        conditions: vec![
            Condition {
                timing: often(500, 300, 1_500),
                what: Incident::Partition(route(Members::Range(FIRST_PROSUMER.0..u32::MAX), few)),
            },
            Condition {
                timing: often(0, 100, 900),
                what: Incident::Change(Link {
                    route: route(Members::One(ActorId(1)), Members::Everybody),
                    change: lossy,
                }),
            },
        ],
        crashes: vec![
            Crash { timing: often(700, 400, 2_000), who: Members::One(ActorId(0)), memory: Memory::Kept },
            Crash {
                timing: often(900, 500, 1_700),
                who: Members::Range(FIRST_PROSUMER.0..u32::MAX),
                memory: Memory::Lost,
            },
        ],
        ends: micros(10_000),
        ..Network::uniform(base)
    }
}

#[test]
fn whatever_befalls_messages_and_actors_does_not_depend_on_the_shards_either() {
    let (short, long) = (Duration::from_micros(300), Duration::from_micros(900));
    for delay in [
        Delay::Uniform { min: Duration::ZERO, max: long },
        Delay::Exponential { min: short, mean: long },
        Delay::Constant(Duration::ZERO),
    ] {
        let network = eventful(Quality { delay, jitter: 0.3, loss: 0.05, duplication: 0.1 });
        let on = |shards| gossip_on(&Host { network: network.clone(), ..host(Duration::ZERO, 0.0, shards) });
        let reference = on(Shards::Fixed(1));
        assert!(reference.lines.len() > 1_000, "gossip spreads: {} lines", reference.lines.len());
        for shards in [Shards::PerActor, Shards::PerCore, Shards::Fixed(2), Shards::Fixed(3), Shards::Fixed(8)] {
            assert!(reference.lines == on(shards).lines, "{shards:?} with {delay:?} differs");
        }
    }
}

/// Sends numbered messages to actor 0 at the start, and logs what it receives.
#[derive(Debug)]
struct Caller {
    calls: u32,
}

impl Actor<MarketProtocol> for Caller {
    fn start(&mut self, context: &mut Context<'_>) {
        for n in 0..self.calls {
            context.send(ActorId(0), Message::MeterRecorded(n));
        }
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let Message::MeterRecorded(n) = message else { return };
        context.observe(Observation::Decided(n, Duration::from_nanos(from.0.into()), 1));
    }

    fn wake(&mut self, _: Wake, _: &mut Context<'_>) {}

    fn name(&self) -> String {
        "caller".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

#[test]
fn messages_of_one_sender_to_one_instant_arrive_in_the_order_sent() {
    let actors = (0..6)
        .map(|n| Box::new(Caller { calls: if n == 0 { 0 } else { 4 } }) as Box<dyn Actor<MarketProtocol>>)
        .collect();
    let (notebook, _) = runtime::run(actors, &host(Duration::ZERO, 0.0, Shards::Fixed(2)), Notebook::default());
    assert_eq!(notebook.lines.len(), 20);
    for sender in notebook.lines.chunks(4) {
        let numbers: Vec<&str> = sender.iter().map(|line| line.split("Decided(").nth(1).unwrap_or_default()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        let from = |line: &str| line.split(", ").nth(1).map(str::to_string);
        assert!(numbers.iter().all(|line| from(line) == from(numbers[0])), "one sender's stay together: {numbers:?}");
    }
}

/// On its first message sends one on; a message that takes no time arrives in the next wave of the same instant.
#[derive(Debug)]
struct Relay {
    next: Option<ActorId>,
    calls_at_start: bool,
}

impl Actor<MarketProtocol> for Relay {
    fn start(&mut self, context: &mut Context<'_>) {
        if self.calls_at_start {
            context.wake_after(Duration::ZERO, Wake::SlotBegins(1));
            context.send(self.next.expect("a caller has somebody to call"), Message::MeterRecorded(1));
        }
    }

    fn receive(&mut self, _: ActorId, message: Message, context: &mut Context<'_>) {
        let Message::MeterRecorded(hop) = message else { return };
        context.observe(Observation::SlotClosed(hop));
        if let Some(next) = self.next {
            context.send(next, Message::MeterRecorded(hop + 1));
        }
    }

    fn wake(&mut self, _: Wake, context: &mut Context<'_>) {
        context.observe(Observation::SlotClosed(100));
    }

    fn name(&self) -> String {
        "relay".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

#[test]
fn a_hop_without_delay_takes_no_time_but_comes_a_wave_later() {
    let relay = |next: u32| {
        Box::new(Relay { next: Some(ActorId(next)), calls_at_start: next == 1 }) as Box<dyn Actor<MarketProtocol>>
    };
    for shards in [Shards::PerActor, Shards::Fixed(2)] {
        // 0 calls 1 and wakes itself; 1 calls 2, 2 calls 3. All within the instant zero.
        let last = Box::new(Relay { next: None, calls_at_start: false });
        let (notebook, _) = runtime::run(
            vec![relay(1), relay(2), relay(3), last],
            &host(Duration::ZERO, 0.0, shards),
            Notebook::default(),
        );
        assert_eq!(
            notebook.lines,
            ["0 0 SlotClosed(100)", "0 1 SlotClosed(1)", "0 2 SlotClosed(2)", "0 3 SlotClosed(3)"]
        );
    }
}

#[test]
fn the_loss_of_messages_leaves_behaviour_draws_untouched() {
    // The first actor that draws does so at the start, before any message: its draws are the same whatever the network.
    let first_pauses = |loss| {
        let notebook = gossip(Duration::from_millis(1), loss, Shards::Fixed(1));
        let of_start = notebook.lines.into_iter().filter(|line| line.contains("Decided(0"));
        of_start.collect::<Vec<_>>()
    };
    assert_eq!(first_pauses(0.0), first_pauses(0.9));
}

/// Waits for something that never comes, perhaps asking for it forever.
#[derive(Debug)]
pub(crate) struct Hopeful {
    pub(crate) asks_again: bool,
}

impl Actor<MarketProtocol> for Hopeful {
    fn start(&mut self, context: &mut Context<'_>) {
        self.wake(Wake::Retry(1), context);
    }

    fn receive(&mut self, _: ActorId, _: Message, _: &mut Context<'_>) {}

    fn wake(&mut self, _: Wake, context: &mut Context<'_>) {
        if self.asks_again {
            context.wake_after(Duration::from_secs(1), Wake::Retry(1));
        }
    }

    fn name(&self) -> String {
        "hopeful".into()
    }

    fn waiting_for(&self) -> Option<String> {
        Some("an answer from nobody".into())
    }
}

fn hopeful(asks_again: bool) -> RuntimeError {
    let actors: Vec<Box<dyn Actor<MarketProtocol>>> =
        vec![Box::new(Caller { calls: 0 }), Box::new(Hopeful { asks_again })];
    let host = host(Duration::from_millis(1), 0.0, Shards::PerActor);
    let (_, result) = runtime::run(actors, &host, Notebook::default());
    result.expect_err("nobody answers")
}

#[test]
fn a_deadlock_is_reported_with_who_waits_for_what() {
    let error = hopeful(false);
    assert!(matches!(&error, RuntimeError::Deadlock { waiting, .. } if waiting.len() == 1), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("hopeful waits for an answer from nobody"), "{said}");
}

#[test]
fn endless_repeating_without_progress_is_reported_as_stalled() {
    let error = hopeful(true);
    assert!(matches!(error, RuntimeError::Stalled { .. }), "{error:?}");
    assert!(error.to_string().starts_with("stalled at 00:00:11.000: no slot has closed since 00:00:00.000"), "{error}");
}

/// Does what no actor may.
#[derive(Debug)]
pub(crate) enum Wicked {
    Panics,
    SendsAstray,
    NeverEnds,
}

impl Actor<MarketProtocol> for Wicked {
    fn start(&mut self, context: &mut Context<'_>) {
        match self {
            Self::Panics => panic!("on purpose"),
            Self::SendsAstray => context.send(ActorId(99), Message::MeterRecorded(0)),
            Self::NeverEnds => self.wake(Wake::Retry(1), context),
        }
    }

    fn receive(&mut self, _: ActorId, _: Message, _: &mut Context<'_>) {}

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        context.wake_after(Duration::ZERO, wake);
    }

    fn name(&self) -> String {
        "wicked".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

/// Panics at what it is shown.
struct Squeamish;

impl Watcher<MarketProtocol> for Squeamish {
    fn window(&mut self, _: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        panic!("cannot look")
    }
}

#[test]
fn a_watcher_that_panics_ends_the_run_with_an_error() {
    let actors: Vec<Box<dyn Actor<MarketProtocol>>> = vec![Box::new(Caller { calls: 0 })];
    let (_, result) = runtime::run(actors, &host(Duration::ZERO, 0.0, Shards::PerActor), Squeamish);
    let said = result.expect_err("it panics").to_string();
    assert!(said.starts_with("the watcher panicked: cannot look (tests/suite/ordering.rs:"), "{said}");
}

#[test]
fn a_faulty_actor_ends_the_run_with_an_error_and_never_hangs_it() {
    for shards in [Shards::PerActor, Shards::Fixed(2)] {
        let run = |wicked: Wicked| {
            let actors: Vec<Box<dyn Actor<MarketProtocol>>> = vec![Box::new(Caller { calls: 0 }), Box::new(wicked)];
            runtime::run(actors, &host(Duration::from_millis(1), 0.0, shards), Notebook::default()).1
        };
        let said = run(Wicked::Panics).expect_err("it panics").to_string();
        assert!(said.starts_with("wicked panicked: on purpose (tests/suite/ordering.rs:"), "{said}");
        let astray = run(Wicked::SendsAstray).expect_err("nobody lives there");
        let nobody = Failure::NoRecipient { from: ActorId(1), to: ActorId(99) };
        assert!(matches!(astray, RuntimeError::Failed(failure) if failure == nobody));
        let endless = run(Wicked::NeverEnds).expect_err("time does not pass");
        assert!(matches!(endless, RuntimeError::Failed(Failure::Livelock { actor: ActorId(1), .. })));
    }
}

#[test]
fn an_interrupted_run_ends_at_the_next_window() {
    let host = host(Duration::from_millis(1), 0.0, Shards::PerActor);
    host.interrupted.store(true, Ordering::Relaxed);
    let actors: Vec<Box<dyn Actor<MarketProtocol>>> = vec![Box::new(Hopeful { asks_again: true })];
    let (_, result) = runtime::run(actors, &host, Notebook::default());
    assert!(matches!(result, Err(RuntimeError::Interrupted)));
}
