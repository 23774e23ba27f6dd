//! Rows dropped, swapped, changed and added by somebody who holds no key: the first thing that gives it away is named.

use super::{File, every_post};
use rusqlite::Connection;

/// What is said of the finished run after these statements.
#[track_caller]
fn complaint(sql: &str) -> String {
    let file = File::new(every_post());
    Connection::open(&file.path).unwrap().execute_batch(sql).unwrap();
    file.complaint()
}

#[track_caller]
fn assert_named(sql: &str, expected: &str) {
    let complaint = complaint(sql);
    assert!(complaint.contains(expected), "{sql}\nis said to be: {complaint}");
}

/// A number of the finished run.
fn number(query: &str) -> i64 {
    let file = File::new(every_post());
    Connection::open(&file.path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

const INFORMATION: &str = "channel = 'information'";

/// Gives block `from` of the information chain, and all after it, numbers and positions one lower.
fn close_up(from: u32) -> String {
    format!(
        "UPDATE blocks SET position = position - 1
         WHERE position >= (SELECT position FROM blocks WHERE {INFORMATION} AND number = {from});
         UPDATE blocks SET number = -number WHERE {INFORMATION} AND number >= {from};
         UPDATE blocks SET number = -number - 1 WHERE number < 0;
         UPDATE transactions SET block = -block WHERE {INFORMATION} AND block >= {from};
         UPDATE transactions SET block = -block - 1 WHERE block < 0;
         UPDATE facts SET block = block - 1 WHERE {INFORMATION} AND block >= {from};"
    )
}

#[test]
fn a_dropped_block_is_named() {
    let block = format!("DELETE FROM blocks WHERE {INFORMATION} AND number = 20;");
    let transactions = format!("DELETE FROM transactions WHERE {INFORMATION} AND block = 20;");
    let missing = "case 1, information: block 20 is missing: block 21 comes next";
    assert_named(&block, missing);
    assert_named(&format!("{block}{transactions}"), missing);
    assert_named(&transactions, "case 1, information block 20: its data hash is not that of its content");
    let last = number(&format!("SELECT max(number) FROM blocks WHERE {INFORMATION}"));
    let short = format!("the chain ends with block {}, but the ledger has signed block {last}", last - 1);
    assert_named(&format!("{block}{transactions}{}", close_up(21)), &short);
    // Another block at the end makes up for the number.
    let filled = format!(
        "{block}{transactions}{}
         INSERT INTO transactions SELECT case_number, channel, {last}, number, code, envelope FROM transactions
         WHERE {INFORMATION} AND block = {last} - 1;
         INSERT INTO blocks SELECT case_number, channel, {last}, (SELECT max(position) + 1 FROM blocks),
         (SELECT max(time_ns) FROM blocks), previous_hash, data_hash, header_hash, commit_hash FROM blocks
         WHERE {INFORMATION} AND number = {last} - 1;",
        close_up(21)
    );
    assert_named(&filled, "information block 20: its previous hash is not the header hash of block 19");
}

/// Lets two rows change places in one column that must not be the same.
fn swap(table: &str, column: &str, (a, b): (i64, i64)) -> String {
    format!(
        "UPDATE {table} SET {column} = -1 WHERE {INFORMATION} AND {column} = {a};
         UPDATE {table} SET {column} = {a} WHERE {INFORMATION} AND {column} = {b};
         UPDATE {table} SET {column} = {b} WHERE {INFORMATION} AND {column} = -1;"
    )
}

#[test]
fn a_swapped_pair_of_blocks_is_named() {
    let numbers = format!("{}{}", swap("blocks", "number", (20, 21)), swap("transactions", "block", (20, 21)));
    let position =
        |block: u32| number(&format!("SELECT position FROM blocks WHERE {INFORMATION} AND number = {block}"));
    let positions = (position(20), position(21));
    let swapped = "case 1, information block 20: its previous hash is the header hash of block 21, not of block 19";
    assert_named(&format!("{numbers}{}", swap("blocks", "position", positions)), swapped);
    let (early, late) = positions;
    assert_named(
        &numbers,
        &format!("information block 20: its position among all blocks is {late}, where {early} is due"),
    );
    assert_named(&swap("blocks", "position", positions), "its position among all blocks is");
    assert_named(
        &swap("transactions", "block", (20, 21)),
        "information block 20: its data hash is not that of its content",
    );
    // Far apart, they are found all the same.
    let far = format!("{}{}", swap("blocks", "number", (10, 21)), swap("transactions", "block", (10, 21)));
    let far = format!("{far}{}", swap("blocks", "position", (position(10), position(21))));
    assert_named(
        &far,
        "case 1, information block 10: its previous hash is the header hash of block 20, not of block 9",
    );
}

#[test]
fn a_truncated_tail_is_named() {
    for channel in ["trade", "information", "energy"] {
        let last = number(&format!("SELECT max(number) FROM blocks WHERE channel = '{channel}'"));
        let cut = format!(
            "DELETE FROM blocks WHERE channel = '{channel}' AND number >= {last} - 1;
             DELETE FROM transactions WHERE channel = '{channel}' AND block >= {last} - 1;"
        );
        let expected = format!(
            "case 1, {channel}: the chain ends with block {}, but the ledger has signed block {last}",
            last - 2
        );
        assert_named(&cut, &expected);
    }
    // Back to where slot 1 was over, in all chains; the facts of later slots are gone too.
    let earlier = "CREATE TEMP TABLE later AS SELECT channel, number FROM blocks
         WHERE position >= (SELECT position FROM blocks WHERE channel = 'trade' AND number =
                            (SELECT block FROM facts WHERE key = 'tariff/2'));
         DELETE FROM transactions WHERE (channel, block) IN later;
         DELETE FROM facts WHERE (channel, block) IN later;
         DELETE FROM blocks WHERE (channel, number) IN later;";
    assert_named(earlier, "case 1, trade: the chain ends with block");
    let all = "DELETE FROM blocks; DELETE FROM transactions; DELETE FROM facts;";
    assert_named(all, "case 1, trade block 0, transaction 0: genesis: it is missing");
    // The file itself, cut between two pages.
    let half = every_post().len() / 2 / 4096 * 4096;
    assert!(File::new(&every_post()[..half]).verify().is_err());
}

#[test]
fn a_changed_code_is_named() {
    let first = |codes: &str| {
        format!("(SELECT rowid FROM transactions WHERE {INFORMATION} AND block > 0 AND code {codes} LIMIT 1)")
    };
    let change = |codes: &str, to: &str| {
        complaint(&format!("UPDATE transactions SET code = '{to}' WHERE rowid = {}", first(codes)))
    };
    assert!(change("= 'Valid'", "StaleRead").ends_with("code is StaleRead, but it counts"));
    assert!(change("= 'Valid'", "PriceOutOfBand").ends_with("code is PriceOutOfBand, but it counts"));
    assert!(change("= 'StaleRead'", "Valid").contains("code is Valid, but"));
    assert!(change("= 'StaleRead'", "Valid").ends_with("has changed since it was read"));
    assert!(change("= 'StaleRead'", "BadSignature").contains("code is BadSignature, but"));
    assert!(change("= 'MarketClosed'", "Valid").ends_with("code is Valid, but the contract says MarketClosed"));
    assert!(
        change("= 'MarketClosed'", "OldVersion").ends_with("code is OldVersion, but the contract says MarketClosed")
    );
    assert!(change("= 'Valid'", "valid").ends_with("\"valid\" is no code"));
}

#[test]
fn a_fact_that_was_edited_removed_or_added_is_named() {
    let bill = "(SELECT min(key) FROM facts WHERE key LIKE 'bill/%')";
    let edited = complaint(&format!(
        "UPDATE facts SET value = json_set(value, '$.payment', (value ->> 'payment') - 1) WHERE key = {bill}"
    ));
    assert_eq!(edited, "case 1, trade: fact bill/1/3/1: it is not what the chain says");
    let removed = complaint(&format!("DELETE FROM facts WHERE key = {bill}"));
    assert_eq!(removed, "case 1, trade: fact bill/1/3/1: the chain has it, the table has not");
    let added = complaint(&format!(
        "INSERT INTO facts SELECT case_number, channel, 'bill/1/1/3', value, block, transaction_number FROM facts
         WHERE key = {bill}"
    ));
    assert_eq!(added, "case 1, trade: fact bill/1/1/3: the chain knows nothing of it");
    // An older quote in place of the last one, with its version.
    let older = complaint(
        "UPDATE facts SET block = t.block, transaction_number = t.number, value = quote
         FROM (SELECT block, number, envelope -> '$.proposal.call.PostQuote' AS quote FROM transactions
               WHERE code = 'Valid' AND quote ->> 'slot' = 1 AND envelope ->> '$.proposal.creator' = 'prosumer 1'
               ORDER BY block LIMIT 1) t
         WHERE key = 'quote/1/1'",
    );
    assert_eq!(older, "case 1, information: fact quote/1/1: it is not what the chain says");
    assert_named(
        "UPDATE facts SET transaction_number = transaction_number + 1 WHERE key = 'meter/3/5'",
        "case 1, energy: fact meter/3/5: another transaction has written it",
    );
}

#[test]
fn an_extra_transaction_or_block_is_named() {
    let copied = |block: &str, number: &str| {
        format!(
            "INSERT INTO transactions SELECT case_number, channel, {block}, {number}, code, envelope FROM transactions
             WHERE {INFORMATION} AND block = 20 AND number = 0;"
        )
    };
    let count = number(&format!("SELECT count(*) FROM transactions WHERE {INFORMATION} AND block = 20"));
    assert_named(&copied("20", &count.to_string()), "information block 20: its data hash is not that of its content");
    assert_named(&copied("20", "99"), &format!("information block 20: transaction {count} is missing: 99 comes next"));
    assert_named(&copied("9999", "0"), "information block 9999, transaction 0: it belongs to no block");
    let last = number(&format!("SELECT max(number) FROM blocks WHERE {INFORMATION}"));
    let block = format!(
        "{} INSERT INTO blocks SELECT case_number, channel, {last} + 1, (SELECT max(position) + 1 FROM blocks), time_ns,
         header_hash, data_hash, header_hash, commit_hash FROM blocks WHERE {INFORMATION} AND number = {last}",
        copied(&(last + 1).to_string(), "0")
    );
    let expected = format!("information block {}: the ledger has signed no block after {last}", last + 1);
    assert_named(&block, &expected);
}

#[test]
fn an_altered_time_or_position_is_named() {
    let set = |what: &str| format!("UPDATE blocks SET {what} WHERE {INFORMATION} AND number = 20");
    assert_named(&set("time_ns = time_ns + 1"), "case 1, information block 20");
    assert_named(&set("time_ns = time_ns - 1"), "case 1, information block 20");
    assert_named(
        &set("time_ns = 0"),
        "information block 20: it was cut at 0 ns, before the block that comes before it",
    );
    assert_named(&set("position = position + 1"), "its position among all blocks is");
    let all = "UPDATE blocks SET position = position + 1 WHERE position > 40";
    assert_named(all, "its position among all blocks is 42, where 41 is due");
    // Those that were cut at their timeout are late now; of the others only the hash tells.
    let later = complaint("UPDATE blocks SET time_ns = time_ns + 1000000 WHERE position > 40");
    assert!(["its commit hash is not", "with a timeout of"].iter().any(|named| later.contains(named)), "{later}");
}

#[test]
fn an_altered_signature_or_amount_breaks_the_data_hash() {
    let changed = |kind: &str, change: &str| {
        let kind = format!("json_type(envelope, '$.proposal.call.{kind}') IS NOT NULL");
        complaint(&format!("UPDATE transactions SET envelope = {change} WHERE {kind}"))
    };
    for (kind, change) in [
        ("Settle", "json_set(envelope, '$.endorsements[0].by', envelope ->> '$.endorsements[1].by')"),
        ("Settle", "json_set(envelope, '$.endorsements[0].signature', envelope ->> '$.endorsements[1].signature')"),
        ("Settle", "json_set(envelope, '$.proposal.call.Settle.trades[0][2]', 1)"),
        ("Register", "json_set(envelope, '$.signature', null)"),
        ("PostQuote", "json_set(envelope, '$.proposal.call.PostQuote.price', 0.5)"),
        ("RecordEnergy", "json_set(envelope, '$.submitted', 1)"),
        ("CloseGame", "json_set(envelope, '$.reads[0][1]', null)"),
    ] {
        let complaint = changed(kind, change);
        assert!(complaint.ends_with("its data hash is not that of its content"), "{kind}: {complaint}");
    }
}

#[test]
fn a_changed_checkpoint_is_named() {
    assert_named(
        "UPDATE checkpoints SET content = replace(content, '\"closed\":3', '\"closed\":2')",
        "case 1: checkpoint: the ledger's signature does not hold",
    );
    assert_named(
        "UPDATE checkpoints SET signature = replace(signature, substr(signature, 1, 8), '00000000')",
        "case 1: checkpoint: the ledger's signature does not hold",
    );
}
