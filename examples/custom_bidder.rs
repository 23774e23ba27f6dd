//! ```text
//! notice: best ask ──▶ buyer 4 ──▶ Patient::bid ──▶ orders ──▶ ledger
//!                      buyer 3 bids at once, as is true
//! ```
//!
//! A buyer in a continuous double auction that waits until something is for sale. Buyers act first there, so that what is
//! bid at once rests at its own limit, and is sold to at that. Who waits pays what the sellers ask.

use microgrid_sim::prelude::*;

const SLOT: Slot = 17;

/// Bids what is true, but only once there are asks.
#[derive(Clone, Debug)]
struct Patient;

impl Bidder for Patient {
    fn bid(&mut self, bidding: &Bidding<'_>, _: &mut Stream) -> Option<Vec<Step>> {
        (bidding.last.is_none() && bidding.ask.is_some()).then(|| bidding.truth(10))
    }
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let auction = || {
        Simulation::builder()
            .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
            .edit(|scenario| scenario.market.open = (SLOT, SLOT).into())
            .set("mu", 1.0)
            .set("mechanism", "ContinuousDoubleAuction")
    };
    let (usual, patient) = (auction().run()?, auction().bidder_of([4], Patient).run()?);
    let [truthful, waiting] = [&usual, &patient].map(|results| {
        let bought = results.cases[0].trades_in(SLOT).filter(|trade| trade.buyer == 4);
        let (paid, energy) = bought.fold((0.0, 0.0), |(paid, energy), trade| {
            (paid + trade.payment_cny.value(), energy + trade.traded_kwh.value())
        });
        paid / energy
    });
    println!("buyer 4 pays {truthful:.4} CNY/kWh where it bids at once, and {waiting:.4} where it waits");
    assert!((waiting - 0.45).abs() < 1e-6 && truthful > waiting + 0.1);
    Ok(())
}
