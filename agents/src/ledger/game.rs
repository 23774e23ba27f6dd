//! The game: posts count, the market is shown, until its mechanism has ended or the gate closes.

use super::{
    Ledger, Phase, Unpublished,
    chains::{Chains, Received, Sent},
    playing::OffChain,
};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::Call,
        fact::{Clearing, Execution},
        genesis::Posts,
        refusal::{Refusal, ensure},
    },
    ids::{ChannelName, ProsumerId},
    message::{Message, Shown, Submission},
    observation::{GameOver, Observation},
    statement::Outcome,
    time::Time,
};
use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

/// So many posts are fetched from memory at once.
const AHEAD: usize = 16;

/// The entries of a game for more participants than this do not fit into the nearer caches.
const MORE_THAN_FIT: usize = 4096;

impl Ledger {
    /// Takes a post that counts, if its game is on.
    pub(super) fn take(&mut self, sent: Sent, context: &mut Context<'_>) {
        if let Phase::Playing(playing) = &mut self.phase
            && let Some(sender) = playing.sender(&sent)
            && let Some(received) = sent.received()
        {
            playing.take(sender, received, context.now());
        }
    }

    /// Takes posts that do not become transactions, under the same rules as those that do.
    pub(super) fn take_posts(&mut self, posts: Vec<Received>, context: &mut Context<'_>) {
        if posts.is_empty() {
            return;
        }
        // All count from now on, so only the order of each sender's own matters. To go through the participants in their
        // order is several times faster than at random, once what is known of them is larger than the processor's caches.
        if posts.len() > MORE_THAN_FIT {
            let mut order = std::mem::take(&mut self.order);
            order.extend(posts.iter().map(|received| received.from).zip(0..));
            order.sort_unstable();
            for some in order.chunks(AHEAD) {
                let look = |depth| some.iter().fold(0, |sum, (_, n)| sum ^ posts[*n as usize].post.look(depth));
                black_box((look(0), look(1)));
                some.iter().for_each(|(_, n)| self.take_post(&posts[*n as usize], context));
            }
            order.clear();
            self.order = order;
        } else {
            posts.iter().for_each(|received| self.take_post(received, context));
        }
        self.posts.give_back(posts);
        self.publish_later(context);
    }

    #[inline]
    fn take_post(&mut self, received: &Received, context: &mut Context<'_>) {
        match self.judge_post(received) {
            Err(refusal) => self.refuse_post(received, refusal, context),
            Ok(sender) => {
                if let (Phase::Playing(playing), Some(sender)) = (&mut self.phase, sender) {
                    self.unpublished.off_chain += 1;
                    playing.take(sender, received.clone(), context.now());
                }
            }
        }
    }

    /// Whether a post counts that does not become a transaction, and whose it is among the participants of its game.
    #[inline]
    fn judge_post(&self, Received { from, post, submission, .. }: &Received) -> Result<Option<usize>, Refusal> {
        let Chains { contract, state, ledger, .. } = &self.chains;
        let playing = if let Phase::Playing(playing) = &self.phase { Some(&**playing) } else { None };
        match (submission, ProsumerId::of(*from), playing) {
            // Nobody asks who has signed it, and it is a post in the game that is on.
            (None, Some(prosumer), Some(game)) if post.slot() == game.market.slot => {
                let sender = game.number(prosumer).ok_or(Refusal::NotAParticipant)?;
                let number = game.scenario_number(sender);
                let mut stub = OffChain { state, playing, sender: Some(sender) };
                contract.post_of(number, game.role(sender), &game.market.game, post, &mut stub)?;
                Ok(Some(sender))
            }
            (None, Some(prosumer), _) => {
                let mut stub = OffChain { state, playing, sender: None };
                contract.post(ledger.genesis.prosumers[prosumer.index()].0, post, &mut stub).map(|()| None)
            }
            (None, None, _) => Err(Refusal::NotAParticipant),
            (Some(submission), ..) => {
                let sent = Sent { from: *from, submission: Arc::clone(submission), at: Time::ZERO };
                let sender = playing.and_then(|playing| playing.sender(&sent));
                let mut stub = OffChain { state, playing, sender };
                ensure(self.chains.is_signed(&sent), Refusal::BadSignature)?;
                contract.execute(sent.creator(), sent.call(), &mut stub).map(|()| sender)
            }
        }
    }

