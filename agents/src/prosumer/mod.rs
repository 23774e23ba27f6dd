//! The prosumer: generates, consumes, and in each slot buys, sells or stays out.
//!
//! ```text
//! SlotOpened ──▶ Registering ──▶ Admitted ──▶ Playing ──▶ Billed ──▶ Exchanging ──▶ Metering ──▶ Done
//!            Register   Registered    MarketOpened  BillProposed  Settled      Invoice   MeterRecorded
//! ```
//!
//! Where the market is closed, or the prosumer stays out, it goes straight from `SlotOpened` or `Registered` to its
//! exchange with the grid. The storage is charged and discharged between `Settled` and `Exchanging`.

mod activation;
mod bills;
mod buyer;
mod seller;

pub use activation::Activation;

use crate::{
    actor::{Actor, Context, Wake},
    ids::{ActorId, ProsumerId, Slot},
    market::{
        balance::{Balance, LocalTrades, SlotFacts, SlotTerms, balance},
        demand::Demand,
        pricing::PriceBand,
        replicator::{Fitness, StepSize},
        role::Role,
        settlement::Trade,
        storage::StorageLimits,
    },
    message::{
        Admission, Exchange, Invoice, MarketOpened, MarketState, Message, MeterReading, Registration, SlotOpened,
    },
    observation::{Observation, ProsumerSlot},
    units::Energy,
};
use bills::Side;
use buyer::Buyer;
use seller::Seller;
use std::{sync::Arc, time::Duration};

/// What is the same for every prosumer.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Curvature `alpha` of utility [CNY/kWh²].
    pub alpha: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Whose welfare buyers compare.
    pub fitness: Fitness,
    /// Step of the replicator dynamics.
    pub replicator_step: StepSize,
    /// Step of the price rule.
    pub price_step: StepSize,
    /// Largest relative move `delta` of a price in one step.
    pub ramp: f64,
    /// A change below this is rest: of a price [CNY/kWh], of a share [1].
    pub tolerance: f64,
    /// First prices, one a seller of the slot [CNY/kWh]; drawn between the tariffs if `None`, or if not just as many
    /// sellers take part.
    pub first_prices: Option<Arc<[f64]>>,
    /// When participants act.
    pub activation: Activation,
    /// Operator's fee on local trades, paid by the buyer [CNY/kWh].
    pub service_fee: f64,
    /// Everybody's storage, if there is any.
    pub storage: Option<StorageLimits>,
    /// Length of a slot `h` [h].
    pub hours: f64,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
}

/// A prosumer as an actor.
#[derive(Debug)]
pub struct Prosumer {
    id: ProsumerId,
    /// Its number in the scenario's files.
    number: u32,
    rules: Arc<Rules>,
    /// Its data, one entry a slot.
    facts: Arc<[SlotFacts]>,
    /// What is in its storage.
    content: Energy,
    slot: Slot,
    opened: Option<SlotOpened>,
    phase: Phase,
    /// The message it repeats until it is answered.
    question: Option<(ActorId, Message)>,
    /// Counts questions, so that an old retry is recognised.
    questions: u64,
}

#[derive(Debug)]
enum Phase {
    Done,
    Registering,
    Admitted,
    Playing(Box<Playing>),
    /// The game is over; only final trades are missing.
    Billed(Option<Side>),
    Exchanging(LocalTrades, Balance),
    Metering,
}

#[derive(Debug)]
struct Playing {
    side: Side,
    player: Player,
    /// The newest market state that has arrived.
    news: Option<Arc<MarketState>>,
}

#[derive(Debug)]
enum Player {
    Seller(Seller),
    Buyer(Buyer),
}

impl Prosumer {
    /// A prosumer with its number in the scenario's files, its data, one entry a slot, and the initial content of its
    /// storage.
    pub fn new(id: ProsumerId, number: u32, rules: Arc<Rules>, facts: Arc<[SlotFacts]>, content: Energy) -> Self {
        Self {
            id,
            number,
            rules,
            facts,
            content,
            slot: 0,
            opened: None,
            phase: Phase::Done,
            question: None,
            questions: 0,
        }
    }

    fn slots(&self) -> Slot {
        self.facts.len() as Slot
    }

    fn facts(&self) -> &SlotFacts {
        &self.facts[self.slot as usize - 1]
    }

    fn band(opened: &SlotOpened) -> PriceBand {
        PriceBand { floor: opened.tariff.feed_in, ceiling: opened.tariff.grid }
    }

    /// Sends a message that is repeated until [`Self::answered`].
    fn ask(&mut self, to: ActorId, message: Message, context: &mut Context<'_>) {
        self.questions += 1;
        context.send(to, message.clone());
        context.wake_after(self.rules.retry_after, Wake::Retry(self.questions));
        self.question = Some((to, message));
    }

