//! Bills and key figures of a day by hand: its first slot is the last of May, the others are in June.

use crate::{
    BillRow, DayRow, Format, MonthRow, Recorder, Row, Run,
    fixtures::{
        Recording,
        day::{Day, watch},
    },
    tests::rows,
};
use microgrid_agents::{
    market::{demand::Demand, settlement::Trade},
    observation::Observation,
    units::Energy,
};
use microgrid_scenario::{Case, schema::Calendar};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The day with demand that does not answer to price, and fees of 0.01 CNY/kWh for the operator and 0.02 for the grid.
fn day() -> Day {
    let mut day = Day::new();
    day.plan.scenario.preferences.demand = Demand::Firm;
    (day.plan.scenario.market.service_fee, day.plan.scenario.market.grid_fee) = (0.01, 0.02);
    day
}

/// Its first case, with dates, and emissions of 100, 200 and 400 g/kWh.
fn dated(day: &Day) -> Case {
    let mut case = day.case();
    let calendar = Calendar {
        start: "2016-05-31T23:00".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        days: 1,
        slot_length: Duration::from_secs(3600),
    };
    let mut market = case.scenario.market.clone();
    market.calendar = Some(calendar);
    case.dates = market.dates().map(Arc::new);
    Arc::make_mut(&mut case.tariffs).co2 = Some([100.0, 200.0, 400.0].into());
    case
}

/// The observations with the fees of the trades.
fn with_fees(window: Vec<Observation>) -> Vec<Observation> {
    let with_fee = |what| match what {
        Observation::Settled(slot, trades) => {
            let of = |trade: &Trade| Trade { fee: trade.energy.at_price(0.03), ..*trade };
            Observation::Settled(slot, Arc::new(trades.iter().map(of).collect()))
        }
        Observation::ProsumerDone(mut done) => {
            done.trades.fee = done.trades.bought.at_price(0.03);
            Observation::ProsumerDone(done)
        }
        what => what,
    };
    window.into_iter().map(with_fee).collect()
}

/// What is recorded of such a case.
fn recorded(of: fn(&Day) -> Case, change: fn(Vec<Observation>) -> Vec<Observation>) -> (Day, PathBuf) {
    let mut day = day();
    let created = Recorder::create_as(Format::Csv, &day.root(), &day.plan, SystemTime::UNIX_EPOCH, "sim".to_owned());
    let (mut recorder, case) = (Recording::new(created.unwrap()), of(&day));
    recorder.begin_case(&case);
    for slot in 1..=3 {
        let window = change(with_fees(day.slot(slot)));
        watch(&mut recorder, window, 1).unwrap();
    }
    recorder.end_case().unwrap();
    let folder = recorder.folder().to_owned();
    (day, folder)
}

/// What a row has in these columns.
fn cells<R: Row>(row: &R, columns: &[&str]) -> Vec<String> {
    let cell = |name: &&str| {
        let column = R::COLUMNS.iter().find(|column| column.name == *name).unwrap();
        let value = serde_json::to_value((column.value)(row)).unwrap();
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    columns.iter().map(cell).collect()
}

#[test]
fn a_bill_tells_where_energy_and_money_came_from_and_went_to_in_each_month() {
    let (_day, folder) = recorded(dated, |window| window);
    let columns = [
        "month",
        "prosumer",
        "generation_kwh",
        "consumption_kwh",
        "own_use_kwh",
        "bought_kwh",
        "sold_kwh",
        "grid_import_kwh",
        "grid_export_kwh",
        "local_paid_cny",
        "local_earned_cny",
        "service_fee_cny",
        "grid_fee_cny",
        "grid_paid_cny",
        "net_cost_cny",
        "p2g_net_cost_cny",
        "savings_cny",
        "market_savings_cny",
    ];
    let bills: Vec<String> = rows::<BillRow>(&folder).iter().map(|row| cells(row, &columns).join(" ")).collect();
    assert_eq!(
        bills,
        [
            // Each buys 1 kWh at 1.5 CNY/kWh, as in P2G.
            "2016-05 2 0.0 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 0.0 0.0 1.5 1.5 1.5 0.0 0.0",
            "2016-05 5 0.0 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 0.0 0.0 1.5 1.5 1.5 0.0 0.0",
            "2016-05 9 0.0 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 0.0 0.0 1.5 1.5 1.5 0.0 0.0",
            // 4 kWh sold at 1.2 instead of 0.45.
            "2016-06 2 6.0 2.0 2.0 0.0 4.0 0.0 0.0 0.0 4.8 0.0 0.0 0.0 -4.8 -1.8 3.0 3.0",
            // 2 kWh at 1.2 and fees of 0.03 instead of 1.5, and 3 kWh, or 1, from the grid.
            "2016-06 5 0.0 5.0 0.0 2.0 0.0 3.0 0.0 2.4 0.0 0.02 0.04 4.5 6.96 7.5 0.54 0.54",
            "2016-06 9 0.0 3.0 0.0 2.0 0.0 1.0 0.0 2.4 0.0 0.02 0.04 1.5 3.96 4.5 0.54 0.54",
        ]
    );
}

const FIGURES: [&str; 15] = [
    "slots",
    "consumption_kwh",
    "grid_import_kwh",
    "price_mean_cny_per_kwh",
    "net_cost_cny",
    "p2g_net_cost_cny",
    "savings_cny",
    "fees_cny",
    "self_sufficiency",
    "peak_import_kw",
    "peak_import_at",
    "peak_export_kw",
    "load_factor",
    "co2_kg",
    "co2_g_per_kwh",
];

#[test]
fn days_and_months_have_the_key_figures_of_the_field() {
    let (_day, folder) = recorded(dated, |window| window);
    // Own generation used: 2 kWh; traded: 4; of 10 consumed, 7 of them in one slot of two. 2 kWh at 200 g and 2 at 400.
    let (may, june) = (
        "1 3.0 3.0 null 4.5 4.5 0.0 0.0 0.0 3.0 2016-05-31T23:00:00+02:00 null 1.0 0.3 100.0",
        "2 10.0 4.0 1.2 6.12 10.2 4.08 0.12 0.6 2.0 2016-06-01T00:00:00+02:00 null 0.7142857142857143 1.2 120.0",
    );
    let days: Vec<_> = rows::<DayRow>(&folder).iter().map(|row| cells(row, &FIGURES).join(" ")).collect();
    assert_eq!(days, [may, june]);
    let months: Vec<_> = rows::<MonthRow>(&folder).iter().map(|row| cells(row, &FIGURES).join(" ")).collect();
    assert_eq!(months, [may, june]);
    let named = |of: Vec<Option<String>>| of.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(named(rows::<DayRow>(&folder).into_iter().map(|row| row.day).collect()), ["2016-05-31", "2016-06-01"]);
    assert_eq!(named(rows::<MonthRow>(&folder).into_iter().map(|row| row.month).collect()), ["2016-05", "2016-06"]);
    let even: Vec<_> = rows::<MonthRow>(&folder)
        .iter()
        .map(|row| [row.savings_gini, row.savings_jain_index].map(|index| index.map(|index| index.value())))
        .collect();
    // Of savings of 3, 0.54 and 0.54.
    let (gini, jain) = ((2.0 * 3.0 - 2.0 * 0.54) / (3.0 * 4.08), 4.08 * 4.08 / (3.0 * (9.0 + 2.0 * 0.54 * 0.54)));
    assert_eq!(even[0], [None, None]);
    let near = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}");
    near(even[1][0], gini);
    near(even[1][1], jain);
}

