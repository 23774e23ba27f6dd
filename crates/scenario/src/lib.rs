//! From a RON file to validated cases, ready to run.
//!
//! ```text
//!  file or text ──notation──▶ Scenario ──┐
//!  made in code ────────────▶ Scenario ──┴──draft──▶ Plan ──▶ Case
//!                       path: what is set and varied ┘
//! ```

pub mod calendar;
mod custom;
mod data;
mod devices;
mod draft;
mod edits;
mod error;
mod expected;
#[doc(hidden)]
pub mod files;
mod hours;
mod kinds;
mod mend;
mod network;
mod notation;
mod outline;
mod pairs;
mod part;
mod path;
mod plan;
pub mod population;
pub mod schema;
mod signs;
mod synthetic;
pub mod tariffs;
mod text;
mod vain;
mod validate;

pub use draft::Overrides;
pub use error::{Position, Report, ScenarioError, Warning};
pub use part::{Part, PartError};
pub use plan::{Case, Plan};

// Hidden: what the builder of simulations makes a plan of, what `sim`, the tables and the tests look at in one, and how
// whoever reads a run's folder opens files.
#[doc(hidden)]
pub use custom::{Custom, Observer, Rule, Whose};
#[doc(hidden)]
pub use data::DataFile;
#[doc(hidden)]
pub use draft::{Draft, load};
#[doc(hidden)]
pub use path::knob_names;
#[doc(hidden)]
pub use plan::{LastPopulation, Setting};
// Hidden: how importers read files and tell what is wrong in them.
#[doc(hidden)]
pub use data::LARGEST_VALUE;
#[doc(hidden)]
pub use error::did_you_mean;
#[doc(hidden)]
pub use mend::mend_cell;
#[doc(hidden)]
pub use text::{LARGEST_DATA, TextFile, composed};
#[doc(hidden)]
pub use validate::{NAME, is_name};
