//! From a RON file to validated cases, ready to run.

mod custom;
mod data;
mod defaults;
pub mod distribution;
mod draft;
mod error;
mod knobs;
mod load;
mod locate;
mod network;
mod overrides;
mod parse;
mod plan;
pub mod population;
mod profiles;
pub mod schema;
pub mod synthetic;
mod table;
mod text_file;
mod validate;

pub use custom::{Custom, Observer, Rule, Whose};
pub use draft::Draft;
pub use error::{Place, Report, ScenarioError};
pub use knobs::names as knob_names;
pub use load::load;
pub use overrides::Overrides;
pub use plan::{DataFile, LastPopulation, Plan, Setting};

use population::Population;
use schema::Scenario;
use std::sync::Arc;

/// One combination of the varied knobs, with everything it needs to run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Counts the cases of a study from 1.
    pub number: u32,
    /// Varied knobs with their values as written, in the order of the scenario's `vary`.
    pub knobs: Vec<(String, String)>,
    /// Seed of this case.
    pub seed: u64,
    /// The scenario with the knobs set.
    pub scenario: Arc<Scenario>,
    /// Who takes part, slot by slot.
    pub population: Arc<Population>,
    /// The grid's tariff of each slot [CNY/kWh].
    pub grid_tariffs: Arc<[f64]>,
    /// What it does in its own way.
    pub custom: Custom,
}
