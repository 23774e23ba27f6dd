//! The end of registration: the game opens among those who have registered, or the slot goes on without a market.

use super::{Bills, Board, Ledger, Phase, Playing};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::{Call, Settlement},
        fact::Game,
    },
    ids::ProsumerId,
    market::{aggregate::Sums, demand::Buyer},
    mechanism::two_level::{answered::Answered, tally::Tally},
    message::{MarketOpened, Message},
    observation::{GameOver, Observation},
    statement::{Outcome, Registration},
    units::Energy,
};
use rand::RngExt;
use std::sync::Arc;

impl Ledger {
    /// Opens the game among the registered, or settles the slot at once where there is nobody to trade with.
    pub(super) fn close_registration(&mut self, context: &mut Context<'_>) {
        let (mut sellers, mut surplus): (Vec<ProsumerId>, Vec<Energy>) = (Vec::new(), Vec::new());
        let (mut buyers, mut facts): (Vec<ProsumerId>, Vec<Buyer>) = (Vec::new(), Vec::new());
        for (prosumer, registration) in (0..).map(ProsumerId).zip(self.registrations.all()) {
            match registration {
                Some(Registration::Seller(most)) => {
                    sellers.push(prosumer);
                    surplus.push(*most);
                }
                Some(Registration::Buyer(buyer)) => {
                    buyers.push(prosumer);
                    facts.push(*buyer);
                }
                Some(Registration::Idle) | None => {}
            }
        }
        let genesis = Arc::clone(&self.chains.ledger.genesis);
        let rules = &genesis.rules;
        let band = self.opened.map(|opened| opened.tariff.band(rules.service_fee));
        let band = band.filter(|band| band.has_room() && !sellers.is_empty() && !buyers.is_empty());
        let first_choice = if band.is_some() { self.first_choice(sellers.len(), context) } else { Vec::new() };
        let numbers = |ids: &[ProsumerId]| ids.iter().map(|id| genesis.prosumers[id.index()].0).collect();
        let (in_order, closes) = ((numbers(&sellers), numbers(&buyers)), self.gate_closes);
        let kwh: Vec<f64> = surplus.iter().map(|surplus| surplus.value()).collect();
        let market = Arc::new(MarketOpened {
            slot: self.slot,
            game: Arc::new(Game { sellers: in_order.0, buyers: in_order.1, first_choice, closes }),
            total_surplus: kwh.iter().sum(),
            surplus: kwh,
            sellers,
            buyers,
        });
        let Some(band) = band else { return self.go_without_market(market, context) };
        if self.decree(Call::OpenGame(self.slot, Arc::clone(&market.game)), Vec::new(), context).is_err() {
            return;
        }
        context.observe(Observation::MarketOpened(Arc::clone(&market)));
        let sums = Sums::new(rules.choice_set, surplus.len(), self.rules.alpha, rules.service_fee);
        let kept = (Tally::new(sums, facts.len()), Answered::new(facts.len(), self.rules.tells_answered));
        let board = Box::new(Board::new(Arc::clone(&market), facts, surplus, band, kept));
        context.broadcast(&board.audience, Message::MarketOpened(market));
        context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
        self.wait(Phase::Playing(Playing { board, since: context.now(), state: None }), context);
    }

    /// Settles a slot in which there is nobody to trade with.
    fn go_without_market(&mut self, market: Arc<MarketOpened>, context: &mut Context<'_>) {
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome: Outcome::NoMarket,
            admitted: (market.sellers.len() + market.buyers.len()) as u32,
            rounds: 0,
            time_to_equilibrium: None,
            state: None,
        })));
        let nothing = Settlement { slot: self.slot, ..Settlement::default() };
        self.settled(nothing, Vec::new(), Bills::new(market, Vec::new()), context);
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
