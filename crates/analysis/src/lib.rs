//! What theory says about a slot, to hold a run against it: section numbers refer to `docs/model.md`.
//!
//! Nothing here takes part in a run: plain functions of a slot's data and of its outcome.

pub mod distance;
pub mod equilibrium;
pub mod peer_to_grid;
pub mod reference;
pub mod slot;
pub mod stability;
