//! Where on the ledger something stands.

use microgrid_agents::ids::ChannelName;
use std::fmt;

/// Where on the ledger something stands, as far as that can be told: `case 1, trade block 12, transaction 3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Number of the case; `None` for the file as a whole.
    pub case: Option<u32>,
    /// The channel.
    pub channel: Option<ChannelName>,
    /// Number of the block in its channel.
    pub block: Option<u64>,
    /// Number of the transaction in its block, from 0.
    pub transaction: Option<u32>,
}

impl Position {
    /// The file as a whole.
    pub const FILE: Self = Self { case: None, channel: None, block: None, transaction: None };

    /// A case.
    pub fn case(case: u32) -> Self {
        Self { case: Some(case), ..Self::FILE }
    }

    /// A channel of a case.
    pub fn channel(case: u32, channel: ChannelName) -> Self {
        Self { channel: Some(channel), ..Self::case(case) }
    }

    /// A block of a channel.
    pub fn block(case: u32, channel: ChannelName, block: u64) -> Self {
        Self { block: Some(block), ..Self::channel(case, channel) }
    }

    /// A transaction of this block.
    #[must_use]
    pub fn transaction(self, transaction: u32) -> Self {
        Self { transaction: Some(transaction), ..self }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(case) = self.case else { return f.write_str("ledger.db") };
        write!(f, "case {case}")?;
        if let Some(channel) = self.channel {
            write!(f, ", {}", channel.name())?;
        }
        if let Some(block) = self.block {
            write!(f, " block {block}")?;
        }
        if let Some(transaction) = self.transaction {
            write!(f, ", transaction {transaction}")?;
        }
        Ok(())
    }
}
