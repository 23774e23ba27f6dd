//! Figures show what the tables say, of every kind of run, and are the same whenever they are made.

use crate::support::{shipped, written};
use microgrid_sim::{
    agents::{market::role::Role, statement::Outcome},
    record::{ConvergenceRow, Format, Number, ProsumerRow, Recorder, Run, SlotRow, Status},
    report::{
        self,
        chart::{Chart, Mark, Scale},
        charts,
        data::{Data, game::PRICE},
        figures,
    },
    scenario::Plan,
    study::{self, Options},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// Runs a plan and opens what it leaves.
fn run(plan: &Plan, format: Format) -> (TempDir, Run) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let recorder = Recorder::create_as(format, root.path(), plan, SystemTime::UNIX_EPOCH, String::new());
    let (recorder, result) = study::run(plan, recorder.expect("a new folder"), &Options::default(), |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    let folder = recorder.finish(Status::Finished, Duration::ZERO).expect("the run is written");
    let run = Run::open(&folder).expect("the run is there");
    (root, run)
}

fn data(run: &Run) -> Data {
    Data::read(run).unwrap_or_else(|error| panic!("{error}"))
}

/// All charts of a run.
fn all(data: &Data) -> Vec<Chart> {
    let case = |case: &report::data::CaseData| {
        let number = case.entry.case;
        let slots = case.slots.iter().flat_map(move |row| charts::slot(data, number, row.slot));
        charts::case(data, number).into_iter().chain(slots).collect::<Vec<_>>()
    };
    charts::study(data).into_iter().chain(charts::mechanisms(data)).chain(data.cases.iter().flat_map(case)).collect()
}

/// The points of a layer, which must not be empty, and whose numbers must be finite but for the gaps of lines and bands.
fn points(chart: &Chart, mark: &Mark) -> Vec<(f64, f64)> {
    let points = match mark {
        Mark::Line(points, _) | Mark::Steps(points, _) => {
            points.iter().copied().filter(|point| point.1.is_finite()).collect()
        }
        Mark::Points(points) | Mark::Bars(points) | Mark::Stack(points) => points.clone(),
        Mark::Band(spans) => {
            let values = spans.iter().flat_map(|span| [(span.0, span.1), (span.0, span.2)]);
            values.filter(|point| point.1.is_finite()).collect()
        }
        Mark::Rule(at) => vec![(0.0, *at)],
        Mark::Heat(cells, _) => cells.iter().filter_map(|cell| Some((cell.0, cell.2?))).collect(),
    };
    assert!(!points.is_empty(), "{}: a layer is empty", chart.title);
    points
}

fn check(charts: &[Chart]) {
    for chart in charts {
        assert!(!chart.layers.is_empty(), "{} is empty", chart.title);
        for layer in &chart.layers {
            let finite = points(chart, &layer.mark).iter().all(|point| point.0.is_finite() && point.1.is_finite());
            assert!(finite, "{}: {:?}", chart.title, layer.name);
        }
        assert!(chart.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{}", chart.name);
        let svg = figures::svg(chart);
        assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{}", chart.title);
    }
}

fn names(charts: &[Chart]) -> Vec<&str> {
    charts.iter().map(|chart| chart.name.as_str()).collect()
}

/// The bars of a chart by the name of their layer.
fn bars(chart: &Chart) -> BTreeMap<String, Vec<f64>> {
    let layer = |layer: &report::chart::Layer| match &layer.mark {
        Mark::Bars(points) => Some((layer.name.clone()?, points.iter().map(|point| point.1).collect())),
        _ => None,
    };
    chart.layers.iter().filter_map(layer).collect()
}

#[test]
fn the_published_study_has_the_figures_of_the_article_and_they_say_what_the_tables_say() {
    let (_root, run) = run(&shipped("5_prosumers.ron", &[]), Format::Csv);
    let data = data(&run);
    let study = charts::study(&data);
    let rows: Vec<SlotRow> = run.rows().unwrap().map(Result::unwrap).collect();
    let column = |case: u32, of: fn(&SlotRow) -> Option<Number>| -> Vec<f64> {
        let open = rows.iter().filter(|row| row.case == case && (8..=20).contains(&row.slot));
        open.map(|row| of(row).unwrap().value()).collect()
    };
    let expect = |name: &str, local: fn(&SlotRow) -> Option<Number>, without: fn(&SlotRow) -> Option<Number>| {
        let chart = study.iter().find(|chart| chart.name == name).unwrap_or_else(|| panic!("{name} is missing"));
        let bars = bars(chart);
        assert_eq!(bars["mu = 0"], column(1, local));
        assert_eq!(bars["mu = 1"], column(2, local));
        assert_eq!(bars["P2G"], column(1, without));
    };
    expect("welfare_buyers", |row| row.buyers_welfare_cny, |row| row.p2g_buyers_welfare_cny);
    expect("welfare_sellers", |row| row.sellers_welfare_cny, |row| row.p2g_sellers_welfare_cny);
    expect("welfare_total", |row| row.welfare_cny, |row| row.p2g_welfare_cny);
    assert!(names(&study).contains(&"utility"));
    assert_eq!(data.case(2).unwrap().shown, Some(17), "as the scenario says");
    let slot = charts::slot(&data, 2, 17);
    let expected =
        ["prices", "shares", "demands", "net_utilities", "trades", "distance", "information_age", "messages"];
    assert_eq!(names(&slot), expected);
    let trades = slot.iter().find(|chart| chart.name == "trades").unwrap();
    let mut energies: Vec<f64> = points(trades, &trades.layers[0].mark).iter().map(|point| point.1).collect();
    energies.sort_by(f64::total_cmp);
    assert_eq!(energies, [0.224, 0.28, 0.608, 0.76, 0.768, 0.96], "Table 1 of the article");
    let day = charts::case(&data, 2);
    for name in ["prices", "energy", "welfare", "trades", "generation", "load", "time_to_equilibrium", "distance"] {
        assert!(names(&day).contains(&name), "{name} is missing of {:?}", names(&day));
    }
    check(&all(&data));
    assert!(charts::slot(&data, 2, 3).is_empty() && charts::slot(&data, 3, 17).is_empty());
    assert!(charts::case(&data, 0).is_empty());
}

#[test]
fn consumed_energy_by_source_adds_up_to_what_was_consumed() {
    let (_root, run) = run(&shipped("5_prosumers_storage.ron", &[]), Format::Csv);
    let data = data(&run);
    for (case, figures) in data.cases.iter().zip(run.key_figures().unwrap()) {
        let chart = charts::case(&data, case.entry.case).into_iter().find(|chart| chart.name == "energy").unwrap();
        let sum = |name: &str| {
            // A source of nothing, such as a storage that was not used, has no layer.
            let layer = chart.layers.iter().find(|layer| layer.name.as_deref() == Some(name));
            layer.map_or(0.0, |layer| points(&chart, &layer.mark).iter().map(|point| point.1).sum())
        };
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-9 * other.abs().max(1.0), "{one} {other}");
        let totals = &figures.totals;
        near(sum("local trades"), totals.traded_kwh);
        near(sum("grid"), totals.grid_import_kwh);
        near(sum("storage"), totals.discharged_kwh);
        let all = ["own generation", "local trades", "storage", "grid"].map(sum).iter().sum();
        near(all, totals.consumption_kwh);
    }
    assert!(names(&charts::case(&data, 1)).contains(&"storage"));
    check(&all(&data));
}

/// A hundred homes through one hour of trade, with losses.
const MANY: &str = r#"Scenario(
    name: "many",
    market: (slots: 2, starts_at: "11h", open: (1, 2), gate_closure: "10min"),
    population: Synthetic(count: 60),
    network: (loss: 0.05, duplication: 0.05),
    ledger: (posts: Last),
)"#;

