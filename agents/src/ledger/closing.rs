//! Where peers take the posts of a game that do not become transactions: what these come to while it is on, and the last
//! posts of their clients once it is over.

use super::{Ledger, Phase, chains::Received, game::shown_state};
use crate::{
    actor::{Context, Wake},
    chain::{
        genesis::Posts,
        submission::{Execution, Pending},
    },
    market::part::Part,
    message::Message,
    statement::Outcome,
    time::Time,
};
use std::collections::BTreeMap;

/// A game that is over, but for its last posts.
#[derive(Debug)]
pub(super) struct Closing {
    /// How it ended, as far as that is known without them.
    outcome: Outcome,
    at: Time,
    /// The places of the peers that have not handed theirs in yet.
    awaited: Vec<usize>,
    posts: Vec<Pending>,
}

impl Ledger {
    /// Whether peers take posts, and only what they come to is told here.
    pub(super) fn peers_take_posts(&self) -> bool {
        self.replicas.are_there() && self.chains.member.genesis.rules.posts == Posts::Last
    }

    /// What a peer's clients have posted counts from now on.
    pub(super) fn part_come(&mut self, place: usize, part: Box<Part>, context: &mut Context<'_>) {
        if let Phase::Playing(playing) = &mut self.phase
            && part.slot == self.slot
            && !playing.is_closing
        {
            let posts = playing.floor.enter_part(place, self.replicas.count(), Some(part));
            self.unpublished.off_chain += posts as u32;
            self.publish_later(context);
        }
    }

    /// A client has left this peer for another. If that does not answer, nothing that it has told of its clients counts any more.
    pub(super) fn moved(&mut self, place: usize, context: &mut Context<'_>) {
        if self.peers_take_posts()
            && let Phase::Playing(playing) = &mut self.phase
            && self.replicas.is_silent(place, self.rules.retry_after, context.now())
        {
            playing.floor.enter_part(place, self.replicas.count(), None);
            self.publish_later(context);
        }
    }

    /// Ends the game: asks peers for the last posts of their clients.
    pub(super) fn gather(&mut self, outcome: Outcome, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &mut self.phase else { return };
        playing.is_closing = true;
        let awaited = (0..self.replicas.count()).collect();
        self.closing = Some(Closing { outcome, at: context.now(), awaited, posts: Vec::new() });
        self.replicas.tell_peers(&Message::GameOver(self.slot));
        context.wake_after(4 * self.rules.retry_after, Wake::PostsExpire(self.slot));
    }

    /// Asks those again who have not answered.
    pub(super) fn gather_again(&mut self) {
        for place in self.closing.iter().flat_map(|closing| closing.awaited.clone()) {
            self.replicas.tell_peer(place, Message::GameOver(self.slot));
        }
    }

    /// Whether this is a post that a peer has carried out since the game is over. It has known it before: its sender may have gone
    /// to another peer since.
    pub(super) fn is_last_post(&self, post: &Execution) -> bool {
        self.peers_take_posts() && post.submission.proposal.call.is_post()
    }

    pub(super) fn last_post(&mut self, post: Pending) {
        if let Some(closing) = &mut self.closing {
            closing.posts.push(post);
        }
    }

    pub(super) fn posts_handed_in(&mut self, place: usize, context: &mut Context<'_>) {
        let Some(closing) = &mut self.closing else { return };
        closing.awaited.retain(|awaited| *awaited != place);
        if closing.awaited.is_empty() {
            self.conclude(context);
        }
    }

    /// Puts the last posts on the chain, from which bills can be derived, and ends the game by them.
    pub(super) fn conclude(&mut self, context: &mut Context<'_>) {
        let (Some(closing), Phase::Playing(playing)) = (self.closing.take(), &self.phase) else { return };
        let Closing { outcome, at, posts, .. } = closing;
        // Everybody's newest, in the order of the participants.
        let mut newest = BTreeMap::new();
        for post in posts {
            let sent = post.sent();
            let Some(participant) = playing.sender(&sent) else { continue };
            let known = newest.get(&participant).map_or(0, |(_, version)| *version);
            if sent.version() > known {
                newest.insert(participant, (post, sent.version()));
            }
        }
        let now = context.now();
        let mut posts = newest.into_values().map(|(post, _)| Pending { at: now, ..post }).peekable();
        let (mut counted, most) = (Vec::new(), self.chains.member.genesis.rules.max_transactions as usize);
        while posts.peek().is_some() {
            let sealed = self.seal(posts.by_ref().take(most).collect(), context);
            counted.extend(sealed.into_iter().filter(|(_, validity)| validity.is_ok()).map(|(sent, _)| sent));
        }
        let Phase::Playing(playing) = &self.phase else { return };
        let (state, floor) = (shown_state(playing), self.floor_of(&playing.market));
        let Phase::Playing(playing) = &mut self.phase else { return };
        (playing.floor, playing.recorded) = (floor, true);
        for sent in counted {
            let (participant, received) = (playing.sender(&sent), Received::of(sent));
            if let (Some(participant), Some(received)) = (participant, received) {
                playing.take(participant, received, context.now());
            }
        }
        let outcome = if outcome == Outcome::Rest { playing.floor.at_rest(context.now()) } else { outcome };
        self.game_over(outcome, at, state, context);
    }
}
