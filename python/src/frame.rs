//! Data frames of other libraries as the CSV text that a scenario's data files have.

use crate::table::told;
use pyo3::{exceptions::PyUnicodeDecodeError, prelude::*};
use pyo3_arrow::input::AnyRecordBatch;

/// The frame as CSV with a header: numbers with all their digits, cells without a value empty.
pub(crate) fn csv(frame: AnyRecordBatch) -> PyResult<String> {
    let mut text = Vec::new();
    let mut writer = arrow_csv::Writer::new(&mut text);
    let reader = frame.into_reader()?;
    let header = reader.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(",");
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(told)?;
        rows += batch.num_rows();
        writer.write(&batch).map_err(told)?;
    }
    drop(writer);
    // Without a row nothing is written at all.
    if rows == 0 {
        return Ok(header + "\n");
    }
    String::from_utf8(text).map_err(|error| PyUnicodeDecodeError::new_err(error.to_string()))
}
