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
//! # The map
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
//!
//! # Own strategies
//!
//! A prosumer decides in two places, each a trait: [`PricingRule`](prosumer::PricingRule) moves the price of a seller,
//! [`ChoiceRule`](prosumer::ChoiceRule) the shares of a buyer. [`ExcessDemand`](prosumer::ExcessDemand),
//! [`Replicator`](prosumer::Replicator), [`BestResponse`](prosumer::BestResponse) and
//! [`Imitation`](prosumer::Imitation) implement them; a [`Strategy`](prosumer::Strategy) puts others in their place. All
//! else about a prosumer stays as it is: it registers, posts, checks and signs its bills, and recovers from crashes.
//!
//! ```
//! use microgrid_agents::{prosumer::{ExcessDemand, Offer, PricingRule, Strategy}, streams::Stream};
//!
//! /// Moves its price by half of what others would.
//! #[derive(Clone, Debug)]
//! struct Cautious;
//!
//! impl PricingRule for Cautious {
//!     fn next_price(&mut self, offer: &Offer<'_>, random: &mut Stream) -> f64 {
//!         (offer.price + ExcessDemand.next_price(offer, random)) / 2.0
//!     }
//! }
//!
//! let strategy = Strategy { pricing: Some(Box::new(Cautious)), choice: None };
//! assert!(format!("{strategy:?}").contains("Cautious"));
//! ```

pub mod actor;
pub mod chain;
// Hidden: asked by the ledger, and tested from outside.
#[doc(hidden)]
pub mod contract;
// Hidden: put together by the simulation.
#[doc(hidden)]
pub mod grid;
pub mod ids;
mod json;
// Hidden: put together by the simulation.
#[doc(hidden)]
pub mod ledger;
pub mod market;
// Hidden: put together by the simulation.
#[doc(hidden)]
pub mod member;
pub mod message;
pub mod observation;
pub mod prosumer;
pub mod statement;
pub mod streams;
pub mod units;

// Hidden: it is for the other crates of the workspace.
#[doc(hidden)]
pub use microgrid_actor::debug_as_display;
pub use microgrid_actor::time;
