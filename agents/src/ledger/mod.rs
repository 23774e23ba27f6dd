//! The ledger: the trading platform as an actor.
//!
//! ```text
//! BetweenSlots ──▶ Registering ──▶ Playing ──▶ Billing ──▶ Metering ──▶ BetweenSlots
//!     TariffPublished   all Register    rest or gate   all BillEndorsed   all MeterReading
//! ```
//!
//! Three channels as in the article: *trade* takes registrations and settled bills, *information* the quotes and
//! choices of the game, *energy* the meter readings. [`channel`] cuts blocks, [`contract`] knows what the transactions
//! mean, and this file carries messages between the two and the participants. A transaction counts when its block is
//! cut. Each post replaces its sender's last, so of the information channel only the newest block is kept.

pub mod channel;
pub mod contract;

use crate::{
    actor::{Actor, Context, Wake},
    ids::{ActorId, ProsumerId, Slot},
    market::{pricing::PriceBand, settlement::Trade},
    message::{
        Admission, Choice, MarketOpened, MarketState, Message, MeterReading, Quote, Registration, SlotOpened, Tariff,
        Verdict,
    },
    observation::{Commit, GameOver, Observation, Outcome},
    time::Time,
};
use channel::{Block, BlockLimits, Channel};
use contract::{Contract, ContractRules, Refusal};
use rand::RngExt;
use std::{sync::Arc, time::Duration};

/// One of the ledger's three channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelName {
    /// Main chain: registrations and bills.
    Trade,
    /// Quotes and choices of the game.
    Information,
    /// Meter readings.
    Energy,
}

/// How the ledger runs the market.
#[derive(Clone, Debug)]
pub struct LedgerRules {
    /// What the contract holds everybody to.
    pub contract: ContractRules,
    /// When blocks are cut.
    pub block: BlockLimits,
    /// First and last slot in which the market is open.
    pub open: (Slot, Slot),
    /// Number of slots.
    pub slots: Slot,
    /// When the gate closes, counted from the opening of the slot.
    pub gate_closure: Duration,
    /// First choice of every buyer, one share a seller; drawn if `None`.
    pub first_choice: Option<Arc<[f64]>>,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
}

impl LedgerRules {
    /// How long registration waits for the last prosumer: a tenth of the time to gate closure, or longer on a slow
    /// network.
    fn registration_limit(&self) -> Duration {
        (self.gate_closure / 10).max(self.retry_after)
    }

    /// How long a bill may stay unanswered before it is void.
    fn bill_limit(&self) -> Duration {
        self.retry_after * 10
    }
}

/// The ledger as an actor.
#[derive(Debug)]
pub struct Ledger {
    rules: LedgerRules,
    contract: Contract,
    trade: Channel<TradeTransaction>,
    information: Channel<InformationTransaction>,
    energy: Channel<Reading>,
    slot: Slot,
    opened: Option<SlotOpened>,
    gate_closes: Time,
    /// The tariff of the next slot, once published.
    next_tariff: Option<Tariff>,
    phase: Phase,
    /// Counts the rounds of repeating, so that an old one is recognised.
    repeats: u64,
}

/// A transaction of the trade channel.
#[derive(Clone, Debug)]
enum TradeTransaction {
    Register(Slot, ProsumerId, Registration),
    Settle(Slot, Arc<[Trade]>),
}

/// A transaction of the information channel.
#[derive(Clone, Debug)]
enum InformationTransaction {
    Quote(ProsumerId, Quote),
    Choice(ProsumerId, Arc<Choice>),
}

/// A transaction of the energy channel.
#[derive(Clone, Copy, Debug)]
struct Reading {
    slot: Slot,
    from: ProsumerId,
    reading: MeterReading,
}

#[derive(Debug)]
enum Phase {
    BetweenSlots,
    Registering,
    Playing(Playing),
    Billing(Billing),
    Metering(Option<Settlement>),
}

#[derive(Debug)]
struct Playing {
    market: Arc<MarketOpened>,
    since: Time,
    state: Option<Arc<MarketState>>,
}

#[derive(Debug)]
struct Billing {
    market: Arc<MarketOpened>,
    bills: Bills,
    /// One a participant, sellers first; `None` until it has answered.
    verdicts: Vec<Option<Verdict>>,
    missing: usize,
}

/// Who gets what after the game.
#[derive(Debug)]
struct Settlement {
    market: Arc<MarketOpened>,
    bills: Bills,
}

/// The trades of a slot, also sorted out by participant, sellers first.
#[derive(Debug)]
struct Bills {
    all: Arc<[Trade]>,
    by_participant: Vec<Arc<[Trade]>>,
}