    /// Has the market shown at the end of this instant: where many posts arrive at once, they fill several blocks.
    pub(super) fn publish_later(&mut self, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.unpublished.batch, true) {
            context.wake_after(Duration::ZERO, Wake::Publish(self.slot));
        }
    }

    /// Shows the market as it stands after this instant's blocks to all participants; ends the game if that was its end.
    pub(super) fn publish(&mut self, context: &mut Context<'_>) {
        let Unpublished { off_chain, .. } = std::mem::take(&mut self.unpublished);
        let Phase::Playing(playing) = &mut self.phase else { return };
        if let Some(clearing) = playing.floor.clear(context.now()) {
            self.decree_clearing(&clearing, context);
            self.tell_both_sides(&clearing, context);
        }
        let Phase::Playing(playing) = &mut self.phase else { return };
        if let Some(due) = playing.floor.clears_at().filter(|due| playing.clears_at.replace(*due) != Some(*due)) {
            context.wake_at(due, Wake::Publish(self.slot));
        }
        if let Some((shown, observation)) = playing.floor.show(off_chain, context.now()) {
            match &shown {
                Message::MarketState(_) if self.rules.acts_by_clock => context.announce(&playing.audience, shown),
                _ => context.broadcast(&playing.audience, shown),
            }
            context.observe(observation);
        }
        if let Some(outcome) = playing.floor.ended() {
            self.end_game(outcome, context);
        }
    }

    /// The gate closes: what its mechanism clears then, it clears.
    pub(super) fn close_gate(&mut self, context: &mut Context<'_>) {
        self.publish(context);
        let Phase::Playing(playing) = &mut self.phase else { return };
        let (clearing, outcome) = playing.floor.close(context.now());
        if let Some(clearing) = clearing {
            self.decree_clearing(&clearing, context);
        }
        let Phase::Playing(playing) = &mut self.phase else { return };
        if let Some((_, observation)) = playing.floor.show(0, context.now()) {
            context.observe(observation);
        }
        self.end_game(outcome, context);
    }

    /// Puts on the chain what is announced or executed; the posts that it follows from stand there before.
    fn decree_clearing(&mut self, clearing: &Arc<Clearing>, context: &mut Context<'_>) {
        self.record_last_posts(context);
        if self.decree(Call::Clear(self.slot, Arc::clone(clearing)), Vec::new(), context).is_ok() {
            context.observe(Observation::Cleared(self.slot, Arc::clone(clearing)));
        }
    }

    fn tell_both_sides(&self, clearing: &Clearing, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &self.phase else { return };
        for &Execution(buyer, seller, _, price) in &clearing.executions {
            for number in [buyer, seller] {
                let Some(participant) = playing.place(number) else { continue };
                let traded = playing.floor.traded(participant);
                context.send(playing.audience[participant], Message::Executed(self.slot, traded, price));
            }
        }
    }

    /// Ends the game: nothing that is posted from here on counts.
    pub(super) fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &self.phase else { return };
        let time_to_equilibrium = (outcome == Outcome::Equilibrium).then(|| context.now() - playing.since);
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome,
            admitted: playing.posts.len() as u32,
            rounds: playing.rounds(),
            time_to_equilibrium,
            state: if let Some(Shown::State(state)) = playing.floor.shown() { Some(state) } else { None },
        })));
        self.record_last_posts(context);
        if self.decree(Call::CloseGame(self.slot, outcome), Vec::new(), context).is_ok() {
            self.propose_bills(context);
        }
    }

    /// Where posts did not become transactions, the last ones do now: from them bills can be derived.
    fn record_last_posts(&mut self, context: &mut Context<'_>) {
        let genesis = Arc::clone(&self.chains.ledger.genesis);
        let rules = &genesis.rules;
        let Phase::Playing(playing) = &mut self.phase else { return };
        if rules.posts == Posts::Every || playing.recorded {
            return;
        }
        let at = context.now();
        let sent = |received: &Received| {
            let Received { from, post, submission, .. } = received;
            let unsigned = || {
                let prosumer = ProsumerId::of(*from).expect("only prosumers' posts are taken");
                Submission::unsigned(genesis.prosumer(prosumer), post.clone().into())
            };
            Sent { from: *from, submission: submission.clone().unwrap_or_else(unsigned), at }
        };
        let posts: Vec<Sent> = playing.posts.iter().flatten().map(sent).collect();
        // What is announced comes before all posts.
        playing.recorded = !posts.is_empty();
        let most = rules.max_transactions as usize;
        for posts in posts.chunks(most) {
            let block = posts.iter().map(|sent| self.chains.execute(sent.clone())).collect();
            self.seal(block, context);
        }
    }

    /// Of posts that were refused because an earlier one of the same sender was in the same block, submits the newest
    /// again, in a block of its own: what counts after a block is everybody's newest post in it.
    pub(super) fn resubmit(&mut self, stale: Vec<Sent>, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &self.phase else { return };
        let mut newest = BTreeMap::new();
        for sent in stale {
            let Some(participant) = playing.sender(&sent) else { continue };
            let known = newest.get(&participant).map_or(playing.version(participant), Sent::version);
            if sent.version() > known {
                newest.insert(participant, sent);
            }
        }
        let again: Vec<_> = newest.into_values().map(|sent| self.chains.execute(sent)).collect();
        self.commit(ChannelName::Information, again, context);
    }
}
