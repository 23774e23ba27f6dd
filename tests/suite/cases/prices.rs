//! Where markets come to rest, and what is called an equilibrium.

use super::{
    given::{Given, Played, Row, name},
    theory::{Clearing, Market},
};
use microgrid_sim::scenario::Case;
use rayon::prelude::*;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// How far a price may be from those that clear [CNY/kWh].
const NEAR: f64 = 1e-3;

fn distance(price: f64, [low, high]: [f64; 2]) -> f64 {
    price - price.clamp(low, high)
}

/// Whether a slot that is called an equilibrium is one, judged by mean price, traded energy and imbalance.
fn assert_no_false_equilibrium(row: &Row, clearing: &Clearing, what: &str) {
    let (price, traded) = (row.number(name::MEAN_PRICE), row.number("traded_kwh"));
    let off = distance(price, clearing.prices).abs();
    assert!(off < NEAR, "{what}: Equilibrium at {price}, closed form {:?}", clearing.prices);
    assert!((traded / clearing.traded - 1.0).abs() < 0.01, "{what}: {traded} of {} kWh traded", clearing.traded);
    assert!(row.number("imbalance") < 0.01, "{what}: Equilibrium with imbalance {}", row.number("imbalance"));
}

/// Runs a scenario in which everybody is heard, and holds all of every open slot against theory: it is in equilibrium
/// after no more than so many rounds, every seller asks a price that clears, everybody trades what it should.
fn assert_settled(given: &Given, most_rounds: u32) -> Played {
    let played = given.run();
    let prices = played.prices();
    let trades: BTreeMap<[u32; 3], [f64; 2]> = played
        .table("prosumers.csv")
        .iter()
        .map(|row| {
            (row.counts(["case", "slot", "prosumer"]), ["bought_kwh", "sold_kwh"].map(|column| row.number(column)))
        })
        .collect();
    for row in played.open_slots() {
        let [case, slot] = row.counts(["case", "slot"]);
        let market = Market::of(played.case(&row), slot);
        let what = format!("case {case}, slot {slot} of {}", played.case(&row).scenario.name);
        let Some(clearing) = market.clearing() else {
            assert_eq!(row.number("traded_kwh"), 0.0, "{what}: no price is between the tariffs");
            continue;
        };
        assert_eq!(row.text(name::OUTCOME), "Equilibrium", "{what} after {} rounds", row.text("rounds"));
        assert!(row.count("rounds") <= most_rounds, "{what} takes {} rounds", row.text("rounds"));
        assert_no_false_equilibrium(&row, &clearing, &what);
        assert!(distance(row.number(name::CLOSED_FORM), clearing.prices).abs() < 1e-9, "{what}: {clearing:?}");
        let mut gap = 0.0_f64;
        for (index, prosumer) in market.prosumers.iter().enumerate() {
            let key = [case, slot, prosumer.number];
            if prosumer.surplus() > 0.0 {
                let off = distance(prices[&key], clearing.prices);
                assert!(
                    off.abs() < NEAR,
                    "{what}: seller {} asks {}, {:?}",
                    prosumer.number,
                    prices[&key],
                    clearing.prices
                );
                gap = gap.max(off.abs());
            }
            let close = |found: f64, right: f64| (found - right).abs() < 0.01 * right + 2e-6;
            let [bought, sold] = trades[&key];
            let right = clearing.bought[index];
            assert!((bought - right).abs() < 0.01, "{what}: {} buys {bought} and not {right}", prosumer.number);
            if let Some(right) = clearing.sold.as_ref().map(|sold| sold[index]) {
                assert!(close(sold, right), "{what}: {} sells {sold} and not {right}", prosumer.number);
            }
        }
        let close = |column: &str, right: f64| (row.number(column) - right).abs() < 1e-9;
        assert!(close(name::PRICE_GAP, gap), "{what}: {} and not {gap}", row.text(name::PRICE_GAP));
        assert!(row.number(name::WEIGHTED_GAP) <= gap + 1e-9, "{what}: {}", row.text(name::WEIGHTED_GAP));
        let here = market.prosumers.iter().filter(|prosumer| prosumer.pv != prosumer.load).count() as u32;
        assert_eq!(row.counts([name::WANTED, name::ADMITTED]), [here, here], "{what}");
    }
    played
}

