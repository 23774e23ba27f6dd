//! One document: its time series and periods, with their places.

use crate::{clock::in_words, decimal::Decimal};
use jiff::{SignedDuration, Timestamp};
use microgrid_scenario::{ScenarioError, TextFile};
use roxmltree::Node;
use std::ops::Range;

/// What the root is called.
const ROOT: &str = "Publication_MarketDocument";
/// What the platform answers when it has nothing.
const NOTHING: &str = "Acknowledgement_MarketDocument";
/// The document type of day-ahead prices.
const PRICES: &str = "A44";
/// Smallest price of energy but 0, up or down [per kWh].
const SMALLEST: f64 = 1e-6;
/// Largest price of energy, up or down [per kWh].
const LARGEST: f64 = 1e4;

/// Longest period [s].
const LONGEST: i64 = 400 * 24 * 3600;

/// A document.
#[derive(Debug)]
pub(super) struct Document<'a> {
    file: &'a TextFile,
    /// The bidding zone's code.
    pub(super) domain: String,
    pub(super) currency: String,
    pub(super) periods: Vec<Period>,
}

/// Prices one after the other.
#[derive(Debug)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// For how long each price holds [s].
    pub(super) step: i64,
    /// Number of the auction, where a day has several.
    pub(super) sequence: Option<u32>,
    /// Prices per kWh.
    pub(super) prices: Vec<Decimal>,
    /// How many of them stand for positions that were left out.
    pub(super) repeated: usize,
    /// Where it stands in the file [bytes].
    pub(super) place: Range<usize>,
}

impl Period {
    /// When price `n` begins to hold.
    pub(super) fn at(&self, n: usize) -> Timestamp {
        self.start + SignedDuration::from_secs(self.step * n as i64)
    }
}

impl<'a> Document<'a> {
    /// Reads the document in a file.
    pub(super) fn read(file: &'a TextFile) -> Result<Self, ScenarioError> {
        let mut document = Self { file, domain: String::new(), currency: String::new(), periods: Vec::new() };
        let tree = roxmltree::Document::parse(&file.text).map_err(|error| {
            let position = error.pos();
            let lines = file.text.split_inclusive('\n').take(position.row.saturating_sub(1) as usize);
            let line: usize = lines.map(str::len).sum();
            let rest = &file.text[line..];
            let column =
                rest.char_indices().nth(position.col.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at);
            let mend = "save the document anew, as the platform gives it".to_owned();
            if matches!(error, roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream) {
                let end = file.text.len();
                return document.at(end..end, "the document is cut off here: it does not end as it begins", [mend]);
            }
            let at = line + column;
            let words = error.to_string();
            let why = words.split(" at ").next().unwrap_or(&words);
            document.at(at..at, format!("the file is no XML: {why}"), [mend])
        })?;
        let root = tree.root_element();
        if root.tag_name().name() != ROOT {
            let name = root.tag_name().name();
            let told = root.descendants().find(|node| node.is_called("text")).and_then(|node| node.text());
            let mend = match (name, told) {
                (NOTHING, Some(told)) => format!("the platform had no prices for what was asked: {told}"),
                _ => format!("allowed: a `{ROOT}`, as day-ahead prices (document type A44) are"),
            };
            let problem = match kind_of(root).filter(|kind| !kind.contains(PRICES)) {
                Some(kind) => format!("a `{name}` has no day-ahead prices, but {kind}"),
                None => format!("a `{name}` has no prices"),
            };
            return Err(document.of(root, problem, [mend]));
        }
        if let Some(kind) = kind_of(root).filter(|kind| !kind.contains(PRICES)) {
            let mend = format!("allowed: day-ahead prices, which are document type {PRICES}");
            let place = root.children().find(|node| node.is_called("type")).unwrap_or(root);
            return Err(document.of(place, format!("the document has no day-ahead prices, but {kind}"), [mend]));
        }
        for series in root.children().filter(|node| node.is_called("TimeSeries")) {
            document.series(series)?;
        }
        if document.periods.is_empty() {
            let mend = "allowed: a document with a `TimeSeries` of prices".to_owned();
            return Err(document.of(root, "there are no prices", [mend]));
        }
        Ok(document)
    }

