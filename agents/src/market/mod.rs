//! The market, equation by equation, as plain functions of `docs/model.md`. No actor, no message, no time.
//!
//! Energy in kWh, prices in CNY/kWh, money in CNY, all as `f64`, except where amounts are settled: those are whole
//! units ([`crate::units`]).

pub mod aggregate;
pub mod balance;
pub mod best_response;
pub mod choice_set;
pub mod demand;
pub mod experience;
pub mod exploration;
pub mod imitation;
pub mod mixing;
pub mod pricing;
pub mod regrowth;
pub mod replicator;
pub mod role;
pub mod settlement;
pub mod step;
pub mod stopping;
pub mod storage;
pub(crate) mod sums;
pub mod trades;
pub mod utility;
