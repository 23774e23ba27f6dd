//! A peer: carries out what its clients submit and stands for the result, holds the chains as the orderer has ordered them,
//! and tells its clients what comes of it.
//!
//! What it is told for them it passes on once it has the blocks on which that rests: so whoever acts on it finds them there.

use super::{
    arrived::Arrived,
    chains::{Chains, Links, Received},
    playing::Playing,
    queue::Queue,
    taker::Taker,
};
use crate::{
    actor::{Actor, Context, MarketProtocol, Wake, in_slot},
    chain::{
        fact::{Fact, Key},
        genesis::Posts,
        hash::Digest,
        refusal::Refusal,
        submission::{Execution, Sealed, Sent, Submission},
    },
    ids::{ActorId, ChannelName, LEDGER, ProsumerId, Slot},
    mechanism::{AnyFloor, FloorRules, Opening},
    member::Member,
    message::{Delivered, HandedIn, MarketOpened, Message, Standing},
    observation::{Observation, Refused},
    saved::{Unreadable, from_bytes, to_bytes},
    statement::Registration,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How a peer works, beyond what everybody has agreed on in the genesis.
#[derive(Clone, Debug)]
pub struct PeerRules {
    /// How it runs its part of a market.
    pub floor: FloorRules,
    /// After how long a participant that has not posted is reminded.
    pub remind_after: Duration,
    /// Whether participants act by their own clocks alone, so that nobody does anything on hearing of the market.
    pub acts_by_clock: bool,
}

/// A peer as an actor.
#[derive(Debug)]
pub struct Peer {
    rules: PeerRules,
    chains: Chains,
    /// What the last block has come to.
    outcome: Digest,
    /// Whether that is something else than the orderer says: it goes no further then.
    has_diverged: bool,
    /// Its clients by the scenario, and those that have come since, in ascending order.
    clients: Vec<ProsumerId>,
    /// Whether there are some whom the lists below do not have.
    has_newcomers: bool,
    /// All clients, and those in the market under way.
    everybody: Arc<[ActorId]>,
    audience: Arc<[ActorId]>,
    market: Option<Arc<MarketOpened>>,
    /// The game under way among its clients, where it takes their posts.
    playing: Option<Box<Playing>>,
    told: Told,
    /// Posts that wait to be taken.
    posts: Queue<Received>,
    taker: Taker,
    /// What is to be handed in at the end of this instant.
    said: Vec<Said>,
    hands_in_later: bool,
    /// The number of what it hands in next. It has this on disk.
    number: u64,
    /// What it was delivered.
    arrived: Arrived,
    /// Whether it asks for the blocks that it has not, and to be told again.
    lacks: bool,
    /// Blocks that have overtaken others, by their positions.
    early: BTreeMap<u64, Arc<Sealed>>,
    /// What is to be told once it has so many blocks.
    held: Vec<(u64, Vec<Said>)>,
}

/// What it has told of a slot's game: so many parts, in which so many posts have counted. It has this on disk.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    slot: Slot,
    number: u64,
    posts: u64,
}

/// What somebody says or is told, or all are.
type Said = (Option<ProsumerId>, Message);

/// What a peer keeps from one slot to the next.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    links: Links,
    outcome: Digest,
    clients: Vec<u32>,
    /// Number of the batch of posts that is filled next.
    batch: u64,
}

