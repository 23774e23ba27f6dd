//! The report in a real browser: drawn, picked from, sorted, in the dark, on a phone, by keyboard, and with nothing
//! fetched or complained about. Where no browser is found, these tests say that they were skipped.

mod tab;

use crate::support::{recorded, shipped};
use microgrid_sim::{
    Simulation,
    record::{KeyFigures, Run},
    report::{data::Data, page},
    scenario::Plan,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use tab::Page;
use tempfile::TempDir;

/// A run with its report.
struct Reported {
    run: Run,
    report: PathBuf,
    _root: TempDir,
}

fn reported(plan: &Plan) -> Reported {
    let root = tempfile::tempdir().expect("a temporary folder");
    let mut run = Run::open(&recorded(plan, root.path())).expect("the run is there");
    let data = Data::read(&run).expect("the run has tables");
    let report = page::write(&mut run, &data).expect("the report is written");
    Reported { run, report, _root: root }
}

impl Reported {
    fn key_figures(&self) -> Vec<KeyFigures> {
        self.run.key_figures().expect("the run has key figures")
    }
}

fn flagship() -> Reported {
    reported(&shipped("5_prosumers.ron", &[]))
}

/// Some cases of the sweep over delays, in half of which the market does not settle.
fn sweep() -> Reported {
    reported(&shipped("delay.ron", &["adaptation=None,DelayAware", "replicator_step=0.3", "delay=0s,500ms"]))
}

/// What a headline number shows: the numbers behind the texts, and the texts.
fn card(page: &Page, title: &str) -> (Vec<f64>, Vec<String>) {
    let script = format!(
        r##"(() => {{
            const card = [...document.querySelectorAll(".card")].find((card) => card.querySelector("h3").textContent === {title:?});
            return [...card.querySelectorAll("data")].map((data) => [Number(data.value), data.textContent]);
        }})()"##
    );
    serde_json::from_value::<Vec<(f64, String)>>(page.value(&script)).expect("numbers and texts").into_iter().unzip()
}

/// Asserts that every chart shows something, from top to bottom; returns their names.
fn assert_all_charts_are_drawn(page: &Page) -> Vec<String> {
    page.run("document.querySelectorAll('details.more').forEach((more) => { more.open = true; })");
    let names: Vec<String> =
        page.values(r##"[...document.querySelectorAll(".chart")].map((chart) => chart.dataset.chart)"##);
    assert!(!names.is_empty(), "there are charts");
    let empty: Vec<String> = page.promised(
        r##"(async () => {
            const frame = () => new Promise((resolve) => setTimeout(resolve, 15));
            const isDrawn = (plot) => {
                const marks = [...plot.querySelectorAll(".trace path, .point path, .heatmaplayer image, .shapelayer path")];
                const seen = marks.map((mark) => mark.getBoundingClientRect()).reduce((sum, box) => sum + box.width + box.height, 0);
                return plot.querySelector("svg.main-svg")?.getBoundingClientRect().height > 100 && seen > 20;
            };
            const empty = [];
            for (const chart of document.querySelectorAll(".chart")) {
                chart.scrollIntoView({ behavior: "instant", block: "center" });
                const plot = chart.querySelector(".plot");
                for (let tries = 0; tries < 300 && !isDrawn(plot); tries += 1) await frame();
                if (!isDrawn(plot)) empty.push(chart.dataset.chart);
            }
            return empty;
        })()"##,
    );
    assert!(empty.is_empty(), "{empty:?} are not drawn; {:?}", page.complaints());
    assert_axes_are_legible(page);
    names
}

/// Asserts that both axes of every chart have words or numbers, and that none of them is cut off.
fn assert_axes_are_legible(page: &Page) {
    let wrong: Vec<String> = page.values(
        r##"[...document.querySelectorAll(".chart")].flatMap((chart) => {
            const room = chart.querySelector(".plot").getBoundingClientRect();
            const bare = [".xtick text", ".ytick text"].filter((ticks) => chart.querySelector(ticks) === null);
            const texts = [...chart.querySelectorAll(".xtick text, .ytick text, .xtitle, .ytitle, .cbtitle text, .cbaxis text")];
            const isCut = (box) => box.left < room.left - 1 || box.right > room.right + 1 || box.top < room.top - 1 || box.bottom > room.bottom + 1;
            const cut = texts.filter((text) => isCut(text.getBoundingClientRect())).map((text) => `"${text.textContent}" is cut off`);
            return [...bare.map((ticks) => `there are no ${ticks}`), ...cut].map((what) => `${chart.dataset.chart}: ${what}`);
        })"##,
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_flagship_s_report_shows_its_study() {
    let Some(page) = Page::open(&flagship().report) else { return };
    let names = assert_all_charts_are_drawn(&page);
    for name in ["welfare_total", "utility", "energy", "prices", "shares", "distance"] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
    page.assert_nothing_went_wrong();
}

