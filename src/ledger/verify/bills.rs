//! The bills that follow from a closed game, derived once more from its last quotes and choices: equation (10).

use super::{contract::bill, state::State};
use microgrid_agents::{
    chain::{
        call::BillsOf,
        fact::{Bill, Fact, Game, Key, Number},
        genesis::Genesis,
        identity::Party,
    },
    ids::Slot,
    message::Registration,
    units::Energy,
};
use std::collections::BTreeMap;

/// The bills of a slot, by buyer and seller.
#[derive(Debug, Default)]
pub(super) struct Bills(pub(super) BTreeMap<(Number, Number), Bill>);

impl Bills {
    /// The bills that follow from the slot's game as it stands; none without a game.
    pub(super) fn derive(genesis: &Genesis, state: &State, slot: Slot) -> Self {
        let Some(Fact::Game(game)) = state.fact(Key::Game(slot)) else { return Self::default() };
        let mut bills = BTreeMap::new();
        let wanted = wanted(state, slot, game);
        for (&seller, wanted) in game.sellers.iter().zip(&wanted) {
            let Some(Fact::Quote(quote)) = state.fact(Key::Quote(slot, seller)) else { continue };
            let Some(Fact::Register(Registration::Seller(surplus))) = state.fact(Key::Register(slot, seller)) else {
                continue;
            };
            let amounts: Vec<f64> = wanted.iter().map(|(_, amount)| *amount).collect();
            for (&(buyer, _), energy) in wanted.iter().zip(ration(*surplus, &amounts)) {
                let bill = bill(energy, quote.price, genesis.rules.service_fee);
                bills.extend(bill.filter(|_| energy > Energy::ZERO).map(|bill| ((buyer, seller), bill)));
            }
        }
        Self(bills)
    }

    /// The texts that participants sign, each to endorse all its bills.
    pub(super) fn texts(&self, slot: Slot) -> BTreeMap<Number, String> {
        let mut bills: BTreeMap<Number, Vec<(Number, Number, Bill)>> = BTreeMap::new();
        for (&(buyer, seller), &bill) in &self.0 {
            for party in [buyer, seller] {
                bills.entry(party).or_default().push((buyer, seller, bill));
            }
        }
        let text = |(party, bills)| (party, BillsOf { slot, party: Party::Prosumer(party), bills }.to_json());
        bills.into_iter().map(text).collect()
    }
}

/// Who wants how much [kWh] from each seller, in the order of the game's lists.
fn wanted(state: &State, slot: Slot, game: &Game) -> Vec<Vec<(Number, f64)>> {
    let mut wanted = vec![Vec::new(); game.sellers.len()];
    for &buyer in &game.buyers {
        let Some(Fact::Choice(choice)) = state.fact(Key::Choice(slot, buyer)) else { continue };
        for (seller, share, purchase) in choice.pairs() {
            if let Some(of_seller) = wanted.get_mut(seller as usize) {
                of_seller.push((buyer, share * purchase));
            }
        }
    }
    wanted
}

/// Divides a surplus among those who want some of it, by largest remainders.
///
/// Together they get what they want, or the surplus if that is less, as a whole number of units. Each gets its
/// proportional part, rounded down; a unit that is left goes to each of the largest remainders, the earlier first.
fn ration(surplus: Energy, wanted: &[f64]) -> Vec<Energy> {
    let total: f64 = wanted.iter().sum();
    if total <= 0.0 {
        return vec![Energy::ZERO; wanted.len()];
    }
    let units_per_kwh = f64::min(surplus.0 as f64 / total, 1e6);
    let exact: Vec<f64> = wanted.iter().map(|kwh| kwh * units_per_kwh).collect();
    let mut units: Vec<i64> = exact.iter().map(|part| part.floor() as i64).collect();
    let given: i128 = units.iter().map(|&part| i128::from(part)).sum();
    let mut left = i128::from(surplus.min(Energy::nearest(total)).0) - given;
    let mut queue: Vec<(f64, usize)> =
        exact.iter().enumerate().filter(|(n, _)| wanted[*n] > 0.0).map(|(n, part)| (part - part.floor(), n)).collect();
    queue.sort_by(|(a, earlier), (b, later)| b.total_cmp(a).then(earlier.cmp(later)));
    for (_, n) in queue {
        if left <= 0 {
            break;
        }
        units[n] = units[n].saturating_add(1);
        left -= 1;
    }
    units.into_iter().map(Energy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_trades_come_out() {
        assert_eq!(ration(Energy(1_728_000), &[0.48 * 1.6, 0.48 * 2.0]), [Energy(768_000), Energy(960_000)]);
        assert_eq!(ration(Energy(504_000), &[0.14 * 1.6, 0.14 * 2.0]), [Energy(224_000), Energy(280_000)]);
    }

    #[test]
    fn units_left_by_rounding_go_to_the_largest_remainders_the_earlier_first() {
        assert_eq!(ration(Energy(1_000_000), &[2.0, 2.0, 2.0]), [Energy(333_334), Energy(333_333), Energy(333_333)]);
        assert_eq!(ration(Energy(10), &[1.0, 0.0, 3.0]), [Energy(3), Energy::ZERO, Energy(7)]);
        assert_eq!(ration(Energy(9_000_000), &[101.1e-6, 0.7e-6, 0.69e-6]), [Energy(101), Energy(1), Energy::ZERO]);
    }

    #[test]
    fn whatever_is_wanted_no_more_than_the_surplus_is_given() {
        for wanted in [vec![], vec![0.0; 2], vec![1e300; 3], vec![f64::MAX, f64::MAX], vec![1e-300, 5.0]] {
            let given: i128 = ration(Energy(9_000_000), &wanted).iter().map(|part| i128::from(part.0)).sum();
            assert!((0..=9_000_000).contains(&given), "{wanted:?}");
        }
    }
}
