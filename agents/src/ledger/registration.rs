//! The end of registration: the game opens among those who have registered, or the slot goes on without a market.

use super::{Answered, Board, Ledger, Phase, Playing, Tally};
use crate::{
    actor::{Context, Wake},
    chain::{call::Call, fact::Game},
    ids::{ChannelName, ProsumerId},
    market::{aggregate::Sums, demand::Buyer, pricing::PriceBand},
    message::{MarketOpened, Message},
    observation::{GameOver, Observation},
    statement::{Outcome, Registration},
    units::Energy,
};
use rand::RngExt;
use std::sync::Arc;

impl Ledger {
    pub(super) fn close_registration_if_complete(&mut self, context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Registering) && self.roster.all_registered() {
            self.close_registration(context);
        }
    }

    /// Opens the game among the registered, or settles the slot at once where there is nobody to trade with.
    pub(super) fn close_registration(&mut self, context: &mut Context<'_>) {
        let (sellers, buyers) = self.roster.sides();
        let genesis = self.chains.genesis();
        let band = self.opened.map(|opened| opened.tariff.band(genesis.rules.service_fee));
        let Some(band) = band.filter(|band| band.has_room() && !sellers.is_empty() && !buyers.is_empty()) else {
            return self.go_without_market(context);
        };
        let first_choice = self.first_choice(sellers.len(), context);
        let market = Arc::new(self.market(sellers, buyers, first_choice));
        let open = Call::OpenGame(self.slot, Arc::clone(&market.game));
        let open = self.chains.propose(open, Vec::new(), context.now());
        if self.commit_at_once(ChannelName::Information, open, context).is_err() {
            return;
        }
        let surplus: Vec<_> = market.sellers.iter().map(|&seller| self.roster.surplus(seller)).collect();
        let facts: Vec<_> = market.buyers.iter().filter_map(|&buyer| self.buyer(buyer)).collect();
        context.observe(Observation::MarketOpened(Arc::clone(&market)));
        let board = Box::new(self.board(Arc::clone(&market), facts, surplus, band));
        context.broadcast(board.audience(), Message::MarketOpened(market));
        context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
        self.wait(Phase::Playing(Playing { board, since: context.now(), state: None }), context);
    }

    /// The market among these in this slot.
    pub(super) fn market(
        &self,
        sellers: Vec<ProsumerId>,
        buyers: Vec<ProsumerId>,
        first_choice: Vec<f64>,
    ) -> MarketOpened {
        let prosumers = &self.chains.genesis().prosumers;
        let numbers = |ids: &[ProsumerId]| ids.iter().map(|id| prosumers[id.index()].0).collect();
        let (in_order, closes) = ((numbers(&sellers), numbers(&buyers)), self.gate_closes);
        let surplus: Vec<f64> = sellers.iter().map(|&seller| self.roster.surplus(seller).value()).collect();
        MarketOpened {
            slot: self.slot,
            game: Arc::new(Game { sellers: in_order.0, buyers: in_order.1, first_choice, closes }),
            total_surplus: surplus.iter().sum(),
            surplus,
            sellers,
            buyers,
        }
    }

    /// The empty board of a game.
    fn board(&self, market: Arc<MarketOpened>, buyers: Vec<Buyer>, surplus: Vec<Energy>, band: PriceBand) -> Board {
        let rules = &self.chains.genesis().rules;
        let sums = Sums::new(rules.choice_set, surplus.len(), self.rules.alpha, rules.service_fee);
        let kept = (Tally::new(sums, buyers.len()), Answered::new(buyers.len(), self.rules.tells_answered));
        Board::new(market, buyers, surplus, band, kept)
    }

    fn go_without_market(&mut self, context: &mut Context<'_>) {
        let (sellers, buyers) = self.roster.sides();
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome: Outcome::NoMarket,
            admitted: (sellers.len() + buyers.len()) as u32,
            rounds: 0,
            time_to_equilibrium: None,
            state: None,
        })));
        self.settle_without_trades(context);
    }

    fn buyer(&self, prosumer: ProsumerId) -> Option<Buyer> {
        match self.roster.registration(prosumer) {
            Some(Registration::Buyer(facts)) => Some(*facts),
            _ => None,
        }
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
