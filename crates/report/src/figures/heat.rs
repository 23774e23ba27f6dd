//! Fields of colors, and the scale that tells what they mean.

use super::{
    span::{Area, Axes, Drawn, Plot, Span},
    style::{AXIS, NOTHING, TICK, UNIT, text, width},
    ticks::short,
};
use crate::chart::{Axis, Chart, Mark};
use plotters::{
    element::{Rectangle, Text},
    style::{
        BLACK, Color as _, FontTransform, RGBColor, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Width of the scale of colors [1/100 in].
const BAR: i32 = 16;

/// By how much a piece lies under the next [units].
const SEAM: i32 = 4;

/// The scale of colors at even distances from the least to the greatest value: Cividis, as on the page. It goes from dark to
/// light, and means the same to readers of every color vision.
pub(super) const CIVIDIS: [(u8, u8, u8); 18] = [
    (0, 32, 76),
    (0, 42, 102),
    (0, 52, 110),
    (39, 63, 108),
    (60, 74, 107),
    (76, 85, 107),
    (91, 95, 109),
    (104, 106, 112),
    (117, 117, 117),
    (131, 129, 120),
    (146, 140, 120),
    (161, 152, 118),
    (176, 165, 114),
    (192, 177, 109),
    (209, 191, 102),
    (225, 204, 92),
    (243, 219, 79),
    (255, 233, 69),
];

/// The color at a part of the scale.
fn tone(share: f64) -> RGBColor {
    let at = share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let below = (at as usize).min(CIVIDIS.len() - 2);
    let (from, to, part) = (CIVIDIS[below], CIVIDIS[below + 1], at - below as f64);
    let between = |one: u8, other: u8| (f64::from(one) + part * (f64::from(other) - f64::from(one))).round() as u8;
    RGBColor(between(from.0, to.0), between(from.1, to.1), between(from.2, to.2))
}

/// What the colors of a field mean.
#[derive(Clone, Debug)]
pub(super) struct Tones {
    span: Span,
    label: String,
}

impl Tones {
    pub(super) fn of(cells: &[(f64, f64, Option<f64>)], values: &Axis) -> Self {
        Self { span: Span::of(values, cells.iter().filter_map(|cell| cell.2), 6), label: values.text() }
    }

    /// The colors of a chart's field, if it has one.
    pub(super) fn of_chart(chart: &Chart) -> Option<Self> {
        chart.layers.iter().find_map(|layer| match &layer.mark {
            Mark::Heat(cells, values) => Some(Self::of(cells, values)),
            _ => None,
        })
    }

    fn color(&self, value: f64) -> RGBColor {
        tone(self.span.share(value))
    }

    /// How wide the scale of colors is with all that stands beside it [1/100 in].
    pub(super) fn room(&self) -> i32 {
        // The gap to the field, the scale, its ticks and its label.
        20 + BAR + 8 + self.widest_tick() + 12 + TICK + 8
    }

    fn widest_tick(&self) -> i32 {
        self.span.ticks.iter().map(|tick| width(&tick.1, TICK)).max().unwrap_or(0)
    }

    /// Draws the scale of colors: from `left` between `top` and `bottom` [units].
    pub(super) fn draw<'b>(&self, area: &Area<'b>, left: i32, (top, bottom): (i32, i32)) -> Drawn<'b> {
        const STEPS: i32 = 64;
        let from = left + 20 * UNIT;
        let to = from + BAR * UNIT;
        let at = |share: f64| bottom - (share * f64::from(bottom - top)).round() as i32;
        for step in 0..STEPS {
            let (low, high) = (f64::from(step) / f64::from(STEPS), f64::from(step + 1) / f64::from(STEPS));
            let tone = tone((low + high) / 2.0);
            area.draw(&Rectangle::new([(from, at(high) - SEAM), (to, at(low))], tone.filled()))?;
        }
        area.draw(&Rectangle::new([(from, top), (to, bottom)], AXIS.stroke_width(8)))?;
        let beside = text(TICK).pos(Pos::new(HPos::Left, VPos::Center));
        for (value, tick) in &self.span.ticks {
            area.draw(&Text::new(tick.clone(), (to + 8 * UNIT, at(self.span.share(*value))), beside.clone()))?;
        }
        let turned = text(TICK).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Center, VPos::Center));
        let middle = (to + (8 + self.widest_tick() + 12 + TICK / 2) * UNIT, i32::midpoint(top, bottom));
        area.draw(&Text::new(self.label.clone(), middle, turned))
    }
}

/// Whether black on a color has more contrast than white, by WCAG 2: 4.5:1 at least, where it is the better of the two.
fn is_bright(RGBColor(red, green, blue): RGBColor) -> bool {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        part if part <= 0.040_45 => part / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    };
    // Where (L + 0.05) / 0.05 is 1.05 / (L + 0.05).
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.179_13
}

/// Draws the cells of a field, with their values where there is room for them.
pub(super) fn cells<'b>(
    plot: &mut Plot<'_, 'b>,
    axes: &Axes<'_>,
    cells: &[(f64, f64, Option<f64>)],
    tones: &Tones,
) -> Drawn<'b> {
    let area = plot.plotting_area().strip_coord_spec();
    let (wide, high) = area.dim_in_pixel();
    let count = |span: &Span| (1.0 / (span.share(1.0) - span.share(0.0))).round().max(1.0);
    let (column, row) = (f64::from(wide) / count(axes.x), f64::from(high) / count(axes.y));
    let fits = |label: &str| f64::from((width(label, TICK) + 6) * UNIT) < column && f64::from((TICK + 4) * UNIT) < row;
    // Under the next cell a little, so that nothing shines through between them.
    let (right, up) = (f64::from(SEAM) / column, f64::from(SEAM) / row);
    // What lies on no scale, as 0 on one of powers, has no color either.
    let seen = |cell: &(f64, f64, Option<f64>)| (cell.0, cell.1, cell.2.filter(|value| tones.span.holds(*value)));
    let cells: Vec<_> = cells.iter().map(seen).collect();
    plot.draw_series(cells.iter().map(|&(x, y, value)| {
        let tone = value.map_or(NOTHING, |value| tones.color(value));
        Rectangle::new([(x - 0.5, y - 0.5), (x + 0.5 + right, y + 0.5 + up)], tone.filled())
    }))?;
    let labels: Vec<_> = cells.iter().filter_map(|&(x, y, value)| Some((x, y, value?, short(value?)))).collect();
    if labels.iter().all(|label| fits(&label.3)) {
        plot.draw_series(labels.into_iter().map(|(x, y, value, label)| {
            let ink = if is_bright(tones.color(value)) { &BLACK } else { &WHITE };
            Text::new(label, (x, y), text(TICK).color(ink).pos(Pos::new(HPos::Center, VPos::Center)))
        }))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_legible_on_every_color() {
        let part = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        for step in 0..=1000_u16 {
            let tone = tone(f64::from(step) / 1000.0);
            let luminance = 0.2126 * part(tone.0) + 0.7152 * part(tone.1) + 0.0722 * part(tone.2) + 0.05;
            let contrast = if is_bright(tone) { luminance / 0.05 } else { 1.05 / luminance };
            assert!(contrast >= 4.5, "{tone:?}: {contrast}");
        }
    }
}
