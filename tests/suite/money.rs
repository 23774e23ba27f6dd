//! What a run says of money: gains and their parts, who is worse off, and sums that do not wrap around.

use crate::support::{only_case, recorded, written};
use microgrid_sim::{
    analysis::peer_to_grid::peer_to_grid,
    record::{Comparison, KeyFigures, ProsumerRow, Run, SlotRow},
    scenario::{Overrides, load},
};
use std::collections::BTreeMap;

/// The run of a scenario with these fields and profiles.
fn run(fields: &str, profiles: &str) -> (tempfile::TempDir, Run) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let plan = written(&scenario(fields), profiles);
    let run = Run::open(&recorded(&plan, root.path())).expect("a run");
    (root, run)
}

fn scenario(fields: &str) -> String {
    format!("Scenario(name: \"money\", population: Profiles(\"profiles.csv\"), {fields})")
}

fn profiles(rows: &[&str]) -> String {
    format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n{}\n", rows.join("\n"))
}

fn figures(run: &Run) -> KeyFigures {
    run.key_figures().expect("key figures").remove(0)
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-6, "{what}: {found} instead of {expected}");
}

/// Full storages that are used up: their content is no gain of the market, and it is worth something.
#[test]
fn content_that_storages_started_with_is_no_gain_of_the_market() {
    for (efficiency, content, used) in [(1.0, 10.0, 5.0), (0.8, 10.0, 6.25), (1.0, 2.5, 4.5)] {
        let fields = format!(
            "market: (slots: 1, open: (1, 1)), preferences: (demand: Firm, mu: 0), storage: (capacity_kwh: 10, \
             power_kw: 5, efficiency: {efficiency}, initial_kwh: {content})"
        );
        let (_root, run) = run(&fields, &profiles(&["1,1,0,3,1.6,1.6", "2,1,0,2,1.8,1.8"]));
        let Comparison { devices_gain_cny, market_gain_cny, welfare_gain_cny, storage_value_cny, .. } =
            figures(&run).open_slots;
        // What storages deliver need not be bought at 0.85; the utility is the same, as it is the same wherever it is from.
        let delivered = used * efficiency;
        assert_close(devices_gain_cny, 0.85 * delivered, "devices");
        assert_eq!((market_gain_cny, welfare_gain_cny), (0.0, devices_gain_cny));
        assert_close(storage_value_cny, -0.45 * efficiency * used, "content used up");
        let all = figures(&run).all_slots;
        assert_close(all.p2g_storage_value_cny, storage_value_cny, "content used up without a market");
        assert_close(all.devices_gain_with_storage_value_cny, (0.85 - 0.45) * delivered, "devices, content counted");
        assert_eq!(all.market_gain_with_storage_value_cny, 0.0);
        assert_eq!((all.worse_off_prosumers, all.worse_off_prosumer_slots, all.jain_index), (0, 0, None));
        assert_close(all.p2g_storage_net_cost_cny, 0.85 * (5.0 - delivered), "bills alone");
        assert_eq!(all.market_savings_cny, 0.0);
    }
}

const THREE: [&str; 6] =
    ["1,1,8,2,2,1.5", "1,2,0,4,2,1.5", "2,1,1,4,2.4,1.5", "2,2,0,3,2.4,1.5", "3,1,0,3,2.2,1.6", "3,2,0,2,2.2,1.6"];
const STORAGE: &str = "storage: (capacity_kwh: 5, power_kw: 4, efficiency: 0.9, initial_kwh: 1)";

