//! A buyer's own problem: what is best for it, not far from what it asked for last.

use crate::market::demand::{Buyer, Demand};

/// What a buyer has to do with one seller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dealing {
    /// The price that it reckons with [CNY/kWh]; infinite where there is no offer.
    pub(super) price: f64,
    /// What it goes from: what it asked for last, or near that [kWh].
    pub(super) asked: f64,
    /// How far it goes from there for a difference between what energy is worth to it and its price, one over the weight
    /// `rho_j` [kWh²/CNY].
    pub(super) give: f64,
}

impl Dealing {
    /// What it asks for where a further kWh is worth so much [kWh].
    fn at(&self, worth: f64) -> f64 {
        if worth > self.threshold() { (worth - self.threshold()) * self.give } else { 0.0 }
    }

    /// What a kWh has to be worth for it to ask for any [CNY/kWh].
    fn threshold(&self) -> f64 {
        self.price - self.asked / self.give
    }
}

/// The purchases that are best for a buyer, all in all: those with the greatest
/// `U(sum_j x_j + P) - sum_j p_j x_j - sum_j rho_j / 2 (x_j - asked_j)²`, where no `x_j` is below zero and, with firm
/// demand, they are at most its need `N` together. Written to `purchases`, one a dealing; returns their sum [kWh].
pub(super) fn purchases(
    buyer: &Buyer,
    alpha: f64,
    demand: Demand,
    dealings: &[Dealing],
    purchases: &mut Vec<f64>,
) -> f64 {
    // In all it asks for what brings a further kWh down to `worth`, `(w - worth) / alpha - P`.
    let free = worth(dealings, buyer.preference / alpha - buyer.generation, 1.0 / alpha);
    let enough = match demand {
        Demand::Elastic => f64::INFINITY,
        Demand::Firm => worth(dealings, buyer.need, 0.0),
    };
    purchases.clear();
    purchases.extend(dealings.iter().map(|dealing| dealing.at(free.min(enough))));
    if enough < free { buyer.need } else { purchases.iter().sum() }
}

/// What a further kWh is worth where `sum_j x_j + slope worth = amount` [CNY/kWh].
///
/// The sum is convex and grows with what it is worth, so that Newton's method comes down to it from above, with fewer
/// sellers in each pass; it is there when none is left out any more.
fn worth(dealings: &[Dealing], amount: f64, slope: f64) -> f64 {
    let mut worth = f64::INFINITY;
    loop {
        let (mut most, mut steepness) = (amount, slope);
        for dealing in dealings.iter().filter(|dealing| worth > dealing.threshold()) {
            most += dealing.threshold() * dealing.give;
            steepness += dealing.give;
        }
        let next = most / steepness;
        if next < worth {
            worth = next;
        } else {
            return worth;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUYER: Buyer = Buyer { need: 1.2, generation: 1.75, preference: 2.04 };

    fn solved(demand: Demand, dealings: &[Dealing]) -> (Vec<f64>, f64) {
        let mut found = Vec::new();
        let total = purchases(&BUYER, 0.4, demand, dealings, &mut found);
        (found, total)
    }

    fn close(found: &[f64], right: &[f64]) {
        assert_eq!(found.len(), right.len());
        assert!(found.iter().zip(right).all(|(found, right)| (found - right).abs() < 1e-12), "{found:?}");
    }

    /// A kWh beyond `x` is worth `2.04 - 0.4 (1.75 + x) = 1.34 - 0.4 x`.
    #[test]
    fn a_buyer_goes_from_what_it_asked_for_towards_what_is_best_by_as_much_as_the_weight_allows() {
        // At 0.7 it wants 1.6 in all. From 1 with weight 0.4: 1.34 - 0.4 x - 0.7 = 0.4 (x - 1), so x = 1.3, half-way.
        let one = [Dealing { price: 0.7, asked: 1.0, give: 2.5 }];
        close(&solved(Demand::Elastic, &one).0, &[1.3]);
        // Two sellers with weights 0.8 and 0.4, of whom it asked for 0.4 and 0.8. A kWh is worth v where
        // x_1 = 0.4 + (v - 0.6) / 0.8, x_2 = 0.8 + (v - 0.9) / 0.4 and v = 1.34 - 0.4 (x_1 + x_2), so that
        // v = 1.34 - 0.4 (1.2 - 0.75 - 2.25 + 3.75 v) = 2.06 - 1.5 v: v = 0.824, x_1 = 0.68, x_2 = 0.61.
        let two = [Dealing { price: 0.6, asked: 0.4, give: 1.25 }, Dealing { price: 0.9, asked: 0.8, give: 2.5 }];
        close(&solved(Demand::Elastic, &two).0, &[0.68, 0.61]);
    }

    #[test]
    fn of_who_is_too_dear_or_has_no_price_it_asks_for_nothing() {
        // The second would be at 0.1 + (v - 1.5) / 0.4 < 0, so that the first is alone: v = 1.34 - 0.4 (1 + (v - 0.7) / 0.4)
        // = 0.82.
        let dear = [
            Dealing { price: 0.7, asked: 1.0, give: 2.5 },
            Dealing { price: 1.5, asked: 0.1, give: 2.5 },
            Dealing { price: f64::INFINITY, asked: 0.0, give: 2.5 },
        ];
        close(&solved(Demand::Elastic, &dear).0, &[1.3, 0.0, 0.0]);
        for demand in [Demand::Elastic, Demand::Firm] {
            assert_eq!(solved(demand, &dear[2..]), (vec![0.0], 0.0));
        }
    }

    #[test]
    fn firm_demand_stops_at_the_need_and_still_goes_to_the_cheaper() {
        // It has 0.6 of each. Without a need: v = 1.34 - 0.4 (0.6 + (v - 0.5) / 0.4 + 0.6 + (v - 0.7) / 0.4), v = 0.6867 and
        // 1.6333 in all. With a need of 1.2 as much goes over as the prices differ: v = 0.6, 0.25 more and less.
        let two = [Dealing { price: 0.5, asked: 0.6, give: 2.5 }, Dealing { price: 0.7, asked: 0.6, give: 2.5 }];
        let (free, total) = solved(Demand::Elastic, &two);
        assert!((total - 4.9 / 3.0).abs() < 1e-12, "{free:?}");
        let (firm, total) = solved(Demand::Firm, &two);
        close(&firm, &[0.85, 0.35]);
        assert_eq!(total, 1.2);
    }
}
