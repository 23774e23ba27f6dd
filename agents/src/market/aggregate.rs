//! What everybody's choices add up to at each seller: equations (8), (9) and (11).

use super::{choice_set::ChoiceSet, demand::Buyer, pricing::PriceBand, sums::dot};
use serde::{Deserialize, Serialize};

/// Share of the demand that is served, `t = min(tau, 1)`, by the supply ratio `tau = S / E` (9); 1 where nobody asks.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn served_share(surplus: f64, demand: f64) -> f64 {
    if demand > 0.0 { (surplus / demand).min(1.0) } else { 1.0 }
}

/// One buyer's term of a seller's net utility (11), without the constant `C_i` [CNY]. `purchase` is `X*_ij` [kWh],
/// `served` is `t_j`, `price` is what a kWh costs, `p_j` and the fee [CNY/kWh].
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn private_net_utility(buyer: &Buyer, purchase: f64, served: f64, price: f64, alpha: f64) -> f64 {
    if purchase <= 0.0 {
        return 0.0;
    }
    let served_purchase = served * purchase;
    (buyer.preference - alpha * buyer.generation - price) * served_purchase
        - alpha / 2.0 * served_purchase * served_purchase
}

/// One buyer's posted choice, as it enters the sums.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// Who chose.
    pub buyer: &'a Buyer,
    /// Positions of the sellers that it knows, ascending; `None` if all.
    pub known: Option<&'a [u32]>,
    /// Choice shares `z_ij`, one a seller that it knows.
    pub shares: &'a [f64],
    /// Optimal purchases `X*_ij` [kWh], one a seller that it knows.
    pub purchases: &'a [f64],
    /// Sum of the shares whose purchase answers to price.
    pub responsive: f64,
}

/// Everybody's posted choices, summed up for the sellers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Demand met by each seller, `E_j = sum_i z_ij X*_ij` (8) [kWh].
    pub demand: Vec<f64>,
    /// Share of each seller's demand that is served, `t_j` (9).
    pub served_share: Vec<f64>,
    /// Net utility of each seller `xi_j` (11), with the constant [CNY].
    pub net_utility: Vec<f64>,
    /// The constant `sum_i C_i` in every net utility [CNY].
    pub constant: f64,
    /// Mean share of each seller over buyers, weighted by their demand; sums to 1 unless nobody wants anything.
    pub mean_share: Vec<f64>,
    /// Sum of all shares `sum_i z_ij` in each seller, where buyers know only some sellers; empty where they know all.
    pub held: Vec<f64>,
    /// Total demand `D = sum_j E_j` [kWh].
    pub total: f64,
    /// Served demand `B = sum_j min(S_j, E_j)` [kWh].
    pub served: f64,
    /// Sum of the shares whose purchase answers to price.
    pub responsive: f64,
    /// How many times as large replicator steps are as `R_e / (alpha D B)` has them, see [`Sums::aggregate`].
    pub stride: f64,
    /// What a little more energy of each seller would be worth to who wants it, beyond its price, weighted by what they
    /// want [CNY/kWh]; empty where purchases answer to price, since there it is nothing to those whose do.
    pub left: Vec<f64>,
    /// Mean, over all choices, of the price of each seller that the choice answered [CNY/kWh]; empty where nobody asks for
    /// it.
    pub answered: Vec<f64>,
}

impl Aggregate {
    /// One of nothing, with the memory of this.
    fn cleared(self) -> Self {
        let Self { demand, served_share, net_utility, mean_share, held, left, answered, .. } = self;
        let [demand, served_share, net_utility, mean_share, held, left, answered] =
            [demand, served_share, net_utility, mean_share, held, left, answered].map(|mut list| {
                list.clear();
                list
            });
        Self { demand, served_share, net_utility, mean_share, held, left, answered, ..Self::default() }
    }

    /// `R_e`: the shares whose purchase answers to price, at least 1.
    pub fn answering(&self) -> f64 {
        self.responsive.max(1.0)
    }
}

/// Where the grid's tariff binds, no step is larger than this many times that of a market whose buyers all answer to price.
pub(crate) const STEEPEST: f64 = 20.0;

/// From so many choices on, adding them is worth the time that it takes to share it.
const WORTH_SHARING: usize = 20_000;

