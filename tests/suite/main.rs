//! What the simulator promises, one file a promise.

mod bad_scenarios;
mod scenarios;
