//! The bills that follow from a closed game, derived once more from its last quotes and choices: equation (10).

use super::super::super::{
    bills::{Bills, bill},
    state::State,
};
use microgrid_agents::{
    chain::{
        fact::{Fact, Key, Number},
        genesis::Genesis,
    },
    ids::Slot,
    market::demand::Demand,
    statement::Registration,
    units::Energy,
};
use std::collections::BTreeMap;

/// The bills that follow from the slot's game as it stands; none without a game.
pub(in crate::verify::mechanism) fn bills(genesis: &Genesis, state: &State, slot: Slot) -> Bills {
    let Some(Fact::Game(game)) = state.fact(Key::Game(slot)) else { return Bills::default() };
    let lots = Lots { seed: genesis.seed, slot };
    let mut demands = Vec::new();
    for &buyer in &game.buyers {
        let Some(Fact::Choice(choice)) = state.fact(Key::Choice(slot, buyer)) else { continue };
        let need = match state.fact(Key::Register(slot, buyer)) {
            Some(Fact::Register(Registration::Buyer(terms))) if genesis.rules.demand == Demand::Firm => {
                Some(Energy::at_most(terms.need))
            }
            _ => None,
        };
        let seller = |place: u32| game.sellers.get(place as usize).copied();
        let wanted = choice.pairs().filter_map(|(place, share, x)| Some((seller(place)?, share * x))).collect();
        demands.push(Demanded { buyer, need, wanted });
    }
    let surplus = |seller| match state.fact(Key::Register(slot, seller)) {
        Some(Fact::Register(Registration::Seller(surplus))) => *surplus,
        _ => Energy::ZERO,
    };
    let surplus = game.sellers.iter().map(|&seller| (seller, surplus(seller))).collect();
    let mut bills = BTreeMap::new();
    for (buyer, seller, energy) in divide(lots, &surplus, &demands) {
        let Some(Fact::Quote(quote)) = state.fact(Key::Quote(slot, seller)) else { continue };
        if energy > Energy::ZERO {
            let bill = bill(energy, quote.price, genesis.rules.local_fee());
            bills.extend(bill.map(|bill| ((buyer, seller), bill)));
        }
    }
    Bills(bills)
}

/// Parts of a unit that what is not yet whole is counted in.
const GRAIN: i128 = 4096;

/// The nearest whole number of such parts to an amount [kWh].
fn grains(kwh: f64) -> i128 {
    i128::from((kwh * 4.096e9).round() as i64)
}

/// The most units that may be due to whoever wants so much in all [kWh].
pub(super) fn most_due(wanted: f64) -> i128 {
    (grains(wanted) + GRAIN - 1) / GRAIN
}

