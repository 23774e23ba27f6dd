//! ```text
//! prosumer ──▶ Noon::carry ──▶ ledger      10 ms, but 0.6 s from 12 to 13 h
//! ```
//!
//! A network that gets slow at noon, when everybody talks. Prices are asked and answered once a second; news that are
//! older than half a period make them swing instead of settle, unless steps take the age of the news into account.

use microgrid_sim::{agents::prosumer::Adaptation, prelude::*};
use std::time::Duration;

const USUAL: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(600);

#[derive(Debug)]
struct Noon;

impl Carrier for Noon {
    fn carry(&self, letter: &Letter, random: &mut Stream) -> Fate {
        let hour = letter.sent.0 / 3_600_000_000_000;
        let delay = Delay::Constant(if hour == 12 { SLOW } else { USUAL });
        // Whatever else the scenario says of the link, such as loss, stays as it is.
        Quality { delay, ..letter.usual }.fate(random)
    }

    fn bounds(&self) -> Bounds {
        Bounds::delays(USUAL, SLOW)
    }
}

/// How the games from 11 to 14 h end: slots 12, 13 and 14.
fn outcomes(adaptation: Adaptation) -> Result<Vec<Outcome>, SimulationError> {
    let results = Simulation::builder()
        .file(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/5_prosumers.ron"))
        .edit(move |scenario| {
            scenario.market.open = (12, 14).into();
            scenario.market.gate_closure = Duration::from_secs(600);
            scenario.learning.adaptation = adaptation;
        })
        .set("mu", 1.0)
        .network(Noon)
        .run()?;
    let case = &results.cases[0];
    Ok((12..=14).filter_map(|slot| Some(case.slot(slot)?.outcome)).collect())
}

pub(crate) fn main() -> Result<(), SimulationError> {
    let (plain, aware) = (outcomes(Adaptation::None)?, outcomes(Adaptation::DelayAware)?);
    println!("12, 13, 14: {plain:?}; with steps that shrink with the age of the news: {aware:?}");
    assert_eq!(plain, [Outcome::Equilibrium, Outcome::GateClosure, Outcome::Equilibrium]);
    assert_eq!(aware, [Outcome::Equilibrium; 3]);
    Ok(())
}
