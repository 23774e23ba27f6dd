//! What sellers were worth to one buyer alone, and how that answers to its shares.

use super::{aggregate::private_net_utility, demand::Buyer, pricing::PriceBand};

/// Sums over the sellers that one buyer knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Experience {
    /// What it wanted, `D_i = sum_j z_ij X*_ij` [kWh].
    pub demand: f64,
    /// What was served of it, `B_i = sum_j t_j z_ij X*_ij` [kWh].
    pub served: f64,
    /// Its shares in sellers at the grid's tariff that cannot serve everybody.
    pub short: f64,
    /// Its shares in sellers at the feed-in tariff that serve everybody.
    pub slack: f64,
    /// By how much what the former are worth falls where everybody's shares in them grow, a part of itself a part
    /// [CNY], weighted by its shares.
    pub slope: f64,
    /// The same of sellers at no tariff, just below where they serve everybody.
    pub kink: f64,
}

impl Experience {
    /// Takes in a seller of whom `served`, `t_j`, of a `purchase` `X*_ij` [kWh] at this `price` [CNY/kWh] was served;
    /// returns what it was worth, the buyer's own term of its net utility (11) without the constant [CNY].
    pub fn note(
        &mut self,
        buyer: &Buyer,
        (share, purchase): (f64, f64),
        (price, served): (f64, f64),
        alpha: f64,
        band: PriceBand,
    ) -> f64 {
        let worth = private_net_utility(buyer, purchase, served, price, alpha);
        let got = served * purchase;
        self.demand += share * purchase;
        self.served += served * share * purchase;
        if served < 1.0 && price >= band.ceiling {
            self.short += share;
            self.slope += share * (worth - alpha / 2.0 * got * got);
        } else if served >= 1.0 && price <= band.floor {
            self.slack += share;
        } else if price < band.ceiling {
            // With elastic demand there is no kink, and this is 0 but for rounding.
            let beyond = buyer.preference - alpha * (buyer.generation + purchase) - price;
            self.kink += (share * purchase) * beyond.max(0.0);
        }
        worth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    #[test]
    fn what_is_short_at_the_tariff_answers_as_its_worth_does_to_the_part_served() {
        let buyer = Buyer { need: 3.0, generation: 1.0, preference: 2.0 };
        let worth = |served| private_net_utility(&buyer, 1.5, served, 0.85, 0.4);
        let mut experience = Experience::default();
        assert_eq!(experience.note(&buyer, (0.4, 1.5), (0.85, 0.6), 0.4, BAND), worth(0.6));
        // t falls by a part of itself where demand grows by that part.
        let slope = (worth(0.6 * 1.000_001) - worth(0.6)) / 0.000_001;
        assert!((experience.slope - 0.4 * slope).abs() < 1e-5);
        assert_eq!((experience.short, experience.slack), (0.4, 0.0));
        experience.note(&buyer, (0.1, 1.5), (0.45, 1.0), 0.4, BAND);
        experience.note(&buyer, (0.5, 1.5), (0.7, 0.6), 0.4, BAND);
        assert_eq!((experience.short, experience.slack), (0.4, 0.1), "between the tariffs it is prices that answer");
        let below = |t| private_net_utility(&buyer, 1.5, t, 0.7, 0.4);
        let kink = (below(1.0) - below(1.0 - 1e-6)) / 1e-6;
        assert!((experience.kink - 0.5 * kink).abs() < 1e-5);
        assert!((experience.demand - 1.5).abs() < 1e-12 && (experience.served - 0.96).abs() < 1e-12);
    }
}
