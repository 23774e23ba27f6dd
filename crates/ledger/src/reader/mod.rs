//! Reads `ledger.db` row by row, in order, and takes no column for granted.
//!
//! Whatever the file holds, reading it ends in rows or in a [`ReadError`].

mod chain;
mod columns;

use super::position::Position;
use chain::{BLOCKS, Chain, ChainStatements, TRANSACTIONS};
use columns::Columns;
use microgrid_agents::{chain::hash::Digest, debug_as_display, ids::ChannelName, time::Time};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::path::{Path, PathBuf};

/// Why the ledger cannot be read.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file, or it cannot be opened at all.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// There is nothing in the file.
    #[error("{} is blank: its writer was stopped before it had begun", .0.display())]
    Blank(PathBuf),
    /// The database cannot make sense of the file.
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    /// A column holds something else than it should.
    #[error("column {column} of table {table} is not {expected}")]
    Column {
        /// The row, as far as it can be told.
        place: Position,
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A transaction belongs to a block that is not there.
    #[error("it belongs to no block")]
    Orphan(Position),
}

debug_as_display!(ReadError);

impl ReadError {
    /// Where it is, as far as that can be told.
    pub fn place(&self) -> Position {
        match self {
            Self::Open { .. } | Self::Blank(_) | Self::Database(_) => Position::FILE,
            Self::Column { place, .. } | Self::Orphan(place) => *place,
        }
    }
}

/// A block as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// Which chain it belongs to.
    pub channel: ChannelName,
    /// Position in its chain, from 0.
    pub number: u64,
    /// Position among the blocks of all channels, from 0.
    pub position: u64,
    /// When it was cut.
    pub time: Time,
    /// Header hash of the block before.
    pub previous_hash: Option<Digest>,
    /// Hash of the envelopes.
    pub data_hash: Digest,
    /// Hash of the header.
    pub header_hash: Digest,
    /// Running hash over all that the channel's blocks did to its state.
    pub commit_hash: Digest,
    /// Its transactions, in the order of their numbers.
    pub transactions: Vec<StoredTransaction>,
}

/// A transaction as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// Number in its block.
    pub number: u32,
    /// `Valid`, or why it does not count.
    pub code: String,
    /// Envelope, as text.
    pub envelope: String,
}

/// A fact as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFact<'a> {
    /// Whose state it belongs to.
    pub channel: ChannelName,
    /// Under which key it stands.
    pub key: &'a str,
    /// The fact, as text.
    pub value: &'a str,
    /// Number of the block that wrote it.
    pub block: u64,
    /// Number of the transaction in that block.
    pub transaction: u32,
}

/// A checkpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Number of the case.
    pub case: u32,
    /// The text that is signed.
    pub content: String,
    /// The signature, as text.
    pub signature: String,
}

