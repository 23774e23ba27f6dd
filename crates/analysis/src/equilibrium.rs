//! The equilibrium of a slot in closed form, section 6: one price at which total demand meets total surplus.
//!
//! Total demand falls piecewise linearly in price. Its kinks are where a buyer enters and, if demand is firm, where it
//! has all it needs; going through them from the ceiling down finds the piece on which demand reaches the surplus.

use super::slot::SlotMarket;
use microgrid_agents::{
    market::{
        balance::{Account, Balance, SlotFacts, SlotTerms, balance},
        demand::{Buyer, Demand},
        pricing::PriceBand,
        storage::StorageLimits,
    },
    units::Energy,
};

/// Relative to the surplus: a smaller difference between demand and surplus is rounding.
const ROUNDING: f64 = 1e-9;

/// Whether a tariff binds at the equilibrium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// Neither: demand equals surplus.
    Interior,
    /// The feed-in tariff: even there, demand does not reach the surplus.
    Floor,
    /// The grid's tariff: even there, demand exceeds the surplus.
    Ceiling,
}

/// The state in which nobody in a slot has a reason to move.
#[derive(Clone, Debug, PartialEq)]
pub struct Equilibrium {
    /// The price of every seller, `p*` [CNY/kWh]: the highest that clears the market.
    pub price: f64,
    /// The lowest price that clears the market; less than the highest where firm demand is met over a range of prices.
    pub lowest: f64,
    /// Whether a tariff binds.
    pub corner: Corner,
    /// Share of each seller, `z_j = S_j / S`; one of many possible divisions at the floor.
    pub shares: Vec<f64>,
    /// What each buyer gets from all sellers together, after rationing [kWh].
    pub purchases: Vec<f64>,
    /// What each seller sells, in proportion to its surplus [kWh].
    pub sold: Vec<f64>,
}

/// The equilibrium of `buyers` and sellers with these `surplus`es [kWh], or `None` if there are no buyers, no sellers, or
/// no prices in the `band`.
///
/// `alpha` is the curvature of utility in the slot [CNY/kWh²]; buyers answer to a price as they do where nothing comes on
/// top of it. Where firm demand is met in full over a whole range of prices, any of
/// which clears the market, the highest is taken: sellers lead, and none of them would sell more for less.
/// Takes O(R log R) time for R buyers.
pub fn closed_form(
    buyers: &[Buyer],
    surplus: &[f64],
    band: PriceBand,
    alpha: f64,
    demand: Demand,
) -> Option<Equilibrium> {
    let supply: f64 = surplus.iter().sum();
    if buyers.is_empty() || supply <= 0.0 || !band.has_room() {
        return None;
    }
    let (price, lowest, corner) = clearing_prices(&kinks(buyers, alpha, demand), supply, band, alpha);
    let wanted: Vec<f64> = buyers.iter().map(|buyer| buyer.optimal_purchase(price, alpha, demand)).collect();
    let total: f64 = wanted.iter().sum();
    let served = if total > supply { supply / total } else { 1.0 };
    let sold = (total / supply).min(1.0);
    Some(Equilibrium {
        price,
        lowest,
        corner,
        shares: surplus.iter().map(|s| s / supply).collect(),
        purchases: wanted.iter().map(|x| x * served).collect(),
        sold: surplus.iter().map(|s| s * sold).collect(),
    })
}

/// Total demand on one of its linear pieces: `(intercept - slope p) / alpha + capped`.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    /// Sum of the choke prices of those whose demand answers to price [CNY/kWh].
    intercept: f64,
    /// How many they are.
    slope: i64,
    /// Needs of those who have all they need [kWh].
    capped: f64,
}

impl Piece {
    fn plus(self, other: Self) -> Self {
        Self {
            intercept: self.intercept + other.intercept,
            slope: self.slope + other.slope,
            capped: self.capped + other.capped,
        }
    }

    fn demand(self, price: f64, alpha: f64) -> f64 {
        (self.intercept - self.slope as f64 * price) / alpha + self.capped
    }

    /// Where demand equals `supply` within these prices; on a flat piece, at its upper end.
    fn price(self, supply: f64, alpha: f64, lower: f64, upper: f64) -> f64 {
        if self.slope == 0 {
            return upper;
        }
        ((self.intercept - alpha * (supply - self.capped)) / self.slope as f64).max(lower).min(upper)
    }
}

