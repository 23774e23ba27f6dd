//! The layers of a chart, drawn between its axes.

use super::{
    heat,
    span::{Axes, Drawn, Plot, Tops, stacked},
    style::{UNIT, color, stroke},
};
use crate::chart::{Chart, Color, Mark, Stroke};
use plotters::{
    coord::ranged1d::Ranged,
    element::{Circle, EmptyElement, PathElement, Polygon, Rectangle},
    series::DashedLineSeries,
    style::{Color as _, RGBColor, ShapeStyle, WHITE},
};

/// Width of lines, and radius of points.
const LINE: u32 = 18;
pub(super) const POINT: i32 = 35;

/// Radius of a ring.
pub(super) const RING: i32 = POINT + 3 * UNIT;

/// Draws all layers, from the back to the front.
pub(super) fn draw<'b>(plot: &mut Plot<'_, 'b>, chart: &Chart, axes: &Axes<'_>) -> Drawn<'b> {
    let bars = chart.layers.iter().filter(|layer| matches!(layer.mark, Mark::Bars(_))).count();
    let field = chart.layers.iter().any(|layer| matches!(layer.mark, Mark::Heat(..)));
    let mut tops = Tops::new();
    let mut beside = 0;
    for layer in &chart.layers {
        let tone = color(layer.color);
        match &layer.mark {
            Mark::Line(points, how) => {
                if field && layer.color == Color::Reference {
                    // Light along it, so that it is seen on dark cells too.
                    line(plot, axes, points, Stroke::Solid, pen(WHITE, 3 * LINE))?;
                }
                line(plot, axes, points, stroke(layer.color, *how), pen(tone, LINE))?;
            }
            Mark::Steps(points, how) => {
                let corners = if chart.x.is_placed() { treads(points) } else { steps(points) };
                line(plot, axes, &corners, stroke(layer.color, *how), pen(tone, LINE))?;
            }
            Mark::Points(points) => dots(plot, axes, points, layer.color)?,
            Mark::Bars(points) => {
                let (count, wide) = (bars as f64, 0.8 * room(chart) / bars as f64);
                let offset = (beside as f64 - 0.5 * count) * wide;
                beside += 1;
                let bar =
                    |point: &(f64, f64)| (point.0 + offset + 0.04 * wide, point.0 + offset + 0.96 * wide, 0.0, point.1);
                boxes(plot, points.iter().map(bar), tone)?;
            }
            Mark::Stack(points) => {
                let wide = 0.8 * room(chart);
                let piece = |point: &(f64, f64)| {
                    let top = stacked(&mut tops, *point);
                    (point.0 - 0.5 * wide, point.0 + 0.5 * wide, top - point.1, top)
                };
                boxes(plot, points.iter().map(piece).collect::<Vec<_>>().into_iter(), tone)?;
            }
            Mark::Band(spans) => {
                let can = |span: &(f64, f64, f64)| axes.hold((span.0, span.1)) && axes.hold((span.0, span.2));
                for piece in spans.chunk_by(|a, b| can(a) == can(b)).filter(|piece| piece.iter().all(can)) {
                    // A place by itself has a width where its value holds around it.
                    let half = if piece.len() == 1 && chart.x.is_placed() { 0.4 } else { 0.0 };
                    let above = piece.iter().flat_map(|span| [(span.0 - half, span.2), (span.0 + half, span.2)]);
                    let below = piece.iter().rev().flat_map(|span| [(span.0 + half, span.1), (span.0 - half, span.1)]);
                    let mut outline: Vec<_> = above.chain(below).collect();
                    outline.dedup();
                    plot.draw_series([Polygon::new(outline, tone.mix(0.2).filled())])?;
                }
            }
            Mark::Rule(at) => {
                let ends = axes.x.range();
                line(plot, axes, &[(ends.start, *at), (ends.end, *at)], Stroke::Dashed, pen(tone, LINE))?;
            }
            Mark::Heat(cells, values) => heat::cells(plot, axes, cells, &heat::Tones::of(cells, values))?,
        }
    }
    Ok(())
}

/// How far bars are from each other.
fn room(chart: &Chart) -> f64 {
    let places = chart.layers.iter().filter_map(|layer| match &layer.mark {
        Mark::Bars(points) | Mark::Stack(points) => Some(points.iter().map(|point| point.0)),
        _ => None,
    });
    let mut places: Vec<f64> = places.flatten().collect();
    places.sort_by(f64::total_cmp);
    let gaps = places.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0);
    gaps.fold(f64::INFINITY, f64::min).min(1.0)
}

