//! After a crash in which its memory was lost: the prosumer asks the ledger where it stands, and goes on from there.
//!
//! It still knows who it is, what it generates and consumes, and what its devices hold. What it had posted it takes
//! from the ledger; whatever it is told twice, or too late, is harmless as ever.

use super::{Phase, Player, Prosumer};
use crate::{
    actor::Context,
    ids::LEDGER,
    message::{Message, SlotOpened, Standing},
};
use std::sync::Arc;

impl Prosumer {
    pub(super) fn lose_memory(&mut self, context: &mut Context<'_>) {
        self.tell_decisions(context);
        self.slot = 0;
        self.opened = None;
        self.strategy = self.rules.strategy.own();
        self.warm_start.forget();
        self.phase = Phase::Recovering;
        // The number that `ask` gives it.
        self.ask(LEDGER, Message::Recover(self.questions + 1), context);
        self.watch_later(context);
    }

    pub(super) fn recover(&mut self, standing: Standing, context: &mut Context<'_>) {
        self.question = None;
        let is_metered = match &standing {
            Standing::Open(opened) | Standing::Settled(opened, ..) => self.is_metered(opened, context),
            Standing::Done(_) | Standing::Playing(..) => false,
        };
        match standing {
            _ if is_metered => {}
            Standing::Done(slot) => (self.slot, self.phase) = (slot, Phase::Done),
            Standing::Open(opened) => self.begin(opened, context),
            // Goes on with the game, or waits for its bills if that is over.
            Standing::Playing(opened, market, last, shown) => {
                self.enter(opened, Phase::Admitted);
                self.join(market, context);
                if let Phase::Playing(player) = &mut self.phase {
                    player.resume(last, shown);
                }
            }
            // Settles what was traded.
            Standing::Settled(opened, market, trades) => {
                self.enter(opened, Phase::Admitted);
                if let Some(player) = Player::of(self, market) {
                    self.phase = Phase::Playing(Box::new(player));
                }
                self.settle(&trades, context);
            }
        }
    }

    /// Submits the reading of this slot once more, if the meter has one.
    fn is_metered(&mut self, opened: &SlotOpened, context: &mut Context<'_>) -> bool {
        let of_slot = self.devices.reading.as_ref().filter(|(slot, _)| *slot == opened.tariff.slot);
        let Some(reading) = of_slot.map(|(_, reading)| Arc::clone(reading)) else { return false };
        self.enter(opened.clone(), Phase::Metering);
        self.ask(LEDGER, Message::Submit(reading), context);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::{Actor, Effect, Wake},
        chain::{
            call::{Call, InvoiceTo},
            fact::Game,
            identity::Party,
            transaction::Endorsement,
        },
        ids::{ActorId, GRID, ProsumerId},
        market::{
            balance::SlotFacts, demand::Demand, mechanism::Mechanism, replicator::Fitness, settlement::Trade,
            step::StepSize, storage::StorageLimits, trades::Trades,
        },
        member::tests::members,
        message::{BillProposed, MarketOpened, Verdict},
        prosumer::{
            Activation, Adaptation, Behaviour, BiddingStrategy, Desk, FirstPrices, Habits, Mixing, Rules, Strategy,
        },
        statement::{Invoice, OrderSide, Orders, Post, Quote, Step, Tariff},
        streams::{Purpose, stream},
        time::Time,
        units::{Energy, Money},
    };
    use std::time::Duration;

    /// A prosumer with 3 kWh to sell and an empty storage of 1 kWh.
    fn prosumer() -> Prosumer {
        let rules = Rules {
            alpha: 0.4,
            demand: Demand::Elastic,
            habits: Habits {
                behaviour: Behaviour::Replicator,
                fitness: Fitness::Public,
                exploration: 0.0,
                adaptation: Adaptation::None,
                mixing: Mixing::None,
                regrowth: 1.0,
                price_every: 1,
                replicator_step: StepSize::Scaled(0.3),
                price_step: StepSize::Scaled(0.5),
                ramp: 0.1,
                tolerance: 1e-7,
                bidding: BiddingStrategy::default(),
                first_prices: FirstPrices::Random,
            },
            strategy: Strategy::default(),
            activation: Activation::LockStep { period: Duration::from_secs(1) },
            local_fee: 0.0,
            hours: 1.0,
            retry_after: Duration::from_secs(2),
            posts_alone: false,
            peers: None,
        };
        let facts = SlotFacts {
            generation: Energy::nearest(4.0),
            load: Energy::nearest(1.0),
            preference_pv: 2.0,
            preference_grid: 1.0,
        };
        let member = members(2)[2].clone();
        let moments = stream(1, ActorId(2), Purpose::Activation);
        let storage = StorageLimits { capacity: 1.0, power: 1.0, efficiency: 1.0 };
        let needs = Arc::new(vec![facts; 24]);
        let storage = Some((storage, Energy::ZERO));
        Prosumer::new(ProsumerId(0), member, rules.into(), needs, storage, Desk::at(LEDGER), moments)
    }