fn all_settled(given: Vec<Given>, most_rounds: u32) {
    given.par_iter().for_each(|given| drop(assert_settled(given, most_rounds)));
}

/// Runs a scenario and looks only at what is called an equilibrium; returns how many slots are, of how many.
fn no_false_equilibrium(given: &Given) -> [usize; 2] {
    let played = given.clone().field("record: Slots").run();
    let slots = played.open_slots();
    let settled = slots.iter().filter(|row| row.text(name::OUTCOME) == "Equilibrium");
    let count = settled
        .map(|row| {
            let clearing = Market::of(played.case(row), row.count("slot")).clearing().expect("a market");
            let knobs = &played.case(row).knobs;
            assert_no_false_equilibrium(row, &clearing, &format!("{knobs:?}, {}", played.case(row).scenario.name));
        })
        .count();
    [count, slots.len()]
}

#[test]
fn late_news_makes_no_false_equilibrium() {
    let original = Given::case("false_equilibrium_two_sellers");
    let delays = r#"vary: {"delay": ["300ms", "900ms", "1500ms", "2500ms", "4s"], "adaptation": [None, DelayAware]}"#;
    let given = original.clone().with("vary: {}", delays);
    let three = "3,1,1.0,3.5,1.64,0.6\n6,1,3.0,2.0,2.0,0.9\n";
    let kinds = [
        original,
        given.clone(),
        // From either tariff.
        given.clone().with("[.8,.8]", "[.85,.85]"),
        given.clone().with("[.8,.8]", "[.45,.45]"),
        given.clone().with("[.8,.8]", "[.45,.46]").with("[.5,.5]", "[.9,.1]"),
        // Plenty, so that prices fall to the feed-in tariff and come back.
        given.clone().with("4.0,2.0", "4.8,2.0").with("[.8,.8]", "[.5,.5]"),
        // Three sellers, one of them smaller.
        given.clone().with("3,1,1.0,3.5,1.64,0.6\n", three).with("[.8,.8]", "[.8,.7,.8]").with("[.5,.5]", "[.4,.3,.3]"),
        // Buyers that are content.
        given.with("demand: Elastic", "demand: Firm").with("4.0,2.0", "5.0,2.0"),
    ];
    let counts: Vec<_> = kinds.par_iter().map(no_false_equilibrium).collect();
    // Some do settle, or this would say nothing.
    assert!(counts[1..].iter().all(|[settled, slots]| *slots == 10 && *settled >= 3), "{counts:?}");
}

#[test]
fn a_residue_is_priced_like_all_else() {
    all_settled(vec![Given::case("tiny_seller"), Given::case("residual_seller")], 400);
}

#[test]
fn sellers_of_a_watt_hour_or_less_neither_lag_nor_keep_a_market_awake() {
    let given = |tiny: &str, large: &str, demand: &str| {
        let given = Given::case("residual_seller").with("1.000001", tiny).with("1,1,22.0", &format!("1,1,{large}"));
        given.field(&format!("preferences: (demand: {demand})"))
    };
    let sizes = ["1.000001", "1.00001", "1.001"];
    // 0.1: shortage at the tariff; 22: between the tariffs; 32: glut at the feed-in tariff.
    let kinds = sizes.iter().flat_map(|tiny| ["9.0", "22.0", "32.0"].map(|large| given(tiny, large, "Elastic")));
    let firm = sizes.iter().flat_map(|tiny| ["9.0", "22.0"].map(|large| given(tiny, large, "Firm")));
    let other = Given::case("tiny_seller");
    let others = ["2.000001", "2.001"].map(|tiny| other.clone().with("2.00002", tiny));
    all_settled(kinds.chain(firm).chain(others).collect(), 400);
}