impl Bills {
    fn of(market: &MarketOpened, trades: Vec<Trade>) -> Self {
        let mut by_participant = vec![Vec::new(); market.sellers.len() + market.buyers.len()];
        for trade in &trades {
            by_participant[trade.seller as usize].push(*trade);
            by_participant[market.sellers.len() + trade.buyer as usize].push(*trade);
        }
        Self { all: trades.into(), by_participant: by_participant.into_iter().map(Arc::from).collect() }
    }
}

/// Sellers first, then buyers: the order in which participants are numbered here.
fn participants(market: &MarketOpened) -> impl Iterator<Item = ProsumerId> + '_ {
    market.sellers.iter().chain(&market.buyers).copied()
}

/// A participant's number in that order.
fn participant(market: &MarketOpened, prosumer: ProsumerId) -> Option<usize> {
    let seller = market.sellers.binary_search(&prosumer).ok();
    seller.or_else(|| market.buyers.binary_search(&prosumer).ok().map(|index| market.sellers.len() + index))
}

impl Ledger {
    /// A ledger with empty channels.
    pub fn new(rules: LedgerRules) -> Self {
        Self {
            contract: Contract::new(rules.contract.clone()),
            trade: Channel::new(ChannelName::Trade, rules.block),
            information: Channel::new(ChannelName::Information, rules.block),
            energy: Channel::new(ChannelName::Energy, rules.block),
            slot: 0,
            opened: None,
            gate_closes: Time::ZERO,
            next_tariff: None,
            phase: Phase::BetweenSlots,
            repeats: 0,
            rules,
        }
    }

    fn everybody(&self) -> impl Iterator<Item = ProsumerId> + use<> {
        (0..self.rules.contract.prosumers as u32).map(ProsumerId)
    }

    /// Enters a phase in which the ledger waits for others, and reminds them from time to time.
    fn wait(&mut self, phase: Phase, context: &mut Context<'_>) {
        self.phase = phase;
        self.repeats += 1;
        context.wake_after(self.rules.retry_after, Wake::Retry(self.repeats));
    }

    fn refuse(&self, from: ProsumerId, refusal: Refusal, context: &mut Context<'_>) {
        context.observe(Observation::Refused(self.slot, from.actor(), refusal));
    }

    // --- a slot begins ---

    fn tariff_published(&mut self, tariff: Tariff, context: &mut Context<'_>) {
        if tariff.slot > self.slot {
            self.next_tariff = Some(tariff);
            if matches!(self.phase, Phase::BetweenSlots) {
                self.open_slot(context);
            }
        } else if let Some(opened) = self.opened.filter(|opened| opened.tariff.slot == tariff.slot) {
            context.send(ActorId::GRID, Message::SlotOpened(opened));
        }
    }

    fn open_slot(&mut self, context: &mut Context<'_>) {
        let Some(tariff) = self.next_tariff.take() else { return };
        let (first, last) = self.rules.open;
        let opened = SlotOpened { tariff, market_open: (first..=last).contains(&tariff.slot) };
        self.slot = tariff.slot;
        self.opened = Some(opened);
        self.gate_closes = context.now() + self.rules.gate_closure;
        self.contract.open_slot(self.slot, PriceBand { floor: tariff.feed_in, ceiling: tariff.grid });
        context.observe(Observation::SlotOpened(opened));
        context.send(ActorId::GRID, Message::SlotOpened(opened));
        for prosumer in self.everybody() {
            context.send(prosumer.actor(), Message::SlotOpened(opened));
        }
        if opened.market_open {
            context.wake_after(self.rules.registration_limit(), Wake::RegistrationCloses(self.slot));
            context.wake_at(self.gate_closes, Wake::GateCloses(self.slot));
            self.wait(Phase::Registering, context);
        } else {
            self.wait(Phase::Metering(None), context);
        }
    }

    // --- registration ---

