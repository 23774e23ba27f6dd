//! Rates: local energy has one price, by a rule from supply and demand.

pub mod rule;
