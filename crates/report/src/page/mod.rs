//! `report.html`: one file that shows a run to whoever opens it, with no network and nothing else beside it.
//!
//! The page is filled with text by its template and with JSON for its script, which draws charts when they are seen and
//! reads of a slot only when it is picked. It may load nothing: its own policy forbids it.

mod article;
mod bills;
mod details;
mod events;
mod headline;
mod outcome;
mod payload;
mod periods;
mod picks;
mod provenance;
mod tables;

use super::{charts, data::Data, format::in_currency};
use article::Beside;
use askama::Template;
use bills::Bills;
use flate2::read::GzDecoder;
use headline::Card;
use microgrid_record::{LedgerRow, Manifest, RecordError, Row, Run};
use payload::Payload;
use picks::Picks;
use provenance::{Fact, FileLink};
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Name of the page in a run's folder.
pub const FILE: &str = "report.html";

/// The folder of a run's figures.
pub(crate) const FIGURES: &str = "figures";

/// The page's script, each part after those that it needs.
const SCRIPT: &str = concat!(
    include_str!("script/theme.js"),
    include_str!("script/figure.js"),
    include_str!("script/chart.js"),
    include_str!("script/table.js"),
    include_str!("script/bills.js"),
    include_str!("script/page.js"),
);

/// The library that draws charts in the browser, with its licence at the top.
pub(crate) static PLOTLY: LazyLock<String> = LazyLock::new(|| {
    let packed: &[u8] = include_bytes!("../../../../assets/plotly-3.0.1.min.js.gz");
    io::read_to_string(GzDecoder::new(packed)).expect("what is embedded can be unpacked")
});

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    manifest: &'a Manifest,
    style: &'static str,
    script: &'static str,
    plotly: &'static str,
    sentence: String,
    cards: Vec<Card>,
    reading: Vec<String>,
    article: Option<Vec<Beside>>,
    mechanisms: bool,
    study: Option<()>,
    /// Whether it is of a community and nothing is varied: then its own outcome comes before the article's charts.
    community: bool,
    cases: Vec<picks::CasePick>,
    slots: bool,
    slots_note: Option<String>,
    /// Whether it tells of several days.
    days: bool,
    bills: bool,
    bills_note: Option<String>,
    /// Whether there is any table of the whole run.
    tables: bool,
    provenance: Vec<Fact>,
    scenario: Option<String>,
    files: Vec<FileLink>,
    json: Vec<Json>,
}

/// Mechanisms side by side.
#[derive(Serialize)]
struct SideBySide {
    tables: Vec<tables::Table>,
    #[serde(flatten)]
    charts: Payload,
}

/// Whether a file of a run is one of its figures.
pub(crate) fn is_figure(file: &str) -> bool {
    Path::new(file).parent() == Some(Path::new(FIGURES))
}

struct Json {
    id: String,
    /// Without a sign that could end the element it stands in.
    text: String,
}

impl Json {
    fn new(id: impl Into<String>, value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("what the page shows has nothing that JSON has no form for");
        // The sign occurs only in texts, where JSON has another way to write it.
        Self { id: id.into(), text: text.replace('<', "\\u003c") }
    }

    /// Calls money as a scenario calls it.
    fn call(&mut self, currency: &str) {
        let Self { text, .. } = Self::new("", &currency);
        self.text = in_currency(&self.text, text.trim_matches('"')).into_owned();
    }
}

/// Writes the page of a run whose tables are `data` into its folder, in place of one that is there, and names it in the
/// manifest; returns its path.
pub fn write(run: &mut Run, data: &Data) -> Result<PathBuf, RecordError> {
    let page = page(run, data)?;
    let path = run.put(FILE, page.as_bytes())?;
    run.name_files(|file| file == FILE, &[FILE.to_owned()])?;
    Ok(path)
}

/// The page of a run whose tables are `data`. Charts of which the run has a figure have links to it.
pub fn page(run: &Run, data: &Data) -> Result<String, RecordError> {
    let ledger: Vec<LedgerRow> = run.rows()?.collect::<Result<_, _>>()?;
    let picks = Picks::read(run, data)?;
    let figures: Vec<&String> = run.manifest().files.iter().filter(|file| is_figure(file)).collect();
    let study = charts::study(data);
    let tables = all_tables(run, data, &ledger)?;
    let bills = Bills::read(run)?;
    let mut json = vec![Json::new("figures", &figures), Json::new("tables-data", &tables)];
    if !study.is_empty() {
        json.push(Json::new("study-data", &Payload::new(&study, String::new())));
    }
    let charts = Payload::new(&charts::mechanisms(data), String::new());
    let beside = SideBySide { tables: tables::mechanisms(data), charts };
    let mechanisms = !beside.tables.is_empty();
    if mechanisms {
        json.push(Json::new("mechanisms-data", &beside));
    }
    json.extend(picks.json(run, data));
    let (has_bills, bills_note) = (bills.has_any(), bills.note());
    json.extend(bills.json());
    let currency = data.currency();
    json.iter_mut().skip(1).for_each(|json| json.call(currency));
    let called = |text: String| in_currency(&text, currency).into_owned();
    let page = Page {
        manifest: &data.manifest,
        style: include_str!("style/page.css"),
        script: SCRIPT,
        plotly: &PLOTLY,
        sentence: called(outcome::headline(data)),
        cards: headline::cards(data),
        reading: outcome::reading(data, &ledger).into_iter().map(called).collect(),
        article: article::article(data, &picks.trades),
        mechanisms,
        study: (!study.is_empty()).then_some(()),
        community: is_community(data),
        slots: picks.has_slots(),
        slots_note: picks.note(run),
        days: data.cases.iter().any(|case| case.dates.as_ref().is_some_and(|dates| dates.days() > 1)),
        bills: has_bills,
        bills_note,
        cases: picks.cases,
        tables: !tables.is_empty(),
        provenance: provenance::facts(&data.manifest),
        scenario: provenance::scenario(run),
        files: provenance::files(run.manifest()),
        json,
    };
    Ok(page.render().expect("writing to memory cannot fail"))
}

