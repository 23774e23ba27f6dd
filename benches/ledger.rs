//! What the ledger costs: transactions per second to sign, to verify, to validate, to seal into blocks and to commit to
//! disk, and the ledger's share of a run of 500 prosumers.
//!
//! Two kinds of transaction stand for all: a buyer's choice among 50 sellers, and a meter reading with its invoice.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use microgrid_agents::{
    actor::{Actor, Context, Effect, Wake},
    chain::{
        block::{Block, Checkpoint, Head, Header, Recorded, SignedCheckpoint, commit_hash, data_hash},
        call::{Call, InvoiceTo, Proposal},
        fact::{Fact, Key, Number},
        hash::Digest,
        identity::{Claim, Party, SecretKey, verify},
        transaction::{Endorsement, Envelope, Outcome, Read, Version, Write},
    },
    ids::{ActorId, ChannelName, ProsumerId, Slot},
    message::Message,
    observation::{Observation, Observed},
    statement::{Choice, Invoice, MeterReading},
    streams::{Purpose, Stream, stream},
    time::Time,
    units::Energy,
};
use microgrid_sim::{
    agents::{
        actor::MarketProtocol,
        ids::{GRID, LEDGER},
    },
    ledger::store::Store,
    network::{Delay, Network, Quality},
    runtime::{self, Host, Shards, Traffic, WatchError, Watcher},
    scenario::{self, Case, Overrides},
    simulation::actors,
};
use rand::RngExt;
use serde_json::value::RawValue;
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const SEED: u64 = 2023;
const SLOT: Slot = 17;
const SELLERS: usize = 50;
const TRANSACTIONS: usize = 500;
const CHAIN: Digest = Digest([7; 32]);
const NOW: Time = Time(57_600_000_000_000);

/// Makes one kind of transaction on behalf of a prosumer.
type Make = fn(&mut Stream, &Member) -> Transaction;

/// The kinds of transaction that are measured.
const KINDS: [(&str, ChannelName, Make); 2] =
    [("choice", ChannelName::Information, choice), ("meter", ChannelName::Energy, meter)];

struct Member {
    number: Number,
    key: SecretKey,
}

struct Transaction {
    proposal: Box<RawValue>,
    endorsements: Vec<Endorsement>,
    reads: Vec<Read>,
    writes: Vec<Write>,
}

impl Transaction {
    fn new(member: &Member, call: Call, reads: Vec<Read>, writes: Vec<Write>) -> Self {
        let proposal = Proposal { creator: Party::Prosumer(member.number), call }.to_json();
        Self { proposal, endorsements: Vec::new(), reads, writes }
    }

    fn envelope(&self, member: &Member) -> String {
        let envelope = Envelope {
            submitted: NOW,
            proposal: self.proposal.clone(),
            signature: Some(member.key.sign(CHAIN, self.proposal.get())),
            endorsements: self.endorsements.clone(),
            reads: self.reads.clone(),
            outcome: Outcome::Writes(self.writes.clone()),
        };
        envelope.to_json()
    }
}

fn members() -> Vec<Member> {
    let member = |n| Member { number: n + 1, key: SecretKey::derive(SEED, ProsumerId(n).actor()) };
    (0..TRANSACTIONS as u32).map(member).collect()
}

fn choice(random: &mut Stream, member: &Member) -> Transaction {
    let weights: Vec<f64> = (0..SELLERS).map(|_| random.random_range(0.1..1.0)).collect();
    let sum: f64 = weights.iter().sum();
    let choice = Arc::new(Choice {
        slot: SLOT,
        version: 40,
        known: None,
        shares: weights.iter().map(|weight| weight / sum).collect(),
        purchases: (0..SELLERS).map(|_| random.random_range(0.5..3.0)).collect(),
        responsive: 1.0,
        change: random.random_range(0.0..1e-3),
        updates_at_rest: 0,
        answers: Time(NOW.0 - 530_000_000),
        quotes: Time(NOW.0 - 510_000_000),
        news_age: Duration::from_millis(510),
    });
    let key = Key::Choice(SLOT, member.number);
    let reads = vec![
        Read(Key::Closing(SLOT), None),
        Read(Key::Game(SLOT), Some(Version(412, 0))),
        Read(key, Some(Version(490, member.number))),
    ];
    let writes = vec![Write(key, Fact::Choice(Arc::clone(&choice)).to_json())];
    Transaction::new(member, Call::PostChoice(choice), reads, writes)
}