    fn answered(&mut self) {
        self.question = None;
    }

    fn repeat(&mut self, context: &mut Context<'_>) {
        if let Some((to, message)) = &self.question {
            context.send(*to, message.clone());
            context.wake_after(self.rules.retry_after, Wake::Retry(self.questions));
        }
    }

    /// A new slot: registers if its market opens, and otherwise turns to the grid at once.
    ///
    /// A new slot opens only when the ledger has the last reading, so it also confirms that reading.
    fn begin(&mut self, opened: SlotOpened, context: &mut Context<'_>) {
        self.slot = opened.tariff.slot;
        self.opened = Some(opened);
        if opened.market_open {
            let facts = self.facts();
            let registration = match facts.role() {
                Role::Buyer => Registration::Buyer(facts.as_buyer()),
                Role::Seller => Registration::Seller(facts.surplus()),
                Role::Idle => Registration::Idle,
            };
            self.phase = Phase::Registering;
            self.ask(ActorId::LEDGER, Message::Register(self.slot, registration), context);
        } else {
            self.turn_to_grid(LocalTrades::default(), context);
        }
    }

    fn admitted(&mut self, admission: Admission, context: &mut Context<'_>) {
        if !matches!(self.phase, Phase::Registering) {
            return;
        }
        self.answered();
        if admission == Admission::TooLate || self.facts().role() == Role::Idle {
            self.turn_to_grid(LocalTrades::default(), context);
        } else {
            self.phase = Phase::Admitted;
        }
    }

    /// Joins the game; a market that opens with oneself in it also confirms the registration.
    fn join(&mut self, market: Arc<MarketOpened>, context: &mut Context<'_>) {
        let (Phase::Registering | Phase::Admitted, Some(opened)) = (&self.phase, &self.opened) else { return };
        let (side, player) = match self.facts().role() {
            Role::Seller => {
                let Ok(index) = market.sellers.binary_search(&self.id) else { return };
                let surplus = self.facts().surplus();
                let seller = Seller::new(&market, index, surplus, Self::band(opened), &self.rules);
                (Side::Seller(index as u32, surplus), Player::Seller(seller))
            }
            Role::Buyer => {
                let Ok(index) = market.buyers.binary_search(&self.id) else { return };
                (Side::Buyer(index as u32), Player::Buyer(Buyer::new(market, self.facts().as_buyer())))
            }
            Role::Idle => return,
        };
        self.answered();
        self.phase = Phase::Playing(Box::new(Playing { side, player, news: None }));
        self.act_again(context);
    }

    fn act_again(&self, context: &mut Context<'_>) {
        let next = self.rules.activation.next(self.facts().role(), context.now());
        context.wake_at(next, Wake::Act(self.slot));
    }

    fn act(&mut self, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &mut self.phase else { return };
        let Playing { player, news, .. } = playing.as_mut();
        let post = match player {
            Player::Seller(seller) => Some(Message::Quote(seller.act(news.as_deref(), &self.rules, context.random()))),
            Player::Buyer(buyer) => buyer.act(news.as_ref(), &self.rules, context.now()).map(Message::Choice),
        };
        if let Some(post) = post {
            // What a seller goes by is demand, what a buyer goes by is prices.
            let date = news.as_ref().and_then(|news| match post {
                Message::Quote(_) => news.aggregate.is_some().then_some(news.choices_time),
                _ => Some(news.quotes_time),
            });
            context.send(ActorId::LEDGER, post);
            if let Some(date) = date {
                context.observe(Observation::Decided(self.slot, context.now() - date));
            }
        }
        self.act_again(context);
    }

    fn hear(&mut self, state: Arc<MarketState>) {
        if let Phase::Playing(playing) = &mut self.phase
            && playing.news.as_ref().is_none_or(|known| known.block < state.block)
        {
            playing.news = Some(state);
        }
    }

    fn side(&self) -> Option<Side> {
        match &self.phase {
            Phase::Playing(playing) => Some(playing.side),
            Phase::Billed(side) => *side,
            _ => None,
        }
    }

    /// Checks its bills and says what it found; the game is over for it.
    fn check_bills(&mut self, trades: &[Trade], context: &mut Context<'_>) {
        let (side, Some(opened)) = (self.side(), &self.opened) else { return };
        let verdict = bills::check(trades, side, Self::band(opened), self.rules.service_fee);
        if matches!(self.phase, Phase::Registering | Phase::Admitted | Phase::Playing(_)) {
            self.answered();
            self.phase = Phase::Billed(side);
        }
        context.send(ActorId::LEDGER, Message::BillEndorsed(self.slot, verdict));
    }

