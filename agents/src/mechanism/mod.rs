//! Ways of trading: how the trades of a slot come about.

pub(crate) mod rest;
mod strategy;
pub(crate) mod two_level;

pub use strategy::Strategy;
