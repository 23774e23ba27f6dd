//! What the ledger has signed: how far each chain goes, and which slots are closed.

use super::{
    discrepancy::{Checked, Discrepancy},
    facts::is_complete,
    replay::Replay,
};
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
    let wrong = |why: String| Discrepancy::Checkpoint(why).at(Position::case(stored.case));
    let checkpoint: Checkpoint = serde_json::from_str(&stored.content).map_err(|error| wrong(error.to_string()))?;
    // The signature has no quotes of its own in the table.
    let quoted = serde_json::Value::String(stored.signature.clone());
    let signature: Signature = serde_json::from_value(quoted).map_err(|error| wrong(error.to_string()))?;
    if checkpoint.to_json() != stored.content || signature.to_string() != stored.signature {
        return Err(Discrepancy::Spelling("the checkpoint").at(Position::case(stored.case)));
    }
    if !(Claim { key: genesis.ledger, text: &stored.content, signature }).holds(chain) {
        return Err(Discrepancy::CheckpointSignature.at(Position::case(stored.case)));
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
                return Err(Discrepancy::Dropped { missing: due, next }.at(place));
            }
            if due == blocks {
                let found = blocks
                    .checked_sub(1)
                    .map_or_else(|| Discrepancy::Checkpoint("it has no blocks".to_owned()), Discrepancy::Unsigned);
                return Err(found.at(Position::block(case, channel, next)));
            }
            due += 1;
            Ok(())
        })?;
        let discrepancy = match due.checked_sub(1) {
            _ if due == blocks => continue,
            Some(last) => Discrepancy::Truncated { last, signed: blocks - 1 },
            None => Discrepancy::Empty(blocks - 1),
        };
        return Err(discrepancy.at(place));
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
            return Err(Discrepancy::Head(name).at(place));
        }
    }
    Ok(())
}

/// Makes sure that the slots said to be closed are complete.
///
/// A slot is closed when its last reading is in. The checkpoint may be older than that by one slot, not by two.
pub(super) fn check_closed(replay: &Replay<'_>, closed: Slot) -> Checked {
    let at = |discrepancy: Discrepancy| discrepancy.at(Position::case(replay.case));
    let slots = replay.genesis.rules.slots;
    if closed > slots {
        let missing = format!("there are only {slots} slots");
        return Err(at(Discrepancy::NotClosed { slot: closed, missing }));
    }
    if let Some(slot) = (1..=closed).find(|&slot| !is_complete(replay, slot)) {
        return Err(at(Discrepancy::NotClosed { slot, missing: what_is_missing(replay, slot) }));
    }
    match replay.state.metered_slots().find(|&slot| slot > closed.saturating_add(1) && is_complete(replay, slot)) {
        None => Ok(()),
        Some(slot) => Err(at(Discrepancy::Closed { slot, closed })),
    }
}

fn what_is_missing(replay: &Replay<'_>, slot: Slot) -> String {
    let mut members = replay.genesis.prosumers.iter().map(|(number, _)| *number);
    match members.find(|&number| replay.state.get(Key::Meter(slot, number)).is_none()) {
        Some(number) => format!("prosumer {number} has no meter reading in it"),
        None => "it is not settled".to_owned(),
    }
}
