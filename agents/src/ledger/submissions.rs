//! What happens to a submission, from the door to its block: answered or turned away at once, or carried out by the
//! contract, put into a block, and its sender told what became of it.

use super::{Durability, Ledger, Phase, chains::Received};
use crate::{
    actor::Context,
    chain::{
        call::Call,
        fact::{Fact, Key},
        genesis::Posts,
        identity::Party,
        refusal::{Refusal, Validity, ensure},
        submission::{Execution, Pending, Sealed, Sent},
        transaction::Endorsement,
    },
    ids::{ChannelName, GRID, LEDGER, ProsumerId, Slot},
    message::{Message, Submission},
    observation::{Observation, Refused},
    statement::MeterReading,
};
use std::sync::Arc;

impl Ledger {
    /// Takes a submission: answers it at once if that needs no chain, and otherwise has it carried out and lets it wait
    /// for its block, unless it comes by a peer that has carried it out.
    pub(super) fn submit(&mut self, sent: Sent, done: Option<Execution>, context: &mut Context<'_>) {
        if self.is_answered(&sent, context) {
            return;
        }
        if let Err(refusal) = self.admit(&sent) {
            return self.refuse(&sent, refusal, false, context);
        }
        if sent.call().is_post() && self.chains.member.genesis.rules.posts == Posts::Last {
            Received::of(sent).into_iter().for_each(|received| self.keep_post(received, context));
            return;
        }
        if sent.call().stands_alone() {
            // Whoever asks for it: an honest ledger grants it to nobody but itself and the grid.
            let transaction = self.carried_out(sent, done);
            let _ = self.commit_at_once(transaction, context);
            return;
        }
        let channel = sent.channel();
        if self.queues[channel as usize].waiting.iter().any(|pending| pending.is_repeated_by(&sent)) {
            return;
        }
        let transaction = self.carried_out(sent, done);
        if let Some(batch) = self.queues[channel as usize].submit(transaction, context) {
            self.commit(channel, batch, context);
        }
    }

    /// A call that has been carried out: by the peer by which it comes, or else now.
    fn carried_out(&self, sent: Sent, done: Option<Execution>) -> Pending {
        match done {
            Some(execution) => Pending { from: sent.from, at: sent.at, execution },
            None => self.chains.execute(sent),
        }
    }

    /// Takes a post that comes without signature, and is to be no transaction.
    #[inline]
    pub(super) fn posted(&mut self, received: Received, context: &mut Context<'_>) {
        let genesis = &self.chains.member.genesis;
        if genesis.rules.posts == Posts::Every || genesis.are_posts_signed() {
            let Received { from, post, at, .. } = received;
            let Some(creator) = ProsumerId::of(from).map(|prosumer| genesis.prosumer(prosumer)) else { return };
            let submission = Submission::unsigned(creator, post.into());
            return self.submit(Sent { from, submission, at }, None, context);
        }
        if self.is_over() {
            return self.refuse_post(&received, Refusal::MarketClosed, context);
        }
        self.keep_post(received, context);
    }

    /// Has a post wait until it is taken with others.
    #[inline]
    fn keep_post(&mut self, received: Received, context: &mut Context<'_>) {
        if let Some(posts) = self.posts.submit(received, context) {
            self.take_posts(posts, context);
        }
    }

    /// Tells everybody concerned that a post was refused, which stands on no chain.
    pub(super) fn refuse_post(&mut self, received: &Received, refusal: Refusal, context: &mut Context<'_>) {
        let (slot, from, channel) = (received.post.slot(), received.from, ChannelName::Information);
        context.observe(Observation::Refused(Refused { slot, from, refusal, channel, on_chain: false }));
        self.replicas.tell(from, Message::Refused(slot, refusal), context);
    }

