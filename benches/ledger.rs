//! What the ledger costs: transactions per second to sign, to verify and to seal into blocks.
//!
//! Two kinds of transaction stand for all: a buyer's choice among 50 sellers, and a meter reading with its invoice.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use microgrid_agents::{
    chain::{
        block::{Header, commit_hash, data_hash},
        call::{Call, InvoiceTo, Proposal},
        fact::{Fact, Key, Number},
        hash::Digest,
        identity::{Claim, Party, SecretKey, verify},
        transaction::{Endorsement, Envelope, Outcome, Read, Version, Write},
    },
    ids::{ActorId, ChannelName, ProsumerId, Slot},
    message::{Choice, Invoice, MeterReading},
    streams::{Purpose, Stream, stream},
    time::Time,
    units::Energy,
};
use rand::RngExt;
use serde_json::value::RawValue;
use std::{hint::black_box, sync::Arc, time::Duration};

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
        shares: weights.iter().map(|weight| weight / sum).collect(),
        purchases: (0..SELLERS).map(|_| random.random_range(0.5..3.0)).collect(),
        responsive: 1.0,
        change: random.random_range(0.0..1e-3),
        updates_at_rest: 0,
        answers: Time(NOW.0 - 530_000_000),
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
    let mut transaction = Transaction::new(member, Call::RecordEnergy(SLOT, reading, Some(invoice)), reads, writes);
    let text = InvoiceTo { party: Party::Prosumer(member.number), invoice }.to_json();
    let signature = SecretKey::derive(SEED, ActorId::GRID).sign(CHAIN, &text);
    transaction.endorsements.push(Endorsement { by: Party::Grid, signature });
    transaction
}

/// One transaction a member, the same each time.
fn transactions(members: &[Member], make: Make) -> Vec<Transaction> {
    let mut random = stream(SEED, ActorId::LEDGER, Purpose::Behaviour);
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

criterion_group!(benches, sign, verify_together, seal);
criterion_main!(benches);
