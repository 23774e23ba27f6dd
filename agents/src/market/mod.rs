//! The market, equation by equation, as plain functions of `docs/model.md`. No actor, no message, no time.
//!
//! Energy in kWh, prices in CNY/kWh, money in CNY, all as `f64`, except where amounts are settled: those are whole
//! units ([`crate::units`]).

pub mod aggregate;
pub mod demand;
pub mod opening;
pub mod part;
pub mod pricing;
pub mod replicator;
pub mod role;
pub mod settlement;
pub mod shares;
pub mod step;
pub(crate) mod stopping;
pub(crate) mod sums;
pub mod trades;
pub mod utility;

// Hidden: rules of scenarios, which the iteration of `microgrid-analysis` and the tests of this crate follow too.
#[doc(hidden)]
pub mod best_response;
#[doc(hidden)]
pub mod experience;
#[doc(hidden)]
pub mod imitation;

// Hidden: what each slot comes to for one prosumer, which `microgrid-analysis` and `microgrid-record` compute again.
#[doc(hidden)]
pub mod balance;
#[doc(hidden)]
pub mod storage;

#[doc(hidden)] // Hidden: read from scenarios by `microgrid-scenario`, and by the verifier in `microgrid-ledger`.
pub mod choice_set;
#[doc(hidden)] // Hidden: a rule of the genesis, which the simulation puts together.
pub mod mechanism;
