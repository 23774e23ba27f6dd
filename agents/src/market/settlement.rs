//! What is traded once the game is over: equation (10) in whole units.

use crate::{
    ids::Slot,
    units::{Energy, Money, PER_WHOLE},
};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// One buyer's purchase from one seller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trade {
    /// Position of the buyer among the slot's buyers.
    pub buyer: u32,
    /// Position of the seller among the slot's sellers.
    pub seller: u32,
    /// The buyer's optimal purchase `X*_ij` [kWh].
    pub optimal: f64,
    /// What is delivered, `x_ij` (10).
    pub energy: Energy,
    /// Price `p_j` [CNY/kWh].
    pub price: f64,
    /// What the buyer pays and the seller earns.
    pub payment: Money,
    /// What the buyer pays to the operator.
    pub fee: Money,
}

impl Trade {
    /// A trade of `energy` at `price` with an operator's `fee_rate` [CNY/kWh].
    pub fn new(buyer: u32, seller: u32, optimal: f64, energy: Energy, price: f64, fee_rate: f64) -> Self {
        Self { buyer, seller, optimal, energy, price, payment: energy.at_price(price), fee: energy.at_price(fee_rate) }
    }
}

/// Binary digits behind the point of an amount that is not yet whole, and the parts of a unit that it is counted in.
const DIGITS: u32 = 12;
const PARTS: i64 = 1 << DIGITS;

/// What a buyer wants of a seller.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wish {
    /// Position of the buyer among the slot's buyers.
    pub buyer: u32,
    /// Position of the seller among the slot's sellers.
    pub seller: u32,
    /// `z_ij X*_ij` [kWh].
    pub wanted: f64,
}

/// A buyer or a seller, and the most that it may trade in the slot.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its number, by which lots are drawn.
    pub number: u32,
    /// A seller's surplus; a buyer's need if it is firm, else [`Party::ANY`].
    pub most: Energy,
}

impl Party {
    /// No limit, or one beyond any market.
    pub const ANY: Energy = Energy(i64::MAX);

    /// Its limit in parts of a unit.
    fn limit(self) -> i64 {
        self.most.0.min(i64::MAX / PARTS) * PARTS
    }
}

/// The most that a buyer can get who wants so much in all [kWh]: that, rounded up.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn rounded_up(wanted: f64) -> Energy {
    let parts = to_parts(wanted);
    Energy(parts / PARTS + i64::from(parts % PARTS > 0))
}

/// The nearest whole number of parts of a unit to an amount [kWh]. So an amount that is whole but for the noise of
/// floating point is taken to be whole.
fn to_parts(amount: f64) -> i64 {
    (amount * (PER_WHOLE * PARTS as f64)).round() as i64
}

/// A slot's surplus to be divided among those who want some of it: `x_ij = t_j z_ij X*_ij` (10) in whole units.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
#[derive(Clone, Copy, Debug)]
pub struct Division<'a> {
    /// Seed of the case.
    pub seed: u64,
    /// Which slot.
    pub slot: Slot,
    /// All sellers, with their surpluses.
    pub sellers: &'a [Party],
    /// All buyers, with their needs if they are firm.
    pub buyers: &'a [Party],
    /// What is wanted, by buyer, then seller.
    pub wishes: &'a [Wish],
}

