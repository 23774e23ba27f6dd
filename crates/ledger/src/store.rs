//! Writes `ledger.db` while a study runs.

use super::{reader::no_file, schema};
use microgrid_agents::chain::{
    block::{Block, SignedCheckpoint},
    fact::Key,
    refusal,
    transaction::{Version, Write},
};
use rusqlite::{Connection, Error, OpenFlags, Result, params};
use std::{collections::BTreeMap, path::Path};

const INSERT_BLOCK: &str = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_TRANSACTION: &str = "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)";
const REPLACE_FACT: &str = "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?, ?)";
const REPLACE_CHECKPOINT: &str = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)";
/// All tables, each with a column for the number of the case.
const TABLES: [&str; 4] = ["blocks", "transactions", "facts", "checkpoints"];

/// A ledger's file being written.
///
/// On disk it always ends exactly where its newest checkpoint does: the blocks since then lie in a transaction of the
/// database that the next checkpoint ends. If the program dies, or the store is dropped, they are gone.
#[derive(Debug)]
pub struct Store {
    database: Connection,
    /// What the blocks since the checkpoint have left in the state: what changes often is written once.
    facts: BTreeMap<Key, (String, Version)>,
}

impl Store {
    /// Creates the file with empty tables. Fails if it has such tables already, or cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let store = Self::open(path, OpenFlags::default())?;
        let database = &store.database;
        database.execute_batch("BEGIN")?;
        database.execute_batch(schema::SQL)?;
        database.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        database.pragma_update(None, "user_version", schema::USER_VERSION)?;
        database.execute_batch("COMMIT")?;
        Ok(store)
    }

    /// Opens the file to go on behind the case with this number or, `within` a case that is not complete, behind a checkpoint
    /// of it; what it has beyond is removed. `None` if the case does not reach this checkpoint. Fails if there is no such
    /// file, or it cannot be written.
    pub fn reopen(path: &Path, last_case: u32, within: Option<(u32, &SignedCheckpoint)>) -> Result<Option<Self>> {
        let mut store = Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if let Some((case, signed)) = within
            && !store.reaches(case, signed)?
        {
            return Ok(None);
        }
        let last = within.map_or(last_case, |(case, _)| case);
        let each = TABLES.map(|table| format!("DELETE FROM {table} WHERE case_number > {last};"));
        store.database.execute_batch(&format!("BEGIN; {}", each.concat()))?;
        if let Some((case, signed)) = within {
            for head in signed.checkpoint.heads {
                let beyond = params![case, head.channel.name(), integer(head.blocks)];
                for (table, number) in [("blocks", "number"), ("transactions", "block"), ("facts", "block")] {
                    let sql = format!("DELETE FROM {table} WHERE case_number = ? AND channel = ? AND {number} >= ?");
                    store.database.execute(&sql, beyond)?;
                }
            }
            store.commit(case, signed)?;
        } else {
            store.database.execute_batch("COMMIT")?;
        }
        Ok(Some(store))
    }

    /// Whether all blocks of a case are there for which a checkpoint stands.
    fn reaches(&self, case: u32, signed: &SignedCheckpoint) -> Result<bool> {
        let sql = "SELECT count(*), max(header_hash) FILTER (WHERE number = ?3 - 1) FROM blocks
            WHERE case_number = ?1 AND channel = ?2 AND number < ?3";
        let mut query = self.database.prepare(sql)?;
        for head in signed.checkpoint.heads {
            let blocks = integer(head.blocks);
            let found =
                query.query_row(params![case, head.channel.name(), blocks], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if found != (blocks, Some(head.header_hash.0.to_vec())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether no block has come since the newest checkpoint.
    pub fn is_whole(&self) -> bool {
        self.database.is_autocommit()
    }

    fn open(path: &Path, flags: OpenFlags) -> Result<Self> {
        let database = Connection::open_with_flags(path, flags)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self { database, facts: BTreeMap::new() })
    }

    /// Takes in all that another ledger holds, of cases that this one does not have. It is on disk then. Fails if that
    /// ledger cannot be read, or this one cannot be written; nothing of it is on disk then.
    pub fn append_from(&mut self, other: &Path) -> Result<()> {
        let is_file = other.is_file() && no_file(other).is_none();
        let text = other.to_str().filter(|_| is_file);
        let other = text.ok_or_else(|| Error::InvalidPath(other.to_owned()))?;
        self.database.execute("ATTACH DATABASE ? AS other", [other])?;
        let each = TABLES.map(|table| {
            let order = if matches!(table, "transactions" | "facts") { "ORDER BY rowid" } else { "" };
            format!("INSERT INTO main.{table} SELECT * FROM other.{table} {order};")
        });
        let appended = self.database.execute_batch(&format!("BEGIN; {} COMMIT", each.concat()));
        if appended.is_err() && !self.database.is_autocommit() {
            self.database.execute_batch("ROLLBACK")?;
        }
        appended.and(self.database.execute_batch("DETACH DATABASE other"))
    }

    /// Writes a block of a case, to be on disk with the next checkpoint. Fails if it is there already.
    pub fn insert(&mut self, case_number: u32, block: &Block) -> Result<()> {
        self.begin()?;
        let header = &block.header;
        let channel = header.channel.name();
        self.database.prepare_cached(INSERT_BLOCK)?.execute(params![
            case_number,
            channel,
            integer(header.number),
            integer(header.position),
            integer(header.time.0),
            header.previous_hash.map(|digest| digest.0),
            header.data_hash.0,
            header.hash().0,
            block.commit_hash.0,
        ])?;
        let mut insert = self.database.prepare_cached(INSERT_TRANSACTION)?;
        for (number, transaction) in (0..).zip(&block.transactions) {
            let code = refusal::code(transaction.validity);
            let block = integer(header.number);
            insert.execute(params![case_number, channel, block, number, code, transaction.envelope])?;
            for Write(key, text) in &transaction.writes {
                let (value, version) = self.facts.entry(*key).or_insert_with(|| (String::new(), Version(0, 0)));
                value.clear();
                value.push_str(text.get());
                *version = Version(header.number, number);
            }
        }
        Ok(())
    }

    /// Brings all blocks so far to disk, with the checkpoint that stands for them. Fails if the file cannot be written;
    /// nothing of it is on disk then.
    pub fn commit(&mut self, case_number: u32, signed: &SignedCheckpoint) -> Result<()> {
        self.begin()?;
        let mut replace = self.database.prepare_cached(REPLACE_FACT)?;
        for (key, (value, Version(block, number))) in &self.facts {
            let channel = key.channel().name();
            replace.execute(params![case_number, channel, key.to_string(), value, integer(*block), number])?;
        }
        drop(replace);
        // Where nothing is signed, nothing stands in its place.
        let signature = signed.signature.map(|signature| signature.to_string()).unwrap_or_default();
        let content = signed.checkpoint.to_json();
        self.database.prepare_cached(REPLACE_CHECKPOINT)?.execute(params![case_number, content, signature])?;
        self.database.prepare_cached("COMMIT")?.execute([])?;
        self.facts.clear();
        Ok(())
    }

    /// Ends the writing: what no checkpoint stands for is left out, and the file stands alone. Fails if the file cannot
    /// be written, or somebody else has it open; it is whole all the same, but together with the files that lie beside
    /// it.
    pub fn close(self) -> Result<()> {
        if !self.database.is_autocommit() {
            self.database.execute_batch("ROLLBACK")?;
        }
        self.database.flush_prepared_statement_cache();
        self.database.pragma_update(None, "journal_mode", "DELETE")?;
        self.database.close().map_err(|(_, error)| error)
    }

    /// Begins a transaction of the database, unless one is under way.
    fn begin(&self) -> Result<()> {
        if self.database.is_autocommit() {
            self.database.prepare_cached("BEGIN")?.execute([])?;
        }
        Ok(())
    }
}

/// A count or a time, as SQLite has it.
fn integer(value: u64) -> i64 {
    i64::try_from(value).expect("a run has fewer than 2^63 blocks and lasts less than 292 years")
}

#[cfg(test)]
pub(crate) mod tests;