/// The corners of a line on which each value lasts until the next.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let corner = |pair: &[(f64, f64)]| [(pair[1].0, pair[0].1), pair[1]];
    points.first().copied().into_iter().chain(points.windows(2).flat_map(corner)).collect()
}

/// The same on an axis of names, on which each value lasts as far as its name does.
fn treads(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().flat_map(|&(x, y)| [(x - 0.5, y), (x + 0.5, y)]).collect()
}

fn pen(tone: RGBColor, wide: u32) -> ShapeStyle {
    ShapeStyle { color: tone.to_rgba(), filled: false, stroke_width: wide }
}

fn line<'b>(
    plot: &mut Plot<'_, 'b>,
    axes: &Axes<'_>,
    points: &[(f64, f64)],
    how: Stroke,
    pen: ShapeStyle,
) -> Drawn<'b> {
    let can = |point: &(f64, f64)| axes.hold(*point);
    for piece in points.chunk_by(|a, b| can(a) == can(b)).filter(|piece| piece.iter().all(can)) {
        // A value by itself is no line, but a dot as thick as one.
        if let [point] = piece {
            plot.draw_series([Circle::new(*point, LINE.cast_signed() / 2, pen.filled())])?;
            continue;
        }
        let (on, off) = match how {
            Stroke::Solid => {
                plot.draw_series([PathElement::new(piece, pen)])?;
                continue;
            }
            Stroke::Dashed => (70, 45),
            Stroke::Dotted => (18, 36),
        };
        plot.draw_series(DashedLineSeries::new(piece.iter().copied(), on, off, pen))?;
    }
    Ok(())
}

/// Points: filled where they are results, rings where they are not.
fn dots<'b>(plot: &mut Plot<'_, 'b>, axes: &Axes<'_>, points: &[(f64, f64)], color_of: Color) -> Drawn<'b> {
    let drawn = points.iter().copied().filter(|point| axes.hold(*point));
    let tone = color(color_of);
    match Shape::of(color_of) {
        Shape::Ring => plot.draw_series(drawn.map(|point| Circle::new(point, RING, pen(tone, 12))))?,
        Shape::Disc => plot.draw_series(drawn.map(|point| Circle::new(point, POINT, tone.filled())))?,
        Shape::Corners(corners) => {
            let shape = |point| EmptyElement::at(point) + Polygon::new(corners.clone(), tone.filled());
            plot.draw_series(drawn.map(shape))?
        }
    };
    Ok(())
}

/// What a point looks like.
pub(super) enum Shape {
    /// A circle that leaves room for a result within.
    Ring,
    /// A filled circle.
    Disc,
    /// A filled shape with these corners around the point [units].
    Corners(Vec<(i32, i32)>),
}

impl Shape {
    /// The shape for a color: results can be told apart without it too.
    pub(super) fn of(color: Color) -> Self {
        let corners: &[(i32, i32)] = match color {
            Color::Reference => return Self::Ring,
            Color::Series(n) => match n % 4 {
                0 => return Self::Disc,
                1 => &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
                2 => &[(0, -13), (12, 9), (-12, 9)],
                _ => &[(0, -13), (13, 0), (0, 13), (-13, 0)],
            },
        };
        Self::Corners(corners.iter().map(|&(x, y)| (x * POINT / 10, y * POINT / 10)).collect())
    }
}

/// Filled boxes: (left, right, bottom, top). One without area is not drawn.
fn boxes<'b>(plot: &mut Plot<'_, 'b>, boxes: impl Iterator<Item = (f64, f64, f64, f64)>, tone: RGBColor) -> Drawn<'b> {
    let corners = boxes.map(|(left, right, bottom, top)| [(left, top), (right, bottom)]);
    let seen = |corners: &[(f64, f64); 2]| {
        let [one, other] = corners.map(|corner| plot.backend_coord(&corner));
        one.0 != other.0 && one.1 != other.1
    };
    let seen: Vec<_> = corners.filter(seen).collect();
    plot.draw_series(seen.into_iter().map(|corners| Rectangle::new(corners, tone.filled())))?;
    Ok(())
}
