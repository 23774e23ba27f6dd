//! A chart on paper: title, axes, layers, legend.

use super::{
    heat::Tones,
    legend::Legend,
    marks,
    span::{self, Area, Axes, Drawn, Span},
    style::{AXIS, GRID, LABEL, TICK, TITLE, UNIT, WIDTH, clipped, text, width, wrapped},
};
use crate::chart::Chart;
use plotters::{
    chart::ChartBuilder,
    coord::ranged1d::Ranged,
    drawing::IntoDrawingArea,
    element::{Rectangle, Text},
    prelude::SVGBackend,
    style::{
        Color as _, FontTransform, TRANSPARENT, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Height of what lies between the axes, and margins [1/100 in].
const PLOT: i32 = 370;
const MARGIN: i32 = 12;
/// Between an axis and what is written at its ticks.
const GAP: i32 = 8;

/// Of so many names long ones are broken into lines; of more there is no room for lines.
const MOST_BROKEN: usize = 13;

/// Draws a chart as SVG.
pub fn svg(chart: &Chart) -> String {
    let paper = Paper::of(chart);
    let mut svg = String::new();
    let size = [WIDTH, paper.height].map(|length| (length * UNIT).cast_unsigned());
    {
        let area = SVGBackend::with_string(&mut svg, (size[0], size[1])).into_drawing_area();
        paper.draw(&area, chart).expect("a text takes up all that is drawn");
        area.present().expect("a text can be ended");
    }
    // In inches, so that it is as large in every document, and with words for those who do not see it.
    let (given, begin) = (format!("width=\"{}\" height=\"{}\"", size[0], size[1]), ">\n");
    let inches = format!("width=\"{}in\" height=\"{}in\" role=\"img\"", hundredths(WIDTH), hundredths(paper.height));
    let words = format!(">\n<title>{}</title>\n<desc>{}</desc>\n", escaped(&chart.title), escaped(&chart.caption));
    // A name may hold what no XML may, not even escaped.
    svg.replacen(&given, &inches, 1).replacen(begin, &words, 1).replace(|sign| !is_xml(sign), "\u{fffd}")
}

fn is_xml(sign: char) -> bool {
    matches!(sign, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

fn hundredths(length: i32) -> f64 {
    f64::from(length) / 100.0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Where everything is on paper [1/100 in].
struct Paper<'a> {
    title: Vec<String>,
    x: Span,
    y: Span,
    /// What is written at each tick of the horizontal axis, in lines.
    below: Vec<(f64, Vec<String>)>,
    /// The same at each tick of the vertical axis.
    left: Vec<(f64, Vec<String>)>,
    tones: Option<Tones>,
    legend: Legend<'a>,
    /// Of the space between the axes: left, right, top, bottom.
    plot: (i32, i32, i32, i32),
    height: i32,
}

impl<'a> Paper<'a> {
    fn of(chart: &'a Chart) -> Self {
        let (x_values, y_values) = span::values(chart);
        let x = Span::of(&chart.x, x_values.into_iter(), 9).roomy(&chart.x);
        let y = Span::of(&chart.y, y_values.into_iter(), 7).roomy(&chart.y);
        let title = wrapped(&chart.title, TITLE, WIDTH - 2 * MARGIN);
        let tones = Tones::of_chart(chart);
        let left = upward(&y, chart.y.is_named());
        let widest = left.iter().flat_map(|tick| &tick.1).map(|line| width(line, TICK)).max().unwrap_or(0);
        let from = MARGIN + LABEL + 8 + widest + GAP;
        let to = WIDTH - tones.as_ref().map_or(2 * MARGIN, |tones| tones.room() + MARGIN / 2);
        let below = across(&x, chart.x.is_named(), (from, to));
        let lines = below.iter().map(|tick| tick.1.len()).max().unwrap_or(0) as i32;
        let top = MARGIN + (TITLE + 5) * title.len() as i32 + 8;
        let bottom = top + PLOT;
        let legend = Legend::of(chart, WIDTH - 2 * MARGIN - 10);
        let height = bottom + GAP + (TICK + 3) * lines + 6 + LABEL + 6 + legend.height() + MARGIN;
        Self { title, x, y, below, left, tones, legend, plot: (from, to, top, bottom), height }
    }

    fn draw<'b>(&self, area: &Area<'b>, chart: &Chart) -> Drawn<'b> {
        let (left, right, top, bottom) = self.plot;
        area.fill(&WHITE)?;
        let centered = |v| Pos::new(HPos::Center, v);
        let middle = i32::midpoint(left, right);
        for (n, line) in (0..).zip(&self.title) {
            let at = (WIDTH / 2 * UNIT, (MARGIN + (TITLE + 5) * n) * UNIT);
            area.draw(&Text::new(line.clone(), at, text(TITLE).pos(centered(VPos::Top))))?;
        }
        let field = area.clone().margin(top * UNIT, (self.height - bottom) * UNIT, left * UNIT, (WIDTH - right) * UNIT);
        let mut plot = ChartBuilder::on(&field).build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let over = Axes { x: &self.x, y: &self.y };
        let mut mesh = plot.configure_mesh();
        mesh.light_line_style(TRANSPARENT).bold_line_style(GRID.stroke_width(8)).axis_style(AXIS.stroke_width(10));
        if chart.x.is_named() {
            mesh.disable_x_mesh();
        }
        if chart.y.is_named() {
            mesh.disable_y_mesh();
        }
        mesh.draw()?;
        marks::draw(&mut plot, chart, &over)?;
        let frame = [(left * UNIT, top * UNIT), (right * UNIT, bottom * UNIT)];
        area.draw(&Rectangle::new(frame, AXIS.stroke_width(8)))?;
        self.label(area)?;
        let turned = text(LABEL).transform(FontTransform::Rotate270).pos(centered(VPos::Center));
        let beside = ((MARGIN + LABEL / 2) * UNIT, i32::midpoint(top, bottom) * UNIT);
        area.draw(&Text::new(chart.y.text(), beside, turned))?;
        let lines = self.below.iter().map(|tick| tick.1.len()).max().unwrap_or(0) as i32;
        let under = bottom + GAP + (TICK + 3) * lines + 6;
        area.draw(&Text::new(chart.x.text(), (middle * UNIT, under * UNIT), text(LABEL).pos(centered(VPos::Top))))?;
        if let Some(tones) = &self.tones {
            tones.draw(area, right * UNIT, (top * UNIT, bottom * UNIT))?;
        }
        self.legend.draw(area, ((MARGIN + 10) * UNIT, (under + LABEL + 6) * UNIT))
    }

    /// Writes what stands at the ticks of both axes.
    fn label<'b>(&self, area: &Area<'b>) -> Drawn<'b> {
        let (left, right, top, bottom) = self.plot;
        for (value, lines) in &self.below {
            let x = self.x.map(value, (left * UNIT, right * UNIT));
            for (n, line) in (0..).zip(lines) {
                let style = text(TICK).pos(Pos::new(HPos::Center, VPos::Top));
                area.draw(&Text::new(line.clone(), (x, (bottom + GAP + (TICK + 3) * n) * UNIT), style))?;
            }
        }
        for (value, lines) in &self.left {
            let middle = self.y.map(value, (bottom * UNIT, top * UNIT));
            for (n, line) in (0..).zip(lines) {
                let style = text(TICK).pos(Pos::new(HPos::Right, VPos::Center));
                let y = middle + (TICK + 3) * (2 * n + 1 - lines.len() as i32) * UNIT / 2;
                area.draw(&Text::new(line.clone(), ((left - GAP) * UNIT, y), style))?;
            }
        }
        Ok(())
    }
}

