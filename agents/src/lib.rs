//! The actors of a local electricity market, and its mathematics.
//!
//! Everything here is pure: an actor is a state machine that receives a message or a wake-up, changes only its own
//! state and asks its [`Context`](actor::Context) to send, wake or observe. No clock, thread, socket or file; whatever
//! hosts the actors (see the crate `microgrid-sim`) provides those. Equation numbers refer to `docs/model.md`.
//!
//! | where | what |
//! |---|---|
//! | [`market`] | the equations as plain functions |
//! | [`message`] | every message, with who sends it to whom |
//! | [`actor`] | the [`Actor`](actor::Actor) trait and what an actor may ask of its host |
//! | [`prosumer`], [`grid`], [`ledger`] | the three kinds of actor |
//! | [`contract`] | what the ledger's transactions mean: registration, game, settlement, metering |
//! | [`chain`] | what stands on the ledger: transactions, blocks, facts, signatures |
//! | [`member`] | an actor's identity on the chains, with which it signs |
//! | [`observation`] | what actors report about themselves; nothing reads it back |
//! | [`streams`] | named random streams derived from the run's seed |
//! | [`units`], [`time`], [`ids`] | the vocabulary of quantities |

pub mod actor;
pub mod chain;
pub mod contract;
pub mod grid;
pub mod ids;
pub mod ledger;
pub mod market;
pub mod member;
pub mod message;
pub mod observation;
pub mod prosumer;
pub mod streams;
pub mod time;
pub mod units;
