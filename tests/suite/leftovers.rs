//! What rounding leaves over is divided over the whole slot: equals get the same, and a firm need is met to the last unit.

use crate::support::{only_case, recorded, run, written};
use microgrid_agents::{
    observation::{Observation, Observed, ProsumerSlot},
    units::Energy,
};
use microgrid_sim::ledger::{schema, verify::verify};
use std::fmt::Write as _;

/// What came of a slot.
struct Slot {
    /// Who wanted something of whom, by position.
    pairs: Vec<(u32, u32)>,
    /// What each seller sold, in units.
    sold: Vec<i64>,
    /// What each buyer bought, in units.
    bought: Vec<i64>,
}

/// Sellers of so many units each, and buyers who need so many, in one slot. Its ledger verifies.
fn slot(surplus: &[i64], needs: &[i64], more: &str) -> Slot {
    let text = format!(
        r#"Scenario(name: "leftovers", population: Profiles("profiles.csv"),
            market: (slots: 1, open: (1, 1), gate_closure: "40s", grid_tariff: Constant(0.85)), {more})"#
    );
    let mut profiles = String::from("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n");
    for (n, units) in surplus.iter().enumerate() {
        writeln!(profiles, "{},1,{},0,1.6,1.3", n + 1, Energy(*units)).unwrap();
    }
    for (n, units) in needs.iter().enumerate() {
        writeln!(profiles, "{},1,0,{},2.9,1.5", n + 1001, Energy(*units)).unwrap();
    }
    let plan = written(&text, &profiles);
    let root = tempfile::tempdir().unwrap();
    let file = recorded(&plan, root.path()).join(schema::FILE);
    let report = verify(&file, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert!(report.cases[0].bills > 0);
    let log = run(&only_case(&plan));
    let mut prosumers: Vec<ProsumerSlot> = log.prosumers().cloned().collect();
    prosumers.sort_by_key(|done| done.prosumer);
    let settled = |observed: &Observed| match &observed.what {
        Observation::Settled(_, trades) => Some(trades.iter().map(|trade| (trade.buyer, trade.seller)).collect()),
        _ => None,
    };
    let pairs = log.observed.iter().find_map(settled).expect("the slot is settled");
    Slot {
        pairs,
        sold: prosumers[..surplus.len()].iter().map(|done| done.trades.sold.0).collect(),
        bought: prosumers[surplus.len()..].iter().map(|done| done.trades.bought.0).collect(),
    }
}

/// All sellers begin with the tariff, and all buyers with the same share in each.
fn alike(sellers: usize) -> String {
    let (prices, shares) = (vec![0.85; sellers], vec![1.0 / sellers as f64; sellers]);
    format!("learning: (initial_price: Fixed({prices:?}), initial_choice: Fixed({shares:?})),")
}

const FIRM: &str = "preferences: (demand: Firm),";

#[test]
fn three_equal_buyers_of_four_hundred_sellers_get_the_same_to_the_last_unit() {
    let slot = slot(&[10_001; 400], &[2_000_000; 3], &format!("{FIRM} {}", alike(400)));
    assert_eq!(slot.sold, [10_001; 400]);
    let mut bought = slot.bought;
    bought.sort_unstable();
    assert_eq!(bought, [1_333_466, 1_333_467, 1_333_467]);
}

#[test]
fn seven_equal_buyers_of_eleven_equal_sellers_get_the_same_to_the_last_unit() {
    for (demand, seed) in [(FIRM, 1), (FIRM, 2), ("", 3), ("", 4)] {
        let slot = slot(&[1_000_001; 11], &[3_000_000; 7], &format!("{demand} {} seed: {seed},", alike(11)));
        assert_eq!(slot.sold, [1_000_001; 11]);
        // 11.000011 kWh, a seventh each.
        assert!(slot.bought.iter().all(|units| [1_571_430, 1_571_431].contains(units)), "{demand} {seed}");
    }
}

#[test]
fn in_a_glut_each_firm_buyer_gets_what_it_needs_and_no_more() {
    let needs = [1_000_003, 1_000_003, 7, 345_678, 1, 2_000_001, 1_000_003];
    for seed in 1..4 {
        let slot = slot(&[1_000_001; 11], &needs, &format!("{FIRM} {} seed: {seed},", alike(11)));
        assert_eq!(slot.bought, needs);
    }
}

#[test]
fn where_each_buyer_knows_three_sellers_so_do_those_whose_sellers_have_enough() {
    let surplus: Vec<i64> = (0..30).map(|n| 1_000_000 + 500_003 * (n % 5)).collect();
    let needs: Vec<i64> = (0..40).map(|n| 600_001 + 123_457 * (n % 9)).collect();
    let Slot { pairs, sold, bought } = slot(&surplus, &needs, &format!("{FIRM} learning: (choice_set: Sample(3)),"));
    assert!(sold.iter().zip(&surplus).all(|(sold, surplus)| sold <= surplus));
    assert!(bought.iter().zip(&needs).all(|(bought, need)| bought <= need));
    // What is asked of a seller may be rounded down by a unit: who has two left has enough.
    let enough = |seller: u32| sold[seller as usize] + 2 <= surplus[seller as usize];
    let served = |buyer: &usize| pairs.iter().filter(|pair| pair.0 as usize == *buyer).all(|pair| enough(pair.1));
    let served: Vec<usize> = (0..needs.len()).filter(served).collect();
    assert!((5..=40).contains(&served.len()), "{served:?}");
    assert!(served.iter().all(|&buyer| bought[buyer] == needs[buyer]));
}
