//! What a seller begins with in a slot: a price of its own from before.

use crate::{ids::Slot, mechanism::FirstPrices};
use serde::{Deserialize, Serialize};

/// What a prosumer remembers of the prices that it has asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WarmStart {
    /// Its last price by the time of day, or whatever the time if there is one place; not a number where there is none.
    last: Vec<f64>,
}

impl WarmStart {
    pub(super) fn new(rule: &FirstPrices) -> Self {
        let places = match rule {
            FirstPrices::Random | FirstPrices::Fixed(_) => 0,
            FirstPrices::Previous => 1,
            FirstPrices::PreviousDay { slots } => *slots as usize,
        };
        Self { last: vec![f64::NAN; places] }
    }

    /// The price to begin `slot` with, if there is one from before.
    pub(super) fn price(&self, slot: Slot) -> Option<f64> {
        let place = self.place(slot)?;
        Some(self.last[place]).filter(|price| !price.is_nan())
    }

    /// Takes note of the last price asked in `slot`.
    pub(super) fn note(&mut self, slot: Slot, price: f64) {
        if let Some(place) = self.place(slot) {
            self.last[place] = price;
        }
    }

    /// Whether another one remembers as many.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.last.len() == other.last.len()
    }

    pub(super) fn forget(&mut self) {
        self.last.fill(f64::NAN);
    }

    fn place(&self, slot: Slot) -> Option<usize> {
        (!self.last.is_empty()).then(|| slot as usize % self.last.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_comes_back_in_the_next_slot_or_at_the_same_time_of_the_next_day() {
        let noted = |rule: FirstPrices| {
            let mut warm = WarmStart::new(&rule);
            warm.note(40, 0.5);
            warm.note(41, 0.6);
            [42, 136, 137, 138].map(|slot| warm.price(slot))
        };
        assert_eq!(noted(FirstPrices::Random), [None; 4]);
        assert_eq!(noted(FirstPrices::Previous), [Some(0.6); 4]);
        assert_eq!(noted(FirstPrices::PreviousDay { slots: 96 }), [None, Some(0.5), Some(0.6), None]);
    }
}
