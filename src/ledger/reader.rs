//! Reads `ledger.db` row by row, in order, and takes no column for granted.
//!
//! Whatever the file holds, reading it ends in rows or in a [`ReadError`].

use super::place::Place;
use microgrid_agents::{chain::hash::Digest, ids::ChannelName, time::Time};
use rusqlite::{Connection, OpenFlags, Row, Rows, Statement, config::DbConfig, types::ValueRef};
use std::path::{Path, PathBuf};

/// Why the ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file, or it cannot be opened at all.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The database cannot make sense of the file.
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    /// A column holds something else than it should.
    #[error("column {column} of table {table} is not {expected}")]
    Column {
        /// The row, as far as it can be told.
        place: Place,
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A transaction belongs to a block that is not there.
    #[error("it belongs to no block")]
    Orphan(Place),
}

impl ReadError {
    /// Where it is, as far as that can be told.
    pub fn place(&self) -> Place {
        match self {
            Self::Open { .. } | Self::Database(_) => Place::FILE,
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
    /// If there is no such file, or it is no database.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let plain = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = ON; BEGIN")?;
        // The first look at the file fixes what the transaction sees.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Self { connection })
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
            let columns = Columns { row, table: "checkpoints", place: Place::FILE };
            let case = columns.small(0, "case_number")?;
            let columns = Columns { place: Place::case(case), ..columns };
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
            let columns = Columns { row, table, place: Place::FILE };
            let case = columns.small(0, "case_number")?;
            let channel = Columns { place: Place::case(case), ..columns }.channel(1)?;
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
            visit(Columns { row, table: "blocks", place: Place::channel(case, channel) }.large(0, "number")?)?;
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
        Columns { row, table: "blocks", place: Place::channel(case, channel) }.large(0, "number").map(Some)
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
        let place = Place::block(case, channel, block).transaction(number);
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
            let columns = Columns { row, table: "facts", place: Place::case(case) };
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

const BLOCKS: &str = "SELECT number, position, time_ns, previous_hash, data_hash, header_hash, commit_hash FROM blocks";
const TRANSACTIONS: &str = "SELECT block, number, code, envelope FROM transactions";

/// What a [`Chain`] reads from.
struct ChainStatements<'c> {
    channel: ChannelName,
    blocks: Statement<'c>,
    transactions: Statement<'c>,
}

impl<'c> ChainStatements<'c> {
    fn prepare(connection: &'c Connection, channel: ChannelName) -> Result<Self, ReadError> {
        let of = "WHERE case_number = ?1 AND channel = ?2 ORDER BY";
        Ok(Self {
            channel,
            blocks: connection.prepare(&format!("{BLOCKS} {of} number"))?,
            transactions: connection.prepare(&format!("{TRANSACTIONS} {of} block, number"))?,
        })
    }
}

/// A channel's blocks and transactions, one ahead of what was taken.
struct Chain<'s> {
    case: u32,
    channel: ChannelName,
    blocks: Rows<'s>,
    transactions: Rows<'s>,
    next: Option<StoredBlock>,
    /// With the number of its block.
    next_transaction: Option<(u64, StoredTransaction)>,
}

impl<'s> Chain<'s> {
    fn begin(case: u32, statements: &'s mut ChainStatements<'_>) -> Result<Self, ReadError> {
        let channel = statements.channel;
        let blocks = statements.blocks.query((case, channel.name()))?;
        let transactions = statements.transactions.query((case, channel.name()))?;
        let mut chain = Self { case, channel, blocks, transactions, next: None, next_transaction: None };
        chain.read_block()?;
        chain.read_transaction()?;
        Ok(chain)
    }

    fn read_block(&mut self) -> Result<(), ReadError> {
        let place = Place::channel(self.case, self.channel);
        self.next = self.blocks.next()?.map(|row| read_block(self.channel, row, place)).transpose()?;
        Ok(())
    }

