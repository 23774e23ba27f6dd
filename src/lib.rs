//! Agent-based simulation of local electricity markets with controlled asynchrony and exact reproducibility.
//!
//! Prosumers, the utility grid and a ledger are actors that find the market's equilibrium, or fail to, only by exchanging
//! messages through a simulated network. Every run is measured against the equilibrium in closed form. The command `sim`
//! runs scenario files; this crate is the same for programs, which can do more: put rules of their own in the place of
//! some of the market's, and go on with the results as typed rows.
//!
//! # A first run
//!
//! ```
//! use microgrid_sim::prelude::*;
//!
//! let results = Simulation::builder()
//!     .ron(r#"Scenario(name: "noon", market: (slots: 13, open: (13, 13)), population: Synthetic(count: 12))"#)
//!     .set("delay", "20ms")
//!     .run()?;
//! let slot = results.cases[0].slot(13).expect("there are 13 slots");
//! println!("{:?} at {:?} CNY/kWh", slot.outcome, slot.price_mean_cny_per_kwh);
//! assert_eq!(slot.outcome, Outcome::Equilibrium);
//! assert!(slot.price_gap.is_some_and(|gap| gap.value() < 1e-4), "one price, that of the closed form");
//! # Ok::<(), SimulationError>(())
//! ```
//!
//! A scenario comes from a file, a text or a [`Scenario`](scenario::schema::Scenario) made in code; knobs are set or
//! varied as on the command line. [`Simulation::run`] keeps rows in memory ([`record::CaseRows`]), with summaries and
//! paired differences; [`Simulation::run_into`] writes the same run's folder as `sim` does, which [`record::Run`] reads, and
//! [`Simulation::resume`] finishes one that was ended early. Whoever waits gives the builder
//! [`progress`](SimulationBuilder::progress) and [`interrupt`](SimulationBuilder::interrupt).
//!
//! # Your own seller, buyer or network
//!
//! Four traits are the places where a market's participants and its network decide. The rules that a scenario can name
//! implement the same traits, so what you write is on a par with them.
//!
//! | to change | implement | and give it to |
//! |---|---|---|
//! | how a seller moves its price | [`PricingRule`](agents::prosumer::PricingRule) | [`pricing`](SimulationBuilder::pricing), [`pricing_of`](SimulationBuilder::pricing_of) |
//! | how a buyer divides itself over sellers | [`ChoiceRule`](agents::prosumer::ChoiceRule) | [`choice`](SimulationBuilder::choice), [`choice_of`](SimulationBuilder::choice_of) |
//! | how orders are made in an auction | [`Bidder`](agents::prosumer::Bidder) | [`bidder`](SimulationBuilder::bidder), [`bidder_of`](SimulationBuilder::bidder_of) |
//! | how long messages take, and which are lost | [`Carrier`](network::Carrier) | [`network`](SimulationBuilder::network) |
//! | nothing, only watch | a closure | [`observe`](SimulationBuilder::observe) |
//!
//! A rule is a value with a method or two. Each prosumer has a copy of its own and may remember things in it; registering,
//! billing, signing, repeating what was lost and recovering from crashes stay with the prosumer:
//!
//! ```
//! use microgrid_sim::prelude::*;
//!
//! /// Asks what the cheapest of the others asks.
//! #[derive(Clone, Debug)]
//! struct Follow;
//!
//! impl PricingRule for Follow {
//!     fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
//!         let cheapest = offer.others().fold(offer.band.ceiling, f64::min);
//!         // As far as the ramp allows in one step.
//!         offer.moved_by(cheapest - offer.price)
//!     }
//! }
//!
//! let noon = r#"Scenario(name: "noon", market: (slots: 13, open: (13, 13)), population: Synthetic(count: 12))"#;
//! let results = Simulation::builder().ron(noon).pricing_of([2], Follow).run()?;
//! assert!(results.cases[0].refusals.is_empty(), "the contract has found no fault with it");
//! # Ok::<(), SimulationError>(())
//! ```
//!
//! What a rule must not do, the ledger's contract refuses, by name and to that prosumer alone; see
//! [`CaseRows::refusals`](record::CaseRows::refusals). Results are the same whatever the shards and jobs, as long as a rule draws all that is
//! random from the stream that it is handed. The repository's `examples/` have a seller, a buyer and a network in full.
//! Whoever wants to replace whole actors finds [`simulation::actors`] and [`simulation::simulate_with`].
//!
//! # Features
//!
//! All are on by default: `cli` is the `sim` command, `report` is `report.html`, `figures` are the report's figures as SVG and
//! PNG, and `parquet` writes large tables as Parquet files. With `default-features = false` there are rows in memory and CSV
//! tables.
//!
//! # The map
//!
//! [`Simulation`] and the [`prelude`] are the way in for programs. [`scenario`] makes a validated plan of cases, [`simulation`]
//! runs one, with its [`agents`] hosted by [`runtime`] and connected by [`network`]; [`record`] makes tables of what is
//! observed, [`ledger`] writes and verifies `ledger.db`, [`report`] is what people look at, and [`analysis`] what theory says.

#[cfg(feature = "cli")]
pub mod cli;
mod days;
mod framework;
pub mod prelude;
// Hidden: for `sim-mpi`.
#[doc(hidden)]
pub mod ranks;
pub mod simulation;
// Hidden: the tests run plans that no builder makes.
#[doc(hidden)]
pub mod study;

pub use framework::{Partner, Progress, Results, Simulation, SimulationBuilder, SimulationError, StudyError};
pub use microgrid_agents as agents;
pub use microgrid_analysis as analysis;
pub use microgrid_ledger as ledger;
pub use microgrid_network as network;
pub use microgrid_record as record;
#[cfg(feature = "report")]
pub use microgrid_report as report;
pub use microgrid_runtime as runtime;
pub use microgrid_scenario as scenario;