    /// Answers what needs no chain: the grid's tariffs, which wait for their slot, and what is repeated because its
    /// answer was lost or is under way.
    fn is_answered(&mut self, sent: &Sent, context: &mut Context<'_>) -> bool {
        match (sent.call(), self.own_maker(sent)) {
            (Call::PublishTariff(tariff), _) if sent.from == GRID => {
                self.tariff_published(Arc::clone(tariff), Arc::clone(&sent.submission), context);
            }
            (Call::Register(slot, registration), Some(from))
                if *slot == self.slot && self.registrations.all()[from.index()].as_ref() == Some(registration) =>
            {
                self.replicas.tell(sent.from, Message::Registered(*slot, Ok(())), context);
            }
            (Call::RecordEnergy(slot, reading, _), Some(from)) if self.is_recorded(*slot, from, **reading) => {
                self.replicas.tell(sent.from, Message::MeterRecorded(*slot), context);
            }
            _ => return false,
        }
        true
    }

    /// Turns away what does not even get as far as the contract.
    fn admit(&self, sent: &Sent) -> Validity {
        let (creator, call) = (sent.creator(), sent.call());
        let under_way = match call {
            &Call::Register(slot, _) | &Call::RecordEnergy(slot, ..) => self.is_under_way(slot),
            // The grid's own come another way.
            Call::PublishTariff(tariff) => creator != Party::Grid || tariff.slot <= self.slot,
            _ => true,
        };
        if self.is_over() || !under_way {
            return Err(Refusal::MarketClosed);
        }
        if matches!(call, Call::Genesis(_) | Call::Anchor(_)) {
            return Err(Refusal::AlreadyRecorded);
        }
        // A signature tells who made a call, whoever carries it; without one, only the carrier is known.
        if !self.chains.member.genesis.must_be_signed(creator, call) && self.own_maker(sent).is_none() {
            return Err(Refusal::ForgedIdentity);
        }
        Ok(())
    }

    /// Whether a slot has opened and is not closed yet.
    fn is_under_way(&self, slot: Slot) -> bool {
        slot == self.slot && !matches!(self.phase, Phase::BetweenSlots)
    }

    /// Whether a prosumer's reading is recorded: this very one, as long as the slot is under way.
    fn is_recorded(&self, slot: Slot, prosumer: ProsumerId, reading: MeterReading) -> bool {
        if self.is_under_way(slot) {
            let number = self.chains.member.genesis.prosumers[prosumer.index()].0;
            self.chains.state.fact(Key::Meter(slot, number)) == Some(&Fact::Meter(reading))
        } else {
            (1..=self.slot).contains(&slot)
        }
    }

    /// The prosumer who made a submission and sent it itself.
    fn own_maker(&self, sent: &Sent) -> Option<ProsumerId> {
        let from = ProsumerId::of(sent.from)?;
        (self.chains.member.genesis.prosumer(from) == sent.creator()).then_some(from)
    }

    /// Makes a block of these transactions and acts on what became of them.
    pub(super) fn commit(&mut self, channel: ChannelName, batch: Vec<Pending>, context: &mut Context<'_>) {
        if batch.is_empty() {
            return;
        }
        let mut stale = Vec::new();
        for (sent, validity) in self.seal(batch, context) {
            let is_stale = validity == Err(Refusal::StaleRead);
            if is_stale && sent.call().is_post() {
                stale.push(sent.clone());
            } else if is_stale && self.replicas.are_there() {
                // Its peer was behind: it is to carry it out anew.
                self.note_refusal(&sent, Refusal::StaleRead, true, context);
                self.replicas.tell(sent.from, Message::Submit(sent.submission), context);
                continue;
            }
            self.judged(sent, validity, context);
        }
        match channel {
            ChannelName::Trade if matches!(self.phase, Phase::Registering) && self.registrations.are_complete() => {
                self.close_registration(context);
            }
            ChannelName::Trade => {}
            ChannelName::Information => {
                self.publish_later(context);
                self.resubmit(stale, context);
            }
            ChannelName::Energy => self.close_slot_if_complete(context),
        }
    }

    /// Makes a block of a call of the ledger's own.
    pub(super) fn decree(&mut self, call: Call, endorsements: Vec<Endorsement>, context: &mut Context<'_>) -> Validity {
        let submission = self.chains.member.submission(call, endorsements);
        let sent = Sent { from: LEDGER, submission, at: context.now() };
        self.commit_at_once(self.chains.execute(sent), context)
    }

