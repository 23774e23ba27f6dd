//! The books of every slot, recomputed from `ledger.db` in plain SQL: no money and no energy appears or is lost, in whole
//! units of 1e-6, and the tables of the run say the same.

use crate::{
    community::{Community, MECHANISMS},
    support::{recorded, repository, shipped, written},
};
use microgrid_sim::{
    ledger::schema,
    record::{Number, ProsumerRow, Run, TradeRow},
    scenario::Plan,
};
use rusqlite::Connection;
use std::fs;

/// The prices at which everybody's meters are settled: the grid's tariffs, those of imbalance, and both fees.
const RATES: &str = "
    CREATE TEMP VIEW genesis AS
    SELECT case_number, envelope -> '$.proposal.call.Genesis' AS genesis
    FROM transactions WHERE channel = 'trade' AND block = 0;
    CREATE TEMP VIEW operator_and_grid AS
    SELECT case_number, genesis ->> '$.rules.service_fee' AS service_fee,
           ifnull(genesis ->> '$.rules.grid_fee', 0) AS grid_fee FROM genesis;
    CREATE TEMP VIEW grouped AS
    SELECT case_number, tariff.key + 1 AS number, member.value AS prosumer
    FROM genesis, json_each(genesis, '$.tariff_groups') AS tariff, json_each(tariff.value) AS member;
    CREATE TEMP VIEW settled AS
    WITH meter AS MATERIALIZED (SELECT * FROM meters), tariff AS MATERIALIZED (SELECT * FROM tariffs),
         own AS MATERIALIZED (
             SELECT case_number, slot, prosumer, grid_cny_per_kwh AS grid, feed_in_cny_per_kwh AS feed_in
             FROM grouped NATURAL JOIN group_tariffs),
         beside AS MATERIALIZED (SELECT * FROM imbalances), price AS MATERIALIZED (SELECT * FROM imbalance_prices)
    SELECT case_number, slot, prosumer, imported_micro_kwh AS imported, exported_micro_kwh AS exported,
           ifnull(short_micro_kwh, 0) AS short, ifnull(long_micro_kwh, 0) AS long,
           ifnull(grid, grid_cny_per_kwh) AS grid, ifnull(feed_in, feed_in_cny_per_kwh) AS feed_in,
           ifnull(short_cny_per_kwh, 0) AS short_price, ifnull(long_cny_per_kwh, 0) AS long_price
    FROM meter NATURAL JOIN tariff NATURAL LEFT JOIN beside NATURAL LEFT JOIN price NATURAL LEFT JOIN own;
    CREATE TEMP VIEW earnings AS
    SELECT case_number, slot, fees_micro_cny, ifnull(grid_fees_micro_cny, 0) AS grid_fees_micro_cny
    FROM fees NATURAL LEFT JOIN grid_fees";

