//! Colors, sizes and the font of figures.
//!
//! Colors are those of Okabe and Ito, which readers of every color vision can tell apart. The font is Liberation Sans,
//! which is as wide as Arial and Helvetica, letter by letter: a figure looks the same wherever one of these is.

use crate::chart::{Color, Stroke};
use plotters::style::{FontFamily, FontStyle, IntoFont, RGBColor, TextStyle, register_font};
use std::sync::Once;

/// So many units of a drawing are a hundredth of an inch. Plotters counts in whole units.
pub(super) const UNIT: i32 = 10;

/// Width of a figure [1/100 in].
pub(super) const WIDTH: i32 = 800;

/// Size of letters [1/100 in].
pub(super) const TITLE: i32 = 15;
pub(super) const LABEL: i32 = 13;
pub(super) const TICK: i32 = 12;

pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(super) const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
pub(super) const AXIS: RGBColor = RGBColor(0x66, 0x66, 0x66);
pub(super) const NOTHING: RGBColor = RGBColor(0xEE, 0xEE, 0xEE);

const SERIES: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x77, 0x77, 0x77),
    RGBColor(0x88, 0x22, 0x55),
];

/// The color of a layer on paper.
pub(super) fn color(color: Color) -> RGBColor {
    match color {
        Color::Series(n) => SERIES[n % SERIES.len()],
        Color::Reference => RGBColor(0, 0, 0),
    }
}

/// How a line is drawn: as the chart says, but those that share a color with an earlier one are broken otherwise.
pub(super) fn stroke(color: Color, stroke: Stroke) -> Stroke {
    match (color, stroke) {
        (Color::Series(n), Stroke::Solid) if n / SERIES.len() == 1 => Stroke::Dashed,
        (Color::Series(n), Stroke::Solid) if n / SERIES.len() > 1 => Stroke::Dotted,
        (_, stroke) => stroke,
    }
}

/// Name of the font, and of others that are as wide.
const FAMILY: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// The font's file.
pub(super) const FONT: &[u8] = include_bytes!("../../../../assets/LiberationSans-Regular.ttf");

/// Plotters draws letters 1.24 times smaller than it is asked to.
const PLOTTERS: f64 = 1.24;

/// Letters of this size [1/100 in].
pub(super) fn text(size: i32) -> TextStyle<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // Without it, nothing could be measured; the file is part of the program and is a font.
        let known = register_font(FAMILY, FontStyle::Normal, FONT);
        debug_assert!(known.is_ok(), "the font of the program is a font");
    });
    let size = f64::from(size * UNIT) * PLOTTERS;
    TextStyle::from((FontFamily::Name(FAMILY), size).into_font()).color(&INK)
}

/// Plotters measures letters as if the size of a font were the height of a line: for this font 1.117 times its size.
const LINE_HEIGHT: f64 = 1.117;

/// How wide a line of letters of this size is [1/100 in].
pub(super) fn width(line: &str, size: i32) -> i32 {
    let style = text(size);
    let measured = style.font.box_size(line).map_or(0, |(width, _)| width.cast_signed());
    (f64::from(measured) * LINE_HEIGHT / PLOTTERS / f64::from(UNIT)).ceil() as i32
}

/// A line of letters of this size, without its end where it is wider than this [1/100 in].
pub(super) fn clipped(line: &str, size: i32, most: i32) -> String {
    if width(line, size) <= most {
        return line.to_owned();
    }
    let letters: Vec<char> = line.chars().collect();
    let begin = |count: usize| letters[..count].iter().chain(['\u{2026}'].iter()).collect::<String>();
    begin((0..letters.len()).rev().find(|count| width(&begin(*count), size) <= most).unwrap_or(0))
}

/// Breaks a text into lines of at most this width [1/100 in], where it has spaces.
pub(super) fn wrapped(text: &str, size: i32, most: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
