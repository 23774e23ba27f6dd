//! What a run has left, for Python.

use crate::{errors, table::Table};
use arrow_csv::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use microgrid_sim::{
    cli,
    ledger::verify::{CaseReport, ChannelReport, verify_from},
    record::{self, RecordError, Row, Run},
    report as page,
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};
use std::{collections::BTreeMap, fs::File, path::PathBuf, sync::Arc};

/// Opens a run.
fn open(py: Python<'_>, folder: &std::path::Path) -> PyResult<Run> {
    py.detach(|| Run::open(folder)).map_err(|error| errors::record(py, &error))
}

/// A JSON file of the run in `folder`, which has to be one, and its folder, by its own name.
#[pyfunction]
pub(crate) fn read_json(py: Python<'_>, folder: PathBuf, file: &str) -> PyResult<(String, PathBuf)> {
    let run = open(py, &folder)?.own();
    let text = run.input(file).map_err(|error| errors::record(py, &error))?;
    Ok((text, run.folder().to_owned()))
}

/// The key figures of the cases of the run in `folder` that are done, as JSON.
#[pyfunction]
pub(crate) fn read_kpis(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    let run = open(py, &folder)?;
    let figures = run.key_figures().map_err(|error| errors::record(py, &error))?;
    serde_json::to_string(&figures).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A table of the run in `folder`, by the name of its file without the ending.
#[pyfunction]
pub(crate) fn read_table(py: Python<'_>, folder: PathBuf, name: &str) -> PyResult<Table> {
    let run = open(py, &folder)?;
    let read = match name {
        "slots" => of::<record::SlotRow>,
        "ages" => of::<record::AgeRow>,
        "prosumers" => of::<record::ProsumerRow>,
        "trades" => of::<record::TradeRow>,
        "convergence" => of::<record::ConvergenceRow>,
        "ledger" => of::<record::LedgerRow>,
        "clearings" => of::<record::ClearingRow>,
        "bills" => of::<record::BillRow>,
        "days" => of::<record::DayRow>,
        "months" => of::<record::MonthRow>,
        "summary" | "paired" => {
            let file = format!("{name}.csv");
            return py.detach(|| described(&run, &file)).map_err(|error| errors::record(py, &error));
        }
        other => return Err(PyValueError::new_err(format!("there is no table {other:?}"))),
    };
    py.detach(|| read(&run)).map_err(|error| errors::record(py, &error))
}

fn of<R: Row>(run: &Run) -> Result<Table, RecordError> {
    Table::of_rows(run.rows::<R>()?, &run.manifest().currency)
}

/// A table whose columns depend on what the run varies, as its `schema.json` describes them.
fn described(run: &Run, file: &str) -> Result<Table, RecordError> {
    #[derive(serde::Deserialize)]
    struct Described {
        name: String,
        #[serde(rename = "type")]
        kind: String,
        unit: Option<String>,
        empty: bool,
    }
    let path = run.folder().join(file);
    let content =
        |source: Box<dyn std::error::Error + Send + Sync>| RecordError::Content { path: path.clone(), source };
    let schema = run.input("schema.json")?;
    let mut schema: BTreeMap<String, Vec<Described>> =
        serde_json::from_str(&schema).map_err(|error| content(error.into()))?;
    let fields = schema.remove(file).unwrap_or_default().into_iter().map(|Described { name, kind, unit, empty }| {
        let data = match &*kind {
            "uint32" => DataType::UInt32,
            "uint64" => DataType::UInt64,
            "float64" => DataType::Float64,
            _ => DataType::Utf8View,
        };
        let unit = unit.map(|unit| ("unit".to_owned(), unit));
        Field::new(name, data, empty).with_metadata(unit.into_iter().collect())
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let opened =
        File::open(&path).map_err(|source| RecordError::File { action: "open", path: path.clone(), source })?;
    let read = || {
        let batches = ReaderBuilder::new(Arc::clone(&schema)).with_header(true).build(opened)?;
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        arrow_select::concat::concat_batches(&schema, &batches)
    };
    Ok(Table::new(read().map_err(|error| content(error.into()))?, Vec::new()))
}

/// What `sim show` prints.
#[pyfunction]
#[pyo3(signature = (folder, slot, member, case))]
pub(crate) fn show(
    py: Python<'_>,
    folder: PathBuf,
    slot: Option<String>,
    member: Option<String>,
    case: Option<u32>,
) -> PyResult<String> {
    py.detach(|| cli::shown(&folder, slot.as_deref(), member.as_deref(), case))
        .map_err(|error| errors::results(py, error))
}

/// Makes the report of the run in `folder`; returns its path.
#[pyfunction]
pub(crate) fn report(py: Python<'_>, folder: PathBuf) -> PyResult<PathBuf> {
    let mut run = open(py, &folder)?;
    py.detach(|| page::write(&mut run)).map_err(|error| errors::record(py, &error))
}

/// Verifies the ledger of the run in `folder`; returns what was covered, a dictionary a case.
#[pyfunction]
pub(crate) fn verify<'py>(py: Python<'py>, folder: PathBuf) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let run = open(py, &folder)?;
    let first = *run.manifest().numbers().start();
    let ledger = run.folder().join("ledger.db");
    if !run.keeps("ledger.db") {
        let why = format!("{} keeps no ledger: its scenario has `record: {:?}`", folder.display(), run.record());
        return Err(errors::results(py, why));
    }
    let report = py.detach(|| verify_from(&ledger, first, &mut |_| {}));
    let report = report.map_err(|error| errors::ledger(py, &error))?;
    let case = |of: &CaseReport| {
        let case = PyDict::new(py);
        case.set_item("case", of.case)?;
        case.set_item("scenario", &of.scenario)?;
        case.set_item("genesis", of.genesis.to_string())?;
        case.set_item("closed", of.closed)?;
        case.set_item("slots", of.slots)?;
        case.set_item("bills", of.bills)?;
        let sum = |figure: fn(&ChannelReport) -> u64| of.channels.iter().map(figure).sum::<u64>();
        case.set_item("blocks", sum(|of| of.blocks))?;
        case.set_item("valid", sum(|of| of.valid))?;
        case.set_item("invalid", sum(|of| of.invalid))?;
        case.set_item("signatures", sum(|of| of.signatures))?;
        case.set_item("facts", sum(|of| of.facts))?;
        Ok(case)
    };
    report.cases.iter().map(case).collect()
}
