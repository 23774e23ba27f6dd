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
mod closing;
mod desk;
mod needs;
mod player;
mod recovery;
mod saved;
mod warm_start;

pub use crate::mechanism::{
    FirstPrices, Habits, Strategy,
    auction::{
        bidding::{Bidder, Bidding, BiddingStrategy},
        valuation::Valuation,
    },
    two_level::{Adaptation, Behaviour, ChoiceRule, ExcessDemand, Lesson, Mixing, Offer, PricingRule},
};
pub use activation::Activation;
pub use desk::{Desk, Peers};
pub use needs::Needs;

use crate::{
    actor::{Actor, Context, MarketProtocol, Wake, in_slot},
    chain::{
        call::{BillsOf, Call},
        refusal::Validity,
    },
    ids::{ActorId, GRID, LEDGER, ProsumerId, Slot},
    market::{
        balance::{Account, Balance, SlotFacts},
        demand::Demand,
        pricing::PriceBand,
        role::Role,
        storage::StorageLimits,
    },
    mechanism::{AnyParticipant, Moment, Posted, Side},
    member::Member,
    message::{BillProposed, MarketOpened, Message, SlotOpened, Submission, Verdict},
    observation::Observation,
    saved::Unreadable,
    statement::{Dispute, Post, Registration},
    streams::Stream,
    time::Time,
    units::Energy,
};
use activation::Rhythm;
use player::Player;
use std::{sync::Arc, time::Duration};
use warm_start::WarmStart;

/// What prosumers have in common; those who learn differently have other rules.
#[doc(hidden)] // Hidden: put together by the simulation.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Curvature of utility in a slot, `alpha / h` (4) [CNY/kWh²].
    pub alpha: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// How they decide in the market.
    pub habits: Habits,
    /// Rules of their own, where they have any.
    pub strategy: Strategy,
    /// When participants act.
    pub activation: Activation,
    /// Operator's fee on local trades, paid by the buyer [CNY/kWh].
    pub local_fee: f64,
    /// Length of a slot `h` [h].
    pub hours: f64,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
    /// Whether posts are neither signed nor transactions, so that nothing but themselves need travel.
    pub posts_alone: bool,
    /// The peers among which they go from one to the next when theirs does not answer; `None` if they wait.
    pub peers: Option<Peers>,
}

/// A prosumer as an actor.
#[doc(hidden)] // Hidden: put together by the simulation.
#[derive(Debug)]
pub struct Prosumer {
    id: ProsumerId,
    member: Member,
    rules: Arc<Rules>,
    needs: Arc<dyn Needs>,
    /// What it foresees of the slot.
    facts: SlotFacts,
    desk: Desk,
    /// The place of the group whose tariffs of the grid it has, if they are not everybody's.
    group: Option<usize>,
    devices: Devices,
    rhythm: Rhythm,
    warm_start: WarmStart,
    /// Its own copy of the rules that are its own.
    strategy: Option<Box<Strategy>>,
    slot: Slot,
    opened: Option<SlotOpened>,
    phase: Phase,
    /// The message it repeats until it is answered.
    question: Option<(ActorId, Message)>,
    /// Counts questions, so that an old retry is recognised.
    questions: u64,
    /// The age of the news on which it has decided last, and so often in a row, since it has told of it.
    decisions: (Duration, u32),
}

/// What a prosumer's devices hold, whatever happens to its memory.
#[derive(Debug)]
struct Devices {
    /// What its storage can do, if it has one.
    storage: Option<StorageLimits>,
    /// What is in it.
    content: Energy,
    /// What its meter has read last, ready to be submitted, and in which slot.
    reading: Option<(Slot, Arc<Submission>)>,
}

#[derive(Debug)]
enum Phase {
    /// It has lost its memory, and has asked the ledger where it stands.
    Recovering,
    Done,
    Registering,
    Admitted,
    Playing(Box<Player>),
    /// The game is over; only final trades are missing. It answers the same each time it is asked for its bills.
    Billed(Option<Side>, Verdict),
    Exchanging(Account, Balance),
    Metering,
}

