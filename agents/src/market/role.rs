//! Who buys and who sells in a slot: equation (1).

use crate::units::Energy;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// What a prosumer does in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Consumes more than it generates.
    Buyer,
    /// Generates more than it consumes.
    Seller,
    /// Generates just what it consumes, and stays out.
    Idle,
}

impl Role {
    /// The role that follows from the production-to-consumption ratio `r = P / X` (1): below one buys, above one sells.
    /// Amounts are compared as whole units, so that a ratio of one is exact; without consumption, any generation sells.
    pub fn of(generation: Energy, load: Energy) -> Self {
        match generation.cmp(&load) {
            Ordering::Less => Self::Buyer,
            Ordering::Greater => Self::Seller,
            Ordering::Equal => Self::Idle,
        }
    }
}
