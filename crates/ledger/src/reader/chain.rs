//! The blocks of one channel with their transactions, side by side.

use super::{ReadError, StoredBlock, StoredTransaction, columns::Columns};
use crate::position::Position;
use microgrid_agents::{ids::ChannelName, time::Time};
use rusqlite::{Connection, Row, Rows, Statement};

pub(super) const BLOCKS: &str =
    "SELECT number, position, time_ns, previous_hash, data_hash, header_hash, commit_hash FROM blocks";
pub(super) const TRANSACTIONS: &str = "SELECT block, number, code, envelope FROM transactions";

/// What a [`Chain`] reads from.
pub(super) struct ChainStatements<'c> {
    pub(super) channel: ChannelName,
    pub(super) blocks: Statement<'c>,
    pub(super) transactions: Statement<'c>,
}

impl<'c> ChainStatements<'c> {
    pub(super) fn prepare(connection: &'c Connection, channel: ChannelName) -> Result<Self, ReadError> {
        let of = "WHERE case_number = ?1 AND channel = ?2 ORDER BY";
        Ok(Self {
            channel,
            blocks: connection.prepare(&format!("{BLOCKS} {of} number"))?,
            transactions: connection.prepare(&format!("{TRANSACTIONS} {of} block, number"))?,
        })
    }
}

/// A channel's blocks and transactions, one ahead of what was taken.
pub(super) struct Chain<'s> {
    case: u32,
    channel: ChannelName,
    blocks: Rows<'s>,
    transactions: Rows<'s>,
    pub(super) next: Option<StoredBlock>,
    /// With the number of its block.
    next_transaction: Option<(u64, StoredTransaction)>,
}

impl<'s> Chain<'s> {
    pub(super) fn begin(case: u32, statements: &'s mut ChainStatements<'_>) -> Result<Self, ReadError> {
        let channel = statements.channel;
        let blocks = statements.blocks.query((case, channel.name()))?;
        let transactions = statements.transactions.query((case, channel.name()))?;
        let mut chain = Self { case, channel, blocks, transactions, next: None, next_transaction: None };
        chain.read_block()?;
        chain.read_transaction()?;
        Ok(chain)
    }

    fn read_block(&mut self) -> Result<(), ReadError> {
        let place = Position::channel(self.case, self.channel);
        self.next = self.blocks.next()?.map(|row| read_block(self.channel, row, place)).transpose()?;
        Ok(())
    }

    fn read_transaction(&mut self) -> Result<(), ReadError> {
        let place = Position::channel(self.case, self.channel);
        self.next_transaction = self.transactions.next()?.map(|row| read_transaction(row, place)).transpose()?;
        Ok(())
    }

    /// The next block with its transactions.
    pub(super) fn take(&mut self) -> Result<Option<StoredBlock>, ReadError> {
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
    pub(super) fn end(&self) -> Result<(), ReadError> {
        match &self.next_transaction {
            None => Ok(()),
            Some((block, transaction)) => {
                Err(ReadError::Orphan(Position::block(self.case, self.channel, *block).transaction(transaction.number)))
            }
        }
    }
}

fn read_block(channel: ChannelName, row: &Row<'_>, place: Position) -> Result<StoredBlock, ReadError> {
    let columns = Columns { row, table: "blocks", place };
    let number = columns.large(0, "number")?;
    let columns = Columns { place: Position { block: Some(number), ..place }, ..columns };
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

fn read_transaction(row: &Row<'_>, place: Position) -> Result<(u64, StoredTransaction), ReadError> {
    let columns = Columns { row, table: "transactions", place };
    let block = columns.large(0, "block")?;
    let columns = Columns { place: Position { block: Some(block), ..place }, ..columns };
    let number = columns.small(1, "number")?;
    let columns = Columns { place: columns.place.transaction(number), ..columns };
    let (code, envelope) = (columns.text(2, "code")?.to_owned(), columns.text(3, "envelope")?.to_owned());
    Ok((block, StoredTransaction { number, code, envelope }))
}
