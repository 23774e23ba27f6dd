//! What a study found against each knob that it varied.

use super::label::{self, KnobAxis};
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::Data,
};
use indexmap::IndexMap;
use microgrid_record::{MEASURES, Statistics, Summary, knob_text};

/// As many lines can be told apart.
const MOST_LINES: usize = 9;

/// Each measure that the knobs change against each knob.
pub(super) fn charts(data: &Data) -> Vec<Chart> {
    let measures: Vec<Measure> =
        self::measures(data.manifest.gate_closure_s).filter(|measure| changes(data, measure)).collect();
    let knob = |name: &String| {
        let lines = Lines::of(data, name);
        measures.iter().filter_map(move |measure| chart(data, name, &lines, measure)).collect::<Vec<_>>()
    };
    data.knobs().flat_map(knob).collect()
}

/// Whether the measure is not the same for all combinations.
fn changes(data: &Data, measure: &Measure) -> bool {
    let mut means = data.summaries.iter().filter_map(|summary| (measure.of)(summary)).map(|(mean, _)| mean);
    means.next().is_some_and(|first| means.any(|mean| (mean - first).abs() > 1e-12 * first.abs()))
}

/// The lines of the charts against a knob: a line for each combination of some other knobs.
pub(super) struct Lines {
    /// The other knobs whose values have lines of their own.
    told_apart: Vec<String>,
    /// The other knobs over whose values lines are the mean.
    averaged: Vec<String>,
}

impl Lines {
    /// As many other knobs as there are colors for are told apart, from the first on.
    fn of(data: &Data, knob: &str) -> Self {
        let mut lines = 1;
        let others = data.knobs().filter(|name| *name != knob).cloned();
        let (told_apart, averaged) = others.partition(|name| {
            let values = label::values(data, name).len();
            let fits = lines * values <= MOST_LINES;
            lines *= if fits { values } else { 1 };
            fits
        });
        Self { told_apart, averaged }
    }

    /// What the line of a combination is called.
    fn name(&self, data: &Data, summary: &Summary) -> String {
        let value = |name: &String| Some(format!("{name} = {}", knob_text(data.knob(summary.first_case, name)?)));
        self.told_apart.iter().filter_map(value).collect::<Vec<_>>().join(", ")
    }
}

/// The points of a line by where they lie: how many combinations are there, the sum of their means, and the interval of
/// one that is there alone.
type Points = Vec<Point>;
type Point = (f64, u32, f64, Option<(f64, f64)>);

fn chart(data: &Data, knob: &str, lines: &Lines, measure: &Measure) -> Option<Chart> {
    let mut x = KnobAxis::of(knob, label::values(data, knob));
    let named = x.axis.is_named();
    if named {
        // Names are read from top to bottom.
        x = KnobAxis::named(knob, label::values(data, knob).into_iter().rev().collect());
    }
    let mut found = IndexMap::<String, Points>::new();
    for summary in &data.summaries {
        let place = data.knob(summary.first_case, knob).and_then(|value| x.place(value));
        let (Some(place), Some((mean, interval))) = (place, (measure.of)(summary)) else { continue };
        let points = found.entry(lines.name(data, summary)).or_default();
        match points.iter_mut().find(|point| point.0 == place) {
            Some(point) => *point = (place, point.1 + 1, point.2 + mean, None),
            None => points.push((place, 1, mean, interval)),
        }
    }
    let means: Vec<f64> = found.values().flatten().map(|point| point.2 / f64::from(point.1)).collect();
    let mut y = measure.axis.clone();
    let mut least = measure.bounds.0;
    if y.scale == Scale::Logarithmic {
        // Where a mean has no logarithm, neither has the axis; else bands end a decade below all means.
        if means.iter().any(|mean| *mean <= 0.0) {
            y.scale = Scale::Linear;
        } else {
            least = 0.1 * means.iter().copied().fold(f64::INFINITY, f64::min);
        }
    }
    let bounds = (least, measure.bounds.1);
    let layers = found.into_iter().enumerate().flat_map(|(n, (name, points))| layers(n, name, points, named, bounds));
    let interval = match (lines.averaged.is_empty(), measure.name, data.manifest.replicates > 1) {
        (true, "share_in_equilibrium", _) => ", with its 95 % confidence interval by Wilson",
        (true, _, true) => ", with the 95 % confidence interval over the replicates",
        _ => "",
    };
    let averaged = if lines.averaged.is_empty() {
        String::new()
    } else {
        format!(" Each point is the mean over all values of {}.", lines.averaged.join(" and "))
    };
    Chart::new(
        (format!("{}_by_{knob}", measure.word()), format!("{} by {knob}", measure.title())),
        format!("{}{interval}.{averaged}{}", measure.what, measure.remark),
        if named { (y, x.axis) } else { (x.axis, y) },
        layers,
    )
}

/// The layers of a line, whose band ends where values cannot be; beside names, points with intervals that do.
fn layers(n: usize, name: String, mut points: Points, named: bool, (least, most): (f64, f64)) -> Vec<Layer> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let means = points.iter().map(|&(place, count, sum, _)| (place, sum / f64::from(count)));
    let intervals = points.iter().filter_map(|point| Some((point.0, point.3?)));
    let marks = if named {
        let across = |(place, (low, high)): (f64, (f64, f64))| {
            let (low, high) = (low.max(least), high.min(most));
            [(low, place), (high, place), (high, f64::NAN)]
        };
        vec![
            Mark::Line(intervals.flat_map(across).collect(), Stroke::Solid),
            Mark::Points(means.map(|(place, mean)| (mean, place)).collect()),
        ]
    } else {
        let band = intervals.map(|(place, (low, high))| (place, low.max(least), high.min(most)));
        vec![
            Mark::Band(band.collect()),
            Mark::Line(means.clone().collect(), Stroke::Solid),
            Mark::Points(means.collect()),
        ]
    };
    let name = (!name.is_empty()).then_some(name);
    marks.into_iter().map(|mark| Layer { name: name.clone(), color: Color::Series(n), mark }).collect()
}

/// A mean, and its 95 % confidence interval where it is known.
type Interval = (f64, Option<(f64, f64)>);

/// What a measure is of a combination, if it is defined.
type Value = dyn Fn(&Summary) -> Option<Interval>;

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
    pub(super) of: Box<Value>,
}

/// All measures, the share of slots in equilibrium first, where gates close after so long [s], if that is known.
pub(super) fn measures(gate: Option<f64>) -> impl Iterator<Item = Measure> {
    let share = Measure {
        name: "share_in_equilibrium",
        axis: Axis::of("share of slots in equilibrium").scale(Scale::Between(0, 1)),
        what: "Part of the slots with a market that ended in equilibrium",
        remark: "",
        bounds: (0.0, 1.0),
        of: Box::new(|summary| Some((summary.share_in_equilibrium?, summary.share_interval))),
    };
    let measures = MEASURES.iter().enumerate().map(move |(index, column)| Measure {
        name: column.name,
        axis: Axis {
            label: column.label.to_owned(),
            unit: column.unit.filter(|_| !column.bare).map(Into::into),
            scale: if column.logarithmic { Scale::Logarithmic } else { Scale::Linear },
        },
        what: column.what,
        remark: column.remark,
        bounds: (
            if column.signed { f64::NEG_INFINITY } else { 0.0 },
            gate.filter(|_| column.until_gate).unwrap_or(f64::INFINITY),
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

    pub(super) fn title(&self) -> String {
        let label = self.axis.label.split(',').next().unwrap_or_default();
        let mut letters = label.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}
