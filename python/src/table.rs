//! Tables of results in Arrow's layout, which other libraries take as they are.

use arrow_array::{
    Array, ArrayRef, RecordBatch, StructArray,
    builder::{Float64Builder, StringViewBuilder, UInt32Builder, UInt64Builder},
};
use arrow_cast::{
    display::{ArrayFormatter, FormatOptions},
    pretty::pretty_format_batches,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use microgrid_sim::record::{Column, Kind, RecordError, Row, Value};
use pyo3::{
    IntoPyObjectExt,
    exceptions::{PyKeyError, PyValueError},
    prelude::*,
    types::{PyCapsule, PyDict, PyList},
};
use pyo3_arrow::{
    error::PyArrowResult,
    ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule},
};
use std::sync::Arc;

/// So many rows are shown of a table.
const MOST_SHOWN: usize = 10;

/// A table of results: typed columns of equal length.
#[pyclass(frozen, module = "microgrid_sim")]
#[derive(Debug)]
pub(crate) struct Table {
    batch: RecordBatch,
    /// What there is to know of it beside its numbers.
    #[pyo3(get)]
    notes: Vec<String>,
}

/// A column that grows.
enum Growing {
    Small(UInt32Builder),
    Large(UInt64Builder),
    Number(Float64Builder),
    Text(StringViewBuilder),
}

impl Growing {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Small => Self::Small(UInt32Builder::new()),
            Kind::Large => Self::Large(UInt64Builder::new()),
            Kind::Number | Kind::Optional => Self::Number(Float64Builder::new()),
            Kind::Name(_) | Kind::Text => Self::Text(StringViewBuilder::new().with_deduplicate_strings()),
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Small(column), Value::Whole(number)) => column.append_option(u32::try_from(number).ok()),
            (Self::Large(column), Value::Whole(number)) => column.append_value(number),
            (Self::Number(column), value) => column.append_option(value.number()),
            (Self::Text(column), Value::Text(text)) => column.append_value(text),
            (Self::Small(column), _) => column.append_null(),
            (Self::Large(column), _) => column.append_null(),
            (Self::Text(column), _) => column.append_null(),
        }
    }

    fn finished(self) -> ArrayRef {
        match self {
            Self::Small(mut column) => Arc::new(column.finish()),
            Self::Large(mut column) => Arc::new(column.finish()),
            Self::Number(mut column) => Arc::new(column.finish()),
            Self::Text(mut column) => Arc::new(column.finish()),
        }
    }
}

/// A column's name, type and unit.
pub(crate) fn field(name: &str, kind: Kind, unit: Option<&str>) -> Field {
    let (data, nullable) = match kind {
        Kind::Small => (DataType::UInt32, false),
        Kind::Large => (DataType::UInt64, false),
        Kind::Number => (DataType::Float64, false),
        Kind::Optional => (DataType::Float64, true),
        Kind::Name(_) => (DataType::Utf8View, false),
        Kind::Text => (DataType::Utf8View, true),
    };
    let unit = unit.map(|unit| ("unit".to_owned(), unit.to_owned()));
    Field::new(name, data, nullable).with_metadata(unit.into_iter().collect())
}

impl Table {
    pub(crate) fn new(batch: RecordBatch, notes: Vec<String>) -> Self {
        Self { batch, notes }
    }

    /// The table with these rows, where money is called so.
    pub(crate) fn of_rows<R: Row>(
        rows: impl Iterator<Item = Result<R, RecordError>>,
        currency: &str,
    ) -> Result<Self, RecordError> {
        let columns: Vec<(&Column<R>, Field)> = R::COLUMNS
            .iter()
            .map(|column| {
                let unit = column.unit.map(|unit| unit.replace("CNY", currency));
                (column, field(column.name, column.kind, unit.as_deref()))
            })
            .collect();
        let mut grown: Vec<Growing> = R::COLUMNS.iter().map(|column| Growing::of(column.kind)).collect();
        for row in rows {
            let row = row?;
            columns.iter().zip(&mut grown).for_each(|((column, _), grown)| grown.push((column.value)(&row)));
        }
        let fields: Vec<Field> = columns.into_iter().map(|(_, field)| field).collect();
        let arrays = grown.into_iter().map(Growing::finished).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns are of equal length");
        Ok(Self::new(batch, Vec::new()))
    }

