//! The ledger: the trading platform as an actor.
//!
//! ```text
//! BetweenSlots ──▶ Registering ──▶ Playing ──▶ Billing ──▶ Metering ──▶ BetweenSlots
//!      PublishTariff    all Register   rest or gate   all BillEndorsed   all RecordEnergy
//! ```
//!
//! Where the market is closed, a slot goes straight to `Metering`; where registration finds no seller or no buyer, it
//! goes there with a settlement without trades. Registration, the game and billing each have a time limit as well.
//!
//! Everything that is to stand on a chain comes as a submission. The contract carries it out against the world state
//! at once; it waits for its block; when the block is cut, it is validated in its final order and counts, or does not.
//! The ledger's own calls, which open and close what others take part in, form blocks of their own at once. Blocks and
//! checkpoints are observed, for whoever keeps them; the ledger itself keeps the heads of its chains only.

mod answers;
mod arrived;
mod bills;
mod chains;
mod closing;
mod game;
mod peer;
mod playing;
mod queue;
mod registration;
mod reminders;
mod replicas;
mod saved;
mod state;
mod submissions;
mod taker;

pub use crate::mechanism::FloorRules;
pub use peer::{Peer, PeerRules};

use crate::{
    actor::{Actor, Context, MarketProtocol, Wake, in_slot},
    chain::submission::{Pending, Sent},
    ids::{ActorId, ChannelName, GRID, ProsumerId, Slot},
    member::Member,
    message::{HandedIn, Message, SlotOpened, Submission},
    observation::Observation,
    saved::Unreadable,
    statement::{Registration, Tariff},
    time::Time,
};
use answers::Answers;
use bills::{Billing, Bills, Settling};
use chains::{Chains, Received};
use closing::Closing;
use playing::{Playing, participant, participants};
use queue::Queue;
use replicas::Replicas;
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, sync::Arc, time::Duration};
use taker::Taker;

/// When commits are to be on disk: how often the ledger signs how far its chains have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// After every block, before anybody hears of it.
    Block,
    /// When a slot closes.
    #[default]
    Slot,
}

/// How the ledger runs the market, beyond what everybody has agreed on in the genesis.
#[derive(Clone, Debug)]
pub struct LedgerRules {
    /// The slots that are played: all of a run, or those of a part that nothing links to others.
    pub slots: RangeInclusive<Slot>,
    /// How it runs its side of a market.
    pub floor: FloorRules,
    /// Length of a slot.
    pub slot_length: Duration,
    /// When the gate closes, counted from the opening of the slot.
    pub gate_closure: Duration,
    /// The period of the participants, or the mean time between two acts.
    pub period: Duration,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
    /// When commits are to be on disk.
    pub durability: Durability,
    /// The place of each prosumer's peer; of nobody where the ledger is the only one.
    pub homes: Arc<[u32]>,
    /// Whether participants act by their own clocks alone, so that nobody does anything on hearing of the market.
    pub acts_by_clock: bool,
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
    chains: Chains,
    replicas: Replicas,
    /// What waits on each channel.
    queues: [Queue<Pending>; 3],
    /// Posts that wait to be taken, where they do not become transactions.
    posts: Queue<Received>,
    slot: Slot,
    opened: Option<SlotOpened>,
    gate_closes: Time,
    /// The tariff of the next slot, once published.
    next_tariff: Option<(Arc<Tariff>, Arc<Submission>)>,
    registrations: Answers<Registration>,
    /// Whose meter has been read.
    readings: Answers<()>,
    taker: Taker,
    phase: Phase,
    /// The last posts of the game that has just ended, as peers hand them in.
    closing: Option<Closing>,
    unpublished: Unpublished,
    /// Counts the rounds of repeating, so that an old one is recognised.
    repeats: u64,
}

/// What has come to pass in the game since the market was last shown.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Unpublished {
    batch: bool,
    /// How many posts counted without becoming transactions.
    off_chain: u32,
}

#[derive(Debug)]
enum Phase {
    BetweenSlots,
    Registering,
    Playing(Box<Playing>),
    Billing(Billing),
    Settling(Box<Settling>),
    Metering(Option<Bills>),
}

