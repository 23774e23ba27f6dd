//! ```text
//! scenario file ──▶ builder ──run──▶ rows in memory: slots, trades, prices, key figures
//! ```
//!
//! Runs the published day for the hour of its table of trades, and holds the price that the prosumers found by their
//! messages alone against the closed form.

use microgrid_sim::prelude::*;

const SLOT: Slot = 17;

pub(crate) fn main() -> Result<(), SimulationError> {
    let results = Simulation::builder()
        .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
        .edit(|scenario| scenario.market.open = (SLOT, SLOT).into())
        .set("mu", 1.0)
        .run()?;
    let case = &results.cases[0];

    let slot = case.slot(SLOT).expect("the day has 24 slots");
    let value = |number: Option<Number>| number.map_or(f64::NAN, Number::value);
    let (price, theory) = (value(slot.price_mean_cny_per_kwh), value(slot.equilibrium_price_cny_per_kwh));
    println!("slot {SLOT}: {:?} after {} rounds, {} messages", slot.outcome, slot.rounds, slot.messages);
    println!("price {price:.6} CNY/kWh, by the closed form {theory:.6} CNY/kWh");
    for trade in case.trades_in(SLOT) {
        println!("{} buys {:.3} kWh of {}", trade.buyer, trade.traded_kwh.value(), trade.seller);
    }

    assert_eq!(slot.outcome, Outcome::Equilibrium);
    assert!((theory - 0.7).abs() < 1e-9 && (price - theory).abs() < 1e-5);
    let first = case.trades_in(SLOT).next().expect("there are trades");
    assert_eq!((first.buyer, first.seller), (3, 1));
    assert!((first.traded_kwh.value() - 0.768).abs() < 1e-3, "as the article prints it");
    assert!(case.prices(SLOT).values().all(|price| (price - theory).abs() < 1e-5), "one price for all sellers");
    assert!(case.key_figures.open_slots.welfare_gain_cny > 0.0, "better off than with the grid alone");
    Ok(())
}
