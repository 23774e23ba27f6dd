//! What the contract carries out and what it refuses, without any ledger.

mod energy;
mod game;
mod garbage;
mod registration;
mod settlement;
mod world;