/// Whether members have names or slots have dates, and nothing is varied.
fn is_community(data: &Data) -> bool {
    let is_own = data.cases.iter().any(|case| case.dates.is_some() || !case.names.is_empty());
    is_own && data.knobs().next().is_none()
}

fn all_tables(run: &Run, data: &Data, ledger: &[LedgerRow]) -> Result<Vec<tables::Table>, RecordError> {
    let [months, days] = periods::tables(run, data)?;
    let tables = [
        Some(tables::cases(data)),
        Some(tables::gains(data)),
        tables::combinations(data),
        months,
        days,
        tables::slots(data),
        Some(tables::ledger(ledger)),
    ];
    Ok(tables.into_iter().flatten().filter(|table| !table.rows.is_empty()).collect())
}

/// Name of the table with these rows as the run keeps it.
fn file_of<R: Row>(run: &Run) -> &'static str {
    if run.keeps(R::PARQUET) { R::PARQUET } else { R::FILE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::fixtures::{day::Day, whole_case};
    use std::fs;

    #[test]
    fn whatever_a_name_holds_the_page_stays_the_page() {
        let (_day, recorder) = whole_case(Day::new());
        let manifest = recorder.folder().join("manifest.json");
        let name = r#"</script><i id=\"x\">\u001b[31m\u2028<!-- "#;
        let text = fs::read_to_string(&manifest).unwrap();
        let text = text.replace(r#""scenario": "day""#, &format!(r#""scenario": "{name}""#));
        let text = text.replace(r#""mu": 0"#, &format!(r#""mu": "{name}", "{name}": 0"#));
        let text = text.replace(r#""files": ["#, r#""files": ["data/a#b?c%d&e\"f.csv", "javascript:alert(1)","#);
        fs::write(&manifest, text).unwrap();
        let run = Run::open(recorder.folder()).unwrap();
        let page = page(&run, &Data::read(&run).unwrap()).unwrap();
        assert!(page.matches("[31m").count() > 3, "it is on the page");
        assert!(!page.contains("<i id") && !page.contains("<!-- "), "as nothing but text");
        assert!(page.contains(r#"href="data/a%23b%3Fc%25d%26e%22f.csv""#));
        assert!(page.contains(r#"href="javascript%3Aalert%281%29""#), "it leads to a file");
        for data in page.split(r#"<script type="application/json""#).skip(1) {
            let (json, _) = data.split_once('>').unwrap().1.split_once("</script>").unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
        }
    }

    /// Relative luminance of WCAG 2, with the 0.05 that its ratio adds.
    fn luminance(color: &[f64]) -> f64 {
        let linear = |part: f64| match part / 255.0 {
            part if part <= 0.040_45 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]) + 0.05
    }

    #[test]
    fn numbers_on_fields_are_legible_on_every_color_of_the_library_s_scale() {
        let (_, dark) = SCRIPT.split_once("const DARK = ").unwrap();
        let dark: f64 = dark.split(';').next().unwrap().parse().unwrap();
        let (_, scale) = PLOTLY.split_once("Cividis:[[").unwrap();
        let stops = scale.split("]]").next().unwrap().split("],[").map(|stop| {
            let (at, color) = stop.split_once(",\"rgb(").unwrap();
            let parts = color.trim_end_matches(")\"").split(',').map(|part| part.parse().unwrap());
            (at.parse().unwrap(), parts.collect())
        });
        let stops: Vec<(f64, Vec<f64>)> = stops.collect();
        assert!(stops.len() > 10);
        for pair in stops.windows(2) {
            for step in 0..=100 {
                let part = f64::from(step) / 100.0;
                let between = |one: f64, other: f64| one + part * (other - one);
                let at = between(pair[0].0, pair[1].0);
                let tone: Vec<f64> =
                    pair[0].1.iter().zip(&pair[1].1).map(|(one, other)| between(*one, *other)).collect();
                let contrast = if at < dark { 1.05 / luminance(&tone) } else { luminance(&tone) / 0.05 };
                assert!(contrast >= 4.5, "{contrast} at {at}");
            }
        }
    }
}