    /// Makes a block of one transaction, ahead of what waits.
    pub(super) fn commit_at_once(&mut self, transaction: Pending, context: &mut Context<'_>) -> Validity {
        let (sent, validity) = self.seal(vec![transaction], context).remove(0);
        if let Err(refusal) = validity {
            self.refuse(&sent, refusal, true, context);
        }
        validity
    }

    /// Makes a block of these transactions of one channel, one at least; tells what became of each.
    pub(super) fn seal(&mut self, batch: Vec<Pending>, context: &mut Context<'_>) -> Vec<(Sent, Validity)> {
        let (block, codes) = self.chains.seal(batch[0].sent().channel(), &batch, context.now());
        let ordered = batch.iter().map(Pending::sent).zip(codes).collect();
        if self.replicas.are_there() {
            let (outcome, closed) = (self.chains.outcome(&block), self.chains.state.closed);
            self.replicas.add(Sealed { header: block.header, transactions: batch, outcome, closed });
        }
        context.observe(Observation::Sealed(Arc::new(block)));
        if self.rules.durability == Durability::Block {
            let closed = if matches!(self.phase, Phase::BetweenSlots) { self.slot } else { self.slot - 1 };
            context.observe(Observation::Checkpoint(Arc::new(self.chains.checkpoint(closed))));
        }
        ordered
    }

    /// Acts on what became of a transaction.
    fn judged(&mut self, sent: Sent, validity: Validity, context: &mut Context<'_>) {
        if let Err(refusal) = validity {
            self.refuse(&sent, refusal, true, context);
        }
        let member = self.chains.member.genesis.member(sent.creator());
        match (sent.call(), member) {
            (Call::Register(slot, registration), Some(member)) if *slot == self.slot => {
                // While peers endorse that a slot goes without a market, nothing on the chain says so yet.
                let in_time = ensure(matches!(self.phase, Phase::Registering), Refusal::MarketClosed);
                let counts = validity.and(in_time);
                if counts.is_ok() {
                    self.registrations.enter(member.index(), *registration);
                }
                // One that was sent twice may wait twice: the second is refused, and its sender registered.
                let is_known = self.registrations.all()[member.index()].as_ref() == Some(registration);
                let counts = if is_known { Ok(()) } else { counts };
                self.replicas.tell(sent.from, Message::Registered(*slot, counts), context);
            }
            (Call::RecordEnergy(slot, ..), Some(member)) if validity.is_ok() => {
                self.readings.enter(member.index(), ());
                self.replicas.tell(sent.from, Message::MeterRecorded(*slot), context);
            }
            (call, _) if call.is_post() && validity.is_ok() => self.take(sent, context),
            _ => {}
        }
    }

    /// Tells whoever watches that a submission was refused.
    fn note_refusal(&self, sent: &Sent, refusal: Refusal, on_chain: bool, context: &mut Context<'_>) {
        let (slot, channel) = (sent.call().slot().unwrap_or(self.slot), sent.channel());
        context.observe(Observation::Refused(Refused { slot, from: sent.from, refusal, channel, on_chain }));
    }

    /// Tells everybody concerned that a submission was refused.
    pub(super) fn refuse(&mut self, sent: &Sent, refusal: Refusal, on_chain: bool, context: &mut Context<'_>) {
        self.note_refusal(sent, refusal, on_chain, context);
        let slot = sent.call().slot().unwrap_or(self.slot);
        // Registrations have an answer of their own. A post that met an earlier one of its sender's in a block is not
        // lost: the newest of them counts, as it would if posts did not become transactions.
        let superseded =
            refusal == Refusal::StaleRead && sent.call().is_post() && matches!(self.phase, Phase::Playing(_));
        if sent.from != LEDGER && !matches!(sent.call(), Call::Register(..)) && !superseded {
            self.replicas.tell(sent.from, Message::Refused(slot, refusal), context);
        }
    }
}
