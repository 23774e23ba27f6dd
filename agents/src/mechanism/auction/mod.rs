//! Auctions: participants post limit orders, which are cleared together or meet as they arrive.

pub mod bidding;
pub mod book;
pub mod clearing;
pub mod valuation;
