//! Communities: days with dates, tariffs of hours and groups, members with names and devices, forecasts that err.

use crate::{
    conservation::assert_conserved,
    mechanisms::trades,
    support::{Log, only_case, recorded, run},
};
use microgrid_agents::units::{Energy, Money};
use microgrid_sim::{
    ledger::{schema, verify::verify},
    prelude::*,
    scenario::Plan,
};
use rusqlite::Connection;
use std::{fmt::Write, fs, path::Path};

pub(crate) const MECHANISMS: [&str; 7] = [
    "TwoLevelGame",
    "Negotiation(rho: 1)",
    "UniformPriceAuction()",
    "ContinuousDoubleAuction",
    "MidMarketRate",
    "BillSharing",
    "SupplyDemandRatio",
];
/// Fees of the operator and of the grid [CNY/kWh].
const FEES: [f64; 2] = [0.013, 0.0071];

/// A day of quarters in June, and what makes a community of it.
#[derive(Clone)]
pub(crate) struct Community {
    market: String,
    members: String,
    profiles: String,
    of: String,
    more: String,
}

/// Members with names of any kind: with generation and a battery, with a vehicle and a heat pump, with neither.
const MEMBERS: &str = "\
name,group,load_profile,load_kwh_per_year,pv_profile,pv_kwp,battery_kwh,battery_kw,ev_kwh,ev_kw,ev_home,ev_charging,heat_pump_profile,heat_pump_peak_kw,heat_pump_shiftable
\"Müller, Anna\",owners,flat,2500,roof,9,5,2.5,,,,,,,
王小明,tenants,evening,4000,,,,,7,3.7,18:00-07:00,LowTariff,,,
סלמה,tenants,flat,3000,,,,,,,,,,,
Zähler Ø-07,owners,evening,1500,roof,12,,,,,,,flat,1.5,0.4
дом 5,,flat,4500,,,,,9,11,00:00-24:00,Surplus,,,
";

impl Community {
    fn new() -> Self {
        Self {
            market: r#"calendar: (start: "2016-06-01", zone: "Europe/Berlin", days: 1, slot_length: "15min"),
                       open: "11:00-12:00", gate_closure: "2min", grid_tariff: 0.30, feed_in_tariff: 0.08"#
                .to_owned(),
            members: MEMBERS.to_owned(),
            profiles: wide(96, "slot", |n| (n + 1).to_string(), 1.0),
            of: "unit: Share".to_owned(),
            more: "preferences: (preference_pv: 1.5, preference_grid: 1.2),".to_owned(),
        }
    }

    fn built(&self) -> Result<Simulation, SimulationError> {
        let Self { market, members, profiles, of, more } = self;
        let text = format!(
            r#"Scenario(
                name: "community",
                market: ({market}),
                population: Members(members: "members.csv", profiles: "profiles.csv", {of}),
                {more}
            )"#
        );
        Simulation::builder().ron(text).data("members.csv", members).data("profiles.csv", profiles).build()
    }

    fn simulation(&self) -> Simulation {
        self.built().unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn plan(&self) -> Plan {
        self.simulation().plan().clone()
    }

    /// The same with all that there is: tariffs by hours and groups, both fees, imbalance, forecasts that err.
    pub(crate) fn with_everything(mechanism: &str) -> Self {
        let mut it = Self::new();
        let [service, grid] = FEES;
        it.market = format!(
            r#"mechanism: {mechanism},
               calendar: (start: "2016-06-01", zone: "Europe/Berlin", days: 1, slot_length: "15min"),
               open: ["11:30-12:30", "17:00-17:30"], gate_closure: "2min",
               grid_tariff: Schedule([(price: 0.30), (price: 0.36, hours: "12:00-18:00")]), feed_in_tariff: 0.08,
               service_fee: {service}, grid_fee: {grid}, imbalance: (short: 0.41, long: 0.05),
               tariffs: {{"tenants": (grid_tariff: 0.28), "owners": (feed_in_tariff: 0.10)}}"#
        );
        it.of += ", forecast_error: (generation: 0.2, load: 0.15)";
        it
    }
}

