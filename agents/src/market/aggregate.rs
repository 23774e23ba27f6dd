//! What everybody's choices add up to at each seller: equations (8), (9) and (11).

use super::demand::Buyer;

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
    /// How many buyers' choices are in the sums.
    pub choices: u32,
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
        let mut moments = vec![[0.0; 3]; sellers];
        for choice in posted {
            let worth = choice.buyer.preference - alpha * choice.buyer.generation;
            let mut wanted = 0.0;
            for (j, (&share, &purchase)) in choice.shares.iter().zip(choice.purchases).enumerate() {
                let part = share * purchase;
                sums.demand[j] += part;
                wanted += part;
                let [amount, value, square] = &mut moments[j];
                *amount += purchase;
                *value += worth * purchase;
                *square += purchase * purchase;
            }
            for (mean, &share) in sums.mean_share.iter_mut().zip(choice.shares) {
                *mean += wanted * share;
            }
            sums.constant += choice.buyer.constant(alpha);
            sums.responsive += choice.responsive;
            sums.choices += 1;
        }
        sums.total = sums.demand.iter().sum();
        sums.responsive = sums.responsive.max(1.0);
        for (j, &[amount, value, square]) in moments.iter().enumerate() {
            sums.served += surplus[j].min(sums.demand[j]);
            let served = served_share(surplus[j], sums.demand[j]);
            let paid = if amount > 0.0 { prices[j] * amount } else { 0.0 };
            sums.net_utility[j] = served * (value - paid) - alpha / 2.0 * served * served * square + sums.constant;
            if sums.total > 0.0 {
                sums.mean_share[j] /= sums.total;
            }
        }
        sums
    }
}
