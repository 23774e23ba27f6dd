//! Auctions: participants post limit orders, which are cleared together at one price (`uniform.rs`), or meet as they arrive
//! (`continuous.rs`).

pub mod bidding;
pub mod book;
pub mod clearing;
pub(crate) mod continuous;
mod law;
mod player;
pub(crate) mod uniform;
pub mod valuation;
