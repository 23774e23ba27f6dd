//! What a prosumer keeps from one slot to the next: all that it is saved with when a run is to go on later.

use super::{Desk, Devices, Phase, Prosumer, Rhythm, WarmStart};
use crate::{
    ids::Slot,
    saved::{Unreadable, from_bytes, to_bytes},
    units::Energy,
};
use serde::{Deserialize, Serialize};

/// A prosumer between two slots. Its last reading is recorded then, and nobody asks for it again.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    slot: Slot,
    content: Energy,
    rhythm: Rhythm,
    warm_start: WarmStart,
    questions: u64,
    desk: Desk,
}

impl Prosumer {
    /// `None` where it is in a slot, waits for an answer, or has rules of its own, which nobody else can save.
    pub(super) fn saved(&self) -> Option<Vec<u8>> {
        // All by name, so that whoever adds something says whether it stays from slot to slot.
        let Self {
            id: _,
            member: _,
            rules: _,
            needs: _,
            facts: _,
            desk,
            group: _,
            devices,
            rhythm,
            warm_start,
            strategy,
            slot,
            opened: _,
            phase,
            question,
            questions,
            decisions: _,
        } = self;
        let Devices { storage: _, content, reading: _ } = devices;
        let between_slots = matches!(phase, Phase::Done) && question.is_none() && strategy.is_none();
        let (rhythm, warm_start) = (rhythm.clone(), warm_start.clone());
        between_slots.then(|| {
            to_bytes(&Saved { slot: *slot, content: *content, rhythm, warm_start, questions: *questions, desk: *desk })
        })
    }

    pub(super) fn restored(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        let Saved { slot, content, rhythm, warm_start, questions, desk } = from_bytes(saved)?;
        if slot > self.last() || !warm_start.is_like(&self.warm_start) {
            return Err(Unreadable(format!("it has no slot {slot}, or begins it otherwise")));
        }
        (self.slot, self.opened, self.phase, self.question) = (slot, None, Phase::Done, None);
        (self.devices.content, self.devices.reading) = (content, None);
        (self.rhythm, self.warm_start, self.questions, self.desk) = (rhythm, warm_start, questions, desk);
        Ok(())
    }
}
