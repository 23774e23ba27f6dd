//! Rows changed by somebody who holds no key and computes no hash.

use super::{
    chain::Chain,
    day::{day, day_with, genesis},
    file,
};
use crate::{
    reader::ReadError,
    schema,
    verify::{ChannelReport, VerifyError, verify},
};
use microgrid_agents::chain::genesis::{Genesis, Policies, Signatures};
use std::path::Path;

#[test]
fn an_honest_ledger_passes_and_everything_in_it_is_counted() {
    let report = file(&[day()]).verify().unwrap();
    let [case] = &report.cases[..] else { panic!("one case") };
    assert_eq!((case.case, case.closed, case.slots, case.bills), (1, 2, 2, 1));
    assert_eq!(case.genesis, genesis().id());
    let channel =
        |blocks, valid, invalid, signatures, facts| ChannelReport { blocks, valid, invalid, signatures, facts };
    let expected = [channel(5, 6, 0, 6, 9), channel(5, 6, 2, 0, 4), channel(3, 5, 0, 7, 7)];
    assert_eq!(case.channels, expected);
}

#[test]
fn quotes_and_choices_are_signed_where_everything_is() {
    let everything = Genesis { policies: Policies::new(Signatures::Everything), ..genesis() };
    let report = file(&[day_with(everything, |_| {})]).verify().unwrap();
    assert_eq!(report.cases[0].channels[1].signatures, 5);
}

#[test]
fn an_unfinished_run_passes_up_to_its_checkpoint() {
    let mut chain = day();
    chain.closed = 1;
    assert_eq!(file(&[chain]).verify().unwrap().cases[0].closed, 1);
    assert_eq!(file(&[Chain::begin(genesis())]).verify().unwrap().cases[0].closed, 0);
    assert!(file(&[]).verify().unwrap().cases.is_empty());
}

#[test]
fn cases_follow_each_other_without_gaps_and_only_the_last_may_be_unfinished() {
    let case = |case, closed| {
        let mut chain = day_with(Genesis { case, ..genesis() }, |_| {});
        chain.closed = closed;
        chain
    };
    assert_eq!(file(&[case(1, 2), case(2, 1)]).verify().unwrap().cases.len(), 2);
    assert_eq!(file(&[case(2, 2)]).complaint(), "ledger.db: case 1 is missing");
    assert_eq!(
        file(&[case(1, 1), case(2, 2)]).complaint(),
        "case 1: only 1 of 2 slots are closed, but other cases follow"
    );
}

#[test]
fn what_is_no_ledger_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    assert!(matches!(verify(&path, &mut |_| {}), Err(VerifyError::Open(ReadError::Open { .. }))));
    std::fs::write(&path, []).unwrap();
    assert!(matches!(verify(&path, &mut |_| {}), Err(VerifyError::Open(ReadError::Blank(_)))));
    std::fs::write(&path, [b'x'; 5000]).unwrap();
    assert!(verify(&path, &mut |_| {}).unwrap_err().to_string().contains("not a database"));
    let complaint = |sql: &str| file(&[day()]).tamper(sql).complaint();
    assert_eq!(complaint("PRAGMA user_version = 5"), "ledger.db: user_version is 5, not 4");
    assert_eq!(complaint("PRAGMA user_version = 0"), "ledger.db: user_version is 0, not 4");
    for change in [
        "DROP VIEW bills",
        "DROP VIEW orders",
        "DROP VIEW grid_fees",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 3",
        "CREATE TABLE more (a)",
        "CREATE TRIGGER t AFTER INSERT ON facts BEGIN SELECT 1; END",
    ] {
        assert!(complaint(change).starts_with("ledger.db: the schema is not that of a ledger"), "{change}");
    }
    for version in 1..schema::USER_VERSION {
        let older = format!("PRAGMA user_version = {version}; {}", schema::back_to(version));
        file(&[day()]).tamper(&older).verify().expect("a file of an earlier version");
    }
    // As little a file as a pipe.
    std::fs::create_dir(folder.path().join("ledger.db-journal")).unwrap();
    for no_file in [Path::new("/"), Path::new("/dev/zero"), &path] {
        assert!(matches!(verify(no_file, &mut |_| {}), Err(VerifyError::Open(ReadError::NoFile(_)))));
    }
}

