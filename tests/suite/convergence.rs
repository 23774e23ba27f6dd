//! The plain iteration finds the closed form in markets of any size, scarce or plentiful.

use microgrid_agents::{
    market::{
        demand::{Buyer, Demand},
        pricing::PriceBand,
        replicator::Fitness,
        step::StepSize,
    },
    streams::{Purpose, Stream, stream},
};
use microgrid_sim::{
    agents::ids::LEDGER,
    analysis::{
        distance::distance,
        equilibrium::{Corner, Equilibrium, closed_form},
        reference::{Iteration, Market, Rest},
    },
};
use rand::RngExt;

const ALPHA: f64 = 0.4;
const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 1.05 };

struct RandomSlot {
    buyers: Vec<Buyer>,
    surplus: Vec<f64>,
    prices: Vec<f64>,
    first_choice: Vec<f64>,
}

/// A slot of 5 to 60 participants, a fifth to four fifths of them buyers, from scarcity to glut, and a random start.
///
/// With one or two buyers, firm and much in need, steps of one size can overshoot for ever; such slots are left out.
fn random_slot(random: &mut Stream, demand: Demand) -> RandomSlot {
    let participants = random.random_range(5..=60);
    let sellers = random.random_range(participants / 5..=participants - participants / 5 - 1);
    let buyers: Vec<Buyer> = (sellers..participants)
        .map(|_| Buyer {
            need: random.random_range(0.5..5.0),
            generation: random.random_range(0.0..3.0),
            preference: random.random_range(1.5..4.5),
        })
        .collect();
    let price = random.random_range(BAND.floor..BAND.ceiling);
    let wanted: f64 = buyers.iter().map(|buyer| buyer.optimal_purchase(price, ALPHA, demand)).sum();
    let supply = wanted.max(1.0) * random.random_range(0.7..1.3);
    let mut weights = |least: f64| -> Vec<f64> {
        let weights: Vec<f64> = (0..sellers).map(|_| random.random_range(least..1.0)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    };
    let surplus = weights(0.1).iter().map(|share| share * supply).collect();
    let first_choice = weights(0.1);
    let prices = (0..sellers).map(|_| random.random_range(BAND.floor..BAND.ceiling)).collect();
    RandomSlot { buyers, surplus, prices, first_choice }
}

fn play(slot: &RandomSlot, demand: Demand, fitness: Fitness, k: f64) -> (Equilibrium, Option<Rest>) {
    let market = Market {
        known: None,
        buyers: &slot.buyers,
        surplus: &slot.surplus,
        band: BAND,
        local_fee: 0.0,
        alpha: ALPHA,
        demand,
        fitness,
        replicator_step: StepSize::Scaled(k),
        price_step: StepSize::Scaled(k),
        ramp: 0.1,
    };
    let rest = Iteration::new(market, &slot.prices, &slot.first_choice).rest(1e-7, 3, 20_000);
    (closed_form(&slot.buyers, &slot.surplus, BAND, ALPHA, demand).unwrap(), rest)
}

#[test]
fn scaled_steps_come_to_rest_at_the_closed_form() {
    let mut random = stream(2023, LEDGER, Purpose::Population);
    let mut corners = [0; 3];
    let mut all_rounds = Vec::new();
    for number in 0..150 {
        let demand = if number % 2 == 0 { Demand::Elastic } else { Demand::Firm };
        let slot = random_slot(&mut random, demand);
        for k in [0.3, 0.5] {
            let what = format!("slot {number}, {demand:?}, k = {k}");
            let (theory, rest) = play(&slot, demand, Fitness::Public, k);
            let Some(Rest { rounds, last }) = rest else { panic!("{what} does not come to rest") };
            let found = distance(&last.prices, &last.aggregate, &slot.surplus, BAND, &theory);
            assert!(found.price_gap < 1e-4, "{what}: {found:?} after {rounds} rounds, {:?}", theory.corner);
            corners[theory.corner as usize] += 1;
            all_rounds.push(rounds);
        }
    }
    assert!(corners.iter().all(|&count| count > 20), "no one-sided sample: {corners:?}");
    all_rounds.sort_unstable();
    let median = all_rounds[all_rounds.len() / 2];
    assert!(median < 300, "takes {median} rounds in the middle");
}

#[test]
fn buyers_that_compare_only_their_own_gains_find_the_same_price() {
    let mut random = stream(2024, LEDGER, Purpose::Population);
    for number in 0..50 {
        let slot = random_slot(&mut random, Demand::Elastic);
        let (theory, rest) = play(&slot, Demand::Elastic, Fitness::Private, 0.3);
        let Some(Rest { last, rounds }) = rest else { panic!("slot {number} does not come to rest") };
        let found = distance(&last.prices, &last.aggregate, &slot.surplus, BAND, &theory);
        assert!(found.price_gap < 1e-4, "slot {number}: {found:?} after {rounds} rounds");
    }
}

/// Total demand at the closed form's price meets the surplus, or a tariff keeps it from doing so.
#[test]
fn the_closed_form_clears_every_market() {
    let mut random = stream(2025, LEDGER, Purpose::Population);
    for _ in 0..300 {
        for demand in [Demand::Elastic, Demand::Firm] {
            let slot = random_slot(&mut random, demand);
            let supply: f64 = slot.surplus.iter().sum();
            let found = closed_form(&slot.buyers, &slot.surplus, BAND, ALPHA, demand).unwrap();
            let total = |price| slot.buyers.iter().map(|b| b.optimal_purchase(price, ALPHA, demand)).sum::<f64>();
            match found.corner {
                Corner::Interior => assert!((total(found.price) - supply).abs() < 1e-9 * supply),
                Corner::Floor => assert!(found.price == BAND.floor && total(BAND.floor) < supply),
                Corner::Ceiling => assert!(found.price == BAND.ceiling && total(BAND.ceiling) > supply),
            }
            let bought: f64 = found.purchases.iter().sum();
            let sold: f64 = found.sold.iter().sum();
            assert!((bought - supply.min(total(found.price))).abs() < 1e-9 * supply);
            assert!((bought - sold).abs() < 1e-9 * supply);
        }
    }
}
