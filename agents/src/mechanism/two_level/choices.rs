//! The choices of a buyer that may still be asked for: its last two.

use crate::{ids::Slot, statement::Choice};
use std::sync::Arc;

/// The choices of a buyer in one slot that may still be asked for.
#[derive(Debug)]
pub(in crate::mechanism) struct Choices {
    slot: Slot,
    /// Positions of the sellers that it knows, ascending; `None` if all.
    known: Option<Arc<[u32]>>,
    last: Option<Arc<Choice>>,
    /// The choice before that.
    previous: Option<Arc<Choice>>,
}

impl Choices {
    pub(in crate::mechanism) fn new(slot: Slot, known: Option<Arc<[u32]>>) -> Self {
        Self { slot, known, last: None, previous: None }
    }

    pub(in crate::mechanism) fn last(&self) -> Option<&Arc<Choice>> {
        self.last.as_ref()
    }

    /// A choice to be filled in: the one before the last, where nobody needs it any more.
    pub(in crate::mechanism) fn blank(&mut self) -> Arc<Choice> {
        let mut old = self.previous.take();
        match old.as_mut().and_then(Arc::get_mut) {
            Some(_) => old.expect("it is there"),
            None => Arc::new(Choice { slot: self.slot, known: self.known.clone(), ..Choice::default() }),
        }
    }

    pub(in crate::mechanism) fn push(&mut self, next: &Arc<Choice>) {
        self.previous = self.last.replace(Arc::clone(next));
    }

    /// Goes on from a choice that was forgotten; once nothing is shown any more, only bills are to come.
    pub(in crate::mechanism) fn resume(&mut self, choice: Arc<Choice>, goes_on: bool) {
        if goes_on {
            self.last = Some(choice);
        } else {
            self.previous = Some(choice);
        }
    }

    /// The choice made under this version, if it is one of the last two.
    pub(in crate::mechanism) fn get(&self, version: u32) -> Option<&Arc<Choice>> {
        self.last.iter().chain(&self.previous).find(|choice| choice.version == version)
    }
}