#[test]
fn many_sellers_are_thinned_without_losing_an_extreme_in_either_format() {
    let plan = written(MANY, "");
    let (_root, csv) = run(&plan, Format::Csv);
    let (_other, parquet) = run(&plan, Format::Parquet);
    let data = data(&csv);
    check(&all(&data));
    let case = data.case(1).unwrap();
    let game = &case.games[&case.shown.unwrap()];
    let rows = csv.rows::<ConvergenceRow>().unwrap().map(Result::unwrap);
    let rows: Vec<ConvergenceRow> = rows.filter(|row| Some(row.slot) == case.shown).collect();
    assert_eq!(game.rows, rows.len() as u64);
    let others = game.others.as_ref().expect("there are more sellers than colors");
    let price = |row: &ConvergenceRow| row.price_cny_per_kwh.map(Number::value);
    let extremes = |values: &[f64]| {
        values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
    };
    for seller in &game.sellers {
        let drawn: Vec<f64> = seller.paths[PRICE].iter().map(|point| point.1).collect();
        let all: Vec<f64> = rows.iter().filter(|row| row.seller == seller.number).filter_map(price).collect();
        assert!(drawn.len() <= game.most_points && drawn.len() <= all.len());
        assert_eq!(extremes(&drawn), extremes(&all), "seller {}", seller.number);
    }
    let alone: Vec<u32> = game.sellers.iter().map(|seller| seller.number).collect();
    let all: Vec<f64> = rows.iter().filter(|row| !alone.contains(&row.seller)).filter_map(price).collect();
    let drawn: Vec<f64> = others.ranges[PRICE].iter().flat_map(|span| [span.1, span.2]).collect();
    assert_eq!(extremes(&drawn), extremes(&all));
    let said = &charts::slot(&data, 1, case.shown.unwrap())[0].caption;
    assert!(said.contains(&format!("Drawn from {} rows, thinned", rows.len())), "{said}");
    let same = self::data(&parquet);
    // As text, in which gaps are equal too.
    let all = |data| self::all(data).iter().map(|chart| format!("{chart:?}")).collect::<Vec<_>>();
    assert_eq!(all(&same), all(&data), "Parquet holds the same");
    let lost = charts::slot(&data, 1, case.shown.unwrap()).into_iter().find(|chart| chart.name == "messages").unwrap();
    assert!(lost.layers.iter().any(|layer| layer.name.as_deref() == Some("lost")));
}