/// What must add up: each query gives the cases and slots in which something does not, with the difference.
const LAWS: &[(&str, &str)] = &[
    (
        // Prosumers pay each other, the operator and the grid; what they owe the grid is taken from their meters.
        "all money flows of a slot sum to zero",
        "SELECT case_number, slot, sum(money) FROM (
             SELECT case_number, slot, earned_micro_cny - paid_micro_cny - fee_micro_cny AS money FROM accounts
             UNION ALL
             SELECT case_number, slot, round(exported * feed_in) + round(long * long_price) FROM settled
             UNION ALL
             SELECT case_number, slot, -round(imported * grid) - round(short * short_price) FROM settled
             UNION ALL
             SELECT case_number, slot, charge_micro_cny - credit_micro_cny FROM invoices
             UNION ALL
             SELECT case_number, slot, fees_micro_cny + grid_fees_micro_cny FROM earnings)
         GROUP BY case_number, slot HAVING sum(money) <> 0",
    ),
    (
        "every prosumer's energy balances",
        "WITH account AS MATERIALIZED (SELECT * FROM accounts), meter AS MATERIALIZED (SELECT * FROM meters)
         SELECT case_number, slot, generated_micro_kwh + discharged_micro_kwh + imported + short
                + ifnull(bought_micro_kwh, 0) - consumed_micro_kwh - charged_micro_kwh - exported - long
                - ifnull(sold_micro_kwh, 0) AS lost
         FROM meter NATURAL JOIN settled NATURAL LEFT JOIN account WHERE lost <> 0",
    ),
    (
        "what is generated, stored and exchanged in a slot is consumed, whoever traded it",
        "SELECT case_number, slot, sum(generated_micro_kwh + discharged_micro_kwh + imported + short
                - consumed_micro_kwh - charged_micro_kwh - exported - long) AS lost
         FROM meters NATURAL JOIN settled GROUP BY case_number, slot HAVING lost <> 0",
    ),
    (
        "what some buy, others sell; what some pay, others earn",
        "SELECT case_number, slot, sum(bought_micro_kwh - sold_micro_kwh) || ', ' || sum(paid_micro_cny - earned_micro_cny)
         FROM accounts GROUP BY case_number, slot
         HAVING sum(bought_micro_kwh) <> sum(sold_micro_kwh) OR sum(paid_micro_cny) <> sum(earned_micro_cny)",
    ),
    (
        "a bill is its energy at its price, and at the fees of operator and grid",
        "SELECT case_number, slot, payment_micro_cny || ', ' || fee_micro_cny FROM bills NATURAL JOIN operator_and_grid
         WHERE payment_micro_cny <> round(energy_micro_kwh * price_cny_per_kwh)
            OR fee_micro_cny <> round(energy_micro_kwh * (service_fee + grid_fee)) OR energy_micro_kwh <= 0",
    ),
    (
        "an account is what the bills of its prosumer add up to",
        "SELECT case_number, slot, prosumer FROM (
             SELECT case_number, slot, prosumer, bought_micro_kwh AS bought, sold_micro_kwh AS sold,
                    paid_micro_cny AS paid, earned_micro_cny AS earned, fee_micro_cny AS fee FROM accounts
             UNION ALL
             SELECT case_number, slot, buyer, -energy_micro_kwh, 0, -payment_micro_cny, 0, -fee_micro_cny FROM bills
             UNION ALL
             SELECT case_number, slot, seller, 0, -energy_micro_kwh, 0, -payment_micro_cny, 0 FROM bills)
         GROUP BY case_number, slot, prosumer
         HAVING sum(bought) <> 0 OR sum(sold) <> 0 OR sum(paid) <> 0 OR sum(earned) <> 0 OR sum(fee) <> 0",
    ),
    (
        "operator and grid earn the fees of all bills, and a settlement counts them",
        "SELECT case_number, slot, bills || ', ' || energy_micro_kwh || ', ' || fees_micro_cny
         FROM settlements NATURAL JOIN earnings NATURAL LEFT JOIN (
             SELECT case_number, slot, count(*) AS number, sum(energy_micro_kwh) AS energy, sum(fee_micro_cny) AS fee,
                    sum(round(energy_micro_kwh * grid_fee)) AS of_grid
             FROM bills NATURAL JOIN operator_and_grid GROUP BY case_number, slot)
         WHERE bills <> ifnull(number, 0) OR energy_micro_kwh <> ifnull(energy, 0)
            OR fees_micro_cny + grid_fees_micro_cny <> ifnull(fee, 0) OR grid_fees_micro_cny <> ifnull(of_grid, 0)",
    ),
    (
        "every bill belongs to a settlement, and every settlement has its fees",
        "SELECT case_number, slot, 0 FROM (SELECT case_number, slot FROM bills UNION SELECT case_number, slot FROM accounts
                                           UNION SELECT case_number, slot FROM fees)
         WHERE (case_number, slot) NOT IN (SELECT case_number, slot FROM settlements)
         UNION ALL
         SELECT case_number, slot, 0 FROM settlements
         WHERE (case_number, slot) NOT IN (SELECT case_number, slot FROM fees)",
    ),
    (
        "an invoice is the metered exchange at the tariffs of its slot",
        "WITH invoice AS MATERIALIZED (SELECT * FROM invoices)
         SELECT case_number, slot, prosumer FROM settled NATURAL LEFT JOIN invoice
         WHERE ifnull(charge_micro_cny, 0) <> round(imported * grid) + round(short * short_price)
            OR ifnull(credit_micro_cny, 0) <> round(exported * feed_in) + round(long * long_price)
            OR (charge_micro_cny IS NULL) <> (imported = 0 AND exported = 0 AND short = 0 AND long = 0)
         UNION ALL
         SELECT case_number, slot, prosumer FROM invoices
         WHERE (case_number, slot, prosumer) NOT IN (SELECT case_number, slot, prosumer FROM meters)",
    ),
    (
        "no amount is negative",
        "SELECT f.case_number, f.key, json_each.value FROM facts f, json_each(f.value)
         WHERE substr(f.key, 1, 4) IN ('bill', 'acco', 'fees', 'grid', 'sett', 'mete', 'invo') AND json_each.value < 0",
    ),
];

