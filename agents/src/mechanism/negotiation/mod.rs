//! Negotiation: the exchange form of the alternating direction method of multipliers (ADMM).
//!
//! What is posted, shown and settled is as in the two-level game, and sellers move their prices as there. Buyers do not
//! learn: each divides what is best for it, not far from what it asked for last.

mod buyer;
mod proximal;

use super::two_level::PlayerWith;
pub(crate) use super::two_level::{Board, Law};

/// A party to the negotiation.
pub(crate) type Player = PlayerWith<buyer::Buyer>;
