//! What `ledger.db` promises while and after it is written, by blocks made by hand.

use super::*;
use crate::fixtures::{block, checkpoint};
use microgrid_agents::{
    chain::{
        fact::{self, Account, Bill, Closing, Game, Settled},
        hash::Digest,
        refusal::Refusal,
    },
    ids::ChannelName,
    market::demand::Buyer,
    statement::{Choice, Invoice, MeterReading, Outcome, Quote, Registration, Tariff},
    time::Time,
    units::{Energy, Money},
};
use rusqlite::types::Value;
use std::{fs, sync::Arc, time::Duration};
use tempfile::TempDir;

fn quote(version: u32, price: f64) -> (Key, fact::Fact) {
    let quote = Quote { slot: 17, version, price, change: 0.0, updates_at_rest: 0, answers: Time::ZERO };
    (Key::Quote(17, 1), fact::Fact::Quote(quote))
}

fn quoted(number: u64, version: u32) -> Block {
    block(ChannelName::Information, number, number, vec![(Ok(()), vec![quote(version, 0.5)])])
}

fn folder() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("ledger.db")).unwrap();
    (folder, store)
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("ledger.db")).unwrap()
}

/// All rows of a query.
fn rows(database: &Connection, query: &str) -> Vec<Vec<Value>> {
    let mut statement = database.prepare(query).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(Value::from($value)),*] };
}

#[test]
fn what_is_inserted_reads_back_in_plain_sql() {
    let (folder, mut store) = folder();
    let first = block(ChannelName::Trade, 0, 0, vec![(Ok(()), vec![])]);
    let transactions =
        vec![(Ok(()), vec![quote(1, 0.5)]), (Err(Refusal::OldVersion), vec![]), (Ok(()), vec![quote(2, 0.45)])];
    let second = block(ChannelName::Information, 7, 3, transactions);
    let signed = checkpoint(17, [1, 8, 0]);
    store.insert(2, &first).unwrap();
    store.insert(2, &second).unwrap();
    store.commit(2, &signed).unwrap();
    store.close().unwrap();

    assert_eq!(files(folder.path()), ["ledger.db"]);
    let database = open(folder.path());
    let blob = |digest: Digest| digest.0.to_vec();
    let previous = second.header.previous_hash.unwrap();
    assert_eq!(
        rows(&database, "SELECT * FROM blocks ORDER BY position"),
        [
            row![
                2,
                "trade".to_owned(),
                0,
                0,
                0,
                Value::Null,
                blob(first.header.data_hash),
                blob(first.header.hash()),
                blob(first.commit_hash)
            ],
            row![
                2,
                "information".to_owned(),
                7,
                3,
                3_000_000_000_i64,
                blob(previous),
                blob(second.header.data_hash),
                blob(second.header.hash()),
                blob(second.commit_hash)
            ],
        ]
    );
    let text = str::to_owned;
    let information = || text("information");
    assert_eq!(
        rows(&database, "SELECT * FROM transactions WHERE channel = 'information'"),
        [
            row![2, information(), 7, 0, text("Valid"), text("envelope of 1 facts")],
            row![2, information(), 7, 1, text("OldVersion"), text("envelope of 0 facts")],
            row![2, information(), 7, 2, text("Valid"), text("envelope of 1 facts")],
        ]
    );
    let value = quote(2, 0.45).1.to_json().get().to_owned();
    assert_eq!(
        rows(&database, "SELECT * FROM facts"),
        [row![2, information(), text("quote/17/1"), value, 7, 2]],
        "a fact stands there once, as it was written last"
    );
    let signature = serde_json::to_value(signed.signature).unwrap().as_str().unwrap().to_owned();
    assert_eq!(rows(&database, "SELECT * FROM checkpoints"), [row![2, signed.checkpoint.to_json(), signature]]);
    assert_eq!(rows(&database, "PRAGMA journal_mode"), [row![text("delete")]]);
    assert_eq!(rows(&database, "PRAGMA application_id"), [row![schema::APPLICATION_ID]]);
    assert_eq!(rows(&database, "PRAGMA user_version"), [row![schema::USER_VERSION]]);
}

