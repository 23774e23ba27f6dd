//! `ledger: (signatures: Off)`: all tables as ever, and a ledger that says what it is worth.

use crate::{
    determinism::{CHAINS, Files, different, files, leave_out},
    support::{recorded, repository, shipped, sim, stdout},
};
use microgrid_agents::chain::genesis::Signatures;
use microgrid_sim::{
    ledger::{schema, verify::verify},
    record::Run,
    scenario::{Plan, schema::Record},
};
use std::fs;

fn unsigned(mut plan: Plan) -> Plan {
    plan.scenario.ledger.signatures = Signatures::Off;
    plan
}

#[test]
fn tables_are_those_of_a_signed_run_but_for_lengths() {
    for set in [&[][..], &["mu=1", "loss=0.1"], &["mu=1", "delay=0ms"], &["mu=0", "ledger.posts=Last"]] {
        let plan = shipped("5_prosumers.ron", set);
        let tables = |plan: &Plan| -> Files {
            let mut files = files(plan, None);
            files.iter_mut().for_each(|(name, file)| leave_out("bytes", name, file));
            files
        };
        let (signed, off) = (tables(&plan), tables(&unsigned(plan)));
        assert_eq!(different(&signed, &off), [CHAINS, "ledger.db", "scenario.ron"], "{set:?}");
    }
}

/// Where the chain is not kept nobody makes texts, and envelopes have the same length all the same.
#[test]
fn lengths_are_the_same_whether_the_chain_is_kept_or_not() {
    for signatures in [Signatures::Settlement, Signatures::Off] {
        for set in [&["mu=1"][..], &["mu=1", "loss=0.1"]] {
            let slots = [Record::Full, Record::Slots].map(|record| {
                let mut plan = shipped("5_prosumers.ron", set);
                (plan.scenario.ledger.signatures, plan.scenario.record) = (signatures, record);
                let root = tempfile::tempdir().unwrap();
                fs::read_to_string(recorded(&plan, root.path()).join("slots.csv")).unwrap()
            });
            assert_eq!(slots[0], slots[1], "{signatures:?} {set:?}");
        }
    }
}

#[test]
fn the_run_says_that_it_is_unsigned_and_verify_refuses_it() {
    let root = tempfile::tempdir().unwrap();
    let scenario = repository("scenarios/5_prosumers.ron").display().to_string();
    let run = |off: &str| format!("{scenario} --set mu=1 --set {off} --out {}", root.path().display());
    let check = |signatures: &str| {
        let set = format!("--set ledger.signatures={signatures}");
        stdout(&mut sim(root.path(), &format!("check {scenario} {set}"))).contains("note: with `signatures: Off`")
    };
    assert_eq!(["Off", "Settlement,Off", "Settlement"].map(check), [true, true, false]);
    let said = stdout(&mut sim(root.path(), &run("ledger.signatures=Off --no-report")));
    assert!(said.contains("\n1 case, unsigned, finished in "), "{said}");

    let latest = root.path().join("5_prosumers/latest");
    let manifest = fs::read_to_string(latest.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"unsigned\": true"), "{manifest}");
    let verified = sim(root.path(), &format!("ledger verify {}", latest.display())).assert().code(1);
    let stderr = String::from_utf8(verified.get_output().stderr.clone()).unwrap();
    assert!(stderr.starts_with("error: case 1: it is unsigned, by its genesis (`signatures: Off`)"), "{stderr}");
    assert!(stderr.contains("ledger: (signatures: Settlement)"), "{stderr}");

    let ledger = |what: &str| stdout(&mut sim(root.path(), &format!("ledger {what} {}", latest.display())));
    let balances = ledger("show");
    let block = ledger("show --channel trade --block 37");
    assert!(block.contains(", unsigned, endorsed by prosumer 1, endorsed by prosumer 2"), "{block}");
    let chains = ledger("export");
    assert!(chains.contains(r#""signatures":"Off""#) && chains.contains(r#""ledger":null,"grid":null"#));
    assert!(!chains.contains(r#""signature":""#), "nobody has signed");
    assert!(chains.contains(r#"{"by":"grid","signature":null}"#));

    let said = stdout(&mut sim(root.path(), &run("ledger.signatures=Settlement --no-report")));
    assert!(said.contains("\n1 case, finished in "), "{said}");
    let manifest = fs::read_to_string(latest.join("manifest.json")).unwrap();
    assert!(!manifest.contains("unsigned"));
    let money = |text: &str| text.split_once("bought").map(|(_, money)| money.to_owned());
    assert_eq!(money(&balances), money(&ledger("show")));
}

#[test]
fn of_a_study_that_signs_in_some_cases_only_the_ledger_is_unsigned_as_a_whole() {
    let plan = shipped("5_prosumers.ron", &["mu=1", "ledger.signatures=Settlement,Off"]);
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(&plan, root.path());
    assert!(Run::open(&folder).unwrap().manifest().unsigned);
    let refused = verify(&folder.join(schema::FILE), &mut |_| {}).unwrap_err().to_string();
    assert!(refused.starts_with("case 2: it is unsigned"), "{refused}");
}