/// Prices at which total demand changes its slope, in descending order, with what is added to it there.
fn kinks(buyers: &[Buyer], alpha: f64, demand: Demand) -> Vec<(f64, Piece)> {
    let mut kinks = Vec::with_capacity(2 * buyers.len());
    for buyer in buyers {
        let choke = buyer.preference - alpha * buyer.generation;
        kinks.push((choke, Piece { intercept: choke, slope: 1, capped: 0.0 }));
        if demand == Demand::Firm {
            kinks.push((choke - alpha * buyer.need, Piece { intercept: -choke, slope: -1, capped: buyer.need }));
        }
    }
    kinks.sort_by(|a, b| b.0.total_cmp(&a.0));
    kinks
}

/// The highest and the lowest price that clears the market, and whether a tariff binds there.
fn clearing_prices(kinks: &[(f64, Piece)], supply: f64, band: PriceBand, alpha: f64) -> (f64, f64, Corner) {
    let above = kinks.partition_point(|kink| kink.0 >= band.ceiling);
    let mut piece = kinks[..above].iter().fold(Piece::default(), |sum, kink| sum.plus(kink.1));
    let excess = piece.demand(band.ceiling, alpha) - supply;
    if excess > ROUNDING * supply {
        return (band.ceiling, band.ceiling, Corner::Ceiling);
    }
    let (mut upper, mut highest) = (band.ceiling, None);
    let within = kinks[above..].iter().take_while(|kink| kink.0 > band.floor);
    for &(lower, change) in within.chain([&(band.floor, Piece::default())]) {
        let demand = piece.demand(lower, alpha);
        if highest.is_none() && demand >= supply * (1.0 - ROUNDING) {
            highest = Some(piece.price(supply, alpha, lower, upper));
        }
        // Down to here, nobody wants more than at the highest.
        if let Some(highest) = highest
            && demand > supply * (1.0 + ROUNDING)
        {
            return (highest, highest.min(upper), Corner::Interior);
        }
        piece = piece.plus(change);
        upper = lower;
    }
    match highest {
        Some(highest) => (highest, band.floor, Corner::Interior),
        None => (band.floor, band.floor, Corner::Floor),
    }
}

impl SlotMarket {
    /// Its equilibrium; `None` without buyers, sellers or a price that serves both.
    pub fn equilibrium(&self) -> Option<Equilibrium> {
        closed_form(&self.needs, &self.surplus, self.terms.band(), self.terms.alpha, self.terms.demand)
    }
}

/// How the slot would end for every prosumer at the closed-form equilibrium of a market, in whole units; without one, no
/// trades.
///
/// `facts` and `contents` (of the storages, at the start) list all prosumers in the order of the population. `storage` is
/// what each storage can do, if they have any.
pub fn balances_at(
    at: Option<(&SlotMarket, &Equilibrium)>,
    facts: &[SlotFacts],
    contents: &[Energy],
    each: impl Iterator<Item = (SlotTerms, Option<StorageLimits>)>,
) -> Vec<Balance> {
    let mut local = vec![Account::default(); facts.len()];
    if let Some((market, equilibrium)) = at {
        trade_at(market, equilibrium, facts, &mut local);
    }
    let prosumers = facts.iter().zip(contents).zip(local.iter().zip(each));
    prosumers
        .map(|((facts, &content), (local, (terms, storage)))| {
            balance(facts, local, storage.as_ref().map(|limits| (limits, content)), &terms)
        })
        .collect()
}

fn trade_at(market: &SlotMarket, equilibrium: &Equilibrium, facts: &[SlotFacts], local: &mut [Account]) {
    let supply: Energy = market.sellers.iter().map(|&place| facts[place].surplus()).sum();
    let traded = supply.min(Energy::nearest(equilibrium.purchases.iter().sum()));
    for (&place, bought) in market.buyers.iter().zip(in_units(traded, &equilibrium.purchases)) {
        let (paid, fee) = (bought.at_price(equilibrium.price), bought.at_price(market.terms.local_fee));
        local[place] = Account { bought, paid, fee, ..Account::default() };
    }
    for (&place, sold) in market.sellers.iter().zip(in_units(traded, &equilibrium.sold)) {
        local[place] = Account { sold, earned: sold.at_price(equilibrium.price), ..Account::default() };
    }
}

