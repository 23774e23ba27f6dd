//! What a run leaves: from observations to the tables of its folder, and back from the folder to tables.
//!
//! A [`Recorder`] watches a study and writes, a [`MemoryRecorder`] keeps the same rows of a case in memory; a [`Run`] reads. Rows are formed when a slot is closed, so that memory
//! stays the same however long a run is. Recording never changes a run. `docs/results.md` explains every file and column.

mod ages;
mod amplitude;
mod case;
mod cases;
mod column;
mod columns;
mod convergence;
mod durations;
mod error;
#[cfg(any(test, feature = "fixtures"))]
#[doc(hidden)]
pub mod fixtures;
mod folder;
mod gains;
mod journal;
mod json_list;
mod key_figures;
mod ledger;
mod ledger_file;
mod manifest;
mod measures;
mod memory;
mod number;
mod paired;
mod parquet_parts;
mod prosumers;
mod recorder;
mod run;
mod section;
mod slot_observations;
mod slots;
mod statistics;
mod summary;
mod table;
mod table_format;
mod tables;
#[cfg(test)]
mod tests;
mod theory;
mod trades;

pub use ages::AgeRow;
pub use cases::{CaseFolders, CaseRecorder};
pub use column::{Column, Value};
pub use convergence::ConvergenceRow;
pub use error::RecordError;
pub use folder::LATEST;
pub use key_figures::{Comparison, KeyFigures, Totals};
pub use ledger::LedgerRow;
pub use manifest::{CaseEntry, Knobs, Manifest, Status, knob_text};
pub use measures::MEASURES;
pub use memory::{CaseRows, MemoryRecorder, Refusals};
pub use microgrid_scenario::schema::Record;
pub use number::Number;
pub use paired::PairedRow;
pub use prosumers::ProsumerRow;
pub use recorder::Recorder;
pub use run::Run;
pub use slots::SlotRow;
pub use statistics::Statistics;
pub use summary::Summary;
pub use table::{Row, Rows, Section, SlotTable};
pub use table_format::Format;
pub use trades::TradeRow;

/// Name of the resolved scenario in a run's folder.
pub const SCENARIO: &str = "scenario.ron";
