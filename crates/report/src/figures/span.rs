//! An axis on paper: from where to where it goes, where a value lies on it, and where it has ticks.

use super::ticks;
use crate::chart::{Axis, Chart, Mark, Scale};
use plotters::{
    chart::ChartContext,
    coord::{
        Shift,
        cartesian::Cartesian2d,
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    },
    drawing::{DrawingArea, DrawingAreaErrorKind},
    prelude::{DrawingBackend, SVGBackend},
};
use std::{collections::BTreeMap, ops::Range};

/// What is smaller than this is drawn as nothing, and what is larger than its inverse not at all: ticks need room.
const LEAST: f64 = 1e-250;

/// Where a chart is drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Where its layers are drawn.
pub(super) type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Span, Span>>;

/// What drawing comes to: it cannot fail, as long as a text takes it up.
pub(super) type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// The axes of a chart.
pub(super) struct Axes<'a> {
    pub(super) x: &'a Span,
    pub(super) y: &'a Span,
}

impl Axes<'_> {
    /// Whether a point can be drawn.
    pub(super) fn hold(&self, (x, y): (f64, f64)) -> bool {
        self.x.holds(x) && self.y.holds(y)
    }
}

/// An axis on paper.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    from: f64,
    to: f64,
    logarithmic: bool,
    /// Where they are, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Span {
    /// The axis on which these values lie, with at most so many ticks.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>, most_ticks: usize) -> Self {
        let logarithmic = axis.scale == Scale::Logarithmic;
        let drawn = values.filter(|value| is_drawn(*value, logarithmic));
        let (least, greatest) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), v| (l.min(v), g.max(v)));
        let (least, greatest) = if least <= greatest { (least, greatest) } else { (0.1, 1.0) };
        let (from, to) = match &axis.scale {
            Scale::Linear => padded(least, greatest),
            Scale::LinearFromZero if (least, greatest) == (0.0, 0.0) => (0.0, 1.0),
            Scale::LinearFromZero => {
                let (from, to) = padded(least.min(0.0), greatest.max(0.0));
                (if least < 0.0 { from } else { 0.0 }, if greatest > 0.0 { to } else { 0.0 })
            }
            Scale::Between(from, to) => (f64::from(*from), f64::from(*to)),
            Scale::Logarithmic => decades(least, greatest),
            Scale::Names(names) => (-0.5, names.len() as f64 - 0.5),
            Scale::Moments(moments) => (-0.5, moments.count as f64 - 0.5),
        };
        let ticks = match &axis.scale {
            Scale::Names(names) => names.iter().enumerate().map(|(n, name)| (n as f64, name.clone())).collect(),
            Scale::Moments(moments) => moments.ticks.iter().map(|(n, text)| (*n as f64, text.clone())).collect(),
            Scale::Logarithmic => ticks::logarithmic(from, to, most_ticks),
            _ => ticks::linear(from, to, most_ticks),
        };
        Self { from, to, logarithmic, ticks }
    }

    /// The same with a little room beyond fixed bounds, so that what lies on them is seen whole.
    pub(super) fn roomy(self, axis: &Axis) -> Self {
        let more = if matches!(axis.scale, Scale::Between(..)) { 0.03 * (self.to - self.from) } else { 0.0 };
        Self { from: self.from - more, to: self.to + more, ..self }
    }

    /// Where on the axis a value lies: from 0 at its beginning to 1 at its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            (value / self.from).log10() / (self.to / self.from).log10()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }

    /// Whether a value can be drawn.
    pub(super) fn holds(&self, value: f64) -> bool {
        is_drawn(value, self.logarithmic)
    }
}

fn is_drawn(value: f64, logarithmic: bool) -> bool {
    value.abs() < 1.0 / LEAST && (!logarithmic || value > LEAST)
}

/// A little more than this, on both sides.
fn padded(least: f64, greatest: f64) -> (f64, f64) {
    let wide = greatest - least;
    // What differs by rounding only is drawn as the same.
    let tiny = (1e-9 * least.abs().max(greatest.abs())).max(LEAST);
    let more = if wide > tiny { 0.04 * wide } else { 0.05 * least.abs().max(1e-3) };
    (least - more, greatest + more)
}

/// A little more than this, and a decade at least.
fn decades(least: f64, greatest: f64) -> (f64, f64) {
    let wide = (greatest / least).log10();
    let more = if wide < 1.0 { (1.0 - wide) / 2.0 + 0.02 } else { 0.04 * wide };
    (least / 10_f64.powf(more), greatest * 10_f64.powf(more))
}

impl Ranged for Span {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // What lies far outside is cut off well outside, so that coordinates stay numbers that every reader can hold.
        let share = self.share(*value).clamp(-1.0, 2.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

/// All values of a chart on its horizontal axis, and on its vertical one.
pub(super) fn values(chart: &Chart) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut tops = Tops::new();
    for layer in &chart.layers {
        match &layer.mark {
            Mark::Line(points, _) | Mark::Steps(points, _) | Mark::Points(points) => {
                let drawn = || points.iter().filter(|point| point.0.is_finite() && point.1.is_finite());
                x.extend(drawn().map(|point| point.0));
                y.extend(drawn().map(|point| point.1));
            }
            Mark::Bars(points) => {
                x.extend(points.iter().map(|point| point.0));
                y.extend(points.iter().map(|point| point.1).chain([0.0]));
            }
            Mark::Stack(points) => {
                x.extend(points.iter().map(|point| point.0));
                y.extend(points.iter().flat_map(|point| [0.0, stacked(&mut tops, *point)]));
            }
            Mark::Band(spans) => {
                x.extend(spans.iter().map(|span| span.0));
                y.extend(spans.iter().flat_map(|span| [span.1, span.2]));
            }
            Mark::Rule(at) => y.push(*at),
            Mark::Heat(cells, _) => {
                x.extend(cells.iter().map(|cell| cell.0));
                y.extend(cells.iter().map(|cell| cell.1));
            }
        }
    }
    (x, y)
}

/// Where the tops of bars are, by the bits of where these stand.
pub(super) type Tops = BTreeMap<u64, f64>;

/// Puts a bar on those that stand at its place already; returns where its top is.
pub(super) fn stacked(tops: &mut Tops, (place, height): (f64, f64)) -> f64 {
    let top = tops.entry(place.to_bits()).or_default();
    *top += height;
    *top
}
