//! Integration tests: one file a promise.

mod convergence;
mod ordering;
mod reference;
