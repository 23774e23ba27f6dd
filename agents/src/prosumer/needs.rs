//! What a prosumer brings to each slot: what it can foresee of it, by which it trades, and what its meter will read.

use crate::{
    ids::Slot,
    market::balance::{Metered, SlotFacts},
};
use std::{fmt::Debug, ops::RangeInclusive};

/// What a prosumer brings to each slot that is played.
pub trait Needs: Debug + Send + Sync {
    /// The slots that are played: all of a run, or those of a part that nothing links to others.
    fn slots(&self) -> RangeInclusive<Slot>;

    /// What it foresees of a slot before that begins: what it registers and trades by.
    fn foreseen(&self, slot: Slot) -> SlotFacts;

    /// What its meter will have read of a slot: what was foreseen, unless forecasts err.
    fn metered(&self, slot: Slot) -> Metered {
        Metered::of(&self.foreseen(slot))
    }
}

impl Needs for Vec<SlotFacts> {
    fn slots(&self) -> RangeInclusive<Slot> {
        1..=self.len() as Slot
    }

    fn foreseen(&self, slot: Slot) -> SlotFacts {
        self[slot as usize - 1]
    }
}
