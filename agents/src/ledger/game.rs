//! The game: quotes and choices become blocks, blocks become market states, until everybody is at rest.

use super::{Billing, Bills, InformationTransaction, Ledger, Phase, Playing, channel::Block, participants};
use crate::{
    actor::{Context, Wake},
    message::{MarketState, Message},
    observation::{Commit, GameOver, Observation, Outcome},
};
use std::sync::Arc;

impl Ledger {
    pub(super) fn post(&mut self, transaction: InformationTransaction, context: &mut Context<'_>) {
        if let Some(block) = self.information.submit(transaction, context) {
            self.commit_information(block, context);
        }
    }

    pub(super) fn commit_information(&mut self, block: Block<InformationTransaction>, context: &mut Context<'_>) {
        let mut quoted = Vec::new();
        let mut choices = false;
        for transaction in block.transactions.iter() {
            let (from, result) = match transaction {
                InformationTransaction::Quote(from, quote) => {
                    (*from, self.contract.post_quote(*from, *quote).map(|seller| quoted.push(seller)))
                }
                InformationTransaction::Choice(from, choice) => {
                    (*from, self.contract.post_choice(*from, Arc::clone(choice)).map(|()| choices = true))
                }
            };
            if let Err(refusal) = result {
                self.refuse(from, refusal, context);
            }
        }
        if choices {
            self.contract.aggregate();
        }
        quoted.sort_unstable();
        quoted.dedup();
        if choices || !quoted.is_empty() {
            self.publish(block.number, choices, quoted, context);
        }
        self.information.forget_before_newest();
        if self.contract.at_rest() {
            self.end_game(Outcome::Equilibrium, context);
        }
    }

    /// Shows the market as it stands to all participants.
    fn publish(&mut self, block: u64, choices: bool, quoted: Vec<u32>, context: &mut Context<'_>) {
        let (Phase::Playing(playing), Some((prices, aggregate))) = (&mut self.phase, self.contract.market()) else {
            return;
        };
        let state = Arc::new(MarketState {
            slot: self.slot,
            block,
            time: context.now(),
            prices: prices.to_vec(),
            aggregate: aggregate.cloned(),
        });
        playing.state = Some(Arc::clone(&state));
        for prosumer in participants(&playing.market) {
            context.send(prosumer.actor(), Message::MarketState(Arc::clone(&state)));
        }
        context.observe(Observation::Committed(Commit { state, choices, quoted }));
    }

    pub(super) fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(playing) = std::mem::replace(&mut self.phase, Phase::BetweenSlots) else { return };
        let Playing { market, since, state } = playing;
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
