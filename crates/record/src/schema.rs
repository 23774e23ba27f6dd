//! `schema.json`: of every table of a run its columns, with what CSV does not tell of them.

use super::{
    column::Kind,
    manifest::{knob_text, knobs},
    number::Number,
    table::Row,
};
use indexmap::IndexMap;
use microgrid_scenario::Plan;
use serde::Serialize;
use std::borrow::Cow;

pub(super) const FILE: &str = "schema.json";

/// What money is called in units of columns.
const CURRENCY: &str = "CNY";

/// The tables of a run by their files, each with its columns in order.
pub(super) type Schema = IndexMap<&'static str, Vec<Described>>;

/// A column as readers in other languages need to know it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Described {
    pub(super) name: String,
    /// Its type as NumPy and Arrow call it.
    #[serde(rename = "type")]
    pub(super) named: &'static str,
    pub(super) unit: Option<Cow<'static, str>>,
    /// Whether cells may be empty.
    pub(super) empty: bool,
}

impl Described {
    pub(super) fn new(name: impl Into<String>, kind: Kind, unit: Option<&'static str>) -> Self {
        let named = match kind {
            Kind::Small => "uint32",
            Kind::Large => "uint64",
            Kind::Number | Kind::Optional => "float64",
            Kind::Name(_) | Kind::Text => "string",
        };
        Self { name: name.into(), named, unit: unit.map(Into::into), empty: kind.may_be_empty() }
    }

    /// Calls money as a scenario calls it.
    pub(super) fn call(&mut self, currency: &str) {
        self.unit = self.unit.take().map(|unit| unit.replace(CURRENCY, currency).into());
    }
}

/// The columns of a table.
pub(super) fn columns<R: Row>() -> Vec<Described> {
    R::COLUMNS.iter().map(|column| Described::new(column.name, column.kind, column.unit)).collect()
}

/// The varied knobs of a plan with the types of their columns: whole numbers or numbers where all values of a knob are,
/// otherwise text.
pub(super) fn varied(plan: &Plan) -> impl Iterator<Item = (&str, Kind)> {
    plan.scenario.vary.iter().map(|(name, values)| {
        let values = values.iter().map(|value| (name.clone(), value.text()));
        let values: Vec<_> = values.flat_map(|value| knobs(&[value]).into_values()).collect();
        let kind = match () {
            () if values.iter().all(serde_json::Value::is_u64) => Kind::Large,
            () if values.iter().all(serde_json::Value::is_number) => Kind::Number,
            () => Kind::Name(""),
        };
        (name.as_str(), kind)
    })
}

/// A knob's value in a column of this type.
pub(super) fn cell(value: &serde_json::Value, kind: Kind) -> String {
    match kind {
        Kind::Number | Kind::Optional => Number::cell(value.as_f64()),
        _ => knob_text(value),
    }
}
