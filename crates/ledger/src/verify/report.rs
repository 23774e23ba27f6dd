//! What a verification has covered.

use microgrid_agents::{
    chain::hash::Digest,
    ids::{ChannelName, Slot},
};

/// What a verification has covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One a case, in order; where something is wrong, the last is the one where it is.
    pub cases: Vec<CaseReport>,
}

/// What was covered of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    /// Its number.
    pub case: u32,
    /// Name of the scenario, as genesis has it.
    pub scenario: String,
    /// Identifier of its chains. Whoever knows it from elsewhere knows that these are the same chains.
    pub genesis: Digest,
    /// Last slot that is closed.
    pub closed: Slot,
    /// How many slots there are.
    pub slots: Slot,
    /// Bills that were derived once more from the final state of the games.
    pub bills: u64,
    /// Its channels, in the order of [`ChannelName::ALL`].
    pub channels: [ChannelReport; 3],
}

/// What was covered of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelReport {
    /// Blocks.
    pub blocks: u64,
    /// Transactions in them that count.
    pub valid: u64,
    /// Transactions in them that do not.
    pub invalid: u64,
    /// Signatures and endorsements that were checked.
    pub signatures: u64,
    /// Facts of its state, compared with the table.
    pub facts: u64,
}

impl CaseReport {
    pub(super) fn channel(&mut self, channel: ChannelName) -> &mut ChannelReport {
        &mut self.channels[channel as usize]
    }
}

impl ChannelReport {
    /// Transactions, whether they count or not.
    pub fn transactions(&self) -> u64 {
        self.valid + self.invalid
    }
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Number of the case under way.
    pub case: u32,
    /// How many cases there are.
    pub cases: usize,
    /// Blocks of this case that are done.
    pub done: u64,
    /// Blocks of this case.
    pub blocks: u64,
}
