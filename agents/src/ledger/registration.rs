//! The end of registration: the game opens among those who have registered, or the slot goes on without a market.

use super::{Bills, Ledger, Phase, Playing, participants};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::{Call, Settlement},
        fact::Game,
    },
    ids::ProsumerId,
    market::pricing::PriceBand,
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
        let mut buyers: Vec<ProsumerId> = Vec::new();
        for (prosumer, registration) in (0..).map(ProsumerId).zip(self.registrations.all()) {
            match registration {
                Some(Registration::Seller(most)) => {
                    sellers.push(prosumer);
                    surplus.push(*most);
                }
                Some(Registration::Buyer(_)) => buyers.push(prosumer),
                Some(Registration::Idle) | None => {}
            }
        }
        let genesis = Arc::clone(&self.chains.member.genesis);
        let rules = &genesis.rules;
        let band = Some(self.band()).filter(|band| band.has_room() && !sellers.is_empty() && !buyers.is_empty());
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
        if band.is_none() {
            return self.go_without_market(market, context);
        }
        if self.decree(Call::OpenGame(self.slot, Arc::clone(&market.game)), Vec::new(), context).is_err() {
            return;
        }
        context.observe(Observation::MarketOpened(Arc::clone(&market)));
        let mut playing = Box::new(Playing::new(Arc::clone(&market), self.floor_of(&market), context.now()));
        if self.peers_take_posts() {
            for place in self.replicas.without(participants(&market)) {
                playing.floor.enter_part(place, self.replicas.count(), None);
            }
        }
        self.replicas.tell_all(&playing.audience, Message::MarketOpened(market), context);
        context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
        self.wait(Phase::Playing(playing), context);
        self.publish(context);
    }

    /// The ledger's side of this market as it opens.
    pub(super) fn floor_of(&self, market: &Arc<MarketOpened>) -> AnyFloor {
        let genesis = &self.chains.member.genesis;
        let registration = |prosumer: &ProsumerId| self.registrations.all()[prosumer.index()].as_ref();
        AnyFloor::open(Opening {
            market,
            buyers: market.buyers.iter().filter_map(|buyer| registration(buyer)?.as_buyer()).collect(),
            surplus: market.sellers.iter().filter_map(|seller| registration(seller)?.surplus()).collect(),
            band: self.band(),
            genesis,
            rules: &self.rules.floor,
        })
    }

    /// The prices that sellers may ask in the slot under way.
    fn band(&self) -> PriceBand {
        let opened = self.opened.as_ref().expect("a slot is under way");
        opened.tariff.band(self.chains.member.genesis.rules.local_fee())
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