impl Ledger {
    /// A ledger whose chains have not begun, and its identity on them.
    pub fn new(rules: LedgerRules, member: Member) -> Self {
        let (rules_of_all, prosumers) = (&member.genesis.rules, member.genesis.prosumers.len());
        let (most, timeout) = (rules_of_all.max_transactions as usize, rules_of_all.timeout);
        Self {
            queues: ChannelName::ALL.map(|channel| Queue::new(Some(channel), most, timeout)),
            // They form no blocks that could be full, and the market is shown anew for each batch.
            posts: Queue::new(None, usize::MAX, timeout),
            slot: rules.slots.start() - 1,
            opened: None,
            gate_closes: Time::ZERO,
            next_tariff: None,
            registrations: Answers::of(prosumers),
            readings: Answers::of(prosumers),
            taker: Taker::default(),
            phase: Phase::BetweenSlots,
            closing: None,
            unpublished: Unpublished::default(),
            repeats: 0,
            replicas: Replicas::new(member.genesis.peers.len(), &rules, prosumers),
            chains: Chains::new(member),
            rules,
        }
    }

    /// Takes what a peer hands in.
    fn handed_in(&mut self, place: usize, handed: HandedIn, context: &mut Context<'_>) {
        if !self.replicas.is_first(place, handed.number) {
            return;
        }
        if let Err(divergence) = self.replicas.heard(place, &handed) {
            return context.halt(divergence);
        }
        if handed.lacks {
            self.tell_again(place);
        }
        for (who, message) in handed.said {
            match (who, message) {
                (Some(prosumer), Message::Endorsed(post)) if self.is_last_post(&post) => {
                    self.last_post(Pending { from: prosumer.actor(), at: context.now(), execution: *post });
                }
                (Some(prosumer), message) => {
                    if let Some(before) = self.replicas.heard_of(prosumer, place) {
                        self.moved(before, context);
                    }
                    self.said(prosumer.actor(), message, context);
                }
                (None, Message::Endorsed(execution)) => self.settlement_endorsed(place, *execution, context),
                (None, Message::Part(part)) => self.part_come(place, part, context),
                (None, Message::GameOver(slot)) if slot == self.slot => self.posts_handed_in(place, context),
                _ => {}
            }
        }
    }

    /// Tells a peer once more how the slot stands, which may have missed it.
    fn tell_again(&mut self, place: usize) {
        let Some(opened) = self.opened.as_ref().filter(|_| !matches!(self.phase, Phase::BetweenSlots)) else { return };
        self.replicas.tell_of_leavers(place, &self.rules.homes);
        self.replicas.tell_peer(place, Message::SlotOpened(opened.clone()));
        if let Phase::Playing(playing) = &self.phase {
            self.replicas.tell_peer(place, Message::MarketOpened(Arc::clone(&playing.market)));
            if let Some(shown) = playing.floor.shown() {
                self.replicas.tell_peer(place, shown.into());
            }
        }
    }

    /// Takes what the grid or a prosumer says.
    fn said(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        match (message, ProsumerId::of(from)) {
            (Message::Submit(submission), _) => {
                self.submit(Sent { from, submission, at: context.now() }, None, context)
            }
            (Message::Endorsed(execution), Some(_)) if self.replicas.are_there() => {
                let (submission, at) = (Arc::clone(&execution.submission), context.now());
                self.submit(Sent { from, submission, at }, Some(*execution), context);
            }
            (Message::Post(post), _) => {
                self.posted(Received { from, post, submission: None, at: context.now() }, context);
            }
            (Message::BillEndorsed(slot, verdict), Some(from)) if slot == self.slot => {
                self.bill_endorsed(from, verdict, context);
            }
            (Message::Attend, Some(_)) => self.replicas.tell(from, Message::Attending, context),
            (Message::Recover(question), Some(prosumer)) => {
                let standing = Message::Standing(question, Box::new(self.standing(prosumer)));
                self.replicas.tell(from, standing, context);
            }
            _ => {}
        }
    }

