//! The runtime with a protocol that has nothing to do with a market: stations in a ring pass tokens on.

use microgrid_actor::{
    Actor, ActorId, Context, Observed, Protocol, Time,
    saved::{Unreadable, from_bytes, to_bytes},
};
use microgrid_network::{Delay, Network, Quality};
use microgrid_runtime::{
    self as runtime, Host, RuntimeError, Shards, Stretch, Traffic, WatchError, Watcher,
    fixtures::on_ranks,
    ranks::{Exchange, run_among},
    wall,
};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const STATIONS: u32 = 5;
const LAPS: u32 = 20;

#[derive(Clone, Copy, Debug)]
struct Ring;

/// A token of the station that has made it, after so many hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    maker: ActorId,
    hops: u32,
}

/// A token has been held for long enough.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PassOn(Token);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Seen {
    Held(Token),
    /// The first station's token has made this lap.
    Lap(u32),
}

impl Protocol for Ring {
    type Message = Token;
    type Wake = PassOn;
    type Observation = Seen;

    const MILESTONE: &'static str = "lap has been made";

    fn milestone(seen: &Seen) -> Option<u32> {
        if let Seen::Lap(lap) = seen { Some(*lap) } else { None }
    }

    fn is_checkpoint(_: &Seen) -> bool {
        false
    }
}

/// What one station does wrong, with a token that has made so many hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Keeps(u32),
    Panics(u32),
}

/// Makes a token, and holds each that it gets for a random time before it passes it on.
#[derive(Debug, Default)]
struct Station {
    flaw: Option<Flaw>,
    laps: u32,
    _alive: Arc<()>,
}

impl Station {
    fn pass_on(token: Token, context: &mut Context<'_, Ring>) {
        context.send(ActorId((context.me().0 + 1) % STATIONS), Token { hops: token.hops + 1, ..token });
    }
}

impl Actor<Ring> for Station {
    fn start(&mut self, context: &mut Context<'_, Ring>) {
        Self::pass_on(Token { maker: context.me(), hops: 0 }, context);
    }

    fn receive(&mut self, from: ActorId, token: Token, context: &mut Context<'_, Ring>) {
        assert_eq!((from.0 + 1) % STATIONS, context.me().0);
        context.observe(Seen::Held(token));
        if token.maker == context.me() {
            self.laps += 1;
            if token.maker == ActorId(0) {
                context.observe(Seen::Lap(self.laps));
            }
            if self.laps == LAPS {
                return;
            }
        }
        match self.flaw {
            Some(Flaw::Keeps(hops)) if hops == token.hops => {}
            Some(Flaw::Panics(hops)) if hops == token.hops => panic!("a token after {hops} hops"),
            _ => {
                let held = Duration::from_millis(context.random().random_range(0..30));
                context.wake_after(held, PassOn(token));
            }
        }
    }

    fn wake(&mut self, PassOn(token): PassOn, context: &mut Context<'_, Ring>) {
        Self::pass_on(token, context);
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(to_bytes(&self.laps))
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        self.laps = from_bytes(saved)?;
        Ok(())
    }

    fn name(&self) -> String {
        "station".into()
    }

    fn whereabouts(&self) -> Option<String> {
        (self.laps > 0).then(|| format!("after lap {}", self.laps))
    }

    fn waiting_for(&self) -> Option<String> {
        (self.laps < LAPS).then(|| format!("its token on lap {}", self.laps + 1))
    }
}

#[derive(Debug, Default)]
struct Log {
    seen: Vec<(Time, ActorId, Seen)>,
    traffic: Traffic,
    /// From where it goes on, and whether it keeps snapshots.
    from: Option<Vec<u8>>,
    keeps: bool,
    every: Duration,
    /// Whether it cannot take anything.
    refuses: bool,
    /// At which lap it has the run ended.
    ends: Option<(u32, Arc<AtomicBool>)>,
    /// How much it had seen at each snapshot.
    kept: Vec<(usize, Traffic, Vec<u8>)>,
}

impl Watcher<Ring> for Log {
    fn window(&mut self, observed: &mut Vec<Observed<Seen>>, traffic: Traffic) -> Result<(), WatchError> {
        if self.refuses && !observed.is_empty() {
            return Err("no more".into());
        }
        self.seen.extend(observed.drain(..).map(|Observed { time, actor, what }| (time, actor, what)));
        self.traffic += traffic;
        if let Some((lap, flag)) = &self.ends {
            flag.store(laps(self).last() >= Some(lap), Ordering::Relaxed);
        }
        Ok(())
    }

