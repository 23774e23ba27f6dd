//! What the simulator promises, one file a promise.

mod bad_scenarios;
mod books;
mod cheat;
mod cli;
mod conservation;
mod convergence;
mod crash;
mod determinism;
mod faults;
mod misbehaviour;
mod ordering;
mod paper;
mod posts;
mod reference;
mod scenarios;
mod scripts;
mod stability;
mod support;
mod tampering;
mod verification;
