//! Day-ahead prices of ENTSO-E's transparency platform: `Publication_MarketDocument` in XML.

mod document;

use crate::{
    clock::{self, Axis, in_words, rfc3339},
    community::{calendar, csv_text, kept},
    error::{ImportError, refused},
    folder::{Folder, Imported},
    page::{Page, Source, count},
    table,
};
use document::{Document, Period};
use microgrid_scenario::ScenarioError;
use std::{collections::BTreeMap, path::PathBuf};

/// How many synthetic members meet the prices.
const MEMBERS: u32 = 20;

/// Which documents, and what of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entsoe {
    /// The documents, in any order.
    pub sources: Vec<PathBuf>,
    /// Zone of the scenario's calendar.
    pub zone: String,
    /// Only periods of this resolution, such as `15min`.
    pub resolution: Option<String>,
    /// Only the auction of this number, where a day has several.
    pub sequence: Option<u32>,
}

impl Entsoe {
    /// All prices of these documents.
    pub fn of(sources: Vec<PathBuf>, zone: &str) -> Self {
        Self { sources, zone: zone.to_owned(), resolution: None, sequence: None }
    }

    /// Reads the prices.
    pub fn import(&self, folder: &Folder) -> Result<Imported, ImportError> {
        let zone = clock::zone(&self.zone)?;
        let resolution = self.resolution.as_deref().map(clock::step).transpose()?;
        let files = self.sources.iter().map(|path| table::read(path)).collect::<Result<Vec<_>, _>>()?;
        let documents = files.iter().map(Document::read).collect::<Result<Vec<_>, _>>()?;
        let mut page = Page { kind: "entsoe", ..Page::default() };
        page.licence = Some(
            "ENTSO-E Transparency Platform (transparency.entsoe.eu). Its terms decide whether data may be passed on: many are \
             under CC BY 4.0, some are the exchanges'.",
        );
        page.sources.extend(self.sources.iter().filter_map(|path| Source::of_file(path).ok()));
        let all =
            || documents.iter().flat_map(|document| document.periods.iter().map(move |period| (document, period)));
        let fits = |period: &Period| {
            resolution.is_none_or(|step| period.step == step)
                && self.sequence.is_none_or(|sequence| period.sequence == Some(sequence))
        };
        let mut chosen: Vec<(&Document<'_>, &Period)> = all().filter(|(_, period)| fits(period)).collect();
        chosen.sort_by_key(|(_, period)| period.start);
        let dropped = all().count() - chosen.len();
        if dropped > 0 {
            let periods = count(dropped, "period");
            page.changed.push(format!("{periods} of another resolution or auction: left out"));
        }
        check(&chosen)?;
        let (Some((document, first)), Some((_, last))) = (chosen.first(), chosen.last()) else {
            let mend = "take out `--resolution` and `--sequence`, or name those that the documents have".to_owned();
            return Err(refused("no period is left", [mend]).into());
        };
        let step = chosen.iter().map(|(_, period)| period.step).min().unwrap_or(first.step);
        let axis = Axis::within(&self.zone, first.start, last.end, step)?.ok_or_else(|| {
            let mend = "allowed: prices from midnight to midnight; `--zone` is that of the market".to_owned();
            let [from, to] = [first.start, last.end].map(|at| rfc3339(at, &zone));
            let notes = [format!("they go from {from} to {to} by its clock"), mend];
            document.at(first.place.clone(), format!("no day of {} is whole in these prices", self.zone), notes)
        })?;
        if (axis.at(0).as_second() - first.start.as_second()) % step != 0 {
            let mend = "allowed: a zone whose days begin with a price; `--zone` is that of the market".to_owned();
            let notes =
                [format!("they are of {}, the first from {} on", in_words(step), rfc3339(first.start, &zone)), mend];
            let problem = format!("days of {} begin amid one of these prices", self.zone);
            return Err(document.at(first.place.clone(), problem, notes).into());
        }
        let mut rows = Vec::new();
        for (_, period) in &chosen {
            for (n, price) in period.prices.iter().enumerate() {
                rows.push((rfc3339(period.at(n), &zone), *price));
            }
        }
        let lowest = rows.iter().map(|(_, price)| *price).min_by(|one, other| one.value().total_cmp(&other.value()));
        let negative = rows.iter().filter(|(_, price)| price.is_negative()).count();
        let mut resolutions = BTreeMap::<i64, usize>::new();
        for (_, period) in &chosen {
            *resolutions.entry(period.step).or_default() += period.prices.len();
        }
        let resolutions: Vec<_> =
            resolutions.iter().map(|(step, count)| format!("{count} of {}", in_words(*step))).collect();
        let repeated: usize = chosen.iter().map(|(_, period)| period.repeated).sum();
        let currency = &document.currency;
        page.read.extend([
            format!("prices of {}: {}, of which {negative} are negative", document.domain, resolutions.join(", ")),
            format!("{currency}/MWh, written in {currency}/kWh without rounding"),
            axis.told(),
        ]);
        if repeated > 0 {
            let positions = count(repeated, "position");
            page.changed.push(format!("{positions} that curve type A03 leaves out: the price before, repeated"));
        }
        // The grid never pays more than it asks.
        let feed_in =
            lowest.filter(|price| price.is_negative()).map_or_else(|| "0".to_owned(), |price| price.to_string());
        page.placeholders.extend([
            format!("who takes part: {MEMBERS} synthetic members"),
            "what the grid asks is the price of the exchange alone: no fees, taxes or levies".to_owned(),
            format!("what the grid pays: {feed_in} {currency}/kWh, all the time; it may not be above what it asks"),
        ]);
        let name = &folder.name;
        let (calendar, kept) = (calendar(&axis), kept(&axis));
        let scenario = format!(
            "// Made by `sim import`; import.md tells of what. Who takes part and the feed-in tariff are placeholders.\n\
             Scenario(\n    name: \"{name}\",\n    market: (\n        {calendar}\n        currency: \"{currency}\",\n        \
             grid_tariff: Csv(\"prices.csv\"),\n        feed_in_tariff: {feed_in},\n    ),\n    \
             population: Synthetic(count: {MEMBERS}),\n{kept})\n",
        );
        let header = ["time", "price_per_kwh"].map(str::to_owned).to_vec();
        let prices = csv_text(header, rows.into_iter().map(|(time, price)| vec![time, price.to_string()]));
        Ok(Imported::new(folder, scenario, vec![("prices.csv", prices)], page)?)
    }
}

/// Fails where two periods overlap, where none is, or where they are of other places or currencies.
fn check(periods: &[(&Document<'_>, &Period)]) -> Result<(), ScenarioError> {
    for pair in periods.windows(2) {
        let [(first, before), (document, period)] = pair else { continue };
        let wrong = |problem: String, mend: &str| Err(document.at(period.place.clone(), problem, [mend.to_owned()]));
        if first.domain != document.domain || first.currency != document.currency {
            let (one, other) = ((&first.domain, &first.currency), (&document.domain, &document.currency));
            let problem = format!("prices of {} in {}, beside those of {} in {}", other.0, other.1, one.0, one.1);
            return wrong(problem, "an import has the prices of one bidding zone, in one currency");
        }
        if period.start < before.end {
            let problem = format!("prices for {} are there twice", period.start);
            let mend = if period.step != before.step {
                "of two resolutions: choose with `--resolution 15min` or `--resolution 60min`"
            } else if period.sequence != before.sequence {
                "of two auctions: choose with `--sequence 1` or another"
            } else {
                "take one of the time series, or of the documents, out"
            };
            return wrong(problem, mend);
        }
        if period.start > before.end {
            let problem = format!("there are no prices from {} to {}", before.end, period.start);
            return wrong(problem, "nothing says what energy cost then: add a document that has them");
        }
    }
    Ok(())
}
