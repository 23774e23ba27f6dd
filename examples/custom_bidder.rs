//! ```text
//! notice: best bid ──▶ seller 1 ──▶ Patient::bid ──▶ orders ──▶ ledger
//!                      sellers 2 and 5 ask the feed-in tariff at once, as is true
//! ```
//!
//! A seller in a continuous double auction that asks for nothing until others have sold, and then sells to whoever bids
//! most. What it sells, it sells dearer than those who are truthful; what nobody waits for, the grid has.

use microgrid_sim::prelude::*;

const SLOT: Slot = 17;

/// Sells all that it has to the best bid that is shown.
#[derive(Clone, Debug)]
struct Patient;

impl Bidder for Patient {
    fn bid(&mut self, bidding: &Bidding<'_>, _: &mut Stream) -> Option<Vec<Step>> {
        match bidding.valuation {
            Valuation::Seller(energy) => Some(vec![Step { energy, limit: bidding.bid? }]),
            // As a buyer, what is true, once.
            Valuation::Buyer { .. } => bidding.last.is_none().then(|| bidding.truth(10)),
        }
    }
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let auction = || {
        Simulation::builder()
            .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
            .edit(|scenario| scenario.market.open = (SLOT, SLOT))
            .set("mu", 1.0)
            .set("mechanism", "ContinuousDoubleAuction")
    };
    let (usual, patient) = (auction().run()?, auction().bidder_of([0], Patient).run()?);
    let mean_price = |results: &Results| {
        let of_seller = results.cases[0].trades_in(SLOT).filter(|trade| trade.seller == 1);
        let (paid, energy) = of_seller.fold((0.0, 0.0), |(paid, energy), trade| {
            (paid + trade.payment_cny.value(), energy + trade.traded_kwh.value())
        });
        paid / energy
    };
    let [truthful, waiting] = [&usual, &patient].map(mean_price);
    println!("seller 1 earns {truthful:.4} CNY/kWh by the truth, and {waiting:.4} by waiting");
    assert!(waiting > truthful + 0.05);
    Ok(())
}