fn meter(random: &mut Stream, member: &Member) -> Transaction {
    let (generated, consumed) = (random.random_range(0..4_000_000), random.random_range(4_000_000..9_000_000));
    let reading = MeterReading {
        generated: Energy(generated),
        consumed: Energy(consumed),
        imported: Energy(consumed - generated),
        ..MeterReading::default()
    };
    let invoice =
        Invoice { slot: SLOT, charge: reading.imported.at_price(0.85), credit: reading.exported.at_price(0.45) };
    let (key, bill) = (Key::Meter(SLOT, member.number), Key::Invoice(SLOT, member.number));
    let reads = vec![
        Read(Key::Tariff(SLOT), Some(Version(80, 0))),
        Read(Key::Settlement(SLOT), Some(Version(83, 0))),
        Read(key, None),
        Read(Key::Account(SLOT, member.number), Some(Version(83, 0))),
    ];
    let writes = vec![Write(key, Fact::Meter(reading).to_json()), Write(bill, Fact::Invoice(invoice).to_json())];
    let mut transaction =
        Transaction::new(member, Call::RecordEnergy(SLOT, Box::new(reading), Some(invoice)), reads, writes);
    let text = InvoiceTo { party: Party::Prosumer(member.number), invoice }.to_json();
    let signature = SecretKey::derive(SEED, GRID).sign(CHAIN, &text);
    transaction.endorsements.push(Endorsement::new(Party::Grid, Some(signature)));
    transaction
}

/// One transaction a member, the same each time.
fn transactions(members: &[Member], make: Make) -> Vec<Transaction> {
    let mut random = stream(SEED, LEDGER, Purpose::Behaviour);
    members.iter().map(|member| make(&mut random, member)).collect()
}

/// A participant signs its proposal.
fn sign(criterion: &mut Criterion) {
    let members = members();
    let mut group = criterion.benchmark_group("sign");
    group.throughput(Throughput::Elements(1));
    for (name, _, make) in KINDS {
        let transactions = transactions(&members, make);
        let mut each = members.iter().zip(&transactions).cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (member, transaction) = each.next().expect("it goes on for ever");
                member.key.sign(CHAIN, black_box(transaction.proposal.get()))
            });
        });
    }
    group.finish();
}

/// The ledger checks the signatures of proposals, so many at once.
fn verify_together(criterion: &mut Criterion) {
    let members = members();
    let mut group = criterion.benchmark_group("verify");
    for (name, _, make) in KINDS {
        let transactions = transactions(&members, make);
        let claims = members.iter().zip(&transactions).map(|(member, transaction)| {
            let text = transaction.proposal.get();
            Claim { key: member.key.public(), text, signature: member.key.sign(CHAIN, text) }
        });
        let claims: Vec<Claim<'_>> = claims.collect();
        for count in [1, 10, 100, 500] {
            group.throughput(Throughput::Elements(count as u64));
            group.bench_with_input(BenchmarkId::new(name, count), &claims[..count], |bencher, claims| {
                bencher.iter(|| assert!(verify(CHAIN, black_box(claims)).into_iter().all(|holds| holds)));
            });
        }
    }
    group.finish();
}

/// The ledger seals a block of 500: data hash, header hash, commit hash.
fn seal(criterion: &mut Criterion) {
    let members = members();
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Elements(TRANSACTIONS as u64));
    for (name, channel, make) in KINDS {
        let transactions = transactions(&members, make);
        let envelopes = members.iter().zip(&transactions).map(|(member, transaction)| transaction.envelope(member));
        let envelopes: Vec<String> = envelopes.collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let data_hash = data_hash(black_box(&envelopes));
                let header =
                    Header { channel, number: 491, previous_hash: Some(CHAIN), data_hash, position: 600, time: NOW };
                let writes = transactions.iter().map(|transaction| (Ok(()), &transaction.writes[..]));
                (header.hash(), commit_hash(Some(CHAIN), &header, writes))
            });
        });
    }
    group.finish();
}

