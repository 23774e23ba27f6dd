//! Reads `ledger.db` row by row, in order, and takes no column for granted.
//!
//! Whatever the file holds, reading it ends in rows or in a [`ReadError`].

use super::{position::Position, schema};
use microgrid_agents::{
    chain::{block::Header, hash::Digest, transaction::Version},
    debug_as_display,
    ids::ChannelName,
    time::Time,
};
use rusqlite::{Connection, OpenFlags, Params, Row, config::DbConfig, types::FromSql};
use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

const BLOCKS: &str = "SELECT number, position, time_ns, previous_hash, data_hash, header_hash, commit_hash FROM blocks
    WHERE case_number = ?1 AND channel = ?2";
const TRANSACTIONS: &str = "SELECT number, code, envelope FROM transactions
    WHERE case_number = ?1 AND channel = ?2 AND block = ?3 ORDER BY number";
const ORPHAN: &str = "SELECT channel, block, number FROM transactions AS lone WHERE case_number = ?1 AND NOT EXISTS (
    SELECT 1 FROM blocks WHERE case_number = ?1 AND channel = lone.channel AND number = lone.block) LIMIT 1";

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
    /// It is a folder, a device or a pipe.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// There is nothing in the file.
    #[error("{} is blank: its writer was stopped before it had begun", .0.display())]
    Blank(PathBuf),
    /// The database cannot make sense of the file.
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    /// A row, as far as it can be told, is not what it should be.
    #[error("{1}")]
    Row(Position, String),
}

debug_as_display!(ReadError);

impl ReadError {
    /// A column holds something else than it should.
    pub fn column(place: Position, table: &str, column: &str, expected: &str) -> Self {
        Self::Row(place, format!("column {column} of table {table} is not {expected}"))
    }

    /// Where it is, as far as that can be told.
    pub fn place(&self) -> Position {
        match self {
            Self::Open { .. } | Self::NoFile(_) | Self::Blank(_) | Self::Database(_) => Position::FILE,
            Self::Row(place, _) => *place,
        }
    }
}

/// A block as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// What it is, and where.
    pub header: Header,
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
    /// Who wrote it.
    pub version: Version,
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

/// What lies at the path of a database or, as if it belonged to that, beside it, and is no file: whoever opens a pipe waits
/// for who writes into it.
pub(super) fn no_file(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let files = ["", "-journal", "-wal", "-shm"].map(|ending| {
        let mut file = path.clone().into_os_string();
        file.push(ending);
        PathBuf::from(file)
    });
    files.into_iter().find(|file| file.symlink_metadata().is_ok_and(|there| !there.is_file()))
}