/// What is written at the ticks of a horizontal axis from here to there [1/100 in], so that nothing overlaps or is cut off:
/// names in several lines where they are long, without their ends where that is not enough, and every second, third and so on
/// where there are too many.
fn across(span: &Span, names: bool, (left, right): (i32, i32)) -> Vec<(f64, Vec<String>)> {
    /// Between two labels.
    const APART: i32 = 8;
    /// In less room than this nothing is left of a name.
    const LEAST: i32 = 36;
    let wide = right - left;
    let reach = |value: f64, lines: &[String]| {
        let middle = left + (span.share(value) * f64::from(wide)).round() as i32;
        let half = lines.iter().map(|line| width(line, TICK)).max().unwrap_or(0) / 2;
        (middle - half, middle + half)
    };
    let on_paper = |value: f64, lines: &[String]| {
        let (from, to) = reach(value, lines);
        from > 0 && to < WIDTH
    };
    let whole = |tick: &(f64, String)| names || on_paper(tick.0, std::slice::from_ref(&tick.1));
    let ticks: Vec<&(f64, String)> = span.ticks.iter().filter(|tick| whole(tick)).collect();
    let breaks = names && ticks.len() <= MOST_BROKEN;
    let room = |every: usize| wide * every as i32 / ticks.len().max(1) as i32 - APART;
    let written = |every: usize, first: usize| {
        let room = room(every);
        let lines = move |label: &str| if breaks { broken(label, room) } else { vec![label.to_owned()] };
        ticks.iter().skip(first).step_by(every).map(move |tick| (tick.0, lines(&tick.1)))
    };
    let fits = |every: usize, first: usize| {
        let mut end = -APART;
        written(every, first).all(|(value, lines)| {
            let (from, to) = reach(value, &lines);
            on_paper(value, &lines) && from >= std::mem::replace(&mut end, to) + APART
        })
    };
    if breaks && room(1) >= LEAST && !fits(1, 0) {
        let short = |lines: Vec<String>| lines.iter().map(|line| clipped(line, TICK, room(1))).collect();
        return written(1, 0).map(|(value, lines)| (value, short(lines))).collect();
    }
    // No label is narrower than the gap to the next. From the first on or, where that is too near to the edge, from the middle of so many.
    let least = 1.max(ticks.len() * APART.unsigned_abs() as usize / wide.unsigned_abs().max(1) as usize);
    let mut ways = (least..ticks.len().max(least + 1)).flat_map(|every| [(every, 0), (every, every / 2)]);
    match ways.find(|&(every, first)| fits(every, first)) {
        Some((every, first)) => written(every, first).collect(),
        None => written(ticks.len().max(1), ticks.len() / 2).collect(),
    }
}