    fn series(&mut self, series: Node<'_, '_>) -> Result<(), ScenarioError> {
        let unit = self.child(series, "price_Measure_Unit.name")?;
        if text(unit) != "MWH" {
            return Err(self.of(unit, "prices are of another unit", ["allowed: MWH".to_owned()]));
        }
        let currency = text(self.child(series, "currency_Unit.name")?).to_owned();
        let domain = self.child(series, "in_Domain.mRID").map(text).unwrap_or("an unnamed zone").to_owned();
        for (known, new, what) in [(&self.currency, &currency, "currency"), (&self.domain, &domain, "bidding zone")] {
            if !known.is_empty() && known != new {
                let mend = format!("an import has the prices of one {what}: take the others out");
                return Err(self.of(series, format!("prices of another {what}, {new} beside {known}"), [mend]));
            }
        }
        (self.currency, self.domain) = (currency, domain);
        let sequence = series
            .children()
            .find(|node| node.is_called("classificationSequence_AttributeInstanceComponent.position"))
            .and_then(|node| text(node).parse().ok());
        // Without one, each position is there.
        let curve = series.children().find(|node| node.is_called("curveType"));
        let repeats = match curve.map(text) {
            None | Some("A01") => false,
            Some("A03") => true,
            Some(_) => {
                let mend = "allowed: A01 (each position) and A03 (positions left out repeat the one before)".to_owned();
                return Err(self.of(curve.unwrap_or(series), "another type of curve", [mend]));
            }
        };
        for period in series.children().filter(|node| node.is_called("Period")) {
            let period = self.period(period, repeats, sequence)?;
            self.periods.push(period);
        }
        Ok(())
    }

    fn period(&self, period: Node<'_, '_>, repeats: bool, sequence: Option<u32>) -> Result<Period, ScenarioError> {
        let interval = self.child(period, "timeInterval")?;
        let (start, end) = (self.moment(interval, "start")?, self.moment(interval, "end")?);
        let resolution = self.child(period, "resolution")?;
        let step = match text(resolution) {
            "PT60M" | "PT1H" => 3600,
            "PT30M" => 1800,
            "PT15M" => 900,
            _ => return Err(self.of(resolution, "another resolution", ["allowed: PT15M, PT30M, PT60M".to_owned()])),
        };
        let seconds = end.as_second() - start.as_second();
        if seconds <= 0 || seconds % step != 0 {
            let mend = format!("a period ends behind its start, after whole intervals of {}", in_words(step));
            return Err(self.of(interval, "the period has no whole number of positions", [mend]));
        }
        if seconds > LONGEST {
            let mend = "allowed: at most 400 days, as no document of the platform has more than a year".to_owned();
            return Err(self.of(interval, "the period is too long", [mend]));
        }
        let count = (seconds / step) as usize;
        let (mut prices, mut repeated) = (Vec::<Decimal>::with_capacity(count), 0);
        for point in period.children().filter(|node| node.is_called("Point")) {
            let place = self.child(point, "position")?;
            let position = text(place).parse::<usize>().ok().filter(|position| (1..=count).contains(position));
            let Some(position) = position.filter(|position| *position > prices.len()) else {
                let mend = format!("positions rise, from 1 to {count} in this period");
                return Err(self.of(place, format!("position {} does not belong here", text(place)), [mend]));
            };
            self.fill(&mut prices, position - 1, &mut repeated, repeats, place)?;
            prices.push(self.price(point)?);
        }
        self.fill(&mut prices, count, &mut repeated, repeats, interval)?;
        Ok(Period { start, end, step, sequence, prices, repeated, place: opening(period) })
    }

