//! Agent-based simulation of local electricity markets with controlled asynchrony and exact reproducibility.
//!
//! The actors and the market's mathematics are in the crate [`microgrid_agents`]; this crate turns a [`scenario`] into
//! a [`simulation`] on the [`runtime`], compares it with theory ([`analysis`]) and leaves results ([`record`]).

pub mod analysis;
pub mod cli;
pub mod framework;
pub mod ledger;
pub mod prelude;
pub mod record;
pub mod report;
pub mod runtime;
pub mod scenario;
pub mod simulation;
pub mod study;

pub use framework::{Results, Simulation, SimulationBuilder, SimulationError};
pub use microgrid_agents as agents;
