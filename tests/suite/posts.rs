//! Where a block takes several periods, several posts of the same sender meet in it: its newest counts.

use crate::support::{only_case, run, shipped};
use microgrid_agents::{
    chain::{
        call::Call,
        refusal::{Refusal, Validity},
        transaction::Envelope,
    },
    ids::ChannelName,
    observation::Observation,
    time::Time,
};
use std::{collections::BTreeMap, time::Duration};

/// A post as it came on the chain.
#[derive(Clone, Copy, Debug)]
struct Post {
    version: u32,
    validity: Validity,
}

/// The posts of a day's games whose blocks take three periods, by the moment of their blocks and by sender, in their
/// order.
fn posts_of_slow_blocks() -> BTreeMap<(Time, String), Vec<Post>> {
    let mut plan = shipped("5_prosumers.ron", &["mu=0", "block_timeout=3s"]);
    plan.scenario.market.gate_closure = Duration::from_secs(200);
    let mut batches = BTreeMap::<_, Vec<Post>>::new();
    let mut under_way = false;
    for observed in run(&only_case(&plan)).observed {
        let Observation::Sealed(block) = observed.what else { continue };
        if block.header.channel != ChannelName::Information {
            continue;
        }
        for transaction in &block.transactions {
            let envelope: Envelope = serde_json::from_str(&transaction.envelope).expect("an envelope");
            let proposal = envelope.proposal().expect("a proposal");
            let version = match &proposal.call {
                Call::PostQuote(quote) => quote.version,
                Call::PostChoice(choice) => choice.version,
                other => {
                    under_way = matches!(other, Call::OpenGame(..));
                    continue;
                }
            };
            if under_way {
                let post = Post { version, validity: transaction.validity };
                batches.entry((block.header.time, proposal.creator.to_string())).or_default().push(post);
            }
        }
    }
    batches
}

#[test]
fn of_several_posts_in_a_block_the_newest_counts_and_is_submitted_once_more() {
    let (mut several, mut stale) = (0, 0);
    for ((time, sender), posts) in posts_of_slow_blocks() {
        let newest = posts.iter().map(|post| post.version).max();
        let counted = posts.iter().rfind(|post| post.validity.is_ok()).map(|post| post.version);
        assert_eq!(counted, newest, "of {sender} at {time}: {posts:?}");
        let came: Vec<_> = posts.iter().take_while(|post| post.validity.is_ok()).collect();
        let refused = posts.iter().filter(|post| post.validity == Err(Refusal::StaleRead)).count();
        // The first counts, those behind it are stale, and the newest of these comes again.
        assert_eq!(came.len(), 1, "of {sender} at {time}: {posts:?}");
        assert_eq!(posts.len(), if refused == 0 { 1 } else { refused + 2 }, "of {sender} at {time}: {posts:?}");
        several += usize::from(refused > 0);
        stale += refused;
    }
    assert!(several > 100, "posts met in {several} blocks");
    assert!(stale > several, "{stale} were stale");
}