#[derive(Debug)]
struct Demanded {
    buyer: Number,
    /// The most that it may get, if its need is firm.
    need: Option<Energy>,
    /// Of whom, how much [kWh].
    wanted: Vec<(Number, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Lots {
    seed: u64,
    slot: Slot,
}

impl Lots {
    fn of(self, buyer: Number, seller: Number) -> u64 {
        let parties = u64::from(buyer) * (1 << 32) + u64::from(seller);
        mixed(parties ^ mixed(u64::from(self.slot) ^ mixed(self.seed)))
    }
}

/// The first number of SplitMix64 from this state.
fn mixed(state: u64) -> u64 {
    let mut bits = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// What a buyer gets of a seller, in parts of a unit until all are whole.
#[derive(Clone, Copy, Debug)]
struct Flow {
    buyer: Number,
    seller: Number,
    grains: i128,
}

/// Divides what the sellers have among those who want some of it, by the rule in `docs/ledger.md`.
fn divide(lots: Lots, surplus: &BTreeMap<Number, Energy>, demands: &[Demanded]) -> Vec<(Number, Number, Energy)> {
    let mut flows: Vec<Flow> = demands.iter().flat_map(|demand| spread(lots, demand)).collect();
    for (&seller, places) in &by_party(&flows).1 {
        let supply = i128::from(surplus.get(&seller).map_or(0, |surplus| surplus.0)) * GRAIN;
        ration(&mut flows, places, supply, lots.of(seller, seller));
    }
    // From here on in the order of the lots.
    let leading = |number: Number| lots.of(number, number) >> 32;
    flows.sort_by_key(|flow| (leading(flow.buyer), leading(flow.seller), flow.buyer, flow.seller));
    let (at_buyers, at_sellers) = by_party(&flows);
    for digit in 0..GRAIN.ilog2() {
        let odd = |places: &Vec<usize>| -> Vec<usize> {
            places.iter().copied().filter(|&place| flows[place].grains >> digit & 1 == 1).collect()
        };
        // Whom a flow is tied to at its buyer and at its seller: itself, if nobody else.
        let mut ties: Vec<[usize; 2]> = (0..flows.len()).map(|place| [place; 2]).collect();
        for (side, parties) in [&at_buyers, &at_sellers].into_iter().enumerate() {
            for places in parties.values().map(odd) {
                for tie in places.chunks_exact(2) {
                    ties[tie[0]][side] = tie[1];
                    ties[tie[1]][side] = tie[0];
                }
            }
        }
        let mut changes = vec![0; flows.len()];
        for first in odd(&(0..flows.len()).collect()) {
            if changes[first] != 0 {
                continue;
            }
            let mut told = vec![(first, 1)];
            let mut bound = Vec::new();
            while let Some((place, change)) = told.pop() {
                if changes[place] == 0 {
                    changes[place] = change;
                    bound.push(place);
                    told.extend(ties[place].iter().map(|&other| (other, -change)));
                }
            }
            let above_half = |&place: &usize| changes[place] * (flows[place].grains % GRAIN - GRAIN / 2);
            let nearer: i128 = bound.iter().map(above_half).sum();
            let drawn = lots.of(flows[first].buyer, flows[first].seller) >> digit & 1 == 1;
            if nearer < 0 || nearer == 0 && !drawn {
                bound.iter().for_each(|&place| changes[place] = -changes[place]);
            }
        }
        for (flow, change) in flows.iter_mut().zip(changes) {
            flow.grains += change << digit;
        }
    }
    let whole = |flow: Flow| (flow.buyer, flow.seller, Energy(i64::try_from(flow.grains / GRAIN).unwrap_or(i64::MAX)));
    flows.into_iter().map(whole).collect()
}

/// The places of each buyer's flows, and of each seller's, ascending.
fn by_party(flows: &[Flow]) -> (BTreeMap<Number, Vec<usize>>, BTreeMap<Number, Vec<usize>>) {
    let (mut at_buyers, mut at_sellers) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for (place, flow) in flows.iter().enumerate() {
        at_buyers.entry(flow.buyer).or_default().push(place);
        at_sellers.entry(flow.seller).or_default().push(place);
    }
    (at_buyers, at_sellers)
}

/// What a buyer wants, such that it adds up to the nearest whole number of parts, and to no more than a firm need.
fn spread(lots: Lots, demand: &Demanded) -> Vec<Flow> {
    let Demanded { buyer, need, wanted } = demand;
    // The sums up to each.
    let sums: Vec<f64> = wanted
        .iter()
        .scan(0.0, |sum, (_, kwh)| {
            *sum += kwh;
            Some(*sum)
        })
        .collect();
    let total = sums.last().copied().unwrap_or_default();
    let whole = grains(total).min(need.map_or(i128::MAX, |need| i128::from(need.0) * GRAIN));
    let lot = (lots.of(*buyer, *buyer) >> 11) as f64 * f64::powi(2.0, -53);
    let upto =
        |sum: f64| if sum == total { whole } else { whole.min((sum / total * whole as f64 + lot).floor() as i128) };
    let marks: Vec<i128> = sums.into_iter().map(upto).collect();
    let before = [0].into_iter().chain(marks.iter().copied());
    let amounts = marks.iter().zip(before).map(|(upto, before)| upto - before);
    amounts.zip(wanted).map(|(grains, &(seller, _))| Flow { buyer: *buyer, seller, grains }).collect()
}

/// Cuts down what is wanted of a seller to what it has: part by part rounded down, with the remainder carried on.
fn ration(flows: &mut [Flow], places: &[usize], supply: i128, lot: u64) {
    let wanted: i128 = places.iter().map(|&place| flows[place].grains).sum();
    if wanted <= supply {
        return;
    }
    let mut carried = i128::from(lot) % wanted;
    for &place in places {
        let due = flows[place].grains * supply + carried;
        (flows[place].grains, carried) = (due / wanted, due % wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::market::settlement::{Division, Party, Wish, rounded_up};
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn the_published_trades_come_out() {
        let surplus = BTreeMap::from([(1, Energy(1_728_000)), (2, Energy(504_000)), (5, Energy(1_368_000))]);
        let demand =
            |buyer, x: f64| Demanded { buyer, need: None, wanted: vec![(1, 0.48 * x), (2, 0.14 * x), (5, 0.38 * x)] };
        let mut flows = divide(Lots { seed: 2023, slot: 17 }, &surplus, &[demand(3, 1.6), demand(4, 2.0)]);
        flows.sort_unstable();
        let expected =
            [(3, 1, 768_000), (3, 2, 224_000), (3, 5, 608_000), (4, 1, 960_000), (4, 2, 280_000), (4, 5, 760_000)];
        assert_eq!(flows, expected.map(|(buyer, seller, units)| (buyer, seller, Energy(units))));
    }

    #[test]
    fn lots_are_drawn_as_the_reference_implementation_of_splitmix64_draws_them() {
        assert_eq!(mixed(1_477_776_061_723_855_037), 1_985_237_415_132_408_290);
    }

    proptest! {
        /// Two independent derivations of the same rule, whoever knows whom.
        #[test]
        fn the_ledger_divides_alike(
            surplus in vec(prop_oneof![0..9_i64, 0..9_000_000_i64], 1..12),
            rows in vec((vec(prop_oneof![1 => Just(0.0), 1 => 0.0..1e-5, 3 => 0.0..1.5], 12), any::<bool>()), 0..12),
            equal in any::<bool>(), seed in any::<u64>(), slot in any::<u32>(),
        ) {
            let (mut buyers, mut wishes, mut demands) = (Vec::new(), Vec::new(), Vec::new());
            for (place, (wanted, firm)) in (0..).zip(&rows) {
                let wanted = if equal { &rows[0].0 } else { wanted };
                let number = 50 + 3 * place;
                let wanted: Vec<(Number, f64)> = (0..surplus.len() as u32).zip(wanted.iter().copied()).collect();
                // Half a unit less than it wants, so that the limit cuts.
                let need = firm.then(|| Energy::at_most(wanted.iter().map(|(_, kwh)| kwh).sum::<f64>() - 0.5e-6).or_zero());
                buyers.push(Party { number, most: need.unwrap_or(Party::ANY) });
                let known = wanted.iter().filter(|(_, kwh)| *kwh > 0.0);
                wishes.extend(known.map(|&(seller, wanted)| Wish { buyer: place, seller, wanted }));
                let wanted = wanted.into_iter().map(|(place, kwh)| (7 * place, kwh)).collect();
                demands.push(Demanded { buyer: number, need, wanted });
            }
            let parties = (0..).zip(&surplus).map(|(place, &units)| Party { number: 7 * place, most: Energy(units) });
            let sellers: Vec<Party> = parties.collect();
            let parts = Division { seed, slot, sellers: &sellers, buyers: &buyers, wishes: &wishes }.divide();
            let named = |wish: &Wish| (buyers[wish.buyer as usize].number, sellers[wish.seller as usize].number);
            let ours: Vec<_> = wishes.iter().map(named).zip(parts).map(|((b, s), part)| (b, s, part)).collect();
            let offers = sellers.iter().map(|seller| (seller.number, seller.most)).collect();
            let mut flows = divide(Lots { seed, slot }, &offers, &demands);
            flows.sort_unstable();
            flows.retain(|&(buyer, seller, _)| ours.iter().any(|flow| (flow.0, flow.1) == (buyer, seller)));
            prop_assert_eq!(flows, ours);
        }

        #[test]
        fn the_contract_allows_a_buyer_the_same(wanted in 0.0..1e3) {
            prop_assert_eq!(most_due(wanted), i128::from(rounded_up(wanted).0));
        }
    }
}
