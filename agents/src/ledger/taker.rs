//! Takes posts that do not become transactions, under the same rules as those that do.

use super::{
    chains::{Chains, Received},
    playing::{OffChain, Playing},
};
use crate::{
    chain::{
        refusal::{Refusal, ensure},
        submission::Sent,
    },
    ids::{ActorId, ProsumerId},
    time::Time,
};
use std::{hint::black_box, sync::Arc};

/// So many posts are fetched from memory at once.
const AHEAD: usize = 16;

/// The entries of a game for more participants than this do not fit into the nearer caches.
const MORE_THAN_FIT: usize = 4096;

/// The order in which posts are taken, for its memory.
#[derive(Debug, Default)]
pub(super) struct Taker {
    order: Vec<(ActorId, u32)>,
}

impl Taker {
    /// Takes these posts, which count from `now` on if they count in the game that is on; tells how many do, and why others
    /// do not.
    pub(super) fn take<'a>(
        &mut self,
        posts: &'a [Received],
        chains: &Chains,
        mut playing: Option<&mut Playing>,
        now: Time,
    ) -> (u32, Vec<(&'a Received, Refusal)>) {
        let (mut counted, mut refused) = (0, Vec::new());
        let mut take = |received: &'a Received| match judge(chains, playing.as_deref(), received) {
            Err(refusal) => refused.push((received, refusal)),
            Ok(sender) => {
                if let (Some(playing), Some(sender)) = (&mut playing, sender) {
                    counted += 1;
                    playing.take(sender, received.clone(), now);
                }
            }
        };
        // All count from now on, so only the order of each sender's own matters. To go through the participants in their
        // order is several times faster than at random, once what is known of them is larger than the processor's caches.
        if posts.len() > MORE_THAN_FIT {
            self.order.extend(posts.iter().map(|received| received.from).zip(0..));
            self.order.sort_unstable();
            for some in self.order.chunks(AHEAD) {
                let look = |depth| some.iter().fold(0, |sum, (_, n)| sum ^ posts[*n as usize].post.look(depth));
                black_box((look(0), look(1)));
                some.iter().for_each(|(_, n)| take(&posts[*n as usize]));
            }
            self.order.clear();
        } else {
            posts.iter().for_each(take);
        }
        (counted, refused)
    }
}

/// Whether a post counts that does not become a transaction, and whose it is among the participants of its game.
#[inline]
fn judge(chains: &Chains, playing: Option<&Playing>, received: &Received) -> Result<Option<usize>, Refusal> {
    let Received { from, post, submission, .. } = received;
    let Chains { contract, state, member, .. } = chains;
    match (submission, ProsumerId::of(*from), playing) {
        // Nobody asks who has signed it, and it is a post in the game that is on.
        (None, Some(prosumer), Some(game)) if post.slot() == game.market.slot => {
            let sender = game.number(prosumer).ok_or(Refusal::NotAParticipant)?;
            ensure(!game.is_closing, Refusal::MarketClosed)?;
            let number = game.scenario_number(sender);
            let mut stub = OffChain { state, playing, sender: Some(sender) };
            contract.post_of(number, game.role(sender), &game.market.game, post, &mut stub)?;
            Ok(Some(sender))
        }
        (None, Some(prosumer), _) => {
            let mut stub = OffChain { state, playing, sender: None };
            contract.post(member.genesis.prosumers[prosumer.index()].0, post, &mut stub).map(|()| None)
        }
        (None, None, _) => Err(Refusal::NotAParticipant),
        (Some(submission), ..) => {
            let sent = Sent { from: *from, submission: Arc::clone(submission), at: Time::ZERO };
            let sender = playing.and_then(|playing| playing.sender(&sent));
            ensure(playing.is_none_or(|game| !game.is_closing), Refusal::MarketClosed)?;
            let mut stub = OffChain { state, playing, sender };
            ensure(chains.is_signed(&sent), Refusal::BadSignature)?;
            contract.execute(sent.creator(), sent.call(), &mut stub).map(|()| sender)
        }
    }
}