/// A sweep over two knobs that theory knows a bound for.
fn sweep(record: &str) -> Plan {
    let sets = ["delay=0s,50ms,250ms", "replicator_step=0.1,0.6", "adaptation=None"];
    let mut plan = shipped("delay.ron", &sets);
    plan.scenario.record = match record {
        "Slots" => microgrid_sim::scenario::schema::Record::Slots,
        _ => microgrid_sim::scenario::schema::Record::Summary,
    };
    plan.scenario.market.open = (16, 17).into();
    plan
}

#[test]
fn a_sweep_has_its_measures_against_its_knobs_whatever_it_keeps() {
    let (_root, slots) = run(&sweep("Slots"), Format::Csv);
    let (_other, summary) = run(&sweep("Summary"), Format::Csv);
    let (slots, summary) = (data(&slots), data(&summary));
    let study = charts::study(&slots);
    for name in ["share_in_equilibrium_by_delay", "price_gap_by_replicator_step", "rounds_by_delay"] {
        assert!(names(&study).contains(&name), "{name} is missing of {:?}", names(&study));
    }
    let heat =
        study.iter().find(|chart| chart.name.starts_with("share_in_equilibrium_by_") && chart.name.contains("_and_"));
    let heat = heat.expect("there are two knobs");
    let cells = points(heat, &heat.layers[0].mark);
    assert_eq!(cells.len(), 6);
    let expected: Vec<f64> = slots.summaries.iter().filter_map(|summary| summary.share_in_equilibrium).collect();
    let total = |values: &[f64]| values.iter().sum::<f64>();
    assert!((total(&cells.iter().map(|cell| cell.1).collect::<Vec<_>>()) - total(&expected)).abs() < 1e-12);
    let bound = heat.layers.iter().find(|layer| layer.name.as_deref() == Some("stability bound"));
    assert!(bound.is_some(), "some combinations are stable and some are not");
    check(&all(&slots));
    check(&all(&summary));
    let without_day = |charts: Vec<Chart>| charts.into_iter().filter(|chart| !chart.name.starts_with("welfare_"));
    let (full, less) =
        (without_day(study).collect::<Vec<_>>(), without_day(charts::study(&summary)).collect::<Vec<_>>());
    assert_eq!(names(&full), names(&less));
    assert!(slots.cases.iter().all(|case| !case.ages.is_empty() && case.games.is_empty()));
}