#[test]
fn bills_days_and_months_add_up_to_the_totals_of_the_run() {
    let (_day, folder) = recorded(dated, |window| window);
    let run = Run::open(&folder).unwrap();
    let figures = &run.key_figures().unwrap()[0];
    let totals = serde_json::to_value(&figures.totals).unwrap();
    let mut expected: BTreeMap<&str, f64> = BTreeMap::new();
    for name in ["generation_kwh", "consumption_kwh", "grid_import_kwh", "grid_export_kwh", "charged_kwh"] {
        expected.insert(name, totals[name].as_f64().unwrap());
    }
    expected.insert("net_cost_cny", figures.all_slots.net_cost_cny);
    expected.insert("p2g_net_cost_cny", figures.all_slots.p2g_net_cost_cny);
    expected.insert("savings_cny", figures.all_slots.savings_cny);
    fn sum<R: Row>(rows: &[R], name: &str) -> f64 {
        let column = R::COLUMNS.iter().find(|column| column.name == name).unwrap();
        let units = |row: &R| ((column.value)(row).number().unwrap() * 1e6).round() as i64;
        rows.iter().map(units).sum::<i64>() as f64 / 1e6
    }
    for (name, total) in expected {
        assert_eq!(sum(&rows::<BillRow>(&folder), name), total, "{name} of bills");
        assert_eq!(sum(&rows::<DayRow>(&folder), name), total, "{name} of days");
        assert_eq!(sum(&rows::<MonthRow>(&folder), name), total, "{name} of months");
    }
    let fees = sum(&rows::<BillRow>(&folder), "service_fee_cny") + sum(&rows::<BillRow>(&folder), "grid_fee_cny");
    assert_eq!(fees, figures.totals.fees_cny);
    assert_eq!(
        (figures.peak_import_kw, figures.peak_import_at.as_deref()),
        (Some(3.0), Some("2016-05-31T23:00:00+02:00"))
    );
    // 13 kWh, of them 7 in one of three slots; 300 g and 1200.
    assert_eq!((figures.load_factor, figures.co2_kg), (Some(13.0 / 3.0 / 7.0), Some(1.5)));
}

#[test]
fn a_run_without_dates_is_a_single_day_and_month() {
    let (_day, folder) = recorded(|day| day.case(), |window| window);
    let days: Vec<_> =
        rows::<DayRow>(&folder).iter().map(|row| cells(row, &["slots", "peak_import_at", "co2_kg"])).collect();
    assert_eq!(days, [["3", "1", "null"]]);
    let bills: Vec<_> = rows::<BillRow>(&folder).into_iter().map(|row| (row.month, row.prosumer)).collect();
    assert_eq!(bills, [(None, 2), (None, 5), (None, 9)]);
}

#[test]
fn the_grid_s_part_of_a_fee_is_rounded_with_each_trade() {
    let split = |window: Vec<Observation>| {
        let settled = |what| match what {
            Observation::Settled(slot, _) => {
                let trade = |_| Trade::new(1, 0, 1.0, Energy(20), 1.2, 0.03);
                Observation::Settled(slot, Arc::new((0..3).map(trade).collect()))
            }
            what => what,
        };
        window.into_iter().map(settled).collect()
    };
    let (_day, folder) = recorded(dated, split);
    // Of 20e-6 kWh the grid gets 0.4e-6 CNY, which is nothing, and of 4 kWh the buyer has paid 0.06 CNY in fees.
    let june: Vec<_> = rows::<BillRow>(&folder).into_iter().filter(|row| row.prosumer == 9).collect();
    assert_eq!((june[1].grid_fee_cny.value(), june[1].service_fee_cny.value()), (0.0, 0.06));
}