impl Prosumer {
    /// A prosumer with its identity on the chains, what it brings to each slot, its storage with what is in it, if it has
    /// one, and the random stream that decides when it acts.
    pub fn new(
        id: ProsumerId,
        member: Member,
        rules: Arc<Rules>,
        needs: Arc<dyn Needs>,
        storage: Option<(StorageLimits, Energy)>,
        desk: Desk,
        moments: Stream,
    ) -> Self {
        let strategy = rules.strategy.own();
        let warm_start = WarmStart::new(&rules.habits.first_prices);
        let (storage, content) = storage.unzip();
        let group = member.genesis.tariff_group(member.genesis.prosumers[id.index()].0);
        let first = *needs.slots().start();
        Self {
            id,
            member,
            rules,
            facts: needs.foreseen(first),
            needs,
            desk,
            group,
            devices: Devices { storage, content: content.unwrap_or_default(), reading: None },
            rhythm: Rhythm::new(moments),
            warm_start,
            strategy,
            slot: first - 1,
            opened: None,
            phase: Phase::Done,
            question: None,
            questions: 0,
            decisions: (Duration::ZERO, 0),
        }
    }

    /// The last slot that is played.
    fn last(&self) -> Slot {
        *self.needs.slots().end()
    }

    fn facts(&self) -> &SlotFacts {
        &self.facts
    }

    fn band(&self, opened: &SlotOpened) -> PriceBand {
        opened.tariff.band(self.rules.local_fee)
    }

    /// Sends a message that is repeated as long as it is the question.
    fn ask(&mut self, to: ActorId, message: Message, context: &mut Context<'_>) {
        self.questions += 1;
        context.send(self.desk.of(to), message.clone());
        context.wake_after(self.rules.retry_after, Wake::Retry(self.questions));
        self.question = Some((to, message));
    }

    fn repeat(&mut self, context: &mut Context<'_>) {
        if let Some((to, message)) = &self.question {
            if let (LEDGER, Some(peers)) = (*to, &self.rules.peers) {
                self.desk.repeat(peers);
            }
            context.send(self.desk.of(*to), message.clone());
            context.wake_after(self.rules.retry_after, Wake::Retry(self.questions));
        }
    }

    /// Where its peer may fail it, looks after it from time to time.
    fn watch_later(&self, context: &mut Context<'_>) {
        if let Some(peers) = &self.rules.peers {
            context.wake_after(peers.patience, Wake::Watch);
        }
    }

    fn watch(&mut self, context: &mut Context<'_>) {
        if self.slot == self.last() && matches!(self.phase, Phase::Done) {
            return;
        }
        let Some(Peers { patience, .. }) = self.rules.peers else { return };
        self.seek_ledger(patience, context);
        self.watch_later(context);
    }

    /// Asks by its peer whether the ledger is there, if that has been silent for longer than this, and is not asked for anything anyway.
    fn seek_ledger(&mut self, longest: Duration, context: &mut Context<'_>) {
        if self.rules.peers.is_some() && self.question.is_none() && self.desk.is_silent(context.now(), longest) {
            self.ask(LEDGER, Message::Attend, context);
        }
    }

    /// A new slot: registers if its market opens, and otherwise turns to the grid at once. A new slot opens only when
    /// the ledger has the last reading, so it also confirms that reading.
    fn begin(&mut self, opened: SlotOpened, context: &mut Context<'_>) {
        let market_open = opened.market_open;
        self.tell_decisions(context);
        self.enter(opened, Phase::Registering);
        if market_open {
            let facts = self.facts();
            let registration = match facts.role() {
                Role::Buyer => Registration::Buyer(facts.as_buyer()),
                Role::Seller => Registration::Seller(facts.surplus()),
                Role::Idle => Registration::Idle,
            };
            let register = self.member.submission(Call::Register(self.slot, registration), Vec::new());
            self.ask(LEDGER, Message::Submit(register), context);
        } else {
            self.turn_to_grid(Account::default(), context);
        }
    }

    fn enter(&mut self, opened: SlotOpened, phase: Phase) {
        self.slot = opened.tariff.slot;
        self.facts = self.needs.foreseen(self.slot);
        self.opened = Some(opened);
        self.phase = phase;
    }

    fn registered(&mut self, validity: Validity, context: &mut Context<'_>) {
        if !matches!(self.phase, Phase::Registering) {
            return;
        }
        self.question = None;
        if validity.is_err() || self.facts().role() == Role::Idle {
            self.turn_to_grid(Account::default(), context);
        } else {
            self.phase = Phase::Admitted;
        }
    }

    /// Joins the game; a market that opens with oneself in it also confirms the registration.
    fn join(&mut self, market: Arc<MarketOpened>, context: &mut Context<'_>) {
        if let Phase::Playing(player) = &mut self.phase {
            player.part.asked_again();
            return self.rouse(context);
        }
        if !matches!(self.phase, Phase::Registering | Phase::Admitted) {
            return;
        }
        if let Some(player) = Player::of(self, market) {
            self.question = None;
            self.phase = Phase::Playing(Box::new(player));
            let first = self.rhythm.begin(self.rules.activation, self.facts().role(), context.now());
            context.wake_at(first, Wake::Act(self.slot));
        }
    }

