//! Charts as the page's script reads them: JSON, in which every column of numbers stands once.

use crate::chart::{Chart, Layer, Mark, Stroke};
use indexmap::IndexSet;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

/// Digits to which numbers are kept: more than a screen shows, even where it is zoomed into.
const DIGITS: usize = 6;

/// Some charts with the columns that they share.
#[derive(Debug, Serialize)]
pub(super) struct Payload {
    /// Lists of numbers, to which charts refer by their position.
    columns: Vec<Box<RawValue>>,
    charts: Vec<Value>,
    /// What stands before the names of these charts in the names of their figures.
    prefix: String,
}

impl Payload {
    /// Of these charts, whose figures are named so.
    pub(super) fn new(charts: &[Chart], prefix: String) -> Self {
        let mut columns = Columns::default();
        let charts = charts.iter().map(|chart| columns.chart(chart)).collect();
        let raw = |text| RawValue::from_string(text).expect("a list of numbers is JSON");
        Self { columns: columns.0.into_iter().map(raw).collect(), charts, prefix }
    }
}

/// Lists of numbers as JSON, none of them twice.
#[derive(Debug, Default)]
struct Columns(IndexSet<String>);

impl Columns {
    /// The position of a list with these numbers.
    fn of(&mut self, numbers: impl Iterator<Item = f64>) -> usize {
        let cells: Vec<String> = numbers.map(number).collect();
        self.0.insert_full(format!("[{}]", cells.join(","))).0
    }

    fn chart(&mut self, chart: &Chart) -> Value {
        let mut value = json!(chart);
        value["layers"] = chart.layers.iter().map(|layer| self.layer(layer)).collect();
        value
    }

    fn layer(&mut self, layer: &Layer) -> Value {
        let mut value = match &layer.mark {
            Mark::Line(points, stroke) => self.points("line", points, Some(*stroke)),
            Mark::Steps(points, stroke) => self.points("steps", points, Some(*stroke)),
            Mark::Points(points) => self.points("points", points, None),
            Mark::Bars(points) => self.points("bars", points, None),
            Mark::Stack(points) => self.points("stack", points, None),
            Mark::Band(band) => json!({
                "mark": "band",
                "x": self.of(band.iter().map(|(x, ..)| *x)),
                "lower": self.of(band.iter().map(|(_, lower, _)| *lower)),
                "upper": self.of(band.iter().map(|(.., upper)| *upper)),
            }),
            Mark::Rule(at) => {
                let at: Value = serde_json::from_str(&number(*at)).expect("a number is JSON");
                json!({"mark": "across", "at": at})
            }
            Mark::Heat(cells, values) => json!({
                "mark": "heat",
                "x": self.of(cells.iter().map(|(x, ..)| *x)),
                "y": self.of(cells.iter().map(|(_, y, _)| *y)),
                "z": self.of(cells.iter().map(|(.., value)| value.unwrap_or(f64::NAN))),
                "values": values,
            }),
        };
        value["name"] = json!(layer.name);
        value["color"] = json!(layer.color);
        value
    }

    fn points(&mut self, mark: &str, points: &[(f64, f64)], stroke: Option<Stroke>) -> Value {
        let (x, y) = (self.of(points.iter().map(|(x, _)| *x)), self.of(points.iter().map(|(_, y)| *y)));
        json!({"mark": mark, "stroke": stroke, "x": x, "y": y})
    }
}

/// A number as short JSON; what is not finite has none, and is `null`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let rounded: f64 = format!("{value:.*e}", DIGITS - 1).parse().expect("a formatted number reads back");
    if rounded == 0.0 {
        return "0".to_owned();
    }
    let (plain, scientific) = (rounded.to_string(), format!("{rounded:e}"));
    if scientific.len() < plain.len() { scientific } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Axis, Color, Scale};

    fn chart(layers: Vec<Layer>) -> Chart {
        let axis = Axis { label: "price".to_owned(), unit: Some("CNY/kWh".into()), scale: Scale::Linear };
        Chart {
            name: "prices".to_owned(),
            title: "Prices".to_owned(),
            caption: "What was asked.".to_owned(),
            x: axis.clone(),
            y: axis,
            layers,
        }
    }

    fn line(points: &[(f64, f64)]) -> Layer {
        Layer {
            name: Some("a line".to_owned()),
            color: Color::Series(2),
            mark: Mark::Line(points.to_vec(), Stroke::Dashed),
        }
    }

    #[test]
    fn a_column_that_charts_share_stands_once() {
        let one = chart(vec![line(&[(1.0, 0.5), (2.0, f64::NAN)]), line(&[(1.0, 7.0), (2.0, 8.0)])]);
        let payload = serde_json::to_value(Payload::new(&[one.clone(), one], String::new())).unwrap();
        assert_eq!(payload["columns"], json!([[1, 2], [0.5, null], [7, 8]]));
        let layers = &payload["charts"][1]["layers"];
        assert_eq!((&layers[0]["x"], &layers[1]["x"], &layers[1]["y"]), (&json!(0), &json!(0), &json!(2)));
        assert_eq!((&layers[0]["color"], &layers[0]["stroke"]), (&json!(2), &json!("dash")));
    }

    #[test]
    fn numbers_are_as_short_as_six_digits_can_be() {
        let shortened = [0.1 + 0.2, 61_234.567_8, -0.0, 1e-9, 123_456_789.0, f64::INFINITY].map(number);
        assert_eq!(shortened, ["0.3", "61234.6", "0", "1e-9", "123457000", "null"]);
    }

    #[test]
    fn every_mark_has_what_it_is_drawn_from() {
        let marks = [
            Mark::Steps(vec![(0.0, 1.0)], Stroke::Solid),
            Mark::Band(vec![(0.0, 1.0, 2.0)]),
            Mark::Rule(3.0),
            Mark::Heat(vec![(0.0, 0.0, None)], Axis::of("share").scale(Scale::Between(0, 1))),
        ];
        let layers = marks.map(|mark| Layer { name: None, color: Color::Reference, mark }).to_vec();
        let payload = serde_json::to_value(Payload::new(&[chart(layers)], String::new())).unwrap();
        assert_eq!(
            payload["charts"][0]["layers"],
            json!([
                {"mark": "steps", "stroke": "solid", "x": 0, "y": 1, "name": null, "color": null},
                {"mark": "band", "x": 0, "lower": 1, "upper": 2, "name": null, "color": null},
                {"mark": "across", "at": 3, "name": null, "color": null},
                {
                    "mark": "heat", "x": 0, "y": 0, "z": 3, "name": null, "color": null,
                    "values": {"label": "share", "unit": null, "scale": [0, 1]},
                },
            ])
        );
    }
}