    fn snapshots_every(&self) -> Option<Duration> {
        self.keeps.then_some(self.every)
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Result<(), WatchError> {
        self.kept.push((self.seen.len(), self.traffic, snapshot));
        Ok(())
    }

    fn resumes_from(&mut self) -> Option<Vec<u8>> {
        self.from.take()
    }
}

/// The ring, in which station 3 may have a flaw.
fn ring(flaw: Option<Flaw>) -> Vec<Box<dyn Actor<Ring>>> {
    let station = |n| Box::new(Station { flaw: flaw.filter(|_| n == 3), ..Station::default() }) as Box<dyn Actor<Ring>>;
    (0..STATIONS).map(station).collect()
}

fn host(shards: Shards) -> Host {
    let delay = Delay::Uniform { min: Duration::from_millis(5), max: Duration::from_millis(40) };
    Host {
        seed: 7,
        network: Network::uniform(Quality::delayed(delay)),
        shards,
        stall_after: Duration::from_secs(10),
        interrupted: Arc::default(),
        homes: None,
    }
}

fn laps(log: &Log) -> Vec<u32> {
    log.seen.iter().filter_map(|(_, _, seen)| Ring::milestone(seen)).collect()
}

const ALL_SHARDS: [Shards; 4] = [Shards::Fixed(1), Shards::Fixed(2), Shards::Fixed(3), Shards::PerActor];

#[test]
fn every_token_goes_its_rounds_and_is_seen_the_same_whatever_the_shards() {
    let [first, others @ ..] = ALL_SHARDS.map(|shards| {
        let (log, result) = runtime::run(ring(None), &host(shards), Log::default());
        result.expect("every token comes home");
        log
    });
    assert_eq!(laps(&first), (1..=LAPS).collect::<Vec<_>>());
    assert_eq!(first.traffic, Traffic { sent: u64::from(STATIONS * STATIONS * LAPS), ..Traffic::default() });
    assert!(first.seen.is_sorted_by_key(|(time, actor, _)| (*time, *actor)));
    for other in others {
        assert_eq!((other.seen, other.traffic), (first.seen.clone(), first.traffic));
    }
}

/// The ring on so many ranks: what rank 0 has of it. The others have not seen anything.
fn among(
    ranks: usize,
    host: &Host,
    flaw: Option<Flaw>,
    log: impl Fn() -> Log + Sync,
) -> (Log, Result<(), RuntimeError>) {
    let endings = on_ranks(ranks, |mut exchange| {
        let is_home = |n: &u32| host.is_home(exchange.rank(), ranks, ActorId(*n));
        let actors = (0..).zip(ring(flaw)).filter(|(n, _)| is_home(n)).map(|(_, station)| station).collect();
        let log = if exchange.rank() == 0 { log() } else { Log::default() };
        run_among(actors, STATIONS as usize, host, Stretch::default(), &mut exchange, log)
    });
    let mut endings = endings.into_iter();
    let of_first = endings.next().expect("there is a rank");
    assert!(endings.all(|(log, _)| log.seen.is_empty() && log.kept.is_empty()));
    of_first
}

/// More ranks than stations too.
const ALL_RANKS: [usize; 4] = [1, 2, 3, 7];

#[test]
fn every_token_is_seen_the_same_whatever_the_ranks_and_homes() {
    let (one, _) = runtime::run(ring(None), &host(Shards::Fixed(1)), Log::default());
    for homes in [None, Some([0, 1, 1, 0, 2]), Some([3, 3, 3, 3, 3]), Some([4, 3, 2, 1, 0])] {
        let at_home = |shards| Host { homes: homes.map(|homes| homes.into()), ..host(shards) };
        for shards in ALL_SHARDS {
            let (log, result) = runtime::run(ring(None), &at_home(shards), Log::default());
            result.expect("every token comes home");
            assert_eq!((&log.seen, log.traffic), (&one.seen, one.traffic), "{homes:?} on {shards:?}");
        }
        for ranks in ALL_RANKS {
            let (log, result) = among(ranks, &at_home(Shards::Fixed(1)), None, Log::default);
            result.expect("every token comes home");
            assert_eq!((&log.seen, log.traffic), (&one.seen, one.traffic), "{homes:?} on {ranks} ranks");
        }
    }
}

#[test]
fn ranks_keep_the_snapshots_of_one_process_and_go_on_from_them() {
    let keeps = || Log { keeps: true, ..Log::default() };
    let host = quick(Shards::Fixed(1));
    let (one, _) = runtime::run(ring(None), &host, keeps());
    for ranks in ALL_RANKS {
        let (log, result) = among(ranks, &host, None, keeps);
        result.expect("every token comes home");
        assert!(log.kept == one.kept, "{} and {} snapshots", log.kept.len(), one.kept.len());
    }
    for (at, (kept, ranks)) in one.kept.iter().zip(ALL_RANKS.iter().cycle()).enumerate() {
        let (seen, traffic, snapshot) = kept;
        let goes_on =
            || Log { seen: one.seen[..*seen].to_vec(), traffic: *traffic, from: Some(snapshot.clone()), ..keeps() };
        let (log, result) = among(*ranks, &host, None, goes_on);
        result.expect("every token comes home");
        assert_eq!((&log.seen, log.traffic), (&one.seen, one.traffic), "snapshot {at}");
        assert_eq!(log.kept, one.kept[at + 1..]);
        let cut = || Log { from: Some(snapshot[..snapshot.len() / 2].to_vec()), ..Log::default() };
        assert!(matches!(among(*ranks, &host, None, cut).1, Err(RuntimeError::Snapshot(_))));
    }
}

#[test]
fn all_ranks_end_together_whatever_ends_the_run() {
    for ranks in ALL_RANKS {
        let on = |flaw| among(ranks, &host(Shards::Fixed(1)), flaw, Log::default);
        let said = on(Some(Flaw::Panics(13))).1.expect_err("somebody panics").to_string();
        assert!(
            said.starts_with("station panicked after lap ") && said.contains(": a token after 13 hops ("),
            "{said}"
        );
        let (log, result) = on(Some(Flaw::Keeps(13)));
        let said = result.expect_err("one token never comes home").to_string();
        assert!(said.ends_with("nothing more can happen, but station waits for its token on lap 3"), "{said}");
        assert_eq!(laps(&log), [1, 2]);
        let host = quick(Shards::Fixed(1));
        let at = || Log {
            keeps: true,
            every: Duration::from_secs(60),
            ends: Some((3, Arc::clone(&host.interrupted))),
            ..Log::default()
        };
        let (log, result) = among(ranks, &host, None, at);
        assert!(matches!(result, Err(RuntimeError::Interrupted)));
        assert!(log.kept.len() == 1 && log.kept[0].0 == log.seen.len(), "{:?}", laps(&log));
        let refuses = || Log { refuses: true, ..Log::default() };
        assert!(matches!(among(ranks, &quick(Shards::Fixed(1)), None, refuses).1, Err(RuntimeError::Watcher(_))));
    }
}

/// A ring whose tokens travel fast, so that often none is on its way.
fn quick(shards: Shards) -> Host {
    let delay = Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(2) };
    Host { network: Network::uniform(Quality::delayed(delay)), ..host(shards) }
}

