//! Every mechanism keeps the same promises: trades within the tariffs, books at zero, everything settled once whatever the
//! network does, chains that verify, results that do not depend on shards; and each finds the price that is its own.

use crate::{
    adversity::assert_settled_once,
    conservation::assert_conserved,
    determinism::assert_same_whatever_the_shards,
    support::{Log, only_case, recorded, repository, run, written},
};
use microgrid_agents::{
    market::{demand::Buyer, pricing::PriceBand, role::Role, settlement::Trade},
    observation::Observation,
    statement::Outcome,
    units::Energy,
};
use microgrid_sim::{
    analysis::{
        equilibrium::closed_form,
        slot::{slot_facts, slot_terms},
    },
    ledger::{schema, verify::verify},
    record::{Run, SlotRow},
    runtime::Shards,
    scenario::Plan,
};
use std::collections::BTreeMap;

const MECHANISMS: [&str; 8] = [
    "TwoLevelGame",
    "MidMarketRate",
    "BillSharing",
    "SupplyDemandRatio",
    "UniformPriceAuction()",
    r#"UniformPriceAuction(every: "7s")"#,
    "ContinuousDoubleAuction",
    "Negotiation(rho: 1)",
];
const FEED_IN: f64 = 0.45;
const CEILING: f64 = 0.837;

/// Two slots around noon, with this mechanism and demand, and more.
fn noon(mechanism: &str, demand: &str, more: &str) -> Plan {
    let text = format!(
        r#"Scenario(
            name: "noon",
            market: (slots: 2, starts_at: "11h", open: (1, 2), gate_closure: "90s", feed_in_tariff: {FEED_IN},
                     grid_tariff: Constant(0.85), service_fee: 0.013, mechanism: {mechanism}),
            population: Synthetic(count: 12, pv_share: 0.5),
            preferences: (demand: {demand}),
            {more}
        )"#
    );
    written(&text, "")
}

fn each(mut promise: impl FnMut(&str, &str)) {
    for mechanism in MECHANISMS {
        for demand in ["Elastic", "Firm"] {
            promise(mechanism, demand);
        }
    }
}

/// The final trades of a run, by slot, in which something changes hands.
fn trades(log: &Log) -> impl Iterator<Item = (u32, &Trade)> {
    log.observed.iter().flat_map(|observed| {
        let (slot, trades) = match &observed.what {
            Observation::Settled(slot, trades) => (*slot, &trades[..]),
            _ => (0, &[][..]),
        };
        trades.iter().filter(|trade| trade.energy > Energy::ZERO).map(move |trade| (slot, trade))
    })
}

#[test]
fn every_mechanism_trades_within_the_tariffs_and_keeps_the_books() {
    each(|mechanism, demand| {
        let log = run(&only_case(&noon(mechanism, demand, "")));
        assert_conserved(&log, 2, 12);
        assert_settled_once(&log);
        assert!(trades(&log).count() > 0, "{mechanism} {demand}: nobody trades");
        for (slot, trade) in trades(&log) {
            // The community shares its bill: what a local kWh is paid with is the grid's money.
            let band = if mechanism == "BillSharing" { 0.0..=0.0 } else { FEED_IN..=CEILING };
            assert!(band.contains(&trade.price), "{mechanism} {demand}, slot {slot}: {trade:?}");
        }
        let is_game = mechanism == "TwoLevelGame" || mechanism.starts_with("Negotiation");
        for game in log.games().filter(|_| !is_game) {
            assert_eq!(game.outcome, Outcome::Cleared, "{mechanism} {demand}");
        }
    });
}