/// The ledger takes the meter readings of 500 prosumers, each with its own signature and the grid's under its invoice:
/// carries them out, checks all signatures, validates them in their order and seals their block.
fn validate(criterion: &mut Criterion) {
    let case = case();
    let mut group = criterion.benchmark_group("validate");
    group.throughput(Throughput::Elements(TRANSACTIONS as u64)).sample_size(20);
    group.bench_function("meter", |bencher| {
        bencher.iter_batched(
            || first_readings(&case),
            |(mut ledger, readings)| {
                let effects = readings.into_iter().flat_map(|(from, reading)| tell(&mut *ledger, from, reading));
                let sealed = effects.filter(|effect| matches!(effect, Effect::Observe(Observation::Sealed(_)))).count();
                assert_eq!(sealed, 1);
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// The ledger of a case in its first slot, in which the market is closed, and everybody's meter reading on its way to it.
fn first_readings(case: &Case) -> (Box<dyn Actor<MarketProtocol>>, Vec<(ActorId, Message)>) {
    let mut actors = actors(case).into_iter();
    let (mut ledger, mut grid) = (actors.next().expect("a ledger"), actors.next().expect("a grid"));
    with_context(LEDGER, |context| ledger.start(context));
    let tariff = sent(with_context(GRID, |context| grid.start(context)));
    let opened = sent(tariff.into_iter().flat_map(|(_, tariff)| tell(&mut *ledger, GRID, tariff)));
    let mut readings = Vec::new();
    for (mut prosumer, (address, opened)) in actors.zip(opened.into_iter().filter(|(to, _)| *to != GRID)) {
        let mut messages = sent(tell(&mut *prosumer, LEDGER, opened));
        while let Some((to, message)) = messages.pop() {
            match to {
                LEDGER => readings.push((address, message)),
                _ => {
                    let invoices = sent(tell(&mut *grid, address, message));
                    let answers = invoices.into_iter().flat_map(|(_, invoice)| tell(&mut *prosumer, to, invoice));
                    messages.extend(sent(answers));
                }
            }
        }
    }
    (ledger, readings)
}

fn tell(actor: &mut dyn Actor<MarketProtocol>, from: ActorId, message: Message) -> Vec<Effect> {
    with_context(LEDGER, |context| actor.receive(from, message, context))
}

fn with_context(me: ActorId, act: impl FnOnce(&mut Context<'_>)) -> Vec<Effect> {
    let mut effects = Vec::new();
    act(&mut Context::new(Time::ZERO, me, &mut stream(SEED, me, Purpose::Behaviour), &mut effects));
    effects
}

fn sent(effects: impl IntoIterator<Item = Effect>) -> Vec<(ActorId, Message)> {
    let sent = |effect| if let Effect::Send(to, message) = effect { Some((to, message)) } else { None };
    effects.into_iter().filter_map(sent).collect()
}

/// A block of 500 reaches the disk.
fn commit(criterion: &mut Criterion) {
    let members = members();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = SecretKey::derive(SEED, LEDGER);
    let mut group = criterion.benchmark_group("commit");
    group.throughput(Throughput::Elements(TRANSACTIONS as u64)).sample_size(20);
    for (name, channel, make) in KINDS {
        let recorded = members.iter().zip(transactions(&members, make)).map(|(member, transaction)| {
            let envelope = transaction.envelope(member);
            let length = envelope.len() as u64;
            Recorded { submitted: NOW, envelope, length, validity: Ok(()), writes: transaction.writes }
        });
        let data_hash = CHAIN;
        let header = Header { channel, number: 0, previous_hash: None, data_hash, position: 0, time: NOW };
        let mut block = Block { header, transactions: recorded.collect(), commit_hash: CHAIN };
        let heads = ChannelName::ALL.map(|channel| Head { channel, blocks: 1, header_hash: CHAIN, commit_hash: CHAIN });
        let checkpoint = Checkpoint { closed: 1, heads };
        let signature = key.sign(CHAIN, &checkpoint.to_json());
        let checkpoint = SignedCheckpoint { checkpoint, signature: Some(signature) };
        let mut store = Store::create(&folder.path().join(name)).expect("a new file");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                block.header.number += 1;
                store.insert(1, &block).expect("the block is new");
                store.commit(1, &checkpoint).expect("the disk has room");
            });
        });
    }
    group.finish();
}

/// A run of 500 prosumers who all know each other, one slot with a market and eleven without; and of it, what the ledger
/// takes as an actor, and what it takes to write its file. Nothing else is recorded.
fn share(criterion: &mut Criterion) {
    let case = case();
    let mut group = criterion.benchmark_group("share");
    group.sample_size(10);
    let parts: [(&str, Part); 3] =
        [("run", |parts| parts.run), ("ledger", |parts| parts.ledger), ("file", |parts| parts.file)];
    for (name, part) in parts {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|runs| (0..runs).map(|_| part(&run(&case))).sum());
        });
    }
    group.finish();
}

