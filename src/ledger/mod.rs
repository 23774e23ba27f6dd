//! The ledger's file, `ledger.db`: how the chains of a run lie in it, who writes them there, and who checks them.
//!
//! | where | what |
//! |---|---|
//! | [`schema`] | tables and views |
//! | [`store`] | writes blocks while a study runs |
//! | [`place`] | finds the file of a run |
//! | [`reader`] | reads its rows, trusting none |
//! | [`verify`] | replays the chains from genesis to their end; shares nothing with whoever wrote them |

pub mod place;
pub mod reader;
pub mod schema;
pub mod store;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;