#[test]
fn captions_tell_means_from_ratios_and_bands_end_where_values_cannot_be() {
    let mut plan = shipped("delay.ron", &["delay=10ms,1100ms", "replicator_step=0.3", "adaptation=None,DelayAware"]);
    plan.scenario.market.open = (15, 17).into();
    plan.scenario.replicates = microgrid_sim::scenario::schema::Replicates::Count(2);
    let (_root, run) = run(&plan, Format::Csv);
    let data = data(&run);
    let gate = data.manifest.gate_closure_s.expect("a run of this program tells");
    let study = charts::study(&data);
    let caption = |name: &str| {
        let chart = study.iter().find(|chart| chart.name == name).unwrap_or_else(|| panic!("{:?}", names(&study)));
        chart.caption.as_str()
    };
    assert!(caption("rounds_by_delay").starts_with("Mean over the slots with a market, with the 95 %"));
    for name in ["price_mean", "messages_per_kwh", "updates_per_actor", "welfare_loss"] {
        let caption = caption(&format!("{name}_by_delay"));
        assert!(caption.contains("divided by") && !caption.contains("Mean over"), "{name}: {caption}");
    }
    let age = caption("information_age_mean_by_delay");
    assert!(age.starts_with("Mean over all decisions") && age.contains("may fall where delay grows"), "{age}");
    let highest = |prefix: &str| {
        let bands = study.iter().filter(|chart| chart.name.starts_with(prefix)).flat_map(|chart| &chart.layers);
        let ends = bands.filter_map(|layer| if let Mark::Band(spans) = &layer.mark { Some(spans) } else { None });
        ends.flatten().fold((f64::INFINITY, 0.0_f64), |(low, high), span| (low.min(span.1), high.max(span.2)))
    };
    for (prefix, most) in
        [("time_to_equilibrium_restricted", gate), ("share_in_equilibrium", 1.0), ("rounds", f64::MAX)]
    {
        let (low, high) = highest(prefix);
        assert!(low >= 0.0 && high > 0.0 && high <= most, "{prefix}: {low} to {high}");
    }
}

#[test]
fn mechanisms_stand_one_below_the_other_and_what_each_gains_by_how_near_it_is() {
    let text = r#"Scenario(
        name: "near",
        market: (slots: 13, open: (12, 13), feed_in_tariff: 0.45, grid_tariff: Constant(0.85)),
        population: Synthetic(count: 12, pv_share: 0.5),
        network: (groups: {"far": Prosumers([1, 5, 8])}, links: [(from: Group("far"), to: Ledger, delay: "400ms")]),
        vary: {"mechanism": [MidMarketRate, UniformPriceAuction(), ContinuousDoubleAuction]},
        replicates: 3,
    )"#;
    let (_root, run) = run(&written(text, ""), Format::Csv);
    let data = data(&run);
    let study = all(&data);
    check(&study);
    let find =
        |name: &str| study.iter().find(|chart| chart.name == name).unwrap_or_else(|| panic!("{:?}", names(&study)));
    let welfare = find("welfare_by_mechanism");
    let Scale::Names(order) = &welfare.y.scale else { panic!("mechanisms have names: {:?}", welfare.y) };
    assert_eq!(
        order.iter().rev().collect::<Vec<_>>(),
        ["MidMarketRate", "UniformPriceAuction()", "ContinuousDoubleAuction"]
    );
    let [whiskers, means] = &welfare.layers[..] else { panic!("intervals and means: {:?}", welfare.layers) };
    let (whiskers, means) = (points(welfare, &whiskers.mark), points(welfare, &means.mark));
    for (place, summary) in [2.0, 1.0, 0.0].into_iter().zip(&data.summaries) {
        let at = |points: &[(f64, f64)]| points.iter().filter(|at| at.1 == place).map(|at| at.0).collect::<Vec<_>>();
        let welfare = summary.measure("welfare_cny").unwrap();
        let (mean, half) = (welfare.mean().unwrap(), welfare.half_width().unwrap());
        assert_eq!((at(&means), at(&whiskers)), (vec![mean], vec![mean - half, mean + half]));
    }
    // Rows of all cases, in the slots with a market.
    let mut markets = BTreeSet::new();
    for row in run.rows::<SlotRow>().unwrap().map(Result::unwrap).filter(|row| row.outcome != Outcome::NoMarket) {
        markets.insert((row.case, row.slot));
    }
    let mut sums = BTreeMap::<(u32, u32, Role), (f64, f64)>::new();
    for row in run.rows::<ProsumerRow>().unwrap().map(Result::unwrap) {
        if markets.contains(&(row.case, row.slot)) {
            let of = sums.entry((row.case, row.prosumer, row.role)).or_default();
            *of = (row.delay_s.unwrap().value(), of.1 + row.gain_cny.unwrap().value());
        }
    }
    let milliseconds = |delay: f64| (delay * 1e3).round() as u64;
    for (role, name) in [(Role::Seller, "gain_and_delay_sellers"), (Role::Buyer, "gain_and_delay_buyers")] {
        let mut gained = BTreeMap::<(String, u64), Vec<f64>>::new();
        for ((case, ..), (delay, gain)) in sums.iter().filter(|(of, _)| of.2 == role) {
            let mechanism = data.case(*case).unwrap().entry.knobs["mechanism"].as_str().unwrap().to_owned();
            gained.entry((mechanism, milliseconds(*delay))).or_default().push(*gain);
        }
        let gains = find(name);
        let lines = gains.layers.iter().filter(|layer| matches!(layer.mark, Mark::Line(..)));
        let drawn =
            lines.flat_map(|layer| points(gains, &layer.mark).into_iter().map(|at| (layer.name.clone().unwrap(), at)));
        let drawn: BTreeMap<_, _> = drawn.map(|(name, (delay, gain))| ((name, milliseconds(delay)), gain)).collect();
        assert_eq!((drawn.len(), gained.len()), (6, 6), "three mechanisms, near and far");
        for (of, gains) in gained {
            let mean = gains.iter().sum::<f64>() / gains.len() as f64;
            assert!((drawn[&of] - mean).abs() < 1e-9 && mean != 0.0, "{of:?}: {} and {mean}", drawn[&of]);
        }
    }
}

