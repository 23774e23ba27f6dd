//! What the ledger has signed: how far each chain goes, and which slots are closed.

use super::{discrepancy::Checked, facts::is_complete, replay::Replay};
use crate::{
    position::Position,
    reader::{Reader, StoredCheckpoint},
};
use microgrid_agents::{
    chain::{
        block::{Checkpoint, Head},
        fact::Key,
        genesis::Genesis,
        hash::Digest,
        identity::{Claim, Signature},
    },
    ids::{ChannelName, Slot},
};

/// Reads a checkpoint and checks the ledger's signature.
pub(super) fn read(stored: &StoredCheckpoint, genesis: &Genesis, chain: Digest) -> Checked<Checkpoint> {
    let place = Position::case(stored.case);
    let wrong = |why: String| place.wrong(format!("checkpoint: {why}"));
    let checkpoint: Checkpoint = serde_json::from_str(&stored.content).map_err(|error| wrong(error.to_string()))?;
    // The signature has no quotes of its own in the table.
    let quoted = serde_json::Value::String(stored.signature.clone());
    let signature: Signature = serde_json::from_value(quoted).map_err(|error| wrong(error.to_string()))?;
    if checkpoint.to_json() != stored.content || signature.to_string() != stored.signature {
        return Err(place.wrong("the checkpoint is spelt in another way than the ledger spells it"));
    }
    let text = &stored.content;
    if !genesis.ledger.is_some_and(|key| Claim { key, text, signature }.holds(chain)) {
        return Err(wrong("the ledger's signature does not hold".to_owned()));
    }
    if checkpoint.heads.map(|head| head.channel) != ChannelName::ALL {
        return Err(wrong("its heads are not those of the three channels in order".to_owned()));
    }
    Ok(checkpoint)
}

/// Makes sure that every channel has exactly the blocks that were signed, by their numbers.
pub(super) fn check_numbers(reader: &Reader, case: u32, checkpoint: &Checkpoint) -> Checked {
    for Head { channel, blocks, .. } in checkpoint.heads {
        let place = Position::channel(case, channel);
        let mut due = 0;
        reader.each_number(case, channel, |next| {
            if next != due {
                return Err(place.wrong(format!("block {due} is missing: block {next} comes next")));
            }
            if due == blocks {
                let last = blocks.checked_sub(1).map_or_else(
                    || "checkpoint: it has no blocks".to_owned(),
                    |last| format!("the ledger has signed no block after {last}"),
                );
                return Err(Position::block(case, channel, next).wrong(last));
            }
            due += 1;
            Ok(())
        })?;
        if due < blocks {
            let end = due.checked_sub(1).map_or_else(|| "has no blocks".to_owned(), |n| format!("ends with block {n}"));
            return Err(place.wrong(format!("the chain {end}, but the ledger has signed block {}", blocks - 1)));
        }
    }
    Ok(())
}

/// Makes sure that the chains end with the blocks that were signed.
pub(super) fn check_heads(replay: &Replay<'_>, checkpoint: &Checkpoint) -> Checked {
    for (head, end) in checkpoint.heads.iter().zip(replay.heads) {
        let place = Position { block: head.blocks.checked_sub(1), ..Position::channel(replay.case, head.channel) };
        let same = [
            ("header", end.map(|(hash, _)| hash) == Some(head.header_hash)),
            ("commit", end.map(|(_, hash)| hash) == Some(head.commit_hash)),
        ];
        if let Some((name, _)) = same.iter().find(|(_, same)| !same) {
            return Err(place.wrong(format!("its {name} hash is not the one that the ledger has signed")));
        }
    }
    Ok(())
}

/// Makes sure that the slots said to be closed are complete.
///
/// A slot is closed when its last reading is in. The checkpoint may be older than that by one slot, not by two.
pub(super) fn check_closed(replay: &Replay<'_>, closed: Slot) -> Checked {
    let (place, slots) = (Position::case(replay.case), replay.genesis.rules.slots);
    let not = |slot, why| Err(place.wrong(format!("slot {slot} is said to be closed, but {why}")));
    if closed > slots {
        return not(closed, format!("there are only {slots} slots"));
    }
    if let Some(slot) = (1..=closed).find(|&slot| !is_complete(replay, slot)) {
        return not(slot, what_is_missing(replay, slot));
    }
    match replay.state.metered_slots().find(|&slot| slot > closed.saturating_add(1) && is_complete(replay, slot)) {
        None => Ok(()),
        Some(slot) => Err(place
            .wrong(format!("slot {slot} is complete, but the ledger says that it has closed no slot after {closed}"))),
    }
}

fn what_is_missing(replay: &Replay<'_>, slot: Slot) -> String {
    let mut members = replay.genesis.prosumers.iter().map(|(number, _)| *number);
    match members.find(|&number| replay.state.get(Key::Meter(slot, number)).is_none()) {
        Some(number) => format!("prosumer {number} has no meter reading in it"),
        None => "it is not settled".to_owned(),
    }
}