    /// Repeats the last price up to `count` prices, if the curve's type is so.
    fn fill(
        &self,
        prices: &mut Vec<Decimal>,
        count: usize,
        repeated: &mut usize,
        repeats: bool,
        place: Node<'_, '_>,
    ) -> Result<(), ScenarioError> {
        let missing = prices.len() + 1;
        if prices.len() == count {
            return Ok(());
        }
        match prices.last().copied().filter(|_| repeats) {
            Some(last) => {
                *repeated += count - prices.len();
                prices.resize(count, last);
                Ok(())
            }
            None if repeats => {
                let mend = "what is left out repeats the price before, and there is none: add position 1".to_owned();
                Err(self.of(place, format!("position {missing} is missing"), [mend]))
            }
            None => {
                let mend =
                    "curve type A01 has each position; where A03 is meant, the document has to say so".to_owned();
                Err(self.of(place, format!("position {missing} is missing"), [mend]))
            }
        }
    }

    fn price(&self, point: Node<'_, '_>) -> Result<Decimal, ScenarioError> {
        let amount = self.child(point, "price.amount")?;
        let price = Decimal::parse(text(amount)).and_then(|price| price.times_ten_to(-3));
        let price = price.filter(|price| price.value().abs() <= LARGEST);
        if price.is_some_and(|price| price.value() != 0.0 && price.value().abs() < SMALLEST) {
            let mend = "allowed: 0, or from 0.001 up; a scenario has no smaller price, up or down: write 0".to_owned();
            return Err(self.of(amount, format!("`{}` is a price too near to 0", text(amount)), [mend]));
        }
        let allowed = || ["allowed: a number of digits with a point, such as -5.07".to_owned()];
        price.ok_or_else(|| self.of(amount, format!("`{}` is no price", text(amount)), allowed()))
    }

    fn moment(&self, interval: Node<'_, '_>, name: &str) -> Result<Timestamp, ScenarioError> {
        let node = self.child(interval, name)?;
        let allowed = || ["allowed: a time in UTC, such as 2024-05-31T22:00Z".to_owned()];
        text(node).parse().map_err(|_| self.of(node, format!("`{}` is no time", text(node)), allowed()))
    }

    /// The part of this name that has to be there.
    fn child<'t, 'i>(&self, node: Node<'t, 'i>, name: &str) -> Result<Node<'t, 'i>, ScenarioError> {
        node.children().find(|child| child.is_called(name)).ok_or_else(|| {
            let within = node.tag_name().name();
            let mend = format!("each `{within}` of day-ahead prices has one");
            self.of(node, format!("`{within}` has no `{name}`"), [mend])
        })
    }

    /// What is wrong with an element.
    fn of(
        &self,
        node: Node<'_, '_>,
        problem: impl Into<String>,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        self.at(opening(node), problem, notes)
    }

    /// What is wrong at a place in the file [bytes].
    pub(super) fn at(
        &self,
        place: Range<usize>,
        problem: impl Into<String>,
        notes: impl IntoIterator<Item = String>,
    ) -> ScenarioError {
        ScenarioError::Data(self.file.report(problem.into(), place, "here".to_owned(), notes))
    }
}

/// Names without their name spaces, which differ from version to version of the schema.
trait Named {
    fn is_called(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn is_called(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// What a document has, by its type if it says one.
fn kind_of(root: Node<'_, '_>) -> Option<String> {
    let kind = root.children().find(|node| node.is_called("type")).map(text)?;
    let what = match kind {
        PRICES => "day-ahead prices",
        "A09" => "scheduled exchanges",
        "A11" => "physical flows",
        "A25" => "allocated capacity",
        "A61" => "transfer capacity",
        "A65" => "load",
        "A68" => "installed capacity",
        "A69" => "forecasts of wind and sun",
        "A70" => "a margin of load",
        "A71" => "a forecast of generation",
        "A73" | "A74" | "A75" => "generation",
        "A85" => "prices of imbalance",
        "A86" => "volumes of imbalance",
        _ => "something else",
    };
    Some(format!("{what} (document type {kind})"))
}

fn text<'t>(node: Node<'t, '_>) -> &'t str {
    node.text().unwrap_or_default().trim()
}

/// Where an element stands: its first line.
fn opening(node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    let text = &node.document().input_text()[range.clone()];
    let length = text.lines().next().map_or(0, str::len);
    range.start..range.start + length
}