/// What is no more than this part of the market's scale is rounding.
const ROUNDING: f64 = 1e-9;

/// Sums over posted choices, from which an [`Aggregate`] follows. Choices can be added and taken away again. Each of
/// both rounds, by up to 2⁻⁵³ of the largest sum on the way; so whoever does it often sums up anew from time to time.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    alpha: f64,
    local_fee: f64,
    by_seller: BySeller,
    choices: u32,
    constant: f64,
    responsive: f64,
}

/// Sums at each seller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum BySeller {
    /// Of choices over all sellers: one list a sum, in the order of [`Terms`], for going through all sellers at once.
    All([Vec<f64>; 5]),
    /// Of choices over a few: all sums of a seller side by side, for going from one to any other.
    Known(Vec<Terms>),
}

/// Sums at one seller, over the buyers that know it. They fill no more than a line of a processor's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[repr(align(64))]
struct Terms {
    /// Of `z X*`.
    demand: f64,
    /// Of `z` times the buyer's demand.
    weighted_share: f64,
    /// Of `X*`.
    amount: f64,
    /// Of `(w - fee - alpha P) X*`.
    value: f64,
    /// Of `X*²`.
    square: f64,
    /// Of `z`.
    held: f64,
}

impl Sums {
    /// Sums over nothing yet, at so many `sellers`; buyers pay a `local_fee` [CNY/kWh] on top of each price.
    pub fn new(choice_set: ChoiceSet, sellers: usize, alpha: f64, local_fee: f64) -> Self {
        let by_seller = match choice_set {
            ChoiceSet::All => BySeller::All(std::array::from_fn(|_| vec![0.0; sellers])),
            ChoiceSet::Sample(_) => BySeller::Known(vec![Terms::default(); sellers]),
        };
        Self { alpha, local_fee, by_seller, choices: 0, constant: 0.0, responsive: 0.0 }
    }

    /// Starts again from nothing.
    pub fn clear(&mut self) {
        (self.choices, self.constant, self.responsive) = (0, 0.0, 0.0);
        match &mut self.by_seller {
            BySeller::All(lists) => lists.iter_mut().for_each(|list| list.fill(0.0)),
            BySeller::Known(terms) => terms.fill(Terms::default()),
        }
    }

