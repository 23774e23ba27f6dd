//! The ledger's file: how a run's chains lie in it.

pub mod schema;
pub mod store;