    fn settle(&mut self, trades: &[Trade], context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Registering | Phase::Admitted | Phase::Playing(_) | Phase::Billed(_)) {
            let sum = bills::add_up(trades, self.side());
            self.answered();
            self.turn_to_grid(sum, context);
        }
    }

    /// Storage first, then the grid: what remains is exchanged with it, if anything does.
    fn turn_to_grid(&mut self, trades: LocalTrades, context: &mut Context<'_>) {
        let Some(opened) = &self.opened else { return };
        let terms = SlotTerms {
            feed_in_tariff: opened.tariff.feed_in,
            grid_tariff: opened.tariff.grid,
            alpha: self.rules.alpha,
            demand: self.rules.demand,
            hours: self.rules.hours,
        };
        let storage = self.rules.storage.as_ref().map(|limits| (limits, self.content));
        let balance = balance(self.facts(), &trades, storage, &terms);
        if balance.grid_import == Energy::ZERO && balance.grid_export == Energy::ZERO {
            self.report(trades, balance, context);
        } else {
            let exchange = Exchange { slot: self.slot, import: balance.grid_import, export: balance.grid_export };
            self.phase = Phase::Exchanging(trades, balance);
            self.ask(ActorId::GRID, Message::Exchange(exchange), context);
        }
    }

    fn invoiced(&mut self, invoice: Invoice, context: &mut Context<'_>) {
        // A prosumer accepts only an invoice that it would have written itself.
        if let Phase::Exchanging(trades, balance) = self.phase
            && (invoice.charge, invoice.credit) == (balance.grid_paid, balance.grid_earned)
        {
            self.report(trades, balance, context);
        }
    }

    /// Closes its books of the slot and sends the meter reading.
    fn report(&mut self, trades: LocalTrades, balance: Balance, context: &mut Context<'_>) {
        self.content = balance.content;
        let facts = *self.facts();
        let reading = MeterReading {
            generated: facts.generation,
            consumed: balance.consumed,
            charged: balance.charged,
            discharged: balance.discharged,
            imported: balance.grid_import,
            exported: balance.grid_export,
        };
        context.observe(Observation::ProsumerDone(Box::new(ProsumerSlot {
            slot: self.slot,
            prosumer: self.id,
            role: facts.role(),
            generation: facts.generation,
            load: facts.load,
            consumed: balance.consumed,
            bought: trades.bought,
            sold: trades.sold,
            charged: balance.charged,
            discharged: balance.discharged,
            content: balance.content,
            grid_import: balance.grid_import,
            grid_export: balance.grid_export,
            paid: trades.paid + balance.grid_paid,
            earned: trades.earned + balance.grid_earned,
            fee: trades.fee,
            welfare: balance.welfare,
        })));
        self.phase = Phase::Metering;
        self.ask(ActorId::LEDGER, Message::MeterReading(self.slot, reading), context);
    }

    fn recorded(&mut self) {
        if matches!(self.phase, Phase::Metering) {
            self.answered();
            self.phase = Phase::Done;
        }
    }
}

impl Actor for Prosumer {
    fn start(&mut self, _: &mut Context<'_>) {}

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let sender = if matches!(message, Message::Invoice(_)) { ActorId::GRID } else { ActorId::LEDGER };
        if from != sender {
            return;
        }
        match message {
            Message::SlotOpened(opened) if (self.slot + 1..=self.slots()).contains(&opened.tariff.slot) => {
                self.begin(opened, context);
            }
            Message::Registered(slot, admission) if slot == self.slot => self.admitted(admission, context),
            Message::MarketOpened(market) if market.slot == self.slot => self.join(market, context),
            Message::MarketState(state) if state.slot == self.slot => self.hear(state),
            Message::BillProposed(slot, trades) if slot == self.slot => self.check_bills(&trades, context),
            Message::Settled(slot, trades) if slot == self.slot => self.settle(&trades, context),
            Message::Invoice(invoice) if invoice.slot == self.slot => self.invoiced(invoice, context),
            Message::MeterRecorded(slot) if slot == self.slot => self.recorded(),
            _ => {}
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        match wake {
            Wake::Act(slot) if slot == self.slot => self.act(context),
            Wake::Retry(question) if question == self.questions => self.repeat(context),
            _ => {}
        }
    }

    fn name(&self) -> String {
        format!("prosumer {}", self.number)
    }

    fn waiting_for(&self) -> Option<String> {
        let what = match &self.phase {
            Phase::Done if self.slot == self.slots() => return None,
            Phase::Done => return Some(format!("SlotOpened from the ledger for slot {}", self.slot + 1)),
            Phase::Registering => "Registered from the ledger",
            Phase::Admitted => "MarketOpened from the ledger",
            Phase::Playing(_) => "BillProposed from the ledger",
            Phase::Billed(_) => "Settled from the ledger",
            Phase::Exchanging(..) => "Invoice from the grid",
            Phase::Metering => "MeterRecorded from the ledger",
        };
        Some(format!("{what} for slot {}", self.slot))
    }
}
