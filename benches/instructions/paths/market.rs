//! The arithmetic of a round, pair by pair.

use super::{SEED, counted};
use microgrid_agents::{
    market::{
        aggregate::{Posted, Sums},
        choice_set::ChoiceSet,
        demand::Buyer,
        pricing::PriceBand,
        replicator::replicator_step,
    },
    streams::{Purpose, Stream, stream},
};
use microgrid_sim::agents::ids::LEDGER;
use rand::RngExt;
use std::{hint::black_box, sync::Arc};

const ALPHA: f64 = 0.4;
const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 1.05 };
const SELLERS: usize = 250;
const BUYER: Buyer = Buyer { need: 3.0, generation: 1.0, preference: 2.5 };

fn random() -> Stream {
    stream(SEED, LEDGER, Purpose::Behaviour)
}

fn numbers(random: &mut Stream, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.random_range(0.1..1.0)).collect()
}

/// A hundred steps of one buyer.
pub(super) fn replicator_steps() {
    let mut random = random();
    let (mut shares, fitness) = (numbers(&mut random, SELLERS), numbers(&mut random, SELLERS));
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    counted(&mut || {
        for _ in 0..100 {
            black_box(replicator_step(black_box(&mut shares), black_box(&fitness), 0.01));
        }
    });
}

/// Two hundred choices among all sellers are added up.
pub(super) fn sums_of_all() {
    let mut random = random();
    let choices: Vec<_> = (0..200).map(|_| Chosen::of(None, SELLERS, &mut random)).collect();
    add_up(ChoiceSet::All, SELLERS, &choices);
}

/// Two thousand choices among 16 sellers each are added up.
pub(super) fn sums_of_known() {
    let (choice_set, sellers, mut random) = (ChoiceSet::Sample(16), 4_000, random());
    let choices: Vec<_> = (0..2_000)
        .map(|_| {
            let known = choice_set.draw(sellers, &mut random);
            Chosen::of(known, choice_set.size(sellers), &mut random)
        })
        .collect();
    add_up(choice_set, sellers, &choices);
}

/// A choice of [`BUYER`].
struct Chosen {
    known: Option<Arc<[u32]>>,
    shares: Vec<f64>,
    purchases: Vec<f64>,
}

impl Chosen {
    fn of(known: Option<Arc<[u32]>>, sellers: usize, random: &mut Stream) -> Self {
        Self { known, shares: numbers(random, sellers), purchases: numbers(random, sellers) }
    }

    fn posted(&self) -> Posted<'_> {
        let Self { known, shares, purchases } = self;
        Posted { buyer: &BUYER, known: known.as_deref(), shares, purchases, responsive: 1.0 }
    }
}

/// Adds choices, takes each away again and adds it once more, as when it is replaced, and draws the sums together.
fn add_up(choice_set: ChoiceSet, sellers: usize, choices: &[Chosen]) {
    let mut sums = Sums::new(choice_set, sellers, ALPHA, 0.0);
    let market = numbers(&mut random(), sellers);
    counted(&mut || {
        sums.add(black_box(choices).iter().map(Chosen::posted));
        for choice in black_box(choices) {
            sums.take_away(&choice.posted());
            sums.add([choice.posted()]);
        }
        black_box(sums.aggregate(&market, &market, BAND));
    });
}
