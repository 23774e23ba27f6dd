//! What cases, slots and the values of knobs are called in charts.

use crate::{
    chart::{Axis, Scale},
    data::Data,
    format::knobs,
};
use microgrid_agents::ids::Slot;
use microgrid_record::{CaseEntry, knob_text};
use serde_json::Value;
use std::ops::RangeInclusive;

/// What the run is called beside P2G where it is the only case.
pub(super) const LOCAL: &str = "local market";

/// What a case is called beside others: its knobs, and its seed where only that sets it apart.
pub(super) fn case(data: &Data, entry: &CaseEntry) -> String {
    match (entry.knobs.is_empty(), data.manifest.replicates > 1) {
        (true, false) => LOCAL.to_owned(),
        (true, true) => format!("seed {}", entry.seed),
        (false, false) => knobs(&entry.knobs),
        (false, true) => format!("{}, seed {}", knobs(&entry.knobs), entry.seed),
    }
}

/// What a title says of a case: nothing where there is but one.
#[cfg(feature = "figures")]
pub(crate) fn of_case(data: &Data, entry: &CaseEntry) -> String {
    if data.manifest.case_count == 1 {
        return String::new();
    }
    format!(", case {} ({})", entry.case, case(data, entry))
}

/// The axis of slots without dates.
pub(super) fn slots(slots: RangeInclusive<Slot>) -> Axis {
    Axis::of("slot").named(slots)
}

pub(super) struct KnobAxis {
    pub(super) axis: Axis,
    /// Where each of the different values lies.
    pub(super) places: Vec<(Value, f64)>,
}

impl KnobAxis {
    /// The axis of a knob with these values: numbers and durations by their size, all else by name.
    pub(super) fn of(knob: &str, values: Vec<Value>) -> Self {
        let sizes: Option<Vec<(f64, bool)>> = values.iter().map(size).collect();
        let Some(sizes) = sizes else { return Self::named(knob, values) };
        let duration = sizes.iter().any(|size| size.1);
        let least = sizes.iter().map(|size| size.0).fold(f64::INFINITY, f64::min);
        let wide = least > 0.0 && sizes.iter().any(|size| size.0 / least >= 100.0);
        let axis = Axis::of(knob).scale(if wide { Scale::Logarithmic } else { Scale::Linear });
        let places = values.into_iter().zip(sizes).map(|(value, size)| (value, size.0)).collect();
        Self { axis: if duration { axis.unit("s") } else { axis }, places }
    }

    pub(super) fn named(knob: &str, values: Vec<Value>) -> Self {
        let axis = Axis::of(knob).named(values.iter().map(knob_text));
        Self { axis, places: values.into_iter().zip((0_u32..).map(f64::from)).collect() }
    }

    pub(super) fn place(&self, value: &Value) -> Option<f64> {
        self.places.iter().find(|(known, _)| known == value).map(|(_, place)| *place)
    }
}

/// The size of a number, or of a duration [s], and whether it is one of these.
fn size(value: &Value) -> Option<(f64, bool)> {
    let duration = |text: &str| Some((humantime::parse_duration(text).ok()?.as_secs_f64(), true));
    value.as_f64().map(|number| (number, false)).or_else(|| value.as_str().and_then(duration))
}

/// The different values of a knob, in the order of the cases.
pub(super) fn values(data: &Data, knob: &str) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for value in data.manifest.cases.iter().filter_map(|case| case.knobs.get(knob)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}
