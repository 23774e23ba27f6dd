//! Tells a prosumer that has lost its memory where it stands.

use super::{
    Billing, Bills, Ledger, Phase, Playing,
    board::{Board, OffChain},
    participant,
};
use crate::{
    actor::Context,
    chain::fact::{Fact, Key},
    contract::Stub,
    ids::ProsumerId,
    message::{LastPost, MarketState, Message, Standing},
};
use std::sync::Arc;

impl Ledger {
    pub(super) fn tell_standing(&self, prosumer: ProsumerId, question: u64, context: &mut Context<'_>) {
        context.send(prosumer.actor(), Message::Standing(question, Box::new(self.standing(prosumer))));
    }

    fn standing(&self, prosumer: ProsumerId) -> Standing {
        let Some(opened) = self.opened.filter(|_| !self.roster.is_read(prosumer)) else {
            return Standing::Done(self.slot);
        };
        match &self.phase {
            Phase::BetweenSlots => Standing::Done(self.slot),
            Phase::Playing(Playing { board, state, .. }) if participant(board.opened(), prosumer).is_some() => {
                let last = self.last_post(Some(board), state.as_ref(), prosumer);
                Standing::Playing(opened, Arc::clone(board.opened()), last)
            }
            Phase::Billing(Billing { bills: Bills { market, .. }, .. }) if participant(market, prosumer).is_some() => {
                Standing::Playing(opened, Arc::clone(market), self.last_post(None, None, prosumer))
            }
            Phase::Metering(Some(bills)) => match participant(&bills.market, prosumer) {
                Some(number) => Standing::Settled(opened, Arc::clone(&bills.market), bills.of(number)),
                None => Standing::Open(opened),
            },
            _ => Standing::Open(opened),
        }
    }

    /// What a participant posted last: as it stands on the board, or without one on the chain.
    fn last_post(&self, board: Option<&Board>, shown: Option<&Arc<MarketState>>, prosumer: ProsumerId) -> LastPost {
        let number = self.chains.genesis().prosumers[prosumer.index()].0;
        let mut posts = OffChain { state: self.chains.state(), board };
        if let Some(Fact::Quote(quote)) = posts.read(Key::Quote(self.slot, number)) {
            return LastPost::Quote(quote);
        }
        match posts.read(Key::Choice(self.slot, number)) {
            Some(Fact::Choice(choice)) => LastPost::Choice(choice, shown.cloned()),
            _ => LastPost::None,
        }
    }
}
