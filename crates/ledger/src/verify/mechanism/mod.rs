//! Ways of trading, written a second time from their rules: what the contract holds posts and trades to, and which bills
//! follow. Each has a file or folder of its own, and a line in each function here.

mod two_level;

use super::{
    bills::Bills,
    desk::{Decision, Desk},
    discrepancy::Checked,
    state::State,
};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Game, Number},
        genesis::Genesis,
        refusal::Refusal,
    },
    ids::Slot,
    market::mechanism::Mechanism,
    units::Energy,
};
use std::fmt::Debug;

/// What the trades of a slot are held to. It is asked for each trade, by buyer, then seller.
pub(super) trait Terms: Debug {
    /// Reads what a seller has posted, at its first trade.
    fn read_seller(&mut self, desk: &mut Desk<'_>, slot: Slot, seller: Number) -> Result<(), Refusal>;

    /// Reads what a buyer has posted, at its first trade.
    fn read_buyer(&mut self, desk: &mut Desk<'_>, slot: Slot, buyer: Number) -> Result<(), Refusal>;

    /// At which price [CNY/kWh] the buyer gets so much from the seller, given with its place in the game, or why it does not.
    fn price(&mut self, buyer: Number, seller: (Number, usize), energy: Energy) -> Result<f64, Refusal>;
}

/// What is wrong with a game as it opens, beyond who takes part.
pub(super) fn opens(genesis: &Genesis, game: &Game) -> Checked<(), String> {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::opens(game),
    }
}

/// A prosumer posts in a game that goes on.
pub(super) fn post(desk: &mut Desk<'_>, game: &Game, number: Number, post: &Call) -> Decision {
    match desk.genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::post(desk, game, number, post),
    }
}

/// What trades are held to by these rules.
pub(super) fn terms(genesis: &Genesis) -> Box<dyn Terms> {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => Box::new(two_level::LastPosts::default()),
    }
}

/// The bills that follow from a slot's game as it stands; none without a game.
pub(super) fn bills(genesis: &Genesis, state: &State, slot: Slot) -> Bills {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::bills(genesis, state, slot),
    }
}
