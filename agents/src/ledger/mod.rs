//! The ledger: the trading platform as an actor.
//!
//! ```text
//! BetweenSlots ──▶ Registering ──▶ Playing ──▶ Billing ──▶ Metering ──▶ BetweenSlots
//!     TariffPublished   all Register    rest or gate   all BillEndorsed   all MeterReading
//! ```
//!
//! Three channels as in the article: *trade* takes registrations and settled bills, *information* the quotes and
//! choices of the game, *energy* the meter readings. A transaction counts when its block is cut. Each post replaces its
//! sender's last, so of the information channel only the newest block is kept.
//!
//! | where | what |
//! |---|---|
//! | [`channel`] | cuts blocks, and knows nothing of what is in them |
//! | [`contract`] | knows what transactions mean, and nothing of channels and messages |
//! | `registration`, `game`, `bills` | one phase each, carrying messages between participants and the two |
//! | `rest` | when a market is at rest |
//! | `reminders` | whom the ledger waits for |
//! | this file | slots open, meters are read, slots close |

mod bills;
pub mod channel;
pub mod contract;
mod game;
mod registration;
mod reminders;
mod rest;

use crate::{
    actor::{Actor, Context, Wake},
    ids::{ActorId, ChannelName, ProsumerId, Slot},
    market::{pricing::PriceBand, settlement::Trade},
    message::{Choice, MarketOpened, MarketState, Message, MeterReading, Quote, Registration, SlotOpened, Tariff},
    observation::{Observation, Outcome, Refused},
    time::Time,
};
use bills::{Billing, Bills, Settlement, participant, participants};
use channel::{Block, BlockLimits, Channel};
use contract::{Contract, ContractRules};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// When commits are to be on disk: how often the ledger signs how far its chains have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// After every block, before anybody hears of it.
    Block,
    /// When a slot closes.
    #[default]
    Slot,
}

/// How the ledger runs the market.
#[derive(Clone, Debug)]
pub struct LedgerRules {
    /// What the contract holds everybody to.
    pub contract: ContractRules,
    /// The prosumers' numbers in the scenario's files, to name them by.
    pub numbers: Arc<[u32]>,
    /// When blocks are cut.
    pub block: BlockLimits,
    /// First and last slot in which the market is open.
    pub open: (Slot, Slot),
    /// Number of slots.
    pub slots: Slot,
    /// Length of a slot.
    pub slot_length: Duration,
    /// When the gate closes, counted from the opening of the slot.
    pub gate_closure: Duration,
    /// The period of the participants, or the mean time between two acts.
    pub period: Duration,
    /// First choice of every buyer, one share a seller; drawn if `None`, or if not just as many sellers take part.
    pub first_choice: Option<Arc<[f64]>>,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
}

impl LedgerRules {
    /// How long registration waits for the last prosumer: a tenth of the time to gate closure, or on a slow network a
    /// few repeats, but never beyond the gate.
    fn registration_limit(&self) -> Duration {
        (self.gate_closure / 10).max(4 * self.retry_after).min(self.gate_closure)
    }

    /// How long a bill may stay unanswered before it is void: to the end of the slot, but for some repeats at least.
    fn bill_limit(&self) -> Duration {
        (self.slot_length.saturating_sub(self.gate_closure)).max(10 * self.retry_after)
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
    unpublished: Unpublished,
    /// Counts the rounds of repeating, so that an old one is recognised.
    repeats: u64,
}

/// What the game's blocks have changed since the market was last shown.
#[derive(Debug, Default)]
struct Unpublished {
    /// The newest block.
    block: Option<u64>,
    /// Whether there was a choice.
    choices: bool,
    /// Sellers whose quotes there were.
    quoted: Vec<u32>,
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
            unpublished: Unpublished::default(),
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
        self.remind_later(context);
    }

    fn remind_later(&self, context: &mut Context<'_>) {
        let answer_within = match self.phase {
            // A first post comes when its sender's period says so.
            Phase::Playing(_) => self.rules.retry_after + 2 * self.rules.period,
            _ => self.rules.retry_after,
        };
        context.wake_after(answer_within, Wake::Retry(self.repeats));
    }

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
        self.unpublished = Unpublished::default();
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
            self.wait(Phase::Registering, context);
        } else {
            self.wait(Phase::Metering(None), context);
        }
    }

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
                Err(refusal) => context.observe(Observation::Refused(Refused {
                    slot: self.slot,
                    from: from.actor(),
                    refusal,
                    channel: ChannelName::Energy,
                    on_chain: false,
                })),
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
}

impl Actor for Ledger {
    fn start(&mut self, _: &mut Context<'_>) {}

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        if let (ActorId::GRID, Message::TariffPublished(tariff)) = (from, &message) {
            return self.tariff_published(*tariff, context);
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
            Wake::Publish(slot) if slot == self.slot => self.publish(context),
            Wake::Retry(repeats) if repeats == self.repeats => self.remind(context),
            _ => {}
        }
    }

    fn name(&self) -> String {
        "ledger".into()
    }

    fn waiting_for(&self) -> Option<String> {
        self.missing()
    }
}