/// Picks a part of a run.
type Part = fn(&Parts) -> Duration;

/// How long the parts of a run took.
#[derive(Default)]
struct Parts {
    run: Duration,
    ledger: Duration,
    file: Duration,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn now() -> Instant {
    Instant::now()
}

fn run(case: &Case) -> Parts {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut actors = actors(case);
    let spent = Arc::new(AtomicU64::new(0));
    let ledger = actors.swap_remove(0);
    actors.push(Box::new(Timed { actor: ledger, spent: Arc::clone(&spent) }));
    let last = actors.len() - 1;
    actors.swap(0, last);
    let host = Host {
        seed: SEED,
        network: Network::uniform(Quality::delayed(Delay::Constant(Duration::from_millis(10)))),
        shards: Shards::Fixed(1),
        stall_after: Duration::from_secs(86_400),
        interrupted: Arc::default(),
        homes: None,
    };
    let store = Store::create(&folder.path().join("ledger.db")).expect("a new file");
    let begun = now();
    let (watcher, result) = runtime::run(actors, &host, Writer { store, spent: Duration::ZERO });
    result.expect("the case runs to its end");
    Parts { run: begun.elapsed(), ledger: Duration::from_nanos(spent.load(Ordering::Relaxed)), file: watcher.spent }
}

/// An actor whose time is taken.
#[derive(Debug)]
struct Timed {
    actor: Box<dyn Actor<MarketProtocol>>,
    /// [ns]
    spent: Arc<AtomicU64>,
}

impl Timed {
    fn time(&mut self, act: impl FnOnce(&mut dyn Actor<MarketProtocol>)) {
        let begun = now();
        act(&mut *self.actor);
        self.spent.fetch_add(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Actor<MarketProtocol> for Timed {
    fn start(&mut self, context: &mut Context<'_>) {
        self.time(|actor| actor.start(context));
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        self.time(|actor| actor.receive(from, message, context));
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        self.time(|actor| actor.wake(wake, context));
    }

    fn name(&self) -> String {
        self.actor.name()
    }

    fn waiting_for(&self) -> Option<String> {
        self.actor.waiting_for()
    }
}

/// Writes the ledger's file and nothing else.
struct Writer {
    store: Store,
    spent: Duration,
}

impl Watcher<MarketProtocol> for Writer {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        let begun = now();
        for observed in observed.drain(..) {
            match observed.what {
                Observation::Sealed(block) => self.store.insert(1, &block)?,
                Observation::Checkpoint(checkpoint) => self.store.commit(1, &checkpoint)?,
                _ => {}
            }
        }
        self.spent += begun.elapsed();
        Ok(())
    }
}

/// 500 prosumers, eleven slots without a market and one with.
fn case() -> Case {
    let text = format!(
        "Scenario(
            name: \"share\",
            market: (slots: 12, open: (12, 12)),
            population: Synthetic(count: {TRANSACTIONS}),
            learning: (tolerance: 1e-6),
        )"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("share.ron");
    std::fs::write(&path, text).expect("the scenario is written");
    let plan = scenario::load(&path, &Overrides::default()).expect("the scenario is valid");
    plan.cases().next().expect("a plan has a case")
}

criterion_group!(benches, sign, verify_together, validate, seal, commit, share);
criterion_main!(benches);
