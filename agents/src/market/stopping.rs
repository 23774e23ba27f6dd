//! Whether a market at rest is at its equilibrium: the article's stopping rules, demand meets surplus and all that buyers
//! choose is worth the same to them, at the market's own scale; and, since buyers who know only some sellers can hold both
//! where sellers ask different prices, all ask one.

use super::{
    aggregate::{Aggregate, Posted, private_net_utility},
    pricing::PriceBand,
};

/// How far a market at rest may be from its equilibrium, in terms of price [CNY/kWh], weighted by energy. Demand that
/// misses the surplus is worth the change of price that would make up for it; a difference of net utilities, the
/// difference of price that makes it.
pub(crate) const CLOSE: f64 = 4e-4;

/// What of a market the stopping rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Market<'a> {
    /// Surplus of each seller [kWh].
    pub(crate) surplus: &'a [f64],
    /// Price of each seller [CNY/kWh].
    pub(crate) prices: &'a [f64],
    /// The prices that a seller may ask.
    pub(crate) band: PriceBand,
    /// What the choices add up to.
    pub(crate) sums: &'a Aggregate,
    /// Curvature of utility in this slot [CNY/kWh²].
    pub(crate) alpha: f64,
    /// What buyers pay to the operator on top of each price [CNY/kWh].
    pub(crate) local_fee: f64,
}

impl Market<'_> {
    /// Whether the rules hold for these choices.
    pub(crate) fn is_at_equilibrium<'a>(&self, choices: impl Iterator<Item = Posted<'a>> + Clone) -> bool {
        self.has_one_price() && self.is_cleared(choices.clone()) && self.is_worth_the_same(choices)
    }

    /// Whether all ask the same price, weighted by what they have to sell.
    fn has_one_price(&self) -> bool {
        let sellers = || self.prices.iter().zip(self.surplus);
        let supply: f64 = self.surplus.iter().sum();
        let mean = sellers().map(|(price, surplus)| price * surplus).sum::<f64>() / supply;
        sellers().map(|(price, surplus)| (price - mean).abs() * surplus).sum::<f64>() <= CLOSE * supply
    }

    /// Whether demand meets surplus at every seller whose price could still answer to a difference.
    fn is_cleared<'a>(&self, choices: impl Iterator<Item = Posted<'a>>) -> bool {
        let sellers = self.prices.iter().zip(self.surplus).zip(&self.sums.demand);
        let missed: f64 = sellers
            .map(|((&price, surplus), demand)| (price, demand - surplus))
            .filter(|&(price, excess)| !self.band.binds(price, excess))
            .map(|(_, excess)| excess.abs())
            .sum();
        let answering = choices.map(|choice| choice.responsive).sum::<f64>().max(1.0);
        missed * self.alpha / answering <= CLOSE
    }

    /// Whether what each buyer has chosen is worth the same to it (14).
    fn is_worth_the_same<'a>(&self, choices: impl Iterator<Item = Posted<'a>>) -> bool {
        let (mut spread, mut wanted) = (0.0, 0.0);
        for choice in choices {
            let terms = || {
                let seller = |place: usize| choice.known.map_or(place, |known| known[place] as usize);
                let pairs = choice.shares.iter().zip(choice.purchases).enumerate();
                pairs.map(move |(place, (&share, &purchase))| {
                    let (price, served) = (self.prices[seller(place)], self.sums.served_share[seller(place)]);
                    let price = price + self.local_fee;
                    (share, purchase, private_net_utility(choice.buyer, purchase, served, price, self.alpha))
                })
            };
            let mean: f64 = terms().map(|(share, _, worth)| share * worth).sum();
            for (share, purchase, worth) in terms() {
                spread += share * (worth - mean).abs();
                wanted += share * purchase;
            }
        }
        spread <= CLOSE * wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{
        aggregate::Sums,
        choice_set::ChoiceSet,
        demand::{Buyer, Demand},
    };

    const BUYERS: [Buyer; 2] = [
        Buyer { need: 0.8, generation: 1.75, preference: 2.04 },
        Buyer { need: 1.1, generation: 1.32, preference: 2.028 },
    ];
    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };

    /// Whether these two buyers with equal `shares`, who answer to these prices, are at the equilibrium of a market with
    /// these surpluses.
    fn holds(surplus: [f64; 3], prices: [f64; 3], shares: [f64; 3]) -> bool {
        let mut purchases = [[0.0; 3]; 2];
        let responsive =
            [0, 1].map(|i: usize| BUYERS[i].answer(&shares, &prices, 0.4, Demand::Elastic, &mut purchases[i]));
        let posted = (0..2).map(|i| Posted {
            buyer: &BUYERS[i],
            known: None,
            shares: &shares,
            purchases: &purchases[i],
            responsive: responsive[i],
        });
        let mut sums = Sums::new(ChoiceSet::All, 3, 0.4, 0.0);
        sums.add(posted.clone());
        let sums = sums.aggregate(&surplus, &prices, BAND);
        let market = Market { surplus: &surplus, prices: &prices, band: BAND, sums: &sums, alpha: 0.4, local_fee: 0.0 };
        market.is_at_equilibrium(posted)
    }

    const SURPLUS: [f64; 3] = [1.728, 0.504, 1.368];
    const SHARES: [f64; 3] = [0.48, 0.14, 0.38];

    #[test]
    fn the_published_equilibrium_is_one_and_its_neighbours_are_not() {
        assert!(holds(SURPLUS, [0.7; 3], SHARES));
        assert!(!holds(SURPLUS, [0.701; 3], SHARES), "demand is short of the surplus");
        assert!(!holds(SURPLUS, [0.7, 0.7, 0.7], [0.45, 0.17, 0.38]), "some sellers have more demand than others");
        assert!(!holds(SURPLUS, [0.69, 0.7, 0.712_632], SHARES), "demand is met, but not at one price");
    }

    #[test]
    fn at_a_tariff_the_difference_that_cannot_move_a_price_does_not_count() {
        let times = |factor: f64| SURPLUS.map(|surplus| surplus * factor);
        assert!(holds(times(3.0), [BAND.floor; 3], SHARES));
        assert!(holds(times(0.5), [BAND.ceiling; 3], SHARES));
        assert!(!holds(times(3.0), [BAND.ceiling; 3], SHARES));
        assert!(!holds(times(0.5), [BAND.floor; 3], SHARES));
    }
}