#[test]
fn one_large_seller_among_small_ones_does_not_swing() {
    let given = Given::case("one_large_among_small");
    // Two large ones, and one buyer that wants ten times as much as the others.
    let two = given.clone().with("2,1,4.057", "2,1,34.0").with("1,1,71.0", "1,1,41.0");
    let buyer = given.clone().with("1,1,71.0", "1,1,91.0").with("22,1,0,3.149,1.564", "22,1,0,40.0,8.0");
    // Ten, thirty and a hundred times as large as the others, and buyers for all of it between the tariffs.
    let of = |large: f64, buyers: usize, demand: &str| {
        let mut prosumers = vec![[2.0, 0.0, 1.6, 1.3]; 20];
        prosumers[7][0] = large;
        let needs = (0..buyers).map(|buyer| [0.0, 3.0 + 0.1 * (buyer % 5) as f64, 1.7, 1.4]);
        prosumers.extend(needs);
        Given::slot(&prosumers, "", &format!("preferences: (demand: {demand})"))
    };
    let sizes = [of(20.0, 18, "Elastic"), of(60.0, 30, "Elastic"), of(200.0, 74, "Elastic")];
    for given in &sizes {
        let market = Market::of(&given.load().unwrap().cases().next().unwrap(), 1);
        assert!((0.5..0.8).contains(&market.clearing().unwrap().prices[0]));
    }
    all_settled(sizes.into_iter().chain([given, two, buyer]).collect(), 400);
    // All that drives this price down to the feed-in tariff is a glut of half a per cent.
    assert_settled(&of(200.0, 74, "Firm"), 700);
}

#[test]
fn firm_buyers_at_a_corner_come_to_rest() {
    let given = Given::case("firm_corner_slow");
    assert_settled(&given, 250);
    // In slots of an hour, where utility is what it was meant to be, demand is at its need and above the surplus.
    let hourly = given.with("1800s", "3600s").with("service_fee: 0.02", "service_fee: 0");
    let ceiling = |case: &Case| (1..=2).all(|slot| Market::of(case, slot).clearing().unwrap().prices[0] > 0.28);
    assert!(assert_settled(&hourly, 250).cases.iter().all(ceiling));
    // At the other corner: whoever sells has much more to sell. And in slots of other lengths.
    let corner = |sellers: usize, pv: f64, length: &str, gate: &str| {
        let slot = |n: usize| -> Vec<[f64; 4]> {
            let seller = |j: usize| [1.0 + pv * (1.0 + 0.3 * (j % 5) as f64), 1.0, 2.0, 1.5];
            let buyer = |i: usize| [0.1 * (i % 3) as f64, 1.0 + 0.2 * (i % 4) as f64, 3.0 + 0.1 * (i % 7) as f64, 2.0];
            (0..n).map(seller).chain((0..2 * n).map(buyer)).collect()
        };
        let market = format!("slots: 1, open: (1, 1), slot_length: \"{length}\", gate_closure: \"{gate}\"");
        Given::day(&[slot(sellers)], &market, "preferences: (demand: Firm)")
    };
    let kinds = [(0.3, "1h", "55min"), (5.0, "1h", "55min"), (0.3, "2h", "100min"), (5.0, "2h", "100min")];
    let corners = kinds.into_iter().flat_map(|(pv, length, gate)| [4, 11].map(|n| corner(n, pv, length, gate)));
    all_settled(corners.collect(), 250);
}