/// All that is said of gains follows from the rows of the prosumers.
#[test]
fn gains_split_into_devices_and_market_and_add_up_from_the_prosumers_rows() {
    for demand in ["Firm", "Elastic"] {
        for storage in ["storage: None", STORAGE] {
            let fields = format!(
                "market: (slots: 2, open: (1, 2), service_fee: 0.01), preferences: (demand: {demand}, mu: 0.5), {storage}"
            );
            let (_root, run) = run(&fields, &profiles(&THREE));
            let rows: Vec<ProsumerRow> = run.rows().unwrap().map(Result::unwrap).collect();
            let slots: Vec<SlotRow> = run.rows().unwrap().map(Result::unwrap).collect();
            let KeyFigures { totals, all_slots: all, .. } = figures(&run);
            let sum = |of: fn(&ProsumerRow) -> f64| rows.iter().map(of).sum::<f64>();
            let welfare = sum(|row| row.welfare_cny.unwrap().value());
            let alone = sum(|row| row.p2g_storage_welfare_cny.unwrap().value());
            let p2g = sum(|row| row.p2g_welfare_cny.unwrap().value());
            assert_close(all.devices_gain_cny, alone - p2g, "devices");
            assert_close(all.market_gain_cny, welfare - alone, "market");
            assert_close(totals.consumption_kwh, sum(|row| row.consumed_kwh.value()), "consumption");
            assert_close(totals.operator_revenue_cny, totals.fees_cny, "the operator");
            assert!(totals.fees_cny > 0.0);
            for (slot, row) in (1..).zip(&slots) {
                let of_slot: Vec<_> = rows.iter().filter(|row| row.slot == slot).collect();
                assert_close(row.consumption_kwh.value(), of_slot.iter().map(|r| r.consumed_kwh.value()).sum(), "slot");
                assert_close(row.load_kwh.value(), of_slot.iter().map(|r| r.load_kwh.value()).sum(), "load");
                let worse = of_slot.iter().filter(|row| {
                    row.welfare_cny.unwrap().value() < row.p2g_storage_welfare_cny.unwrap().value() - 4e-6
                });
                assert_eq!(row.worse_off as usize, worse.count(), "{demand}, {storage}, slot {slot}");
            }
            if storage == "storage: None" {
                assert_eq!((all.devices_gain_cny, all.storage_value_cny), (0.0, 0.0));
            } else {
                let end: f64 = rows.iter().filter(|row| row.slot == 2).map(|row| row.soc_kwh.value()).sum();
                assert_close(all.storage_value_cny, 0.45 * 0.9 * (end - 3.0), "content at the end");
            }
        }
    }
}

/// Storage on a trajectory of its own: charged by what is left over, used by whoever owns it.
#[test]
fn the_baseline_with_storage_carries_its_content_and_is_p2g_without_one() {
    let with = |storage: &str| {
        let fields = format!("market: (slots: 2, open: (1, 2)), preferences: (demand: Firm), {storage}");
        only_case(&written(&scenario(&fields), &profiles(&THREE)))
    };
    let case = with(STORAGE);
    let kwh = microgrid_agents::units::Energy::nearest;
    let first = peer_to_grid(&case, 1, Some(&[kwh(1.0); 3]));
    let contents: Vec<_> = first.iter().map(|balance| balance.content).collect();
    // Prosumer 1 has 6 kWh over, of which 4 go in at its power; the others take 0.9 of the 1 kWh that they have.
    assert_eq!(contents, [kwh(1.0 + 3.6), kwh(0.0), kwh(0.0)]);
    assert_eq!(first.iter().map(|b| b.grid_import).collect::<Vec<_>>(), [0.0, 2.1, 2.1].map(kwh));
    assert_eq!((first[0].grid_export, first[0].charged), (kwh(2.0), kwh(4.0)));
    let second = peer_to_grid(&case, 2, Some(&contents));
    // Limited by power: 4 of the 4.6 * 0.9 = 4.14 kWh.
    assert_eq!((second[0].discharged, second[0].grid_import), (kwh(4.0), kwh(0.0)));
    let without = with("storage: None");
    assert_eq!(peer_to_grid(&without, 1, Some(&[kwh(0.0); 3])), peer_to_grid(&without, 1, None));
}