/// The laws that do not hold, with where.
fn broken(ledger: &Connection) -> Vec<String> {
    let mut broken = Vec::new();
    for (law, query) in LAWS {
        let mut query = ledger.prepare(query).unwrap_or_else(|error| panic!("{law}: {error}"));
        let wrong = query.query_map([], |row| {
            let text = |column| row.get_ref(column).map(|value| format!("{value:?}"));
            Ok(format!("{law}: case {}, slot {}: {}", text(0)?, text(1)?, text(2)?))
        });
        broken.extend(wrong.unwrap().map(Result::unwrap));
    }
    broken
}

/// A number of a result table in whole units of 1e-6.
fn units(number: Number) -> i64 {
    (number.value() * 1e6).round() as i64
}

fn lists<const N: usize>(ledger: &Connection, query: &str) -> Vec<[i64; N]> {
    let mut query = ledger.prepare(query).unwrap();
    let rows = query.query_map([], |row| {
        let mut list = [0; N];
        for (column, value) in list.iter_mut().enumerate() {
            *value = row.get(column)?;
        }
        Ok(list)
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// `prosumers.csv` and `trades.csv` say what the ledger says, to the last unit.
fn assert_tables_agree(run: &Run, ledger: &Connection) {
    let on_chain = lists::<12>(
        ledger,
        "SELECT case_number, slot, prosumer, generated_micro_kwh, ifnull(bought_micro_kwh, 0), ifnull(sold_micro_kwh, 0),
                charged_micro_kwh, discharged_micro_kwh,
                max(imported + short - exported - long, 0),
                ifnull(paid_micro_cny, 0) + ifnull(charge_micro_cny, 0),
                ifnull(earned_micro_cny, 0) + ifnull(credit_micro_cny, 0), ifnull(fee_micro_cny, 0)
         FROM meters NATURAL JOIN settled NATURAL LEFT JOIN accounts NATURAL LEFT JOIN invoices ORDER BY case_number, slot, prosumer",
    );
    let rows = run.rows::<ProsumerRow>().unwrap().map(Result::unwrap);
    let in_table = rows.map(|row| {
        let amounts = [row.pv_kwh, row.bought_kwh, row.sold_kwh, row.charged_kwh, row.discharged_kwh];
        let [pv, bought, sold, charged, discharged] = amounts.map(units);
        let [import, paid, earned, fee] = [row.grid_import_kwh, row.paid_cny, row.earned_cny, row.fee_cny].map(units);
        let [case, slot, prosumer] = [row.case, row.slot, row.prosumer].map(i64::from);
        [case, slot, prosumer, pv, bought, sold, charged, discharged, import, paid, earned, fee]
    });
    assert_eq!(in_table.collect::<Vec<_>>(), on_chain);

    let on_chain = lists::<7>(
        ledger,
        "SELECT case_number, slot, buyer, seller, energy_micro_kwh, payment_micro_cny, fee_micro_cny FROM bills
         ORDER BY case_number, slot, buyer, seller",
    );
    let rows = run.rows::<TradeRow>().unwrap().map(Result::unwrap).filter(|row| row.traded_kwh.value() > 0.0);
    let in_table = rows.map(|row| {
        let [case, slot, buyer, seller] = [row.case, row.slot, row.buyer, row.seller].map(i64::from);
        let [energy, payment, fee] = [row.traded_kwh, row.payment_cny, row.fee_cny].map(units);
        [case, slot, buyer, seller, energy, payment, fee]
    });
    assert_eq!(in_table.collect::<Vec<_>>(), on_chain);
}

/// Runs a plan and holds its ledger to all laws; what it holds is shown to `look`.
fn audit(plan: &Plan, look: impl FnOnce(&Connection)) {
    let root = tempfile::tempdir().unwrap();
    let run = Run::open(&recorded(plan, root.path())).unwrap();
    let ledger = Connection::open(run.folder().join(schema::FILE)).unwrap();
    ledger.execute_batch(RATES).unwrap();
    let slots =
        lists::<3>(&ledger, "SELECT case_number, count(*), count(DISTINCT slot) FROM meters GROUP BY case_number");
    let due = plan.cases().map(|case| {
        let slots = i64::from(plan.scenario.market.slots);
        [i64::from(case.number), slots * case.population.prosumers.len() as i64, slots]
    });
    assert_eq!(slots, due.collect::<Vec<_>>(), "every prosumer has a reading in every slot of every case");
    assert_eq!(broken(&ledger), [""; 0]);
    assert_tables_agree(&run, &ledger);
    look(&ledger);
}

fn count(ledger: &Connection, query: &str) -> i64 {
    ledger.query_row(&format!("SELECT count(*) FROM {query}"), [], |row| row.get(0)).unwrap()
}

/// The published day with a service fee and storages, and more.
fn with_fee(more: &str) -> Plan {
    let text = format!(
        r#"Scenario(
            name: "with_fee",
            market: (slots: 24, open: (8, 20), feed_in_tariff: 0.45, grid_tariff: Constant(0.85), service_fee: 0.013),
            population: Profiles("profiles.csv"),
            storage: (capacity_kwh: 0.4, power_kw: 0.3, efficiency: 0.93, initial_kwh: 0.2),
            {more}
        )"#
    );
    written(&text, &fs::read_to_string(repository("scenarios/data/5_prosumers.csv")).unwrap())
}

#[test]
fn the_books_of_the_published_study_are_in_order() {
    audit(&shipped("5_prosumers.ron", &[]), |ledger| {
        assert_eq!(count(ledger, "settlements"), 2 * 13);
        assert_eq!(count(ledger, "settlements WHERE bills > 0"), 2 * 8, "whenever somebody has a surplus");
        assert!(count(ledger, "invoices") > 100);
    });
}

#[test]
fn the_books_are_in_order_with_storages_fees_and_last_posts() {
    audit(&shipped("5_prosumers_storage.ron", &[]), |ledger| {
        assert!(count(ledger, "meters WHERE charged_micro_kwh > 0") > 0);
        assert!(count(ledger, "meters WHERE discharged_micro_kwh > 0") > 0);
    });
    for more in ["", "ledger: (posts: Last), preferences: (demand: Firm),"] {
        audit(&with_fee(more), |ledger| assert_eq!(count(ledger, "fees WHERE fees_micro_cny > 0"), 8));
    }
}

#[test]
fn the_books_are_in_order_where_trades_are_void_because_somebody_was_silent() {
    audit(&with_fee("network: (loss: 0.93),"), |ledger| {
        let silent = "transactions WHERE json_array_length(envelope, '$.proposal.call.Settle.silent') > 0";
        assert!(count(ledger, silent) > 0, "somebody was silent");
        assert!(count(ledger, "bills") > 0, "others were not");
    });
}

#[test]
fn the_books_of_a_community_are_in_order_under_every_mechanism() {
    for mechanism in MECHANISMS.into_iter().filter(|mechanism| *mechanism != "BillSharing") {
        audit(&Community::with_everything(mechanism).plan(), |ledger| {
            assert!(count(ledger, "grouped NATURAL JOIN group_tariffs") > 96, "groups have tariffs");
            assert!(count(ledger, "imbalances WHERE short_micro_kwh > 0") > 0);
            assert!(count(ledger, "imbalances WHERE long_micro_kwh > 0") > 0);
            assert!(count(ledger, "grid_fees WHERE grid_fees_micro_cny > 0") > 0, "{mechanism}");
        });
    }
}

#[test]
fn an_amount_with_the_wrong_sign_or_off_by_one_unit_is_noticed() {
    let amounts = [
        ("bill", "energy"),
        ("bill", "payment"),
        ("bill", "fee"),
        ("account", "bought"),
        ("account", "sold"),
        ("account", "paid"),
        ("account", "earned"),
        ("account", "fee"),
        ("fees", ""),
        ("settlement", "bills"),
        ("settlement", "energy"),
        ("meter", "generated"),
        ("meter", "consumed"),
        ("meter", "charged"),
        ("meter", "discharged"),
        ("meter", "imported"),
        ("meter", "exported"),
        ("invoice", "charge"),
        ("invoice", "credit"),
    ];
    let community = Community::with_everything("TwoLevelGame").plan();
    let of_a_community = [("grid_fees", ""), ("meter", "short"), ("meter", "long")];
    let plans = [(with_fee("preferences: (demand: Firm),"), &amounts[..]), (community, &of_a_community)];
    for (plan, amounts) in plans {
        audit(&plan, |ledger| {
            for &(kind, part) in amounts {
                let path = if part.is_empty() { "$".to_owned() } else { format!("$.{part}") };
                for change in ["-", "1 +", "-1 +"] {
                    let amount = format!("value ->> '{path}'");
                    let changed = format!("json_set(value, '{path}', {change} ({amount}))");
                    let one =
                        format!("key = (SELECT key FROM facts WHERE key LIKE '{kind}/%' AND {amount} > 0 LIMIT 1)");
                    ledger.execute_batch("BEGIN").unwrap();
                    let rows = ledger.execute(&format!("UPDATE facts SET value = {changed} WHERE {one}"), []).unwrap();
                    assert_eq!(rows, 1, "some {kind} has {part}");
                    assert!(!broken(ledger).is_empty(), "{kind} {part} with {change}");
                    ledger.execute_batch("ROLLBACK").unwrap();
                }
            }
        });
    }
}