/// What is written at the ticks of a vertical axis: names in several lines where they are long, and every second, third and
/// so on where there are too many.
fn upward(span: &Span, names: bool) -> Vec<(f64, Vec<String>)> {
    /// Names are as wide as this at most [1/100 in].
    const MOST: i32 = 150;
    let ticks = &span.ticks;
    let breaks = names && ticks.len() <= MOST_BROKEN;
    let lines = |label: &str| if breaks { broken(label, MOST) } else { vec![clipped(label, TICK, MOST)] };
    let ticks: Vec<_> = ticks.iter().map(|tick| (tick.0, lines(&tick.1))).collect();
    let highest = ticks.iter().map(|tick| tick.1.len()).max().unwrap_or(1) as i32;
    let high = (TICK + 3) * highest + 1;
    let every = (high * ticks.len() as i32).div_euclid(PLOT).max(0) as usize + 1;
    ticks.into_iter().step_by(every).collect()
}

/// Breaks a name into lines of at most this width [1/100 in]; names of settings have no spaces where they can be broken.
fn broken(name: &str, most: i32) -> Vec<String> {
    let spaced = name.replace('(', "( ").replace(',', ", ");
    wrapped(&spaced, TICK, most).into_iter().map(|line| line.replace("( ", "(")).collect()
}