/// An open `ledger.db`. It sees the file as it was when it was opened, even while a run adds to it.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens a ledger and leaves it as it is. Where the writer was interrupted, its journal is taken into account.
    ///
    /// # Errors
    /// If there is no such file, nothing in it, or it is no database.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let plain = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = ON; BEGIN")?;
        // The first look at the file fixes what the transaction sees.
        let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if objects == 0 { Err(ReadError::Blank(path.to_owned())) } else { Ok(Self { connection }) }
    }

    /// The connection, for queries of one's own.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The checkpoints in the order of their cases.
    ///
    /// # Errors
    /// If a row is not readable.
    pub fn checkpoints(&self) -> Result<Vec<StoredCheckpoint>, ReadError> {
        let mut statement =
            self.connection.prepare("SELECT case_number, content, signature FROM checkpoints ORDER BY case_number")?;
        let mut rows = statement.query([])?;
        let mut checkpoints = Vec::new();
        while let Some(row) = rows.next()? {
            let columns = Columns { row, table: "checkpoints", place: Position::FILE };
            let case = columns.small(0, "case_number")?;
            let columns = Columns { place: Position::case(case), ..columns };
            let (content, signature) = (columns.text(1, "content")?, columns.text(2, "signature")?);
            checkpoints.push(StoredCheckpoint { case, content: content.to_owned(), signature: signature.to_owned() });
        }
        Ok(checkpoints)
    }

    /// The cases and channels of which `table` (blocks, transactions or facts) has rows, in order.
    ///
    /// # Errors
    /// If a row is not readable, or names no channel.
    pub fn groups(&self, table: &'static str) -> Result<Vec<(u32, ChannelName)>, ReadError> {
        // From group to group by the primary key, without reading what lies between.
        let mut statement = self.connection.prepare(&format!(
            "SELECT case_number, channel FROM {table} WHERE (case_number, channel) > (?1, ?2)
             ORDER BY case_number, channel LIMIT 1"
        ))?;
        let mut groups = Vec::new();
        let mut last = (i64::MIN, "");
        loop {
            let mut rows = statement.query(last)?;
            let Some(row) = rows.next()? else { return Ok(groups) };
            let columns = Columns { row, table, place: Position::FILE };
            let case = columns.small(0, "case_number")?;
            let channel = Columns { place: Position::case(case), ..columns }.channel(1)?;
            last = (i64::from(case), channel.name());
            groups.push((case, channel));
        }
    }

    /// The numbers of a channel's blocks, ascending.
    ///
    /// # Errors
    /// If a row is not readable, or `visit` returns an error.
    pub fn each_number<E: From<ReadError>>(
        &self,
        case: u32,
        channel: ChannelName,
        mut visit: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT number FROM blocks WHERE case_number = ?1 AND channel = ?2 ORDER BY number";
        let mut statement = self.connection.prepare(sql).map_err(ReadError::from)?;
        let mut rows = statement.query((case, channel.name())).map_err(ReadError::from)?;
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            visit(Columns { row, table: "blocks", place: Position::channel(case, channel) }.large(0, "number")?)?;
        }
        Ok(())
    }

    /// The number of the channel's block with this header hash, if there is one.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn block_by_hash(&self, case: u32, channel: ChannelName, hash: Digest) -> Result<Option<u64>, ReadError> {
        let sql = "SELECT number FROM blocks WHERE case_number = ?1 AND channel = ?2 AND header_hash = ?3";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query((case, channel.name(), hash.0))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Columns { row, table: "blocks", place: Position::channel(case, channel) }.large(0, "number").map(Some)
    }

    /// The envelope of a transaction.
    ///
    /// # Errors
    /// If the row is not readable.
    pub fn envelope(
        &self,
        case: u32,
        channel: ChannelName,
        block: u64,
        number: u32,
    ) -> Result<Option<String>, ReadError> {
        let sql = "SELECT envelope FROM transactions
                   WHERE case_number = ?1 AND channel = ?2 AND block = ?3 AND number = ?4";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query((case, channel.name(), block.cast_signed(), number))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let place = Position::block(case, channel, block).transaction(number);
        let columns = Columns { row, table: "transactions", place };
        columns.text(0, "envelope").map(|envelope| Some(envelope.to_owned()))
    }

    /// The blocks of a case in the order of their positions, with their transactions.
    ///
    /// # Errors
    /// If a row is not readable, a transaction belongs to no block, or `visit` returns an error.
    pub fn each_block<E: From<ReadError>>(
        &self,
        case: u32,
        mut visit: impl FnMut(StoredBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statements = Vec::new();
        for channel in ChannelName::ALL {
            statements.push(ChainStatements::prepare(&self.connection, channel)?);
        }
        let mut chains = Vec::new();
        for statements in &mut statements {
            chains.push(Chain::begin(case, statements)?);
        }
        // Each chain is in order of its numbers; so is the whole, if the first of them always comes next.
        let first = |chains: &[Chain<'_>]| {
            let heads = chains.iter().enumerate().filter_map(|(n, chain)| Some((chain.next.as_ref()?.position, n)));
            heads.min().map(|(_, n)| n)
        };
        while let Some(n) = first(&chains) {
            if let Some(block) = chains[n].take()? {
                visit(block)?;
            }
        }
        Ok(chains.iter().try_for_each(Chain::end)?)
    }

    /// One block with its transactions, if it is there.
    ///
    /// # Errors
    /// If a row is not readable.
    pub fn block(&self, case: u32, channel: ChannelName, number: u64) -> Result<Option<StoredBlock>, ReadError> {
        let from = format!("WHERE case_number = ?1 AND channel = ?2 AND {{}} = {}", number.cast_signed());
        let mut statements = ChainStatements {
            channel,
            blocks: self.connection.prepare(&format!("{BLOCKS} {}", from.replace("{}", "number")))?,
            transactions: self
                .connection
                .prepare(&format!("{TRANSACTIONS} {} ORDER BY number", from.replace("{}", "block")))?,
        };
        Chain::begin(case, &mut statements)?.take()
    }

    /// The facts of a case by channel and key.
    ///
    /// # Errors
    /// If a row is not readable, or `visit` returns an error.
    pub fn each_fact<E: From<ReadError>>(
        &self,
        case: u32,
        mut visit: impl FnMut(StoredFact<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT channel, key, value, block, transaction_number FROM facts WHERE case_number = ?1
                   ORDER BY channel, key";
        let mut statement = self.connection.prepare(sql).map_err(ReadError::from)?;
        let mut rows = statement.query([case]).map_err(ReadError::from)?;
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            let columns = Columns { row, table: "facts", place: Position::case(case) };
            visit(StoredFact {
                channel: columns.channel(0)?,
                key: columns.text(1, "key")?,
                value: columns.text(2, "value")?,
                block: columns.large(3, "block")?,
                transaction: columns.small(4, "transaction_number")?,
            })?;
        }
        Ok(())
    }
}
