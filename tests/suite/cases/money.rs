//! Who gets what, what it is worth, and sums of it.

use super::{
    given::{Given, Played, name, sum},
    theory::{Market, Trades},
};
use crate::support::{sim, stdout};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What each prosumer bought in each slot [1e-6 kWh].
fn bought(played: &Played) -> BTreeMap<[u32; 2], i64> {
    let rows = played.table("prosumers.csv");
    let units = |energy: f64| (1e6 * energy).round() as i64;
    rows.iter().map(|row| (row.counts(["slot", "prosumer"]), units(row.number("bought_kwh")))).collect()
}

/// One slot of firm demand, at the tariff from the first price on: sellers of so much each [kWh], buyers that need so
/// much each [kWh].
fn rationed(sellers: &[f64], buyers: &[f64]) -> Given {
    let prosumers: Vec<[f64; 4]> = sellers
        .iter()
        .map(|surplus| [*surplus, 0.0, 1.6, 1.3])
        .chain(buyers.iter().map(|need| [0.0, *need, 4.0, 1.5]))
        .collect();
    let learning = format!("learning: (initial_price: Fixed({:?}))", vec![0.85; sellers.len()]);
    Given::slot(&prosumers, "", &format!("preferences: (demand: Firm), {learning}"))
}

/// Everybody's total is its part of the surplus, in proportion to its need, to the unit.
fn assert_fair(sellers: &[f64], buyers: &[f64]) {
    let played = rationed(sellers, buyers).run();
    let units = |energy: &f64| (1e6 * energy).round();
    let (surplus, need): (f64, f64) = (sellers.iter().map(units).sum(), buyers.iter().map(units).sum());
    let bought = bought(&played);
    for (number, own) in (sellers.len() as u32 + 1..).zip(buyers) {
        let (found, right) = (bought[&[1, number]] as f64, units(own) * (surplus / need).min(1.0));
        // Last digits of prices and shares are not exact, so neither is the part.
        assert!((found - right).abs() < 1.0 + 1e-3, "{number} of {} gets {found}, not {right}", buyers.len());
        assert!(found <= units(own), "{number} gets more than it needs");
    }
    assert_eq!(bought.values().sum::<i64>() as f64, surplus.min(need));
}

#[test]
fn equal_buyers_get_the_same_to_the_unit() {
    assert_fair(&[0.010_001; 400], &[2.0; 3]);
    assert_fair(&[0.300_007; 11], &[1.0; 7]);
    assert_fair(&[0.7, 0.000_001, 1.300_003, 0.020_05], &[1.0, 2.0, 0.5, 1.0, 0.000_007]);
    assert_fair(&[0.100_003; 90], &[0.4, 0.3, 0.7]);
}

#[test]
fn a_firm_buyer_gets_all_that_it_needs_in_a_glut_and_no_more() {
    for (sellers, buyers) in [(&[0.100_003; 90][..], &[1.000_001; 5][..]), (&[1.7, 0.9, 2.300_001], &[0.333_333; 7])] {
        let played = rationed(sellers, buyers).with("0.85, 0.85", "0.85, 0.84").run();
        let bought = bought(&played);
        for (number, need) in (sellers.len() as u32 + 1..).zip(buyers) {
            assert_eq!(bought[&[1, number]], (1e6 * need).round() as i64, "buyer {number}");
        }
    }
}

#[test]
fn low_numbers_have_no_advantage() {
    // Two million units and two for three equal buyers: one of them gets one unit more.
    let slot = [
        [1.2, 0.0, 1.6, 1.3],
        [0.800_002, 0.0, 1.6, 1.3],
        [0.0, 2.0, 4.0, 1.5],
        [0.0, 2.0, 4.0, 1.5],
        [0.0, 2.0, 4.0, 1.5],
    ];
    let fields = "preferences: (demand: Firm), learning: (initial_price: Fixed([0.85, 0.85]))";
    let played = Given::day(&[slot; 90], "slots: 90, open: (1, 90)", fields).run();
    let bought = bought(&played);
    let favoured = |number: u32| (1..=90).filter(|slot| bought[&[*slot, number]] == 666_668).count();
    let counts = [3, 4, 5].map(favoured);
    assert_eq!(counts.iter().sum::<usize>(), 90, "{counts:?}");
    // Thirty each on average, with a standard deviation of 4.5.
    assert!(counts.iter().all(|count| (15..=45).contains(count)), "{counts:?}");
}

