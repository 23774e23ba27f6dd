//! `sim ledger show`: channels and balances, a channel's blocks, a block, or the history of a key.

use super::not_there;
use crate::{
    cli::{
        error::CliError,
        names::Names,
        table::{Table, key, words},
    },
    ledger::{
        position::Position,
        query::CaseState,
        reader::{ReadError, Reader, StoredTransaction},
    },
};
use microgrid_agents::{
    chain::{
        fact::Key,
        transaction::{Envelope, Outcome, Read, Version, Write},
    },
    ids::ChannelName,
    time::Time,
    units::{Energy, Money, Total},
};
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;

/// One line a channel: how many blocks and transactions it has, their size, and the hash of its newest block.
pub(super) fn channels(reader: &Reader, case: u32) -> Result<String, CliError> {
    let sql = "SELECT (SELECT count(*) FROM blocks WHERE case_number = ?1 AND channel = ?2),
                   count(*), count(*) FILTER (WHERE code = 'Valid'), coalesce(sum(octet_length(envelope)), 0),
                   (SELECT lower(hex(header_hash)) FROM blocks
                       WHERE case_number = ?1 AND channel = ?2 ORDER BY number DESC LIMIT 1)
               FROM transactions WHERE case_number = ?1 AND channel = ?2";
    let mut statement = reader.connection().prepare(sql).map_err(ReadError::from)?;
    let read = |channel: ChannelName| -> rusqlite::Result<_> {
        let numbers = |row: &Row<'_>| Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get(4)?));
        let found: ([i64; 4], Option<String>) = statement.query_row((case, channel.name()), numbers)?;
        Ok((channel.name(), found.0, found.1.unwrap_or_default()))
    };
    let rows: Result<Vec<_>, _> = ChannelName::ALL.into_iter().map(read).collect();
    let table = Table::of(rows.map_err(ReadError::from)?)
        .column(key(words("channel")), |(name, ..)| *name)
        .columns(["blocks", "transactions", "valid", "bytes"], |(_, numbers, _), n| numbers[n])
        .column(words("head"), |(.., head)| shortened(head));
    Ok(format!("case {case}\n\n{}", table.draw()))
}

/// One line a block of a channel.
pub(super) fn blocks(reader: &Reader, case: u32, channel: ChannelName) -> Result<String, CliError> {
    let sql = "SELECT blocks.number, position, time_ns, count(code), count(*) FILTER (WHERE code = 'Valid'),
                   coalesce(sum(octet_length(envelope)), 0), lower(hex(header_hash))
               FROM blocks LEFT JOIN transactions
                   ON transactions.case_number = ?1 AND transactions.channel = ?2 AND block = blocks.number
               WHERE blocks.case_number = ?1 AND blocks.channel = ?2
               GROUP BY blocks.number ORDER BY blocks.number";
    let mut statement = reader.connection().prepare(sql).map_err(ReadError::from)?;
    let line = |row: &Row<'_>| -> rusqlite::Result<([i64; 6], String)> {
        Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?], row.get(6)?))
    };
    let rows: Result<Vec<_>, _> =
        statement.query_map((case, channel.name()), line).and_then(Iterator::collect).map_err(ReadError::from);
    let table = Table::of(rows?)
        .column(key("block"), |(numbers, _)| numbers[0])
        .column("position", |(numbers, _)| numbers[1])
        .column("cut at", |(numbers, _)| Time(u64::try_from(numbers[2]).unwrap_or(0)))
        .columns(["transactions", "valid", "bytes"], |(numbers, _), n| numbers[3 + n])
        .column(words("header hash"), |(_, hash)| shortened(hash));
    Ok(format!("{}\n\n{}\n", Position::channel(case, channel), table.draw()))
}

/// Of hashes, tables show the first digits.
fn shortened(hash: &str) -> String {
    hash.chars().take(16).collect()
}

/// What the facts of accounts and invoices say, slot by slot: SQL could add up no more than 64 bits.
const PROSUMERS: &str = "
    SELECT prosumer, bought_micro_kwh, sold_micro_kwh, paid_micro_cny, earned_micro_cny, fee_micro_cny, 0, 0
    FROM accounts WHERE case_number = ?1
    UNION ALL
    SELECT prosumer, 0, 0, 0, 0, 0, charge_micro_cny, credit_micro_cny FROM invoices WHERE case_number = ?1
    UNION ALL
    SELECT prosumer, 0, 0, 0, 0, 0, 0, 0 FROM meters WHERE case_number = ?1";
const FEES: &str = "SELECT fees_micro_cny FROM fees WHERE case_number = ?1";
const GRID_FEES: &str = "SELECT value ->> '$' FROM fact_keys WHERE case_number = ?1 AND kind = 'grid_fees'";
/// Letters of names that fit beside numbers.
const NAME: usize = 20;