    fn register(&mut self, from: ProsumerId, registration: Registration, context: &mut Context<'_>) {
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

    fn commit_trade(&mut self, block: Block<TradeTransaction>, context: &mut Context<'_>) {
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
                Err(refusal) => return self.refuse(from, refusal, context),
            }
        } else {
            Admission::TooLate
        };
        context.send(from.actor(), Message::Registered(self.slot, admission));
    }

    fn close_registration(&mut self, context: &mut Context<'_>) {
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
                outcome: Outcome::NoMarket,
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
        self.wait(Phase::Playing(Playing { market, since: context.now(), state: None }), context);
    }

    /// The common first choice `z(1)`: as given, or proportional to draws between 0.5 and 1.5.
    fn first_choice(&self, sellers: usize, context: &mut Context<'_>) -> Vec<f64> {
        if let Some(shares) = &self.rules.first_choice {
            return shares.to_vec();
        }
        let weights: Vec<f64> = (0..sellers).map(|_| context.random().random_range(0.5..1.5)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    // --- the game ---

    fn post(&mut self, transaction: InformationTransaction, context: &mut Context<'_>) {
        if let Some(block) = self.information.submit(transaction, context) {
            self.commit_information(block, context);
        }
    }

    fn commit_information(&mut self, block: Block<InformationTransaction>, context: &mut Context<'_>) {
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

    fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
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

    // --- bills ---

    fn bill_endorsed(&mut self, from: ProsumerId, verdict: Verdict, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &mut self.phase else { return };
        let Some(number) = participant(&billing.market, from) else { return };
        if billing.verdicts[number].replace(verdict).is_none() {
            billing.missing -= 1;
            if billing.missing == 0 {
                self.propose_settlement(context);
            }
        }
    }

    /// Keeps the trades that both sides endorse; a void trade falls back to the grid for both.
    fn propose_settlement(&mut self, context: &mut Context<'_>) {
        let Phase::Billing(Billing { market, bills, verdicts, .. }) = &self.phase else { return };
        let endorsed = |number: usize| verdicts[number] == Some(Verdict::Endorsed);
        let trades: Arc<[Trade]> = if (0..verdicts.len()).all(endorsed) {
            Arc::clone(&bills.all)
        } else {
            let buyers_from = market.sellers.len();
            let both = |t: &&Trade| endorsed(t.seller as usize) && endorsed(buyers_from + t.buyer as usize);
            bills.all.iter().filter(both).copied().collect()
        };
        if let Some(block) = self.trade.submit(TradeTransaction::Settle(self.slot, trades), context) {
            self.commit_trade(block, context);
        }
    }

    fn commit_settlement(&mut self, trades: &[Trade], context: &mut Context<'_>) {
        // A proposal that waited while the bills expired is on the chain twice; the first one counts.
        let Phase::Billing(billing) = &self.phase else { return };
        let market = Arc::clone(&billing.market);
        self.settled(market, trades.to_vec(), context);
    }

    /// Tells every participant its final trades, and waits for the meters.
    fn settled(&mut self, market: Arc<MarketOpened>, trades: Vec<Trade>, context: &mut Context<'_>) {
        self.contract.settle(&market, &trades);
        let bills = Bills::of(&market, trades);
        context.observe(Observation::Settled(self.slot, Arc::clone(&bills.all)));
        for (prosumer, trades) in participants(&market).zip(&bills.by_participant) {
            context.send(prosumer.actor(), Message::Settled(self.slot, Arc::clone(trades)));
        }
        self.wait(Phase::Metering(Some(Settlement { market, bills })), context);
        self.close_slot_if_complete(context);
    }

    // --- meters ---

    fn meter_read(&mut self, from: ProsumerId, slot: Slot, reading: MeterReading, context: &mut Context<'_>) {
        if slot < self.slot || self.contract.is_read(from) {
            context.send(from.actor(), Message::MeterRecorded(slot));
        } else if let Some(block) = self.energy.submit(Reading { slot, from, reading }, context) {
            self.commit_energy(block, context);
        }
    }

    fn commit_energy(&mut self, block: Block<Reading>, context: &mut Context<'_>) {
        for &Reading { from, reading, .. } in block.transactions.iter().filter(|r| r.slot == self.slot) {
            match self.contract.record_energy(from, reading) {
                Ok(()) => context.send(from.actor(), Message::MeterRecorded(self.slot)),
                Err(refusal) => self.refuse(from, refusal, context),
            }
        }
        self.close_slot_if_complete(context);
    }

    fn close_slot_if_complete(&mut self, context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Metering(_)) && self.contract.all_read() {
            self.phase = Phase::BetweenSlots;
            context.observe(Observation::SlotClosed(self.slot));
            self.open_slot(context);
        }
    }

    // --- reminders ---

    /// Says again what those who have not answered may have missed.
    fn remind(&mut self, context: &mut Context<'_>) {
        let Some(opened) = self.opened else { return };
        match &self.phase {
            Phase::BetweenSlots => return,
            Phase::Registering => {
                for prosumer in self.everybody().filter(|&p| !self.contract.is_registered(p)) {
                    context.send(prosumer.actor(), Message::SlotOpened(opened));
                }
            }
            Phase::Playing(Playing { market, .. }) => {
                let silent: Vec<_> = participants(market).filter(|&p| !self.contract.has_posted(p)).collect();
                if silent.is_empty() {
                    return;
                }
                for prosumer in silent {
                    context.send(prosumer.actor(), Message::MarketOpened(Arc::clone(market)));
                }
            }
            Phase::Billing(Billing { market, bills, verdicts, .. }) => {
                for ((prosumer, trades), verdict) in participants(market).zip(&bills.by_participant).zip(verdicts) {
                    if verdict.is_none() {
                        context.send(prosumer.actor(), Message::BillProposed(self.slot, Arc::clone(trades)));
                    }
                }
            }
            Phase::Metering(settlement) => self.remind_of_meters(settlement.as_ref(), opened, context),
        }
        context.wake_after(self.rules.retry_after, Wake::Retry(self.repeats));
    }

    fn remind_of_meters(&self, settlement: Option<&Settlement>, opened: SlotOpened, context: &mut Context<'_>) {
        for prosumer in self.everybody().filter(|&p| !self.contract.is_read(p)) {
            let trades = settlement.and_then(|Settlement { market, bills }| {
                participant(market, prosumer).map(|number| Arc::clone(&bills.by_participant[number]))
            });
            let reminder = match trades {
                Some(trades) => Message::Settled(self.slot, trades),
                None => Message::SlotOpened(opened),
            };
            context.send(prosumer.actor(), reminder);
        }
    }
}

impl Actor for Ledger {
    fn start(&mut self, _: &mut Context<'_>) {}

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        if let Message::TariffPublished(tariff) = message {
            return self.tariff_published(tariff, context);
        }
        let Some(from) = from.prosumer() else { return };
        match message {
            Message::Register(slot, registration) if slot == self.slot => self.register(from, registration, context),
            Message::Quote(quote) => self.post(InformationTransaction::Quote(from, quote), context),
            Message::Choice(choice) => self.post(InformationTransaction::Choice(from, choice), context),
            Message::BillEndorsed(slot, verdict) if slot == self.slot => self.bill_endorsed(from, verdict, context),
            Message::MeterReading(slot, reading) => self.meter_read(from, slot, reading, context),
            _ => {}
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        let now = context.now();
        match wake {
            Wake::CutBlock(ChannelName::Trade, number) => {
                if let Some(block) = self.trade.timed_out(number, now) {
                    self.commit_trade(block, context);
                }
            }
            Wake::CutBlock(ChannelName::Information, number) => {
                if let Some(block) = self.information.timed_out(number, now) {
                    self.commit_information(block, context);
                }
            }
            Wake::CutBlock(ChannelName::Energy, number) => {
                if let Some(block) = self.energy.timed_out(number, now) {
                    self.commit_energy(block, context);
                }
            }
            Wake::RegistrationCloses(slot) if slot == self.slot && matches!(self.phase, Phase::Registering) => {
                self.close_registration(context);
            }
            Wake::GateCloses(slot) if slot == self.slot && matches!(self.phase, Phase::Playing(_)) => {
                self.end_game(Outcome::GateClosure, context);
            }
            Wake::BillsExpire(slot) if slot == self.slot && matches!(self.phase, Phase::Billing(_)) => {
                self.propose_settlement(context);
            }
            Wake::Retry(repeats) if repeats == self.repeats => self.remind(context),
            _ => {}
        }
    }

    fn waiting_for(&self) -> Option<String> {
        let missing = |who: Vec<ProsumerId>| {
            let names: Vec<String> = who.iter().take(5).map(|p| p.actor().to_string()).collect();
            let more = if who.len() > 5 { format!(" and {} more", who.len() - 5) } else { String::new() };
            format!("{}{more} for slot {}", names.join(", "), self.slot)
        };
        match &self.phase {
            Phase::BetweenSlots if self.slot == self.rules.slots => None,
            Phase::BetweenSlots => Some(format!("TariffPublished from the grid for slot {}", self.slot + 1)),
            Phase::Registering => {
                let silent = self.everybody().filter(|&p| !self.contract.is_registered(p)).collect();
                Some(format!("Register from {}", missing(silent)))
            }
            Phase::Playing(_) => Some(format!("rest or gate closure of slot {}", self.slot)),
            Phase::Billing(Billing { market, verdicts, .. }) => {
                let silent = participants(market).zip(verdicts).filter(|(_, v)| v.is_none()).map(|(p, _)| p).collect();
                Some(format!("BillEndorsed from {}", missing(silent)))
            }
            Phase::Metering(_) => {
                let silent = self.everybody().filter(|&p| !self.contract.is_read(p)).collect();
                Some(format!("MeterReading from {}", missing(silent)))
            }
        }
    }
}
