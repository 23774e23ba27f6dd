//! What an actor is: a state machine that lives on messages and wake-ups, and acts on the world only through its
//! [`Context`]. What it says is its [`Protocol`]'s; this crate knows neither a market nor a runtime.

mod actor;
pub mod streams;
pub mod time;

pub use actor::{Actor, ActorId, Context, Effect, Observed, Protocol};
pub use streams::Stream;
pub use time::{Time, nanos};
