//! The prosumer.
