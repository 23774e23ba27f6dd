//! What the simulator promises, one file a promise.

mod bad_scenarios;
mod cli;
mod conservation;
mod convergence;
mod crash;
mod determinism;
mod faults;
mod ordering;
mod paper;
mod posts;
mod reference;
mod scenarios;
mod support;
