//! The table of facts, held to the state that the replay has led to, and to the sums that must agree in it.

use super::{
    books::Books,
    discrepancy::{Checked, Found},
    replay::Replay,
};
use crate::{position::Position, reader::StoredFact};
use microgrid_agents::{
    chain::{
        fact::{Fact, Key},
        hash::Digest,
    },
    ids::ChannelName,
};
use std::fmt::Display;

/// Compares the facts of the replayed case with the table: nothing more, nothing less; then looks into the books.
pub(super) fn check(replay: &mut Replay<'_>) -> Checked {
    let (reader, case) = (replay.reader, replay.case);
    let complete = |slot| is_complete(replay, slot);
    let slots: Vec<_> = replay.state.metered_slots().filter(|&slot| complete(slot)).collect();
    let mut books = Books::default();
    reader.each_fact(case, |stored| {
        let key = compare(replay, stored)?;
        let Ok(fact) = Fact::from_json(key, stored.value) else {
            return Err(wrong(case, stored.channel, key, "it cannot be read"));
        };
        books.enter(key, &fact);
        replay.report.channel(stored.channel).facts += 1;
        Ok(())
    })?;
    if let Some(key) = replay.state.first_key() {
        return Err(wrong(case, key.channel(), key, "the chain has it, the table has not"));
    }
    books.check(&slots).map_err(|what| Position::case(case).wrong(what))
}

fn compare(replay: &mut Replay<'_>, stored: StoredFact<'_>) -> Checked<Key> {
    let wrong = |what| wrong(replay.case, stored.channel, stored.key, what);
    let key: Key = stored.key.parse().map_err(|_| wrong("there is no such key"))?;
    if key.channel() != stored.channel {
        return Err(wrong("it belongs to another channel"));
    }
    let known = replay.state.take(key).ok_or_else(|| wrong("the chain knows nothing of it"))?;
    if Digest::of([stored.value]) != known.digest {
        return Err(wrong("it is not what the chain says"));
    }
    if stored.version != known.version {
        return Err(wrong("another transaction has written it"));
    }
    Ok(key)
}

fn wrong(case: u32, channel: ChannelName, key: impl Display, what: &str) -> Found {
    Position::channel(case, channel).wrong(format!("fact {key}: {what}"))
}

/// Whether everything of a slot is on the chain: its meter readings and, if the market was to open, its settlement.
pub(super) fn is_complete(replay: &Replay<'_>, slot: u32) -> bool {
    let settled = !replay.genesis.market_opens(slot) || replay.state.get(Key::Settlement(slot)).is_some();
    settled && replay.state.meters(slot) == replay.genesis.prosumers.len()
}
