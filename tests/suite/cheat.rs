//! A prosumer that does more than an honest one, or less, and keeps count of the refusals that it has earned.

use crate::support::Log;
use microgrid_agents::{
    actor::{Actor, Context, Effect, Wake},
    chain::{
        call::{Call, Proposal},
        genesis::Genesis,
        hash::Digest,
        identity::{Party, SecretKey, Signature},
        refusal::Refusal,
        transaction::Envelope,
    },
    ids::{ActorId, ProsumerId, Slot},
    message::{Message, Submission},
    observation::Observation,
};
use microgrid_sim::{
    agents::{
        actor::MarketProtocol,
        ids::{GRID, LEDGER},
    },
    scenario::Case,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

/// How often something was refused, by reason.
pub(crate) type Tally = BTreeMap<Refusal, u64>;

/// Something that a cheat sends, and why it is to be refused; `None` if nobody answers it with a refusal.
#[derive(Debug)]
pub(crate) struct Act {
    to: ActorId,
    message: Message,
    refusal: Option<Refusal>,
}

impl Act {
    /// A submission to the ledger that is to be refused for this reason.
    pub(crate) fn refused(submission: Arc<Submission>, refusal: Refusal) -> Self {
        Self { to: LEDGER, message: Message::Submit(submission), refusal: Some(refusal) }
    }

    /// A message that nobody refuses, to whomever.
    pub(crate) fn send(to: ActorId, message: Message) -> Self {
        Self { to, message, refusal: None }
    }
}

/// What a cheat does.
pub(crate) trait Script: Send {
    /// What it sends when it hears this, before its honest self answers.
    fn on(&mut self, _heard: &Message, _me: &Forger) -> Vec<Act> {
        Vec::new()
    }

    /// What becomes of a message that its honest self would send; `None` if it keeps it back.
    fn says(&mut self, message: Message, _me: &Forger) -> Option<Message> {
        Some(message)
    }

    /// What it sends right after its honest self has sent this to the ledger.
    fn after(&mut self, _said: &Message, _me: &Forger) -> Vec<Act> {
        Vec::new()
    }
}

/// A prosumer with a script.
pub(crate) struct Cheat {
    inner: Box<dyn Actor<MarketProtocol>>,
    script: Box<dyn Script>,
    forger: Forger,
    earned: Arc<Mutex<Tally>>,
}

impl fmt::Debug for Cheat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cheat {:?}", self.inner)
    }
}

impl Cheat {
    /// The prosumer `inner` with a script, and the count of refusals that it will earn.
    pub(crate) fn new(
        inner: Box<dyn Actor<MarketProtocol>>,
        script: Box<dyn Script>,
        forger: Forger,
    ) -> (Self, Arc<Mutex<Tally>>) {
        let earned = Arc::default();
        (Self { inner, script, forger, earned: Arc::clone(&earned) }, earned)
    }

    fn perform(&self, acts: Vec<Act>, context: &mut Context<'_>) {
        for Act { to, message, refusal } in acts {
            if let Some(refusal) = refusal {
                *self.earned.lock().unwrap().entry(refusal).or_default() += 1;
            }
            context.send(to, message);
        }
    }

    /// Lets the honest self do something, and has its way with what comes of it.
    fn honestly(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut dyn Actor<MarketProtocol>, &mut Context<'_>),
    ) {
        let mut effects = Vec::new();
        let (now, me) = (context.now(), context.me());
        act(self.inner.as_mut(), &mut Context::new(now, me, context.random(), &mut effects));
        for effect in effects {
            match effect {
                Effect::Wake(delay, wake) => context.wake_after(delay, wake),
                Effect::Observe(what) => context.observe(what),
                Effect::Halt(why) => context.halt(why),
                Effect::Send(to, message) => self.send(to, message, context),
                Effect::Broadcast(to, message) | Effect::Announce(to, message) => {
                    to.iter().for_each(|&to| self.send(to, message.clone(), context));
                }
            }
        }
    }

    /// Says what the script makes of a message.
    fn send(&mut self, to: ActorId, message: Message, context: &mut Context<'_>) {
        let Some(message) = self.script.says(message, &self.forger) else { return };
        self.forger.note(&message);
        context.send(to, message.clone());
        let acts = self.script.after(&message, &self.forger);
        self.perform(acts, context);
    }
}

impl Actor<MarketProtocol> for Cheat {
    fn start(&mut self, context: &mut Context<'_>) {
        self.honestly(context, |actor, context| actor.start(context));
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        if [LEDGER, GRID].contains(&from) {
            let acts = self.script.on(&message, &self.forger);
            self.perform(acts, context);
        }
        self.honestly(context, |actor, context| actor.receive(from, message, context));
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        self.honestly(context, |actor, context| actor.wake(wake, context));
    }