impl Peer {
    /// A peer whose chains have not begun, with its identity on them and its clients in ascending order.
    pub fn new(rules: PeerRules, member: Member, clients: Vec<ProsumerId>) -> Self {
        let timeout = member.genesis.rules.timeout;
        let (chains, outcome) = (Chains::new(member), Digest::default());
        let (everybody, audience): (Arc<[_]>, Arc<[_]>) = (actors(clients.iter()), Arc::new([]));
        Self {
            chains,
            outcome,
            has_diverged: false,
            rules,
            clients,
            has_newcomers: false,
            everybody,
            audience,
            market: None,
            playing: None,
            told: Told::default(),
            posts: Queue::new(None, usize::MAX, timeout),
            taker: Taker::default(),
            said: Vec::new(),
            hands_in_later: false,
            number: 0,
            arrived: Arrived::default(),
            lacks: false,
            early: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// Has this handed in with all else of this instant.
    fn hand_in(&mut self, said: impl IntoIterator<Item = Said>, context: &mut Context<'_>) {
        self.said.extend(said);
        if !std::mem::replace(&mut self.hands_in_later, true) {
            context.wake_after(Duration::ZERO, Wake::HandIn);
        }
    }

    /// Carries a call of a client out, and hands the result in.
    fn carry_out(&mut self, client: ProsumerId, submission: Arc<Submission>, context: &mut Context<'_>) {
        let sent = Sent { from: client.actor(), submission, at: context.now() };
        let mut execution = self.chains.execute(sent).execution;
        execution.endorsements = vec![self.chains.endorse(&execution)];
        self.hand_in([(Some(client), Message::Endorsed(Box::new(execution)))], context);
    }

    /// Carries out a call of the ledger, and stands for the result if it is none that refuses it.
    fn endorse(&mut self, submission: Arc<Submission>, context: &mut Context<'_>) {
        let sent = Sent { from: LEDGER, submission, at: context.now() };
        let execution = self.chains.execute(sent).execution;
        if execution.result.is_ok() {
            let (endorsements, submission) = (vec![self.chains.endorse(&execution)], execution.submission);
            // The ledger knows what it has asked to be endorsed.
            let (reads, result) = (Vec::new(), Ok(Vec::new()));
            let execution = Execution { submission, reads, result, unkept: 0, endorsements };
            self.hand_in([(None, Message::Endorsed(Box::new(execution)))], context);
        }
    }

    fn delivered(&mut self, Delivered { number, sealed, blocks, told }: Delivered, context: &mut Context<'_>) {
        if !self.arrived.is_first(number) {
            return;
        }
        let before = self.chains.blocks();
        let asks_how_far = sealed.is_empty() && told.is_empty();
        self.early.extend(sealed.into_iter().map(|block| (block.header.position, block)));
        while let Some(block) = self.early.first_entry().filter(|block| *block.key() <= self.chains.blocks()) {
            let block = block.remove();
            if block.header.position == self.chains.blocks() && !self.has_diverged {
                self.validate(&block);
            }
        }
        if self.chains.blocks() > before {
            context.observe(Observation::Replicated(self.chains.blocks(), self.outcome));
        }
        // What it lacks may be under way still, unless it is asked, or others have long overtaken it.
        let is_late = self.arrived.has_lost();
        if asks_how_far || is_late {
            self.lacks = !self.has(blocks);
        } else if !self.hands_in_later {
            self.lacks = false;
        }
        if !told.is_empty() {
            self.held.push((blocks, told));
        }
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|(blocks, _)| self.has(*blocks));
        self.held = held;
        for (_, told) in due {
            told.into_iter().for_each(|(to, message)| self.pass_on(to, message, context));
        }
        self.hand_in([], context);
    }

    fn has(&self, blocks: u64) -> bool {
        self.chains.blocks() >= blocks && !self.has_diverged
    }

    /// Validates a block for itself, and compares.
    fn validate(&mut self, sealed: &Sealed) {
        self.chains.state.close(sealed.closed);
        let (block, _) = self.chains.seal(sealed.header.channel, &sealed.transactions, sealed.header.time);
        self.outcome = self.chains.outcome(&block);
        self.has_diverged = self.outcome != sealed.outcome;
    }

    /// Passes on what it is told for a client, or for all whom it concerns.
    fn pass_on(&mut self, to: Option<ProsumerId>, message: Message, context: &mut Context<'_>) {
        match (to, message) {
            (Some(client), Message::Submit(submission)) => self.carry_out(client, submission, context),
            (Some(client), Message::Left) => self.part_with(client, context),
            (Some(client), message) => context.send(client.actor(), self.with_last_post(client, message)),
            (None, Message::Submit(submission)) => self.endorse(submission, context),
            (None, Message::GameOver(slot)) => self.hand_in_last_posts(slot, context),
            (None, message) => {
                self.count_newcomers();
                match &message {
                    Message::SlotOpened(_) => context.broadcast(&self.everybody, message),
                    // Its own reminders, or the ledger's, go to those who have missed what is told once more.
                    Message::MarketOpened(market) if self.knows(market) => {}
                    Message::MarketOpened(market) => {
                        self.open(Arc::clone(market), context);
                        context.broadcast(&self.audience, message);
                    }
                    Message::MarketState(_) if self.rules.acts_by_clock => context.announce(&self.audience, message),
                    _ => context.broadcast(&self.audience, message),
                }
            }
        }
    }

    /// Where it has taken the posts of whoever asks where it stands, it knows the last.
    fn with_last_post(&self, client: ProsumerId, message: Message) -> Message {
        let Some(playing) = &self.playing else { return message };
        let last = playing.number(client).and_then(|place| playing.posts[place].as_ref());
        match message {
            Message::Standing(question, mut standing) => {
                if let (Standing::Playing(_, market, post @ None, _), Some(last)) = (&mut *standing, last)
                    && market.slot == last.post.slot()
                {
                    *post = Some(last.post.clone());
                }
                Message::Standing(question, standing)
            }
            message => message,
        }
    }

    fn knows(&self, market: &MarketOpened) -> bool {
        self.market.as_ref().is_some_and(|known| known.slot == market.slot)
    }

    /// A market opens.
    fn open(&mut self, market: Arc<MarketOpened>, context: &mut Context<'_>) {
        (self.market, self.playing) = (Some(Arc::clone(&market)), None);
        if self.told.slot != market.slot {
            self.told = Told { slot: market.slot, ..Told::default() };
        }
        self.audience = actors(self.in_market(&market).map(|(_, client)| client));
        self.seat(context);
        if self.playing.is_some() {
            context.wake_after(self.rules.remind_after, Wake::Retry(market.slot.into()));
        }
    }

    /// Those of its clients that take part in a market, sellers first, with their positions there.
    fn in_market<'a>(&'a self, market: &'a MarketOpened) -> impl Iterator<Item = (u32, &'a ProsumerId)> {
        let everybody = market.sellers.iter().chain(&market.buyers);
        (0..).zip(everybody).filter(|(_, prosumer)| self.clients.binary_search(prosumer).is_ok())
    }

