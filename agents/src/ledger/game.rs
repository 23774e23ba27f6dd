//! The game: posts count, the market is shown, until its mechanism has ended or the gate closes.

use super::{Ledger, Phase, Unpublished, chains::Received, playing::Playing};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::Call,
        fact::{Clearing, Execution},
        genesis::Posts,
        submission::Sent,
    },
    ids::{ChannelName, ProsumerId},
    message::{MarketState, Message, Shown, Submission},
    observation::{GameOver, Observation},
    statement::Outcome,
    time::Time,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

impl Ledger {
    /// Takes a post that counts, if its game is on.
    pub(super) fn take(&mut self, sent: Sent, context: &mut Context<'_>) {
        if let Phase::Playing(playing) = &mut self.phase
            && let Some(sender) = playing.sender(&sent)
            && let Some(received) = Received::of(sent)
        {
            playing.take(sender, received, context.now());
        }
    }

    /// Takes posts that do not become transactions, under the same rules as those that do.
    pub(super) fn take_posts(&mut self, posts: Vec<Received>, context: &mut Context<'_>) {
        if posts.is_empty() {
            return;
        }
        let playing = if let Phase::Playing(playing) = &mut self.phase { Some(&mut **playing) } else { None };
        let (counted, refused) = self.taker.take(&posts, &self.chains, playing, context.now());
        self.unpublished.off_chain += counted;
        for (received, refusal) in refused {
            self.refuse_post(received, refusal, context);
        }
        self.posts.give_back(posts);
        self.publish_later(context);
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
        if playing.is_closing {
            return;
        }
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
                Message::MarketState(_) if self.rules.acts_by_clock => {
                    self.replicas.announce(&playing.audience, shown, context);
                }
                _ => self.replicas.tell_all(&playing.audience, shown, context),
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
        if playing.is_closing {
            return;
        }
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

    fn tell_both_sides(&mut self, clearing: &Clearing, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &self.phase else { return };
        for &Execution(buyer, seller, _, price) in &clearing.executions {
            for number in [buyer, seller] {
                let Some(participant) = playing.place(number) else { continue };
                let traded = playing.floor.traded(participant);
                let executed = Message::Executed(self.slot, traded, price);
                self.replicas.tell(playing.audience[participant], executed, context);
            }
        }
    }

    /// Ends the game: nothing that is posted from here on counts.
    pub(super) fn end_game(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &self.phase else { return };
        if self.peers_take_posts() {
            return self.gather(outcome, context);
        }
        let state = shown_state(playing);
        self.game_over(outcome, context.now(), state, context);
    }

    /// The game that has ended `at` a time is over, with the market as it was shown last.
    pub(super) fn game_over(
        &mut self,
        outcome: Outcome,
        at: Time,
        state: Option<Arc<MarketState>>,
        context: &mut Context<'_>,
    ) {
        let Phase::Playing(playing) = &self.phase else { return };
        let time_to_equilibrium = (outcome == Outcome::Equilibrium).then(|| at - playing.since);
        context.observe(Observation::GameOver(Arc::new(GameOver {
            slot: self.slot,
            outcome,
            admitted: playing.posts.len() as u32,
            rounds: playing.rounds(),
            time_to_equilibrium,
            state,
        })));
        self.record_last_posts(context);
        if self.decree(Call::CloseGame(self.slot, outcome), Vec::new(), context).is_ok() {
            self.propose_bills(context);
        }
    }

    /// Where posts did not become transactions, the last ones do now: from them bills can be derived.
    fn record_last_posts(&mut self, context: &mut Context<'_>) {
        let genesis = Arc::clone(&self.chains.member.genesis);
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
        if self.replicas.are_there() {
            for Sent { from, submission, .. } in newest.into_values() {
                self.replicas.tell(from, Message::Submit(submission), context);
            }
            return;
        }
        let again: Vec<_> = newest.into_values().map(|sent| self.chains.execute(sent)).collect();
        self.commit(ChannelName::Information, again, context);
    }
}

/// The market as it was shown last, by quotes and choices; `None` if there are none.
pub(super) fn shown_state(playing: &Playing) -> Option<Arc<MarketState>> {
    if let Some(Shown::State(state)) = playing.floor.shown() { Some(state) } else { None }
}
