//! Every mechanism keeps the same promises: trades within the tariffs, books at zero, everything settled once whatever the
//! network does, chains that verify, results that do not depend on shards; and each finds the price that is its own.

use crate::{
    adversity::assert_settled_once,
    conservation::assert_conserved,
    determinism::assert_same_whatever_the_shards,
    support::{Log, only_case, recorded, run, shipped, written},
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
    ledger::{
        schema,
        verify::{CaseReport, verify},
    },
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

/// Of each clearing the slot and how much is executed by it.
fn clearings(log: &Log) -> Vec<(u32, usize)> {
    let executions = log.observed.iter().filter_map(|observed| match &observed.what {
        Observation::Cleared(slot, clearing) => Some((*slot, clearing.executions.len())),
        _ => None,
    });
    executions.collect()
}

/// Runs a plan of one case, whose chain verifies; what its ledger came to.
fn verified(plan: &Plan) -> CaseReport {
    let root = tempfile::tempdir().unwrap();
    let report = verify(&recorded(plan, root.path()).join(schema::FILE), &mut |_| {});
    report.unwrap_or_else(|error| panic!("{error}")).cases.remove(0)
}

#[test]
fn every_mechanism_trades_within_the_tariffs_and_keeps_the_books() {
    each(|mechanism, demand| {
        let log = run(&only_case(&noon(mechanism, demand, "")));
        assert_conserved(&log, 2, 12);
        assert_settled_once(&log);
        assert!(trades(&log).count() > 0, "{mechanism} {demand}: nobody trades");
        let refused = log.observed.iter().find(|observed| matches!(observed.what, Observation::Refused(_)));
        assert!(refused.is_none(), "{mechanism} {demand}: {refused:?}");
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

/// Where no message takes any time, a market opens as its slot does: after 90 s the gate closes and the second clearing of
/// "45s" is due, and the first of "90s".
#[test]
fn what_is_due_as_the_gate_closes_is_cleared_once_and_what_is_due_later_not_at_all() {
    let at_once = r#"network: (delay: "0s"), ledger: (block: (timeout: "0s")),"#;
    let sealed = run(&only_case(&noon("UniformPriceAuction()", "Elastic", at_once)));
    for (every, count) in [("90s", 1), ("45s", 2), ("60s", 2), ("1day", 1)] {
        let plan = noon(&format!(r#"UniformPriceAuction(every: "{every}")"#), "Elastic", at_once);
        let log = run(&only_case(&plan));
        assert_eq!(clearings(&log).iter().filter(|(slot, _)| *slot == 1).count(), count, "{every}");
        assert!(trades(&log).eq(trades(&sealed)), "{every}: all that can meet does at the first");
        verified(&plan);
    }
}

#[test]
fn sealed_orders_that_were_good_as_the_gate_closed_are_cleared_however_late_the_ledger() {
    for mechanism in ["UniformPriceAuction()", r#"UniformPriceAuction(every: "84s")"#] {
        let down = r#"network: (conditions: [(at: "80s", lasting: "25s", what: Crash(who: Ledger))]),"#;
        let [late, quiet] = [down, ""].map(|network| noon(mechanism, "Elastic", network));
        let [found, due] = [&late, &quiet].map(|plan| run(&only_case(plan)));
        assert!(trades(&found).count() > 0 && trades(&found).eq(trades(&due)), "{mechanism}");
        verified(&late);
    }
}

/// Who prefers energy less than the grid pays for it wants none, whatever the price.
#[test]
fn where_nobody_wants_anything_nothing_is_traded_and_the_chain_says_so() {
    for mechanism in MECHANISMS {
        let in_order = mechanism.contains("every") || mechanism.starts_with("Continuous");
        for posts in ["Every", "Last"].into_iter().take(if in_order { 1 } else { 2 }) {
            let text = format!(
                r#"Scenario(
                    name: "nobody",
                    market: (slots: 1, open: (1, 1), gate_closure: "90s", mechanism: {mechanism}),
                    population: Profiles("profiles.csv"),
                    preferences: (preference_pv: 0.3, preference_grid: 0.3),
                    ledger: (posts: {posts}),
                )"#
            );
            let plan = written(&text, "prosumer,slot,pv_kwh,load_kwh\n1,1,3,1\n2,1,0,2\n3,1,0,1\n");
            assert_eq!(verified(&plan).bills, 0, "{mechanism} {posts}");
            let log = run(&only_case(&plan));
            assert_conserved(&log, 1, 3);
            if ["MidMarketRate", "BillSharing", "SupplyDemandRatio"].contains(&mechanism) {
                assert_eq!(
                    clearings(&log),
                    [(1, 0), (1, 0)],
                    "{mechanism}: announced, and over when all have answered"
                );
            }
        }
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
    let buyers: Vec<Buyer> = with(Role::Buyer).map(|facts| facts.as_buyer().charged(terms.local_fee)).collect();
    let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
    let band = PriceBand::between(terms.feed_in_tariff, terms.grid_tariff, terms.local_fee);
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
    for demand in ["Firm", "Elastic"] {
        let plan =
            shipped("5_prosumers.ron", &["mu=1", "mechanism=MidMarketRate", &format!("preferences.demand={demand}")]);
        let root = tempfile::tempdir().unwrap();
        let ledger = rusqlite::Connection::open(recorded(&plan, root.path()).join(schema::FILE)).unwrap();
        // With firm demand the need is what is wanted, with elastic the answer.
        let wanted = match demand {
            "Firm" => "round(need_kwh * 1e6)",
            _ => {
                "coalesce((SELECT steps ->> '$[0].energy' FROM orders
                           WHERE orders.slot = registrations.slot AND orders.prosumer = registrations.prosumer), 0)"
            }
        };
        // What each pays or earns for a slot at the rates of the formula, less what of it is the grid's, beside what its
        // account comes to.
        let sql = format!(
            "WITH wanted AS (SELECT slot, prosumer, {wanted} AS n FROM registrations WHERE role = 'Buyer'),
                  offered AS (SELECT slot, prosumer, surplus_micro_kwh AS n FROM registrations WHERE role = 'Seller'),
                  market AS (SELECT slot, feed_in_cny_per_kwh AS f, grid_cny_per_kwh AS g,
                                    (feed_in_cny_per_kwh + grid_cny_per_kwh) / 2 AS m,
                                    (SELECT sum(n) FROM wanted WHERE wanted.slot = tariffs.slot) AS d,
                                    (SELECT sum(n) FROM offered WHERE offered.slot = tariffs.slot) AS s
                             FROM tariffs WHERE d > 0 AND s > 0),
                  due AS (SELECT slot, prosumer,
                                 n * iif(s < d, (m * s + g * (d - s)) / d, m) - n * max(0.0, d - s) / d * g AS money
                          FROM wanted JOIN market USING (slot)
                          UNION ALL
                          SELECT slot, prosumer,
                                 n * iif(s > d, (m * d + f * (s - d)) / s, m) - n * max(0.0, s - d) / s * f
                          FROM offered JOIN market USING (slot))
             SELECT slot, prosumer, money,
                    coalesce((SELECT paid_micro_cny + earned_micro_cny FROM accounts
                              WHERE accounts.slot = due.slot AND accounts.prosumer = due.prosumer), 0)
             FROM due"
        );
        let mut query = ledger.prepare(&sql).unwrap();
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, f64>(2)?, row.get::<_, i64>(3)?))
        });
        let mut compared = BTreeMap::<u32, u32>::new();
        for row in rows.unwrap() {
            let (slot, number, due, found) = row.unwrap();
            // Energy is rounded to a unit, and each bill's payment to half of one; nobody has more than three.
            assert!((due - found as f64).abs() <= 2.5, "{demand}, slot {slot}, {number}: {found} for {due}");
            *compared.entry(slot).or_default() += 1;
        }
        assert!(compared.len() >= 8, "{demand}: {compared:?}");
        // All that is executed has that price, and makes the bills.
        let count = |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let executed = "FROM executions JOIN tariffs USING (slot)";
        let elsewhere = "WHERE price_cny_per_kwh <> (feed_in_cny_per_kwh + grid_cny_per_kwh) / 2";
        assert_eq!(count(&format!("SELECT count(*) {executed} {elsewhere}")), 0, "{demand}");
        let energy = count(&format!("SELECT sum(energy_micro_kwh) {executed}"));
        assert!(energy > 0 && energy == count("SELECT sum(energy_micro_kwh) FROM bills"), "{demand}");
        assert_eq!(
            count("SELECT sum(executions) FROM clearings"),
            count("SELECT count(*) FROM executions"),
            "{demand}"
        );
    }
}
