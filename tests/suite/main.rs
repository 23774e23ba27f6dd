//! What the simulator promises, one file a promise.

mod bad_scenarios;
mod books;
mod cli;
mod conservation;
mod convergence;
mod determinism;
mod faults;
mod ordering;
mod paper;
mod reference;
mod scenarios;
mod support;
mod tampering;
mod verification;