#[test]
fn key_numbers_are_those_of_the_run() {
    let reported = flagship();
    let Some(page) = Page::open(&reported.report) else { return };
    let figures = reported.key_figures();
    let all = |of: fn(&KeyFigures) -> f64| figures.iter().map(of).collect::<Vec<_>>();
    let (welfare, texts) = card(&page, "Welfare");
    assert_eq!(welfare, all(|case| case.open_slots.welfare_cny));
    assert_eq!(texts, ["238.15", "313.13"]);
    assert_eq!(card(&page, "Gain over P2G").0, all(|case| case.open_slots.welfare_gain_percent.unwrap()));
    assert_eq!(card(&page, "Slots in equilibrium").0, all(|case| 100.0 * case.equilibrium_share.unwrap()));
    assert_eq!(card(&page, "Traded").0, all(|case| case.totals.traded_kwh));
    assert_eq!(card(&page, "Self-sufficiency").0, all(|case| 100.0 * case.self_sufficiency.unwrap()));
    assert_eq!(card(&page, "Self-consumption").0, all(|case| 100.0 * case.self_consumption.unwrap()));
    let article: Vec<Vec<String>> = page.values(
        r##"[...document.querySelectorAll("#article + .scroll tbody tr")].map((row) => [...row.cells].slice(1).map((cell) => cell.textContent))"##,
    );
    assert_eq!(article.len(), 8);
    assert!(article[..6].iter().all(|line| line[0] == line[1]), "Table 1 comes out exactly: {article:?}");
    assert_eq!(article[6..], [["+11.4 %", "+31.5 %"], ["+30.1 %", "+49.4 %"]]);
}

#[test]
fn a_sweep_s_report_tells_what_did_not_settle() {
    let reported = sweep();
    let Some(page) = Page::open(&reported.report) else { return };
    assert_all_charts_are_drawn(&page);
    let shares: Vec<f64> = reported.key_figures().iter().map(|case| 100.0 * case.equilibrium_share.unwrap()).collect();
    let (least, most) = (shares.iter().copied().fold(f64::MAX, f64::min), shares.iter().copied().fold(0.0, f64::max));
    assert!(least < most, "delay matters: {shares:?}");
    assert_eq!(card(&page, "Slots in equilibrium").0, [least, most]);
    let reading: String = page.text(".reading");
    assert!(reading.contains("did not settle: its gate closed after"), "{reading}");
    assert!(reading.contains("By adaptation, there settled"), "{reading}");
    let bound: f64 = page.values(
        r##"document.querySelector("[data-chart=share_in_equilibrium_by_delay_and_adaptation] .scatterlayer .js-line").getBoundingClientRect().height"##,
    );
    assert!(bound > 50.0, "the bound of stability lies between the cells: {bound} px");
    page.assert_nothing_went_wrong();
}

#[test]
fn another_slot_and_another_case_have_other_charts() {
    let Some(page) = Page::open(&flagship().report) else { return };
    page.run("document.querySelector('#slot-charts [data-chart=prices]').scrollIntoView({ behavior: 'instant' })");
    page.wait_for(
        "document.querySelector('#slot-charts [data-chart=prices] .plot').data !== undefined",
        "prices are drawn",
    );
    let drawn = || -> Value {
        page.value("document.querySelector('#slot-charts [data-chart=prices] .plot').data.map((trace) => [...trace.y].slice(0, 50))")
    };
    let first = drawn();
    assert_eq!(
        page.value("document.getElementById('pick-slot').value"),
        json!("17"),
        "the slot of Table 1 comes first"
    );
    page.click("#slot-before");
    assert_eq!(page.value("document.getElementById('pick-slot').value"), json!("16"));
    let before = drawn();
    assert_ne!(first, before);
    assert!(page.text("#slot-of").starts_with("Slot 16 of case 2, mu = 1"), "{}", page.text("#slot-of"));
    page.pick("#pick-case", "1");
    assert!(page.text("#slot-of").starts_with("Slot 16 of case 1, mu = 0"), "the slot stays where the case has it");
    assert_ne!(before, drawn());
    page.pick("#pick-slot", "3");
    assert!(page.text("#slot-of").contains("had no market"));
    page.pick("#pick-slot", "17");
    page.assert_nothing_went_wrong();
}

