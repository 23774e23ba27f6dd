//! The legend: what layers are called, in rows below a figure.

use super::{
    marks::{POINT, RING, Shape},
    span::{Area, Drawn},
    style::{LABEL, TICK, UNIT, clipped, color, stroke, text, width},
};
use crate::chart::{Chart, Layer, Mark, Stroke};
use indexmap::IndexMap;
use plotters::{
    element::{Circle, PathElement, Polygon, Rectangle, Text},
    style::{
        Color as _, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Height of a row, and width of a sign with its gap [1/100 in].
const ROW: i32 = LABEL + 6;
const SIGN: i32 = 26;
const GAP: i32 = 22;
/// Per cent of room for a name beyond its width: where the font is not known, letters of another may be wider.
const SPARE: i32 = 10;

/// The legend of a chart.
pub(super) struct Legend<'a> {
    /// What stands in each row, and where it begins [1/100 in].
    rows: Vec<Vec<(i32, String, Vec<&'a Layer>)>>,
}

impl<'a> Legend<'a> {
    /// The legend of a chart in rows of at most this width [1/100 in].
    pub(super) fn of(chart: &'a Chart, most: i32) -> Self {
        let mut entries = IndexMap::<String, Vec<&Layer>>::new();
        for layer in &chart.layers {
            let Some(name) = layer.name.as_deref() else { continue };
            entries.entry(clipped(name, TICK, (most - SIGN) * 100 / (100 + SPARE))).or_default().push(layer);
        }
        let mut rows: Vec<Vec<_>> = Vec::new();
        let mut end = most + 1;
        // In columns where there are several rows: easier to read than a flow.
        let room = |name: &str| SIGN + width(name, TICK) * (100 + SPARE) / 100 + GAP;
        let widest = entries.keys().map(|name| room(name)).max().unwrap_or(0);
        let total: i32 = entries.keys().map(|name| room(name)).sum();
        for (name, layers) in entries {
            let wide = if total > most { widest } else { room(&name) };
            if end + wide - GAP > most {
                rows.push(Vec::new());
                end = 0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((end, name, layers));
            }
            end += wide;
        }
        Self { rows }
    }

    /// How high it is [1/100 in].
    pub(super) fn height(&self) -> i32 {
        if self.rows.is_empty() { 0 } else { ROW * self.rows.len() as i32 + 8 }
    }

    /// Draws it with its upper left corner there [units].
    pub(super) fn draw<'b>(&self, area: &Area<'b>, (left, top): (i32, i32)) -> Drawn<'b> {
        for (n, row) in self.rows.iter().enumerate() {
            let middle = top + (8 + ROW * n as i32 + ROW / 2) * UNIT;
            for (begin, name, layers) in row {
                let begin = left + begin * UNIT;
                layers.iter().try_for_each(|layer| sign(area, layer, begin, middle))?;
                let style = text(TICK).pos(Pos::new(HPos::Left, VPos::Center));
                area.draw(&Text::new(name.clone(), (begin + SIGN * UNIT, middle), style))?;
            }
        }
        Ok(())
    }
}

/// A sign for a layer, as it is drawn in the figure.
fn sign<'b>(area: &Area<'b>, layer: &Layer, left: i32, middle: i32) -> Drawn<'b> {
    let tone = color(layer.color);
    let right = left + 20 * UNIT;
    let line = ShapeStyle { color: tone.to_rgba(), filled: false, stroke_width: 20 };
    match &layer.mark {
        Mark::Line(_, how) | Mark::Steps(_, how) => {
            let (on, off) = match stroke(layer.color, *how) {
                Stroke::Solid => (right - left, 1),
                Stroke::Dashed => (60, 40),
                Stroke::Dotted => (20, 30),
            };
            dashes(area, left, right, middle, (on, off), line)
        }
        Mark::Rule(..) => dashes(area, left, right, middle, (60, 40), line),
        Mark::Points(_) => {
            let at = (i32::midpoint(left, right), middle);
            match Shape::of(layer.color) {
                Shape::Ring => area.draw(&Circle::new(at, RING - UNIT, ShapeStyle { stroke_width: 12, ..line })),
                Shape::Disc => area.draw(&Circle::new(at, POINT, tone.filled())),
                Shape::Corners(corners) => {
                    let corners: Vec<_> = corners.into_iter().map(|(x, y)| (at.0 + x, at.1 + y)).collect();
                    area.draw(&Polygon::new(corners, tone.filled()))
                }
            }
        }
        Mark::Band(_) => area.draw(&Rectangle::new(block(left, right, middle), tone.mix(0.2).filled())),
        Mark::Bars(_) | Mark::Stack(_) | Mark::Heat(..) => {
            area.draw(&Rectangle::new(block(left + 4 * UNIT, right - 4 * UNIT, middle), tone.filled()))
        }
    }
}

fn block(left: i32, right: i32, middle: i32) -> [(i32, i32); 2] {
    [(left, middle - 5 * UNIT), (right, middle + 5 * UNIT)]
}

fn dashes<'b>(
    area: &Area<'b>,
    left: i32,
    right: i32,
    middle: i32,
    (on, off): (i32, i32),
    style: ShapeStyle,
) -> Drawn<'b> {
    let mut from = left;
    while from < right {
        area.draw(&PathElement::new([(from, middle), ((from + on).min(right), middle)], style))?;
        from += on + off;
    }
    Ok(())
}