#[test]
fn a_later_checkpoint_takes_the_place_of_the_one_before_and_cases_keep_apart() {
    let (folder, mut store) = folder();
    for (case, number, version) in [(1, 0, 1), (1, 1, 2), (2, 0, 9)] {
        store.insert(case, &quoted(number, version)).unwrap();
        store.commit(case, &checkpoint(version, [0, number + 1, 0])).unwrap();
    }
    store.close().unwrap();
    let database = open(folder.path());
    let query = "SELECT case_number, block, value ->> 'version' FROM facts";
    assert_eq!(rows(&database, query), [row![1, 1, 2], row![2, 0, 9]]);
    let query = "SELECT case_number, content ->> 'closed' FROM checkpoints";
    assert_eq!(rows(&database, query), [row![1, 2], row![2, 9]]);
}

/// What is left of a block under a checkpoint and another one after it.
fn assert_only_the_first_block(folder: &Path) {
    let database = open(folder);
    assert_eq!(rows(&database, "PRAGMA integrity_check"), [row!["ok".to_owned()]]);
    for (table, expected) in [("blocks", 1), ("transactions", 1), ("facts", 1), ("checkpoints", 1)] {
        assert_eq!(rows(&database, &format!("SELECT count(*) FROM {table}")), [row![expected]], "{table}");
    }
    assert_eq!(rows(&database, "SELECT value ->> 'version' FROM facts"), [row![1]]);
}

fn one_block_under_a_checkpoint_and_one_after() -> (TempDir, Store) {
    let (folder, mut store) = folder();
    store.insert(1, &quoted(0, 1)).unwrap();
    store.commit(1, &checkpoint(1, [0, 1, 0])).unwrap();
    store.insert(1, &quoted(1, 2)).unwrap();
    (folder, store)
}

#[test]
fn what_no_checkpoint_stands_for_is_left_out_when_the_file_is_closed_or_dropped() {
    let (folder, store) = one_block_under_a_checkpoint_and_one_after();
    store.close().unwrap();
    assert_eq!(files(folder.path()), ["ledger.db"]);
    assert_only_the_first_block(folder.path());

    let (folder, store) = one_block_under_a_checkpoint_and_one_after();
    drop(store);
    assert_only_the_first_block(folder.path());
}

#[test]
fn what_a_checkpoint_stands_for_is_in_the_files_as_soon_as_it_is_committed() {
    let (folder, store) = one_block_under_a_checkpoint_and_one_after();
    // As the files are at this moment: what a killed program leaves.
    let left = tempfile::tempdir().unwrap();
    for file in ["ledger.db", "ledger.db-wal"] {
        fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
    }
    assert_only_the_first_block(left.path());
    drop(store);
}

#[test]
fn a_file_that_is_there_already_is_not_written_over() {
    let (folder, store) = one_block_under_a_checkpoint_and_one_after();
    store.close().unwrap();
    assert!(Store::create(&folder.path().join("ledger.db")).is_err());
    assert_only_the_first_block(folder.path());
}

#[test]
fn who_reads_meanwhile_sees_whole_commits_and_keeps_the_file_from_standing_alone() {
    let (folder, store) = one_block_under_a_checkpoint_and_one_after();
    let reader = open(folder.path());
    assert_eq!(rows(&reader, "SELECT count(*) FROM blocks"), [row![1]]);
    store.database.busy_timeout(Duration::ZERO).unwrap();
    let error = store.close().unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    drop(reader);
    assert_only_the_first_block(folder.path());
}