    /// The table with these columns.
    pub(crate) fn of_columns(columns: impl IntoIterator<Item = (Field, Vec<Value>)>, notes: Vec<String>) -> Self {
        let (fields, arrays): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|(field, values)| {
                let mut grown = match field.data_type() {
                    DataType::UInt32 => Growing::of(Kind::Small),
                    DataType::Float64 => Growing::of(Kind::Optional),
                    _ => Growing::of(Kind::Text),
                };
                values.into_iter().for_each(|value| grown.push(value));
                (field, grown.finished())
            })
            .unzip();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns are of equal length");
        Self::new(batch, notes)
    }

    fn column(&self, name: &str) -> PyResult<&ArrayRef> {
        self.batch.column_by_name(name).ok_or_else(|| {
            let known = self.column_names().join(", ");
            PyKeyError::new_err(format!("there is no column {name:?}; there are {known}"))
        })
    }
}

/// What stands in a column as Python has it.
fn values<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Bound<'py, PyAny>>> {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::{Float64Type, UInt32Type, UInt64Type};
    fn all<'py, T: IntoPyObject<'py>>(
        py: Python<'py>,
        cells: impl Iterator<Item = Option<T>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        cells.map(|cell| cell.map_or_else(|| Ok(py.None().into_bound(py)), |cell| cell.into_bound_py_any(py))).collect()
    }
    match column.data_type() {
        DataType::UInt32 => all(py, column.as_primitive::<UInt32Type>().iter()),
        DataType::UInt64 => all(py, column.as_primitive::<UInt64Type>().iter()),
        DataType::Float64 => all(py, column.as_primitive::<Float64Type>().iter()),
        _ => all(py, column.as_string_view().iter()),
    }
}

#[pymethods]
impl Table {
    /// Names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Units of the columns that have one, by name.
    #[getter]
    fn units<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let units = PyDict::new(py);
        for field in self.batch.schema_ref().fields() {
            field.metadata().get("unit").map_or(Ok(()), |unit| units.set_item(field.name(), unit))?;
        }
        Ok(units)
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// What stands in a column, as a list.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, values(py, self.column(name)?)?)
    }

    /// The rows, each by the names of the columns.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let names = self.column_names();
        let columns = self.batch.columns().iter().map(|column| values(py, column)).collect::<PyResult<Vec<_>>>()?;
        let row = |place: usize| {
            let row = PyDict::new(py);
            names.iter().zip(&columns).try_for_each(|(name, column)| row.set_item(name, &column[place]))?;
            Ok(row)
        };
        (0..self.batch.num_rows()).map(row).collect()
    }

    /// A `pandas.DataFrame`.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::to_pyarrow(slf)?.call_method0("to_pandas")
    }

    /// A `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.getattr("DataFrame")?.call1((slf,))
    }

    /// A `pyarrow.Table`.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.getattr("table")?.call1((slf,))
    }

    fn __repr__(&self) -> PyResult<String> {
        let (rows, columns) = (self.batch.num_rows(), self.batch.num_columns());
        let shown = self.batch.slice(0, rows.min(MOST_SHOWN));
        let text = pretty_format_batches(&[shown]).map_err(told)?;
        Ok(format!("{text}\n{rows} rows, {columns} columns"))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        let (rows, columns) = (self.batch.num_rows(), self.batch.num_columns());
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let options = FormatOptions::new();
        let formatters = self.batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let formatters = formatters.collect::<Result<Vec<_>, _>>().map_err(told)?;
        let head: String = self
            .batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| {
                let unit =
                    field.metadata().get("unit").map_or_else(String::new, |unit| format!("<br>[{}]", escaped(unit)));
                format!("<th>{}{unit}</th>", escaped(field.name()))
            })
            .collect();
        let line = |place| {
            let cells: String =
                formatters.iter().map(|of| format!("<td>{}</td>", escaped(&of.value(place).to_string()))).collect();
            format!("<tr>{cells}</tr>")
        };
        let body: String = (0..rows.min(MOST_SHOWN)).map(line).collect();
        Ok(format!(
            "<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{rows} rows, {columns} columns</p>"
        ))
    }

    /// The type of the table for Arrow: a struct of its columns.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.batch.schema_ref().as_ref())
    }

    /// The table as one batch of an Arrow stream, without a copy.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let fields = self.batch.schema_ref().fields().clone();
        let whole: ArrayRef = Arc::new(StructArray::from(self.batch.clone()));
        let stream = ArrayIterator::new([Ok(whole)], Field::new_struct("", fields, false).into());
        to_stream_pycapsule(py, Box::new(stream), requested_schema)
    }
}

pub(crate) fn told(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