#[test]
fn series_are_switched_off_and_on() {
    let Some(page) = Page::open(&flagship().report) else { return };
    page.run("document.querySelector('#slot-charts [data-chart=prices]').scrollIntoView({ behavior: 'instant' })");
    page.wait_for(
        "document.querySelector('#slot-charts [data-chart=prices] .plot').data !== undefined",
        "prices are drawn",
    );
    let lines = || {
        page.value("document.querySelectorAll('#slot-charts [data-chart=prices] .scatterlayer .trace').length").as_u64()
    };
    let all = lines();
    assert!(all > Some(2));
    let button = "#slot-charts [data-chart=prices] .legend button";
    page.click(button);
    assert!(lines() < all, "a series is gone");
    assert_eq!(page.value(&format!("document.querySelector('{button}').getAttribute('aria-pressed')")), json!("false"));
    page.click(button);
    assert_eq!(lines(), all);

    let range = || -> Vec<f64> {
        page.values(
            "document.querySelector('#slot-charts [data-chart=prices] .plot')._fullLayout.xaxis.range.map(Number)",
        )
    };
    let width = |range: Vec<f64>| range[1] - range[0];
    let whole = width(range());
    page.click("#slot-charts [data-chart=prices] .tools button");
    assert!((width(range()) / whole - 0.5).abs() < 1e-6, "the first tool zooms in");
    page.assert_nothing_went_wrong();
}

#[test]
fn tables_sort_by_their_headings() {
    let Some(page) = Page::open(&flagship().report) else { return };
    let column = |table: &str, heading: &str| -> Vec<String> {
        page.values(&format!(
            r##"(() => {{
                const table = [...document.querySelectorAll("#all-tables .table")].find((table) => table.querySelector("h3").textContent === {table:?});
                const heads = [...table.querySelectorAll("thead th")];
                const index = heads.findIndex((head) => head.querySelector("button").firstChild.textContent === {heading:?});
                heads[index].querySelector("button").click();
                return [heads[index].getAttribute("aria-sort"), ...[...table.querySelectorAll("tbody tr")].map((row) => row.cells[index].textContent)];
            }})()"##
        ))
    };
    assert_eq!(column("Cases: welfare over the open slots", "welfare"), ["ascending", "238.150", "313.125"]);
    assert_eq!(column("Cases: welfare over the open slots", "welfare"), ["descending", "313.125", "238.150"]);
    let rounds = column("Slots", "rounds");
    let shown: Vec<u64> = rounds[1..].iter().map(|text| text.parse().expect("a number")).collect();
    assert!(shown.is_sorted() && shown.len() >= 20, "{rounds:?}");
    let prices = column("Slots", "price");
    assert!(prices[1].parse::<f64>().is_ok(), "what is undefined comes last: {prices:?}");
    page.assert_nothing_went_wrong();
}

#[test]
fn every_control_is_reached_by_keyboard() {
    let Some(page) = Page::open(&flagship().report) else { return };
    let first = page.tab_through(12);
    assert_eq!(first[0], ("A.skip".to_owned(), true));
    assert!(first.iter().any(|(name, _)| name == "BUTTON#theme"), "{first:?}");
    let reached = page.focusable();
    for wanted in
        ["A.skip", "BUTTON#theme", "SELECT#pick-case", "SELECT#pick-slot", "BUTTON#slot-after", "SUMMARY", "A.skip"]
    {
        assert!(reached.iter().any(|(name, _)| name == wanted), "{wanted} is not among {reached:?}");
    }
    for part in [".legend button", ".tools button", "thead button", ".files a"] {
        assert!(reached.iter().any(|(name, _)| name == part), "{part} is not among {reached:?}");
    }
    let unseen: Vec<_> = reached.iter().filter(|(_, outlined)| !outlined).collect();
    assert!(unseen.is_empty(), "focus is not seen on {unseen:?}");
    page.assert_nothing_went_wrong();
}