    /// Adds choices; their order fixes the order of summation, and so the last bit of every sum.
    pub fn add<'a>(&mut self, posted: impl IntoIterator<Item = Posted<'a>>) {
        posted.into_iter().for_each(|posted| self.enter::<true>(&posted));
    }

    /// Adds as many choices as there are, each asked for by its place. Where there are many, the sellers are divided among
    /// threads; at each seller the choices are added in the same order as by [`add`](Self::add), so no bit is another.
    pub(crate) fn add_all<'a>(&mut self, count: usize, posted: impl Fn(usize) -> Option<Posted<'a>> + Sync) {
        let all = || (0..count).filter_map(&posted);
        let Self { alpha, local_fee, by_seller: BySeller::Known(terms), .. } = self else { return self.add(all()) };
        if count < WORTH_SHARING || terms.len() < 2 || rayon::current_num_threads() < 2 {
            return self.add(all());
        }
        let (alpha, local_fee, middle) = (*alpha, *local_fee, terms.len() / 2);
        let (first, second) = terms.split_at_mut(middle);
        let enter = |terms: &mut [Terms], from: usize| {
            for choice in all() {
                let worth = choice.buyer.preference - local_fee - alpha * choice.buyer.generation;
                enter_known_from::<true>(terms, from, &choice, choice.known.unwrap_or_default(), worth);
            }
        };
        rayon::join(|| enter(first, 0), || enter(second, middle));
        for choice in all() {
            self.choices += 1;
            self.constant += choice.buyer.constant(alpha);
            self.responsive += choice.responsive;
        }
    }

    /// Adds sums over other choices at the same sellers.
    pub(crate) fn add_sums(&mut self, other: &Self) {
        self.choices += other.choices;
        self.constant += other.constant;
        self.responsive += other.responsive;
        match (&mut self.by_seller, &other.by_seller) {
            (BySeller::All(lists), BySeller::All(others)) => {
                let sums = lists.iter_mut().flatten().zip(others.iter().flatten());
                sums.for_each(|(sum, more)| *sum += more);
            }
            (BySeller::Known(terms), BySeller::Known(others)) => {
                for (sum, more) in terms.iter_mut().zip(others) {
                    sum.demand += more.demand;
                    sum.weighted_share += more.weighted_share;
                    sum.amount += more.amount;
                    sum.value += more.value;
                    sum.square += more.square;
                    sum.held += more.held;
                }
            }
            _ => unreachable!("who knows whom is the same for all sums of a slot"),
        }
    }

    /// Becomes the same as another over the same sellers, in the memory that it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        match (&mut self.by_seller, &other.by_seller) {
            (BySeller::All(lists), BySeller::All(others)) => lists.clone_from(others),
            (BySeller::Known(terms), BySeller::Known(others)) => terms.clone_from(others),
            (by_seller, other) => by_seller.clone_from(other),
        }
        let Self { alpha, local_fee, choices, constant, responsive, .. } = *other;
        (self.alpha, self.local_fee, self.choices) = (alpha, local_fee, choices);
        (self.constant, self.responsive) = (constant, responsive);
    }

    /// Takes a choice away again that was added.
    pub fn take_away(&mut self, posted: &Posted<'_>) {
        self.enter::<false>(posted);
    }

    fn enter<const ADD: bool>(&mut self, choice: &Posted<'_>) {
        let Self { alpha, local_fee, by_seller, .. } = self;
        let worth = choice.buyer.preference - *local_fee - *alpha * choice.buyer.generation;
        match (by_seller, choice.known) {
            (BySeller::All(lists), _) => enter_all::<ADD>(lists, choice, worth),
            (BySeller::Known(terms), Some(known)) => enter_known::<ADD>(terms, choice, known, worth),
            (BySeller::Known(_), None) => {}
        }
        self.choices = if ADD { self.choices + 1 } else { self.choices - 1 };
        self.constant = sum::<ADD>(self.constant, choice.buyer.constant(self.alpha));
        self.responsive = sum::<ADD>(self.responsive, choice.responsive);
    }

    /// What the choices add up to at sellers with these surpluses [kWh] and prices [CNY/kWh] within a `band`.
    ///
    /// Where a price can move, that is what keeps shares in their places, and the market's scale of net utility is `alpha D
    /// B / R_e`. Where the grid's tariff binds, a seller's net utility answers to its own share alone, by `t_j sum_i [(w_i -
    /// alpha P_i - p_j) X*_ij - alpha t_j X*_ij²]`; where the feed-in tariff does, to nothing, and `R` takes the place of
    /// `R_e`. Where none does, the same at `t_j = 1`, nothing with elastic demand, is a kink that no step should leap over,
    /// and adds to the scale. Weighted by shares these make the scale, and `stride` is by how much it is smaller than `alpha D
    /// B / R_e`, up to [`STEEPEST`] times where it is so with all purchases answering to price; 1 where buyers know only some
    /// sellers, who measure [their own](super::experience).
    pub fn aggregate(&self, surplus: &[f64], prices: &[f64], band: PriceBand) -> Aggregate {
        self.aggregate_into(Aggregate::default(), surplus, prices, band)
    }

    /// The same in the memory of an `old` one, which nobody needs any more.
    pub(crate) fn aggregate_into(&self, old: Aggregate, surplus: &[f64], prices: &[f64], band: PriceBand) -> Aggregate {
        let mut result = old.cleared();
        result.constant = self.constant;
        result.served_share.reserve(surplus.len());
        result.net_utility.reserve(surplus.len());
        match &self.by_seller {
            BySeller::All([demand, weighted_share, ..]) => {
                result.demand.clone_from(demand);
                result.mean_share.clone_from(weighted_share);
            }
            BySeller::Known(terms) => {
                result.demand.extend(terms.iter().map(|terms| terms.demand));
                result.mean_share.extend(terms.iter().map(|terms| terms.weighted_share));
                result.held.extend(terms.iter().map(|terms| terms.held));
            }
        }
        result.total = result.demand.iter().sum();
        // Where few know a seller, its net utility is that of these few, and no measure of the market's.
        let all_known = matches!(self.by_seller, BySeller::All(_));
        let (mut short, mut slack, mut slope, mut kink) = (0.0, 0.0, 0.0, 0.0);
        for (j, (&surplus, &price)) in surplus.iter().zip(prices).enumerate() {
            let (amount, value, square) = match &self.by_seller {
                BySeller::All([.., amount, value, square]) => (amount[j], value[j], square[j]),
                BySeller::Known(terms) => (terms[j].amount, terms[j].value, terms[j].square),
            };
            let served = served_share(surplus, result.demand[j]);
            let paid = if amount > 0.0 { price * amount } else { 0.0 };
            result.served += surplus.min(result.demand[j]);
            result.served_share.push(served);
            let net = served * (value - paid) - self.alpha / 2.0 * served * served * square;
            result.net_utility.push(net + self.constant);
            if result.total > 0.0 {
                result.mean_share[j] /= result.total;
            }
            if self.responsive <= 0.0 {
                let left = value - paid - self.alpha * square;
                result.left.push(if amount > 0.0 { left.max(0.0) / amount } else { 0.0 });
            }
            if all_known && band.binds(price, result.demand[j] - surplus) {
                if served < 1.0 {
                    short += result.mean_share[j];
                    slope += result.mean_share[j] * served * (value - paid - self.alpha * served * square);
                } else {
                    slack += result.mean_share[j];
                }
            } else if all_known {
                kink += result.mean_share[j] * (value - paid - self.alpha * square).max(0.0);
            }
        }
        result.responsive = self.responsive;
        result.stride = 1.0;
        let (unit, all) = (self.alpha * result.total * result.served, f64::from(self.choices));
        if unit > 0.0 && (short + slack > 0.0 || kink > ROUNDING * unit) {
            let scale = unit * ((1.0 - short - slack) / result.answering() + slack / all) + slope.max(0.0) + kink;
            result.stride = (unit / scale).min(STEEPEST * all) / result.answering();
        }
        result
    }
}

