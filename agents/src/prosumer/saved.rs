//! What a prosumer keeps from one slot to the next: all that it is saved with when a run is to go on later.

use super::{Phase, Prosumer, Rhythm, WarmStart};
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
    questions: u64,
    warm_start: WarmStart,
}

impl Prosumer {
    /// `None` where it is in a slot, waits for an answer, or has rules of its own, which nobody else can save.
    pub(super) fn saved(&self) -> Option<Vec<u8>> {
        let Self { slot, devices, rhythm, questions, warm_start, .. } = self;
        let between_slots = matches!(self.phase, Phase::Done) && self.question.is_none() && self.strategy.is_none();
        let saved = || Saved {
            slot: *slot,
            content: devices.content,
            rhythm: rhythm.clone(),
            questions: *questions,
            warm_start: warm_start.clone(),
        };
        between_slots.then(|| to_bytes(&saved()))
    }

    pub(super) fn restored(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        let Saved { slot, content, rhythm, questions, warm_start } = from_bytes(saved)?;
        if slot > self.slots() {
            return Err(Unreadable(format!("it has no slot {slot}")));
        }
        (self.slot, self.opened, self.phase, self.question) = (slot, None, Phase::Done, None);
        (self.devices.content, self.devices.reading) = (content, None);
        if !self.warm_start.is_like(&warm_start) {
            return Err(Unreadable("its prices are of other slots".to_owned()));
        }
        (self.rhythm, self.questions, self.warm_start) = (rhythm, questions, warm_start);
        Ok(())
    }
}
