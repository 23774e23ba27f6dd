//! The ledger's file: how a run's chains lie in it, how they get there, and how anybody checks them.
//!
//! | where | what |
//! |---|---|
//! | [`schema`] | its tables and views |
//! | [`store`] | writes it while a run goes on |
//! | [`reader`] | reads it row by row, and takes nothing for granted |
//! | [`query`] | answers the contract's queries from it |
//! | [`verify`] | checks it from genesis to its end; shares nothing with whoever wrote it but the chain's vocabulary |
//! | [`position`] | names places on it |

#[cfg(any(test, feature = "fixtures"))]
#[doc(hidden)]
pub mod fixtures;
pub mod position;
pub mod schema;
#[cfg(test)]
mod tests;
pub mod verify;

// Hidden: what the `sim` command looks a ledger up with.
#[doc(hidden)]
pub mod query;
#[doc(hidden)]
pub mod reader;

// Hidden: what `microgrid-record` writes a ledger with.
#[doc(hidden)]
pub mod store;