/// One line for each prosumer, the operator and the grid, with their sum.
pub(super) fn balances(reader: &Reader, case: u32, names: &Names) -> Result<String, CliError> {
    let (prosumers, [fees, grid_fees]) = sums(reader.connection(), case).map_err(ReadError::from)?;
    let mut sum = Sums::default();
    prosumers.values().for_each(|sums| sum.add(sums));
    let operator = Sums { fees, ..Sums::default() };
    let grid = Sums { fees: grid_fees, grid: -sum.grid, ..Sums::default() };
    [&operator, &grid].into_iter().for_each(|sums| sum.add(sums));
    let called = |number: i64| {
        let name = u32::try_from(number).map(|number| names.get(number, NAME)).unwrap_or_default();
        format!("prosumer {number} {name}").trim_end().to_owned()
    };
    let mut rows: Vec<_> = prosumers.into_iter().map(|(number, sums)| (called(number), sums)).collect();
    rows.extend([("operator".to_owned(), operator), ("grid".to_owned(), grid), ("sum".to_owned(), sum)]);
    Ok(Table::of(rows)
        .column(key(words("")), |(name, _)| name.clone())
        .column("bought\n[kWh]", |(_, of)| of.bought)
        .column("sold\n[kWh]", |(_, of)| of.sold)
        .column("trades\n[CNY]", |(_, of)| of.trades)
        .column("fees\n[CNY]", |(_, of)| of.fees)
        .column("grid\n[CNY]", |(_, of)| of.grid)
        .column("balance\n[CNY]", |(_, of)| of.trades + of.fees + of.grid)
        .draw())
}

/// What each prosumer comes to, by its number, and the fees that the operator and the grid have.
type AllSums = (BTreeMap<i64, Sums>, [Total<Money>; 2]);

fn sums(connection: &Connection, case: u32) -> rusqlite::Result<AllSums> {
    let mut prosumers = BTreeMap::<i64, Sums>::new();
    let mut statement = connection.prepare(PROSUMERS)?;
    let mut rows = statement.query([case])?;
    while let Some(row) = rows.next()? {
        prosumers.entry(row.get(0)?).or_default().add(&Sums::read(row)?);
    }
    let fees = |query| {
        let mut statement = connection.prepare(query)?;
        statement.query_map([case], |row| row.get(0).map(Money))?.sum::<rusqlite::Result<_>>()
    };
    Ok((prosumers, [fees(FEES)?, fees(GRID_FEES)?]))
}

/// What somebody has traded, and what it is owed.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    bought: Total<Energy>,
    sold: Total<Energy>,
    trades: Total<Money>,
    fees: Total<Money>,
    grid: Total<Money>,
}

impl Sums {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let energy = |column| row.get(column).map(|units| Total::from(Energy(units)));
        let money = |column| row.get(column).map(|units| Total::from(Money(units)));
        let (trades, grid) = (money(4)? - money(3)?, money(7)? - money(6)?);
        Ok(Self { bought: energy(1)?, sold: energy(2)?, trades, fees: -money(5)?, grid })
    }

    fn add(&mut self, other: &Self) {
        self.bought += other.bought;
        self.sold += other.sold;
        self.trades += other.trades;
        self.fees += other.fees;
        self.grid += other.grid;
    }
}

/// A block's header and its transactions, as a person reads them.
pub(super) fn block(reader: &Reader, case: u32, channel: ChannelName, number: u64) -> Result<String, CliError> {
    let place = Position::block(case, channel, number);
    let Some(block) = reader.block(case, channel, number)? else {
        let sql = "SELECT max(number) FROM blocks WHERE case_number = ?1 AND channel = ?2";
        let last = reader.connection().query_row(sql, (case, channel.name()), |row| row.get::<_, Option<u32>>(0));
        return Err(not_there(place, 0, last.map_err(ReadError::from)?.map(u64::from)));
    };
    let header = &block.header;
    let previous = header.previous_hash.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
    let mut text = format!(
        "{place}\n\nposition       {}\ncut at         {}\nprevious hash  {previous}\ndata hash      {}\n\
         header hash    {}\ncommit hash    {}\n\n",
        header.position, header.time, header.data_hash, block.header_hash, block.commit_hash,
    );
    block.transactions.iter().for_each(|transaction| text += &describe(transaction));
    Ok(text)
}

