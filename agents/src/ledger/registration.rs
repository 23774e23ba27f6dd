//! Registration: who takes part in a slot, and on which side.

use super::{Ledger, Phase, Playing, TradeTransaction, channel::Block, participants};
use crate::{
    actor::{Context, Wake},
    ids::ChannelName,
    ids::ProsumerId,
    message::{Admission, MarketOpened, Message, Registration},
    observation::{GameOver, Observation, Outcome, Refused},
};
use rand::RngExt;
use std::sync::Arc;

impl Ledger {
    pub(super) fn register(&mut self, from: ProsumerId, registration: Registration, context: &mut Context<'_>) {
        if self.contract.is_registered(from) {
            context.send(from.actor(), Message::Registered(self.slot, Admission::Accepted));
        } else if matches!(self.phase, Phase::Registering) {
            if let Some(block) = self.trade.submit(TradeTransaction::Register(self.slot, from, registration), context) {
                self.commit_trade(block, context);
            }
        } else {
            context.send(from.actor(), Message::Registered(self.slot, Admission::TooLate));
        }
    }

    pub(super) fn commit_trade(&mut self, block: Block<TradeTransaction>, context: &mut Context<'_>) {
        // A transaction that was still waiting when its slot closed was sent twice, and has been answered.
        for transaction in block.transactions.iter() {
            match transaction {
                TradeTransaction::Register(slot, from, registration) if *slot == self.slot => {
                    self.commit_registration(*from, *registration, context);
                }
                TradeTransaction::Settle(slot, trades) if *slot == self.slot => {
                    self.commit_settlement(trades, context);
                }
                _ => {}
            }
        }
        if matches!(self.phase, Phase::Registering) && self.contract.all_registered() {
            self.close_registration(context);
        }
    }

    fn commit_registration(&mut self, from: ProsumerId, registration: Registration, context: &mut Context<'_>) {
        let admission = if matches!(self.phase, Phase::Registering) {
            match self.contract.register(from, registration) {
                Ok(()) => Admission::Accepted,
                Err(refusal) => {
                    return context.observe(Observation::Refused(Refused {
                        slot: self.slot,
                        from: from.actor(),
                        refusal,
                        channel: ChannelName::Trade,
                        on_chain: false,
                    }));
                }
            }
        } else {
            Admission::TooLate
        };
        context.send(from.actor(), Message::Registered(self.slot, admission));
    }

    pub(super) fn close_registration(&mut self, context: &mut Context<'_>) {
        let (sellers, buyers) = self.contract.sides();
        let no_market = sellers.is_empty() || buyers.is_empty();
        let market = Arc::new(MarketOpened {
            slot: self.slot,
            surplus: sellers.iter().map(|&seller| self.contract.surplus(seller).value()).collect(),
            first_choice: self.first_choice(sellers.len(), context),
            closes: self.gate_closes,
            sellers,
            buyers,
        });
        if no_market {
            context.observe(Observation::GameOver(Arc::new(GameOver {
                slot: self.slot,
                // Where somebody could not be heard in time, there might have been a market.
                outcome: if self.contract.all_registered() { Outcome::NoMarket } else { Outcome::GateClosure },
                rounds: 0,
                time_to_equilibrium: None,
                state: None,
            })));
            self.settled(market, Vec::new(), context);
            return;
        }
        self.contract.open_game(Arc::clone(&market));
        context.observe(Observation::MarketOpened(Arc::clone(&market)));
        for prosumer in participants(&market) {
            context.send(prosumer.actor(), Message::MarketOpened(Arc::clone(&market)));
        }
        context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
        self.wait(Phase::Playing(Playing { market, since: context.now(), state: None }), context);
    }

    /// The common first choice `z(1)`: as given, or proportional to draws between 0.5 and 1.5.
    fn first_choice(&self, sellers: usize, context: &mut Context<'_>) -> Vec<f64> {
        if let Some(shares) = self.rules.first_choice.as_ref().filter(|shares| shares.len() == sellers) {
            return shares.to_vec();
        }
        let weights: Vec<f64> = (0..sellers).map(|_| context.random().random_range(0.5..1.5)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }
}