#[test]
fn a_run_goes_on_from_any_of_its_snapshots_whatever_the_shards() {
    let [first, others @ ..] = ALL_SHARDS.map(|shards| {
        let (log, result) = runtime::run(ring(None), &quick(shards), Log { keeps: true, ..Log::default() });
        result.expect("every token comes home");
        log
    });
    assert!(first.kept.len() > 5, "{} snapshots", first.kept.len());
    assert!(others.iter().all(|other| other.kept == first.kept));
    let (without, _) = runtime::run(ring(None), &quick(Shards::Fixed(1)), Log::default());
    assert_eq!((&without.seen, without.traffic), (&first.seen, first.traffic), "snapshots change nothing");
    for ((kept, shards), at) in first.kept.iter().zip(ALL_SHARDS.iter().cycle()).zip(1..) {
        let (seen, traffic, snapshot) = kept.clone();
        let log =
            Log { seen: first.seen[..seen].to_vec(), traffic, from: Some(snapshot), keeps: true, ..Log::default() };
        let (log, result) = runtime::run(ring(None), &quick(*shards), log);
        result.expect("every token comes home");
        assert_eq!((log.seen, log.traffic), (first.seen.clone(), first.traffic), "snapshot {at}");
        assert_eq!(log.kept, first.kept[at..]);
    }
}

