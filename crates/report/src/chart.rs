//! What is drawn, whatever draws it: axes and layers, in the words of the market and without a pixel.

use super::{format::in_currency, moments::Moments};
use serde::Serialize;
use std::borrow::Cow;

/// A chart: layers over one pair of axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// Name of its file and its anchor on the page: lower-case words joined by `_`, such as `slot_prices`.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What there is to see, in a sentence or two.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// From the back to the front.
    #[serde(skip)]
    pub layers: Vec<Layer>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What it measures, such as `price`.
    pub label: String,
    /// In which unit, such as `CNY/kWh`; none for counts, shares and names.
    pub unit: Option<Cow<'static, str>>,
    /// How values lie on it.
    pub scale: Scale,
}

/// How values lie on an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Evenly; the axis spans what is drawn.
    Linear,
    /// Evenly, from zero.
    #[serde(rename = "from zero")]
    LinearFromZero,
    /// By their logarithm; only positive values are drawn.
    Logarithmic,
    /// Names; value `n` stands for the name at position `n`.
    Names(Vec<String>),
    /// Moments, by the clocks of a zone; value `n` stands for the one at position `n`.
    Moments(Moments),
    /// Evenly from one bound to the other.
    #[serde(untagged)]
    Between(u8, u8),
}

/// The color of a layer: what belongs together has the same one in every chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Color {
    /// The `n`th of several alike, told apart by colour-blind readers too.
    Series(usize),
    /// What theory says, tariffs, and whatever else is not a result.
    Reference,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stroke {
    /// Unbroken.
    Solid,
    /// In dashes.
    #[serde(rename = "dash")]
    Dashed,
    /// In dots.
    #[serde(rename = "dot")]
    Dotted,
}

/// Values of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// What the legend calls it; layers of the same name are switched on and off together, and one without a name is not
    /// in the legend.
    pub name: Option<String>,
    /// Its color; of a heat map, none of it.
    pub color: Color,
    /// What is drawn.
    pub mark: Mark,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Straight lines from point to point; a point that is not finite interrupts it.
    Line(Vec<(f64, f64)>, Stroke),
    /// Each value lasts until the next or, on an axis of names, as far as its name does: half the way to its neighbours.
    Steps(Vec<(f64, f64)>, Stroke),
    /// Single points.
    Points(Vec<(f64, f64)>),
    /// Bars beside each other where several layers have one at the same place.
    Bars(Vec<(f64, f64)>),
    /// Bars on top of each other, in the order of the layers.
    Stack(Vec<(f64, f64)>),
    /// From a lower to an upper value: (x, lower, upper); what is not finite interrupts it.
    Band(Vec<(f64, f64, f64)>),
    /// A level that holds across the whole chart.
    Rule(f64),
    /// A field of colors: for each (x, y) a value, or nothing; what the values are, and how they lie on the scale of colors.
    Heat(Vec<(f64, f64, Option<f64>)>, Axis),
}

impl Axis {
    /// An axis for this, without a unit, on which values lie evenly.
    pub fn of(label: impl Into<String>) -> Self {
        Self { label: label.into(), unit: None, scale: Scale::Linear }
    }

    /// The same in this unit.
    pub fn unit(self, unit: impl Into<Cow<'static, str>>) -> Self {
        Self { unit: Some(unit.into()), ..self }
    }

    /// The same on another scale.
    pub fn scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// The same from zero.
    pub fn from_zero(self) -> Self {
        self.scale(Scale::LinearFromZero)
    }

    /// The same with a name for each place.
    pub fn named(self, names: impl IntoIterator<Item = impl ToString>) -> Self {
        self.scale(Scale::Names(names.into_iter().map(|name| name.to_string()).collect()))
    }

    /// Whether names lie on it.
    pub fn is_named(&self) -> bool {
        matches!(self.scale, Scale::Names(_))
    }

    /// Whether a value holds around its place on it, as that of a name or of a moment does.
    pub fn is_placed(&self) -> bool {
        matches!(self.scale, Scale::Names(_) | Scale::Moments(_))
    }

    /// What stands beside it: its label with its unit.
    pub fn text(&self) -> String {
        self.unit.as_ref().map_or_else(|| self.label.clone(), |unit| format!("{} [{unit}]", self.label))
    }
}

impl Layer {
    /// A layer in the legend.
    pub fn new(name: impl Into<String>, color: Color, mark: Mark) -> Self {
        Self { name: Some(name.into()), color, mark }
    }

    /// A layer that is not in the legend.
    pub fn unnamed(color: Color, mark: Mark) -> Self {
        Self { name: None, color, mark }
    }
}

impl Mark {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Line(points, _)
            | Self::Steps(points, _)
            | Self::Points(points)
            | Self::Bars(points)
            | Self::Stack(points) => !points.iter().any(|point| point.0.is_finite() && point.1.is_finite()),
            Self::Band(spans) => !spans.iter().any(|span| span.1.is_finite() && span.2.is_finite()),
            Self::Rule(at) => !at.is_finite(),
            Self::Heat(cells, _) => !cells.iter().any(|cell| cell.2.is_some()),
        }
    }
}

impl Chart {
    /// The chart of these layers, without those in which there is nothing; `None` where no result is left, but rules and
    /// theory at most. `of` are its name and its title.
    pub(crate) fn new(
        of: (impl Into<String>, impl Into<String>),
        caption: impl Into<String>,
        (x, y): (Axis, Axis),
        layers: impl IntoIterator<Item = Layer>,
    ) -> Option<Self> {
        let layers: Vec<Layer> = layers.into_iter().filter(|layer| !layer.mark.is_empty()).collect();
        let has_result = layers.iter().any(|layer| !matches!(layer.mark, Mark::Rule(_)));
        let (name, title, caption) = (of.0.into(), of.1.into(), caption.into());
        has_result.then_some(Self { name, title, caption, x, y, layers })
    }

    /// The same where money is called so.
    pub(crate) fn in_currency(mut self, currency: &str) -> Self {
        for text in [&mut self.title, &mut self.caption] {
            *text = in_currency(text, currency).into_owned();
        }
        let values = self.layers.iter_mut().filter_map(|layer| match &mut layer.mark {
            Mark::Heat(_, values) => Some(values),
            _ => None,
        });
        for unit in [&mut self.x, &mut self.y].into_iter().chain(values).filter_map(|axis| axis.unit.as_mut()) {
            *unit = in_currency(unit, currency).into_owned().into();
        }
        self
    }
}
