//! What the choices on the board add up to, kept up to date as they change.

use crate::{
    market::{
        aggregate::{Aggregate, Sums},
        choice_set::ChoiceSet,
        demand::Buyer,
    },
    message::Choice,
};
use std::sync::Arc;

/// The sums over all buyers' choices.
///
/// Where few choices have changed since it was last brought up to date, their old parts are taken away and the new ones
/// added. Where most have, or as many by and by as there are buyers, everything is summed up anew: no more roundings
/// pile up than a few sums over all buyers have, and on the whole a changed choice costs no more than it has entries.
#[derive(Debug)]
pub(super) struct Tally {
    sums: Sums,
    /// Buyers whose choice has changed since, with the choice that the sums still hold; those that had none come too.
    changed: Vec<(u32, Option<Arc<Choice>>)>,
    /// Whether a buyer is among them.
    is_changed: Vec<bool>,
    /// How many changes the sums have seen since they were summed up anew.
    changes: usize,
    /// Whether so many have changed that all are to be summed up anew.
    anew: bool,
}

impl Tally {
    /// The sums over nothing yet, with so many sellers and buyers.
    pub(super) fn new(choice_set: ChoiceSet, sellers: usize, buyers: usize, alpha: f64) -> Self {
        Self {
            sums: Sums::new(choice_set, sellers, alpha),
            changed: Vec::new(),
            is_changed: vec![false; buyers],
            changes: 0,
            anew: false,
        }
    }

    /// A buyer's choice is another one from now on; `before` is what it was.
    pub(super) fn change(&mut self, buyer: u32, before: Option<Arc<Choice>>) {
        if self.anew || std::mem::replace(&mut self.is_changed[buyer as usize], true) {
            return;
        }
        self.changed.push((buyer, before));
        let buyers = self.is_changed.len();
        if 2 * self.changed.len() >= buyers || self.changes + self.changed.len() >= buyers {
            self.anew = true;
            self.settle_changes();
        }
    }

    /// What `choices` add up to, at sellers with these surpluses [kWh] and prices [CNY/kWh].
    pub(super) fn aggregate(
        &mut self,
        choices: &[Option<Arc<Choice>>],
        buyers: &[Buyer],
        surplus: &[f64],
        prices: &[f64],
    ) -> Aggregate {
        if std::mem::take(&mut self.anew) {
            self.changes = 0;
            self.sums.clear();
            let posted = choices.iter().zip(buyers).filter_map(|(choice, buyer)| Some(choice.as_ref()?.posted(buyer)));
            self.sums.add(posted);
        } else {
            for (place, before) in &self.changed {
                let (buyer, now) = (&buyers[*place as usize], &choices[*place as usize]);
                if let Some(before) = before {
                    self.sums.take_away(&before.posted(buyer));
                }
                self.sums.add(now.iter().map(|now| now.posted(buyer)));
            }
            self.changes += self.changed.len();
            self.settle_changes();
        }
        self.sums.aggregate(surplus, prices)
    }

    /// Forgets who has changed.
    fn settle_changes(&mut self) {
        for (buyer, _) in self.changed.drain(..) {
            self.is_changed[buyer as usize] = false;
        }
    }
}
