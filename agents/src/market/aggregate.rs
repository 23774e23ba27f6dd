//! What everybody's choices add up to at each seller: equations (8), (9) and (11).

use super::{demand::Buyer, sums::dot};

/// Supply ratio `tau = S / E` (9); infinite where nobody asks.
pub fn supply_ratio(surplus: f64, demand: f64) -> f64 {
    if demand > 0.0 { surplus / demand } else { f64::INFINITY }
}

/// Share of the demand that is served, `t = min(tau, 1)`.
pub fn served_share(surplus: f64, demand: f64) -> f64 {
    supply_ratio(surplus, demand).min(1.0)
}

/// One buyer's term of a seller's net utility (11), without the constant `C_i` [CNY].
///
/// `purchase` is `X*_ij` [kWh], `served` is `t_j`, `price` is `p_j` [CNY/kWh].
pub fn private_net_utility(buyer: &Buyer, purchase: f64, served: f64, price: f64, alpha: f64) -> f64 {
    if purchase <= 0.0 {
        return 0.0;
    }
    let served_purchase = served * purchase;
    (buyer.preference - alpha * buyer.generation - price) * served_purchase
        - alpha / 2.0 * served_purchase * served_purchase
}

/// One buyer's posted choice, as it enters the sums.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// Who chose.
    pub buyer: &'a Buyer,
    /// Choice shares `z_ij`, one a seller.
    pub shares: &'a [f64],
    /// Optimal purchases `X*_ij` [kWh], one a seller.
    pub purchases: &'a [f64],
    /// Sum of the shares whose purchase answers to price.
    pub responsive: f64,
}

/// Everybody's posted choices, summed up for the sellers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregate {
    /// Demand met by each seller, `E_j = sum_i z_ij X*_ij` (8) [kWh].
    pub demand: Vec<f64>,
    /// Net utility of each seller `xi_j` (11), with the constant [CNY].
    pub net_utility: Vec<f64>,
    /// The constant `sum_i C_i` in every net utility [CNY].
    pub constant: f64,
    /// Mean share of each seller over buyers, weighted by their demand; sums to 1 unless nobody wants anything.
    pub mean_share: Vec<f64>,
    /// Total demand `D = sum_j E_j` [kWh].
    pub total: f64,
    /// Served demand `B = sum_j min(S_j, E_j)` [kWh].
    pub served: f64,
    /// `R_e`: sum of the shares whose purchase answers to price, at least 1.
    pub responsive: f64,
}