    /// Whether the last slot is closed.
    fn is_over(&self) -> bool {
        self.slot == *self.rules.slots.end() && matches!(self.phase, Phase::BetweenSlots)
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

    /// Takes the grid's tariff; it goes to the chain when its slot opens.
    fn tariff_published(&mut self, tariff: Arc<Tariff>, submission: Arc<Submission>, context: &mut Context<'_>) {
        if tariff.slot > self.slot {
            self.next_tariff = Some((tariff, submission));
            if matches!(self.phase, Phase::BetweenSlots) {
                self.open_slot(context);
            }
        } else if let Some(opened) = self.opened.as_ref().filter(|opened| opened.tariff.slot == tariff.slot) {
            context.send(GRID, Message::SlotOpened(opened.clone()));
        }
    }

    fn open_slot(&mut self, context: &mut Context<'_>) {
        let Some((tariff, submission)) = self.next_tariff.take() else { return };
        let sent = Sent { from: GRID, submission, at: context.now() };
        if self.commit_at_once(self.chains.execute(sent), context).is_err() {
            return;
        }
        let genesis = &self.chains.member.genesis;
        let prosumers = genesis.prosumers.len();
        let (slot, market_open) = (tariff.slot, genesis.market_opens(tariff.slot));
        let opened = SlotOpened { tariff, market_open };
        self.slot = slot;
        self.unpublished = Unpublished::default();
        self.opened = Some(opened.clone());
        self.gate_closes = context.now() + self.rules.gate_closure;
        (self.registrations, self.readings) = (Answers::of(prosumers), Answers::of(prosumers));
        context.observe(Observation::SlotOpened(opened.clone()));
        context.send(GRID, Message::SlotOpened(opened.clone()));
        let everybody = (0..prosumers as u32).map(|id| ProsumerId(id).actor()).collect();
        self.replicas.tell_all(&everybody, Message::SlotOpened(opened), context);
        if market_open {
            context.wake_after(self.rules.registration_limit(), Wake::RegistrationCloses(self.slot));
            self.wait(Phase::Registering, context);
        } else {
            self.wait(Phase::Metering(None), context);
        }
    }

    fn close_slot_if_complete(&mut self, context: &mut Context<'_>) {
        if !matches!(self.phase, Phase::Metering(_)) || !self.readings.are_complete() {
            return;
        }
        self.phase = Phase::BetweenSlots;
        // Whatever still waits came too late; its code says so.
        for channel in ChannelName::ALL {
            let rest = self.queues[channel as usize].cut();
            self.commit(channel, rest, context);
        }
        let posts = self.posts.cut();
        self.take_posts(posts, context);
        self.chains.state.close(self.slot);
        context.observe(Observation::Checkpoint(Arc::new(self.chains.checkpoint(self.slot))));
        context.observe(Observation::SlotClosed(self.slot));
        self.open_slot(context);
    }
}

impl Actor<MarketProtocol> for Ledger {
    fn start(&mut self, context: &mut Context<'_>) {
        for channel in ChannelName::ALL {
            let block = self.chains.begin(channel, context.now());
            // Of all parts of a run, only the first has first blocks.
            if self.slot == 0 {
                context.observe(Observation::Sealed(Arc::new(block)));
            }
        }
        context.observe(Observation::Checkpoint(Arc::new(self.chains.checkpoint(self.slot))));
        self.replicas.begin(self.chains.blocks());
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        match (message, self.replicas.place(from)) {
            (Message::HandedIn(handed), Some(place)) => self.handed_in(place, *handed, context),
            (message, None) if from == GRID || !self.replicas.are_there() => self.said(from, message, context),
            _ => {}
        }
        self.replicas.flush(context);
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        match wake {
            Wake::CutBlock(channel, number) => {
                let batch = self.queues[channel as usize].timed_out(number);
                self.commit(channel, batch, context);
            }
            Wake::TakePosts(number) => {
                let posts = self.posts.timed_out(number);
                self.take_posts(posts, context);
            }
            Wake::RegistrationCloses(slot) if slot == self.slot && matches!(self.phase, Phase::Registering) => {
                self.close_registration(context);
            }
            Wake::GateCloses(slot) if slot == self.slot && matches!(self.phase, Phase::Playing(_)) => {
                self.close_gate(context);
            }
            Wake::PostsExpire(slot) if slot == self.slot => self.conclude(context),
            Wake::BillsExpire(slot) if slot == self.slot && matches!(self.phase, Phase::Billing(_)) => {
                self.settle(context);
            }
            Wake::SettlementExpires(slot) if slot == self.slot && matches!(self.phase, Phase::Settling(_)) => {
                self.end_settling(context);
            }
            Wake::Publish(slot) if slot == self.slot => self.publish(context),
            Wake::Retry(repeats) if repeats == self.repeats => self.remind(context),
            Wake::Redeliver => self.replicas.ask(self.is_over(), context),
            _ => {}
        }
        self.replicas.flush(context);
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.saved()
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        self.restored(saved)
    }

    fn name(&self) -> String {
        "ledger".into()
    }

    fn whereabouts(&self) -> Option<String> {
        in_slot(self.slot)
    }

    fn waiting_for(&self) -> Option<String> {
        self.missing()
    }
}
