//! What the Python package `microgrid_sim` asks of the simulator. What people call is Python: this is the module
//! `microgrid_sim._core` behind it, which its stubs describe.

mod errors;
mod frame;
mod market;
mod results;
mod rules;
mod stability;
mod study;
mod table;

/// Messages are small and short-lived, and cross threads: mimalloc is several times faster at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The simulator behind `microgrid_sim`.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::{
        market::Stepper,
        results::{read_json, read_kpis, read_table, report, show, verify},
        rules::{Bid, Lesson, Offer, Random},
        stability::stability,
        study::{Source, simulate},
        table::Table,
    };
    /// Version of the simulator.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