impl Aggregate {
    /// Sums up `posted` choices at sellers with these surpluses [kWh] and prices [CNY/kWh].
    ///
    /// The order of `posted` fixes the order of summation, and so the last bit of every sum.
    pub fn of<'a>(surplus: &[f64], prices: &[f64], alpha: f64, posted: impl IntoIterator<Item = Posted<'a>>) -> Self {
        let sellers = surplus.len();
        let mut sums = Self {
            demand: vec![0.0; sellers],
            net_utility: vec![0.0; sellers],
            mean_share: vec![0.0; sellers],
            ..Self::default()
        };
        // Per seller: sum of X*, of (w - alpha P) X*, of X*².
        let (mut amount, mut value, mut square) = (vec![0.0; sellers], vec![0.0; sellers], vec![0.0; sellers]);
        for choice in posted {
            let worth = choice.buyer.preference - alpha * choice.buyer.generation;
            let (shares, purchases) = (&choice.shares[..sellers], &choice.purchases[..sellers]);
            for j in 0..sellers {
                let purchase = purchases[j];
                sums.demand[j] += shares[j] * purchase;
                amount[j] += purchase;
                value[j] += worth * purchase;
                square[j] += purchase * purchase;
            }
            let wanted = dot(shares, purchases);
            for (mean, &share) in sums.mean_share.iter_mut().zip(choice.shares) {
                *mean += wanted * share;
            }
            sums.constant += choice.buyer.constant(alpha);
            sums.responsive += choice.responsive;
        }
        sums.total = sums.demand.iter().sum();
        sums.responsive = sums.responsive.max(1.0);
        for j in 0..sellers {
            sums.served += surplus[j].min(sums.demand[j]);
            let served = served_share(surplus[j], sums.demand[j]);
            let paid = if amount[j] > 0.0 { prices[j] * amount[j] } else { 0.0 };
            sums.net_utility[j] =
                served * (value[j] - paid) - alpha / 2.0 * served * served * square[j] + sums.constant;
            if sums.total > 0.0 {
                sums.mean_share[j] /= sums.total;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUYERS: [Buyer; 2] = [
        Buyer { need: 0.8, generation: 1.75, preference: 2.04 },
        Buyer { need: 1.1, generation: 1.32, preference: 2.028 },
    ];
    const CONSTANT: f64 = 5.28598;

    fn posted<'a>(shares: &'a [f64], purchases: [&'a [f64]; 2]) -> impl Iterator<Item = Posted<'a>> {
        BUYERS.iter().zip(purchases).map(move |(buyer, purchases)| Posted {
            buyer,
            shares,
            purchases,
            responsive: shares.iter().sum(),
        })
    }

    #[test]
    fn at_the_published_equilibrium_every_seller_sells_out_and_is_worth_the_same() {
        let surplus = [1.728, 0.504, 1.368];
        let choices = posted(&[0.48, 0.14, 0.38], [&[1.6; 3], &[2.0; 3]]);
        let sums = Aggregate::of(&surplus, &[0.7; 3], 0.4, choices);
        for (j, surplus) in surplus.iter().enumerate() {
            assert!((sums.demand[j] - surplus).abs() < 1e-12);
            assert!((sums.net_utility[j] - (1.312 + CONSTANT)).abs() < 1e-12);
            assert!((sums.mean_share[j] - surplus / 3.6).abs() < 1e-12);
        }
        assert!((sums.constant - CONSTANT).abs() < 1e-12);
        assert!((sums.total - 3.6).abs() < 1e-12);
        assert!((sums.served - 3.6).abs() < 1e-12);
        assert!((sums.responsive - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_seller_that_serves_half_is_worth_less_than_one_that_serves_all() {
        let choices = posted(&[0.5, 0.5], [&[1.6; 2], &[2.0; 2]]);
        let sums = Aggregate::of(&[0.9, 4.0], &[0.7; 2], 0.4, choices);
        assert!((sums.net_utility[0] - (0.984 + CONSTANT)).abs() < 1e-12);
        assert!((sums.net_utility[1] - (1.312 + CONSTANT)).abs() < 1e-12);
        assert!((sums.served - 2.7).abs() < 1e-12);
    }

    #[test]
    fn private_terms_and_the_constant_add_up_to_the_public_net_utility() {
        let purchases: [&[f64]; 2] = [&[1.6, 1.1], &[2.0, 0.0]];
        let (surplus, prices) = ([1.0, 2.0], [0.7, 0.9]);
        let sums = Aggregate::of(&surplus, &prices, 0.4, posted(&[0.6, 0.4], purchases));
        for j in 0..2 {
            let served = served_share(surplus[j], sums.demand[j]);
            let terms = |i: usize| private_net_utility(&BUYERS[i], purchases[i][j], served, prices[j], 0.4);
            assert!((sums.net_utility[j] - (terms(0) + terms(1) + CONSTANT)).abs() < 1e-12);
        }
    }

    #[test]
    fn mean_shares_are_weighted_by_demand() {
        let choices = [(&BUYERS[0], [1.0, 0.0], [3.0; 2]), (&BUYERS[1], [0.0, 1.0], [1.0; 2])];
        let choices =
            choices.iter().map(|(buyer, shares, purchases)| Posted { buyer, shares, purchases, responsive: 0.0 });
        let sums = Aggregate::of(&[1.0; 2], &[0.7; 2], 0.4, choices);
        assert_eq!(sums.mean_share, [0.75, 0.25]);
        assert_eq!(sums.responsive, 1.0, "counts one pair at least, so that steps stay finite");
    }

    #[test]
    fn a_seller_without_a_price_or_without_demand_has_no_effect_on_the_others() {
        let choices = posted(&[0.5, 0.5], [&[1.6, 0.0], &[2.0, 0.0]]);
        let sums = Aggregate::of(&[4.0, 1.0], &[0.7, f64::INFINITY], 0.4, choices);
        assert_eq!(sums.demand, [1.8, 0.0]);
        assert!((sums.net_utility[1] - CONSTANT).abs() < 1e-12);
        assert_eq!(supply_ratio(1.0, 0.0), f64::INFINITY);
        assert_eq!(served_share(1.0, 0.0), 1.0);
        assert_eq!(supply_ratio(1.0, 4.0), 0.25);
    }

    #[test]
    fn without_any_choice_everything_is_nothing() {
        let sums = Aggregate::of(&[1.0, 2.0], &[0.5, 0.6], 0.4, []);
        assert_eq!((sums.total, sums.served), (0.0, 0.0));
        assert_eq!(sums.mean_share, [0.0, 0.0]);
    }
}
