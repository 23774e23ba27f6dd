//! What the simulator promises, one file a promise.

mod adversity;
mod bad_scenarios;
mod behaviours;
mod books;
mod broadcast;
mod cheat;
mod cli;
mod conservation;
mod convergence;
mod crash;
mod determinism;
mod faults;
mod misbehaviour;
mod network;
mod ordering;
mod paper;
mod posts;
mod reference;
mod scenarios;
mod scripts;
mod stability;
mod support;
mod sweep;
mod tampering;
mod verification;
mod wall_clock;
