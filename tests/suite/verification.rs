//! What the simulator writes, the verifier accepts: every shipped scenario, and everything that makes chains differ.

use crate::support::{recorded, repository, written};
use microgrid_sim::{
    ledger::{
        schema,
        verify::{CaseReport, verify},
    },
    scenario::{
        self, Overrides, Plan,
        schema::{Record, Replicates},
    },
};
use std::{fs, time::Duration};

/// Runs a plan and verifies its ledger; every case is covered to its end.
fn verified(plan: &Plan) -> Vec<CaseReport> {
    let root = tempfile::tempdir().unwrap();
    let file = recorded(plan, root.path()).join(schema::FILE);
    let report = verify(&file, &mut |_| {}).unwrap_or_else(|error| panic!("{}: {error}", plan.scenario.name));
    assert_eq!(report.cases.len(), plan.case_count() as usize);
    assert!(report.cases.iter().all(|case| case.closed == plan.scenario.market.slots));
    report.cases
}

#[test]
fn every_shipped_scenario_verifies() {
    let mut verified_scenarios = 0;
    for entry in fs::read_dir(repository("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ron") {
            continue;
        }
        let load = |set: &[&str]| {
            let overrides = Overrides { seed: None, set: set.iter().map(ToString::to_string).collect() };
            scenario::load(&path, &overrides).unwrap_or_else(|error| panic!("{error}"))
        };
        let plan = load(&[]);
        let prosumers = plan.cases().map(|case| case.population.prosumers.len()).max().expect("a case");
        // Many prosumers take long without optimisation. Thirty of them trade under the same rules, and members on a day in June.
        let a_day = ["market.calendar.start=2016-06-06", "market.calendar.days=1"];
        let fewer = if plan.scenario.market.calendar.is_some() { &a_day[..] } else { &["population=30"] };
        let mut plan = if prosumers > 30 { load(fewer) } else { plan };
        if plan.scenario.record == Record::Slots {
            // Of a sweep the last case, two minutes of each game, with its ledger.
            plan.scenario.record = Record::Full;
            plan.scenario.market.gate_closure = Duration::from_secs(120);
            plan.scenario.vary.values_mut().for_each(|values| *values = values.split_off(values.len() - 1));
        }
        plan.scenario.replicates = Replicates::default();
        let cases = verified(&plan);
        assert!(cases.iter().all(|case| case.bills > 0), "{}: somebody trades", path.display());
        verified_scenarios += 1;
    }
    assert!(verified_scenarios >= 14);
}

/// Hours around noon of the published study, with other networks and ledgers.
fn noon(more: &str) -> CaseReport {
    let text = format!(
        r#"Scenario(
            name: "noon",
            market: (slots: 14, open: (11, 13), gate_closure: "90s", feed_in_tariff: 0.45,
                     grid_tariff: Constant(0.85), service_fee: 0.013),
            population: Profiles("profiles.csv"),
            {more}
        )"#
    );
    let profiles = fs::read_to_string(repository("scenarios/data/5_prosumers.csv")).unwrap();
    let of_noon = |row: &&str| row.split(',').nth(1).unwrap().parse().map_or(true, |slot: u32| slot <= 14);
    let profiles: String = profiles.lines().filter(of_noon).flat_map(|row| [row, "\n"]).collect();
    verified(&written(&text, &profiles)).remove(0)
}

fn invalid(report: &CaseReport) -> u64 {
    report.channels.iter().map(|channel| channel.invalid).sum()
}

#[test]
fn chains_verify_whatever_is_signed_and_posted() {
    let ledgers = ["Settlement", "Everything"].map(|signatures| {
        ["Every", "Last"].map(|posts| noon(&format!("ledger: (signatures: {signatures}, posts: {posts}),")))
    });
    let [settlement, everything] = ledgers;
    for reports in [&settlement, &everything] {
        let [every, last] = reports.each_ref().map(|report| report.channels[1]);
        assert!(every.valid > 10 * last.valid && last.valid > 0);
        assert_eq!(reports[0].bills, reports[1].bills);
    }
    assert_eq!(settlement.map(|report| report.channels[1].signatures), [0, 0], "posts are unsigned");
    for report in everything {
        let posts = report.channels[1];
        let unsigned = 1 + 2 * 3;
        assert_eq!(posts.signatures, posts.transactions() - unsigned, "all but the anchor, openings and closings");
    }
}

#[test]
fn chains_verify_when_messages_are_lost_or_late() {
    for posts in ["Every", "Last"] {
        let lossy = noon(&format!("network: (loss: 0.2), ledger: (posts: {posts}, signatures: Everything),"));
        assert!(lossy.bills > 0);
        noon(&format!(r#"network: (delay: Constant("900ms"), loss: 0.02), ledger: (posts: {posts}),"#));
        noon(&format!(r#"network: (loss: 0.9), ledger: (posts: {posts}),"#));
    }
    noon(r#"network: (delay: Constant("0s")), ledger: (block: (timeout: "0s")),"#);
}

#[test]
fn chains_verify_whatever_the_size_of_blocks() {
    let single = noon(r#"ledger: (block: (max_transactions: 1, timeout: "50ms")),"#);
    let blocks = |report: &CaseReport| report.channels.map(|channel| (channel.blocks, channel.transactions()));
    assert!(blocks(&single).iter().all(|(blocks, transactions)| blocks == transactions));
    // So long that two posts of the same participant meet in a block: the second is stale.
    for signatures in ["Settlement", "Everything"] {
        let long = noon(&format!(r#"ledger: (signatures: {signatures}, block: (timeout: "2500ms")),"#));
        assert!(invalid(&long) > 100, "{}", invalid(&long));
    }
    noon(r#"ledger: (posts: Last, block: (max_transactions: 2, timeout: "30s")),"#);
}