    /// Where peers take posts, lays the game out for those of its clients that take part, and enters what they have posted.
    fn seat(&mut self, context: &mut Context<'_>) {
        let genesis = Arc::clone(&self.chains.member.genesis);
        let Some(market) = self.market.clone().filter(|_| self.takes_posts()) else { return };
        let (positions, clients): (Vec<u32>, Vec<ProsumerId>) = self.in_market(&market).unzip();
        let number = |client: &ProsumerId| genesis.prosumers[client.index()].0;
        let registrations: Vec<Registration> = clients
            .iter()
            .filter_map(|client| match self.chains.state.fact(Key::Register(market.slot, number(client)))? {
                Fact::Register(registration) => Some(*registration),
                _ => None,
            })
            .collect();
        // Of a slot that is over nothing is left to lay out.
        if registrations.len() < clients.len() {
            self.playing = None;
            return;
        }
        let Some(Fact::Tariff(tariff)) = self.chains.state.fact(Key::Tariff(market.slot)) else { return };
        let opening = Opening {
            market: &market,
            buyers: registrations.iter().filter_map(Registration::as_buyer).collect(),
            surplus: registrations.iter().filter_map(Registration::surplus).collect(),
            band: tariff.band(genesis.rules.local_fee()),
            genesis: &genesis,
            rules: &self.rules.floor,
        };
        let floor = AnyFloor::open(opening);
        let mut playing = Playing::of_clients(Arc::clone(&market), positions, floor, context.now());
        if let Some(before) = self.playing.take() {
            playing.is_closing = before.is_closing;
            for received in before.posts.into_iter().flatten() {
                let place = ProsumerId::of(received.from).and_then(|client| playing.number(client));
                place.into_iter().for_each(|place| playing.take(place, received.clone(), context.now()));
            }
        }
        self.playing = Some(Box::new(playing));
    }

