//! The game: quotes and choices become blocks, blocks become market states, until everybody is at rest.

use super::{
    Billing, Bills, InformationTransaction, Ledger, Phase, Playing, Unpublished, channel::Block, participants,
};
use crate::{
    actor::{Context, Wake},
    ids::ChannelName,
    message::{MarketState, Message},
    observation::{Commit, GameOver, Observation, Outcome, Refused},
};
use std::{sync::Arc, time::Duration};

impl Ledger {
    pub(super) fn post(&mut self, transaction: InformationTransaction, context: &mut Context<'_>) {
        if let Some(block) = self.information.submit(transaction, context) {
            self.commit_information(block, context);
        }
    }

    pub(super) fn commit_information(&mut self, block: Block<InformationTransaction>, context: &mut Context<'_>) {
        for transaction in block.transactions.iter() {
            let (from, slot, result) = match transaction {
                InformationTransaction::Quote(from, quote) => {
                    let result = self.contract.post_quote(*from, *quote, block.time);
                    (*from, quote.slot, result.map(|seller| self.unpublished.quoted.push(seller)))
                }
                InformationTransaction::Choice(from, choice) => {
                    let result = self.contract.post_choice(*from, Arc::clone(choice), block.time);
                    (*from, choice.slot, result.map(|()| self.unpublished.choices = true))
                }
            };
            if let Err(refusal) = result {
                context.observe(Observation::Refused(Refused {
                    slot,
                    from: from.actor(),
                    refusal,
                    channel: ChannelName::Information,
                    on_chain: false,
                }));
            }
        }
        self.information.forget_before_newest();
        if self.unpublished.block.replace(block.number).is_none() {
            // Where many posts arrive at once they fill several blocks: the market is summed up after the last.
            context.wake_after(Duration::ZERO, Wake::Publish(self.slot));
        }
    }

    /// Shows the market as it stands after this instant's blocks to all participants; ends the game if all are at rest.
    pub(super) fn publish(&mut self, context: &mut Context<'_>) {
        let Unpublished { block, choices, mut quoted } = std::mem::take(&mut self.unpublished);
        if choices {
            self.contract.aggregate();
        }
        let (Some(block), Phase::Playing(playing), Some((prices, aggregate))) =
            (block, &mut self.phase, self.contract.market())
        else {
            return;
        };
        if !choices && quoted.is_empty() {
            return;
        }
        quoted.sort_unstable();
        quoted.dedup();
        let now = context.now();
        let before = playing.state.as_ref();
        let state = Arc::new(MarketState {
            slot: self.slot,
            block,
            time: now,
            quotes_time: if quoted.is_empty() { before.map_or(now, |state| state.quotes_time) } else { now },
            choices_time: if choices { now } else { before.map_or(now, |state| state.choices_time) },
            prices: prices.to_vec(),
            aggregate: aggregate.cloned(),
        });
        playing.state = Some(Arc::clone(&state));
        for prosumer in participants(&playing.market) {
            context.send(prosumer.actor(), Message::MarketState(Arc::clone(&state)));
        }
        context.observe(Observation::Committed(Commit { state, choices, off_chain: 0, quoted }));
        if self.contract.at_rest() {
            self.end_game(Outcome::Equilibrium, context);
        }
    }

    pub(super) fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(Playing { market, since, state }) = &self.phase else { return };
        let (market, since, state) = (Arc::clone(market), *since, state.clone());
        let rounds = self.contract.rounds();
        let time_to_equilibrium = (outcome == Outcome::Equilibrium).then(|| context.now() - since);
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome,
            rounds,
            time_to_equilibrium,
            state,
        })));
        let bills = Bills::of(&market, self.contract.close_game());
        for (prosumer, trades) in participants(&market).zip(&bills.by_participant) {
            context.send(prosumer.actor(), Message::BillProposed(self.slot, Arc::clone(trades)));
        }
        let missing = bills.by_participant.len();
        context.wake_after(self.rules.bill_limit(), Wake::BillsExpire(self.slot));
        self.wait(Phase::Billing(Billing { market, bills, verdicts: vec![None; missing], missing }), context);
    }
}