/// Values of the profiles in a quarter of the day, eighths of the peak: of a flat load, of an evening, of a roof.
fn quarter(n: usize) -> [f64; 3] {
    let evening = if (68..88).contains(&n) { 0.875 } else { 0.25 };
    let roof = if (24..80).contains(&n) { 0.25 * (1 + (n % 4)) as f64 } else { 0.0 };
    [0.5, evening, roof]
}

const NAMES: [&str; 3] = ["flat", "evening", "roof"];

/// A wide table of a day of so many rows, whose values are these times `scale`.
fn wide(rows: usize, by: &str, at: impl Fn(usize) -> String, scale: f64) -> String {
    let mut table = format!("{by},{}\n", NAMES.join(","));
    for n in 0..rows {
        let [flat, evening, roof] = quarter(n * 96 / rows).map(|value| value * scale);
        writeln!(table, "{},{flat},{evening},{roof}", at(n)).unwrap();
    }
    table
}

/// The same, long and with its last row first.
fn long(by: &str, at: impl Fn(usize) -> String, scale: f64) -> String {
    let mut table = format!("{by},value,profile\n");
    for n in (0..96).rev() {
        for (name, value) in NAMES.iter().zip(quarter(n)) {
            writeln!(table, "{},{},{name}", at(n), value * scale).unwrap();
        }
    }
    table
}

/// When a row of so many minutes begins, told in the zone's own offset.
fn stamp(n: usize, minutes: usize) -> String {
    let minute = n * minutes;
    format!("2016-06-01T{:02}:{:02}:00+02:00", minute / 60, minute % 60)
}

/// The same moment as Greenwich tells it.
fn in_utc(n: usize) -> String {
    let minute = n * 15 + 22 * 60;
    format!("2016-{}T{:02}:{:02}:00Z", if minute < 24 * 60 { "05-31" } else { "06-01" }, minute / 60 % 24, minute % 60)
}

/// All tables of a run.
fn tables(plan: &Plan) -> Vec<(&'static str, String)> {
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(plan, root.path());
    ["slots.csv", "prosumers.csv", "trades.csv", "convergence.csv", "ledger.csv", "kpis.json"]
        .map(|name| (name, fs::read_to_string(folder.join(name)).unwrap()))
        .to_vec()
}

#[test]
fn the_same_day_leaves_the_same_tables_however_it_is_given() {
    let slot = |n: usize| (n + 1).to_string();
    let quarters = |n| stamp(n, 15);
    let five_minutes = |n| stamp(n, 5);
    // Of shares, each member says of what.
    let members = |power: &str| {
        format!("name,load_profile,load_peak_kw,pv_profile,pv_kwp\na,flat,{power},roof,{power}\nb,evening,{power},,\n")
    };
    let tables_of = |unit: &str, profiles: String| {
        let power = if unit == "Share" { "1" } else { "" };
        let (members, of) = (members(power), format!("unit: {unit}"));
        tables(&Community { members, profiles, of, ..Community::new() }.plan())
    };
    let usual = tables_of("Kw", wide(96, "slot", slot, 1.0));
    let trades = usual.iter().find(|(name, _)| *name == "trades.csv").unwrap();
    assert!(trades.1.lines().count() >= 3, "they trade");
    for (what, unit, profiles) in [
        ("energies", "Kwh", wide(96, "slot", slot, 0.25)),
        ("shares", "Share", wide(96, "slot", slot, 1.0)),
        ("times", "Kw", wide(96, "time", quarters, 1.0)),
        ("times of Greenwich", "Kw", wide(96, "time", in_utc, 1.0)),
        ("long by slots", "Kwh", long("slot", slot, 0.25)),
        ("long by times", "Kw", long("time", quarters, 1.0)),
        ("five minutes, powers", "Kw", wide(288, "time", five_minutes, 1.0)),
    ] {
        for ((name, text), (_, usual)) in tables_of(unit, profiles).into_iter().zip(&usual) {
            assert_eq!(&text, usual, "{what}: {name}");
        }
    }
}