    /// Has a post wait until it is taken with others.
    fn keep_post(&mut self, received: Received, context: &mut Context<'_>) {
        if let Some(posts) = self.posts.submit(received, context) {
            self.take_posts(posts, context);
        }
    }

    /// Takes posts, and tells the ledger what all that count add up to.
    fn take_posts(&mut self, posts: Vec<Received>, context: &mut Context<'_>) {
        self.count_newcomers_in_game(context);
        let (counted, refused) = self.taker.take(&posts, &self.chains, self.playing.as_deref_mut(), context.now());
        self.told.posts += u64::from(counted);
        for (Received { from, post, .. }, refusal) in refused {
            refuse(*from, post.slot(), refusal, context);
        }
        self.posts.give_back(posts);
        self.tell_part(context);
    }

    fn tell_part(&mut self, context: &mut Context<'_>) {
        let Some(playing) = &mut self.playing else { return };
        let Playing { floor, positions, sellers, .. } = &mut **playing;
        let sellers = positions.as_ref().map_or(&[][..], |positions| &positions[..*sellers]);
        if let Some(part) = floor.part(self.told.number + 1, self.told.posts, sellers) {
            self.told.number += 1;
            self.hand_in([(None, Message::Part(Box::new(part)))], context);
        }
    }

    /// Carries out the last posts of its clients, since the game is over, and hands them in.
    fn hand_in_last_posts(&mut self, slot: Slot, context: &mut Context<'_>) {
        let waiting = self.posts.cut();
        if !waiting.is_empty() {
            self.take_posts(waiting, context);
        }
        let genesis = Arc::clone(&self.chains.member.genesis);
        if let Some(mut playing) = self.playing.take().filter(|playing| playing.market.slot == slot) {
            playing.is_closing = true;
            for Received { from, post, submission, .. } in playing.posts.iter().flatten() {
                let Some(client) = ProsumerId::of(*from) else { continue };
                let unsigned = || Submission::unsigned(genesis.prosumer(client), post.clone().into());
                self.carry_out(client, submission.clone().unwrap_or_else(unsigned), context);
            }
            self.playing = Some(playing);
        }
        self.hand_in([(None, Message::GameOver(slot))], context);
    }

    /// Reminds those of its clients of the market that have posted nothing yet, until it is over.
    fn remind(&mut self, slot: u64, context: &mut Context<'_>) {
        let Some(playing) = self.playing.as_ref().filter(|playing| u64::from(playing.market.slot) == slot) else {
            return;
        };
        if playing.is_closing || context.now() >= playing.market.game.closes {
            return;
        }
        for (place, client) in playing.audience.iter().enumerate().filter(|(place, _)| playing.posts[*place].is_none())
        {
            if playing.floor.awaits(place) {
                context.send(*client, Message::MarketOpened(Arc::clone(&playing.market)));
            }
        }
        context.wake_after(self.rules.remind_after, Wake::Retry(slot));
    }

    /// A client has gone to another peer.
    fn part_with(&mut self, client: ProsumerId, context: &mut Context<'_>) {
        if let Ok(place) = self.clients.binary_search(&client) {
            self.clients.remove(place);
            self.has_newcomers = true;
            self.count_newcomers_in_game(context);
            self.tell_part(context);
        }
    }

    fn count_newcomers_in_game(&mut self, context: &mut Context<'_>) {
        if self.has_newcomers && self.playing.is_some() {
            self.count_newcomers();
            self.seat(context);
        }
    }

    fn count_newcomers(&mut self) {
        if std::mem::take(&mut self.has_newcomers) {
            self.everybody = actors(self.clients.iter());
            if let Some(market) = &self.market {
                self.audience = actors(self.in_market(market).map(|(_, client)| client));
            }
        }
    }

    /// Whether posts do not become transactions until the game is over.
    fn takes_posts(&self) -> bool {
        self.chains.member.genesis.rules.posts == Posts::Last
    }

    /// Takes somebody for a client who comes as one.
    fn welcome(&mut self, prosumer: ProsumerId) {
        if let Err(place) = self.clients.binary_search(&prosumer) {
            self.clients.insert(place, prosumer);
            self.has_newcomers = true;
        }
    }
}

