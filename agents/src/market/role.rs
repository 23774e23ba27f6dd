//! Who buys and who sells in a slot: equations (1) to (3).

use crate::units::Energy;
use serde::{Deserialize, Serialize};

/// What a prosumer does in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Consumes more than it generates.
    Buyer,
    /// Generates more than it consumes.
    Seller,
    /// Generates just what it consumes, and stays out.
    Idle,
}

/// The role that follows from the production-to-consumption ratio `r = P / X` (1): below one buys, above one sells.
///
/// Amounts are compared as whole units, so that a ratio of one is exact; without consumption, any generation sells.
pub fn role(generation: Energy, load: Energy) -> Role {
    match generation.cmp(&load) {
        std::cmp::Ordering::Less => Role::Buyer,
        std::cmp::Ordering::Greater => Role::Seller,
        std::cmp::Ordering::Equal => Role::Idle,
    }
}

/// Need of a buyer `N = X - P` (2); zero for others.
pub fn need(generation: Energy, load: Energy) -> Energy {
    (load - generation).or_zero()
}

/// Surplus of a seller `S = P - X` (3); zero for others.
pub fn surplus(generation: Energy, load: Energy) -> Energy {
    (generation - load).or_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_decides_the_role() {
        let kwh = Energy::nearest;
        assert_eq!(role(kwh(1.75), kwh(2.55)), Role::Buyer);
        assert_eq!(role(kwh(4.828), kwh(3.1)), Role::Seller);
        assert_eq!(role(kwh(0.1 + 0.2), kwh(0.3)), Role::Idle);
        assert_eq!(role(kwh(0.5), Energy::ZERO), Role::Seller);
        assert_eq!(role(Energy::ZERO, Energy::ZERO), Role::Idle);
    }

    #[test]
    fn need_and_surplus_are_the_two_sides_of_one_difference() {
        let (generation, load) = (Energy::nearest(4.828), Energy::nearest(3.1));
        assert_eq!(surplus(generation, load), Energy(1_728_000));
        assert_eq!(need(generation, load), Energy::ZERO);
        assert_eq!(need(load, generation), Energy(1_728_000));
        assert_eq!(surplus(load, generation), Energy::ZERO);
    }
}
