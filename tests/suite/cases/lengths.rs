//! The same day in slots of any length: the same energies, prices and welfare.

use super::{
    given::{Given, Played, name, sum},
    theory::{Market, Settled},
};
use crate::support::repository;
use microgrid_sim::scenario::Case;
use rayon::prelude::*;
use std::{collections::BTreeMap, fs};

/// What a day comes to [kWh, CNY/kWh, CNY].
#[derive(Clone, Copy, Debug)]
struct Day {
    consumed: f64,
    imported: f64,
    traded: f64,
    price: f64,
    welfare: f64,
}

impl Day {
    fn assert_close(self, other: Self, tolerance: f64, what: &str) {
        let all = |day: Self| [day.consumed, day.imported, day.traded, day.price, day.welfare];
        for (found, right) in all(self).into_iter().zip(all(other)) {
            assert!((found - right).abs() <= tolerance * right.abs(), "{what}: {self:?} is not {other:?}");
        }
    }

    /// By theory: every open slot at its closed form, all others with the grid alone.
    fn at_the_closed_form(case: &Case) -> Self {
        let [mut consumed, mut imported, mut traded, mut paid, mut welfare] = [0.0; 5];
        for slot in 1..=case.scenario.market.slots {
            let everybody = Market::of(case, slot);
            // Where it is closed, nobody sells.
            let clearing = everybody.clearing().filter(|_| case.open.contains(slot));
            let slots: Vec<Settled> = match &clearing {
                Some(_) => everybody.settled(case),
                None => everybody.alone(case),
            };
            consumed += slots.iter().map(|slot| slot.consumed).sum::<f64>();
            imported += slots.iter().map(|slot| slot.import).sum::<f64>();
            welfare += slots.iter().map(|slot| slot.welfare).sum::<f64>();
            if let Some(clearing) = clearing {
                traded += clearing.traded;
                paid += clearing.traded * clearing.prices[1];
            }
        }
        Self { consumed, imported, traded, price: paid / traded, welfare }
    }

    /// By the program.
    fn played(played: &Played, case: &Case) -> Self {
        let slots = played.table("slots.csv");
        let slots: Vec<_> = slots.into_iter().filter(|row| row.count("case") == case.number).collect();
        let trades = slots.iter().filter_map(|row| Some((row.maybe(name::MEAN_PRICE)?, row.number("traded_kwh"))));
        let paid: f64 = trades.map(|(price, traded)| price * traded).sum();
        let traded = sum(&slots, "traded_kwh");
        Self {
            consumed: sum(&slots, name::CONSUMPTION),
            imported: sum(&slots, "grid_import_kwh"),
            traded,
            price: paid / traded,
            welfare: sum(&slots, "welfare_cny"),
        }
    }
}

/// Runs a day and holds it against theory; returns what each case comes to. All slots with a market settle.
fn day(given: &Given) -> Vec<Day> {
    let played = given.run();
    for row in played.open_slots() {
        let settled = ["Equilibrium", "NoMarket"].contains(&row.text(name::OUTCOME));
        assert!(settled, "case {}, slot {}: {}", row.text("case"), row.text("slot"), row.text(name::OUTCOME));
    }
    let days = played.cases.iter().map(|case| {
        let day = Day::played(&played, case);
        let what = format!("{:?} in slots of {:?}", case.knobs, case.scenario.market.slot_length);
        day.assert_close(Day::at_the_closed_form(case), 0.002, &what);
        let loads = case.population.prosumers.iter().flat_map(|member| member.profile.iter());
        let load: f64 = loads.map(|profile| profile.load.value()).sum();
        let slots = played.table("slots.csv").into_iter().filter(|row| row.count("case") == case.number);
        assert!((sum(&slots.collect::<Vec<_>>(), name::LOAD) / load - 1.0).abs() < 1e-9, "{what}");
        day
    });
    days.collect()
}

/// Profiles and tariffs, each slot of which is divided into so many.
fn divided(csv: &str, parts: u32) -> String {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut text = header.join(",") + "\n";
    for line in lines {
        let cells: BTreeMap<&str, f64> =
            header.iter().copied().zip(line.split(',').map(|cell| cell.parse().unwrap())).collect();
        for part in 1..=parts {
            let cell = |name: &&str| match *name {
                "slot" => (cells["slot"] - 1.0) * f64::from(parts) + f64::from(part),
                "pv_kwh" | "load_kwh" => cells[*name] / f64::from(parts),
                _ => cells[*name],
            };
            text += &header.iter().map(|name| cell(name).to_string()).collect::<Vec<_>>().join(",");
            text += "\n";
        }
    }
    text
}

/// How slots of so many minutes are played: their length, when their gate closes and how often everybody acts.
fn slots_of(minutes: u32) -> String {
    let gate = 54 * minutes;
    format!("slot_length: \"{minutes}min\", gate_closure: \"{gate}s\"")
}

/// How often everybody acts: often enough for short slots.
fn activation(minutes: u32) -> String {
    format!("activation: LockStep(period: \"{}ms\")", if minutes < 15 { 200 } else { 1000 })
}

