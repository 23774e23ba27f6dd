//! The ledger.

/// One of the ledger's three channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelName {
    /// Main chain: registrations and bills.
    Trade,
    /// Quotes and choices of the game.
    Information,
    /// Meter readings.
    Energy,
}