#[test]
fn every_mechanism_s_chain_verifies_and_nobody_truthful_is_worse_off_than_alone() {
    each(|mechanism, demand| {
        let root = tempfile::tempdir().unwrap();
        let folder = recorded(&noon(mechanism, demand, ""), root.path());
        let report = verify(&folder.join(schema::FILE), &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{mechanism} {demand}: {error}"));
        assert!(report.cases[0].bills > 0 && report.cases[0].closed == 2, "{mechanism} {demand}");
        // A seller that gives away what the grid would pay for is worse off.
        if mechanism != "BillSharing" {
            let slots = Run::open(&folder).unwrap().rows::<SlotRow>().unwrap();
            for row in slots {
                let row = row.unwrap();
                assert_eq!(row.worse_off, 0, "{mechanism} {demand}, slot {}", row.slot);
            }
        }
    });
}

#[test]
fn every_mechanism_gives_the_same_whatever_the_shards() {
    for mechanism in MECHANISMS {
        let plan = noon(mechanism, "Elastic", r#"network: (delay: Uniform(min: "5ms", max: "900ms"), loss: 0.05),"#);
        assert_same_whatever_the_shards(&plan, &[Shards::Fixed(3), Shards::PerActor]);
    }
}

#[test]
fn whatever_the_network_does_every_mechanism_settles_once() {
    let networks = [
        r#"loss: 0.2, duplication: 0.1, delay: Exponential(min: "10ms", mean: "300ms")"#,
        r#"conditions: [(at: "20s", lasting: "25s", what: Partition(from: Prosumer(3), to: Everybody))]"#,
        r#"conditions: [(at: "30s", lasting: "20s", what: Crash(who: Ledger))]"#,
        r#"conditions: [(at: "2s", lasting: "5s", what: Crash(who: Prosumer(1), memory: Lost)),
                        (at: "40s", lasting: "55s", what: Crash(who: Prosumer(5), memory: Lost))]"#,
    ];
    for network in networks {
        each(|mechanism, demand| {
            let log = run(&only_case(&noon(mechanism, demand, &format!("network: ({network}),"))));
            assert_conserved(&log, 2, 12);
            assert_settled_once(&log);
        });
    }
}

#[test]
fn every_way_to_make_orders_trades_in_both_auctions() {
    for mechanism in ["UniformPriceAuction()", "ContinuousDoubleAuction"] {
        for bidding in ["Truthful(steps: 3)", "ZeroIntelligence", "Ramp"] {
            let log = run(&only_case(&noon(mechanism, "Elastic", &format!("learning: (bidding: {bidding}),"))));
            assert_conserved(&log, 2, 12);
            assert!(trades(&log).count() > 0, "{mechanism} {bidding}");
            assert!(trades(&log).all(|(_, trade)| (FEED_IN..=CEILING).contains(&trade.price)), "{mechanism} {bidding}");
        }
    }
}

/// What a slot of a day would come to at the closed form: its price, and how far two prices of a cut in so many steps are
/// apart at most.
fn theory(plan: &Plan, slot: u32, steps: f64) -> (f64, f64) {
    let case = only_case(plan);
    let (facts, terms) = (slot_facts(&case, slot), slot_terms(&case, slot));
    let with = |role| facts.iter().filter(move |facts| facts.role() == role);
    let buyers: Vec<Buyer> = with(Role::Buyer).map(|facts| facts.as_buyer().charged(terms.service_fee)).collect();
    let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
    let band = PriceBand::between(terms.feed_in_tariff, terms.grid_tariff, terms.service_fee);
    let theory = closed_form(&buyers, &surplus, band, terms.alpha, terms.demand).expect("a market");
    (theory.price, band.width() / steps)
}

#[test]
fn truthful_orders_in_many_steps_clear_at_the_closed_form() {
    for (demand, steps) in [("Elastic", 100), ("Firm", 100), ("Elastic", 1000)] {
        let plan = noon("UniformPriceAuction()", demand, &format!("learning: (bidding: Truthful(steps: {steps})),"));
        let log = run(&only_case(&plan));
        for slot in 1..=2 {
            let (price, step) = theory(&plan, slot, f64::from(steps));
            let found = trades(&log).find(|(of, _)| *of == slot).expect("a trade").1.price;
            assert!((found - price).abs() <= step, "{demand}, {steps} steps, slot {slot}: {found} for {price}");
        }
        let root = tempfile::tempdir().unwrap();
        let slots = Run::open(&recorded(&plan, root.path())).unwrap().rows::<SlotRow>().unwrap();
        for row in slots {
            let row = row.unwrap();
            let loss = row.welfare_loss.expect("a market").value();
            assert!(loss.abs() < 0.005, "{demand}, {steps} steps, slot {}: {loss}", row.slot);
        }
    }
}

#[test]
fn the_mid_market_rate_of_the_published_day_is_the_formula_in_plain_sql() {
    let [profiles, tariff] = ["5_prosumers.csv", "tariff.csv"].map(|file| repository("scenarios/data").join(file));
    for demand in ["Firm", "Elastic"] {
        let text = format!(
            r#"Scenario(
                name: "mid",
                market: (open: (8, 20), feed_in_tariff: 0.45, grid_tariff: Csv({tariff:?}), mechanism: MidMarketRate),
                population: Profiles({profiles:?}),
                preferences: (demand: {demand}),
            )"#
        );
        let root = tempfile::tempdir().unwrap();
        let folder = recorded(&written(&text, ""), root.path());
        let ledger = rusqlite::Connection::open(folder.join(schema::FILE)).unwrap();
        // What each party pays or earns for a slot at the rates of the formula, less what of it is the grid's, beside what
        // its account comes to. What is wanted is the need with firm demand, the answer with elastic.
        let wanted = match demand {
            "Firm" => "round((value ->> '$.Buyer.need') * 1e6)",
            _ => {
                "coalesce((select answer.value ->> '$.steps[0].energy' from fact_keys answer where answer.kind = 'orders' \
                 and answer.slot = party.slot and answer.first = party.first), 0)"
            }
        };
        let sql = format!(
            "with asked as (select slot, first, {wanted} as n from fact_keys party
                            where kind = 'register' and value ->> '$.Buyer' is not null),
                  offered as (select slot, first, value ->> '$.Seller' as s from fact_keys
                              where kind = 'register' and value ->> '$.Seller' is not null),
                  sums as (select slot, (select sum(n) from asked where asked.slot = tariff.slot) as d,
                                  (select sum(s) from offered where offered.slot = tariff.slot) as s,
                                  ((value ->> '$.grid') + (value ->> '$.feed_in')) / 2 as m,
                                  value ->> '$.grid' as g, value ->> '$.feed_in' as f
                           from fact_keys tariff where kind = 'tariff'),
                  due as (select slot, first,
                                 n * case when sums.s >= d then m else (m * sums.s + g * (d - sums.s)) / d end
                                 - n * max(0.0, d - sums.s) / d * g as money
                          from asked join sums using (slot) where d > 0 and sums.s > 0
                          union all
                          select slot, first,
                                 offered.s * case when sums.s <= d then m else (m * d + f * (sums.s - d)) / sums.s end
                                 - offered.s * max(0.0, sums.s - d) / sums.s * f
                          from offered join sums using (slot) where d > 0 and sums.s > 0)
             select due.slot, due.first, money,
                    coalesce((select (value ->> '$.paid') + (value ->> '$.earned') from fact_keys account
                              where kind = 'account' and account.slot = due.slot and account.first = due.first), 0)
             from due"
        );
        let mut query = ledger.prepare(&sql).unwrap();
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, f64>(2)?, row.get::<_, i64>(3)?))
        });
        let mut compared = BTreeMap::<u32, u32>::new();
        for row in rows.unwrap() {
            let (slot, number, due, found) = row.unwrap();
            // A unit for the share of energy that is rounded, and half of one for each of its bills.
            assert!((due - found as f64).abs() <= 5.0, "{demand}, slot {slot}, {number}: {found} for {due}");
            *compared.entry(slot).or_default() += 1;
        }
        assert!(compared.len() >= 8, "{demand}: {compared:?}");
    }
}
