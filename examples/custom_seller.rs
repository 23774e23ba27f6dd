//! ```text
//! market state ──▶ seller 5 ──▶ HoldBack::next_price ──▶ quote ──▶ ledger
//!                  sellers 1, 2 by excess demand, as ever
//! ```
//!
//! A seller that holds back a tenth of its surplus: it moves its price as if it had no more than the rest to sell. The
//! market is the scarcer for it, so that everybody's price rises to where demand is down by as much.

use microgrid_sim::prelude::*;

const SLOT: Slot = 17;

/// Prices by excess demand over a part of the surplus only.
#[derive(Clone, Debug)]
struct HoldBack {
    part: f64,
}

impl PricingRule for HoldBack {
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        let excess = offer.demand - (1.0 - self.part) * offer.surplus;
        offer.moved_by(offer.step * excess)
    }
}

fn published() -> SimulationBuilder {
    Simulation::builder()
        .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
        .edit(|scenario| scenario.market.open = (SLOT, SLOT).into())
        .set("mu", 1.0)
}

/// What prosumers 1, 2 and 5 earn in the slot, and the price there.
fn outcome(results: &Results) -> ([f64; 3], f64) {
    let case = &results.cases[0];
    let outcome = case.slot(SLOT).map(|row| row.outcome);
    assert!(matches!(outcome, Some(Outcome::Equilibrium | Outcome::Rest)), "{outcome:?}");
    let row = |number| case.prosumers.iter().find(|row| (row.slot, row.prosumer) == (SLOT, number));
    let earned = [1, 2, 5].map(|number| row(number).map_or(f64::NAN, |row| row.earned_cny.value()));
    (earned, case.prices(SLOT)[&5])
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let (usual, price) = outcome(&published().run()?);
    let (scarce, higher) = outcome(&published().pricing_of([5], HoldBack { part: 0.1 }).run()?);
    println!("price {price:.4} CNY/kWh, with a tenth held back {higher:.4} CNY/kWh");
    println!("sellers 1, 2, 5 earn {usual:.4?} CNY, then {scarce:.4?} CNY");

    // Two buyers whose demand falls by a kWh each for every 0.4 CNY/kWh.
    let expected = price + 0.4 * (0.1 * 1.368) / 2.0;
    assert!((higher - expected).abs() < 1e-5);
    assert!(scarce[0] > 1.03 * usual[0] && scarce[1] > 1.03 * usual[1], "the others earn from it");
    assert!(scarce[2] < usual[2], "it does not: the grid pays less for what it holds back");
    Ok(())
}