#[test]
fn the_published_day_is_the_same_in_short_slots() {
    let data = |file: &str| fs::read_to_string(repository("scenarios/data").join(file)).unwrap();
    let given = |minutes: u32| {
        let parts = 60 / minutes;
        let market = format!(
            "slots: {}, open: ({}, {}), {}, grid_tariff: Csv(\"tariff.csv\")",
            24 * parts,
            7 * parts + 1,
            20 * parts,
            slots_of(minutes)
        );
        let fields = format!("vary: {{\"mu\": [0.0, 1.0]}}, record: Slots, {}", activation(minutes));
        let given = Given::day::<Vec<_>>(&[], &market, &fields);
        given
            .and("p.csv", &divided(&data("5_prosumers.csv"), parts))
            .and("tariff.csv", &divided(&data("tariff.csv"), parts))
    };
    let days: Vec<_> = [60, 15, 5].into_par_iter().map(|minutes| day(&given(minutes))).collect();
    for shorter in &days[1..] {
        for (mu, (shorter, hourly)) in shorter.iter().zip(&days[0]).enumerate() {
            shorter.assert_close(*hourly, 0.005, &format!("mu = {mu}"));
        }
    }
}

#[test]
fn a_day_of_constant_power_is_the_same_in_slots_of_any_length() {
    // Every two hours, from night to noon and back: two with much photovoltaics, two with some, four with little.
    let blocks: Vec<Vec<[f64; 4]>> = (0..12)
        .map(|block| {
            let sun = (f64::from(block - 2) / 8.0 * std::f64::consts::PI).sin().max(0.0);
            let prosumer = |n: i32| {
                let load = 2.0 + 0.5 * f64::from((3 * n + block) % 5);
                let pv = (sun * [18.0, 14.0, 9.0, 7.0, 2.0, 1.0, 0.0, 0.5][n as usize] * 1e3).round() / 1e3;
                [pv, load, 1.6 + 0.1 * f64::from((n + 2 * block) % 6), 1.2 + 0.1 * f64::from(n % 4)]
            };
            (0..8).map(prosumer).collect()
        })
        .collect();
    let given = |minutes: u32, demand: &str| {
        let parts = 120 / minutes;
        let market = format!("slots: {}, open: ({}, {}), {}", 12 * parts, 3 * parts + 1, 10 * parts, slots_of(minutes));
        let fields = format!("preferences: (demand: {demand}), record: Slots, {}", activation(minutes));
        let given = Given::day(&blocks, &market, &fields);
        let longest = super::given::profiles(&blocks);
        given.and("p.csv", &divided(&longest, parts))
    };
    for demand in ["Elastic", "Firm"] {
        let days: Vec<_> = [120, 60, 15, 5].into_par_iter().map(|minutes| day(&given(minutes, demand))[0]).collect();
        for shorter in &days[1..] {
            shorter.assert_close(days[0], 0.005, demand);
        }
    }
}

#[test]
fn a_synthetic_population_consumes_the_same_in_slots_of_any_length() {
    let [hourly, quarters] = ["one_hour.ron", "scenario.ron"].map(|file| Given::file("quarter_hour_synthetic", file));
    let [hourly, quarters] = [hourly, quarters].map(|given| day(&given)[0]);
    assert!(
        (hourly.consumed / 1838.0 - 1.0).abs() < 1e-3 && (hourly.imported / 516.0 - 1.0).abs() < 2e-3,
        "{hourly:?}"
    );
    // Each slot draws weather and loads of its own.
    assert!((quarters.consumed / 1838.0 - 1.0).abs() < 0.02, "{quarters:?}");
    assert!((quarters.imported / 516.0 - 1.0).abs() < 0.02, "{quarters:?}");
}

#[test]
fn other_synthetic_days_do_not_depend_on_the_length_of_slots_either() {
    let given = |minutes: u32, fields: &str| {
        let per_day = 24 * 60 / minutes;
        let open = format!("({}, {})", 6 * per_day / 24 + 1, 20 * per_day / 24);
        Given::day::<Vec<_>>(&[], &format!("slots: {per_day}, open: {open}, {}", slots_of(minutes)), fields)
            .with("Profiles(\"p.csv\")", "Synthetic(count: 30, weather: Constant(0.8), load_noise: Constant(1))")
            .field(&activation(minutes))
            .field("record: Slots")
    };
    for fields in ["preferences: (demand: Elastic)", "preferences: (demand: Firm), seed: 7"] {
        let lengths = [60, 120, 15, 5];
        let days: Vec<_> = lengths.into_par_iter().map(|minutes| day(&given(minutes, fields))[0]).collect();
        // Sun and loads are those of the middle of a slot.
        for (minutes, other) in lengths.iter().zip(&days).skip(1) {
            let close = |found: f64, right: f64| (found / right - 1.0).abs() < 0.02;
            let alike = close(other.consumed, days[0].consumed) && close(other.imported, days[0].imported);
            assert!(alike, "slots of {minutes} minutes: {other:?}, by the hour {:?}", days[0]);
        }
    }
}
