//! ```text
//! market state ──▶ buyer 4 ──▶ Neighbour::learn ──▶ choice ──▶ ledger
//!                  buyer 3 by replicator dynamics, as ever
//! ```
//!
//! A buyer that takes half of what it wants from its neighbour, and divides only the rest by what it has learnt. The
//! other buyer makes room for it: who buys from whom changes, and the price does not.

use microgrid_sim::prelude::*;

const SLOT: Slot = 17;

/// Keeps this share for one seller.
#[derive(Clone, Debug)]
struct Neighbour {
    seller: ProsumerId,
    share: f64,
}

impl ChoiceRule for Neighbour {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, _: &mut Stream) -> f64 {
        let before = shares.to_vec();
        replicator_step(shares, lesson.fitness, lesson.step);
        if let Some(place) = lesson.market.sellers.iter().position(|seller| *seller == self.seller) {
            let others = 1.0 - shares[place];
            shares.iter_mut().for_each(|share| *share *= (1.0 - self.share) / others);
            shares[place] = self.share;
        }
        largest_change(&before, shares)
    }
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let published = || {
        Simulation::builder()
            .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
            .edit(|scenario| scenario.market.open = (SLOT, SLOT).into())
            .set("mu", 1.0)
    };
    let (usual, loyal) = (published().run()?, {
        // Prosumer 5 of the scenario has position 4, counted from 0.
        published().choice_of([4], Neighbour { seller: ProsumerId(4), share: 0.5 }).run()?
    });
    for (results, of_neighbour, of_other) in [(&usual, 0.760, 0.608), (&loyal, 1.000, 0.368)] {
        let case = &results.cases[0];
        let bought = |buyer| case.trades_in(SLOT).find(|trade| (trade.buyer, trade.seller) == (buyer, 5));
        let [four, three] = [4, 3].map(|buyer| bought(buyer).map_or(0.0, |trade| trade.traded_kwh.value()));
        println!("of prosumer 5, buyer 4 has {four:.3} kWh and buyer 3 {three:.3} kWh, at {:.4?}", case.prices(SLOT));
        assert_eq!(case.slot(SLOT).map(|row| row.outcome), Some(Outcome::Equilibrium));
        assert!((four - of_neighbour).abs() < 1e-3 && (three - of_other).abs() < 1e-3);
        assert!(case.prices(SLOT).values().all(|price| (price - 0.7).abs() < 1e-5));
    }
    Ok(())
}