    fn act_if_due(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        if !matches!(self.phase, Phase::Playing(_)) {
            return;
        }
        if now >= self.rhythm.due {
            self.act(context);
            // Whoever plays hears of the market once a period.
            let interval = self.rhythm.interval(self.rules.activation);
            self.seek_ledger(self.rules.retry_after + 2 * interval, context);
            self.rhythm.acted(self.rules.activation, self.facts().role(), now, self.rules.retry_after);
        }
        if let Phase::Playing(player) = &self.phase
            && player.part.is_idle()
        {
            return self.rhythm.sleep();
        }
        if let Some(next) = self.rhythm.wake(now) {
            context.wake_at(next, Wake::Act(self.slot));
        }
    }

    /// Has an idle participant act on what has come, if it has something to say now.
    fn rouse(&mut self, context: &mut Context<'_>) {
        if self.rhythm.is_asleep
            && let Phase::Playing(player) = &self.phase
            && !player.part.is_idle()
        {
            let soon = self.rhythm.rouse(self.rules.activation, self.facts().role(), context.now());
            context.wake_at(soon, Wake::Act(self.slot));
        }
    }

    fn act(&mut self, context: &mut Context<'_>) {
        let Phase::Playing(player) = &mut self.phase else { return };
        let (acts, interval) = (self.rhythm.acts, self.rhythm.interval(self.rules.activation));
        let (strategy, now) = (self.strategy.as_deref_mut(), context.now());
        let Rules { habits, alpha, .. } = &*self.rules;
        let moment = Moment { habits, alpha: *alpha, strategy, random: context.random(), now, acts, interval };
        if let Some((post, age)) = player.part.act(&player.market, moment) {
            if let Post::Quote(quote) = &post {
                self.warm_start.note(quote.slot, quote.price);
            }
            let message = match self.rules.posts_alone {
                true => Message::Post(post),
                false => Message::Submit(self.member.submission(post.into(), Vec::new())),
            };
            context.send(self.desk.address, message);
            if let Some(age) = age {
                self.decided(age, context);
            }
        }
    }

    /// Takes note that it has decided on news of this age. Mostly that is as old as the last time, so it tells so often of
    /// several decisions at once.
    fn decided(&mut self, age: Duration, context: &mut Context<'_>) {
        if self.decisions.0 != age {
            self.tell_decisions(context);
        }
        self.decisions = (age, self.decisions.1 + 1);
    }

    /// Tells of the decisions of which it has not told yet.
    fn tell_decisions(&mut self, context: &mut Context<'_>) {
        let (age, decisions) = std::mem::take(&mut self.decisions);
        if decisions > 0 {
            context.observe(Observation::Decided(self.slot, age, decisions));
        }
    }

    /// Has its part take in what the ledger shows, and wakes up earlier if that is news.
    #[inline]
    fn hear(&mut self, takes_in: impl FnOnce(&mut AnyParticipant) -> bool, context: &mut Context<'_>) {
        if let Phase::Playing(player) = &mut self.phase
            && takes_in(&mut player.part)
            && let Some(soon) = self.rhythm.hear(self.rules.activation, context.now())
        {
            context.wake_at(soon, Wake::Act(self.slot));
        }
    }

    /// Checks its bills and says what it found; the game is over for it.
    fn check_bills(&mut self, proposed: &BillProposed, context: &mut Context<'_>) {
        self.tell_decisions(context);
        let (side, verdict) = match &self.phase {
            // Of a market that was over before it has heard of it.
            Phase::Registering | Phase::Admitted => {
                let player = Player::of(self, Arc::clone(&proposed.market));
                (player.as_ref().map(|player| player.side), self.verdict(proposed, player.as_ref()))
            }
            Phase::Playing(player) => (Some(player.side), self.verdict(proposed, Some(player))),
            Phase::Billed(side, verdict) => (*side, verdict.clone()),
            _ => return,
        };
        context.send(self.desk.address, Message::BillEndorsed(self.slot, verdict.clone()));
        self.question = None;
        self.phase = Phase::Billed(side, verdict);
    }

