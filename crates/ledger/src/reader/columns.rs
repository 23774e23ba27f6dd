//! Columns, each read as what it should be.

use super::ReadError;
use crate::position::Position;
use microgrid_agents::{chain::hash::Digest, ids::ChannelName};
use rusqlite::{Row, types::ValueRef};

/// The columns of a row, each read as what it should be.
#[derive(Clone, Copy)]
pub(super) struct Columns<'r> {
    pub(super) row: &'r Row<'r>,
    pub(super) table: &'static str,
    /// The row, as far as it can be told.
    pub(super) place: Position,
}

impl<'r> Columns<'r> {
    fn wrong(&self, column: &'static str, expected: &'static str) -> ReadError {
        ReadError::Column { place: self.place, table: self.table, column, expected }
    }

    pub(super) fn large(&self, index: usize, column: &'static str) -> Result<u64, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Integer(value) => u64::try_from(value).ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong(column, "a whole number from 0"))
    }

    pub(super) fn small(&self, index: usize, column: &'static str) -> Result<u32, ReadError> {
        let value = self.large(index, column)?;
        u32::try_from(value).map_err(|_| self.wrong(column, "a number of 32 bits"))
    }

    pub(super) fn text(&self, index: usize, column: &'static str) -> Result<&'r str, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong(column, "text in UTF-8"))
    }

    pub(super) fn channel(&self, index: usize) -> Result<ChannelName, ReadError> {
        let name = self.text(index, "channel")?;
        let known = ChannelName::ALL.into_iter().find(|channel| channel.name() == name);
        known.ok_or_else(|| self.wrong("channel", "the name of a channel"))
    }

    pub(super) fn optional_digest(&self, index: usize, column: &'static str) -> Result<Option<Digest>, ReadError> {
        match self.row.get_ref(index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => bytes.try_into().map(|bytes| Some(Digest(bytes))).map_err(drop),
            _ => Err(()),
        }
        .map_err(|()| self.wrong(column, "a hash of 32 bytes"))
    }

    pub(super) fn digest(&self, index: usize, column: &'static str) -> Result<Digest, ReadError> {
        self.optional_digest(index, column)?.ok_or_else(|| self.wrong(column, "a hash of 32 bytes"))
    }
}