/// Amounts [kWh] in whole units that add up to `total`: each is the difference of the rounded sums up to it and up to the
/// one before, and so its real value rounded down or up.
fn in_units(total: Energy, amounts: &[f64]) -> impl Iterator<Item = Energy> {
    let (all, mut sum, mut before) = (amounts.iter().sum::<f64>(), 0.0, Energy::ZERO);
    amounts.iter().map(move |amount| {
        sum += amount;
        let upto = if sum < all { Energy::nearest(sum).min(total) } else { total };
        let part = upto - before;
        before = upto;
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 0.85 };
    const SURPLUS: [f64; 3] = [1.728, 0.504, 1.368];
    const BUYERS: [Buyer; 2] = [
        Buyer { need: 0.8, generation: 1.75, preference: 2.04 },
        Buyer { need: 1.1, generation: 1.32, preference: 2.028 },
    ];

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn the_published_slot_clears_at_seventy_cents() {
        let found = closed_form(&BUYERS, &SURPLUS, BAND, 0.4, Demand::Elastic).unwrap();
        assert!((found.price - 0.7).abs() < 1e-12);
        assert_eq!(found.corner, Corner::Interior);
        assert!(close(&found.shares, &[0.48, 0.14, 0.38]));
        assert!(close(&found.purchases, &[1.6, 2.0]));
        assert!(close(&found.sold, &SURPLUS));
    }

    #[test]
    fn a_glut_is_sold_in_part_at_the_floor() {
        let found = closed_form(&BUYERS, &[6.0, 2.0], BAND, 0.4, Demand::Elastic).unwrap();
        assert_eq!((found.price, found.corner), (0.45, Corner::Floor));
        assert!(close(&found.purchases, &[2.225, 2.625]));
        assert!(close(&found.sold, &[3.6375, 1.2125]));
    }

    #[test]
    fn a_shortage_is_rationed_evenly_at_the_ceiling() {
        let found = closed_form(&BUYERS, &[1.0, 0.425], BAND, 0.4, Demand::Elastic).unwrap();
        assert_eq!((found.price, found.corner), (0.85, Corner::Ceiling));
        assert!(close(&found.purchases, &[0.6125, 0.8125]));
        assert!(close(&found.sold, &[1.0, 0.425]));
    }

    #[test]
    fn firm_buyers_never_get_more_than_they_need() {
        // The second has all it needs from 1.06 down, the first only from 1.02 down.
        let found = closed_form(&BUYERS, &[1.85], PriceBand { floor: 0.2, ceiling: 1.5 }, 0.4, Demand::Firm).unwrap();
        assert!((found.price - 1.04).abs() < 1e-12);
        assert!(close(&found.purchases, &[0.75, 1.1]));
        let glut = closed_form(&BUYERS, &SURPLUS, BAND, 0.4, Demand::Firm).unwrap();
        assert_eq!((glut.price, glut.corner), (0.45, Corner::Floor));
        assert!(close(&glut.purchases, &[0.8, 1.1]));
    }

    #[test]
    fn where_a_range_of_prices_clears_the_market_sellers_get_the_highest() {
        // All needs are met from 1.02 down.
        let band = PriceBand { floor: 0.2, ceiling: 1.5 };
        for supply in [1.9, 1.9 + 1e-13, 1.9 - 1e-13] {
            let found = closed_form(&BUYERS, &[supply], band, 0.4, Demand::Firm).unwrap();
            assert!((found.price - 1.02).abs() < 1e-9);
            assert_eq!(found.lowest, 0.2, "nobody wants more at any price below");
            assert_eq!(found.corner, Corner::Interior);
            assert!(close(&found.purchases, &[0.8, 1.1]));
        }
    }

    #[test]
    fn amounts_in_whole_units_add_up_and_whole_ones_stay() {
        let units = |total, amounts: &[f64]| in_units(Energy(total), amounts).map(|part| part.0).collect::<Vec<_>>();
        assert_eq!(units(4, &[4e-6 / 3.0; 3]), [1, 2, 1]);
        assert_eq!(units(1_000_000, &[1.0 / 3.0; 3]), [333_333, 333_334, 333_333]);
        let needs = [0.1, 0.2, 0.0, 0.7, 1.3, 0.000_001];
        assert_eq!(units(2_300_001, &needs), [100_000, 200_000, 0, 700_000, 1_300_000, 1]);
        assert_eq!(units(0, &[0.0; 2]), [0, 0]);
    }

    #[test]
    fn without_buyers_or_sellers_there_is_no_equilibrium() {
        assert_eq!(closed_form(&[], &SURPLUS, BAND, 0.4, Demand::Elastic), None);
        assert_eq!(closed_form(&BUYERS, &[], BAND, 0.4, Demand::Elastic), None);
    }

    #[test]
    fn buyers_whom_even_the_floor_is_too_high_want_nothing() {
        let band = PriceBand { floor: 1.6, ceiling: 2.0 };
        let found = closed_form(&BUYERS, &SURPLUS, band, 0.4, Demand::Elastic).unwrap();
        assert_eq!((found.price, found.corner), (1.6, Corner::Floor));
        assert_eq!(found.purchases, [0.0, 0.0]);
        assert_eq!(found.sold, [0.0; 3]);
    }
}