/// In a single slot a prosumer with a storage may end below P2G, with or without storage; each is counted.
#[test]
fn who_ends_below_going_alone_is_counted_slot_by_slot_and_over_the_run() {
    let market = "market: (slots: 2, open: (1, 2), feed_in_tariff: 0.3, grid_tariff: Csv(\"tariffs.csv\"))";
    let fields = format!("{market}, preferences: (demand: Firm, mu: 0), {STORAGE}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("profiles.csv", &profiles(&THREE));
    file("tariffs.csv", "slot,grid_tariff_cny_per_kwh\n1,0.4\n2,4\n");
    file("scenario.ron", &scenario(&fields));
    let plan = load(&folder.path().join("scenario.ron"), &Overrides::default()).unwrap();
    let run = Run::open(&recorded(&plan, &folder.path().join("results"))).unwrap();
    let rows: Vec<ProsumerRow> = run.rows().unwrap().map(Result::unwrap).collect();
    let all = figures(&run).all_slots;
    let mut gains = BTreeMap::<u32, f64>::new();
    let mut worse = 0;
    for row in &rows {
        let gain = row.welfare_cny.unwrap().value() - row.p2g_storage_welfare_cny.unwrap().value();
        worse += u64::from(gain < -1e-5);
        *gains.entry(row.prosumer).or_default() += gain;
    }
    // Prosumer 1 sells for at most 0.4 what it would have used itself where the grid asks 4.
    assert!(gains[&1] < -1.0, "{gains:?}");
    assert_eq!(all.worse_off_prosumer_slots, worse);
    assert!(worse > 0);
    // All storages are empty at the end, in both worlds, but for what power leaves in.
    let more: f64 = (all.storage_value_cny - all.p2g_storage_value_cny) / (0.3 * 0.9);
    assert!(more.abs() < 0.2, "{more}");
    let losers = gains.values().filter(|gain| **gain < -0.1).count();
    assert_eq!(all.worse_off_prosumers as usize, losers);
    let positive: Vec<f64> = gains.values().copied().filter(|gain| *gain > 0.0).collect();
    let squares: f64 = positive.iter().map(|gain| gain * gain).sum();
    let jain = positive.iter().sum::<f64>().powi(2) / (3.0 * squares);
    assert!((all.jain_index.unwrap() - jain).abs() < 0.02, "{:?} beside {jain}", all.jain_index);
}

/// Preferences that need purchases of more than a thousand million kWh are within what scenarios may have.
#[test]
fn the_largest_preferences_and_the_least_curvature_trade() {
    for (preference, alpha) in [(1e4, 1e-6), (1e4, 1e-5), (10.0, 1e-6)] {
        let row = |number, pv, load| format!("{number},1,{pv},{load},{preference},{preference}");
        let rows: Vec<String> =
            (1..=3).map(|number| row(number, 10_000, 0)).chain((4..=6).map(|number| row(number, 0, 10_000))).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let fields = format!("market: (slots: 1, open: (1, 1)), preferences: (alpha: {alpha:?})");
        let (_root, run) = run(&fields, &profiles(&rows));
        // Energy is scarce: everything is sold.
        assert_close(figures(&run).totals.traded_kwh, 30_000.0, "traded");
    }
}

/// Sums beyond 64 bits of 1e-6 CNY, from as few prosumers and slots as it takes.
#[test]
fn prices_that_no_bill_could_hold_are_refused_where_they_stand() {
    let message = |count: u32, tariff: f64, fee: f64| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.ron");
        let text = format!(
            "Scenario(name: \"large\", population: Synthetic(count: {count}),\n market: (grid_tariff: \
             Constant({tariff:?}),\n service_fee: {fee:?}))"
        );
        std::fs::write(&path, text).unwrap();
        load(&path, &Overrides::default()).err().map(|error| error.to_string())
    };
    assert_eq!(message(40_000, 1e4, 0.0), None);
    assert_eq!(message(1_000_000, 400.0, 0.0), None);
    let refused = message(1_000_000, 401.0, 0.0).expect("too much");
    assert!(
        refused.contains("market.grid_tariff.Constant") && refused.contains("at most 400 with 1000000"),
        "{refused}"
    );
    let refused = message(50_000, 1.0, 1e4).expect("too much");
    assert!(refused.contains("market.service_fee") && refused.contains("at most 8000"), "{refused}");
}