impl Division<'_> {
    /// What each wish comes to.
    ///
    /// A wish comes to its exact amount rounded down or up, and so does what a buyer gets and what a seller sells in all;
    /// a total that is whole is met exactly. Where nothing else decides which way, lots do; numbers do not. *Exact* is up
    /// to the part of a unit in which amounts are counted first.
    pub fn divide(&self) -> Vec<Energy> {
        let mut amounts = self.wanted();
        self.ration(&mut amounts);
        self.round(&mut amounts);
        amounts.into_iter().map(|parts| Energy(parts / PARTS)).collect()
    }

    /// What is wanted, in parts of a unit: a buyer's wishes add up to the nearest whole number of parts, or its limit.
    /// Each is the difference of the sums up to it and up to the one before, both rounded down behind the same lot.
    fn wanted(&self) -> Vec<i64> {
        let mut amounts = Vec::with_capacity(self.wishes.len());
        for wishes in self.wishes.chunk_by(|one, next| one.buyer == next.buyer) {
            let buyer = self.buyers[wishes[0].buyer as usize];
            let total: f64 = wishes.iter().map(|wish| wish.wanted).sum();
            let whole = to_parts(total).min(buyer.limit());
            let lot = (self.lot(buyer.number, buyer.number) >> 11) as f64 / (1_u64 << 53) as f64;
            let (mut sum, mut before) = (0.0, 0);
            for wish in wishes {
                sum += wish.wanted;
                // All of them are there once the sum is complete, whatever the rounding of the ratio.
                let upto = if sum < total { ((sum / total * whole as f64 + lot) as i64).min(whole) } else { whole };
                amounts.push(upto - before);
                before = upto;
            }
        }
        amounts
    }

    /// Cuts what is wanted of a seller down to its surplus, in proportion, to the last part of a unit. What rounding
    /// down leaves of an amount is carried over to the next; the first begins with a lot.
    fn ration(&self, amounts: &mut [i64]) {
        let mut wanted = vec![0_i128; self.sellers.len()];
        for (wish, amount) in self.wishes.iter().zip(&*amounts) {
            wanted[wish.seller as usize] += i128::from(*amount);
        }
        let lots = self.sellers.iter().map(|seller| i128::from(self.lot(seller.number, seller.number)));
        let mut carried: Vec<i128> = lots.zip(&wanted).map(|(lot, &wanted)| lot % wanted.max(1)).collect();
        for (wish, amount) in self.wishes.iter().zip(amounts) {
            let seller = wish.seller as usize;
            let (surplus, wanted) = (i128::from(self.sellers[seller].limit()), wanted[seller]);
            if wanted > surplus {
                let share = i128::from(*amount) * surplus + carried[seller];
                *amount = (share / wanted) as i64;
                carried[seller] = share % wanted;
            }
        }
    }

    /// Rounds amounts to whole units, digit by digit from the last. The amounts with a 1 in that place are to gain or
    /// lose it. At every buyer and at every seller they are tied two by two, so that of two that are tied one gains and
    /// one loses, and sums change only where there is one too many. An amount is tied to two others at most: all hang
    /// together in chains and rings, and a ring has as many ties at buyers as at sellers, so that gains and losses come
    /// out even. Each takes the way that brings its amounts nearer to whole units: that lowers the sum of all `f (1 -
    /// f)`, where `f` is what an amount has behind the point.
    fn round(&self, amounts: &mut [i64]) {
        const NOBODY: u32 = u32::MAX;
        let own = |party: Party| self.lot(party.number, party.number) >> 32;
        let order = |wish: &Wish| own(self.buyers[wish.buyer as usize]) << 32 | own(self.sellers[wish.seller as usize]);
        let mut order: Vec<(u64, u32)> = self.wishes.iter().map(order).zip(0..).collect();
        order.par_sort_unstable();
        // In this order from here on: a pass goes through memory from one end to the other.
        let places: Vec<u32> = order.into_iter().map(|(_, place)| place).collect();
        let mut parts: Vec<i64> = places.iter().map(|place| amounts[*place as usize]).collect();
        let pair = |place: &u32| (self.wishes[*place as usize].buyer, self.wishes[*place as usize].seller);
        let pairs: Vec<(u32, u32)> = places.iter().map(pair).collect();
        let mut single = [vec![NOBODY; self.buyers.len()], vec![NOBODY; self.sellers.len()]];
        // To whom an amount is tied at its buyer and at its seller: to itself, if to nobody else.
        let mut tied: Vec<[u32; 2]> = (0..parts.len() as u32).map(|own| [own; 2]).collect();
        let mut chain: Vec<(u32, i64)> = Vec::new();
        for digit in 0..DIGITS {
            let (unit, odd) = (1 << digit, |amount: i64| amount >> digit & 1 == 1);
            single.iter_mut().for_each(|single| single.fill(NOBODY));
            for (own, (_, &(buyer, seller))) in (0..).zip(parts.iter().zip(&pairs)).filter(|(_, (part, _))| odd(**part))
            {
                for (side, party) in [buyer, seller].into_iter().enumerate() {
                    tied[own as usize][side] = own;
                    let other = std::mem::replace(&mut single[side][party as usize], own);
                    if other != NOBODY {
                        tied[own as usize][side] = other;
                        tied[other as usize][side] = own;
                        single[side][party as usize] = NOBODY;
                    }
                }
            }
            for first in 0..parts.len() {
                if !odd(parts[first]) {
                    continue;
                }
                // All lose the digit, and are odd no more; half of them then gain twice that.
                parts[first] -= unit;
                chain.push((first as u32, 1));
                let mut known = 0;
                while let Some(&(own, way)) = chain.get(known) {
                    known += 1;
                    for next in tied[own as usize] {
                        if odd(parts[next as usize]) {
                            parts[next as usize] -= unit;
                            chain.push((next, -way));
                        }
                    }
                }
                let nearer = |&(own, way): &(u32, i64)| way * (2 * (parts[own as usize] % PARTS + unit) - PARTS);
                let gaining = match chain.iter().map(nearer).sum::<i64>().signum() {
                    0 => (self.lot_of(pairs[first]) >> digit & 1) as i64 * 2 - 1,
                    way => way,
                };
                for (own, _) in chain.drain(..).filter(|(_, way)| *way == gaining) {
                    parts[own as usize] += 2 * unit;
                }
            }
        }
        places.into_iter().zip(parts).for_each(|(place, parts)| amounts[place as usize] = parts);
    }

    fn lot_of(&self, (buyer, seller): (u32, u32)) -> u64 {
        self.lot(self.buyers[buyer as usize].number, self.sellers[seller as usize].number)
    }

    /// The lot of a pair, or of one prosumer with itself: 64 bits that depend on the seed, the slot and who they are.
    fn lot(&self, buyer: u32, seller: u32) -> u64 {
        let draw = |state: u64| SplitMix64::seed_from_u64(state).next_u64();
        draw(draw(draw(self.seed) ^ u64::from(self.slot)) ^ (u64::from(buyer) << 32 | u64::from(seller)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each buyer gets of each seller, of whom it wants so much [kWh]; sellers have the numbers 1, 2, ..., buyers
    /// those behind.
    fn divided(seed: u64, surplus: &[i64], needs: &[Energy], wanted: impl Fn(usize, usize) -> f64) -> Vec<Vec<i64>> {
        let sellers: Vec<Party> =
            (1..).zip(surplus).map(|(number, &units)| Party { number, most: Energy(units) }).collect();
        let first = sellers.len() as u32 + 1;
        let buyers: Vec<Party> = (first..).zip(needs).map(|(number, &most)| Party { number, most }).collect();
        let wish = |i: usize, j: usize| Wish { buyer: i as u32, seller: j as u32, wanted: wanted(i, j) };
        let wishes: Vec<Wish> =
            (0..needs.len()).flat_map(|i| (0..surplus.len()).map(move |j| (i, j))).map(|(i, j)| wish(i, j)).collect();
        let parts = Division { seed, slot: 17, sellers: &sellers, buyers: &buyers, wishes: &wishes }.divide();
        parts.chunks(surplus.len().max(1)).map(|row| row.iter().map(|part| part.0).collect()).collect()
    }

    fn bought(parts: &[Vec<i64>]) -> Vec<i64> {
        parts.iter().map(|row| row.iter().sum()).collect()
    }

    fn sold(parts: &[Vec<i64>]) -> Vec<i64> {
        (0..parts[0].len()).map(|j| parts.iter().map(|row| row[j]).sum()).collect()
    }

    #[test]
    fn the_published_trades_come_out() {
        for seed in 0..100 {
            let (shares, purchases) = ([0.48, 0.14, 0.38], [1.6, 2.0]);
            let parts =
                divided(seed, &[1_728_000, 504_000, 1_368_000], &[Party::ANY; 2], |i, j| shares[j] * purchases[i]);
            assert_eq!(parts, [[768_000, 224_000, 608_000], [960_000, 280_000, 760_000]]);
        }
    }

    #[test]
    fn what_is_left_over_at_every_seller_makes_no_difference_between_equal_buyers() {
        for seed in 0..20 {
            let parts = divided(seed, &[10_001; 400], &[Energy(2_000_000); 3], |_, _| 2.0 / 400.0);
            assert_eq!(sold(&parts), [10_001; 400]);
            let mut bought = bought(&parts);
            bought.sort_unstable();
            assert_eq!(bought, [1_333_466, 1_333_467, 1_333_467]);
            assert!(parts.iter().flatten().all(|part| [3333, 3334].contains(part)));
        }
    }

    #[test]
    fn in_a_shortage_seven_equal_buyers_share_what_eleven_equal_sellers_have() {
        for seed in 0..200 {
            let parts = divided(seed, &[1_000_000; 11], &[Party::ANY; 7], |_, _| 3.0 / 11.0);
            assert_eq!(sold(&parts), [1_000_000; 11]);
            assert!(bought(&parts).iter().all(|units| [1_571_428, 1_571_429].contains(units)));
        }
    }

    #[test]
    fn in_a_glut_firm_buyers_get_what_they_need_and_no_more() {
        for seed in 0..200 {
            let needs = [Energy(1), Energy(1_000_003), Energy(777_777), Energy(2_345_678), Energy(999_999)];
            let share = |j: usize| [0.1, 0.2, 0.3, 0.1, 0.1, 0.2][j];
            let parts = divided(seed, &[9_000_000; 6], &needs, |i, j| share(j) * needs[i].value());
            assert_eq!(bought(&parts), needs.map(|need| need.0));
        }
    }

    #[test]
    fn a_firm_need_is_not_exceeded_whatever_the_shares_add_up_to() {
        let parts = divided(5, &[9_000_000; 3], &[Energy(1_000_000)], |_, _| 0.333_333_6);
        assert_eq!(bought(&parts), [1_000_000]);
    }

    #[test]
    fn what_is_all_but_whole_is_rounded_to_the_nearest() {
        for seed in 0..100 {
            let (shares, noise) = ([0.48, 0.14, 0.38], [[0.04e-6, -0.03e-6, 0.02e-6], [-0.03e-6, 0.04e-6, -0.04e-6]]);
            let wanted = |i: usize, j: usize| shares[j] * [1.6, 2.0][i] + noise[i][j];
            let parts = divided(seed, &[1_728_000, 504_000, 1_368_000], &[Party::ANY; 2], wanted);
            assert_eq!(parts, [[768_000, 224_000, 608_000], [960_000, 280_000, 760_000]]);
        }
    }

    /// Four equal buyers, and of the three sellers two that are equal.
    #[test]
    fn nobody_is_favoured_for_its_number() {
        let draws = 4000;
        let mut sums = [[0; 3]; 4];
        for seed in 0..draws {
            // A shortage at the first seller, a glut at the others.
            let parts = divided(seed, &[11, 99, 99], &[Party::ANY; 4], |_, _| 6.3e-6);
            let sold = sold(&parts);
            assert_eq!(sold[0], 11);
            assert!([25, 26].contains(&sold[1]) && [25, 26].contains(&sold[2]));
            assert!(bought(&parts).iter().all(|units| [15, 16].contains(units)));
            sums.iter_mut().zip(&parts).for_each(|(sums, row)| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x));
        }
        // Four standard deviations of a sum of as many draws of 0 or 1.
        let alike = |sums: &[i64]| {
            sums.iter().max().unwrap() - sums.iter().min().unwrap() < (4.0 * (draws as f64).sqrt()) as i64
        };
        assert!(alike(&sums.map(|row| row[0])), "{sums:?}");
        assert!(alike(sums.map(|row| [row[1], row[2]]).as_flattened()), "{sums:?}");
    }

    #[test]
    fn plenty_serves_everybody_and_leaves_the_rest() {
        assert_eq!(divided(1, &[9_000_000], &[Party::ANY; 2], |i, _| [1.25, 0.75][i]), [[1_250_000], [750_000]]);
        assert_eq!(divided(1, &[9_000_000], &[Party::ANY; 2], |_, _| 0.0), [[0], [0]]);
        assert_eq!(divided(1, &[9_000_000], &[], |_, _| 0.0), [[0; 0]; 0]);
        assert_eq!(divided(1, &[0], &[Party::ANY], |_, _| 1.0), [[0]]);
    }

    #[test]
    fn amounts_beyond_any_market_neither_overflow_nor_panic() {
        for wanted in [1e300, f64::MAX, 1e-300, 1e12] {
            let parts = divided(3, &[9_000_000, i64::MAX], &[Party::ANY; 3], |i, _| wanted * i as f64);
            assert!(sold(&parts)[0] <= 9_000_000 && parts.iter().flatten().all(|&part| part >= 0));
        }
    }

    #[test]
    fn what_is_asked_for_in_all_is_rounded_up_but_for_noise() {
        assert_eq!(rounded_up(0.1 + 0.2), Energy(300_000));
        assert_eq!(rounded_up(0.300_000_2), Energy(300_001));
        assert_eq!(rounded_up(0.0), Energy::ZERO);
    }

    #[test]
    fn a_trade_is_priced_per_kwh() {
        let trade = Trade::new(1, 0, 2.0, Energy(960_000), 0.7, 0.01);
        assert_eq!((trade.payment, trade.fee), (Money(672_000), Money(9_600)));
    }
}