#[test]
fn any_price_that_clears_is_right_where_many_do() {
    let given = Given::case("firm_exact_match");
    // Whoever values energy less stops buying its need above 0.7, the others above 0.9 and 1.1.
    let buyers = [[0.0, 2.0, 1.5, 1.2], [0.0, 2.5, 1.9, 1.2], [0.0, 1.5, 1.7, 1.2]];
    let kinks = |sizes: &[f64], adaptation: &str| {
        let sellers = sizes.iter().map(|surplus| [1.0 + surplus, 1.0, 1.6, 1.3]);
        let fields = format!("preferences: (demand: Firm, mu: 0), learning: (adaptation: {adaptation})");
        Given::slot(&buyers.into_iter().chain(sellers).collect::<Vec<_>>(), "", &fields)
    };
    drop(assert_settled(&kinks(&[6.0], "None"), 400));
    // Net utility has a kink where demand meets supply, so several sellers may swing for ever, in the band.
    let halving = [&[2.0, 2.0, 2.0], &[4.0, 1.5, 0.5]].map(|sizes| kinks(sizes, "HalveOnOscillation"));
    [given].into_par_iter().chain(halving).for_each(|given| {
        let played = given.run();
        let clearing = Market::of(&played.cases[0], 1).clearing().unwrap();
        assert!(clearing.prices[1] > clearing.prices[0] + 0.2);
        let row = &played.open_slots()[0];
        let gap = played.prices().values().map(|price| distance(*price, clearing.prices).abs()).fold(0.0, f64::max);
        assert!((row.number(name::PRICE_GAP) - gap).abs() < 1e-9 && gap < NEAR, "{gap}");
        assert!(row.number(name::WEIGHTED_GAP) < NEAR && row.number("imbalance") < 0.1);
    });
}

#[test]
fn a_floor_of_zero_is_reached() {
    let given = Given::case("zero_feed_in_imbalance");
    let firm = given.clone().field("preferences: (demand: Firm)");
    let three = given.clone().with("2,1,6,1", "5,1,2.5,1,1.6,1.3\n2,1,6,1");
    let tiny = given.clone().with("2,1,6,1", "2,1,1.001,1").with("1,1,9,1", "1,1,14,1");
    let one = given.clone().with("2,1,6,1,1.6,1.3\n", "").with("1,1,9,1", "1,1,14,1");
    for given in [given, firm, three, tiny, one] {
        let played = assert_settled(&given, 400);
        let row = &played.open_slots()[0];
        assert!(row.number(name::MEAN_PRICE) < 1e-6 && row.number("imbalance") < 1e-6, "{}", row.text("imbalance"));
    }
}

#[test]
fn a_price_of_zero_can_move() {
    let given = Given::case("zero_price_stuck");
    let interior = given.clone().with("1,1,2,1", "1,1,5,1").with("2,1,2,1", "2,1,4.5,1");
    let market = Market::of(&interior.load().unwrap().cases().next().unwrap(), 1);
    assert!((0.1..0.8).contains(&market.clearing().unwrap().prices[0]));
    let three = given.clone().with("[0.0, 0.0]", "[0.0, 0.0, 0.0]").with("2,1,2,1", "5,1,2.5,1,1.6,1.3\n2,1,2,1");
    let firm = given.clone().field("preferences: (demand: Firm)");
    all_settled(vec![given.clone(), given.with("[0.0, 0.0]", "[0.0, 0.4]"), interior, three, firm], 400);
}

/// Who plays in a slot, by the chain: all that have registered as sellers or buyers.
fn admitted(played: &Played, case: u32, slot: u32) -> BTreeSet<u32> {
    let database = Connection::open(played.run.join("ledger.db")).unwrap();
    let query = "SELECT prosumer FROM registrations WHERE case_number = ? AND slot = ? AND role IN ('Seller', 'Buyer')";
    let mut statement = database.prepare(query).unwrap();
    statement.query_map([case, slot], |row| row.get::<_, u32>(0)).unwrap().map(Result::unwrap).collect()
}

