//! The plain market without actors or messages: what the simulator's overhead is measured against.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use microgrid_agents::{
    market::{
        demand::{Buyer, Demand},
        pricing::PriceBand,
        replicator::Fitness,
        step::StepSize,
    },
    streams::{Purpose, stream},
};
use microgrid_sim::{
    agents::ids::LEDGER,
    analysis::{
        equilibrium::closed_form,
        reference::{Iteration, Market},
    },
};
use rand::RngExt;
use std::hint::black_box;

const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 1.05 };
const ALPHA: f64 = 0.4;

/// Half of the prosumers buy, half sell.
fn slot(prosumers: usize) -> (Vec<Buyer>, Vec<f64>) {
    let mut random = stream(2023, LEDGER, Purpose::Population);
    let buyers = (0..prosumers / 2).map(|_| Buyer {
        need: random.random_range(0.5..5.0),
        generation: random.random_range(0.0..3.0),
        preference: random.random_range(1.5..4.5),
    });
    let buyers = buyers.collect();
    let surplus = (0..prosumers - prosumers / 2).map(|_| random.random_range(2.0..6.0)).collect();
    (buyers, surplus)
}

fn plain_market(criterion: &mut Criterion) {
    for prosumers in [10, 100, 500, 1000] {
        let (buyers, surplus) = slot(prosumers);
        let market = Market {
            known: None,
            buyers: &buyers,
            surplus: &surplus,
            band: BAND,
            local_fee: 0.0,
            alpha: ALPHA,
            demand: Demand::Elastic,
            fitness: Fitness::Public,
            replicator_step: StepSize::Scaled(0.3),
            price_step: StepSize::Scaled(0.5),
            ramp: 0.1,
        };
        let mut group = criterion.benchmark_group("reference");
        group.throughput(Throughput::Elements((buyers.len() * surplus.len()) as u64));
        group.bench_with_input(BenchmarkId::new("round", prosumers), &market, |bencher, &market| {
            let prices: Vec<f64> = (0..surplus.len()).map(|j| 0.5 + 0.5 * j as f64 / surplus.len() as f64).collect();
            let mut iteration = Iteration::new(market, &prices, &vec![1.0 / surplus.len() as f64; surplus.len()]);
            bencher.iter(|| black_box(iteration.next()));
        });
        group.throughput(Throughput::Elements(buyers.len() as u64));
        group.bench_with_input(BenchmarkId::new("closed_form", prosumers), &market, |bencher, market| {
            bencher.iter(|| closed_form(black_box(market.buyers), market.surplus, BAND, ALPHA, Demand::Elastic));
        });
        group.finish();
    }
}

criterion_group!(benches, plain_market);
criterion_main!(benches);
