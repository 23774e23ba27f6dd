//! One message to many is the same as one to each, byte for byte, whatever befalls messages and actors; and events lie as
//! close together or as far apart as they like.

use crate::ordering::{eventful, gossip_on, host};
use microgrid_agents::{
    actor::{Actor, Context, Wake},
    chain::refusal::Refusal,
    ids::ActorId,
    message::Message,
    observation::{Observation, Observed},
    time::Time,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    network::{Crash, Delay, Members, Memory, Network, Quality, Timing},
    runtime::{self, Host, Shards, Traffic, WatchError, Watcher},
};
use rand::RngExt;
use std::{sync::Arc, time::Duration};

const CRIERS: u32 = 100;

/// Tells everybody its number three times, and one of them something else at once; whoever hears it may answer.
#[derive(Debug)]
struct Crier {
    everybody: Arc<[ActorId]>,
    one_by_one: bool,
}

impl Actor<MarketProtocol> for Crier {
    fn start(&mut self, context: &mut Context<'_>) {
        context.wake_after(Duration::ZERO, Wake::SlotBegins(1));
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let Message::MeterRecorded(cry) = message else { return };
        context.observe(Observation::Decided(cry, Duration::from_nanos(from.0.into()), 1));
        if cry > 0 && context.random().random_bool(0.05) {
            context.send(from, Message::MeterRecorded(0));
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        let Wake::SlotBegins(cry) = wake else { return };
        if self.one_by_one {
            self.everybody.iter().for_each(|&to| context.send(to, Message::MeterRecorded(cry)));
        } else {
            context.broadcast(&self.everybody, Message::MeterRecorded(cry));
        }
        let one = ActorId(context.random().random_range(0..CRIERS));
        context.send(one, Message::MeterRecorded(0));
        if cry < 3 {
            let pause = Duration::from_micros(context.random().random_range(0..3) * 250);
            context.wake_after(pause, Wake::SlotBegins(cry + 1));
        }
    }

    fn name(&self) -> String {
        "crier".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

/// What was observed, in order, and what became of all messages.
#[derive(Default, PartialEq)]
struct Heard {
    observed: Vec<String>,
    traffic: Traffic,
}

impl Watcher<MarketProtocol> for Heard {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.observed.extend(observed.drain(..).map(|o| format!("{} {} {:?}", o.time.0, o.actor.0, o.what)));
        self.traffic += traffic;
        Ok(())
    }
}

fn heard(network: &Network, shards: Shards, one_by_one: bool) -> Heard {
    // Somebody twice, and oneself.
    let everybody: Arc<[ActorId]> = (0..CRIERS).rev().chain([5]).map(ActorId).collect();
    let crier = |_| Box::new(Crier { everybody: Arc::clone(&everybody), one_by_one }) as Box<dyn Actor<MarketProtocol>>;
    let host = Host { network: network.clone(), ..host(Duration::ZERO, 0.0, shards) };
    let (heard, result) = runtime::run((0..CRIERS).map(crier).collect(), &host, Heard::default());
    result.expect("everybody falls silent");
    heard
}

/// A network in which every message takes as long, and where some are down at times.
fn regular(delay: Duration, crashes: bool) -> Network {
    let timing = Timing {
        at: Time(200_000),
        lasting: Some(Duration::from_micros(300)),
        every: Some(Duration::from_micros(700)),
    };
    let crash = |who, memory| Crash { timing, who, memory };
    let few = Members::group([3, 7, 11].map(ActorId));
    Network {
        crashes: if crashes {
            vec![crash(few, Memory::Lost), crash(Members::One(ActorId(0)), Memory::Kept)]
        } else {
            vec![]
        },
        ends: Time(10_000_000),
        ..Network::uniform(Quality::delayed(Delay::Constant(delay)))
    }
}

#[test]
fn a_broadcast_is_as_good_as_a_message_to_each() {
    let (short, long) = (Duration::from_micros(300), Duration::from_micros(900));
    let random = Delay::Uniform { min: short, max: long };
    for network in [
        regular(short, false),
        regular(short, true),
        regular(Duration::ZERO, true),
        Network::uniform(Quality { loss: 0.1, duplication: 0.1, ..Quality::delayed(random) }),
        eventful(Quality { jitter: 0.3, ..Quality::delayed(Delay::Constant(short)) }),
    ] {
        let each = heard(&network, Shards::Fixed(1), true);
        assert!(each.observed.len() > 20_000, "{} have heard", each.observed.len());
        for shards in [Shards::Fixed(1), Shards::Fixed(2), Shards::Fixed(3), Shards::Fixed(8), Shards::PerActor] {
            let all = heard(&network, shards, false);
            assert_eq!(all.traffic, each.traffic);
            assert!(all == each, "{shards:?} differs on {network:?}");
        }
    }
}

/// Hears of what others announce, and tells what it knows whenever it has something to do.
#[derive(Debug)]
struct Listener {
    others: Arc<[ActorId]>,
    /// Whether it tells each of the others by a message of its own.
    one_by_one: bool,
    knows: Vec<(ActorId, u32, Time)>,
}

impl Listener {
    fn hear(&mut self, from: ActorId, message: &Message, now: Time) {
        if let Message::MeterRecorded(number) = message {
            self.knows.push((from, *number, now));
        }
    }

    fn tell(&mut self, context: &mut Context<'_>) {
        for (from, number, at) in self.knows.drain(..) {
            context.observe(Observation::Decided(number, Duration::from_nanos(at.0 * 1_000 + u64::from(from.0)), 1));
        }
        context.observe(Observation::SlotClosed(0));
    }
}

impl Actor<MarketProtocol> for Listener {
    fn start(&mut self, context: &mut Context<'_>) {
        let pause = Duration::from_micros(context.random().random_range(0..3) * 100);
        context.wake_after(pause, Wake::SlotBegins(1));
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        if let Message::Refused(..) = message {
            return self.tell(context);
        }
        self.hear(from, &message, context.now());
    }

    fn take_in(&mut self, from: ActorId, message: &Message, arrived: Time) {
        self.hear(from, message, arrived);
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        let Wake::SlotBegins(turn) = wake else { return };
        self.tell(context);
        // Some have much to tell, and some hear of it late.
        if context.me().0.is_multiple_of(3) {
            for number in 0..context.random().random_range(0..4) {
                let news = Message::MeterRecorded(10 * turn + number);
                if self.one_by_one {
                    self.others.iter().for_each(|&to| context.send(to, news.clone()));
                } else {
                    context.announce(&self.others, news);
                }
                let one = self.others[context.random().random_range(0..self.others.len())];
                context.send(one, Message::Refused(1, Refusal::NotFinite));
            }
        }
        if turn < 30 {
            let pause = context.random().random_range(0..4) * 100 * u64::from(1 + context.me().0 % 50);
            context.wake_after(Duration::from_micros(pause), Wake::SlotBegins(turn + 1));
        }
    }

    fn name(&self) -> String {
        "listener".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}

/// What is announced waits until its receiver does something; nobody can tell.
#[test]
fn what_is_announced_is_known_as_soon_as_a_message_to_each_would_be() {
    let known = |network: &Network, shards, one_by_one| {
        // All but one in seven hear of it, in an order of its own.
        let others: Arc<[ActorId]> = (0..CRIERS).rev().filter(|id| id % 7 != 2).map(ActorId).collect();
        let listener = |_| {
            let listener = Listener { others: Arc::clone(&others), one_by_one, knows: Vec::new() };
            Box::new(listener) as Box<dyn Actor<MarketProtocol>>
        };
        let host = Host { network: network.clone(), ..host(Duration::ZERO, 0.0, shards) };
        let (heard, result) = runtime::run((0..CRIERS).map(listener).collect(), &host, Heard::default());
        result.expect("everybody falls silent");
        heard
    };
    let short = Duration::from_micros(300);
    for network in [regular(short, false), regular(Duration::ZERO, false), regular(short, true)] {
        let each = known(&network, Shards::Fixed(1), true);
        assert!(each.observed.len() > 50_000, "{} have heard", each.observed.len());
        for shards in [Shards::Fixed(1), Shards::Fixed(2), Shards::Fixed(3), Shards::PerActor] {
            let all = known(&network, shards, false);
            assert_eq!(all.traffic, each.traffic);
            assert!(all == each, "{shards:?} differs on {network:?}");
        }
    }
}

#[test]
fn hours_between_events_and_nanoseconds_of_lookahead_do_not_depend_on_the_shards() {
    let hours = Duration::from_secs(3 * 3600);
    for delay in [
        Delay::Uniform { min: Duration::from_nanos(1), max: hours },
        Delay::LogNormal { min: Duration::from_nanos(7), median: Duration::from_micros(1), sigma: 12.0 },
        Delay::Uniform { min: Duration::ZERO, max: Duration::from_nanos(3) },
    ] {
        let on = |shards| {
            let (network, stall_after) = (Network::uniform(Quality::delayed(delay)), 1_000 * hours);
            gossip_on(&Host { network, stall_after, ..host(Duration::ZERO, 0.0, shards) })
        };
        let reference = on(Shards::Fixed(1));
        for shards in [Shards::PerActor, Shards::Fixed(2), Shards::Fixed(8)] {
            assert!(reference.lines == on(shards).lines, "{shards:?} with {delay:?} differs");
        }
    }
}