/// Ninety-three thousand slots of prosumers that exchange a hundred million CNY each with the grid: so much in all, by the
/// key figures and by the ledger, where the grid has received it or paid it.
fn assert_grid(given: &Given, money: &str, received: f64) {
    let right = 93.0 * 1000.0 * 1e4 * 1e4;
    let played = given.run();
    let figures = &played.key_figures()[0];
    let close = |found: f64, right: f64| (found / right - 1.0).abs() < 1e-9;
    assert!(close(figures["totals"][money].as_f64().unwrap(), right), "{}", figures["totals"][money]);
    for cost in ["net_cost_cny", "p2g_net_cost_cny"] {
        let cost = &figures["all_slots"][cost];
        assert!(close(cost.as_f64().unwrap(), received * right), "{cost}");
    }
    let shown = stdout(&mut sim(&played.run, "ledger show ."));
    let last = |line: &str| line.split_whitespace().last().unwrap().parse::<f64>().unwrap();
    let [grid, sum] = ["grid ", "sum "].map(|name| last(shown.lines().find(|line| line.starts_with(name)).unwrap()));
    assert!(close(grid, received * right) && sum == 0.0, "{grid}, {sum}");
}

#[test]
fn sums_of_money_do_not_wrap_around() {
    let paid = Given::case("overflow_totals").with("record: Summary", "record: Full").with("slots: 120", "slots: 93");
    assert_grid(&paid, "paid_cny", 1.0);
}

#[test]
fn sums_of_earnings_do_not_wrap_around_either() {
    let tariffs = "slots: 930, open: (1, 1), feed_in_tariff: 10000, grid_tariff: Constant(10000)";
    assert_grid(&Given::day(&[[[1e4, 0.0, 1.6, 1.3]; 100]; 930], tariffs, ""), "earned_cny", -1.0);
}

/// Runs a scenario of one slot without storages, and gives its loss of welfare by the program and by its definition.
fn welfare_loss(given: &Given) -> [f64; 2] {
    let played = given.run();
    let case = &played.cases[0];
    let welfare = sum(&played.table("prosumers.csv"), "welfare_cny");
    let best: f64 = Market::of(case, 1).settled(case).iter().map(|slot| slot.welfare).sum();
    [played.open_slots()[0].number("welfare_loss"), (best - welfare) / best.abs()]
}

#[test]
fn lost_welfare_is_a_loss_where_welfare_is_negative_too() {
    // As given, nobody is heard before the gate closes: there is no market, and what it could have brought is lost.
    let given = Given::case("welfare_loss_sign");
    assert_eq!(given.run().open_slots()[0].text(name::OUTCOME), "NoMarket");
    let [found, right] = welfare_loss(&given);
    assert!(right > 0.005 && (found - right).abs() < 1e-5, "{found} is not {right}");
    // With the curvature of an hour in two minutes, and where all are heard once and never again, all is lost.
    let heard =
        given.with("demand: Firm", "demand: Firm, alpha: 0.013333333333333334").with(", network: (loss: 0.95)", "");
    let cut = r#"network: (conditions: [(at: "300ms", lasting: "25s", what: Partition(from: Prosumers, to: Ledger))])"#;
    let [found, right] = welfare_loss(&heard.clone().field(cut));
    assert!((right - 1.0927).abs() < 1e-4 && (found - right).abs() < 1e-5, "{found} is not {right}");
    // The gate closes soon after everybody is heard: something is traded, and not at the closed form.
    let signs = [
        heard.clone().with("20s", "3s"),
        heard.clone().with("20s", "6s").with("4,1,3,1", "4,1,2,1"),
        heard.with("20s", "3s").with("2,1,0,14", "2,1,0,4").with("0.5,12", "0.5,3"),
    ]
    .map(|given| {
        let [found, right] = welfare_loss(&given);
        assert!((found - right).abs() < 1e-5, "{found} is not {right}");
        let case = given.load().unwrap().cases().next().unwrap();
        Market::of(&case, 1).settled(&case).iter().map(|slot| slot.welfare).sum::<f64>() < 0.0
    });
    assert_eq!(signs, [true, true, false]);
}

/// Prosumers that are worse off, by the least difference that counts [CNY].
#[derive(Default)]
struct WorseOff {
    slots: usize,
    prosumers: usize,
}

