//! ```text
//! prosumers and a rule made in code ──▶ sweep × replicates ──▶ summaries, paired differences
//! ```
//!
//! A hamlet of two roofs and three households, on one of whose roofs prices move with patience: what does trust in the
//! ledger bring it? Replicates differ in the first prices, which are drawn.

use microgrid_sim::prelude::*;

/// Moves its price half as far as the others do.
#[derive(Clone, Debug)]
struct Patient;

impl PricingRule for Patient {
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        offer.moved_by(0.5 * offer.step * offer.excess())
    }
}

fn hamlet() -> Population {
    let [preference_pv, preference_grid] = [1.6, 1.4];
    let member = |(number, generation, load)| {
        let [generation, load] = [generation, load].map(Energy::nearest);
        let slot = SlotProfile { generation, load, preference_pv, preference_grid };
        Member::new(number, [slot; 2])
    };
    let roofs = [(1, 3.0, 1.0), (2, 2.5, 0.5)];
    let households = [(3, 0.0, 2.0), (4, 0.2, 2.5), (5, 0.0, 1.8)];
    Population { prosumers: roofs.into_iter().chain(households).map(member).collect() }
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let results = Simulation::builder()
        .scenario(Scenario::new("hamlet", PopulationSource::Synthetic(Synthetic::new(5))))
        .population(hamlet())
        .edit(|scenario| {
            (scenario.market.slots, scenario.market.open) = (2, (1, 2).into());
            scenario.replicates = Replicates::Count(4);
        })
        .vary("mu", [0.0, 1.0])
        .pricing_of([2], Patient)
        .run()?;

    let mean = |summary: &Summary| summary.measure("welfare_cny").and_then(Statistics::mean);
    let [doubtful, trusting] = [0, 1].map(|combination| mean(&results.summaries[combination]).unwrap_or(f64::NAN));
    let paired = |row: &&PairedRow| (&*row.knob, &*row.measure) == ("mu", "welfare_cny");
    let gain = results.paired.iter().find(paired).expect("two values make a pair");
    println!("welfare {doubtful:.3} CNY a slot, with trust {trusting:.3} CNY");
    println!(
        "so {:.3} CNY more, seed by seed, give or take {:.3}",
        gain.mean.unwrap_or(f64::NAN),
        gain.ci95.unwrap_or(f64::NAN)
    );

    assert_eq!((results.cases.len(), gain.count), (8, 4));
    assert!(gain.mean.is_some_and(|mean| mean > 0.1 && (mean - (trusting - doubtful)).abs() < 1e-9));
    Ok(())
}