/// The figures of a run, by name.
fn drawn(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder.join("figures")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn figures_are_the_same_whenever_they_are_made_and_the_manifest_names_them() {
    let plan = shipped("5_prosumers.ron", &["mu=1"]);
    let [(_first, mut one), (_second, mut other)] = [(); 2].map(|()| run(&plan, Format::Csv));
    report::write(&mut one).unwrap();
    report::write(&mut other).unwrap();
    let figures = drawn(one.folder());
    assert!(figures == drawn(other.folder()), "a second run has other figures");
    report::write(&mut one).unwrap();
    assert!(figures == drawn(one.folder()), "made again, they are others");
    assert!(figures.contains_key("case_1_slot_17_prices.svg") && figures.contains_key("case_1_slot_17_prices.png"));
    let manifest = Run::open(one.folder()).unwrap().manifest().clone();
    let named: Vec<_> = manifest.files.iter().filter_map(|file| file.strip_prefix("figures/")).collect();
    assert_eq!(named.len(), figures.len());
    assert!(named.iter().all(|name| figures.contains_key(*name)));
}

/// Sixteen days of members with names and groups, an hour of one of which clocks show twice.
const COMMUNITY: &str = r#"Scenario(
    name: "community",
    market: (
        calendar: (start: "2016-10-20", zone: "Europe/Berlin", days: 16), open: "11:00-13:00", gate_closure: "2min",
        grid_tariff: 0.30, feed_in_tariff: 0.08, service_fee: 0.01, grid_fee: 0.02, currency: "EUR",
        tariffs: {"tenants": (grid_tariff: 0.28), "owners": (feed_in_tariff: 0.10)},
    ),
    population: Members(members: "members.csv", profiles: "profiles.csv", unit: Share, forecast_error: (load: 0.3)),
    preferences: (demand: Firm, preference_pv: 1.5, preference_grid: 1.2),
    ledger: (posts: Last),
)"#;

fn community() -> Plan {
    let members = "name,group,load_profile,load_peak_kw,pv_profile,pv_kwp\nAnna,owners,load,1,roof,3\n\
                   дом 5,owners,load,1,roof,1.5\nZoë,tenants,load,3,,\nBakery,,load,4,,\n";
    let mut profiles = "slot,load,roof\n".to_owned();
    for slot in 1..=385 {
        profiles += &format!("{slot},{},{}\n", 0.2 + 0.1 * f64::from(slot % 5), 0.1 + 0.15 * f64::from(slot % 7));
    }
    let built = microgrid_sim::Simulation::builder().ron(COMMUNITY).data("members.csv", members);
    let built = built.data("profiles.csv", &*profiles).build().unwrap_or_else(|error| panic!("{error}"));
    built.plan().clone()
}