/// Runs a scenario and holds money, storages and baselines of every prosumer's slot against theory, and all sums of
/// them; returns the key figures of each case.
fn assert_accounts(given: &Given) -> Vec<serde_json::Value> {
    let played = given.run();
    let rows = played.table("prosumers.csv");
    let mut payments: BTreeMap<[u32; 3], [f64; 2]> = BTreeMap::new();
    for row in played.table("trades.csv") {
        let [case, slot, buyer, seller] = row.counts(["case", "slot", "buyer", "seller"]);
        let [payment, fee] = ["payment_cny", "fee_cny"].map(|column| row.number(column));
        payments.entry([case, slot, buyer]).or_default()[0] += payment + fee;
        payments.entry([case, slot, seller]).or_default()[1] += payment;
    }
    let slots = played.table("slots.csv");
    let figures = played.key_figures();
    for case in &played.cases {
        let initial = case.scenario.storage.as_ref().map(|storage| storage.initial_kwh);
        let markets: Vec<Market> = (1..=case.scenario.market.slots).map(|slot| Market::of(case, slot)).collect();
        let mut contents: BTreeMap<u32, [Option<f64>; 2]> = BTreeMap::new();
        // Welfare with the market, with devices alone and with the grid alone.
        let mut of_prosumers: BTreeMap<u32, [f64; 3]> = BTreeMap::new();
        let mut of_slots: BTreeMap<u32, [f64; 3]> = BTreeMap::new();
        let [mut at_least, mut at_most] = [WorseOff::default(), WorseOff::default()];
        for row in rows.iter().filter(|row| row.count("case") == case.number) {
            let [slot, number] = row.counts(["slot", "prosumer"]);
            let what = format!("case {}, slot {slot}, prosumer {number}", case.number);
            let market = &markets[slot as usize - 1];
            let prosumer = market.prosumers.iter().find(|prosumer| prosumer.number == number).unwrap();
            let [paid, earned] = payments.get(&[case.number, slot, number]).copied().unwrap_or_default();
            let trades = Trades { bought: row.number("bought_kwh"), sold: row.number("sold_kwh"), paid, earned };
            let [content, alone] = contents.entry(number).or_insert([initial; 2]);
            let local = market.settle(case, prosumer, prosumer.local, trades, *content);
            let devices = market.settle(case, prosumer, prosumer.without, Trades::default(), *alone);
            let grid = market.settle(case, prosumer, prosumer.without, Trades::default(), None);
            (*content, *alone) = (content.map(|_| local.content), alone.map(|_| devices.content));
            for (column, right) in [
                ("welfare_cny", local.welfare),
                (name::DEVICES_ALONE, devices.welfare),
                ("p2g_welfare_cny", grid.welfare),
                ("soc_kwh", local.content),
                ("grid_import_kwh", local.import),
                ("grid_export_kwh", local.export),
            ] {
                let found = row.number(column);
                // Amounts are rounded to whole units in every slot.
                assert!((found - right).abs() < 1e-4, "{what}, {column}: {found} is not {right}");
            }
            let welfare = [local, devices, grid].map(|settled| settled.welfare);
            for sums in [of_prosumers.entry(number).or_default(), of_slots.entry(slot).or_default()] {
                sums.iter_mut().zip(welfare).for_each(|(sum, welfare)| *sum += welfare);
            }
            at_least.slots += usize::from(welfare[0] < welfare[1] - 1e-4);
            at_most.slots += usize::from(welfare[0] < welfare[1] + 1e-5);
        }
        let value = |content: Option<f64>| {
            let storage = case.scenario.storage.as_ref().zip(content);
            storage.map_or(0.0, |(storage, content)| {
                case.tariffs.feed_in.last().unwrap() * storage.efficiency * (content - storage.initial_kwh)
            })
        };
        // Over the run, what storages hold counts as well.
        let gains = of_prosumers.iter().map(|(number, [local, devices, _])| {
            let [content, alone] = contents[number];
            local + value(content) - devices - value(alone)
        });
        let gains: Vec<f64> = gains.collect();
        for gain in &gains {
            at_least.prosumers += usize::from(*gain < -1e-3);
            at_most.prosumers += usize::from(*gain < 1e-4);
        }
        let figures = &figures[case.number as usize - 1]["all_slots"];
        let figure = |field: &str| {
            // What is undefined without a storage is nothing.
            figures.get(field).unwrap_or_else(|| panic!("there is no {field}")).as_f64().unwrap_or(0.0)
        };
        let all = of_slots.values().fold([0.0; 3], |sums, slot| [0, 1, 2].map(|n| sums[n] + slot[n]));
        let held = |which: usize| contents.values().map(|contents| value(contents[which])).sum::<f64>();
        for (field, right) in [
            (name::DEVICES_ALONE, all[1]),
            (name::DEVICES_GAIN, all[1] - all[2]),
            (name::MARKET_GAIN, all[0] - all[1]),
            (name::STORAGE_VALUE, held(0)),
            (name::STORAGE_VALUE_ALONE, held(1)),
        ] {
            assert!((figure(field) - right).abs() < 1e-2, "{field}: {} is not {right}", figure(field));
        }
        let counted = |field: &str, least: usize, most: usize| {
            let count = figure(field) as usize;
            assert!((least..=most).contains(&count), "{field}: {count} is not from {least} to {most}");
        };
        let gained: Vec<f64> = gains.iter().map(|gain| gain.max(0.0)).filter(|gain| *gain > 1e-3).collect();
        let fairness = (!gained.is_empty()).then(|| {
            gained.iter().sum::<f64>().powi(2) / gained.iter().map(|gain| gain * gain).sum::<f64>() / gains.len() as f64
        });
        let close = figures[name::FAIRNESS].as_f64().zip(fairness).map(|(found, right)| (found - right).abs() < 1e-3);
        assert!(close.unwrap_or(fairness.is_none()), "{}, not {fairness:?}", figures[name::FAIRNESS]);
        counted(name::WORSE_OFF_SLOTS, at_least.slots, at_most.slots);
        counted(name::WORSE_OFF_PROSUMERS, at_least.prosumers, at_most.prosumers);
        let slots = slots.iter().filter(|row| row.count("case") == case.number);
        let in_slots = slots.map(|row| {
            let right = of_slots[&row.count("slot")][1];
            assert!((row.number(name::DEVICES_ALONE) - right).abs() < 1e-2, "slot {}", row.text("slot"));
            row.number(name::WORSE_OFF)
        });
        assert_eq!(in_slots.sum::<f64>(), figure(name::WORSE_OFF_SLOTS));
    }
    (0..played.cases.len()).map(|case| figures[case]["all_slots"].clone()).collect()
}

