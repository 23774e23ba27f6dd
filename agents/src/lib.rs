//! The actors of a local electricity market, and its mathematics.
//!
//! Everything here is pure: an actor is a state machine that receives a message or a wake-up, changes only its own
//! state and asks its [`Context`](actor::Context) to send, wake or observe. No clock, thread, socket or file; whatever
//! hosts the actors (see the crate `microgrid-sim`) provides those. Equation numbers refer to `docs/model.md`.
//!
//! The equations are plain functions, of use without any actor. Two buyers, and sellers with 3.6 kWh at one price:
//!
//! ```
//! use microgrid_agents::market::{
//!     demand::{Buyer, Demand},
//!     pricing::{PriceBand, next_price},
//! };
//!
//! let buyer = |need, generation, preference| Buyer { need, generation, preference };
//! let buyers = [buyer(1.2, 1.75, 2.04), buyer(1.6, 0.8, 1.82)];
//! let demand = |price| buyers.iter().map(|buyer| buyer.optimal_purchase(price, 0.4, Demand::Elastic)).sum::<f64>();
//! let band = PriceBand { floor: 0.45, ceiling: 0.85 };
//! let mut price = 0.5;
//! for _ in 0..100 {
//!     price = next_price(price, demand(price) - 3.6, 0.1, band, 0.1);
//! }
//! assert!((price - 0.7).abs() < 1e-9, "where demand meets supply");
//! ```
//!
//! # Own strategies
//!
//! A prosumer decides in two places, each a trait: [`PricingRule`](prosumer::PricingRule) moves the price of a seller,
//! [`ChoiceRule`](prosumer::ChoiceRule) the shares of a buyer. [`ExcessDemand`](prosumer::ExcessDemand) and
//! [`Behaviour`](prosumer::Behaviour) implement them; a [`Strategy`](prosumer::Strategy) puts others in their place. All
//! else about a prosumer stays as it is: it registers, posts, checks and signs its bills, and recovers from crashes.

pub mod actor;
pub mod chain;
#[doc(hidden)] // Hidden: asked by the ledger, and tested from outside.
pub mod contract;
#[doc(hidden)] // Hidden: put together by the simulation.
pub mod grid;
pub mod ids;
mod json;
#[doc(hidden)] // Hidden: put together by the simulation.
pub mod ledger;
pub mod market;
#[doc(hidden)] // Hidden: the verifier in `microgrid-ledger` is tested against its rules.
pub mod mechanism;
#[doc(hidden)] // Hidden: put together by the simulation.
pub mod member;
pub mod message;
pub mod observation;
pub mod prosumer;
#[doc(hidden)] // Hidden: planned for a population by `microgrid-scenario`.
pub mod scheduling;
pub mod statement;
pub mod streams;
pub mod units;

#[doc(hidden)] // Hidden: it is for the other crates of the workspace.
pub use microgrid_actor::debug_as_display;
// Hidden: for whoever saves more than actors.
pub use microgrid_actor::time;
#[doc(hidden)]
pub use microgrid_actor::{parcel, saved};