/// Each change of rows, and what is said of it.
#[test]
fn every_change_of_a_row_is_named_with_its_place() {
    let energy = "case_number = 1 AND channel = 'energy'";
    let information = "case_number = 1 AND channel = 'information'";
    let swap = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = -1 WHERE {information} AND {column} = 2;
             UPDATE {table} SET {column} = 2 WHERE {information} AND {column} = 3;
             UPDATE {table} SET {column} = 3 WHERE {information} AND {column} = -1;"
        )
    };
    let cases = [
        (
            format!("DELETE FROM blocks WHERE {information} AND number = 2"),
            "case 1, information: block 2 is missing: block 3 comes next",
        ),
        (
            format!(
                "DELETE FROM blocks WHERE {energy} AND number = 2; DELETE FROM transactions WHERE {energy} AND block = 2"
            ),
            "case 1, energy: the chain ends with block 1, but the ledger has signed block 2",
        ),
        (
            format!("DELETE FROM blocks WHERE {energy}"),
            "case 1, energy: the chain has no blocks, but the ledger has signed block 2",
        ),
        (
            format!(
                "INSERT INTO blocks SELECT case_number, channel, 3, 13, time_ns, previous_hash, data_hash, header_hash, commit_hash FROM blocks WHERE {energy} AND number = 2"
            ),
            "case 1, energy block 3: the ledger has signed no block after 2",
        ),
        (
            format!("{}{}", swap("blocks", "number"), swap("transactions", "block")),
            "case 1, information block 2: its position among all blocks is 7, where 6 is due",
        ),
        (
            format!(
                "{}{}UPDATE blocks SET position = 13 - position WHERE {information} AND number IN (2, 3)",
                swap("blocks", "number"),
                swap("transactions", "block")
            ),
            "case 1, information block 2: its previous hash is the header hash of block 3, not of block 1: blocks are swapped",
        ),
        (
            "UPDATE blocks SET position = position + 1 WHERE position > 5".into(),
            "case 1, information block 2: its position among all blocks is 7, where 6 is due",
        ),
        (
            format!("UPDATE blocks SET time_ns = 1 WHERE {energy} AND number = 1"),
            "case 1, energy block 1: it was cut at 1 ns, before the block that comes before it",
        ),
        (
            format!("UPDATE blocks SET time_ns = time_ns + 1 WHERE {energy} AND number = 2"),
            "case 1, energy block 2, transaction 0: it was submitted at 3600010000000 ns, but its block was cut at 3600060000001 ns, with a timeout of 50000000 ns",
        ),
        (
            format!("UPDATE blocks SET time_ns = time_ns - 1 WHERE {energy} AND number = 2"),
            "case 1, energy block 2: its commit hash is not that of its content",
        ),
        (
            format!("UPDATE blocks SET previous_hash = zeroblob(32) WHERE {energy} AND number = 1"),
            "case 1, energy block 1: its previous hash is not the header hash of block 0",
        ),
        (
            format!("UPDATE blocks SET header_hash = zeroblob(32) WHERE {energy} AND number = 1"),
            "case 1, energy block 1: its header hash is not that of its content",
        ),
        (
            format!("UPDATE blocks SET data_hash = zeroblob(31) WHERE {energy} AND number = 1"),
            "case 1, energy block 1: column data_hash of table blocks is not a hash of 32 bytes",
        ),
        (
            format!("UPDATE blocks SET position = -1 WHERE {energy} AND number = 1"),
            "case 1, energy block 1: column position of table blocks is not a whole number from 0",
        ),
        (
            format!(
                "UPDATE transactions SET envelope = replace(envelope, '\"slot\":2', '\"slot\":3') WHERE {energy} AND block = 2"
            ),
            "case 1, energy block 2: its data hash is not that of its content",
        ),
        (
            format!(
                "UPDATE transactions SET envelope = CAST(x'ff' AS TEXT) WHERE {energy} AND block = 2 AND number = 1"
            ),
            "case 1, energy block 2, transaction 1: column envelope of table transactions is not text in UTF-8",
        ),
        (
            format!("UPDATE transactions SET code = 'StaleRead' WHERE {energy} AND block = 2 AND number = 1"),
            "case 1, energy block 2, transaction 1: code is StaleRead, but it counts",
        ),
        (
            format!("UPDATE transactions SET code = 'Valid' WHERE {information} AND block = 3 AND number = 2"),
            "case 1, information block 3, transaction 2: code is Valid, but quote/1/1 has changed since it was read",
        ),
        (
            format!("UPDATE transactions SET code = 'NotFinite' WHERE {information} AND block = 3 AND number = 0"),
            "case 1, information block 3, transaction 0: code is NotFinite, but the contract says PriceOutOfBand",
        ),
        (
            format!("UPDATE transactions SET code = 'valid' WHERE {energy} AND block = 2 AND number = 1"),
            "case 1, energy block 2, transaction 1: \"valid\" is no code",
        ),
        (
            format!("UPDATE transactions SET number = 5 WHERE {energy} AND block = 2 AND number = 1"),
            "case 1, energy block 2: transaction 1 is missing: 5 comes next",
        ),
        (
            format!("UPDATE transactions SET block = 9 WHERE {energy} AND block = 2 AND number = 1"),
            "case 1, energy block 2: its data hash is not that of its content",
        ),
        (
            "INSERT INTO transactions VALUES (1, 'energy', 9, 0, 'Valid', '')".into(),
            "case 1, energy block 9, transaction 0: it belongs to no block",
        ),
        (
            "INSERT INTO transactions VALUES (1, 'gossip', 0, 0, 'Valid', '')".into(),
            "case 1: column channel of table transactions is not the name of a channel",
        ),
        (
            "INSERT INTO facts VALUES (3, 'energy', 'meter/1/1', '', 0, 0)".into(),
            "case 3, energy: table facts has rows of this case, but the case has no checkpoint",
        ),
        (
            "UPDATE facts SET value = '16001' WHERE key = 'fees/1'".into(),
            "case 1, trade: fact fees/1: it is not what the chain says",
        ),
        (
            "UPDATE facts SET transaction_number = 1 WHERE key = 'fees/1'".into(),
            "case 1, trade: fact fees/1: another transaction has written it",
        ),
        (
            "UPDATE facts SET key = 'fees/01' WHERE key = 'fees/1'".into(),
            "case 1, trade: fact fees/01: there is no such key",
        ),
        (
            "UPDATE facts SET channel = 'energy' WHERE key = 'fees/1'".into(),
            "case 1, energy: fact fees/1: it belongs to another channel",
        ),
        (
            "DELETE FROM facts WHERE key = 'bill/1/2/1'".into(),
            "case 1, trade: fact bill/1/2/1: the chain has it, the table has not",
        ),
        (
            "INSERT INTO facts VALUES (1, 'trade', 'fees/2', '0', 4, 0)".into(),
            "case 1, trade: fact fees/2: the chain knows nothing of it",
        ),
        (
            "UPDATE checkpoints SET content = replace(content, '\"closed\":2', '\"closed\":1')".into(),
            "case 1: checkpoint: the ledger's signature does not hold",
        ),
        (
            "UPDATE checkpoints SET content = replace(content, '\"closed\":2', '\"closed\": 2')".into(),
            "case 1: the checkpoint is spelt in another way than the ledger spells it",
        ),
        (
            "UPDATE checkpoints SET case_number = 2".into(),
            "case 1, energy: table blocks has rows of this case, but the case has no checkpoint",
        ),
        (
            "DELETE FROM checkpoints".into(),
            "case 1, energy: table blocks has rows of this case, but the case has no checkpoint",
        ),
        (
            "DELETE FROM transactions WHERE channel = 'trade' AND block = 0".into(),
            "case 1, trade block 0, transaction 0: genesis: it is missing",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(file(&[day()]).tamper(&sql).complaint(), expected, "{sql}");
    }
}

#[test]
fn what_was_right_before_is_told_too() {
    let tampered = file(&[day()]).tamper("UPDATE transactions SET code = 'Valid' WHERE code = 'StaleRead'");
    let Err(VerifyError::Discrepancy { so_far, place, .. }) = tampered.verify() else { panic!("it is tampered with") };
    assert_eq!((place.block, place.transaction), (Some(3), Some(2)));
    assert_eq!(so_far.cases[0].channels.map(|channel| channel.blocks), [3, 3, 1]);
}