#[test]
fn content_of_storages_is_no_gift() {
    let given = Given::case("initial_content_free");
    let figures = &assert_accounts(&given)[0];
    let figure = |field: &str| figures[field].as_f64().unwrap();
    // Five kWh that cost 0.85 each; they would have been worth 0.45 to the grid. No market, no gain of it.
    assert!((figure(name::DEVICES_GAIN) - 4.25).abs() < 1e-6 && figure(name::MARKET_GAIN).abs() < 1e-6);
    assert!((figure(name::STORAGE_VALUE) + 2.25).abs() < 1e-6, "{}", figure(name::STORAGE_VALUE));
    let half = given.clone().with("efficiency: 1.0, initial_kwh: 10", "efficiency: 0.9, initial_kwh: 5");
    let short = given.with("initial_kwh: 10", "initial_kwh: 1.5");
    // Charged at noon, used up in part; with a market and without; two hours and a quarter of an hour.
    let day = |open: &str, length: &str, gate: &str| {
        let noon = [[6.0, 1.0, 1.7, 1.4], [3.0, 0.5, 1.7, 1.4], [0.2, 2.0, 1.9, 1.4], [0.0, 3.0, 1.8, 1.4]];
        let evening = [[0.0, 1.5, 1.7, 1.4], [0.0, 1.0, 1.7, 1.4], [0.2, 2.0, 1.9, 1.4], [4.0, 1.0, 1.8, 1.4]];
        let market = format!("slots: 4, open: {open}, slot_length: \"{length}\", gate_closure: \"{gate}\"");
        let storage = "storage: (capacity_kwh: 4, power_kw: 2, efficiency: 0.95, initial_kwh: 0.5)";
        Given::day(&[noon, evening, noon, noon], &market, storage)
    };
    let days = [day("(1, 4)", "2h", "55min"), day("(4, 4)", "1h", "55min"), day("(1, 4)", "15min", "14min")];
    [half, short].into_par_iter().chain(days).for_each(|given| drop(assert_accounts(&given)));
}

#[test]
fn who_ends_below_its_own_devices_alone_is_counted() {
    let given = Given::case("storage_ir");
    let worse = |figures: &serde_json::Value| figures[name::WORSE_OFF_SLOTS].as_u64().unwrap();
    assert!(worse(&assert_accounts(&given)[0]) > 0, "storages shift gains between slots");
    let without = given
        .clone()
        .with("storage: (capacity_kwh: 3, power_kw: 1.5, efficiency: 0.9, initial_kwh: 0.7)", "storage: None");
    assert!(assert_accounts(&without).iter().all(|figures| worse(figures) == 0), "nobody is, without storages");
    let [firm, small] =
        [("Elastic", "Firm"), ("capacity_kwh: 3", "capacity_kwh: 1")].map(|(from, to)| given.clone().with(from, to));
    [firm, small].par_iter().for_each(|given| drop(assert_accounts(given)));
}
