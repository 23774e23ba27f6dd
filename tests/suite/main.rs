//! Integration tests: one file a promise.

mod convergence;
mod reference;
