//! The ledger's file: how a run's chains lie in it, how they get there, and how anybody checks them.
//!
//! | where | what |
//! |---|---|
//! | [`schema`] | its tables and views |
//! | [`store`] | writes it while a run goes on |
//! | [`reader`] | reads it row by row, and takes nothing for granted |
//! | [`query`] | answers the contract's queries from it |
//! | [`verify`] | checks it from genesis to its end; shares nothing with whoever wrote it but the chain's vocabulary |
//! | [`place`] | names places on it |

#[cfg(any(test, feature = "fixtures"))]
#[doc(hidden)]
pub mod fixtures;
pub mod position;
pub mod query;
pub mod reader;
pub mod schema;
pub mod store;
#[cfg(test)]
mod tests;
pub mod verify;