fn study_titles(data: &Data) -> Vec<String> {
    charts::study(data).into_iter().map(|chart| chart.title).collect()
}

#[test]
fn members_moments_and_tariffs_of_groups_are_in_the_charts_and_on_the_page() {
    let (_root, run) = run(&community(), Format::Csv);
    let data = data(&run);
    check(&all(&data));
    let day = charts::case(&data, 1);
    let find = |name: &str| day.iter().find(|chart| chart.name == name).unwrap_or_else(|| panic!("{:?}", names(&day)));
    let layer = |chart: &Chart, name: &str| {
        let found = chart.layers.iter().find(|layer| layer.name.as_deref() == Some(name));
        points(chart, &found.unwrap_or_else(|| panic!("{name}: {:?}", chart.layers)).mark)
    };
    let prices = find("prices");
    for (name, price) in [("lowest grid tariff less the fee", 0.28 - 0.03), ("highest feed-in tariff", 0.10)] {
        let drawn = layer(prices, name);
        assert!(drawn.len() == 16 && drawn.iter().all(|point| (point.1 - price).abs() < 1e-12), "{name}: {drawn:?}");
    }
    // Both by the energy of the same trades.
    let rows: Vec<SlotRow> = run.rows().unwrap().map(Result::unwrap).collect();
    let mut days = BTreeMap::<String, [f64; 3]>::new();
    for row in &rows {
        let (Some(mean), Some(theory)) = (row.price_mean_cny_per_kwh, row.equilibrium_price_cny_per_kwh) else {
            continue;
        };
        let of = days.entry(row.time.as_ref().unwrap()[..10].to_owned()).or_default();
        let kwh = row.traded_kwh.value();
        *of = [of[0] + mean.value() * kwh, of[1] + theory.value() * kwh, of[2] + kwh];
    }
    assert_eq!(days.len(), 16);
    for (name, place) in [("mean price of trades", 0), ("closed-form equilibrium", 1)] {
        let expected = days.values().map(|of| of[place] / of[2]);
        let drawn = layer(prices, name);
        assert!(drawn.iter().zip(expected).all(|(point, mean)| (point.1 - mean).abs() < 1e-12), "{name}: {drawn:?}");
    }
    let Scale::Names(sellers) = &find("trades").x.scale else { panic!("sellers have names") };
    assert_eq!(sellers, &["Anna", "дом 5"]);
    let of_load = find("load").layers.iter().filter_map(|layer| layer.name.as_deref());
    assert_eq!(of_load.collect::<Vec<_>>(), ["Anna", "дом 5", "Zoë", "Bakery"]);
    let shown = data.case(1).unwrap().shown.unwrap();
    let slot = charts::slot(&data, 1, shown);
    assert!(
        slot[0].title.ends_with(":00)") && slot[0].layers[0].name.as_deref() == Some("Anna"),
        "{:?}",
        slot[0].title
    );
    let study = charts::study(&data);
    assert!(study[0].caption.contains("the same days without a local market"), "{}", study[0].caption);

    let page = report::page::page(&run, &data).unwrap();
    for told in [
        "that of the same 16 days without a local market",
        "there is less local energy than buyers want even at",
        "lowest tariff less the fee",
        "buyer's name",
        "\"begins\"",
        "because what was not foreseen",
        "\"short\",\"long\"",
        "\"storage\":false",
    ] {
        assert!(page.replace("&#39;", "'").contains(told), "{told}");
    }
    assert!(!page.contains("because more is consumed"), "demand is firm");
    let [bills, tables, study] = ["bills", "tables", "study"]
        .map(|id| page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("{id}")));
    assert!(bills < tables && tables < study, "members' own outcome comes first");
    let welfare = find("welfare");
    assert_eq!(welfare.title, "Welfare of all prosumers in all slots by day");
    assert!(layer(welfare, "local market").len() == 16 && find("trades").title == "Who traded with whom over 16 days");
    assert!(study_titles(&data).contains(&"Welfare of all prosumers in open slots by day".to_owned()));
}