#[test]
fn an_interrupted_run_ends_with_a_snapshot_if_it_has_got_on_since_the_last() {
    for shards in ALL_SHARDS {
        let host = quick(shards);
        let log = || Log { keeps: true, every: Duration::from_secs(60), ..Log::default() };
        let at = Some((3, Arc::clone(&host.interrupted)));
        let (left, result) = runtime::run(ring(None), &host, Log { ends: at, ..log() });
        assert!(matches!(result, Err(RuntimeError::Interrupted)));
        let kept = &left.kept;
        assert!(laps(&left).len() >= 3 && kept.len() == 1 && kept[0].0 == left.seen.len(), "{:?}", laps(&left));
        // The flag is still set, and no lap is made.
        let (left, result) = runtime::run(ring(None), &host, log());
        assert!(matches!(result, Err(RuntimeError::Interrupted)) && left.kept.is_empty());
    }
}

#[test]
fn what_is_no_snapshot_of_such_a_run_is_refused_before_anything_happens() {
    let (log, _) = runtime::run(ring(None), &quick(Shards::Fixed(1)), Log { keeps: true, ..Log::default() });
    let (.., whole) = &log.kept[0];
    for end in 0..whole.len() {
        let log = Log { from: Some(whole[..end].to_vec()), ..Log::default() };
        let (log, result) = runtime::run(ring(None), &quick(Shards::Fixed(2)), log);
        assert!(matches!(result, Err(RuntimeError::Snapshot(_))) && log.seen.is_empty());
    }
    let mut fewer = ring(None);
    fewer.pop();
    let log = Log { from: Some(whole.clone()), ..Log::default() };
    let said = runtime::run(fewer, &quick(Shards::Fixed(1)), log).1.unwrap_err().to_string();
    assert_eq!(said, "cannot go on from the snapshot: it has 5 actors, and the run 4");
}

#[test]
fn a_token_that_is_kept_is_told_by_the_one_who_waits_for_it() {
    for shards in ALL_SHARDS {
        let (log, result) = runtime::run(ring(Some(Flaw::Keeps(13))), &host(shards), Log::default());
        // Station 0's own token makes its 13th hop to station 3.
        let error = result.expect_err("one token never comes home");
        let RuntimeError::Deadlock { waiting, .. } = &error else { panic!("{error}") };
        assert_eq!(waiting.iter().map(|one| one.who).collect::<Vec<_>>(), [ActorId(0)]);
        let said = error.to_string();
        assert!(said.ends_with("nothing more can happen, but station waits for its token on lap 3"), "{said}");
        assert_eq!(laps(&log), [1, 2]);
    }
}

#[test]
fn a_panic_names_who_where_and_why_in_either_time() {
    let ring = || ring(Some(Flaw::Panics(13)));
    let virtually = ALL_SHARDS.map(|shards| runtime::run(ring(), &host(shards), Log::default()).1);
    let pace = wall::Pace { speed: 100.0, last_milestone: LAPS };
    let by_the_machine_s_clock = wall::run(ring(), &host(Shards::Fixed(2)), pace, Log::default()).1;
    for result in virtually.into_iter().chain([by_the_machine_s_clock]) {
        let said = result.expect_err("somebody panics").to_string();
        let expected = ": a token after 13 hops (crates/runtime/tests/toy.rs:";
        assert!(said.starts_with("station panicked after lap ") && said.contains(expected), "{said}");
    }
}

#[test]
fn by_the_machine_s_clock_the_last_lap_ends_the_run() {
    let pace = wall::Pace { speed: 50.0, last_milestone: 12 };
    let (log, result) = wall::run(ring(None), &host(Shards::Fixed(3)), pace, Log::default());
    result.expect("the lap is made");
    assert!(laps(&log).starts_with(&(1..=12).collect::<Vec<_>>()));
    // Five hops of 5 ms or more each.
    assert!(log.seen.iter().all(|(time, _, seen)| {
        Ring::milestone(seen).is_none_or(|lap| *time >= Time::ZERO + Duration::from_millis(25) * lap)
    }));
}

#[test]
fn nobody_outlives_a_run() {
    let alive = Arc::new(());
    let ring = || -> Vec<Box<dyn Actor<Ring>>> {
        (0..STATIONS).map(|_| Box::new(Station { _alive: Arc::clone(&alive), ..Station::default() }) as _).collect()
    };
    for shards in ALL_SHARDS {
        runtime::run(ring(), &host(shards), Log::default()).1.expect("every token comes home");
        assert_eq!(Arc::strong_count(&alive), 1);
    }
    let pace = wall::Pace { speed: 50.0, last_milestone: 12 };
    wall::run(ring(), &host(Shards::Fixed(3)), pace, Log::default()).1.expect("the lap is made");
    assert_eq!(Arc::strong_count(&alive), 1);
}