#[test]
fn days_have_92_96_and_100_quarters_and_each_has_its_time() {
    for (day, quarters, open, last) in [
        ("2016-03-27", 92, 12, "T23:45:00+02:00"),
        ("2016-06-01", 96, 16, "T23:45:00+02:00"),
        ("2016-10-30", 100, 20, "T23:45:00+01:00"),
    ] {
        let community = Community {
            market: format!(
                r#"calendar: (start: "{day}", zone: "Europe/Berlin", days: 1, slot_length: "15min"),
                   open: "00:00-04:00", gate_closure: "1s""#
            ),
            profiles: wide(quarters, "slot", |n| (n + 1).to_string(), 1.0),
            ..Community::new()
        };
        let plan = community.plan();
        assert_eq!((plan.scenario.market.slots, plan.open().count()), (quarters as u32, open), "{day}");
        let slots = &tables(&plan)[0].1;
        let rows: Vec<&str> = slots.lines().skip(1).collect();
        assert!(rows.len() == quarters && rows[quarters - 1].contains(&format!("{day}{last}")), "{day}");
    }
}

#[test]
fn markets_open_by_hours_of_days_of_the_week() {
    let open = |hours: &str| {
        let mut community = Community::new();
        // A Monday, and the week from there on.
        community.market = format!(r#"calendar: (start: "2016-06-06", days: 7), open: {hours}"#);
        community.profiles = wide(7 * 24, "slot", |n| (n + 1).to_string(), 0.0);
        community.members = "name\nnobody\n".to_owned();
        community.plan().open().spans().to_vec()
    };
    // What begins on Sunday goes on into Monday, also that which the run begins with.
    let both = open(r#"["Mon-Fri 06:00-08:00", "Sun 22:00-02:00"]"#);
    assert_eq!(both, [(1, 2), (7, 8), (31, 32), (55, 56), (79, 80), (103, 104), (167, 168)]);
    assert_eq!(open(r#""Sat,Sun 08:00-20:00""#), [(129, 140), (153, 164)]);
    assert_eq!(open(r#""00:00-24:00""#), [(1, 168)]);
}

#[test]
fn tariffs_go_by_hours_days_and_months_and_prices_hold_until_the_next() {
    let mut community = Community::new();
    // From a Thursday to a Saturday, over the end of a month.
    community.market = r#"calendar: (start: "2016-06-30", zone: "Europe/Berlin", days: 3),
        grid_tariff: Schedule([(price: 0.30), (price: 0.36, hours: "17:00-21:00", days: "Mon-Fri"), (price: 0.2, months: "Jul", days: "Sat")]),
        feed_in_tariff: Csv("prices.csv")"#
        .to_owned();
    let text = format!(r#"Scenario(name: "tariffs", market: ({}), population: Synthetic(count: 2))"#, community.market);
    let prices = "time,price_per_kwh\n2016-06-29T00:00:00Z,0.01\n2016-06-30T01:00:00+02:00,-0.02\n\
                  2016-07-01T00:00:00+02:00,0.03\n2016-07-02T00:00:00+02:00,0.04\n";
    let simulation = Simulation::builder().ron(text).data("prices.csv", prices).build().unwrap();
    let tariffs = only_case(simulation.plan()).tariffs;
    let grid = (1..=72).map(|slot| match (slot - 1) / 24 {
        0 | 1 if (17..21).contains(&((slot - 1) % 24)) => 0.36,
        2 => 0.2,
        _ => 0.3,
    });
    assert!(tariffs.grid.iter().copied().eq(grid), "{:?}", tariffs.grid);
    let feed_in = (1..=72).map(|slot| match slot {
        1 => 0.01,
        2..=24 => -0.02,
        25..=48 => 0.03,
        _ => 0.04,
    });
    assert!(tariffs.feed_in.iter().copied().eq(feed_in), "{:?}", tariffs.feed_in);
}

#[test]
fn prices_by_time_are_judged_where_they_hold() {
    let built = |rows: &str| {
        let text = r#"Scenario(
            name: "prices",
            market: (
                calendar: (start: "2016-06-30", zone: "Europe/Berlin", days: 1),
                grid_tariff: Csv("prices.csv"), feed_in_tariff: 0.1,
            ),
            population: Synthetic(count: 2),
        )"#;
        let data = format!("time,price_per_kwh\n{rows}");
        let built = Simulation::builder().ron(text).data("prices.csv", data).build();
        built.map(|simulation| only_case(simulation.plan()).tariffs.grid.to_vec()).map_err(|error| error.to_string())
    };
    // Before the run and behind it a price may be as it is.
    let fine = "2016-06-29T00:00Z,-0.2\n2016-06-29T22:00Z,0.3\n2016-06-30T10:00Z,0.4\n2016-06-30T22:00Z,-0.2\n";
    let prices: Vec<f64> = (0..24).map(|hour| if hour < 12 { 0.3 } else { 0.4 }).collect();
    assert_eq!(built(fine), Ok(prices));
    for (rows, line, problem) in [
        ("2016-06-29T22:00Z,0.3\n2016-06-30T21:00Z,-0.2\n", 3, "the grid would pay more than it asks"),
        ("2016-06-29T21:00Z,-0.2\n2016-06-29T23:00Z,0.3\n", 2, "the grid would pay more than it asks"),
        ("2016-06-29T22:00Z,0.3\n2016-06-30T10:30Z,0.4\n", 3, "a price begins within a slot"),
        ("2016-06-29T22:00Z,0.3\n2016-06-29T22:00Z,0.4\n", 3, "comes before the row above, or with it"),
        ("2016-06-29T23:00Z,0.3\n2016-06-30T10:00Z,0.4\n", 2, "the run begins before the first price"),
        ("2016-06-29T22:00Z,0.3\n2016-06-29T23:00Z,0.4\n", 1, "there is no price for 2016-06-30T02:00:00+02:00"),
        ("2016-06-29T22:00Z,99999\n", 2, "not allowed"),
    ] {
        let told = built(rows).unwrap_err();
        assert!(told.contains(problem) && told.contains(&format!("prices.csv:{line}:")), "{rows}: {told}");
    }
}

/// Runs a plan whose chain verifies; shows its ledger.
fn verified(plan: &Plan, look: impl FnOnce(&Connection)) {
    let root = tempfile::tempdir().unwrap();
    let ledger = recorded(plan, root.path()).join(schema::FILE);
    verify(&ledger, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    look(&Connection::open(Path::new(&ledger)).unwrap());
}

/// What some numbers of a ledger add up to.
fn total(ledger: &Connection, query: &str) -> i64 {
    ledger.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or_default()
}

#[test]
fn groups_fees_and_imbalance_are_exact_under_every_mechanism_and_verify() {
    for mechanism in MECHANISMS {
        let plan = Community::with_everything(mechanism).plan();
        let case = only_case(&plan);
        let log = run(&case);
        assert_conserved(&log, 96, 5);
        let [mut count, mut fees, mut of_grid] = [0; 3];
        for (slot, trade) in trades(&log) {
            let band = case.tariffs.tariff(slot).band(FEES[0] + FEES[1]);
            assert!(band.floor == 0.10 && band.ceiling == 0.28 - (FEES[0] + FEES[1]), "{band:?}");
            let shared = mechanism == "BillSharing";
            assert!(if shared { trade.price == 0.0 } else { band.contains(trade.price) }, "{mechanism}: {trade:?}");
            assert_eq!(trade.fee, trade.energy.at_price(FEES[0] + FEES[1]));
            count += 1;
            fees += trade.fee.0;
            of_grid += trade.energy.at_price(FEES[1]).0;
        }
        assert!(count > 0, "{mechanism}: nobody trades");
        assert_own_tariffs(&log, &case);
        verified(&plan, |ledger| {
            let sum = |column: &str, view: &str| total(ledger, &format!("SELECT sum({column}) FROM {view}"));
            let earned = [sum("grid_fees_micro_cny", "grid_fees"), sum("fees_micro_cny", "fees")];
            assert_eq!(earned, [of_grid, fees - of_grid], "{mechanism}");
            let beside = ["short", "long"].map(|side| sum(&format!("{side}_micro_kwh"), "imbalances"));
            let metered = log.prosumers().map(|done| [done.balance.short.0, done.balance.long.0]);
            assert_eq!(beside, metered.fold([0; 2], |[a, b], [c, d]| [a + c, b + d]), "{mechanism}");
            let paid = total(ledger, "SELECT sum(fee_micro_cny) FROM accounts");
            assert_eq!(paid, fees, "{mechanism}: what buyers pay is what operator and grid have");
        });
    }
}

/// Holds everybody to its own tariffs, and what was not foreseen to the prices of imbalance.
fn assert_own_tariffs(log: &Log, case: &microgrid_sim::scenario::Case) {
    let [mut short, mut long] = [Energy::ZERO; 2];
    for done in log.prosumers() {
        let member = &case.population.prosumers[done.prosumer.index()];
        let place = done.slot as usize - 1;
        let rates = case.tariffs.of_group(member.group.as_deref());
        let balance = &done.balance;
        let paid = balance.grid_import.at_price(rates.grid[place]) + balance.short.at_price(0.41);
        let earned = balance.grid_export.at_price(rates.feed_in[place]) + balance.long.at_price(0.05);
        assert_eq!((balance.grid_paid, balance.grid_earned), (paid, earned), "{done:?}");
        assert!(balance.short == Energy::ZERO || balance.long == Energy::ZERO, "{done:?}");
        short += balance.short;
        long += balance.long;
        // Meters read the profile, whatever was foreseen.
        let profile = member.profile.slot(done.slot);
        assert_eq!((done.metered.generation, done.metered.load), (profile.generation, profile.load));
    }
    assert!(short > Energy::ZERO && long > Energy::ZERO, "forecasts err");
}

#[test]
fn imbalance_costs_what_the_scenario_says_it_does() {
    let mut community = Community::new();
    community.market += ", imbalance: (short: 0.40, long: 0.05)";
    community.members = "name,load_profile,load_kwh_per_year\nonly,evening,5000\n".to_owned();
    community.of += ", forecast_error: (load: 0.5)";
    community.more = "preferences: (demand: Firm, alpha: 0.4, preference_pv: 1.5, preference_grid: 1.2),".to_owned();
    let case = only_case(&community.plan());
    let profile = &case.population.prosumers[0].profile;
    let log = run(&case);
    let [mut more, mut less] = [0; 2];
    for done in log.prosumers() {
        let (foreseen, metered) = (profile.foreseen(done.slot).load, profile.slot(done.slot).load);
        let (short, long) = ((metered - foreseen).or_zero(), (foreseen - metered).or_zero());
        let balance = &done.balance;
        assert_eq!((balance.grid_import, balance.short, balance.long), (foreseen, short, long));
        assert_eq!(balance.consumed, metered);
        let [paid, earned] = [foreseen.value() * 0.30 + short.value() * 0.40, long.value() * 0.05].map(Money::nearest);
        let close = |one: Money, other: Money| (one - other).0.abs() <= 1;
        assert!(close(balance.grid_paid, paid) && close(balance.grid_earned, earned), "{balance:?}");
        // 0.4 CNY/kWh² in an hour are 1.6 in a quarter.
        // Who foresees that it needs nothing, is no buyer.
        let preference = if foreseen == Energy::ZERO { 1.5 * 1.2 } else { 1.2 };
        let worth = preference * metered.value() - 0.8 * metered.value().powi(2);
        let welfare = worth - balance.grid_paid.value() + balance.grid_earned.value();
        assert!((balance.welfare - welfare).abs() < 1e-9, "{balance:?} is not worth {welfare}");
        more += u32::from(short > Energy::ZERO);
        less += u32::from(long > Energy::ZERO);
    }
    assert!(more > 20 && less > 20, "{more} slots with more than foreseen, {less} with less");
}

#[test]
fn key_figures_go_by_what_flows_through_meters() {
    let mut community = Community::with_everything("TwoLevelGame");
    community.of = "unit: Share, forecast_error: (generation: 1.0, load: 1.0)".to_owned();
    community.market += r#", co2: Constant(400)"#;
    let case = community.simulation().run().unwrap().cases.remove(0);
    let [mut generated, mut consumed, mut kept, mut own, mut drawn] = [0.0; 5];
    for slot in 1..=96 {
        let [mut of_sun, mut used, mut from_grid, mut into_grid] = [0.0; 4];
        for row in case.prosumers.iter().filter(|row| row.slot == slot) {
            let [import, export] = [row.grid_import_kwh.value(), row.grid_export_kwh.value()];
            assert!(import == 0.0 || export == 0.0, "{row:?}");
            let came = row.pv_kwh.value() + row.bought_kwh.value() + row.discharged_kwh.value() + import;
            let went = row.consumed_kwh.value() + row.sold_kwh.value() + row.charged_kwh.value() + export;
            assert!((came - went).abs() < 1e-9, "{row:?}");
            of_sun += row.pv_kwh.value();
            used += row.consumed_kwh.value();
            from_grid += import;
            into_grid += export;
        }
        generated += of_sun;
        consumed += used;
        kept += of_sun - into_grid.min(of_sun);
        own += used - from_grid.min(used);
        drawn += from_grid;
    }
    let figures = &case.key_figures;
    let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
    assert!(close(figures.self_consumption, kept / generated) && kept > 0.0, "{figures:?}");
    assert!(close(figures.self_sufficiency, own / consumed) && own > 0.0, "{figures:?}");
    assert!(close(figures.co2_kg, 0.4 * drawn), "{figures:?}");
    let beside: f64 = case.slots.iter().map(|row| row.short_kwh.value() + row.long_kwh.value()).sum();
    assert!(beside > 1.0, "forecasts err");
}

#[test]
fn prices_below_nothing_trade_and_verify_but_for_the_ratio() {
    for (feed_in, grid) in [(-0.05, 0.06), (-0.30, -0.02)] {
        for mechanism in MECHANISMS {
            let mut community = Community::new();
            community.market = format!(
                r#"mechanism: {mechanism}, calendar: (start: "2016-06-01", zone: "Europe/Berlin", days: 1, slot_length: "15min"),
                   open: "11:30-12:00", gate_closure: "3min", grid_tariff: {grid}, feed_in_tariff: {feed_in}"#
            );
            if mechanism == "SupplyDemandRatio" {
                let error = community.built().unwrap_err().to_string();
                assert!(error.contains("market.mechanism") && error.contains("no price below 0"), "{error}");
                continue;
            }
            let plan = community.plan();
            let log = run(&only_case(&plan));
            assert_conserved(&log, 96, 5);
            assert!(trades(&log).count() > 0, "{mechanism} from {feed_in} to {grid}: nobody trades");
            for (_, trade) in trades(&log) {
                let fits = if mechanism == "BillSharing" {
                    trade.price == 0.0
                } else {
                    (feed_in..=grid).contains(&trade.price)
                };
                assert!(fits, "{mechanism} from {feed_in} to {grid}: {trade:?}");
            }
            verified(&plan, |ledger| assert!(total(ledger, "SELECT count(*) FROM bills") > 0));
        }
    }
}

#[test]
fn who_has_no_generation_needs_no_zeros_and_names_are_kept_in_any_script() {
    let plan = Community::new().plan();
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(&plan, root.path());
    let mut reader = csv::Reader::from_path(folder.join("prosumers.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let place = |column: &str| headers.iter().position(|name| name == column).unwrap();
    let (name, pv, slot, charged) = (place("name"), place("pv_kwh"), place("slot"), place("charged_kwh"));
    let names = ["Müller, Anna", "王小明", "סלמה", "Zähler Ø-07", "дом 5"];
    let mut stored = 0.0;
    for (n, row) in reader.records().enumerate() {
        let row = row.unwrap();
        assert_eq!((&row[name], row[slot].parse()), (names[n % 5], Ok(n / 5 + 1)));
        let generates = [0, 3].contains(&(n % 5)) && quarter(n / 5)[2] > 0.0;
        assert_eq!(row[pv].parse::<f64>().unwrap() > 0.0, generates, "{row:?}");
        let kwh: f64 = row[charged].parse().unwrap();
        assert!(kwh == 0.0 || n % 5 == 0, "only the first has a battery: {row:?}");
        stored += kwh;
    }
    assert!(stored > 0.0, "the battery is charged");
    let trades = fs::read_to_string(folder.join("trades.csv")).unwrap();
    assert!(trades.contains("\"Müller, Anna\"") && trades.contains("王小明"), "{trades}");
    assert!(trades.contains("2016-06-01T11:45:00+02:00"), "{trades}");
}