    /// Recomputes its bills, and signs them if they are right.
    fn verdict(&self, proposed: &BillProposed, player: Option<&Player>) -> Verdict {
        let Some(opened) = &self.opened else { return Verdict::Disputed(Dispute::NotMine) };
        let (side, trades) = (player.map(|player| player.side), &proposed.trades);
        let posted = player.map_or(Posted::Unknown, |player| player.posted(proposed.version));
        let prices = self.member.genesis.rules.mechanism.prices(self.band(opened));
        if let Err(dispute) = bills::check(trades, side, &posted, prices, self.rules.local_fee) {
            return Verdict::Disputed(dispute);
        }
        if !self.member.genesis.has_signatures() {
            return Verdict::Endorsed(None);
        }
        let bills = player.iter().flat_map(|player| player.market.bills(trades.iter())).collect();
        let statement = BillsOf { slot: self.slot, party: self.member.party, bills };
        Verdict::Endorsed(self.member.sign(&statement).map(Box::new))
    }
}

impl Actor<MarketProtocol> for Prosumer {
    fn start(&mut self, context: &mut Context<'_>) {
        self.watch_later(context);
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let sender = if matches!(message, Message::Invoice(..)) { GRID } else { self.desk.address };
        if from != sender {
            if self.rules.peers.is_some_and(|peers| peers.has(from)) {
                context.send(from, Message::Left);
            }
            return;
        }
        if from != GRID {
            self.desk.hear(context.now());
        }
        if matches!(self.phase, Phase::Recovering) {
            // An answer to a question from before another crash is no news any more.
            if let Message::Standing(question, standing) = message
                && question == self.questions
            {
                self.recover(*standing, context);
            }
            return;
        }
        match message {
            Message::SlotOpened(opened) if (self.slot + 1..=self.last()).contains(&opened.tariff.slot) => {
                self.begin(opened, context);
            }
            Message::Registered(slot, validity) if slot == self.slot => self.registered(validity, context),
            Message::MarketOpened(market) if market.slot == self.slot => self.join(market, context),
            Message::MarketState(state) if state.slot == self.slot => {
                let now = context.now();
                self.hear(|part| part.hear(state, now), context);
            }
            // Who hears of states is never idle.
            Message::Notice(notice) if notice.slot == self.slot => {
                self.hear(|part| part.notice(notice), context);
                self.rouse(context);
            }
            Message::Executed(slot, traded, price) if slot == self.slot => {
                if let Phase::Playing(player) = &mut self.phase {
                    player.part.executed(traded, price);
                }
            }
            Message::BillProposed(bills) if bills.slot == self.slot => self.check_bills(&bills, context),
            Message::Settled(slot, trades) if slot == self.slot => self.settle(&trades, context),
            Message::Invoice(endorsed) if endorsed.0.slot == self.slot => {
                let (invoice, endorsement) = *endorsed;
                self.invoiced(invoice, endorsement, context);
            }
            Message::MeterRecorded(slot) if slot == self.slot => self.recorded(),
            Message::Attending if matches!(self.question, Some((_, Message::Attend))) => self.question = None,
            _ => {}
        }
    }

    fn look(&self, depth: usize) -> usize {
        match (depth, &self.phase) {
            (0, _) => self.slot as usize + self.rhythm.acts as usize + self.questions as usize,
            (_, Phase::Playing(player)) => player.look(depth - 1),
            _ => 0,
        }
    }

    fn take_in(&mut self, from: ActorId, message: &Message, arrived: Time) {
        if let (Message::MarketState(state), Phase::Playing(player)) = (message, &mut self.phase)
            && from == self.desk.address
            && state.slot == self.slot
        {
            self.desk.hear(arrived);
            player.part.hear(Arc::clone(state), arrived);
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        match wake {
            Wake::Act(slot) if slot == self.slot => self.act_if_due(context),
            Wake::Retry(question) if question == self.questions => self.repeat(context),
            Wake::Watch => self.watch(context),
            _ => {}
        }
    }

    fn restart(&mut self, context: &mut Context<'_>) {
        self.lose_memory(context);
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.saved()
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        self.restored(saved)
    }

    fn name(&self) -> String {
        self.member.party.to_string()
    }

    fn whereabouts(&self) -> Option<String> {
        in_slot(self.slot)
    }

    fn waiting_for(&self) -> Option<String> {
        let what = match &self.phase {
            Phase::Done if self.slot == self.last() => return None,
            Phase::Done => return Some(format!("SlotOpened from the ledger for slot {}", self.slot + 1)),
            Phase::Recovering => return Some("Standing from the ledger".to_owned()),
            Phase::Registering => "Registered from the ledger",
            Phase::Admitted => "MarketOpened from the ledger",
            Phase::Playing(_) => "BillProposed from the ledger",
            Phase::Billed(..) => "Settled from the ledger",
            Phase::Exchanging(..) => "Invoice from the grid",
            Phase::Metering => "MeterRecorded from the ledger",
        };
        Some(format!("{what} for slot {}", self.slot))
    }
}
