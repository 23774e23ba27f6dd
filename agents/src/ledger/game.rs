//! The game: quotes and choices count, the market is shown, until everybody is at rest.

use super::{Ledger, Phase, Playing, Unpublished, board::OffChain, chains::Sent};
use crate::{
    actor::{Context, Wake},
    chain::{call::Call, genesis::Posts, refusal::Refusal},
    ids::ChannelName,
    message::{MarketState, Message},
    observation::{Commit, GameOver, Observation},
    statement::Outcome,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The board's entries for more participants than this do not fit into the nearer caches.
const MORE_THAN_FIT: usize = 4096;

impl Ledger {
    /// Puts a post that counts on the board.
    pub(super) fn take(&mut self, sent: Sent, context: &mut Context<'_>) {
        let Phase::Playing(Playing { board, .. }) = &mut self.phase else { return };
        let Some(participant) = board.participant(&sent) else { return };
        match sent.call() {
            Call::PostQuote(quote) => {
                self.unpublished.quoted.push(participant as u32);
                board.quote(participant, *quote, sent.clone(), context.now());
            }
            Call::PostChoice(choice) => {
                self.unpublished.choices = true;
                board.choose(participant, Arc::clone(choice), sent.clone(), context.now());
            }
            _ => {}
        }
    }

    /// Takes posts that do not become transactions, under the same rules as those that do.
    pub(super) fn take_posts(&mut self, mut posts: Vec<Sent>, context: &mut Context<'_>) {
        if posts.is_empty() {
            return;
        }
        // All count from now on, so only the order of each sender's own matters. Going through the board in its own order
        // is several times faster than at random, once it is larger than the processor's caches.
        if posts.len() > MORE_THAN_FIT {
            posts.sort_by_key(|sent| sent.from);
        }
        for sent in posts {
            let board = if let Phase::Playing(playing) = &self.phase { Some(&*playing.board) } else { None };
            let mut stub = OffChain { state: &self.chains.state, board };
            let validity = match self.chains.is_signed(&sent) {
                true => self.chains.contract.execute(sent.creator(), sent.call(), &mut stub),
                false => Err(Refusal::BadSignature),
            };
            match validity {
                Ok(()) => {
                    self.unpublished.off_chain += 1;
                    self.take(sent, context);
                }
                Err(refusal) => self.refuse(&sent, refusal, false, context),
            }
        }
        self.publish_later(context);
    }

    /// Has the market shown at the end of this instant: where many posts arrive at once, they fill several blocks.
    pub(super) fn publish_later(&mut self, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.unpublished.batch, true) {
            context.wake_after(Duration::ZERO, Wake::Publish(self.slot));
        }
    }

    /// Shows the market as it stands after this instant's blocks to all participants; ends the game if all are at rest.
    pub(super) fn publish(&mut self, context: &mut Context<'_>) {
        let Unpublished { choices, off_chain, mut quoted, .. } = std::mem::take(&mut self.unpublished);
        let Phase::Playing(Playing { board, state: shown, .. }) = &mut self.phase else { return };
        if !choices && quoted.is_empty() {
            return;
        }
        if choices {
            board.sum_up();
        }
        quoted.sort_unstable();
        quoted.dedup();
        let now = context.now();
        let before = shown.as_ref();
        let quotes_time = if quoted.is_empty() { before.map_or(now, |state| state.quotes_time) } else { now };
        let state = Arc::new(MarketState {
            slot: self.slot,
            number: before.map_or(1, |state| state.number + 1),
            time: now,
            quotes_time,
            choices_time: if choices { now } else { before.map_or(now, |state| state.choices_time) },
            oldest_answered: board.answered.oldest(),
            news_age: match (before, choices) {
                (Some(state), false) => state.news_age,
                _ => board.news_age(now, quotes_time),
            },
            prices: board.prices.clone(),
            aggregate: board.aggregate.clone(),
        });
        *shown = Some(Arc::clone(&state));
        board.answered.show(&state);
        context.broadcast(&board.audience, Message::MarketState(Arc::clone(&state)));
        context.observe(Observation::Committed(Commit { state, choices, off_chain, quoted }));
        if board.at_rest(self.rules.patience) {
            // Everybody may also rest elsewhere: held by noise, or by whom they do not know.
            let service_fee = self.chains.ledger.genesis.rules.service_fee;
            let settled = board.is_at_equilibrium(self.rules.alpha, service_fee);
            self.end_game(if settled { Outcome::Equilibrium } else { Outcome::Rest }, context);
        }
    }

    /// Ends the game: nothing that is posted from here on counts.
    pub(super) fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(Playing { board, since, state }) = &self.phase else { return };
        let time_to_equilibrium = (outcome == Outcome::Equilibrium).then(|| context.now() - *since);
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome,
            admitted: board.posts.len() as u32,
            rounds: board.rounds(),
            time_to_equilibrium,
            state: state.clone(),
        })));
        self.record_last_posts(context);
        if self.decree(Call::CloseGame(self.slot, outcome), Vec::new(), context).is_ok() {
            self.propose_bills(context);
        }
    }

    /// Where posts did not become transactions, the last ones do now: from them bills can be derived.
    fn record_last_posts(&mut self, context: &mut Context<'_>) {
        let rules = self.chains.ledger.genesis.rules;
        let Phase::Playing(Playing { board, .. }) = &self.phase else { return };
        if rules.posts == Posts::Every {
            return;
        }
        let at = context.now();
        let posts: Vec<Sent> = board.posts.iter().flatten().map(|sent| Sent { at, ..sent.clone() }).collect();
        let most = rules.max_transactions as usize;
        for posts in posts.chunks(most) {
            let block = posts.iter().map(|sent| self.chains.execute(sent.clone())).collect();
            self.seal(block, context);
        }
    }

    /// Of posts that were refused because an earlier one of the same sender was in the same block, submits the newest
    /// again, in a block of its own: what counts after a block is everybody's newest post in it.
    pub(super) fn resubmit(&mut self, stale: Vec<Sent>, context: &mut Context<'_>) {
        let Phase::Playing(Playing { board, .. }) = &self.phase else { return };
        let mut newest = BTreeMap::new();
        for sent in stale {
            let Some(participant) = board.participant(&sent) else { continue };
            let known = newest.get(&participant).map_or(board.version(participant), Sent::version);
            if sent.version() > known {
                newest.insert(participant, sent);
            }
        }
        let again: Vec<_> = newest.into_values().map(|sent| self.chains.execute(sent)).collect();
        self.commit(ChannelName::Information, again, context);
    }
}