    fn read_transaction(&mut self) -> Result<(), ReadError> {
        let place = Place::channel(self.case, self.channel);
        self.next_transaction = self.transactions.next()?.map(|row| read_transaction(row, place)).transpose()?;
        Ok(())
    }

    /// The next block with its transactions.
    fn take(&mut self) -> Result<Option<StoredBlock>, ReadError> {
        let Some(mut block) = self.next.take() else { return Ok(None) };
        self.read_block()?;
        if self.next_transaction.as_ref().is_some_and(|(of, _)| *of < block.number) {
            self.end()?;
        }
        while let Some((_, transaction)) = self.next_transaction.take_if(|(of, _)| *of == block.number) {
            block.transactions.push(transaction);
            self.read_transaction()?;
        }
        Ok(Some(block))
    }

    /// No transaction may be left.
    fn end(&self) -> Result<(), ReadError> {
        match &self.next_transaction {
            None => Ok(()),
            Some((block, transaction)) => {
                Err(ReadError::Orphan(Place::block(self.case, self.channel, *block).transaction(transaction.number)))
            }
        }
    }
}

fn read_block(channel: ChannelName, row: &Row<'_>, place: Place) -> Result<StoredBlock, ReadError> {
    let columns = Columns { row, table: "blocks", place };
    let number = columns.large(0, "number")?;
    let columns = Columns { place: Place { block: Some(number), ..place }, ..columns };
    Ok(StoredBlock {
        channel,
        number,
        position: columns.large(1, "position")?,
        time: Time(columns.large(2, "time_ns")?),
        previous_hash: columns.optional_digest(3, "previous_hash")?,
        data_hash: columns.digest(4, "data_hash")?,
        header_hash: columns.digest(5, "header_hash")?,
        commit_hash: columns.digest(6, "commit_hash")?,
        transactions: Vec::new(),
    })
}

fn read_transaction(row: &Row<'_>, place: Place) -> Result<(u64, StoredTransaction), ReadError> {
    let columns = Columns { row, table: "transactions", place };
    let block = columns.large(0, "block")?;
    let columns = Columns { place: Place { block: Some(block), ..place }, ..columns };
    let number = columns.small(1, "number")?;
    let columns = Columns { place: columns.place.transaction(number), ..columns };
    let (code, envelope) = (columns.text(2, "code")?.to_owned(), columns.text(3, "envelope")?.to_owned());
    Ok((block, StoredTransaction { number, code, envelope }))
}

/// The columns of a row, each read as what it should be.
#[derive(Clone, Copy)]
struct Columns<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    place: Place,
}

impl<'r> Columns<'r> {
    fn wrong(&self, column: &'static str, expected: &'static str) -> ReadError {
        ReadError::Column { place: self.place, table: self.table, column, expected }
    }

    fn large(&self, index: usize, column: &'static str) -> Result<u64, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Integer(value) => u64::try_from(value).ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong(column, "a whole number from 0"))
    }

    fn small(&self, index: usize, column: &'static str) -> Result<u32, ReadError> {
        let value = self.large(index, column)?;
        u32::try_from(value).map_err(|_| self.wrong(column, "a number of 32 bits"))
    }

    fn text(&self, index: usize, column: &'static str) -> Result<&'r str, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong(column, "text in UTF-8"))
    }

    fn channel(&self, index: usize) -> Result<ChannelName, ReadError> {
        let name = self.text(index, "channel")?;
        let known = ChannelName::ALL.into_iter().find(|channel| channel.name() == name);
        known.ok_or_else(|| self.wrong("channel", "the name of a channel"))
    }

    fn optional_digest(&self, index: usize, column: &'static str) -> Result<Option<Digest>, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => bytes.try_into().map(|bytes| Some(Digest(bytes))).map_err(drop),
            _ => Err(()),
        }
        .map_err(|()| self.wrong(column, "a hash of 32 bytes"))
    }

    fn digest(&self, index: usize, column: &'static str) -> Result<Digest, ReadError> {
        self.optional_digest(index, column)?.ok_or_else(|| self.wrong(column, "a hash of 32 bytes"))
    }
}
