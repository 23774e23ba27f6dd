//! The end of registration: the game opens among those who have registered, or the slot goes on without a market.

use super::{Bills, Ledger, Phase, Playing};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::{Call, Settlement},
        fact::Game,
    },
    ids::ProsumerId,
    market::demand::Buyer,
    mechanism::{AnyFloor, Floor, Opening, under},
    message::{MarketOpened, Message},
    observation::{GameOver, Observation},
    statement::{Outcome, Registration},
    units::Energy,
};
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
        let band = self.opened.as_ref().map(|opened| opened.tariff.band(rules.local_fee()));
        let band = band.filter(|band| band.has_room() && !sellers.is_empty() && !buyers.is_empty());
        let first_choice = match band {
            Some(_) => under!(rules.mechanism, Board => {
                Board::first_choice(&self.rules.floor, &surplus, context.random())
            }),
            None => Vec::new(),
        };
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
        let opening =
            Opening { market: &market, buyers: facts, surplus, band, genesis: &genesis, rules: &self.rules.floor };
        let playing = Box::new(Playing::new(Arc::clone(&market), AnyFloor::open(opening), context.now()));
        context.broadcast(&playing.audience, Message::MarketOpened(market));
        context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
        self.wait(Phase::Playing(playing), context);
        self.publish(context);
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
}