/// An open `ledger.db`. It sees the file as it was when it was opened, even while a run adds to it.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens a ledger and leaves it as it is. Where the writer was interrupted, its journal is taken into account. Fails if
    /// there is no file, nothing in it, no database, or one with another header or schema than a ledger's.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        if let Some(other) = no_file(path) {
            return Err(ReadError::NoFile(other));
        }
        // Some of the system's files say that they are empty, and let wait whoever reads them.
        if path.metadata().is_ok_and(|there| there.len() == 0) {
            return Err(ReadError::Blank(path.to_owned()));
        }
        let plain = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = ON; BEGIN")?;
        // The first look at the file fixes what the transaction sees.
        let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if objects == 0 {
            return Err(ReadError::Blank(path.to_owned()));
        }
        let version = check_header(&connection)?;
        check_schema(&connection, version)?;
        Ok(Self { connection })
    }

    /// The connection, for queries of one's own.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Visits the rows of a query of `table`, which are at `place` as far as that can be told.
    fn each<E: From<ReadError>>(
        &self,
        (table, place): (&'static str, Position),
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(Columns<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).map_err(ReadError::from)?;
        let mut rows = statement.query(params).map_err(ReadError::from)?;
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            visit(Columns { row, table, place })?;
        }
        Ok(())
    }

    /// The checkpoints in the order of their cases; an error if a row is not readable.
    pub fn checkpoints(&self) -> Result<Vec<StoredCheckpoint>, ReadError> {
        let mut checkpoints = Vec::new();
        let sql = "SELECT case_number, content, signature FROM checkpoints ORDER BY case_number";
        self.each(("checkpoints", Position::FILE), sql, [], |columns| {
            let case = columns.small(0, "case_number")?;
            let columns = Columns { place: Position::case(case), ..columns };
            let [content, signature] = [columns.text(1, "content")?, columns.text(2, "signature")?].map(str::to_owned);
            checkpoints.push(StoredCheckpoint { case, content, signature });
            Ok::<(), ReadError>(())
        })?;
        Ok(checkpoints)
    }

    /// The cases and channels of which `table` (blocks, transactions or facts) has rows, in order; an error if a row is not
    /// readable, or names no channel.
    pub fn groups(&self, table: &'static str) -> Result<Vec<(u32, ChannelName)>, ReadError> {
        let mut groups = Vec::new();
        let sql = format!("SELECT DISTINCT case_number, channel FROM {table} ORDER BY case_number, channel");
        self.each((table, Position::FILE), &sql, [], |columns| {
            let case = columns.small(0, "case_number")?;
            groups.push((case, Columns { place: Position::case(case), ..columns }.channel(1)?));
            Ok::<(), ReadError>(())
        })?;
        Ok(groups)
    }

    /// The numbers of a channel's blocks, ascending; an error if a row is not readable, or that of `visit`.
    pub fn each_number<E: From<ReadError>>(
        &self,
        case: u32,
        channel: ChannelName,
        mut visit: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT number FROM blocks WHERE case_number = ?1 AND channel = ?2 ORDER BY number";
        let blocks = ("blocks", Position::channel(case, channel));
        self.each(blocks, sql, (case, channel.name()), |columns| visit(columns.large(0, "number")?))
    }

    /// The number of the channel's block with this header hash, if there is one; an error if it is not readable.
    pub fn block_by_hash(&self, case: u32, channel: ChannelName, hash: Digest) -> Result<Option<u64>, ReadError> {
        let sql = "SELECT number FROM blocks WHERE case_number = ?1 AND channel = ?2 AND header_hash = ?3 LIMIT 1";
        let (blocks, mut found) = (("blocks", Position::channel(case, channel)), None);
        self.each(blocks, sql, (case, channel.name(), hash.0), |columns| {
            columns.large(0, "number").map(|number| found = Some(number))
        })?;
        Ok(found)
    }

    /// The blocks of a case in the order of their positions, with their transactions; an error if a row is not readable or
    /// a transaction belongs to no block, or that of `visit`.
    pub fn each_block<E: From<ReadError>>(
        &self,
        case: u32,
        mut visit: impl FnMut(StoredBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("{BLOCKS} ORDER BY number");
        let mut statements = Vec::new();
        for channel in ChannelName::ALL {
            statements.push((channel, self.connection.prepare(&sql).map_err(ReadError::from)?));
        }
        let mut chains = Vec::new();
        for (channel, statement) in &mut statements {
            let mut rows = statement.query((case, channel.name())).map_err(ReadError::from)?;
            let next = self.read_block(case, *channel, rows.next().map_err(ReadError::from)?)?;
            chains.push((*channel, rows, next));
        }
        // Each chain is in order of its numbers; so is the whole, if the first of them always comes next.
        while let Some((channel, rows, next)) = chains
            .iter_mut()
            .filter(|(.., next)| next.is_some())
            .min_by_key(|(.., next)| next.as_ref().map(|block| block.header.position))
        {
            let after = self.read_block(case, *channel, rows.next().map_err(ReadError::from)?)?;
            if let Some(block) = std::mem::replace(next, after) {
                visit(block)?;
            }
        }
        self.each(("transactions", Position::case(case)), ORPHAN, [case], |columns| {
            let place = Position::block(case, columns.channel(0)?, columns.large(1, "block")?);
            let place = place.transaction(columns.small(2, "number")?);
            Err(ReadError::Row(place, "it belongs to no block".to_owned()).into())
        })
    }

    /// One block with its transactions, if it is there; an error if a row is not readable.
    pub fn block(&self, case: u32, channel: ChannelName, number: u64) -> Result<Option<StoredBlock>, ReadError> {
        let mut statement = self.connection.prepare(&format!("{BLOCKS} AND number = ?3"))?;
        let mut rows = statement.query((case, channel.name(), number.cast_signed()))?;
        self.read_block(case, channel, rows.next()?)
    }

    fn read_block(
        &self,
        case: u32,
        channel: ChannelName,
        row: Option<&Row<'_>>,
    ) -> Result<Option<StoredBlock>, ReadError> {
        let Some(row) = row else { return Ok(None) };
        let columns = Columns { row, table: "blocks", place: Position::channel(case, channel) };
        let number = columns.large(0, "number")?;
        let place = Position::block(case, channel, number);
        let columns = Columns { place, ..columns };
        let header = Header {
            channel,
            number,
            position: columns.large(1, "position")?,
            time: Time(columns.large(2, "time_ns")?),
            previous_hash: columns.optional_digest(3, "previous_hash")?,
            data_hash: columns.digest(4, "data_hash")?,
        };
        let [header_hash, commit_hash] = [columns.digest(5, "header_hash")?, columns.digest(6, "commit_hash")?];
        let mut block = StoredBlock { header, header_hash, commit_hash, transactions: Vec::new() };
        let of = (case, channel.name(), number.cast_signed());
        self.each(("transactions", place), TRANSACTIONS, of, |columns| {
            let number = columns.small(0, "number")?;
            let columns = Columns { place: place.transaction(number), ..columns };
            let [code, envelope] = [columns.text(1, "code")?, columns.text(2, "envelope")?].map(str::to_owned);
            block.transactions.push(StoredTransaction { number, code, envelope });
            Ok::<(), ReadError>(())
        })?;
        Ok(Some(block))
    }

    /// The facts of a case by channel and key; an error if a row is not readable, or that of `visit`.
    pub fn each_fact<E: From<ReadError>>(
        &self,
        case: u32,
        mut visit: impl FnMut(StoredFact<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT channel, key, value, block, transaction_number FROM facts WHERE case_number = ?1
                   ORDER BY channel, key";
        self.each(("facts", Position::case(case)), sql, [case], |columns| {
            visit(StoredFact {
                channel: columns.channel(0)?,
                key: columns.text(1, "key")?,
                value: columns.text(2, "value")?,
                version: Version(columns.large(3, "block")?, columns.small(4, "transaction_number")?),
            })
        })
    }
}

/// Returns the version of the schema.
fn check_header(connection: &Connection) -> Result<i32, ReadError> {
    let check = |name: &str, known: RangeInclusive<i32>| {
        let found: i32 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
        if known.contains(&found) {
            return Ok(found);
        }
        Err(ReadError::Row(Position::FILE, format!("{name} is {found}, not {}", known.end())))
    };
    check("application_id", schema::APPLICATION_ID..=schema::APPLICATION_ID)?;
    check("user_version", 1..=schema::USER_VERSION)
}

/// A table or view: type, name, table and text.
type Object = (String, String, String, Option<String>);

fn check_schema(connection: &Connection, version: i32) -> Result<(), ReadError> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(schema::SQL)?;
    model.execute_batch(&schema::back_to(version))?;
    match objects(&model)?.symmetric_difference(&objects(connection)?).next() {
        None => Ok(()),
        Some((_, name, ..)) => {
            let what = format!("the schema is not that of a ledger: {name} is missing, added or different");
            Err(ReadError::Row(Position::FILE, what))
        }
    }
}

fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// The columns of a row, each read as what it should be.
#[derive(Clone, Copy)]
struct Columns<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    /// The row, as far as it can be told.
    place: Position,
}

impl<'r> Columns<'r> {
    fn wrong(&self, column: &'static str, expected: &'static str) -> ReadError {
        ReadError::column(self.place, self.table, column, expected)
    }

    fn get<T: FromSql>(&self, index: usize, column: &'static str, expected: &'static str) -> Result<T, ReadError> {
        self.row.get(index).map_err(|_| self.wrong(column, expected))
    }

    fn large(&self, index: usize, column: &'static str) -> Result<u64, ReadError> {
        let expected = "a whole number from 0";
        u64::try_from(self.get::<i64>(index, column, expected)?).map_err(|_| self.wrong(column, expected))
    }

    fn small(&self, index: usize, column: &'static str) -> Result<u32, ReadError> {
        u32::try_from(self.large(index, column)?).map_err(|_| self.wrong(column, "a number of 32 bits"))
    }

    fn text(&self, index: usize, column: &'static str) -> Result<&'r str, ReadError> {
        self.row.get_ref(index)?.as_str().map_err(|_| self.wrong(column, "text in UTF-8"))
    }

    fn channel(&self, index: usize) -> Result<ChannelName, ReadError> {
        let name = self.text(index, "channel")?;
        let known = ChannelName::ALL.into_iter().find(|channel| channel.name() == name);
        known.ok_or_else(|| self.wrong("channel", "the name of a channel"))
    }

    fn optional_digest(&self, index: usize, column: &'static str) -> Result<Option<Digest>, ReadError> {
        Ok(self.get::<Option<[u8; 32]>>(index, column, "a hash of 32 bytes")?.map(Digest))
    }

    fn digest(&self, index: usize, column: &'static str) -> Result<Digest, ReadError> {
        self.get(index, column, "a hash of 32 bytes").map(Digest)
    }
}