    fn name(&self) -> String {
        self.inner.name()
    }

    fn waiting_for(&self) -> Option<String> {
        self.inner.waiting_for()
    }
}

/// What a cheat knows and can do: it has a key of its own, and has overheard everybody.
#[derive(Clone, Debug)]
pub(crate) struct Forger {
    me: ProsumerId,
    key: SecretKey,
    genesis: Arc<Genesis>,
    /// What everybody said that counted, in the order in which it did.
    overheard: Arc<[Arc<Submission>]>,
    /// What its honest self has posted in the slot under way.
    posts: Vec<Arc<Submission>>,
}

impl Forger {
    /// Prosumer `me` of a case, which has read the chains of an honest run.
    pub(crate) fn new(me: ProsumerId, case: &Case, honest: &Log) -> Self {
        let mut overheard = Vec::new();
        let mut genesis = None;
        for observed in &honest.observed {
            let Observation::Sealed(block) = &observed.what else { continue };
            for recorded in block.transactions.iter().filter(|recorded| recorded.validity.is_ok()) {
                let envelope: Envelope = serde_json::from_str(&recorded.envelope).unwrap();
                let (proposal, Envelope { signature, endorsements, .. }) = (envelope.proposal().unwrap(), envelope);
                if let Call::Genesis(found) = &proposal.call {
                    genesis = Some(Arc::clone(found));
                }
                overheard.push(Arc::new(Submission { proposal, signature, endorsements }));
            }
        }
        let key = SecretKey::derive(case.seed, me.actor());
        let genesis = genesis.expect("a chain begins with its genesis");
        Self { me, key, genesis, overheard: overheard.into(), posts: Vec::new() }
    }

    fn note(&mut self, message: &Message) {
        if let Message::Post(post) = message {
            self.posts.push(self.own(post.clone().into()));
        } else if let Message::Submit(submission) = message {
            match submission.proposal.call {
                Call::Register(..) => self.posts.clear(),
                Call::PostQuote(_) | Call::PostChoice(_) => self.posts.push(Arc::clone(submission)),
                _ => {}
            }
        }
    }

    pub(crate) fn party(&self) -> Party {
        self.genesis.prosumer(self.me)
    }

    pub(crate) fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// Its posts of the slot under way, oldest first.
    pub(crate) fn posts(&self) -> &[Arc<Submission>] {
        &self.posts
    }

    /// Signs a text for these chains.
    pub(crate) fn sign(&self, text: &str) -> Signature {
        self.key.sign(self.genesis.id(), text)
    }

    /// A call in its own name, signed where it must be.
    pub(crate) fn own(&self, call: Call) -> Arc<Submission> {
        let signed = self.genesis.must_be_signed(self.party(), &call);
        let forged = self.forged(self.party(), call, None);
        let signature = signed.then(|| self.sign(forged.proposal.to_json().get()));
        Arc::new(Submission { signature, ..(*forged).clone() })
    }

    /// A call in somebody's name, with whatever signature.
    pub(crate) fn forged(&self, creator: Party, call: Call, signature: Option<Signature>) -> Arc<Submission> {
        Arc::new(Submission { proposal: Proposal { creator, call }, signature, endorsements: Vec::new() })
    }

    /// A call in the name of `victim` in every way that the cheat can think of: unsigned, signed with its own key, with
    /// a signature of the victim under something else, and with the victim's signature for another chain.
    pub(crate) fn impersonations(&self, seed: u64, victim: Party, call: &Call) -> Vec<Act> {
        let forged = |signature| self.forged(victim, call.clone(), signature);
        let text = forged(None).proposal.to_json();
        let stolen = self.overheard.iter().filter(|s| s.proposal.creator == victim).find_map(|s| s.signature);
        let elsewhere = self.genesis.member(victim).map(|victim| {
            let key = SecretKey::derive(seed, victim.actor());
            key.sign(Digest::default(), text.get())
        });
        let refusal = match self.genesis.must_be_signed(victim, call) {
            true => Refusal::BadSignature,
            false => Refusal::ForgedIdentity,
        };
        let signatures = [Some(self.sign(text.get())), stolen, elsewhere].into_iter().filter(Option::is_some);
        [None].into_iter().chain(signatures).map(|signature| Act::refused(forged(signature), refusal)).collect()
    }

    /// What `party` said in a slot that matches.
    pub(crate) fn overheard(&self, party: Party, slot: Slot, of: fn(&Call) -> bool) -> Option<Arc<Submission>> {
        let of_party = self.overheard.iter().filter(|s| s.proposal.creator == party);
        of_party.filter(|s| s.proposal.call.slot() == Some(slot)).find(|s| of(&s.proposal.call)).cloned()
    }
}
