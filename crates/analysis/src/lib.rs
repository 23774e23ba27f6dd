//! What theory says about a slot, to hold a run against it: section numbers refer to `docs/model.md`.
//!
//! Nothing here takes part in a run: plain functions of a slot's data and of its outcome.

pub mod equilibrium;
pub mod reference;
pub mod stability;

// Hidden: what of theory `microgrid-record` puts into tables, and the simulation into its actors.
#[doc(hidden)]
pub mod distance;
#[doc(hidden)]
pub mod peer_to_grid;
#[doc(hidden)]
pub mod slot;