/// One fact of each kind, and some of several.
fn facts() -> Vec<(Key, fact::Fact)> {
    use fact::Fact;
    let buyer = Buyer { need: 1.6, generation: 0.5, preference: f64::INFINITY };
    let game = Game { sellers: vec![1, 5], buyers: vec![3], first_choice: vec![0.6, 0.4], closes: Time(9) };
    let choice = Choice {
        slot: 17,
        version: 4,
        known: None,
        shares: vec![0.6, 0.4],
        purchases: vec![1.6, 1.7],
        responsive: 1.0,
        change: 1e-9,
        updates_at_rest: 3,
        answers: Time(7),
        quotes: Time(7),
        news_age: Duration::from_nanos(8),
    };
    let reading = [1, 2, 3, 4, 5, 6].map(Energy);
    let [generated, consumed, charged, discharged, imported, exported] = reading;
    let meter = MeterReading { generated, consumed, charged, discharged, imported, exported, ..Default::default() };
    let account = Account { bought: Energy(1), sold: Energy(2), paid: Money(3), earned: Money(4), fee: Money(5) };
    let bill = Bill { energy: Energy(768_000), price: 0.7, payment: Money(537_600), fee: Money(7_680) };
    vec![
        (Key::Tariff(17), Fact::Tariff(Arc::new(Tariff::new(17, 0.45, 0.85)))),
        (Key::Register(17, 1), Fact::Register(Registration::Seller(Energy(1_728_000)))),
        (Key::Register(17, 3), Fact::Register(Registration::Buyer(buyer))),
        (Key::Register(17, 4), Fact::Register(Registration::Idle)),
        (Key::Game(17), Fact::Game(Arc::new(game))),
        quote(2, 0.7),
        (Key::Choice(17, 3), Fact::Choice(Arc::new(choice))),
        (Key::Closing(17), Fact::Closing(Closing { outcome: Outcome::Equilibrium })),
        (Key::Bill(17, 3, 1), Fact::Bill(bill)),
        (Key::Account(17, 3), Fact::Account(account)),
        (Key::Fees(17), Fact::Fees(Money(7_680))),
        (Key::Settlement(17), Fact::Settlement(Settled { bills: 1, energy: Energy(768_000) })),
        (Key::Meter(17, 3), Fact::Meter(meter)),
        (Key::Invoice(17, 3), Fact::Invoice(Invoice { slot: 17, charge: Money(4), credit: Money(0) })),
    ]
}

#[test]
fn every_kind_of_fact_has_a_view_with_its_parts_as_columns() {
    let (folder, mut store) = folder();
    let void = vec![(Key::Settlement(18), fact::Fact::Settlement(Settled { bills: 0, energy: Energy::ZERO }))];
    let mut block = block(ChannelName::Trade, 0, 0, vec![(Ok(()), facts()), (Ok(()), void)]);
    block.transactions[0].envelope = r#"{"proposal":{"creator":"ledger","call":{"Settle":{"slot":17}}}}"#.to_owned();
    block.transactions[1].envelope = r#"{"proposal":{"creator":"ledger","call":{"Void":18}}}"#.to_owned();
    store.insert(1, &block).unwrap();
    store.commit(1, &checkpoint(18, [1, 0, 0])).unwrap();
    store.close().unwrap();
    let database = open(folder.path());
    let null = || Value::Null;
    let text = str::to_owned;
    for (view, expected) in [
        ("tariffs", vec![row![1, 17, 0.45, 0.85]]),
        (
            "registrations",
            vec![
                row![1, 17, 1, text("Seller"), 1_728_000, null(), null(), null()],
                row![1, 17, 3, text("Buyer"), null(), 1.6, 0.5, text("inf")],
                row![1, 17, 4, text("Idle"), null(), null(), null(), null()],
            ],
        ),
        ("games", vec![row![1, 17, text("[1,5]"), text("[3]"), text("[0.6,0.4]"), 9]]),
        ("quotes", vec![row![1, 17, 1, 2, 0.7, 0.0, 0, 0]]),
        ("choices", vec![row![1, 17, 3, 4, text("[0.6,0.4]"), text("[1.6,1.7]"), 1.0, 1e-9, 3, 7, 8]]),
        ("closings", vec![row![1, 17, text("Equilibrium")]]),
        ("bills", vec![row![1, 17, 3, 1, 768_000, 0.7, 537_600, 7_680]]),
        ("accounts", vec![row![1, 17, 3, 1, 2, 3, 4, 5]]),
        ("fees", vec![row![1, 17, 7_680]]),
        ("settlements", vec![row![1, 17, 1, 768_000, 0], row![1, 18, 0, 0, 1]]),
        ("meters", vec![row![1, 17, 3, 1, 2, 3, 4, 5, 6]]),
        ("invoices", vec![row![1, 17, 3, 4, 0]]),
    ] {
        assert_eq!(rows(&database, &format!("SELECT * FROM {view}")), expected, "{view}");
    }
}
