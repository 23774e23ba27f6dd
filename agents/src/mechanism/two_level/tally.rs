//! What the choices on the board add up to, kept up to date as they change.

use crate::{
    market::{
        aggregate::{Aggregate, Sums},
        demand::Buyer,
        pricing::PriceBand,
    },
    statement::Choice,
};
use std::sync::Arc;

/// The sums over all buyers' choices. Where few choices have changed since it was last brought up to date, their old
/// parts are taken away and the new ones added. Where most have, or as many by and by as there are buyers, everything
/// is summed up anew: no more roundings pile up than a few sums over all buyers have, and on the whole a changed choice
/// costs no more than it has entries.
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
    pub(super) fn new(sums: Sums, buyers: usize) -> Self {
        Self { sums, changed: Vec::new(), is_changed: vec![false; buyers], changes: 0, anew: false }
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

    /// What `choices` add up to, at sellers with these surpluses [kWh] and prices [CNY/kWh] within a `band`; in the memory
    /// of an `old` one.
    pub(super) fn aggregate(
        &mut self,
        old: Aggregate,
        choices: &[Option<Arc<Choice>>],
        buyers: &[Buyer],
        surplus: &[f64],
        prices: &[f64],
        band: PriceBand,
    ) -> Aggregate {
        self.bring_up_to_date(choices, buyers);
        self.sums.aggregate_into(old, surplus, prices, band)
    }

    /// The sums over `choices` of these `buyers`.
    pub(super) fn sums(&mut self, choices: &[Option<Arc<Choice>>], buyers: &[Buyer]) -> &Sums {
        self.bring_up_to_date(choices, buyers);
        &self.sums
    }

    fn bring_up_to_date(&mut self, choices: &[Option<Arc<Choice>>], buyers: &[Buyer]) {
        if std::mem::take(&mut self.anew) {
            self.changes = 0;
            self.sums.clear();
            self.sums.add_all(choices.len(), |buyer| Some(choices[buyer].as_ref()?.posted(&buyers[buyer])));
        } else {
            // In the order of the buyers, so that the last bits do not tell in which order posts were taken.
            self.changed.sort_unstable_by_key(|(place, _)| *place);
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
    }

    /// The same of what these sums add up to, in their order.
    pub(super) fn aggregate_sums<'a>(
        &mut self,
        old: Aggregate,
        parts: impl Iterator<Item = &'a Sums>,
        surplus: &[f64],
        prices: &[f64],
        band: PriceBand,
    ) -> Aggregate {
        self.sums.clear();
        parts.for_each(|part| self.sums.add_sums(part));
        self.sums.aggregate_into(old, surplus, prices, band)
    }

    fn settle_changes(&mut self) {
        for (buyer, _) in self.changed.drain(..) {
            self.is_changed[buyer as usize] = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{market::choice_set::ChoiceSet, time::Time};
    use std::time::Duration;

    const BUYER: Buyer = Buyer { need: 1.0, generation: 0.5, preference: 2.0 };
    const BUYERS: usize = 12;
    const SELLERS: usize = 3;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.95 };

    fn sums() -> Sums {
        Sums::new(ChoiceSet::Sample(2), SELLERS, 0.4, 0.0)
    }

    /// A choice of a buyer that knows two of three sellers.
    fn choice(known: [u32; 2], share: f64, purchase: f64) -> Arc<Choice> {
        Arc::new(Choice {
            slot: 1,
            version: 1,
            known: Some(known.into()),
            shares: vec![share, 1.0 - share],
            purchases: vec![purchase, purchase / 3.0],
            responsive: share,
            change: 0.0,
            updates_at_rest: 0,
            answers: Time::ZERO,
            quotes: Time::ZERO,
            news_age: Duration::ZERO,
        })
    }

    /// Choices of a slot with their tally.
    struct Slot {
        tally: Tally,
        choices: Vec<Option<Arc<Choice>>>,
    }

    impl Slot {
        fn new() -> Self {
            let tally = Tally::new(sums(), BUYERS);
            Self { tally, choices: vec![None; BUYERS] }
        }

        fn choose(&mut self, buyer: usize, choice: Arc<Choice>) {
            let before = self.choices[buyer].replace(choice);
            self.tally.change(buyer as u32, before);
        }

        /// The sums that are kept, and fresh ones.
        fn aggregates(&mut self) -> [Aggregate; 2] {
            let (surplus, prices) = ([1.0, 2.0, 3.0], [0.7, 0.8, 0.9]);
            let mut fresh = sums();
            fresh.add(self.choices.iter().flatten().map(|choice| choice.posted(&BUYER)));
            let kept =
                self.tally.aggregate(Aggregate::default(), &self.choices, &[BUYER; BUYERS], &surplus, &prices, BAND);
            [kept, fresh.aggregate(&surplus, &prices, BAND)]
        }
    }

    fn drift([kept, fresh]: [Aggregate; 2]) -> f64 {
        let all = |sums: &Aggregate| [&sums.demand[..], &sums.net_utility, &sums.held].concat();
        all(&kept).iter().zip(all(&fresh)).map(|(kept, fresh)| (kept - fresh).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn sums_follow_every_change_of_few_or_many_choices() {
        let mut slot = Slot::new();
        for number in 0..200_usize {
            // One to eight changes at a time; some change twice, and the last counts.
            for change in 0..=number % 8 {
                let buyer = (number * 5 + change * change) % BUYERS;
                let known = if (number + change) % 2 == 0 { [0, 2] } else { [1, 2] };
                slot.choose(buyer, choice(known, 0.3 + 0.01 * (change as f64), 1.0 + 0.1 * (number % 7) as f64));
            }
            assert!(drift(slot.aggregates()) < 1e-12, "after batch {number}");
        }
    }

    #[test]
    fn the_order_in_which_choices_change_within_a_batch_does_not_matter() {
        let sums = |order: [usize; 3]| {
            let mut slot = Slot::new();
            (0..BUYERS).for_each(|buyer| slot.choose(buyer, choice([0, 1], 0.3, 1.1 + 0.01 * buyer as f64)));
            slot.aggregates();
            order.into_iter().for_each(|buyer| slot.choose(buyer, choice([0, 1], 0.7, 0.3 / (buyer + 1) as f64)));
            slot.aggregates()[0].clone()
        };
        let orders = [[2, 5, 7], [2, 7, 5], [5, 2, 7], [5, 7, 2], [7, 2, 5], [7, 5, 2]].map(sums);
        assert!(orders.iter().all(|sums| *sums == orders[0]), "to the last bit");
    }

    /// The bound on rounding: after as many changes as there are buyers, all is added up anew.
    #[test]
    fn what_an_enormous_choice_leaves_behind_is_gone_after_a_change_for_each_buyer() {
        let mut slot = Slot::new();
        (0..BUYERS).for_each(|buyer| slot.choose(buyer, choice([0, 1], 0.3, 1.1)));
        assert_eq!(drift(slot.aggregates()), 0.0);
        slot.choose(3, choice([0, 1], 0.3, Choice::MOST_PURCHASE));
        slot.aggregates();
        slot.choose(3, choice([0, 1], 0.3, 1.1));
        assert!(drift(slot.aggregates()) > 0.1, "a large number has swept the digits of the others away");
        for number in 0..BUYERS {
            slot.choose(number, choice([0, 2], 0.4, 1.2));
            slot.aggregates();
        }
        assert!(drift(slot.aggregates()) < 1e-12);
    }
}
