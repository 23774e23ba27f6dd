//! From a RON file to validated cases, ready to run.
//!
//! ```text
//!  file or text ──notation──▶ Scenario ──┐
//!  made in code ────────────▶ Scenario ──┴──draft──▶ Plan ──▶ Case
//!                       path: what is set and varied ┘
//! ```

mod custom;
mod data;
mod draft;
mod error;
mod network;
mod notation;
mod outline;
mod path;
mod plan;
pub mod population;
pub mod schema;
mod synthetic;
mod text;
mod validate;

pub use custom::{Custom, Observer, Rule, Whose};
pub use data::DataFile;
pub use draft::{Draft, Overrides, load};
pub use error::{Report, ScenarioError};
pub use path::knob_names;
pub use plan::{Case, LastPopulation, Plan, Setting};