fn sum<const ADD: bool>(sum: f64, term: f64) -> f64 {
    if ADD { sum + term } else { sum - term }
}

fn enter_all<const ADD: bool>(lists: &mut [Vec<f64>; 5], choice: &Posted<'_>, worth: f64) {
    let sellers = lists[0].len();
    let [demand, weighted_share, amount, value, square] = lists.each_mut().map(|list| &mut list[..sellers]);
    let (shares, purchases) = (&choice.shares[..sellers], &choice.purchases[..sellers]);
    for j in 0..sellers {
        let purchase = purchases[j];
        demand[j] = sum::<ADD>(demand[j], shares[j] * purchase);
        amount[j] = sum::<ADD>(amount[j], purchase);
        value[j] = sum::<ADD>(value[j], worth * purchase);
        square[j] = sum::<ADD>(square[j], purchase * purchase);
    }
    let wanted = dot(shares, purchases);
    for (weighted, &share) in weighted_share.iter_mut().zip(shares) {
        *weighted = sum::<ADD>(*weighted, wanted * share);
    }
}

fn enter_known<const ADD: bool>(terms: &mut [Terms], choice: &Posted<'_>, known: &[u32], worth: f64) {
    enter_known_from::<ADD>(terms, 0, choice, known, worth);
}

/// The same at some sellers only, from this position on; the others are left alone.
#[inline(always)]
fn enter_known_from<const ADD: bool>(terms: &mut [Terms], from: usize, choice: &Posted<'_>, known: &[u32], worth: f64) {
    let wanted = dot(choice.shares, choice.purchases);
    for ((&seller, &share), &purchase) in known.iter().zip(choice.shares).zip(choice.purchases) {
        let Some(terms) = (seller as usize).checked_sub(from).and_then(|place| terms.get_mut(place)) else { continue };
        *terms = Terms {
            demand: sum::<ADD>(terms.demand, share * purchase),
            weighted_share: sum::<ADD>(terms.weighted_share, wanted * share),
            amount: sum::<ADD>(terms.amount, purchase),
            value: sum::<ADD>(terms.value, worth * purchase),
            square: sum::<ADD>(terms.square, purchase * purchase),
            held: sum::<ADD>(terms.held, share),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::ActorId,
        streams::{Purpose, stream},
    };
    use rand::RngExt;
    use std::sync::Arc;

    const BUYERS: [Buyer; 2] = [
        Buyer { need: 0.8, generation: 1.75, preference: 2.04 },
        Buyer { need: 1.1, generation: 1.32, preference: 2.028 },
    ];
    const CONSTANT: f64 = 5.28598;
    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.95 };

    /// What choices over all sellers add up to.
    fn aggregate<'a>(surplus: &[f64], prices: &[f64], posted: impl IntoIterator<Item = Posted<'a>>) -> Aggregate {
        let mut sums = Sums::new(ChoiceSet::All, surplus.len(), 0.4, 0.0);
        sums.add(posted);
        sums.aggregate(surplus, prices, BAND)
    }

    fn posted<'a>(shares: &'a [f64], purchases: [&'a [f64]; 2]) -> impl Iterator<Item = Posted<'a>> {
        BUYERS.iter().zip(purchases).map(move |(buyer, purchases)| Posted {
            buyer,
            known: None,
            shares,
            purchases,
            responsive: shares.iter().sum(),
        })
    }

    #[test]
    fn at_the_published_equilibrium_every_seller_sells_out_and_is_worth_the_same() {
        let surplus = [1.728, 0.504, 1.368];
        let choices = posted(&[0.48, 0.14, 0.38], [&[1.6; 3], &[2.0; 3]]);
        let sums = aggregate(&surplus, &[0.7; 3], choices);
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
        let sums = aggregate(&[0.9, 4.0], &[0.7; 2], choices);
        assert!((sums.net_utility[0] - (0.984 + CONSTANT)).abs() < 1e-12);
        assert!((sums.net_utility[1] - (1.312 + CONSTANT)).abs() < 1e-12);
        assert!((sums.served - 2.7).abs() < 1e-12);
    }

    #[test]
    fn private_terms_and_the_constant_add_up_to_the_public_net_utility() {
        let purchases: [&[f64]; 2] = [&[1.6, 1.1], &[2.0, 0.0]];
        let (surplus, prices) = ([1.0, 2.0], [0.7, 0.9]);
        let sums = aggregate(&surplus, &prices, posted(&[0.6, 0.4], purchases));
        for j in 0..2 {
            let served = served_share(surplus[j], sums.demand[j]);
            let terms = |i: usize| private_net_utility(&BUYERS[i], purchases[i][j], served, prices[j], 0.4);
            assert!((sums.net_utility[j] - (terms(0) + terms(1) + CONSTANT)).abs() < 1e-12);
        }
    }

    #[test]
    fn where_a_tariff_binds_the_scale_is_how_net_utility_answers_to_shares() {
        let shares = [0.6, 0.4];
        let firm = |prices: [f64; 2], surplus: [f64; 2], shares: &[f64]| {
            let choices = posted(shares, [&[0.8; 2], &[1.1; 2]]).map(|choice| Posted { responsive: 0.0, ..choice });
            aggregate(&surplus, &prices, choices)
        };
        // By how much a share that grows lowers its seller's net utility, one after the other.
        let scales = |prices: [f64; 2], surplus: [f64; 2]| {
            let at = |shares: &[f64]| firm(prices, surplus, shares);
            let sums = at(&shares);
            let answer = |j: usize| {
                let mut more = shares;
                more[j] += 1e-6;
                shares[j] * (sums.net_utility[j] - at(&more).net_utility[j]) / 1e-6
            };
            let scale: f64 = (0..2).map(|j| sums.mean_share[j] * answer(j)).sum();
            let unit = 0.4 * sums.total * sums.served / sums.answering();
            (scale, unit, unit / sums.stride)
        };
        let (scale, _, found) = scales([BAND.ceiling; 2], [0.5, 0.4]);
        assert!((found - scale).abs() < 1e-5 * scale, "{found} instead of {scale}");
        // Where demand is just the surplus, net utility has a kink there.
        let (scale, unit, found) = scales([0.7; 2], [0.6 * 1.9, 0.4 * 1.9]);
        assert!((found - unit - scale).abs() < 1e-5 * scale, "{found} instead of {unit} and {scale}");
        let slack = firm([BAND.floor; 2], [4.0; 2], &shares);
        assert!((slack.answering() * slack.stride - 2.0).abs() < 1e-12, "as if all answered");
    }

    #[test]
    fn where_few_know_a_seller_steps_at_a_tariff_are_as_anywhere() {
        let mut sums = Sums::new(ChoiceSet::Sample(2), 2, 0.4, 0.0);
        let known: Option<&[u32]> = Some(&[0, 1]);
        sums.add(posted(&[0.6, 0.4], [&[0.8; 2], &[1.1; 2]]).map(|choice| Posted { known, ..choice }));
        assert_eq!(sums.aggregate(&[0.5, 0.4], &[BAND.ceiling; 2], BAND).stride, 1.0);
    }

    #[test]
    fn a_fee_is_part_of_what_a_buyer_pays() {
        let mut sums = Sums::new(ChoiceSet::All, 1, 0.4, 0.1);
        sums.add(posted(&[1.0], [&[1.0], &[1.5]]));
        let with_fee = sums.aggregate(&[9.0], &[0.6], BAND);
        let dearer = aggregate(&[9.0], &[0.7], posted(&[1.0], [&[1.0], &[1.5]]));
        assert!((with_fee.net_utility[0] - dearer.net_utility[0]).abs() < 1e-12);
    }

    #[test]
    fn mean_shares_are_weighted_by_demand() {
        let choices = [(&BUYERS[0], [1.0, 0.0], [3.0; 2]), (&BUYERS[1], [0.0, 1.0], [1.0; 2])];
        let choices = choices.iter().map(|(buyer, shares, purchases)| Posted {
            buyer,
            known: None,
            shares,
            purchases,
            responsive: 0.0,
        });
        let sums = aggregate(&[1.0; 2], &[0.7; 2], choices);
        assert_eq!(sums.mean_share, [0.75, 0.25]);
        assert_eq!(sums.answering(), 1.0, "counts one pair at least, so that steps stay finite");
    }

    #[test]
    fn a_seller_without_a_price_or_without_demand_has_no_effect_on_the_others() {
        let choices = posted(&[0.5, 0.5], [&[1.6, 0.0], &[2.0, 0.0]]);
        let sums = aggregate(&[4.0, 1.0], &[0.7, f64::INFINITY], choices);
        assert_eq!(sums.demand, [1.8, 0.0]);
        assert!((sums.net_utility[1] - CONSTANT).abs() < 1e-12);
        assert_eq!(served_share(1.0, 0.0), 1.0);
        assert_eq!(served_share(1.0, 4.0), 0.25);
    }

    #[test]
    fn without_any_choice_everything_is_nothing() {
        let sums = aggregate(&[1.0, 2.0], &[0.5, 0.6], []);
        assert_eq!((sums.total, sums.served), (0.0, 0.0));
        assert_eq!(sums.mean_share, [0.0, 0.0]);
    }

    #[test]
    fn choices_over_known_sellers_are_choices_over_all_with_nothing_at_the_others() {
        let (surplus, prices) = ([1.0, 2.0, 0.5], [0.7, 0.9, 0.6]);
        let known: [&[u32]; 2] = [&[0, 2], &[1]];
        let (shares, purchases): ([&[f64]; 2], [&[f64]; 2]) = ([&[0.3, 0.7], &[1.0]], [&[1.6, 1.8], &[1.2]]);
        let full: [([f64; 3], [f64; 3]); 2] = [([0.3, 0.0, 0.7], [1.6, 0.0, 1.8]), ([0.0, 1.0, 0.0], [0.0, 1.2, 0.0])];
        let mut sums = Sums::new(ChoiceSet::Sample(2), 3, 0.4, 0.0);
        sums.add((0..2).map(|i| Posted {
            buyer: &BUYERS[i],
            known: Some(known[i]),
            shares: shares[i],
            purchases: purchases[i],
            responsive: 1.0,
        }));
        let all = aggregate(
            &surplus,
            &prices,
            (0..2).map(|i| Posted {
                buyer: &BUYERS[i],
                known: None,
                shares: &full[i].0,
                purchases: &full[i].1,
                responsive: 1.0,
            }),
        );
        let some = sums.aggregate(&surplus, &prices, BAND);
        assert_eq!(some.held, [0.3, 1.0, 0.7]);
        assert_eq!(Aggregate { held: Vec::new(), stride: all.stride, ..some }, all);
    }

    /// Whom a buyer knows, and its shares and purchases.
    type Drawn = (Option<Arc<[u32]>>, Vec<f64>, Vec<f64>);

    /// Sums that change a choice at a time drift from fresh ones by no more than their rounding.
    #[test]
    fn sums_that_are_kept_up_to_date_stay_those_of_the_choices() {
        let mut random = stream(5, ActorId(2), Purpose::Behaviour);
        for choice_set in [ChoiceSet::All, ChoiceSet::Sample(3)] {
            let (surplus, prices) = ([1.0, 2.0, 0.5, 3.0, 1.5], [0.7, 0.9, 0.6, 0.8, 0.75]);
            let mut draw = || {
                let known = choice_set.draw(5, &mut random);
                let size = choice_set.size(5);
                let mut number = || (0..size).map(|_| random.random::<f64>()).collect::<Vec<_>>();
                (known, number(), number())
            };
            let mut choices: Vec<_> = (0..40).map(|_| draw()).collect();
            let posted = |(known, shares, purchases): &Drawn, sums: &mut Sums, add: bool| {
                let (known, buyer) = (known.as_deref(), &BUYERS[0]);
                let posted = Posted { buyer, known, shares, purchases, responsive: shares[0] };
                if add { sums.add([posted]) } else { sums.take_away(&posted) }
            };
            let fresh = |choices: &[_]| {
                let mut sums = Sums::new(choice_set, 5, 0.4, 0.0);
                choices.iter().for_each(|choice| posted(choice, &mut sums, true));
                sums
            };
            let mut kept = fresh(&choices);
            for change in 0..1000 {
                let place = change * 7 % 40;
                posted(&choices[place], &mut kept, false);
                choices[place] = draw();
                posted(&choices[place], &mut kept, true);
            }
            let [kept, fresh] = [kept, fresh(&choices)].map(|sums| sums.aggregate(&surplus, &prices, BAND));
            // 2,000 roundings of sums below 50, each of at most 2^-53 of them.
            let close = |a: f64, b: f64| assert!((a - b).abs() < 2000.0 * 50.0 * f64::EPSILON, "{a} {b}");
            kept.demand.iter().zip(&fresh.demand).for_each(|(&a, &b)| close(a, b));
            kept.net_utility.iter().zip(&fresh.net_utility).for_each(|(&a, &b)| close(a, b));
            kept.held.iter().zip(&fresh.held).for_each(|(&a, &b)| close(a, b));
            close(kept.responsive, fresh.responsive);
            assert_ne!(kept.demand, fresh.demand, "they do round");
        }
    }

    /// At each seller the order of summation is that of the choices, whoever adds up which sellers.
    #[test]
    fn sums_that_are_shared_among_threads_are_the_same_to_the_last_bit() {
        let (count, sellers, size) = (WORTH_SHARING + 1, 37, 5);
        let mut random = stream(7, ActorId(1), Purpose::Population);
        let choices: Vec<(Vec<u32>, Vec<f64>, Vec<f64>)> = (0..count)
            .map(|_| {
                let known = ChoiceSet::Sample(size).draw(sellers, &mut random).unwrap().to_vec();
                let mut numbers = || (0..size).map(|_| random.random_range(0.0..1.0)).collect();
                (known, numbers(), numbers())
            })
            .collect();
        let posted = |buyer: usize| {
            let (known, shares, purchases) = &choices[buyer];
            let buyer = &BUYERS[buyer % 2];
            Some(Posted { buyer, known: Some(known), shares, purchases, responsive: shares[0] })
        };
        let new = || Sums::new(ChoiceSet::Sample(size), sellers, 0.4, 0.01);
        let [mut alone, mut shared] = [new(), new()];
        alone.add((0..count).filter_map(posted));
        shared.add_all(count, posted);
        let [alone, shared] =
            [alone, shared].map(|sums| sums.aggregate(&vec![1.0; sellers], &vec![0.6; sellers], BAND));
        assert!(alone == shared && alone.total > 1_000.0);
        let again = alone.clone().cleared();
        assert_eq!(again, Aggregate::default(), "nothing is left in its memory");
    }
}
