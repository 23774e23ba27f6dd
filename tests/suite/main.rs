//! Integration tests: one file a promise.

mod conservation;
mod convergence;
mod determinism;
mod faults;
mod ordering;
mod paper;
mod reference;
mod support;
