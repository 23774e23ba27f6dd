//! What a run leaves: from observations to the tables of its folder, and back from the folder to tables.
//!
//! A [`CaseRecorder`] watches a case and forms its rows when a slot is closed, so that memory stays the same however long
//! a run is. A [`Recorder`] takes it into the tables of a run's folder, a [`MemoryRecorder`] into rows in memory; a [`Run`]
//! reads. Recording never changes a run. A table is a file of this folder that declares its columns (`table!`) and which
//! rows it has of what (`Recorded`), and a line in the list in `tables.rs`. `docs/results.md` explains every file and
//! column.

mod ages;
mod amplitude;
mod bills;
mod case;
mod clearings;
mod column;
mod convergence;
mod durations;
mod error;
#[cfg(any(test, feature = "fixtures"))]
#[doc(hidden)]
pub mod fixtures;
mod flows;
mod folder;
mod gains;
mod journal;
mod key_figures;
mod ledger;
mod manifest;
mod measures;
mod memory;
mod merge;
mod number;
mod paired;
#[cfg_attr(not(feature = "parquet"), path = "no_parquet.rs")]
mod parquet_parts;
mod periods;
mod prices;
mod prosumers;
mod recorded;
mod recorder;
mod run;
mod schema;
mod sheet;
mod slot_observations;
mod slots;
mod snapshot;
mod statistics;
mod summary;
mod sums;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod theory;
mod trades;

pub use case::ClosedRows;
pub use column::{Column, Kind, Value};
pub use error::RecordError;
pub use flows::Totals;
pub use key_figures::{Comparison, KeyFigures};
pub use manifest::{CaseEntry, Knobs, Manifest, PartOf, Status, digest};
pub use memory::Results;
pub use merge::{MergeError, Parts};
pub use microgrid_scenario::schema::Record;
pub use number::Number;
pub use paired::PairedRow;
pub use run::Run;
pub use sheet::Format;
pub use statistics::Statistics;
pub use summary::Summary;
pub use table::{Row, Rows};
pub use tables::{CaseRows, Refusals, rows::*};

// Hidden: what records a study that is being run.
#[doc(hidden)]
pub use case::CaseRecorder;
#[doc(hidden)]
pub use memory::MemoryRecorder;
#[doc(hidden)]
pub use recorder::{CaseStore, Recorder};

// Hidden: what draws ends with an error too.
#[doc(hidden)]
pub use microgrid_runtime::caught;

// Hidden: what `sim` and the report look at in a run.
#[doc(hidden)]
pub use folder::LATEST;
#[doc(hidden)]
pub use manifest::knob_text;
#[doc(hidden)]
pub use measures::MEASURES;
#[doc(hidden)]
pub use table::Section;

/// Name of the resolved scenario in a run's folder.
// Hidden: for `sim` and the report.
#[doc(hidden)]
pub const SCENARIO: &str = "scenario.ron";