/// Who asked for what, who stands for it, and what became of it.
fn describe(StoredTransaction { number, code, envelope }: &StoredTransaction) -> String {
    let read: Result<Envelope, _> = serde_json::from_str(envelope);
    let Ok((envelope, proposal)) = read.and_then(|envelope| envelope.proposal().map(|proposal| (envelope, proposal)))
    else {
        return format!("transaction {number}: {code}\n  {envelope}\n\n");
    };
    let signed = if envelope.signature.is_some() { "signed" } else { "unsigned" };
    let endorsers: String = envelope.endorsements.iter().map(|e| format!(", endorsed by {}", e.by)).collect();
    let mut text = format!(
        "transaction {number}: {code}\n  by {} at {}, {signed}{endorsers}\n  {}\n",
        proposal.creator,
        envelope.submitted,
        serde_json::to_string(&proposal.call).unwrap_or_default(),
    );
    for Read(key, version) in &envelope.reads {
        text += &match version {
            Some(Version(block, number)) => format!("  reads {key} of block {block}, transaction {number}\n"),
            None => format!("  reads {key}: nothing there\n"),
        };
    }
    match &envelope.outcome {
        Outcome::Refused(refusal) => text += &format!("  refused: {refusal}\n"),
        Outcome::Writes(writes) => {
            writes.iter().for_each(|Write(key, fact)| text += &format!("  writes {key} {}\n", fact.get()));
        }
    }
    text + "\n"
}

/// Every fact that has stood under a key, oldest first, each with the transaction that wrote it.
pub(super) fn history(reader: &Reader, case: u32, key: Key) -> Result<String, CliError> {
    let mut text = format!("case {case}, {key}\n");
    let history = CaseState { reader, case }.history(key)?;
    if history.is_empty() {
        text += "nothing has ever stood here\n";
    }
    for (Version(block, transaction), fact) in history {
        let (channel, fact) = (key.channel().name(), fact.to_json());
        text += &format!("{channel} block {block}, transaction {transaction}: {fact}\n");
    }
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        ledger::fixtures::{
            chain::Draft,
            day::{day, day_with, genesis},
            file,
        },
    };
    use microgrid_agents::chain::fact::Fact;

    #[test]
    fn channels_and_blocks_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let blocks = blocks(&reader, 1, ChannelName::Information).unwrap();
        insta::assert_snapshot!(plain(&(channels(&reader, 1).unwrap() + "\n" + &blocks)));
    }

    /// Two invoices of 9e12 CNY to a prosumer are more than 64 bits hold.
    #[test]
    fn balances_do_not_wrap_around() {
        let dear = |draft: &mut Draft| {
            for (key, fact) in draft.outcome.iter_mut().flatten() {
                if let (Key::Invoice(_, 2), Fact::Invoice(invoice)) = (key, fact) {
                    invoice.charge = Money(9_000_000_000_000_000_000);
                }
            }
        };
        let ledger = file(&[day_with(genesis(), dear)]);
        let reader = Reader::open(&ledger.path).unwrap();
        let text = plain(&balances(&reader, 1, &Names::default()).unwrap());
        // A table in two parts; grid and balance, less the 1.12 CNY of the trade and the 0.18 that is owed to prosumer 1.
        let cells = |name: &str| text.lines().filter(|line| line.starts_with(name)).map(last).collect::<Vec<_>>();
        fn last(line: &str) -> &str {
            line.split_whitespace().last().unwrap_or_default()
        }
        assert_eq!(cells("prosumer 2"), ["-18000000000000", "-18000000000001.12"], "{text}");
        assert_eq!(cells("grid"), ["17999999999999.82"; 2], "{text}");
        assert_eq!(cells("sum"), ["0", "0"], "{text}");
    }

    #[test]
    fn balances_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        insta::assert_snapshot!(plain(&balances(&reader, 1, &Names::default()).unwrap()));
    }

    #[test]
    fn blocks_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let read = |channel, number| block(&reader, 1, channel, number);
        insta::assert_snapshot!(read(ChannelName::Trade, 3).unwrap() + &read(ChannelName::Information, 3).unwrap());
        let missing = read(ChannelName::Trade, 9).unwrap_err();
        assert_eq!(missing.text, "error: the ledger has no case 1, trade block 9; it has 0 to 4");
    }

    #[test]
    fn what_is_no_transaction_is_shown_as_it_is() {
        let garbage = StoredTransaction { number: 4, code: "Valid".into(), envelope: "{".into() };
        assert_eq!(describe(&garbage), "transaction 4: Valid\n  {\n\n");
    }

    #[test]
    fn a_history_reads_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let text = history(&reader, 1, Key::Quote(1, 1)).unwrap() + &history(&reader, 1, Key::Bill(2, 2, 1)).unwrap();
        insta::assert_snapshot!(text);
    }
}