#[test]
fn a_phone_shows_the_page_without_scrolling_sideways() {
    for reported in [flagship(), sweep()] {
        let Some(page) = Page::open(&reported.report) else { return };
        page.narrow(360, 740);
        assert_all_charts_are_drawn(&page);
        let width = page.value("document.scrollingElement.scrollWidth").as_u64().unwrap();
        assert!(width <= 360, "the page is {width} wide");
        let overflowing: Vec<String> = page.values(
            r##"[...document.querySelectorAll(".chart, .card, .picker, .table, .facts, svg.main-svg")]
                .filter((node) => node.getBoundingClientRect().right > 361).map((node) => node.className.baseVal ?? node.className)"##,
        );
        assert!(overflowing.is_empty(), "{overflowing:?}");
        page.assert_nothing_went_wrong();
    }
}

/// Days of members whose names are markup, or a very long word, with money that is called so too.
fn strange() -> Reported {
    let long = "Donaudampfschifffahrtsgesellschaft".repeat(3);
    let text = r#"Scenario(
        name: "strange",
        market: (calendar: (start: "2016-10-29", zone: "Europe/Berlin", days: 3), open: "11:00-12:00",
                 gate_closure: "2min", grid_tariff: 0.3, feed_in_tariff: 0.08, currency: "<b>&E"),
        population: Members(members: "members.csv", profiles: "profiles.csv", unit: Share),
        preferences: (preference_pv: 1.5, preference_grid: 1.2),
    )"#;
    let head = "name,load_profile,load_peak_kw,pv_profile,pv_kwp";
    let members = format!("{head}\n<i>&amp;Co,load,1,roof,2\n{long},load,1,,\n<b>&E,load,2,,\n");
    let profiles: String = (1..=73).map(|slot| format!("{slot},0.5,1\n")).collect();
    let built = Simulation::builder().ron(text).data("members.csv", &members);
    let built = built.data("profiles.csv", format!("slot,load,roof\n{profiles}")).build();
    reported(built.unwrap_or_else(|error| panic!("{error}")).plan())
}

#[test]
fn names_and_the_currency_are_text_whatever_they_are() {
    let Some(page) = Page::open(&strange().report) else { return };
    assert_all_charts_are_drawn(&page);
    let texts: Vec<String> =
        page.values("[...document.querySelectorAll('.plot text, .legend button')].map((node) => node.textContent)");
    for text in ["price [<b>&E/kWh]", "<i>&amp;Co", "<b>&E"] {
        assert!(texts.iter().any(|found| found == text), "{text} is not among {texts:?}");
    }
    let bill: String = page.promised("Promise.resolve(document.querySelector('#bill table').textContent)");
    assert!(!bill.contains("torage") && bill.contains("<b>&E"), "nobody has one: {bill}");
    page.narrow(390, 800);
    assert_all_charts_are_drawn(&page);
    let width = page.value("document.scrollingElement.scrollWidth").as_u64().unwrap();
    assert!(width <= 390, "the page is {width} wide");
    page.assert_nothing_went_wrong();
}

#[test]
fn the_page_is_dark_where_the_system_is_unless_its_reader_wants_it_light() {
    let Some(page) = Page::open(&flagship().report) else { return };
    assert_all_charts_are_drawn(&page);
    let light = |node: &str, property: &str| -> f64 {
        let script = format!(
            "getComputedStyle(document.querySelector('{node}')).{property}.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765"
        );
        page.value(&script).as_f64().expect("a color")
    };
    let ticks = "#slot-charts [data-chart=prices] .xtick text";
    assert!(light("body", "backgroundColor") > 0.9 && light(ticks, "fill") < 0.5);
    page.prefer_dark();
    assert!(light("body", "backgroundColor") < 0.2 && light("body", "color") > 0.7);
    page.wait_for(
        &format!("getComputedStyle(document.querySelector('{ticks}')).fill.match(/\\d+/g)[0] > 127"),
        "charts are drawn anew in light ink",
    );
    page.click("#theme");
    assert!(light("body", "backgroundColor") > 0.9 && light(ticks, "fill") < 0.5, "the reader wants it light");
    page.click("#theme");
    assert!(light("body", "backgroundColor") < 0.2, "or dark");
    page.assert_nothing_went_wrong();
}
