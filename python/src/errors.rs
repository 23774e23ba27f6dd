//! Errors as exceptions of `microgrid_sim.errors`.

use microgrid_sim::{
    SimulationError, StudyError, ledger::verify::VerifyError, record::RecordError, scenario::ScenarioError,
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::{PyKeyboardInterrupt, PyValueError},
    prelude::*,
};
use std::{fmt::Display, path::PathBuf};

/// An exception of the class with this name, made of a message and, unless it is `None`, another argument.
fn exception<'py>(py: Python<'py>, class: &str, message: &str, other: impl IntoPyObject<'py>) -> PyErr {
    let made = || {
        let class = py.import("microgrid_sim.errors")?.getattr(class)?;
        let other = other.into_bound_py_any(py)?;
        if other.is_none() { class.call1((message,)) } else { class.call1((message, other)) }
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

/// Something is wrong with a scenario: with its file, line and column, where it has a place.
pub(crate) fn scenario(py: Python<'_>, error: &ScenarioError) -> PyErr {
    let place = error.place().map(|place| (place.file.map(str::to_owned), place.line, place.column));
    exception(py, "ScenarioError", &error.to_string(), place)
}

/// A run's files cannot be written or read.
pub(crate) fn record(py: Python<'_>, error: &RecordError) -> PyErr {
    exception(py, "ResultsError", &error.to_string(), None::<u32>)
}

/// What was asked of a run is not there.
pub(crate) fn results(py: Python<'_>, error: impl Display) -> PyErr {
    exception(py, "ResultsError", &error.to_string(), None::<u32>)
}

/// A ledger does not verify.
pub(crate) fn ledger(py: Python<'_>, error: &VerifyError) -> PyErr {
    match error {
        VerifyError::Open(_) => results(py, error),
        _ => exception(py, "LedgerError", &error.to_string(), None::<u32>),
    }
}

/// There are no results. The cause is what a rule has raised, if it has.
pub(crate) fn simulation(py: Python<'_>, error: &SimulationError, cause: Option<PyErr>) -> PyErr {
    let raised = match error {
        SimulationError::Scenario(error) => scenario(py, error),
        SimulationError::Record(error) => record(py, error),
        SimulationError::Ended { error: StudyError::Interrupted, folder } => {
            let why = format!("the run was ended early; what was done before is in {}", folder.display());
            PyKeyboardInterrupt::new_err(why)
        }
        SimulationError::Study(StudyError::Interrupted) => PyKeyboardInterrupt::new_err("the run was ended early"),
        SimulationError::Ended { folder, .. } => match cause {
            Some(_) => {
                exception(py, "RuleError", &error.to_string().replacen(" panicked in ", " raised in ", 1), folder)
            }
            None => exception(py, "RunError", &error.to_string(), folder),
        },
        SimulationError::Study(_) | SimulationError::Merge(_) => {
            exception(py, "RunError", &error.to_string(), None::<PathBuf>)
        }
        other => PyValueError::new_err(other.to_string()),
    };
    raised.set_cause(py, cause);
    raised
}
