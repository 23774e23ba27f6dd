//! The ledger's file: how a run's chains lie in it.

pub mod place;
pub mod reader;
pub mod schema;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;