/// Tells everybody concerned that a post was refused, which stands on no chain.
fn refuse(from: ActorId, slot: Slot, refusal: Refusal, context: &mut Context<'_>) {
    let channel = ChannelName::Information;
    context.observe(Observation::Refused(Refused { slot, from, refusal, channel, on_chain: false }));
    context.send(from, Message::Refused(slot, refusal));
}

fn actors<'a>(clients: impl Iterator<Item = &'a ProsumerId>) -> Arc<[ActorId]> {
    clients.map(|client| client.actor()).collect()
}

impl Actor<MarketProtocol> for Peer {
    fn start(&mut self, context: &mut Context<'_>) {
        for channel in ChannelName::ALL {
            let block = self.chains.begin(channel, context.now());
            self.outcome = self.chains.outcome(&block);
        }
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        let prosumers = self.chains.member.genesis.prosumers.len();
        match (from, message, ProsumerId::of(from).filter(|client| client.index() < prosumers)) {
            (LEDGER, Message::Delivered(delivered), _) => self.delivered(*delivered, context),
            (_, Message::Submit(submission), Some(client)) => {
                self.welcome(client);
                let sent = Sent { from, submission, at: context.now() };
                match self.takes_posts() && sent.call().is_post() {
                    true => Received::of(sent).into_iter().for_each(|received| self.keep_post(received, context)),
                    false => self.carry_out(client, sent.submission, context),
                }
            }
            (_, Message::Post(post), Some(client)) => {
                self.welcome(client);
                self.keep_post(Received { from, post, submission: None, at: context.now() }, context);
            }
            (_, Message::Left, Some(client)) => self.part_with(client, context),
            (_, message, Some(client)) => {
                self.welcome(client);
                self.hand_in([(Some(client), message)], context);
            }
            _ => {}
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        match wake {
            Wake::HandIn => {
                self.hands_in_later = false;
                let (blocks, outcome, lacks) = (self.chains.blocks(), self.outcome, self.lacks);
                let (number, said) = (self.number, std::mem::take(&mut self.said));
                self.number += 1;
                context.send(LEDGER, Message::HandedIn(Box::new(HandedIn { number, blocks, outcome, lacks, said })));
            }
            Wake::TakePosts(number) => {
                let posts = self.posts.timed_out(number);
                if !posts.is_empty() {
                    self.take_posts(posts, context);
                }
            }
            Wake::Retry(slot) => self.remind(slot, context),
            _ => {}
        }
    }

    /// Its chains it has on disk; what it was to pass on, and who has come to it, is lost.
    fn restart(&mut self, context: &mut Context<'_>) {
        (self.said, self.held, self.market, self.audience) = (Vec::new(), Vec::new(), None, Arc::new([]));
        self.early.clear();
        self.arrived = Arrived::default();
        self.playing = None;
        self.posts.cut();
        (self.hands_in_later, self.lacks) = (false, true);
        self.hand_in([], context);
    }

    fn save(&self) -> Option<Vec<u8>> {
        let at_rest = self.posts.waiting.is_empty()
            && self.said.is_empty()
            && self.held.is_empty()
            && self.early.is_empty()
            && !self.lacks
            && !self.has_diverged;
        let clients = || self.clients.iter().map(|client| client.0).collect();
        at_rest.then(|| {
            let (links, outcome, batch) = (self.chains.links, self.outcome, self.posts.batch);
            to_bytes(&Saved { links, outcome, clients: clients(), batch })
        })
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        let Saved { links, outcome, clients, batch } = from_bytes(saved)?;
        (self.chains.links, self.outcome, self.posts.batch) = (links, outcome, batch);
        self.clients = clients.into_iter().map(ProsumerId).collect();
        self.everybody = actors(self.clients.iter());
        Ok(())
    }

    fn name(&self) -> String {
        self.chains.member.party.to_string()
    }

    fn whereabouts(&self) -> Option<String> {
        in_slot(self.market.as_ref().map_or(0, |market| market.slot))
    }

    /// Nobody waits for a peer but its clients, who say so.
    fn waiting_for(&self) -> Option<String> {
        None
    }
}
