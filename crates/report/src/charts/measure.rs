//! The measures of a study, as figures show them.

use crate::chart::{Axis, Scale};
use microgrid_record::{MEASURES, Statistics, Summary};

/// A mean, and its 95 % confidence interval where it is known.
type Interval = (f64, Option<(f64, f64)>);

/// What a measure is of a combination, if it is defined.
type Value = dyn Fn(&Summary) -> Option<Interval>;

/// A measure of a combination of the varied knobs.
pub(super) struct Measure {
    /// As in `summary.csv`.
    pub(super) name: &'static str,
    pub(super) axis: Axis,
    /// What it is of a combination, in words, as the beginning of a caption.
    pub(super) what: &'static str,
    /// What else there is to know of it, behind a caption.
    pub(super) remark: &'static str,
    /// Between which values it can be.
    pub(super) bounds: (f64, f64),
    /// What it is, if it is defined.
    pub(super) of: Box<Value>,
}

/// All measures, the share of slots in equilibrium first, where gates close after so long [s], if that is known.
pub(super) fn all(gate: Option<f64>) -> impl Iterator<Item = Measure> {
    let share = Measure {
        name: "share_in_equilibrium",
        axis: Axis::of("share of slots in equilibrium").scale(Scale::Between(0.0, 1.0)),
        what: "Part of the slots with a market that ended in equilibrium",
        remark: "",
        bounds: (0.0, 1.0),
        of: Box::new(|summary| Some((summary.share_in_equilibrium?, summary.share_interval))),
    };
    let measures = MEASURES.iter().enumerate().map(move |(index, column)| Measure {
        name: column.name,
        axis: Axis {
            label: column.label.to_owned(),
            unit: column.unit.filter(|_| !column.bare),
            scale: if column.logarithmic { Scale::Logarithmic } else { Scale::Linear },
        },
        what: column.what,
        remark: column.remark,
        bounds: (
            if column.signed { f64::NEG_INFINITY } else { 0.0 },
            gate.filter(|_| column.to_gate).unwrap_or(f64::INFINITY),
        ),
        of: Box::new(move |summary| {
            let statistics: &Statistics = &summary.measures[index];
            let mean = statistics.mean()?;
            Some((mean, statistics.half_width().map(|half_width| (mean - half_width, mean + half_width))))
        }),
    });
    [share].into_iter().chain(measures)
}

impl Measure {
    /// Its name without a unit.
    pub(super) fn word(&self) -> &'static str {
        let units = ["_cny_per_kwh", "_cny", "_s", "_kwh"];
        let word = units.iter().find_map(|unit| self.name.strip_suffix(unit));
        // What is for each kWh is not in kWh.
        word.filter(|word| !word.ends_with("_per")).unwrap_or(self.name)
    }

    /// What it is in a title.
    pub(super) fn title(&self) -> String {
        let label = self.axis.label.split(',').next().unwrap_or_default();
        let mut letters = label.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}