    fn effects(prosumer: &mut Prosumer, act: impl FnOnce(&mut Prosumer, &mut Context<'_>)) -> Vec<Effect> {
        effects_at(Time(5), prosumer, act)
    }

    fn effects_at(
        now: Time,
        prosumer: &mut Prosumer,
        act: impl FnOnce(&mut Prosumer, &mut Context<'_>),
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut random = stream(1, ActorId(2), Purpose::Behaviour);
        act(prosumer, &mut Context::new(now, ActorId(2), &mut random, &mut effects));
        effects
    }

    fn sent(effects: &[Effect]) -> Vec<Message> {
        let message =
            |effect: &Effect| if let Effect::Send(_, message) = effect { Some(message.clone()) } else { None };
        effects.iter().filter_map(message).collect()
    }

    fn told(prosumer: &mut Prosumer, from: ActorId, message: Message) -> Vec<Message> {
        sent(&effects(prosumer, |prosumer, context| prosumer.receive(from, message, context)))
    }

    fn opened(slot: u32) -> SlotOpened {
        SlotOpened { tariff: Arc::new(Tariff::new(slot, 0.45, 0.85)), market_open: true }
    }

    fn market() -> Arc<MarketOpened> {
        Arc::new(MarketOpened {
            slot: 9,
            game: Arc::new(Game { sellers: vec![1], buyers: vec![2], first_choice: vec![1.0], closes: Time(100) }),
            sellers: vec![ProsumerId(0)],
            surplus: vec![3.0],
            total_surplus: 3.0,
            buyers: vec![ProsumerId(1)],
        })
    }

    #[test]
    fn without_memory_only_the_ledger_s_word_on_where_it_stands_counts() {
        let mut prosumer = prosumer();
        assert_eq!(sent(&effects(&mut prosumer, Prosumer::lose_memory)), [Message::Recover(1)]);
        assert_eq!(sent(&effects(&mut prosumer, Prosumer::lose_memory)), [Message::Recover(2)]);
        let stale = Message::Standing(1, Box::new(Standing::Done(9)));
        assert_eq!(told(&mut prosumer, LEDGER, stale), []);
        assert!(prosumer.waiting_for().unwrap().starts_with("Standing"), "that was before the second crash");
        assert_eq!(told(&mut prosumer, LEDGER, Message::SlotOpened(opened(9))), []);
        let standing = || Message::Standing(2, Box::new(Standing::Open(opened(9))));
        assert_eq!(told(&mut prosumer, GRID, standing()), []);
        let [Message::Submit(register)] = &told(&mut prosumer, LEDGER, standing())[..] else { panic!("it registers") };
        assert!(matches!(register.proposal.call, Call::Register(9, _)));
        assert_eq!(told(&mut prosumer, LEDGER, standing()), [], "it has its memory back");
    }

    #[test]
    fn a_storage_is_charged_once_however_often_the_slot_is_settled() {
        let mut prosumer = prosumer();
        effects(&mut prosumer, Prosumer::lose_memory);
        let settled = |question| {
            Message::Standing(question, Box::new(Standing::Settled(opened(9), market(), Trades::from_iter([]))))
        };
        let exchange = told(&mut prosumer, LEDGER, settled(1));
        let [Message::Exchange(exported)] = &exchange[..] else { panic!("it turns to the grid") };
        assert_eq!(exported.export, Energy::nearest(2.0), "3 kWh less the one in the storage");
        // Before the exchange is booked it forgets again, and does the same once more.
        effects(&mut prosumer, Prosumer::lose_memory);
        // Its exchange was the second question, this is the third.
        assert_eq!(told(&mut prosumer, LEDGER, settled(3)), exchange);
        let credit = exported.export.at_price(0.45);
        let invoice = Invoice { slot: 9, charge: Money(0), credit };
        let statement = InvoiceTo { party: Party::Prosumer(1), invoice };
        let endorsement = Endorsement::new(Party::Grid, members(2)[1].sign(&statement));
        let reading = told(&mut prosumer, GRID, Message::Invoice(Box::new((invoice, endorsement))));
        assert!(matches!(reading[..], [Message::Submit(_)]));
        effects(&mut prosumer, Prosumer::lose_memory);
        assert_eq!(told(&mut prosumer, LEDGER, settled(6)), reading, "the meter has kept it");
    }

    #[test]
    fn what_was_executed_before_memory_was_lost_is_signed_whatever_is_asked_since() {
        let mut prosumer = prosumer();
        Arc::make_mut(&mut prosumer.member.genesis).rules.mechanism = Mechanism::ContinuousDoubleAuction;
        Arc::make_mut(&mut prosumer.rules).habits.bidding = BiddingStrategy::ZeroIntelligence;
        effects(&mut prosumer, Prosumer::lose_memory);
        let steps = vec![Step { energy: Energy(1_000_000), limit: 0.45 }];
        let last = Orders { slot: 9, version: 4, side: OrderSide::Sell, steps, until: Time(100) };
        let playing = Standing::Playing(opened(9), market(), Some(Post::Orders(Arc::new(last))), None);
        told(&mut prosumer, LEDGER, Message::Standing(1, Box::new(playing)));
        let due = Time(1_000_000_000);
        let posts = sent(&effects_at(due, &mut prosumer, |prosumer, context| prosumer.wake(Wake::Act(9), context)));
        let [Message::Submit(post)] = &posts[..] else { panic!("it posts orders") };
        let Call::PostOrders(next) = &post.proposal.call else { panic!("it posts orders") };
        assert!(next.version == 5 && next.steps[0].limit > 0.46, "{next:?}");
        // They are lost: its fourth ones stand, and what they have traded, at a price that it would not take any more.
        let trades = Trades::from_iter([Trade::new(0, 0, 0.5, Energy::nearest(0.5), 0.46, 0.0)]);
        let bills = Arc::new(BillProposed { slot: 9, market: market(), trades, version: 4 });
        let verdict = told(&mut prosumer, LEDGER, Message::BillProposed(bills));
        assert!(matches!(verdict[..], [Message::BillEndorsed(9, Verdict::Endorsed(_))]), "{verdict:?}");
    }

    #[test]
    fn a_seller_goes_on_from_its_last_quote() {
        let mut prosumer = prosumer();
        effects(&mut prosumer, Prosumer::lose_memory);
        let quote = Quote { slot: 9, version: 7, price: 0.61, change: 0.0, updates_at_rest: 0, answers: Time::ZERO };
        let playing = Standing::Playing(opened(9), market(), Some(Post::Quote(Arc::new(quote))), None);
        told(&mut prosumer, LEDGER, Message::Standing(1, Box::new(playing)));
        let due = Time(1_000_000_000);
        let posts = sent(&effects_at(due, &mut prosumer, |prosumer, context| prosumer.wake(Wake::Act(9), context)));
        let [Message::Submit(post)] = &posts[..] else { panic!("it quotes") };
        let Call::PostQuote(next) = &post.proposal.call else { panic!("it quotes") };
        assert_eq!((next.version, next.price), (8, 0.61));
        // What was on its way before the crash may count under the same version, at another price.
        let trade = Trade::new(0, 0, 1.0, Energy::nearest(0.5), 0.6, 0.0);
        let bills = |version| {
            let trades = Trades::from_iter([trade]);
            Arc::new(BillProposed { slot: 9, market: market(), trades, version })
        };
        let verdict = told(&mut prosumer, LEDGER, Message::BillProposed(bills(8)));
        assert!(matches!(verdict[..], [Message::BillEndorsed(9, Verdict::Endorsed(_))]), "{verdict:?}");
    }
}