/// Runs a scenario and holds every open slot against theory for those that are admitted; returns its slots as
/// (slot, wanted, admitted, outcome).
fn judged_by_the_admitted(given: &Given) -> Vec<(u32, u32, u32, String)> {
    let played = given.run();
    let prices = played.prices();
    let mut told = Vec::new();
    let mut markets = 0;
    for row in played.open_slots() {
        let [case, slot] = row.counts(["case", "slot"]);
        let everybody = Market::of(played.case(&row), slot);
        let heard = admitted(&played, case, slot);
        let market = everybody.among(|number| heard.contains(&number));
        let what = format!("slot {slot}, {heard:?}");
        let wanted = everybody.prosumers.iter().filter(|prosumer| prosumer.pv != prosumer.load).count() as u32;
        assert_eq!(row.counts([name::WANTED, name::ADMITTED]), [wanted, heard.len() as u32], "{what}");
        let outcome = row.text(name::OUTCOME).to_owned();
        assert_eq!(outcome == "NoMarket", !market.has_both_sides(), "{what}: {outcome}");
        assert_eq!(row.maybe(name::CLOSED_FORM).is_some(), market.has_both_sides(), "{what}");
        if let Some(clearing) = market.clearing() {
            markets += 1;
            let price = row.number(name::CLOSED_FORM);
            assert!(distance(price, clearing.prices).abs() < 1e-9, "{what}: {price}, {clearing:?}");
            let sellers = market.prosumers.iter().filter(|prosumer| prosumer.surplus() > 0.0);
            let quoted = sellers.filter_map(|seller| prices.get(&[case, slot, seller.number]));
            let gap = quoted.map(|price| distance(*price, clearing.prices).abs()).fold(0.0, f64::max);
            assert!((row.number(name::PRICE_GAP) - gap).abs() < 1e-9, "{what}: {}", row.text(name::PRICE_GAP));
            if outcome == "Equilibrium" {
                assert_no_false_equilibrium(&row, &clearing, &what);
            }
        }
        told.push((slot, row.count(name::WANTED), row.count(name::ADMITTED), outcome));
    }
    let figures = played.key_figures();
    assert_eq!(figures[0]["market_slots"].as_u64(), Some(markets));
    let settled = told.iter().filter(|slot| slot.3 == "Equilibrium").count() as f64;
    let share = (markets > 0).then(|| settled / markets as f64);
    assert_eq!(figures[0]["equilibrium_share"].as_f64(), share);
    told
}

#[test]
fn a_slot_is_judged_by_those_who_were_heard() {
    let given = Given::case("missed_registration");
    let told = judged_by_the_admitted(&given);
    assert_eq!((told[2].1, told[2].2), (14, 13), "one is missed in slot 3");
    let third = Market::of(&given.load().unwrap().cases().next().unwrap(), 3);
    assert!((third.clearing().unwrap().prices[0] - 0.7748).abs() < 1e-4, "with all of them it would be another price");
    assert_eq!(told[3].3, "NoMarket", "nobody sells in slot 4");
    judged_by_the_admitted(&given.with("seed: 2023", "seed: 7"));
}

#[test]
fn whoever_is_cut_off_has_no_part_in_what_is_right() {
    let prosumers = [
        [7.7, 1.0, 1.6, 1.3],
        [4.6, 1.0, 1.6, 1.3],
        [1.9, 1.0, 1.6, 1.3],
        [0.0, 3.0, 1.8, 1.4],
        [0.5, 3.0, 1.8, 1.4],
        [0.0, 3.5, 1.7, 1.4],
        [0.0, 2.5, 1.1, 1.0],
        [1.0, 1.0, 1.7, 1.4],
    ];
    // Who is not heard before the gate closes, how many are admitted, and whether there is a market.
    let kinds: [(&[u32], u32, bool); 5] = [
        (&[3], 6, true),
        (&[7], 6, true),
        (&[1, 2, 3], 4, false),
        (&[4, 5, 6, 7], 3, false),
        (&[1, 2, 3, 4, 5, 6, 7], 0, false),
    ];
    kinds.par_iter().for_each(|(cut_off, heard, market)| {
        let network = format!(
            r#"network: (groups: {{"far": Prosumers({cut_off:?})}}, conditions: [
                (at: "1h", lasting: "56min", what: Partition(from: Group("far"), to: Ledger))])"#
        );
        let told = judged_by_the_admitted(&Given::day(&[prosumers; 3], "slots: 3, open: (1, 3)", &network));
        let [first, second, third] = &told[..] else { panic!("three slots") };
        assert_eq!((first.2, second.2, third.2), (7, *heard, 7), "{cut_off:?}: {told:?}");
        let outcome = if *market { "Equilibrium" } else { "NoMarket" };
        assert_eq!([&first.3, &second.3, &third.3], ["Equilibrium", outcome, "Equilibrium"], "{cut_off:?}");
    });
}

