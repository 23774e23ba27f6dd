//! A buyer's side of a game in which sellers lead by price, as its [`Player`](super::player::Player) needs it.

use super::{adaptation::Steps, choices::Choices, seller::Lead};
use crate::{
    chain::genesis::Genesis,
    mechanism::{Entry, Habits, Moment},
    message::MarketState,
    statement::Choice,
};
use std::{fmt::Debug, sync::Arc};

/// A buyer in a game in which sellers lead by price.
pub(in crate::mechanism) trait Follower: Debug + Sized {
    /// How the sellers lead whom it follows.
    fn lead(genesis: &Genesis, habits: &Habits) -> Lead;

    fn join(entry: Entry<'_>) -> Self;

    /// The next choice.
    fn act(&mut self, news: &MarketState, steps: &mut Steps, moment: Moment<'_>) -> Arc<Choice>;

    /// Goes on from a choice that it has forgotten; without the market as it was shown, only its bills are to come.
    fn resume(&mut self, choice: Arc<Choice>, shown: Option<&MarketState>);

    /// Its last choices.
    fn choices(&self) -> &Choices;

    /// Reads a little of what it needs to act, so many steps away.
    fn look(&self, _depth: usize) -> usize {
        0
    }
}
