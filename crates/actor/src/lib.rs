//! What an actor is: a state machine that lives on messages and wake-ups, and acts on the world only through its
//! [`Context`]. What it says is its [`Protocol`]'s; this crate knows neither a market nor a runtime.

mod actor;
pub mod parcel;
pub mod saved;
pub mod streams;
pub mod time;

pub use actor::{Actor, ActorId, Context, Effect, Observed, Protocol};
pub use streams::Stream;
pub use time::{Time, nanos};

/// Has the `Debug` of errors read like their `Display`: `main`, `expect` and `unwrap` print it.
// Hidden: it is for the other crates of the workspace.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_as_display {
    ($($error:ty),+) => {$(
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    )+};
}
