//! Ways of trading, written a second time from their rules: what the contract holds posts and trades to, and which bills
//! follow. Each has a file or folder of its own, and a line in each function here.

mod auction;
mod cleared;
mod rates;
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
        fact::{Clearing, Game, Number},
        genesis::Genesis,
        refusal::Refusal,
    },
    ids::Slot,
    market::mechanism::Mechanism,
    statement::Orders,
    time::Time,
    units::Energy,
};
use std::{fmt::Debug, sync::Arc};

/// What the trades of a slot are held to. It is asked for each trade, by buyer, then seller.
pub(super) trait Terms: Debug {
    /// Reads what a seller has posted, at its first trade.
    fn read_seller(&mut self, desk: &mut Desk<'_>, slot: Slot, seller: Number) -> Result<(), Refusal>;

    /// Reads what a buyer has posted, at its first trade.
    fn read_buyer(&mut self, desk: &mut Desk<'_>, slot: Slot, buyer: Number) -> Result<(), Refusal>;

    /// At which price [CNY/kWh] the buyer gets so much from the seller, given with its place in the game, or why it does not.
    fn price(&mut self, buyer: Number, seller: (Number, usize), energy: Energy) -> Result<f64, Refusal>;
}

/// A market that clears, held once more from the posts as they came to count.
pub(super) trait Venue: Debug {
    /// These orders count from `now`.
    fn posted(&mut self, number: Number, orders: &Arc<Orders>, now: Time) -> Checked<(), String>;

    /// What is to be announced or executed `now`.
    fn due(&mut self, now: Time) -> Checked<Clearing, String>;

    /// The market closes `now`: nothing may be left to be cleared.
    fn close(&mut self, now: Time) -> Checked<(), String>;
}

/// What is wrong with a game as it opens, beyond who takes part.
pub(super) fn opens(genesis: &Genesis, game: &Game) -> Checked<(), String> {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::opens(game),
        _ => cleared::opens(game),
    }
}

/// A prosumer posts in a game that goes on.
pub(super) fn post(desk: &mut Desk<'_>, game: &Game, number: Number, post: &Call) -> Decision {
    match desk.genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::post(desk, game, number, post),
        Mechanism::MidMarketRate | Mechanism::BillSharing | Mechanism::SupplyDemandRatio => {
            rates::post(desk, game, number, post)
        }
        Mechanism::UniformPriceAuction { .. } | Mechanism::ContinuousDoubleAuction => {
            auction::post(desk, game, number, post)
        }
    }
}

/// The ledger clears in a game that goes on.
pub(super) fn clear(desk: &mut Desk<'_>, game: &Game, slot: Slot, clearing: &Clearing) -> Result<(), Refusal> {
    match desk.genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => Err(Refusal::NotAParticipant),
        Mechanism::MidMarketRate | Mechanism::BillSharing | Mechanism::SupplyDemandRatio => {
            let tariff = cleared::clear(desk, game, slot, clearing)?;
            rates::clear(desk, &tariff, clearing)
        }
        Mechanism::UniformPriceAuction { .. } | Mechanism::ContinuousDoubleAuction => {
            cleared::clear(desk, game, slot, clearing).map(|_| ())
        }
    }
}

/// The market that opens `now` in a slot, if it is one that clears.
pub(super) fn venue(genesis: &Genesis, state: &State, slot: Slot, game: &Game, now: Time) -> Option<Box<dyn Venue>> {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => None,
        Mechanism::MidMarketRate | Mechanism::BillSharing | Mechanism::SupplyDemandRatio => {
            Some(Box::new(rates::Rates::open(genesis, state, slot, game)))
        }
        Mechanism::UniformPriceAuction { every } => Some(Box::new(auction::Uniform::open(genesis, game, every, now))),
        Mechanism::ContinuousDoubleAuction => Some(Box::new(auction::Continuous::open(genesis, game))),
    }
}

/// What trades are held to by these rules.
pub(super) fn terms(desk: &mut Desk<'_>, slot: Slot) -> Box<dyn Terms> {
    match desk.genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => Box::new(two_level::LastPosts::default()),
        _ => Box::new(cleared::Executed::read(desk, slot)),
    }
}

/// The bills that follow from a slot's game as it stands; none without a game.
pub(super) fn bills(genesis: &Genesis, state: &State, slot: Slot) -> Bills {
    match genesis.rules.mechanism {
        Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => two_level::bills(genesis, state, slot),
        _ => cleared::bills(genesis, state, slot),
    }
}