#[test]
fn nobody_pays_more_than_the_tariff_for_local_energy() {
    let given = Given::case("fee_ignored");
    // Nothing to gain: no price is between the tariffs once the fee is paid.
    for fee in ["0.5", "0.41"] {
        let played = given.clone().with("service_fee: 0.5", &format!("service_fee: {fee}")).run();
        let row = &played.open_slots()[0];
        assert_eq!(row.number("traded_kwh"), 0.0, "fee {fee}");
        let prosumers = played.table("prosumers.csv");
        let welfare: Vec<f64> = prosumers.iter().map(|row| row.number("welfare_cny")).collect();
        assert!((welfare[1] - 1.05).abs() < 1e-6 && (welfare[2] - 1.10).abs() < 1e-6, "{welfare:?}");
    }
    // As much as there is between the tariffs, and less: between them, and at either end.
    let fee = |fee: &str, more: &str, demand: &str| {
        let given = given.clone().with("service_fee: 0.5", &format!("service_fee: {fee}"));
        given.with("1,1,3,1", &format!("1,1,{more},1")).with("Firm", demand)
    };
    for given in [
        fee("0.4", "3", "Firm"),
        fee("0.1", "3", "Firm"),
        fee("0.1", "3", "Elastic"),
        fee("0.1", "5.9", "Elastic"),
        fee("0.2", "7", "Elastic"),
    ] {
        let played = assert_settled(&given, 400);
        let market = Market::of(&played.cases[0], 1);
        for trade in played.table("trades.csv") {
            let [energy, payment, fee] = ["traded_kwh", "payment_cny", "fee_cny"].map(|column| trade.number(column));
            assert!(payment + fee <= market.tariff * energy + 2e-6, "{payment} and {fee} for {energy} kWh");
        }
        for row in played.table("prosumers.csv") {
            assert!(row.number("welfare_cny") > row.number("p2g_welfare_cny") - 1e-5);
        }
    }
}

#[test]
fn firm_demand_settles_however_little_energy_there_is() {
    let of = |kwh: f64, need: f64, learning: &str| {
        let sellers = [0.3, 0.35, 0.4].map(|part| [part * kwh, 0.0, 1.6, 1.3]);
        let buyers = [0.3, 0.35, 0.4].map(|part| [0.0, part * kwh * need, 1.9, 1.4]);
        let fields = format!("preferences: (demand: Firm), learning: ({learning})");
        Given::slot(&[sellers, buyers].concat(), "", &fields)
    };
    // Plenty and shortage, from tens of kilowatt-hours to less than a watt-hour.
    let sizes = [30.0, 3.0, 0.04, 0.003];
    let kinds = sizes.iter().flat_map(|&kwh| [0.83, 1.2].map(|need| of(kwh, need, "")));
    all_settled(kinds.chain([of(0.003, 1.2, "adaptation: Predictive")]).collect(), 150);
}

#[test]
fn choice_sets_that_cannot_clear_make_no_equilibrium() {
    let prosumers = [[3.0, 1.0, 1.6, 1.3]; 2].into_iter().chain([[0.0, 3.0, 1.9, 1.4]; 3]).collect::<Vec<_>>();
    let seeds = "replicates: 12, learning: (choice_set: Sample(1))";
    let one = Given::slot(&prosumers, "", seeds);
    let many: Vec<[f64; 4]> =
        (0..8).flat_map(|n| [[2.0 + 0.3 * f64::from(n), 1.0, 1.6, 1.3], [0.0, 3.0, 1.9, 1.4]]).collect();
    let two = Given::slot(&many, "", &seeds.replace("Sample(1)", "Sample(2)"));
    let all = Given::slot(&many, "", &seeds.replace("Sample(1)", "Sample(8)"));
    let [one, two, all] = [one, two, all].map(|given| no_false_equilibrium(&given));
    assert!(one[0] < 12 && two[0] < 12, "{one:?} {two:?}");
    assert_eq!(all, [12, 12], "who knows all finds the price");
}
